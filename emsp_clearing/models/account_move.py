from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import formatLang

from ..core.money import from_float, round_money
from ..report.emsp_annex import MIMETYPE, annex_total, build_annex

CLEARING_REPORT = "emsp_clearing.action_report_clearing_invoice"
MAIL_TEMPLATE = "emsp_clearing.mail_template_clearing_invoice"


class AccountMove(models.Model):
    """The invoice of a settlement: its annex, the proof that both agree, and its way out."""

    _inherit = "account.move"

    emsp_settlement_id = fields.Many2one(
        "emsp.settlement",
        string="Settlement",
        readonly=True,
        copy=False,
        check_company=True,
        ondelete="restrict",
    )
    emsp_annex_file = fields.Binary(string="Session Annex File", attachment=True, copy=False)
    emsp_annex_id = fields.Many2one(
        "ir.attachment",
        string="Session Annex",
        compute="_compute_emsp_annex_id",
    )

    _emsp_settlement_unique = models.UniqueIndex(
        "(emsp_settlement_id) WHERE emsp_settlement_id IS NOT NULL",
        "A settlement has one invoice, and this one has another.",
    )

    def _compute_emsp_annex_id(self):
        self._compute_linked_attachment_id("emsp_annex_id", "emsp_annex_file")

    def action_view_emsp_settlement(self):
        self.ensure_one()
        return self.emsp_settlement_id.get_formview_action()

    def action_download_emsp_annex(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/{self.emsp_annex_id.id}?download=true",
            "target": "download",
        }

    def _get_fields_to_detach(self):
        # EXTENDS account: what is made again when the invoice goes back to draft
        return super()._get_fields_to_detach() + ["emsp_annex_file"]

    def _get_mail_template(self):
        # EXTENDS account
        if self and all(move._is_clearing_document() for move in self):
            return self.env.ref(MAIL_TEMPLATE)
        return super()._get_mail_template()

    def _post(self, soft=True):
        # EXTENDS account: no invoice leaves draft whose sessions say something else
        for move in self.filtered("emsp_settlement_id"):
            move._check_annex_total(move._sum_of_sessions())
        posted = super()._post(soft)
        posted.filtered("emsp_settlement_id")._emsp_attach_annex()
        return posted

    def _notify_by_email_get_base_mail_values(self, message, recipients_data, additional_values=None):
        # EXTENDS mail: the mail knows whose package it carries
        if settlement_id := self.env.context.get("emsp_settlement_package"):
            additional_values = {**(additional_values or {}), "emsp_settlement_id": settlement_id}
        return super()._notify_by_email_get_base_mail_values(
            message, recipients_data, additional_values=additional_values
        )

    def _is_clearing_document(self):
        """The invoice of a settlement, or the credit note that reverses one."""
        return bool(self._get_settlement_sudo())

    def _get_settlement_sudo(self):
        """:return: the settlement that the document bills or credits.

        sudo: an accountant posts, prints and sends the invoice without rights on the sessions behind
        it, and its total must hold over all of them.
        """
        return (self.emsp_settlement_id or self.reversed_entry_id.emsp_settlement_id).sudo()

    def _sum_of_sessions(self):
        """:return: the settlement's net amount from its CDRs, exact, signed as they are."""
        settlement_sudo = self._get_settlement_sudo()
        [(amount,)] = settlement_sudo.env["emsp.cdr"]._read_group(
            [("settlement_id", "=", settlement_sudo.id)], aggregates=["amount_untaxed:sum"]
        )
        return from_float(amount or 0.0, int(settlement_sudo.price_precision))

    def _check_annex_total(self, total):
        """:param Decimal total: net amount of the sessions, signed as they are.
        :raise UserError: when the untaxed amount is not that total, rounded to the currency.
        """
        self.ensure_one()
        digits = self.currency_id.decimal_places
        invoiced = from_float(self.amount_untaxed, digits)
        expected = round_money(total, digits) * (-1 if self.move_type == "out_refund" else 1)
        if invoiced != expected:
            raise UserError(
                self.env._(
                    "Invoice %(invoice)s cannot be posted: it amounts to %(invoiced)s before tax, "
                    "but the sessions of settlement %(settlement)s sum to %(expected)s. "
                    "Take back what was changed on its lines.",
                    invoice=self.display_name,
                    invoiced=formatLang(self.env, float(invoiced), currency_obj=self.currency_id),
                    settlement=self._get_settlement_sudo().name,
                    expected=formatLang(self.env, float(expected), currency_obj=self.currency_id),
                )
            )

    def _emsp_attach_annex(self):
        """Make the session annex of posted settlement invoices that have none yet.

        A draft is passed over: it has no number to print, and gets its annex when it is posted.
        :raise UserError: when the rows do not add up to the invoice.
        """
        # Computed from attachments, which come and go without its knowing.
        self.invalidate_recordset(["emsp_annex_id"])
        vals_list = []
        for move in self.filtered(lambda m: m.emsp_settlement_id and m.state == "posted"):
            if not move.emsp_annex_id:
                vals_list.append(move._prepare_annex_attachment_vals())
        # sudo: whoever may post the invoice makes its annex, as account does with the PDF.
        self.env["ir.attachment"].sudo().create(vals_list)
        self.invalidate_recordset(["emsp_annex_id", "emsp_annex_file"])

    def _prepare_annex_attachment_vals(self):
        self.ensure_one()
        settlement_sudo = self._get_settlement_sudo().with_context(lang=self.partner_id.lang)
        rows = settlement_sudo._annex_rows()
        self._check_annex_total(annex_total(rows))
        try:
            content = build_annex(settlement_sudo._annex_header(), rows, settlement_sudo.env)
        except ValueError as error:
            raise UserError(
                self.env._(
                    "The session annex of %(invoice)s cannot be made: %(reason)s.",
                    invoice=self.display_name,
                    reason=error,
                )
            ) from error
        return {
            "name": self._annex_filename(),
            "raw": content,
            "mimetype": MIMETYPE,
            "res_model": self._name,
            "res_id": self.id,
            "res_field": "emsp_annex_file",
        }

    def _annex_filename(self):
        return f"{(self.name or '').replace('/', '_')}_sessions.xlsx"

    def _emsp_send(self):
        """Hand the invoice, its annex and its Factur-X to the mail queue, for the invoicing contact.

        Can be repeated: a mail that still waits, or failed, is queued again and no second one made.
        :raise UserError: when a document cannot be made, or there is no address to send it to.
        """
        self.ensure_one()
        packages = self._find_packages()
        waiting = packages.filtered(lambda mail: mail.state in ("outgoing", "exception"))
        if waiting:
            waiting.filtered(lambda mail: mail.state == "exception").mark_outgoing()
            waiting._trigger_queue()
            return
        self.env["account.move.send"]._generate_and_send_invoices(self, sending_methods=["email"])
        if self._find_packages() == packages:
            raise UserError(
                self.env._(
                    "Invoice %(invoice)s was not sent: %(partner)s has no invoicing contact with an "
                    "e-mail address.",
                    invoice=self.name,
                    partner=self.commercial_partner_id.display_name,
                )
            )

    def _find_packages(self):
        # sudo: mails belong to the system; these carry the caller's own invoice.
        mails = self.env["mail.mail"].sudo()
        mails = mails.search([("emsp_settlement_id", "=", self.emsp_settlement_id.id)])
        return mails.filtered(lambda mail: mail._is_settlement_package())
