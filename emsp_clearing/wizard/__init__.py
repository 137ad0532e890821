from . import (
    account_statement_import,
    account_statement_import_balance,
    emsp_cdr_import,
    emsp_dispute_decide,
    emsp_dispute_open,
    emsp_inbox_decide,
    emsp_ocpi_connection_register,
    emsp_ocpi_connection_token,
    emsp_payment_status_import,
    emsp_price_grid_import,
    emsp_settlement_preview,
    emsp_webhook_secret,
)
