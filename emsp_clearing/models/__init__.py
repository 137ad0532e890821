# A model comes before the files that extend it.
from . import emsp_party_mixin, emsp_state_mixin  # isort: skip
from . import emsp_ocpi_object  # isort: skip
from . import emsp_ocpi_cursor, emsp_ocpi_push  # isort: skip
from . import emsp_ocpi_object_push  # isort: skip
from . import emsp_validation_rules  # isort: skip
from . import emsp_decision_mixin  # isort: skip
from . import emsp_cdr, emsp_settlement  # isort: skip
from . import emsp_price_simulation  # isort: skip
from . import (
    account_bank_statement_line,
    account_move,
    account_move_document,
    account_move_line,
    account_move_refund,
    account_move_send,
    account_payment,
    account_payment_line,
    account_payment_order,
    account_statement_import_camt_parser,
    emsp_cdr_checks,
    emsp_cdr_context,
    emsp_cdr_credit,
    emsp_cdr_decision,
    emsp_cdr_explanation,
    emsp_cdr_facts,
    emsp_cdr_finding,
    emsp_cdr_intake,
    emsp_cdr_neighbours,
    emsp_cdr_price,
    emsp_cdr_rating,
    emsp_cdr_recheck,
    emsp_cdr_trial,
    emsp_contract,
    emsp_contract_party,
    emsp_contract_recheck,
    emsp_contract_rules,
    emsp_customer_group,
    emsp_exception,
    emsp_exception_late,
    emsp_exception_missing,
    emsp_finding_report,
    emsp_invoice_reconciliation,
    emsp_invoice_reconciliation_line,
    emsp_location,
    emsp_location_connector,
    emsp_location_group,
    emsp_location_tariffs,
    emsp_ocpi_connection,
    emsp_ocpi_connection_chain,
    emsp_ocpi_connection_expiry,
    emsp_ocpi_connection_party,
    emsp_ocpi_connection_peer,
    emsp_ocpi_connection_pull,
    emsp_ocpi_connection_push,
    emsp_ocpi_connection_register,
    emsp_ocpi_connection_server,
    emsp_ocpi_connection_tolerance,
    emsp_ocpi_connection_version,
    emsp_ocpi_endpoint,
    emsp_ocpi_message,
    emsp_ocpi_pull,
    emsp_ocpi_push_content,
    emsp_ocpi_push_run,
    emsp_price_grid,
    emsp_price_grid_line,
    emsp_price_grid_push,
    emsp_price_grid_sheet,
    emsp_price_grid_tariff,
    emsp_price_simulation_batch,
    emsp_price_simulation_line,
    emsp_price_simulation_problem,
    emsp_price_simulation_run,
    emsp_session,
    emsp_session_inbox,
    emsp_session_missing,
    emsp_settlement_annex,
    emsp_settlement_invoice,
    emsp_settlement_reconciliation,
    emsp_settlement_run,
    emsp_settlement_verify,
    emsp_tariff,
    emsp_tariff_lookup,
    emsp_token,
    emsp_token_authorization,
    emsp_token_push,
    emsp_token_recheck,
    emsp_validation_ruleset,
    emsp_validation_trial,
    emsp_validation_trial_result,
    emsp_validation_trial_run,
    ir_actions_report,
    ir_http,
    mail_mail,
    res_company,
    res_partner,
    res_partner_rules,
)

# They build on what extensions above define.
from . import emsp_cdr_inbox, emsp_cdr_push, emsp_inbox, emsp_invoice_reconciliation_push  # isort: skip
from . import emsp_ocpi_connection_modules, emsp_ocpi_connection_parties  # isort: skip
from . import emsp_ocpi_full_reading, emsp_tariff_listing, emsp_token_listing  # isort: skip
from . import emsp_webhook, emsp_webhook_delivery  # isort: skip
from . import emsp_cdr_announcement, emsp_cdr_finding_notice, emsp_cdr_finding_told  # isort: skip
from . import emsp_ocpi_connection_findings, emsp_ocpi_connection_notice  # isort: skip

# Disputes: the model first, what others become by it next.
from . import emsp_dispute  # isort: skip
from . import (  # isort: skip
    emsp_cdr_dispute,
    emsp_cdr_replacement,
    emsp_contract_dispute,
    emsp_dispute_clock,
    emsp_dispute_consent,
    emsp_dispute_decision,
    emsp_dispute_notice,
    emsp_dispute_opening,
    emsp_settlement_dispute,
)
