from datetime import date

from odoo import fields, models
from odoo.tools import format_date, formatLang

from ..core.money import ZERO, D, from_float

NOTHING = (
    "number",
    "reference",
    "date",
    "date_due",
    "payment_terms",
    "corrects",
    "period",
    "contract",
    "settlement",
)


class CreditControlCommunicationDocument(models.Model):
    """What a reminder says, as plain texts, for the mail and the paper; it is a statement of account, too."""

    _inherit = "credit.control.communication"

    def _get_reminder_document(self):
        """:return: dict of texts, lists and dicts of texts, in the partner's language."""
        self.ensure_one()
        communication = self.with_context(lang=self._get_reminder_lang())
        lines = communication.credit_control_line_ids.sorted(lambda line: (line.date_due, line.id))
        shows_paid = any(line._get_paid() for line in lines)
        shows_disputed = any(line.emsp_disputed or line.emsp_credited for line in lines)
        return {
            **dict.fromkeys(NOTHING, ""),
            **communication._get_document_frame(),
            "text": communication.policy_level_id.custom_text or "",
            "text_after": communication.policy_level_id.custom_text_after_details or "",
            "items": [communication._get_item_row(line) for line in lines],
            "shows_paid": shows_paid,
            "shows_disputed": shows_disputed,
            # Columns of the mail's table before the last one.
            "width": 3 + shows_paid + shows_disputed,
            "interest": [row for line in lines for row in communication._get_interest_rows(line)],
            **communication._get_reminder_sums(lines),
            "others": communication._get_other_items(),
            "legal_basis": communication._get_legal_basis(),
        }

    def _get_legal_basis(self):
        """The policy's law; what the invoices print goes before it, and may be that of another country."""
        if any(self._get_invoices().mapped("emsp_interest_terms")):
            return self.env._("At the rate that is stated on the invoices.")
        return self.policy_id.emsp_legal_basis or ""

    def _get_document_frame(self):
        """What the head and foot of our documents show."""
        # sudo: who reminds needs no rights on layouts and contracts
        layout_sudo = self.env["emsp.invoice.layout"].sudo()._get_default(self.company_id)
        invoice = self._get_invoices()[:1]
        contact, company = self.contact_address_id, self.partner_id.commercial_partner_id
        recipient = contact if contact.city else company
        return {
            "lang": self.env.context["lang"],
            "style": {**layout_sudo._get_style(), "show_figures": False},
            "issuer": layout_sudo._get_issuer(),
            "kind": "reminder",
            "title": self.policy_level_id.name,
            "sessions": {},
            "customer": {
                "name": company.name or "",
                "contact": (contact != company and contact.name) or "",
                "address": recipient._get_document_address(),
                **company._get_document_vat(),
            },
            "day": self._long_day(self.report_date),
            "bank": invoice._get_document_bank() if invoice else {},
        }

    def _get_item_row(self, line):
        invoice = line.invoice_id
        late = (line.date - line.date_due).days
        return {
            "number": invoice.name or line.move_line_id.name or "",
            "reference": invoice.payment_reference or "",
            "date": self._day(line.date_entry),
            "due": self._day(line.date_due),
            "late": formatLang(self.env, late, digits=0) if late > 0 else "",
            "amount": self._amount(line.amount_due),
            "paid": self._minus(line._get_paid()),
            "disputed": self._minus(line.emsp_disputed + line.emsp_credited),
            "claimed": self._amount(line.balance_due),
        }

    def _get_interest_rows(self, line):
        number = line.invoice_id.name or line.move_line_id.name
        rows = [
            {"text": self._get_interest_text(number, row), "amount": self._amount(D(row["amount"]))}
            for row in line.emsp_interest_rows or []
        ]
        asked = sum((D(row["amount"]) for row in line.emsp_interest_rows or []), ZERO)
        booked = asked - from_float(line.emsp_interest, line.currency_id.decimal_places)
        if rows and booked:
            text = self.env._("%(invoice)s: interest asked for before", invoice=number)
            rows.append({"text": text, "amount": self._amount(-booked)})
        if line.emsp_indemnity:
            text = self.env._("%(invoice)s: fixed sum for recovery costs", invoice=number)
            rows.append({"text": text, "amount": self._amount(line.emsp_indemnity)})
        return rows

    def _get_interest_text(self, number, row):
        values = {
            "invoice": number,
            "first": self._day(date.fromisoformat(row["first"])),
            "last": self._day(date.fromisoformat(row["last"])),
            "days": row["days"],
            "percent": formatLang(self.env, float(row["percent"]), digits=2),
            "base": self._amount(D(row["base"])),
        }
        if row["assumed"]:
            known = self._day(date.fromisoformat(row["known"]))
            return self.env._(
                "%(invoice)s: %(first)s to %(last)s, %(days)s days at %(percent)s %% on %(base)s "
                "(reference rate of %(known)s)",
                known=known,
                **values,
            )
        return self.env._(
            "%(invoice)s: %(first)s to %(last)s, %(days)s days at %(percent)s %% on %(base)s", **values
        )

    def _get_reminder_sums(self, lines):
        digits = self.currency_id.decimal_places
        claimed = sum((from_float(line.balance_due, digits) for line in lines), ZERO)
        extra = sum((from_float(line.emsp_interest + line.emsp_indemnity, digits) for line in lines), ZERO)
        return {
            "claimed": self._amount(claimed),
            "extra": self._amount(extra) if extra else "",
            "total": self._amount(claimed + extra),
        }

    def _get_other_items(self):
        """The rest of the account: what else is open, credits included."""
        reminded = self.credit_control_line_ids.move_line_id
        # sudo: the account of one partner as the books show it, whoever sends the reminder
        items = (
            self.env["account.move.line"]
            .sudo()
            .search(
                [
                    ("company_id", "=", self.company_id.id),
                    ("partner_id", "child_of", self.partner_id.commercial_partner_id.id),
                    ("account_id.account_type", "=", "asset_receivable"),
                    ("parent_state", "=", "posted"),
                    ("reconciled", "=", False),
                    ("currency_id", "=", self.currency_id.id),
                    ("id", "not in", reminded.ids),
                ],
                order="date_maturity, id",
            )
        )
        return [
            {
                "number": item.move_id.name or item.name or "",
                "date": self._day(item.date),
                "due": self._day(item.date_maturity),
                "amount": self._amount(item.amount_residual_currency),
            }
            for item in items
        ]

    def _minus(self, amount):
        return self._amount(-amount) if amount else ""

    def _amount(self, amount):
        return formatLang(self.env, float(amount), currency_obj=self.currency_id)

    def _day(self, day):
        return format_date(self.env, day) if day else ""

    def _long_day(self, day):
        return format_date(self.env, day or fields.Date.context_today(self), date_format="long")
