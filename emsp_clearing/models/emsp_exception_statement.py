from odoo import api, fields, models


class EmspExceptionStatement(models.Model):
    """Bank statements that are missing between two others."""

    _inherit = "emsp.exception"

    kind = fields.Selection(
        selection_add=[("statement_gap", "Statement missing")], ondelete={"statement_gap": "cascade"}
    )

    @api.model
    def _usual_remedy(self, kind):
        if kind == "statement_gap":
            return self.env._("Download the statements between the two from the bank and import them.")
        return super()._usual_remedy(kind)
