from datetime import date
from decimal import Decimal

from odoo import models
from odoo.tools import format_date, formatLang, get_lang

from ..core.money import allocate, round_money
from .account_move_document_sessions import PLACES_SHOWN
from .emsp_settlement_lines import PRODUCTS

TAX_RATE = Decimal("0.20")
SESSIONS, LATE = 1284, 3
# Component, unit, quantity, price: what a month of a middle-sized contract looks like.
BILLED = (
    ("FLAT", "session", Decimal(1284), Decimal("0.5000")),
    ("ENERGY", "kwh", Decimal("18431.274"), Decimal("0.3912")),
    ("ENERGY", "kwh", Decimal("6204.910"), Decimal("0.4590")),
    ("TIME", "minute", Decimal(20915), Decimal("0.0200")),
    ("PARKING_TIME", "minute", Decimal(3120), Decimal("0.0500")),
)
CITIES = (
    "Lyon",
    "Grenoble",
    "Dijon",
    "Annecy",
    "Valence",
    "Mâcon",
    "Chambéry",
    "Vienne",
    "Roanne",
    "Bourg-en-Bresse",
)
SITES = ("Gare", "Hôtel de Ville", "Centre commercial", "Port", "Université", "Parc Sud", "Stade")


class EmspInvoiceLayoutSample(models.Model):
    """A document that bills nobody, to see and to print a layout with."""

    _inherit = "emsp.invoice.layout"

    def _get_sample_document(self):
        """:return: the shape of account.move._get_clearing_document, with the company's own details."""
        self.ensure_one()
        company = self.company_id
        lang = get_lang(self.env).code
        # Never saved; it lends its way of writing amounts and of carrying sums.
        move = self.env["account.move"].new(
            {"move_type": "out_invoice", "company_id": company.id, "currency_id": company.currency_id.id}
        )
        lines = self._get_sample_lines(move)
        net = sum((line["net"] for line in lines), Decimal(0))
        tax = round_money(net * TAX_RATE, 2)
        bank = company.partner_id.bank_ids[:1]
        return {
            "lang": lang,
            "style": self._get_style(),
            **self._get_sample_head(),
            "issuer": self._get_issuer(),
            "customer": self._get_sample_customer(),
            "net": move._money(net),
            "tax": move._money(tax),
            "total": move._money(net + tax),
            "currency": move.currency_id.name,
            "taxes": [move._get_tax_row(self.env._("VAT 20%"), net, tax)],
            "mentions": [],
            "bank": {
                "holder": company.name or "",
                "iban": bank.acc_number or "FR76 3000 6000 0112 3456 7890 189",
                "bic": bank.bank_bic or "AGRIFRPP",
                "name": bank.bank_id.name or "",
            },
            "payment": {
                "amount": move._money(net + tax),
                "date": self._get_sample_date(date(2026, 12, 10)),
                "reference": "RF18 INV 2026 00042",
            },
            "payment_qr": move._draw_payment_qr([self.env._("Sample: no payment")]),
            "sessions": move._get_session_texts(
                SESSIONS,
                sum(float(line[2]) for line in BILLED if line[1] == "kwh"),
                LATE,
                "INV_2026_00042_sessions.xlsx",
                "9f2c6b1d0e4a8375c1f0b7d2e96a3458d17c0fbe2a94658371b0d9e8c2f4a615",
            ),
            "places": self._get_sample_places(move, net),
            "lines": move._carry_sums(lines),
            "notes": "",
        }

    def _get_sample_head(self):
        return {
            "kind": "invoice",
            "title": self.env._("Invoice"),
            "number": "INV/2026/00042",
            "date": self._get_sample_date(date(2026, 11, 10)),
            "date_due": self._get_sample_date(date(2026, 12, 10)),
            "payment_terms": self.env._("30 days"),
            "corrects": "",
            "reference": "",
            "period": " – ".join(
                format_date(self.env, day, date_format="medium")
                for day in (date(2026, 10, 1), date(2026, 10, 31))
            ),
            "contract": "RC00042",
            "settlement": "CLR/000042",
        }

    def _get_sample_date(self, day):
        return format_date(self.env, day, date_format="long")

    def _get_sample_customer(self):
        label, number = self.env._("VAT number"), "DE136695976"
        return {
            "name": "Spree Mobility GmbH",
            "contact": "Kreditorenbuchhaltung",
            "address": ["Warschauer Platz 11", "10245 Berlin", "Germany"],
            "vat_label": label,
            "vat": number,
            "vat_text": self.env["res.partner"]._label_text(label, number),
        }

    def _get_sample_lines(self, move):
        line_model = self.env["account.move.line"]
        rows = []
        for component, unit, quantity, price in BILLED:
            line = line_model.new(
                {"emsp_unit": unit, "emsp_quantity": float(quantity), "emsp_unit_price": float(price)}
            )
            net = round_money(quantity * price, 2)
            rows.append(
                {
                    "kind": "product",
                    "text": self.env.ref(PRODUCTS[component]).name,
                    "detail": "" if unit == "session" else move._session_count_text(SESSIONS),
                    "quantity": line._get_billed_quantity_text(),
                    "unit_price": line._get_billed_price_text(),
                    "tax": formatLang(self.env, 20.0, digits=0) + "%",
                    "amount": move._money(net),
                    "net": net,
                }
            )
        return rows

    def _get_sample_places(self, move, net):
        if self.places == "none":
            return []
        names = [f"{site}, {city}" for city in CITIES for site in SITES]
        if self.places == "largest":
            names = [*names[: PLACES_SHOWN - 1], self.env._("%(count)s other places", count=63)]
        else:
            names.sort()
        weights = [Decimal(len(names) + 3 - index % 11) for index in range(len(names))]
        energy = sum((line[2] for line in BILLED if line[1] == "kwh"), Decimal(0))
        columns = (
            allocate(Decimal(SESSIONS), weights, 0),
            allocate(energy, weights, 3),
            allocate(net, weights, 2),
        )
        return move._carry_sums(
            [
                {
                    "name": name,
                    "sessions": move._count(int(sessions)),
                    "energy": move._energy(float(kwh)),
                    "amount": move._money(amount),
                    "net": amount,
                }
                for name, sessions, kwh, amount in zip(names, *columns, strict=True)
            ]
        )
