from odoo import models


class AccountChartTemplate(models.AbstractModel):
    _inherit = "account.chart.template"

    def _post_load_data(self, template_code, company, template_data):
        # EXTENDS account: a company that gets its chart of accounts gets its clearing journal
        result = super()._post_load_data(template_code, company, template_data)
        company = company or self.env.company
        if company._needs_clearing_journal():
            company._ensure_clearing_journal()
        return result
