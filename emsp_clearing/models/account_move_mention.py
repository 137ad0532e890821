from odoo import fields, models
from odoo.tools import format_date
from odoo.tools.misc import formatLang

from ..core.mentions import fill
from ..core.vat import EU

# Recovery costs, penalties and discount: what an e-invoice of the French reform has once each.
FRENCH_CODES = ("PMT", "PMD", "AAB")


class AccountMoveMention(models.Model):
    """The legal mentions of a clearing document, as text; kept as they were when it was posted."""

    _inherit = "account.move"

    emsp_legal_notes = fields.Json(string="Legal mentions as posted", copy=False, readonly=True)

    def _post(self, soft=True):
        # EXTENDS account: a mention that is changed later does not change what was issued
        posted = super()._post(soft)
        for move in posted.filtered(lambda move: move._is_clearing_document()):
            language = move.partner_id.lang or self.env.lang
            move.emsp_legal_notes = move.with_context(lang=language)._prepare_legal_notes()
        return posted

    def button_draft(self):
        # EXTENDS account: it is posted with the words of then
        self.filtered("emsp_legal_notes").emsp_legal_notes = False
        return super().button_draft()

    def _get_legal_mentions(self):
        """:return: [text] of those that are printed: as posted, else in the context's language."""
        return [note["text"] for note in self._get_legal_notes() if note.get("is_printed", True)]

    def _get_legal_notes(self):
        """For the e-invoice (EN 16931, BG-1).

        :return: [{"kind", "code", "text"}]; code of UNTDID 4451 (BT-21), "" where there is none. With
            `is_printed` false where paper does without it.
        """
        self.ensure_one()
        if self.state == "posted" and self.emsp_legal_notes:
            return self.emsp_legal_notes
        return self._prepare_legal_notes() if self._is_clearing_document() else []

    def _prepare_legal_notes(self):
        case = self._get_mention_case()
        notes = self._choose_legal_notes(case)
        if self._is_french_credit_note():
            # The reform wants them in each e-invoice (BR-FR-05); a credit note on paper has no use for them.
            found = {note["code"] for note in notes}
            of_invoice = self._choose_legal_notes({**case, "document": "out_invoice"})
            notes += [
                {**note, "is_printed": False}
                for note in of_invoice
                if note["code"] in FRENCH_CODES and note["code"] not in found
            ]
        return notes

    def _is_french_credit_note(self):
        return self.move_type == "out_refund" and self._is_between_french()

    def _is_between_french(self):
        return self.company_id.country_code == self.commercial_partner_id.country_code == "FR"

    def _choose_legal_notes(self, case):
        # sudo: whoever prints an invoice prints its mentions, without rights on the table of them
        mentions = self.env["emsp.legal.mention"].sudo()._of(self.company_id).filtered("active")
        values = self._get_mention_values()
        notes = []
        for mention in mentions._apply_to(case):
            rate = formatLang(self.env, mention.interest_rate, digits=2) if mention.interest_rate else ""
            text = fill(mention.text, {**values, "interest_rate": rate})
            if text:
                notes.append({"kind": mention.kind, "code": mention.note_code or "", "text": text})
        return notes

    def _get_mention_case(self):
        """:return: the dict that `emsp.legal.mention` chooses by."""
        settlement_sudo = self._get_settlement_sudo()
        seller = self.company_id.account_fiscal_country_id or self.company_id.country_id
        buyer = self.commercial_partner_id.country_id
        term = (self.reversed_entry_id or self).invoice_payment_term_id
        return {
            "seller": seller.code or "",
            "buyer": buyer.code or "",
            "regime": settlement_sudo.vat_regime or self._guess_regime(seller.code, buyer.code),
            "document": self.move_type,
            "has_discount": term.early_discount,
            "date": self.invoice_date or fields.Date.context_today(self),
        }

    def _guess_regime(self, seller, buyer):
        """Of a document whose VAT no rule decided: by the category of its taxes."""
        categories = self._get_einvoice_categories()
        if "AE" in categories:
            return "domestic_reverse" if seller == buyer else "eu_reverse"
        if categories == {"O"} and buyer not in EU:
            return "outside"
        return "domestic" if categories == {"S"} else ""

    def _get_mention_values(self):
        """:return: dict placeholder -> text, in the language of the context."""
        settlement_sudo, settlements_sudo = self._get_settlement_sudo(), self._get_settlements_sudo()
        term = self.invoice_payment_term_id
        return {
            "buyer_vat": self.commercial_partner_id.vat or "",
            "seller_vat": self.company_id.vat or "",
            "date_from": format_date(self.env, min(settlements_sudo.mapped("date_first"), default=False)),
            "date_to": format_date(self.env, max(settlements_sudo.mapped("date_last"), default=False)),
            "legal_basis": settlement_sudo.vat_legal_basis or "",
            "discount_days": str(term.discount_days) if term.early_discount else "",
            "discount_rate": formatLang(self.env, term.discount_percentage, digits=2)
            if term.early_discount
            else "",
        }
