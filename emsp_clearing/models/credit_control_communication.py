from markupsafe import Markup

from odoo import api, fields, models


class CreditControlCommunication(models.Model):
    """A reminder as the partner gets it: one mail or letter, kept with all that it carried."""

    _inherit = "credit.control.communication"

    emsp_interest = fields.Monetary(string="Late interest", compute="_compute_emsp_amounts")
    emsp_indemnity = fields.Monetary(string="Recovery costs", compute="_compute_emsp_amounts")
    emsp_disputed = fields.Monetary(string="Disputed", compute="_compute_emsp_amounts")
    emsp_claim_move_ids = fields.Many2many(
        "account.move", string="Entries of interest", compute="_compute_emsp_amounts"
    )

    @api.depends("credit_control_line_ids.emsp_interest", "credit_control_line_ids.emsp_claim_move_id")
    def _compute_emsp_amounts(self):
        for communication in self:
            lines = communication.credit_control_line_ids
            communication.emsp_interest = sum(lines.mapped("emsp_interest"))
            communication.emsp_indemnity = sum(lines.mapped("emsp_indemnity"))
            communication.emsp_disputed = sum(lines.mapped("emsp_disputed"))
            communication.emsp_claim_move_ids = lines.emsp_claim_move_id

    @api.model
    def _generate_comm_from_credit_lines(self, lines):
        # EXTENDS account_credit_control: the last moment before it leaves, by whatever way
        return super()._generate_comm_from_credit_lines(lines._sendable(fields.Date.context_today(self)))

    def _open(self):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account_credit_control.credit_control_communication_action"
        )
        if len(self) == 1:
            return {**action, "res_id": self.id, "view_mode": "form", "views": [(False, "form")]}
        return {**action, "domain": [("id", "in", self.ids)]}

    def _get_invoices(self):
        return self.credit_control_line_ids.invoice_id

    def _get_reminder_partners(self):
        """:return: res.partner that get the mail: as the invoices themselves, else the invoicing contact."""
        invoices = self._get_invoices()
        return (invoices and invoices._sending_partners()) or self.get_emailing_contact()

    def _get_reminder_partner_ids(self):
        """For the mail template."""
        return ",".join(str(partner_id) for partner_id in self._get_reminder_partners().ids)

    def _get_reminder_lang(self):
        """For the mail template: the language in which the partner gets its invoices."""
        invoice = self._get_invoices()[:1]
        own = self.contact_address_id.lang or self.partner_id.lang or self.env.lang
        return (invoice and invoice._sending_lang()) or own

    def _get_reminder_files(self):
        """:return: ir.attachment: a copy of each invoice."""
        files = self.env["ir.attachment"]
        for invoice in self._get_invoices():
            if not invoice.invoice_pdf_report_id and invoice.emsp_settlement_id:
                invoice._emsp_make_documents()
            # sudo: files of a field have no rights of their own; whoever sends it may read the invoice
            files |= invoice.sudo().invoice_pdf_report_id
        return files

    def _note_sending(self, state):
        """A mail that the server refused waits for a person; one that left closes that."""
        journal = self.env["emsp.exception"]
        for communication in self:
            key = f"{self._name}:{communication.id}"
            if state == "sent":
                journal._close("sending_failed", key, fields.Datetime.now())
                continue
            communication._open_sending_failed()

    def _open_sending_failed(self, reason=""):
        env = self.env["emsp.exception"]._in_language_of(self.company_id).env
        name = env._("A payment reminder to %(partner)s was not delivered.", partner=self.partner_id.name)
        if reason:
            self.message_post(body=Markup("<p>%s</p>") % reason)
        self.env["emsp.exception"]._open(
            "sending_failed",
            f"{self._name}:{self.id}",
            name=name,
            suggestion=env._("Check the address of the invoicing contact, then send the reminder again."),
            company_id=self.company_id.id,
            partner_id=self.partner_id.id,
            currency_id=self.currency_id.id,
            amount=self.total_due,
        )
