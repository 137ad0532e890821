from . import (
    cdrs,
    credentials,
    dispatcher,
    fallback,
    invoice_reconciliation,
    locations,
    openapi,
    sessions,
    tariffs,
    tokens,
    versions,
)
