from . import (
    api_dispatcher,
    disputes_api,
    disputes_openapi,
    documents,
    explanation,
    ocpi,
    portal,
    portal_cdrs,
    portal_dispute_opening,
    portal_dispute_sheet,
    portal_disputes,
    verify,
)
