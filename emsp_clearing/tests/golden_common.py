"""Worked examples of a settlement: the same figures read from the five places where they stand."""

import io
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from lxml import etree
from openpyxl import load_workbook
from pypdf import PdfReader

from odoo.tests import tagged

from .common import cdr_payload
from .einvoice_common import issue
from .test_einvoice import NS
from .test_vat import VatCommon

NOVEMBER = datetime(2026, 11, 12, 8, 0)
NEXT_LOCK = datetime(2026, 12, 9, 23, 0)
SUMMARY = {"Net as invoiced": "net", "Tax as invoiced": "tax", "Gross as invoiced": "total"}
KINDS = {"out_invoice": "380", "out_refund": "381"}


@dataclass(frozen=True)
class Golden:
    """One document as worked out by hand; amounts as they are written, with two decimals.

    `lines` are the net amounts in order; `taxes` (rate in percent, base, tax). `rows` of the annex are
    (CDR, net, tax), signed like the CDRs. `kind` is the code of the document's type (UNTDID 1001),
    `period` the first and last day billed, `corrects` the preceding invoices.
    """

    lines: str
    taxes: tuple[tuple[str, str, str], ...]
    net: str
    tax: str
    total: str
    rows: tuple[tuple[str, str, str], ...]
    kind: str = "380"
    currency: str = "EUR"
    period: str = "2026-10-01 2026-10-31"
    corrects: str = ""
    category: str = "S"


@dataclass(frozen=True)
class Issued:
    """A document as it left: the text of its PDF, its e-invoices in both syntaxes and its annex."""

    text: str
    cii: etree._Element
    ubl: etree._Element
    annex: object


