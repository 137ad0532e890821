import base64
import io

import babel.dates
import qrcode
from qrcode.image.svg import SvgPathImage

from odoo import models
from odoo.tools import babel_locale_parse, get_lang, html2plaintext
from odoo.tools.image import image_data_uri

from ..core.money import ZERO, allocate, from_float, to_float
from ..report.emsp_brand import brand, heading, text_on

FONTS = "/web/static/fonts"
PLACES_SHOWN = 8


class AccountMoveDocument(models.Model):
    """What the printed clearing invoice shows besides the fields of the invoice itself."""

    _inherit = "account.move"

    def _get_clearing_document(self):
        """:return: dict for the template, in the language of the context."""
        self.ensure_one()
        company = self.company_id
        color = brand(company.primary_color)
        return {
            "color": color,
            "accent": brand(company.secondary_color or company.primary_color),
            "ink": heading(color),
            "on_color": text_on(color),
            "fonts": self._get_document_fonts(),
            "logo": self._get_document_logo(),
            "title": self._get_document_title(),
            "period": self._get_period_text(),
            "recipient": self._get_address_lines(self._get_document_recipient()),
            "sender": self._get_address_lines(company.partner_id),
            "legal_lines": self._get_legal_lines(),
            "taxes": self._get_document_taxes(),
            "mentions": self._get_tax_mentions(),
            "payment_qr": self._get_payment_qr(),
            "settlement": self._get_settlement_sudo(),
            "places": self._get_place_rows(),
            "late": self._get_late_sessions(),
        }

    def _get_document_title(self):
        if self.move_type == "out_refund":
            return self.env._("Credit note")
        return self.env._("Invoice") if self.state == "posted" else self.env._("Draft invoice")

    def _get_period_text(self):
        """:return: "Oct 1 – 31, 2026", in the language of the context."""
        settlement_sudo = self._get_settlement_sudo()
        if not settlement_sudo:
            return ""
        locale = get_lang(self.env).code
        return babel.dates.format_interval(
            settlement_sudo.date_first, settlement_sudo.date_last, "yMMMd", locale=babel_locale_parse(locale)
        )

    def _get_document_fonts(self):
        """:return: [(weight, URL)] of the company's font, of those that Odoo ships."""
        font = self.company_id.font or "Lato"
        if font == "Lato":
            folder = f"{FONTS}/lato"
            return [(400, f"{folder}/Lato-Reg-webfont.ttf"), (700, f"{folder}/Lato-Bol-webfont.ttf")]
        folder = f"{FONTS}/google/{font}"
        return [(400, f"{folder}/{font}-Regular.ttf"), (700, f"{folder}/{font}-Bold.ttf")]

    def _get_document_logo(self):
        """:return: data URI, or False: a placeholder logo is worse than the company's name."""
        company = self.company_id
        return bool(company.logo and not company.uses_default_logo) and image_data_uri(company.logo)

    def _get_document_recipient(self):
        """The invoicing contact where it has an address, else the company it belongs to."""
        return self.partner_id if self.partner_id.city else self.commercial_partner_id

    def _get_address_lines(self, partner):
        address = partner._display_address(without_company=True)
        return [line.strip() for line in address.splitlines() if line.strip()]

    def _get_legal_lines(self):
        """Footer text of the company's document layout, else its details, as plain lines."""
        company = self.company_id
        text = html2plaintext(company.report_footer or company.company_details or "")
        return [line.strip() for line in text.splitlines() if line.strip()]

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

    def _get_payment_qr(self):
        """:return: data URI of the EPC QR code (EPC069-12), or False where none can be made.

        As a vector and with the error correction "M" that the guideline asks for.
        """
        bank = self.partner_bank_id
        if self.move_type != "out_invoice" or not bank or self.amount_residual <= 0:
            return False
        if bank._get_error_messages_for_qr("sct_qr", self.partner_id, self.currency_id):
            return False
        reference = self.payment_reference or self.name
        values = bank._get_qr_vals(
            "sct_qr", self.amount_residual, self.currency_id, self.partner_id, reference, reference
        )
        code = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M, border=0, image_factory=SvgPathImage)
        code.add_data("\n".join(values))
        output = io.BytesIO()
        code.make_image().save(output)
        return "data:image/svg+xml;base64," + base64.b64encode(output.getvalue()).decode()

    def _get_place_rows(self):
        """Sessions by place, the largest first and the rest as one row; sums to the net amount.

        :return: [{"name", "sessions", "energy_kwh", "amount"}]
        """
        groups = self._get_sessions_sudo()._read_group(
            self._get_session_domain(),
            ["location_name", "location_city"],
            ["__count", "energy_kwh:sum", "amount_untaxed:sum"],
        )
        digits = self.currency_id.decimal_places
        sign = -1 if self.move_type == "out_refund" else 1
        shares = allocate(
            from_float(self.amount_untaxed * sign, digits) if groups else ZERO,
            [from_float(amount or 0.0, 4) for *__, amount in groups],
            digits,
        )
        rows = [
            {
                "name": ", ".join(filter(None, (name, city))) or "-",
                "sessions": sessions,
                "energy_kwh": energy,
                "amount": to_float(share * sign),
            }
            for (name, city, sessions, energy, __), share in zip(groups, shares, strict=True)
        ]
        rows.sort(key=lambda row: (-row["amount"], row["name"]))
        return self._fold_places(rows)

    def _fold_places(self, rows):
        if len(rows) <= PLACES_SHOWN:
            return rows
        kept, rest = rows[: PLACES_SHOWN - 1], rows[PLACES_SHOWN - 1 :]
        other = {key: sum(row[key] for row in rest) for key in ("sessions", "energy_kwh", "amount")}
        return [*kept, {"name": self.env._("%(count)s other places", count=len(rest)), **other}]

    def _get_late_sessions(self):
        """:return: number of sessions that ended before the period and came too late for theirs."""
        return self._get_sessions_sudo().search_count([*self._get_session_domain(), ("is_late", "=", True)])

    def _get_sessions_sudo(self):
        # sudo: see _get_settlement_sudo
        return self.env["emsp.cdr"].sudo()

    def _get_session_domain(self):
        return [("move_id", "=", self.id)]
