import csv
import io
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from openpyxl import load_workbook

from odoo.tests import BaseCase, tagged

from ..report import emsp_annex_names as names
from ..report.emsp_annex import AnnexFiles, AnnexHeader, AnnexRow, AnnexSettlement, CsvChoice, write_annex
from ..report.emsp_annex_columns import mask, session_columns

SETTLEMENT = AnnexSettlement(
    name="CLR/000001",
    contract="[RC00001] Roaming with Spree Mobility",
    date_first=date(2026, 10, 1),
    date_last=date(2026, 10, 31),
    time_zone="Europe/Paris",
    list_hash="9f" * 32,
    sessions=2,
)
HEADER = AnnexHeader(
    company="Rhône Volt Réseau SAS",
    company_vat="FR23334175221",
    partner="Spree Mobility GmbH",
    partner_vat="DE136695976",
    settlements=[SETTLEMENT],
    invoice_number="INV/2026/00012",
    invoice_date=date(2026, 11, 10),
    currency="EUR",
    precision=2,
    untaxed=Decimal("9.10"),
    tax=Decimal("1.82"),
    sessions=2,
    list_hash="9f" * 32,
)
# 1.00 for the session + 10 kWh x 0.39 + 30 min x 0.05 = 1.00 + 3.90 + 1.50 = 6.40
ROW = AnnexRow(
    ocpi_key="FR*RVR*CDR-1",
    cdr="CDR-1",
    session_id="S-1",
    start=datetime(2026, 10, 5, 8, 0, tzinfo=UTC),
    end=datetime(2026, 10, 5, 8, 30, tzinfo=UTC),
    time_zone="Europe/Paris",
    place="Parking Bellecour",
    address="Place Bellecour",
    city="Lyon",
    country="FRA",
    evse_id="FR*RVR*E1001*1",
    connector="1",
    power_type="AC_3_PHASE",
    token_uid="04A1B2C3D4E5F6",
    emaid="DE-SMO-C00012345-6",
    energy_kwh=Decimal("10.000"),
    duration_s=1800,
    parking_s=0,
    tariff="European partners",
    session_fee=Decimal("1.00"),
    energy=Decimal("3.90"),
    time=Decimal("1.50"),
    parking=Decimal("0.00"),
    other=Decimal("0.00"),
    net=Decimal("6.40"),
    tax_label="20%",
    tax=Decimal("1.28"),
    payload_sha256="ab" * 32,
    chain_index=1,
    chain_before="",
    chain_hash="1$" + "7c" * 32,
    settlement="CLR/000001",
)
# 1.00 + 4 kWh x 0.30 + 10 min x 0.05 = 1.00 + 1.20 + 0.50 = 2.70
SECOND = replace(
    ROW,
    ocpi_key="FR*RVR*CDR-2",
    cdr="CDR-2",
    energy_kwh=Decimal("4.000"),
    duration_s=600,
    energy=Decimal("1.20"),
    time=Decimal("0.50"),
    net=Decimal("2.70"),
    tax=Decimal("0.54"),
)


