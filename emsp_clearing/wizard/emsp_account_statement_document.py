from odoo import api, models
from odoo.fields import Domain
from odoo.tools import format_date, formatLang

from ..core.money import ZERO, to_float
from ..report.emsp_account_statement import StatementHeader, StatementPart, build_statement_workbook
from ..report.emsp_pdf import render_pdf

# Characters of a payment's text that every bank carries (EPC069-12, unstructured remittance information).
PAYMENT_TEXT = 140


class EmspAccountStatementDocument(models.TransientModel):
    """The statement as a PDF, a spreadsheet and a page, in the partner's language."""

    _inherit = "emsp.account.statement"

    def action_pdf(self):
        return self._download("pdf")

    def action_xlsx(self):
        return self._download("xlsx")

    def _download(self, kind):
        self.ensure_one()
        return {
            "type": "ir.actions.act_url",
            "url": f"/emsp/statement/{self.id}/{kind}",
            "target": "download",
        }

    def _file(self, kind):
        """:param kind: "pdf" or "xlsx". :return: (bytes, file name)."""
        content = self._render_pdf() if kind == "pdf" else self._render_xlsx()
        return content, f"{self._file_name()}.{kind}"

    def _file_name(self):
        name = self.partner_id.commercial_partner_id.name or ""
        return self._localized().env._(
            "Statement of account %(partner)s %(date)s", partner=name.replace("/", "-"), date=self.date_to
        )

    def _localized(self):
        """In the language of whoever reads the document."""
        partner = self.partner_id.commercial_partner_id
        return self.with_context(lang=partner.lang or self.company_id.partner_id.lang or self.env.lang)

    def _render_pdf(self):
        """:return: bytes of a PDF/A."""
        document = self._localized()._get_document()
        html = self.env["ir.qweb"]._render(
            "emsp_clearing.report_account_statement", {"doc": document, "lang": document["lang"]}
        )
        return render_pdf(str(html))

    def _render_xlsx(self):
        """:return: bytes of an .xlsx file."""
        statement = self._localized()
        header = StatementHeader(
            partner=statement.partner_id.commercial_partner_id.name or "",
            company=statement.company_id.name,
            date_from=statement.date_from,
            date_to=statement.date_to,
            color=statement.company_id.primary_color,
        )
        parts = [
            StatementPart(currency.name, currency.decimal_places, made)
            for currency, made in statement._make()
        ]
        return build_statement_workbook(header, parts, statement._kind_labels(), statement.env)

    def _kind_labels(self):
        return {
            "invoice": self.env._("Invoice"),
            "credit_note": self.env._("Credit note"),
            "payment": self.env._("Payment"),
            "refund": self.env._("Payment to you"),
            "write_off": self.env._("Written off"),
            "offset": self.env._("Settled elsewhere"),
            "entry": self.env._("Entry"),
        }

    def _get_document(self):
        """:return: dict of texts, in the language of the context."""
        self.ensure_one()
        # sudo: layout and address are the company's to show; see `_lines_sudo`
        layout_sudo = self.env["emsp.invoice.layout"].sudo()._get_default(self.company_id)
        partner_sudo = self.sudo().partner_id.commercial_partner_id
        return {
            "lang": self.env.lang or "en_US",
            "style": layout_sudo._get_style(),
            "issuer": layout_sudo._get_issuer(),
            "title": self.env._("Statement of account"),
            # For the running head, which stands after the title.
            "number": "",
            "bank": {},
            "customer": {
                "name": partner_sudo.name or "",
                "address": partner_sudo._get_document_address(),
                **partner_sudo._get_document_vat(),
            },
            "date_from": self._day(self.date_from),
            "date_to": self._day(self.date_to),
            "parts": [self._document_part(currency, made) for currency, made in self._make()],
        }

    def _day(self, day):
        return format_date(self.env, day) if day else ""

    def _document_part(self, currency, made):
        """:param made: core Statement."""

        def money(amount):
            return formatLang(self.env, to_float(amount), currency_obj=currency)

        kinds = self._kind_labels()
        return {
            "currency": currency.name,
            "opening": money(made.opening),
            "closing": money(made.closing),
            "debits": money(made.debits),
            "credits": money(made.credits),
            "overdue": money(max(made.overdue, ZERO)),
            "is_overdue": made.overdue > 0,
            "in_favour": made.closing < 0,
            "rows": [
                {
                    "day": self._day(row.movement.day),
                    "kind": kinds[
                        "refund"
                        if row.movement.kind == "payment" and row.movement.amount > 0
                        else row.movement.kind
                    ],
                    "name": row.movement.name,
                    "text": row.movement.text,
                    "due": self._day(row.movement.due),
                    "debit": money(row.movement.amount) if row.movement.amount > 0 else "",
                    "credit": money(-row.movement.amount) if row.movement.amount < 0 else "",
                    "balance": money(row.balance),
                }
                for row in made.rows
            ],
            "items": [
                {
                    "name": item.name,
                    "day": self._day(item.day),
                    "due": self._day(item.due) if item.amount > 0 else "",
                    "days": max(0, (self.date_to - item.due).days) if item.amount > 0 else 0,
                    "original": money(item.original),
                    "amount": money(item.amount),
                }
                for item in made.items
            ],
            "ageing": list(zip(self._band_labels(), map(money, made.ageing), strict=True)),
            "payment": self._document_payment(currency, made, money),
        }

    def _band_labels(self):
        return [
            self.env._("Not due"),
            self.env._("1 to 30 days"),
            self.env._("31 to 60 days"),
            self.env._("61 to 90 days"),
            self.env._("More than 90 days"),
        ]

    def _document_payment(self, currency, made, money):
        """How to pay what is open; empty where nothing is, or where no account is known."""
        bank_sudo = self._bank_sudo(currency)
        if made.closing <= 0 or not bank_sudo:
            return {}
        reference = self._payment_reference(made)
        qr = False
        if not bank_sudo._get_error_messages_for_qr("sct_qr", self.partner_id, currency):
            values = bank_sudo._get_qr_vals(
                "sct_qr", to_float(made.closing), currency, self.partner_id, reference, reference
            )
            qr = self.env["account.move"]._draw_payment_qr(values)
        return {
            "amount": money(made.closing),
            "reference": reference,
            "holder": bank_sudo.acc_holder_name or self.company_id.name,
            "iban": bank_sudo.acc_number,
            "bic": bank_sudo.bank_bic or "",
            "qr": qr,
        }

    def _bank_sudo(self, currency):
        """The account that the partner's last invoice asks to pay to."""
        move = (
            self._lines_sudo()
            .search(
                self._domain()
                & Domain("move_id.partner_bank_id", "!=", False)
                & Domain("move_id.move_type", "=", "out_invoice")
                & Domain("currency_id", "=", currency.id),
                order="date desc, id desc",
                limit=1,
            )
            .move_id
        )
        # sudo: an account to pay to is printed on every invoice
        return move.partner_bank_id or self.company_id.sudo().partner_id.bank_ids[:1]

    @api.model
    def _payment_reference(self, made):
        """The numbers of the documents to pay, by which the payment is matched; as many as fit."""
        reference = ""
        for item in made.items:
            longer = f"{reference} {item.name}".strip()
            if item.amount > 0 and len(longer) <= PAYMENT_TEXT:
                reference = longer
        return reference
