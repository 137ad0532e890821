import base64
import re

import babel.dates
import qrcode
from babel.numbers import format_decimal

from odoo import models
from odoo.tools import babel_locale_parse, format_date, formatLang, get_lang, html2plaintext, is_html_empty

from ..core.money import ZERO, from_float


class AccountMoveDocument(models.Model):
    """What the printed clearing invoice says, as plain texts: for the themes and for own templates."""

    _inherit = "account.move"

    def _get_clearing_document(self):
        """:return: dict of texts, lists and dicts of texts, in the partner's language. No records: an
        own template sees it as it is, see emsp.invoice.layout._get_sample_document for its shape.
        """
        self.ensure_one()
        lang = self.partner_id.lang or self.company_id.partner_id.lang or "en_US"
        move = self.with_context(lang=lang)
        layout_sudo = move._get_invoice_layout_sudo()
        return {
            "lang": lang,
            "style": layout_sudo._get_style(),
            **move._get_document_head(),
            "issuer": layout_sudo._get_issuer(),
            "customer": move._get_document_customer(),
            **move._get_document_amounts(),
            "lines": move._get_document_lines(),
            "taxes": move._get_document_tax_rows(),
            "mentions": [*move._get_accounting_tax_mentions(), *move._get_tax_mentions()],
            "bank": move._get_document_bank(),
            "payment": move._get_document_payment(),
            "payment_qr": move._get_payment_qr(),
            "sessions": move._get_document_sessions(),
            "places": move._get_place_rows(layout_sudo.places),
            "notes": "" if is_html_empty(move.narration) else move.narration,
        }

    def _get_invoice_layout_sudo(self):
        """The layout that the contract asks for, else the company's first."""
        # sudo: an accountant prints without rights on contracts, see _get_settlement_sudo.
        chosen_sudo = self._get_settlement_sudo().contract_id.invoice_layout_id
        return chosen_sudo or self.env["emsp.invoice.layout"].sudo()._get_default(self.company_id)

    def _get_document_head(self):
        settlements_sudo = self._get_settlements_sudo()
        return {
            "kind": "credit_note" if self.move_type == "out_refund" else "invoice",
            "title": self._get_document_title(),
            "number": self.name or "",
            "date": self._long_date(self.invoice_date),
            "date_due": self._long_date(self._is_payable() and self.invoice_date_due),
            "payment_terms": (self._is_payable() and self.invoice_payment_term_id.name) or "",
            "corrects": self._get_corrected_text(),
            "reference": self.ref or "",
            "period": self._get_period_text(),
            "contract": ", ".join(settlements_sudo.contract_id.sorted("reference").mapped("reference")),
            "settlement": ", ".join(settlements_sudo.sorted("name").mapped("name")),
        }

    def _get_corrected_text(self):
        """The invoices that this document corrects, also by single lines, as the e-invoice names them."""
        return "; ".join(
            f"{invoice.number}, {format_date(self.env, invoice.issued, date_format='medium')}"
            for invoice in self._get_preceding_invoices()
        )

    def _is_payable(self):
        return self.move_type == "out_invoice"

    def _long_date(self, date):
        return format_date(self.env, date, date_format="long") if date else ""

    def _money(self, amount):
        return formatLang(self.env, float(amount), currency_obj=self.currency_id)

    def _get_document_title(self):
        if self.move_type == "out_refund":
            return self.env._("Credit note")
        return self.env._("Invoice") if self.state == "posted" else self.env._("Draft invoice")

    def _get_period_text(self):
        """:return: "Oct 1 – 31, 2026", in the language of the context."""
        settlements_sudo = self._get_settlements_sudo()
        if not settlements_sudo:
            return ""
        first, last = min(settlements_sudo.mapped("date_first")), max(settlements_sudo.mapped("date_last"))
        locale = get_lang(self.env).code
        return babel.dates.format_interval(first, last, "yMMMd", locale=babel_locale_parse(locale))

    def _get_document_recipient(self):
        """The invoicing contact where it has an address, else the company it belongs to."""
        return self.partner_id if self.partner_id.city else self.commercial_partner_id

    def _get_document_customer(self):
        company, recipient = self.commercial_partner_id, self._get_document_recipient()
        return {
            "name": company.name or "",
            "contact": (self.partner_id != company and self.partner_id.name) or "",
            "address": recipient._get_document_address(),
            **company._get_document_vat(),
        }

    def _get_document_amounts(self):
        return {
            "net": self._money(self.amount_untaxed),
            "tax": self._money(self.amount_tax),
            "total": self._money(self.amount_total),
            "currency": self.currency_id.name,
        }

    def _get_document_lines(self):
        """:return: one dict per line, with the sums that are carried where the table breaks."""
        rows = []
        digits = self.currency_id.decimal_places
        for line in self.invoice_line_ids:
            is_product = line.display_type == "product"
            row = dict.fromkeys(("detail", "quantity", "unit_price", "tax", "amount"), "")
            row |= {"kind": line.display_type, "text": self._keep_units(line.name or ""), "net": ZERO}
            if is_product:
                row["tax"] = ", ".join(tax.invoice_label or tax.name for tax in line.tax_ids)
                row["amount"] = self._money(line.price_subtotal)
                row["net"] = from_float(line.price_subtotal, digits)
            if is_product and line.emsp_unit:
                row["text"] = line.product_id.name
                row["quantity"] = line._get_billed_quantity_text()
                row["unit_price"] = line._get_billed_price_text()
                if line.emsp_unit != "session":
                    row["detail"] = self._session_count_text(line.emsp_session_count)
            rows.append(row)
        return self._carry_sums(rows)

    def _keep_units(self, text):
        """No line ends between a number and its unit."""
        return re.sub(r"(\d) (kWh|min)\b", "\\1\N{NO-BREAK SPACE}\\2", text)

    def _session_count_text(self, number):
        return self.env._("Sessions: %(count)s", count=self._count(number))

    def _count(self, number):
        return formatLang(self.env, number, digits=0)

    def _carry_sums(self, rows):
        """What a page says above and below these rows when the table breaks before or after them.

        :param rows: [dict], whose amount "net", a Decimal, is taken out.
        """
        total = ZERO
        for position, row in enumerate(rows):
            row["brought"] = (
                self.env._("Brought forward: %(amount)s", amount=self._money(total)) if position else ""
            )
            total += row.pop("net")
            row["carried"] = self.env._("Carried forward: %(amount)s", amount=self._money(total))
        if rows:
            rows[-1]["carried"] = ""
        return rows

    def _get_document_tax_rows(self):
        return [
            self._get_tax_row(row["tax"].invoice_label or row["tax"].name, row["base"], row["amount"])
            for row in self._get_document_taxes()
        ]

    def _get_tax_row(self, name, base, amount):
        base = self._money(base)
        return {
            "label": self.env._("%(tax)s on %(base)s", tax=name, base=base),
            "name": name,
            "base": base,
            "amount": self._money(amount),
        }

    def _get_document_taxes(self):
        """:return: [{"tax", "base", "amount"}], one for each tax, as in the e-invoice."""
        base_lines, __ = self._get_rounded_base_and_tax_lines()
        engine = self.env["account.tax"]
        by_tax = engine._aggregate_base_lines_aggregated_values(
            engine._aggregate_base_lines_tax_details(
                base_lines, lambda base_line, tax_data: tax_data["tax"] if tax_data else None
            )
        )
        return [
            {"tax": tax, "base": values["base_amount_currency"], "amount": values["tax_amount_currency"]}
            for tax, values in by_tax.items()
            if tax
        ]

    def _get_tax_mentions(self):
        """Legal wording: the mentions of the case, then the note of the fiscal position."""
        note = html2plaintext(self.fiscal_position_id.note or "").strip()
        mentions = self._get_legal_mentions()
        return mentions + ([note] if note and note not in mentions else [])

    def _get_accounting_tax_mentions(self):
        """Of a document in another currency than the books': the VAT in theirs (Directive 2006/112/EC,
        article 230)."""
        currency, amount = self._get_accounting_tax() or ("", ZERO)
        if not amount:
            return []
        return [
            self.env._(
                "VAT in %(currency)s: %(amount)s, at the exchange rate of %(date)s "
                "(1 %(currency)s = %(rate)s %(other)s).",
                currency=currency,
                amount=formatLang(self.env, float(amount), currency_obj=self.company_currency_id),
                date=self._long_date(self._get_invoice_currency_rate_date()),
                rate=format_decimal(
                    self.invoice_currency_rate,
                    "#,##0.######",
                    locale=babel_locale_parse(get_lang(self.env).code),
                ),
                other=self.currency_id.name,
            )
        ]

    def _get_document_bank(self):
        """:return: the account to pay to; empty where nothing is asked for."""
        bank = self.partner_bank_id
        if not self._is_payable() or not bank:
            return {}
        return {
            "holder": bank.acc_holder_name or self.company_id.name,
            "iban": bank.acc_number,
            "bic": bank.bank_bic or "",
            "name": bank.bank_id.name or "",
        }

    def _get_document_payment(self):
        if not self._get_document_bank() or not self.amount_residual:
            return {}
        return {
            "amount": self._money(self.amount_residual),
            "date": self._long_date(self.invoice_date_due),
            "reference": self.payment_reference or self.name or "",
        }

    def _get_payment_qr(self):
        """:return: data URI of the EPC QR code (EPC069-12), or False where none can be made.

        As a vector and with the error correction "M" that the guideline asks for.
        """
        values = self._get_payment_qr_values()
        return bool(values) and self._draw_payment_qr(values)

    def _draw_payment_qr(self, values):
        code = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M, border=0)
        code.add_data("\n".join(values))
        rows = code.get_matrix()
        # A stroke for each run of dark modules: far fewer parts than a square for each module.
        strokes = [
            f"M{run.start()} {place}.5h{run.end() - run.start()}"
            for place, row in enumerate(rows)
            for run in re.finditer("1+", "".join("01"[dark] for dark in row))
        ]
        svg = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {len(rows)} {len(rows)}">'
            f'<path stroke="#000" d="{"".join(strokes)}"/></svg>'
        )
        return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()

    def _get_payment_qr_values(self):
        """:return: the lines of the code's text, or False."""
        bank = self.partner_bank_id
        if self.move_type != "out_invoice" or not bank or self.amount_residual <= 0:
            return False
        if bank._get_error_messages_for_qr("sct_qr", self.partner_id, self.currency_id):
            return False
        reference = self.payment_reference or self.name
        return bank._get_qr_vals(
            "sct_qr", self.amount_residual, self.currency_id, self.partner_id, reference, reference
        )
