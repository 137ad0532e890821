from base64 import b64decode

from odoo import fields, models


class EmspPaymentStatusImport(models.TransientModel):
    """Reads a status report of the bank."""

    _name = "emsp.payment.status.import"
    _description = "Read a status report of the bank"

    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company)
    content = fields.Binary(string="Status report (pain.002)", required=True, attachment=False)
    filename = fields.Char()

    def action_read(self):
        """:return: the order that it answers to, else what is said of it in the journal."""
        self.ensure_one()
        orders = self.env["account.payment.order"]
        order, rejected = orders._read_status_report(b64decode(self.content), self.company_id)
        if not order:
            action = self.env["ir.actions.act_window"]._for_xml_id("emsp_clearing.emsp_exception_action")
            return {**action, "domain": [("kind", "=", "bank_answer")]}
        order.message_post(
            attachments=[(self.filename or "pain.002.xml", b64decode(self.content))],
            body=self.env._("Status report of the bank, payments newly rejected: %s", len(rejected)),
        )
        return order.get_formview_action()