@tagged("post_install", "-at_install")
class GoldenCommon(VatCommon):
    """A French CPO that sells at 20 % to a French eMSP which uses the electricity itself; rules decide.

    A session is 1.00 + 0.39 per kWh + 0.05 per minute. Each document leaves as a PDF with a Factur-X inside
    and as a UBL BIS 3 beside it.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.write({"street": "18 quai Perrache", "zip": "69002", "city": "Lyon"})
        cls._move_partner_to("fr", "FR40303265045")
        cls.partner.write(
            {"street": "1 place Kléber", "zip": "67000", "city": "Strasbourg", "emsp_dealer": "no"}
        )
        cls.contract.einvoice_format = "ubl_bis3"

    def _move_to_germany(self):
        """The partner buys in Berlin, and resells."""
        self._move_partner_to("de", "DE136695976")
        self.partner.write(
            {"street": "Warschauer Platz 11", "zip": "10245", "city": "Berlin", "emsp_dealer": "yes"}
        )

    def _create_francs_contract(self):
        """At 0.80 francs for a euro."""
        francs = self.env.ref("base.CHF")
        francs.active = True
        self.env["res.currency.rate"].create(
            {"currency_id": francs.id, "company_id": self.company.id, "name": date(2026, 1, 1), "rate": 0.8}
        )
        grid = self._create_grid("AC-CHF", currency_id=francs.id)
        return self._add_contract(name="In francs", grid=grid, currency_id=francs.id)

    def _tax(self, name):
        """A tax of the French chart, which comes archived where it is rare."""
        tax = self.env["account.chart.template"].with_company(self.company).ref(name)
        tax.active = True
        return tax

    def _add_contract(self, **vals):
        """A second contract of the partner, with a party of its own."""
        terms = {
            "einvoice_format": "ubl_bis3",
            "vat_decided_by": "rules",
            "vat_override_reason": False,
            "fiscal_position_id": False,
        }
        return self._create_contract(self.partner, "DE", "ODM", **{**terms, **vals})

    def _token_of_other(self):
        return {**cdr_payload()["cdr_token"], "party_id": "ODM", "uid": "OTHER"}

    def _november(self, *payloads):
        """:return: November's settlement with these CDRs, run through to its end."""
        self._receive(*payloads, received_at=NOVEMBER + timedelta(days=1))
        self._run_due(NEXT_LOCK)
        return self._settlement(11)

    def _annex_settlements(self, annex):
        """:return: dict settlement -> (sessions, net) of the summary."""
        rows = list(annex["Summary"].iter_rows(values_only=True))
        [head] = [number for number, row in enumerate(rows) if row[0] == "Settlement" and row[1] == "Period"]
        found = {}
        for name, __, sessions, net, *__ in rows[head + 1 :]:
            if not name:
                break
            found[name] = sessions, net
        return found

    def _assert_golden(self, move, golden):
        """Issue the document and compare all five with what was worked out. :return: Issued."""
        issued = self._issue(move)
        readings = {
            "account.move": self._read_move(move),
            "PDF": self._read_pdf(move, issued.text),
            "annex": self._read_annex(issued.annex),
            "UBL": self._read_ubl(issued.ubl),
            "Factur-X": self._read_cii(issued.cii),
        }
        for place, reading in readings.items():
            self.assertEqual(reading, {name: getattr(golden, name) for name in reading}, place)
        self.assertEqual(sum(map(Decimal, golden.lines.split())), Decimal(golden.net))
        return issued

    def _issue(self, move):
        pdf = issue(move)
        reader = PdfReader(io.BytesIO(pdf))
        [cii] = reader.attachments["factur-x.xml"]
        return Issued(
            text=" ".join(" ".join(page.extract_text() for page in reader.pages).split()),
            cii=etree.fromstring(cii),
            ubl=etree.fromstring(move.ubl_cii_xml_id.raw, etree.XMLParser(huge_tree=True)),
            annex=load_workbook(io.BytesIO(move.emsp_annex_id.raw)),
        )

    def _read_move(self, move):
        products = move.invoice_line_ids.filtered("product_id")
        return {
            "kind": KINDS[move.move_type],
            "currency": move.currency_id.name,
            "lines": " ".join(_cents(line.price_subtotal) for line in products),
            "taxes": _taxes(
                (row["tax"].amount, row["base"], row["amount"]) for row in move._get_document_taxes()
            ),
            "net": _cents(move.amount_untaxed),
            "tax": _cents(move.amount_tax),
            "total": _cents(move.amount_total),
        }

    def _read_annex(self, annex):
        """The summary's figures; the sums of the rows are those of its own control column."""
        sheet = annex["Sessions"]
        heads = {cell.value.split(" (")[0]: position for position, cell in enumerate(sheet[1])}
        names = [heads[name] for name in ("CDR", "Net", "Tax", "Gross")]
        *rows, total = (
            [row[position] for position in names] for row in sheet.iter_rows(min_row=2, values_only=True)
        )
        summary = {row[0]: row[1] for row in annex["Summary"].iter_rows(values_only=True) if row[0]}
        # Sums over the rows: of the last line, and our own.
        for position, name in ((1, "net"), (2, "tax"), (3, "total")):
            found = sum(Decimal(str(row[position])) for row in rows)
            self.assertEqual(found, Decimal(str(total[position])), name)
        self.assertEqual(summary["Sessions"], len(rows))
        sign = -1 if found < 0 else 1
        digits = len(sheet.cell(2, heads["Net"] + 1).number_format.partition(".")[2])
        return {
            "rows": tuple((cdr, f"{net:.{digits}f}", f"{tax:.{digits}f}") for cdr, net, tax, __ in rows),
            "period": f"{summary['First day']:%Y-%m-%d} {summary['Last day']:%Y-%m-%d}",
            "currency": summary["Currency"],
            **{
                name: _cents(sign * summary[f"{label} ({summary['Currency']})"])
                for label, name in SUMMARY.items()
            },
        }

    def _read_pdf(self, move, text):
        """By what stands beside the figures; without blanks, which a reader sees within words, too."""
        text = "".join(text.replace("\u2060", "").split())
        currency = move.currency_id
        amount, symbol = r"(-?[\d,]+\.\d\d)", re.escape(currency.symbol)
        amount = f"{amount}{symbol}" if currency.position == "after" else f"{symbol}{amount}"
        table = text.partition("Description")[2].partition("Totalwithouttax")[0]
        [net] = re.findall(f"Totalwithouttax{amount}", text)
        figures, total = re.findall(f"(?:Totaltopay|Totalcredited){amount}", text)
        self.assertEqual(figures, total)
        [(month, day, last_month, last_day, year)] = re.findall(
            r"Settlementperiod([A-Z][a-z]{2})(\d+)–([A-Z][a-z]{2})?(\d+),(\d{4})", text
        )
        days = (f"{month} {day} {year}", f"{last_month or month} {last_day} {year}")
        return {
            "kind": "381" if "Creditnotenumber" in text else "380",
            "lines": " ".join(re.findall(amount, table)),
            "taxes": _taxes(
                (rate or 0, *amounts)
                for rate, *amounts in re.findall(rf"(?:([\d.]+)%|reversecharge)on{amount}{amount}", text)
            ),
            "net": net,
            "total": total,
            "period": " ".join(f"{datetime.strptime(text, '%b %d %Y'):%Y-%m-%d}" for text in days),
            "corrects": " ".join(re.findall(r"Correctsinvoice(\w+/\d+/\d+),", text)),
        }

    def _read_ubl(self, root):
        node = _Node(root)
        currency = node("cbc:DocumentCurrencyCode")
        total = f"cac:TaxTotal[cbc:TaxAmount/@currencyID='{currency}']"
        subtotals = (
            [
                node(path, subtotal)
                for path in ("cac:TaxCategory/cbc:Percent", "cbc:TaxableAmount", "cbc:TaxAmount")
            ]
            for subtotal in node.all(f"{total}/cac:TaxSubtotal")
        )
        return {
            "kind": node("*[self::cbc:InvoiceTypeCode or self::cbc:CreditNoteTypeCode]"),
            "currency": currency,
            "lines": node("*[self::cac:InvoiceLine or self::cac:CreditNoteLine]/cbc:LineExtensionAmount"),
            "taxes": _taxes(subtotals),
            "net": node("cac:LegalMonetaryTotal/cbc:TaxExclusiveAmount"),
            "tax": node(f"{total}/cbc:TaxAmount"),
            "total": node("cac:LegalMonetaryTotal/cbc:TaxInclusiveAmount"),
            "period": node("cac:InvoicePeriod/*"),
            "corrects": node("cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID"),
            "category": node(f"{total}/cac:TaxSubtotal[1]/cac:TaxCategory/cbc:ID"),
        }

    def _read_cii(self, root):
        node = _Node(root)
        settlement = "//ram:ApplicableHeaderTradeSettlement"
        currency = node(f"{settlement}/ram:InvoiceCurrencyCode")
        total = f"{settlement}/ram:SpecifiedTradeSettlementHeaderMonetarySummation"
        subtotals = (
            [
                node(path, subtotal)
                for path in ("ram:RateApplicablePercent", "ram:BasisAmount", "ram:CalculatedAmount")
            ]
            for subtotal in node.all(f"{settlement}/ram:ApplicableTradeTax")
        )
        days = node(f"{settlement}/ram:BillingSpecifiedPeriod//udt:DateTimeString").split()
        return {
            "kind": node("rsm:ExchangedDocument/ram:TypeCode"),
            "currency": currency,
            "lines": node("//ram:SpecifiedTradeSettlementLineMonetarySummation/ram:LineTotalAmount"),
            "taxes": _taxes(subtotals),
            "net": node(f"{total}/ram:TaxBasisTotalAmount"),
            "tax": node(f"{total}/ram:TaxTotalAmount[@currencyID='{currency}']"),
            "total": node(f"{total}/ram:GrandTotalAmount"),
            "period": " ".join(f"{date.fromisoformat(day)}" for day in days),
            "corrects": node(f"{settlement}/ram:InvoiceReferencedDocument/ram:IssuerAssignedID"),
            "category": node(f"{settlement}/ram:ApplicableTradeTax[1]/ram:CategoryCode"),
        }


class _Node:
    """An e-invoice as the texts at its paths."""

    def __init__(self, root):
        self.root = root

    def all(self, path):
        return self.root.xpath(path, namespaces=NS)

    def __call__(self, path, below=None):
        """:return: the texts found, joined by a blank."""
        found = (self.root if below is None else below).xpath(path, namespaces=NS)
        return " ".join(node if isinstance(node, str) else node.text for node in found)


def _cents(amount):
    return f"{amount:.2f}"


def _taxes(rows):
    """(rate, base, tax), the highest rate first."""
    found = (tuple(Decimal(str(value)) for value in row) for row in rows)
    return tuple(
        (f"{rate.normalize():f}", _cents(base), _cents(tax))
        for rate, base, tax in sorted(found, reverse=True)
    )