@tagged("post_install", "-at_install")
class TestAnnex(BaseCase):
    def setUp(self):
        super().setUp()
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def _open(self, *rows, header=HEADER, **options):
        files = AnnexFiles(self.folder, self.folder / "annex.xlsx")
        self.tally = write_annex(files, replace(header, sessions=len(rows)), rows, **options)
        return load_workbook(files.xlsx)

    def _line(self, sheet, number):
        """One line of the sheet as {head: cell}."""
        return dict(zip((cell.value for cell in sheet[1]), sheet[number], strict=True))

    def test_total_row_holds_the_sums_as_values(self):
        total = self._line(self._open(ROW, SECOND)["Sessions"], 4)
        self.assertEqual(total["CDR"].value, "Total")
        # 6.40 + 2.70 = 9.10; tax 1.28 + 0.54 = 1.82; 10 + 4 = 14 kWh; 30 + 10 = 40 min
        self.assertEqual(total["Net (EUR)"].value, 9.1)
        self.assertEqual(total["Tax (EUR)"].value, 1.82)
        self.assertEqual(total["Gross (EUR)"].value, 10.92)
        self.assertEqual(total["kWh"].value, 14)
        self.assertEqual(total["Duration"].value.total_seconds(), 2400)
        self.assertIsNone(total["EVSE ID"].value)

    def test_summary_recalculates_every_figure_from_the_rows(self):
        workbook = self._open(ROW, SECOND)
        lines = {line[0].value: line for line in workbook["Summary"].iter_rows() if line[0].value}
        net = next(cell.column_letter for cell in workbook["Sessions"][1] if cell.value == "Net (EUR)")
        __, figure, formula, difference, *__ = lines["Net as invoiced (EUR)"]
        self.assertEqual(figure.value, 9.1)
        self.assertEqual(formula.value, f"=ROUND(SUM('Sessions'!${net}$1:${net}$3),2)")
        self.assertEqual(difference.value, f"=ROUND(B{figure.row}-C{figure.row},6)")
        self.assertEqual(lines["Sessions"][1].value, 2)

    def test_local_times_follow_the_change_of_summer_time(self):
        # On 25 October 2026 at 01:00 UTC the clocks of Paris go from 03:00 back to 02:00.
        row = replace(
            ROW,
            start=datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
            end=datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
        )
        line = self._line(self._open(row)["Sessions"], 2)
        self.assertEqual(line["Start (local)"].value, datetime(2026, 10, 25, 2, 30))
        self.assertEqual(line["Offset at start"].value, "+02:00")
        self.assertEqual(line["End (local)"].value, datetime(2026, 10, 25, 2, 30))
        self.assertEqual(line["Offset at end"].value, "+01:00")
        self.assertEqual(line["Time zone"].value, "Europe/Paris")
        self.assertEqual(line["Start (UTC)"].value, datetime(2026, 10, 25, 0, 30))
        self.assertEqual(line["End (UTC)"].value, datetime(2026, 10, 25, 1, 30))

    def test_text_of_a_partner_never_becomes_a_formula(self):
        hostile = ("=HYPERLINK(1)", "+1+1", "-2", "@SUM(A1)", "#N/A", "=")
        rows = [replace(ROW, place=text, evse_id=text) for text in hostile]
        sheet = self._open(*rows)["Sessions"]
        for number, text in enumerate(hostile, 2):
            cell = self._line(sheet, number)["Place"]
            self.assertEqual((cell.value, cell.data_type), (text, "s"))
            self.assertTrue(cell.quotePrefix)
        plain = self._line(sheet, 2)["City"]
        self.assertFalse(plain.quotePrefix)

    def test_control_characters_are_left_out(self):
        row = replace(ROW, place="Gare\x00 de\x1b Lyon")
        self.assertEqual(self._line(self._open(row)["Sessions"], 2)["Place"].value, "Gare de Lyon")

    def test_token_and_emaid_are_masked(self):
        line = self._line(self._open(ROW)["Sessions"], 2)
        self.assertEqual(line["Token (masked)"].value, "**********E5F6")
        self.assertEqual(line["eMA ID (masked)"].value, "**************45-6")
        # Never more than half of a short one.
        self.assertEqual([mask(text) for text in ("", "A", "AB12", "ABCDE")], ["", "*", "**12", "***DE"])

    def test_cells_are_typed_and_the_head_stays_in_sight(self):
        sheet = self._open(replace(ROW, is_credit=True, late_from="2026-09"))["Sessions"]
        line = self._line(sheet, 2)
        self.assertEqual(line["Net (EUR)"].number_format, "#,##0.00")
        self.assertEqual(line["Start (local)"].number_format, "yyyy-mm-dd hh:mm:ss")
        self.assertEqual(line["Duration"].number_format, "[h]:mm:ss")
        self.assertEqual(line["Credit"].value, "credit")
        self.assertEqual(line["Late, from period"].value, "2026-09")
        self.assertEqual(sheet.freeze_panes, "B2")
        # Evidence after the hash of the CDR is for programs.
        self.assertEqual(sheet.print_area, "'Sessions'!$A$1:$AJ$3")
        # The filter takes the head and the sessions, and leaves the total row where it is.
        self.assertEqual(sheet.auto_filter.ref, f"A1:{sheet.dimensions.split(':')[1][:-1]}2")

    def test_four_decimals_are_shown_and_the_invoice_check_rounds_to_the_cent(self):
        header = replace(HEADER, precision=4, untaxed=Decimal("6.40"))
        row = replace(ROW, energy=Decimal("3.9012"), net=Decimal("6.4012"))
        workbook = self._open(row, header=header)
        cell = self._line(workbook["Sessions"], 2)["Net (EUR)"]
        self.assertEqual((cell.value, cell.number_format), (6.4012, "#,##0.0000"))
        lines = {line[0].value: line for line in workbook["Summary"].iter_rows() if line[0].value}
        self.assertEqual(lines["Net (EUR)"][1].value, 6.4012)
        self.assertEqual(lines["Net as invoiced (EUR)"][1].value, 6.4)

    def test_evidence_stands_last_and_a_row_has_a_hash_of_its_own(self):
        sheet = self._open(ROW)["Sessions"]
        line = self._line(sheet, 2)
        # the line of the list: key, hash of the payload and amount with four decimals
        listed = "FR*RVR*CDR-1\t" + "ab" * 32 + "\t6.4000\n"
        self.assertEqual(
            {head: cell.value for head, cell in list(line.items())[-6:]},
            {
                "SHA-256 of the CDR as received": "ab" * 32,
                "OCPI key": "FR*RVR*CDR-1",
                "SHA-256 of the row": sha256(listed.encode()).hexdigest(),
                "Place in the chain": 1,
                "Chain before the CDR": None,
                "Chain after the CDR": "1$" + "7c" * 32,
            },
        )

    def test_names_lead_programs_to_the_cells_in_any_language(self):
        workbook = self._open(ROW, SECOND)
        cells = {name: defined.attr_text for name, defined in workbook.defined_names.items()}
        self.assertEqual(cells.keys(), {*names.FACTS, *names.COLUMNS, names.OF_SETTLEMENT})
        self.assertEqual(cells["EMSP_LIST_HASH"], "'Summary'!$B$13")
        for name, expected in (
            ("EMSP_SETTLEMENT", "CLR/000001"),
            ("EMSP_INVOICE", "INV/2026/00012"),
            ("EMSP_LIST_HASH", "9f" * 32),
            ("EMSP_CHAIN_HEAD", "1$" + "7c" * 32),
            ("EMSP_COUNT", 2),
        ):
            sheet, __, place = cells[name].partition("!")
            self.assertEqual(workbook[sheet.strip("'")][place.replace("$", "")].value, expected)
        heads = {}
        for name in names.COLUMNS:
            column = workbook["Sessions"][cells[name].partition("!")[2].replace("$", "")]
            self.assertEqual([cell.row for (cell,) in column], [2, 3])
            heads[name] = workbook["Sessions"].cell(1, column[0][0].column).value
        self.assertEqual((heads["EMSP_AMOUNT"], heads["EMSP_KEY"]), ("Net (EUR)", "OCPI key"))

    def test_parts_that_miss_the_net_amount_are_refused(self):
        with self.assertRaisesRegex(ValueError, "CDR-1: expected parts that sum to 6.41"):
            self._open(replace(ROW, net=Decimal("6.41")))

    def test_an_empty_list_gives_a_readable_annex(self):
        header = replace(HEADER, untaxed=Decimal("0.00"), tax=Decimal("0.00"))
        sheet = self._open(header=header)["Sessions"]
        self.assertEqual(self._line(sheet, 2)["Net (EUR)"].value, 0)
