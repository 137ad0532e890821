{
    "name": "eMSP Clearing: benchmark baseline",
    "summary": "What Odoo itself does with a request that stores one wide record",
    "version": "19.0.1.0.0",
    "category": "Hidden",
    "author": "emsp_clearing contributors, Odoo Community Association (OCA)",
    "website": "https://github.com/emsp-clearing/emsp_clearing",
    "license": "AGPL-3",
    "depends": ["emsp_clearing"],
    "data": ["security/ir.model.access.csv"],
}
