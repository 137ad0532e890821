import csv
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
from openpyxl import load_workbook
from pyarrow import parquet

from odoo.tests import BaseCase, tagged

from ..report import emsp_annex_details as details
from ..report import emsp_annex_names as names
from ..report.emsp_annex import (
    PLAIN_CSV,
    AnnexFiles,
    AnnexHeader,
    AnnexRow,
    AnnexSettlement,
    CsvChoice,
    write_annex,
)
from ..report.emsp_annex_cells import English
from ..report.emsp_annex_columns import Kind, mask, session_columns
from ..report.emsp_annex_manifest import manifest

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
        self.assertEqual(total["Duration (min)"].value, 40)
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
        self.assertEqual(line["Duration (min)"].number_format, "#,##0.0#")
        self.assertEqual(line["Credit CDR"].value, "credit")
        self.assertEqual(line["Late, from period"].value, "2026-09")
        self.assertEqual(sheet.freeze_panes, "B2")
        # Evidence after the hash of the CDR is for programs.
        self.assertEqual(sheet.print_area, "'Sessions'!$A$1:$AI$3")
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

    # -- more sessions than a sheet holds

    def _rows(self, count):
        """`count` sessions of 6.40, a connection's chain of them."""
        return [
            replace(ROW, cdr=f"CDR-{n}", ocpi_key=f"FR*RVR*CDR-{n}", chain_index=n, chain_hash=f"1${n:064x}")
            for n in range(1, count + 1)
        ]

    def test_sessions_go_on_over_several_sheets_with_a_total_on_each(self):
        header = replace(HEADER, untaxed=Decimal("32.00"), tax=Decimal("6.40"))
        workbook = self._open(*self._rows(5), header=header, limit=2)
        self.assertEqual(workbook.sheetnames, ["Summary", "Sessions 1", "Sessions 2", "Sessions 3"])
        counts, nets = [], []
        for title in workbook.sheetnames[1:]:
            sheet = workbook[title]
            total = self._line(sheet, sheet.max_row)
            counts.append(sheet.max_row - 2)
            nets.append(total["Net (EUR)"].value)
            self.assertEqual(total["CDR"].value, "Total")
            self.assertEqual(sheet.freeze_panes, "B2")
        # 2 x 6.40, 2 x 6.40 and 6.40 are the 32.00 of the invoice
        self.assertEqual((counts, nets), ([2, 2, 1], [12.8, 12.8, 6.4]))
        lines = {line[0].value: line for line in workbook["Summary"].iter_rows() if line[0].value}
        self.assertEqual(lines["Net as invoiced (EUR)"][1].value, 32)
        formula = lines["Net (EUR)"][2].value
        self.assertEqual(formula.count("SUM("), 3)
        self.assertIn("'Sessions 3'!", formula)
        self.assertEqual(lines["Sessions"][1].value, 5)
        self.assertEqual(self.tally.chain_head, f"1${5:064x}")

    def test_as_many_sessions_as_a_sheet_holds_stay_on_one(self):
        self.assertEqual(self._open(*self._rows(2), limit=2).sheetnames, ["Summary", "Sessions"])

    def test_formulas_have_their_results_for_readers_that_do_not_calculate(self):
        self._open(ROW, SECOND)
        summary = load_workbook(self.folder / "annex.xlsx", data_only=True)["Summary"]
        lines = {line[0].value: line for line in summary.iter_rows() if line[0].value}
        self.assertEqual([cell.value for cell in lines["Net (EUR)"][1:4]], [9.1, 9.1, 0])

    def test_each_settlement_is_listed_with_the_hash_of_its_own_list(self):
        november = replace(
            SETTLEMENT,
            name="CLR/000002",
            date_first=date(2026, 11, 1),
            date_last=date(2026, 11, 30),
            list_hash="8e" * 32,
            sessions=7,
        )
        header = replace(HEADER, settlements=[SETTLEMENT, november])
        workbook = self._open(ROW, replace(SECOND, settlement="CLR/000002"), header=header)
        lines = {line[0].value: line for line in workbook["Summary"].iter_rows() if line[0].value}
        self.assertEqual(
            [cell.value for cell in lines["CLR/000002"]],
            ["CLR/000002", "2026-11-01 – 2026-11-30", "1 / 7", 2.7, "8e" * 32],
        )
        self.assertEqual(lines["CLR/000001"][3].value, 6.4)
        # above, both are named in one cell
        self.assertEqual(workbook["Summary"]["B6"].value, "CLR/000001, CLR/000002")
        self.assertEqual(self._line(workbook["Sessions"], 3)["Settlement"].value, "CLR/000002")

    # -- the same for programs

    def _write_all(self, *rows, csv=PLAIN_CSV, header=HEADER, **options):
        files = AnnexFiles(self.folder, *(self.folder / f"annex.{end}" for end in ("xlsx", "csv", "parquet")))
        write_annex(files, replace(header, sessions=len(rows)), rows, csv=csv, **options)
        return files

    def test_csv_and_parquet_say_the_same_as_the_workbook_row_by_row(self):
        hostile = replace(SECOND, place="=1+1", net=Decimal("2.7001"), energy=Decimal("1.2001"))
        credit = replace(ROW, is_credit=True, late_from="2026-09", net=Decimal("-6.40"))
        credit = replace(credit, session_fee=Decimal("-1.00"), energy=Decimal("-3.90"), time=Decimal("-1.50"))
        files = self._write_all(ROW, hostile, credit, header=replace(HEADER, precision=4))
        columns = session_columns(replace(HEADER, precision=4), English)
        sheet = load_workbook(files.xlsx)["Sessions"]
        table = parquet.read_table(files.parquet)
        with files.csv.open(encoding="utf-8-sig", newline="") as file:
            lines = list(csv.DictReader(file))
        self.assertEqual(table.column_names, [column.key for column in columns])
        for number, (line, row) in enumerate(zip(lines, table.to_pylist(), strict=True)):
            for position, column in enumerate(columns, 1):
                cell = sheet.cell(number + 2, position).value
                stored, text = row[column.key], line[column.key]
                with self.subTest(column=column.key, number=number):
                    if column.kind is Kind.DECIMAL:
                        self.assertEqual(Decimal(text), stored)
                        self.assertEqual(float(stored), cell)
                    elif column.kind is Kind.SECONDS:
                        self.assertEqual((int(text), stored), (cell * 60, cell * 60))
                    elif column.kind is Kind.LOCAL:
                        self.assertEqual((datetime.fromisoformat(text), stored), (cell, cell))
                    elif column.kind is Kind.INSTANT:
                        self.assertEqual(text, f"{cell.isoformat()}Z")
                        self.assertEqual(stored, cell.replace(tzinfo=UTC))
                    elif column.kind is Kind.INTEGER:
                        self.assertEqual((int(text), stored), (cell, cell))
                    else:
                        self.assertEqual((text.removeprefix("'"), stored or ""), (cell or "", cell or ""))
        self.assertEqual(table.schema.field("net").type, pa.decimal128(18, 4))
        self.assertEqual(table.schema.field("start_utc").type, pa.timestamp("ms", tz="UTC"))

    def test_csv_guards_what_a_spreadsheet_would_calculate(self):
        hostile = ("=HYPERLINK(1)", "+1", "-2", "@SUM(A1)", "\tx")
        files = self._write_all(*(replace(ROW, place=text) for text in hostile))
        with files.csv.open(encoding="utf-8-sig", newline="") as file:
            places = [line["place"] for line in csv.DictReader(file)]
        self.assertEqual(places, [f"'{text}" for text in hostile])

    def test_csv_comes_with_the_delimiter_and_the_mark_that_were_chosen(self):
        text = self._write_all(ROW, csv=CsvChoice(";", with_mark=False)).csv.read_bytes()
        self.assertTrue(text.startswith(b"cdr;start_local;"))
        self.assertIn(b";6.40;", text)
        marked = self._write_all(ROW, csv=CsvChoice(",", with_mark=True)).csv.read_bytes()
        self.assertTrue(marked.startswith("\ufeffcdr,start_local,".encode()))

    def test_manifest_tells_rows_sum_and_hash_of_each_file(self):
        files = self._write_all(ROW, SECOND)
        named = [("a.xlsx", files.xlsx), ("a.csv", files.csv)]
        found = json.loads(manifest(HEADER, Decimal("9.10"), named))
        self.assertEqual((found["rows"], found["net"], found["invoice"]), (2, "9.10", "INV/2026/00012"))
        self.assertEqual(found["settlements"][0]["list_hash"], "9f" * 32)
        self.assertEqual(
            found["files"][1],
            {
                "name": "a.csv",
                "bytes": len(files.csv.read_bytes()),
                "sha256": sha256(files.csv.read_bytes()).hexdigest(),
            },
        )

    # -- what else is told of the sessions

    def test_further_sheets_are_there_when_they_are_empty(self):
        sheets = [details.findings([], English), details.disputes("EUR", [], English)]
        workbook = self._open(ROW, details=sheets)
        self.assertEqual(workbook.sheetnames[2:], ["Findings", "Disputes"])
        self.assertEqual(workbook["Findings"].max_row, 1)

    def test_price_segments_are_typed_and_go_on_over_sheets(self):
        segment = details.SegmentRow(
            cdr="CDR-1",
            ocpi_key="FR*RVR*CDR-1",
            start=datetime(2026, 10, 5, 8, 0),
            end=datetime(2026, 10, 5, 8, 30),
            component="Energy",
            quantity=Decimal("10.000"),
            billed_quantity=Decimal("10"),
            unit="kWh",
            unit_price=Decimal("0.39"),
            amount=Decimal("3.90"),
            tariff="AC-2026",
            reason="",
        )
        sheets = [details.segments("EUR", [segment] * 3, English)]
        workbook = self._open(ROW, details=sheets, limit=2)
        self.assertEqual(workbook.sheetnames[2:], ["Price segments", "Price segments 2"])
        line = self._line(workbook["Price segments"], 2)
        self.assertEqual(line["Start (UTC)"].value, datetime(2026, 10, 5, 8, 0))
        self.assertEqual((line["Quantity"].value, line["Unit price (EUR)"].value), (10, 0.39))
        # 2 x 3.90
        self.assertEqual(self._line(workbook["Price segments"], 4)["Exact amount (EUR)"].value, 7.8)

    def test_details_for_programs_are_files_beside_the_sessions(self):
        # 1.00 an hour has no end as a price a minute.
        segment = details.SegmentRow(
            cdr="=CDR-1",
            ocpi_key="FR*RVR*CDR-1",
            start=datetime(2026, 10, 5, 8, 0),
            end=None,
            component="Time",
            quantity=Decimal(30),
            billed_quantity=None,
            unit="min",
            unit_price=Decimal(1) / 60,
            amount=Decimal("-0.5"),
            tariff="AC-2026",
            reason="",
        )
        sheets = [
            details.segments("EUR", iter([segment] * 3), English),
            details.findings(iter([]), English),
            details.disputes("EUR", iter([]), English),
        ]
        files = self._write_all(ROW, details=sheets)
        self.assertEqual(
            sorted(path.name for path in self.folder.iterdir() if "_" in path.name),
            [f"{path.name}_{key}" for path in (files.csv, files.parquet) for key in ("findings", "segments")],
        )
        with files.of_detail("segments").csv.open(encoding="utf-8-sig", newline="") as file:
            first, *others = csv.DictReader(file)
        self.assertEqual(len(others), 2)
        self.assertEqual(
            [
                first[key]
                for key in ("cdr", "start", "end", "quantity", "billed_quantity", "unit_price", "amount")
            ],
            ["'=CDR-1", "2026-10-05T08:00:00Z", "", "30", "", "0.016666666667", "-0.5"],
        )
        table = parquet.read_table(files.of_detail("segments").parquet)
        row = table.to_pylist()[0]
        self.assertEqual((row["cdr"], row["end"], row["amount"]), ("=CDR-1", None, Decimal("-0.5")))
        self.assertEqual(row["unit_price"], Decimal("0.016666666667"))
        self.assertEqual(parquet.read_table(files.of_detail("findings").parquet).num_rows, 0)
