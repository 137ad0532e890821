from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import formatLang

from ..core.chain import LIST_DIGITS
from ..core.money import from_float, round_money
from ..report.emsp_annex import MIMETYPE, annex_total, build_annex


class AccountMoveAnnex(models.Model):
    """The session annex of an invoice, and the proof that both agree."""

    _inherit = "account.move"

    emsp_annex_file = fields.Binary(string="Session Annex File", attachment=True, copy=False)
    emsp_annex_id = fields.Many2one(
        "ir.attachment",
        string="Session Annex",
        compute="_compute_emsp_annex_id",
    )

    def _compute_emsp_annex_id(self):
        self._compute_linked_attachment_id("emsp_annex_id", "emsp_annex_file")

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

    def _sum_of_sessions(self):
        """:return: the net amount of the sessions that the document bills, exact, signed as they are."""
        [(amount,)] = self._get_sessions_sudo()._read_group(
            self._get_session_domain(), aggregates=["amount_untaxed:sum"]
        )
        return from_float(amount or 0.0, LIST_DIGITS)

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
        rows = settlement_sudo._annex_rows(self)
        self._check_annex_total(annex_total(rows))
        try:
            content = build_annex(settlement_sudo._annex_header(self), rows, settlement_sudo.env)
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
