from . import (
    cdrs,
    credentials,
    dispatcher,
    fallback,
    findings,
    invoice_reconciliation,
    locations,
    openapi,
    sessions,
    tariffs,
    tokens,
    versions,
)
