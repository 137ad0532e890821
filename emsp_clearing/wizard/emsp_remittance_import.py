import base64

from odoo import api, fields, models
from odoo.exceptions import UserError


class EmspRemittanceImport(models.TransientModel):
    """Load what a payer has sent about its payment."""

    _name = "emsp.remittance.import"
    _description = "Load a remittance advice"

    file = fields.Binary(
        required=True, attachment=False, help="A spreadsheet (.xlsx), CSV, or a CAMT.054 notification."
    )
    filename = fields.Char()
    partner_id = fields.Many2one("res.partner", string="Payer")
    statement_line_id = fields.Many2one(
        "account.bank.statement.line", string="Payment", domain="[('is_reconciled', '=', False)]"
    )
    currency_id = fields.Many2one(
        "res.currency", required=True, default=lambda self: self.env.company.currency_id
    )

    @api.model
    def default_get(self, fields_list):
        """The payer or the payment from whose screen the dialog was opened."""
        values = super().default_get(fields_list)
        model, record_id = self.env.context.get("active_model"), self.env.context.get("active_id")
        if not record_id:
            return values
        if model == "res.partner":
            values["partner_id"] = record_id
        elif model == "emsp.contract":
            contract = self.env[model].browse(record_id)
            values.update(partner_id=contract.partner_id.id, currency_id=contract.currency_id.id)
        elif model == "account.bank.statement.line":
            line = self.env[model].browse(record_id)
            values.update(
                statement_line_id=line.id,
                partner_id=line.partner_id.id,
                currency_id=(line.foreign_currency_id or line.currency_id).id,
            )
        return values

    def action_load(self):
        """Load the file, and match its payment if that is there already.

        :raise UserError: when the file cannot be read, or neither payer nor payment is given.
        """
        self.ensure_one()
        content = base64.b64decode(self.file)
        advices = self.env["emsp.remittance.advice"]
        if advices._is_notification(content):
            return self.env["account.statement.import"]._load_notification(content, self.filename or "")
        if not self.partner_id and not self.statement_line_id:
            raise UserError(self.env._("Choose the payer, or the payment that the list explains."))
        advice = advices._load_sheet(
            content,
            self.filename or self.env._("Remittance advice"),
            partner_id=self.partner_id.id,
            statement_line_id=self.statement_line_id.id,
            currency_id=self.currency_id.id,
        )
        advice.action_match()
        return advice._action_open()
