{
    "name": "eMSP Clearing",
    "summary": "Clear EV-charging roaming: from a CDR over OCPI to a paid, matched invoice",
    "version": "19.0.1.0.0",
    "category": "Accounting/Accounting",
    "author": "emsp_clearing contributors, Odoo Community Association (OCA)",
    "website": "https://github.com/emsp-clearing/emsp_clearing",
    "license": "AGPL-3",
    "application": True,
    "depends": [
        # Odoo: moves, sending, e-invoice, QR code, identifiers
        "account",
        "account_edi_ubl_cii",
        "account_qr_code_sepa",
        "base_iban",
        "base_vat",
        "mail",
        "portal",
        # OCA: background jobs, bank statements, payment files
        "queue_job",
        "account_reconcile_oca",
        "account_statement_import_camt",
        "account_payment_batch_oca",
        "account_payment_sepa_credit_transfer",
    ],
    "external_dependencies": {
        "python": ["lxml", "msgspec", "openpyxl", "qrcode", "weasyprint"],
    },
    "data": [
        # security first: groups are named by everything below
        "security/emsp_clearing_groups.xml",
        "security/ir.model.access.csv",
        "security/emsp_company_rules.xml",
        # data
        "data/res_users_data.xml",
        "data/ir_sequence_data.xml",
        "data/product_data.xml",
        "data/queue_job_data.xml",
        "data/ir_cron_data.xml",
        # documents: the mail template names the report
        "report/emsp_settlement_templates.xml",
        "report/emsp_settlement_reports.xml",
        "data/mail_template_data.xml",
        # wizards before the views whose buttons open them
        "wizard/emsp_cdr_void_views.xml",
        "wizard/emsp_cdr_import_views.xml",
        "wizard/emsp_ocpi_connection_token_views.xml",
        "wizard/emsp_price_grid_import_views.xml",
        # views
        "views/account_bank_statement_line_views.xml",
        "views/account_move_refund_views.xml",
        "views/account_move_views.xml",
        "views/emsp_exception_views.xml",
        "views/emsp_ocpi_message_views.xml",
        "views/emsp_ocpi_connection_views.xml",
        "views/emsp_contract_views.xml",
        "views/emsp_location_group_views.xml",
        "views/emsp_customer_group_views.xml",
        "views/emsp_price_grid_views.xml",
        "views/emsp_cdr_explanation_templates.xml",
        "views/emsp_cdr_views.xml",
        "views/emsp_settlement_views.xml",
        "views/emsp_price_simulation_views.xml",
        # menus last: they name the actions above
        "views/emsp_clearing_menus.xml",
    ],
    "demo": [
        "demo/res_company_demo.xml",
        "demo/res_partner_demo.xml",
        "demo/res_users_demo.xml",
        "demo/emsp_contract_demo.xml",
    ],
}
