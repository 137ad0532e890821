import csv
import errno
import io
import json
import os
import tempfile
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from shutil import rmtree
from unittest.mock import patch

from openpyxl import load_workbook
from pyarrow import parquet

from odoo.exceptions import UserError
from odoo.tests import tagged

from ..core.chain import list_hash
from ..core.dispute import OPENER
from ..report.emsp_annex_reader import read_annex
from ..report.emsp_annex_workbook import AnnexSheet
from .common import cdr_payload
from .dispute_common import IN_WINDOW, DisputeCommon
from .settlement_common import CUT_OFF, LOCK, credit_of, priced

DECEMBER = datetime(2026, 12, 10)


@tagged("post_install", "-at_install")
class TestAnnexDocument(DisputeCommon):
    """The annex of a posted invoice: 6.40 (10 kWh, 30 min) is 1.00 + 3.90 + 1.50; 20 kWh make it 10.30."""

    def _workbook(self, move):
        return load_workbook(io.BytesIO(move.emsp_annex_id.raw))

    def _lines(self, sheet):
        """The lines below the head and above the total, as {head: value}."""
        head, *lines = sheet.iter_rows(values_only=True)
        return [dict(zip(head, line, strict=True)) for line in lines if line[0] != "Total"]

    def _full_disk(self, *_args):
        raise OSError(errno.ENOSPC, "No space left on device")

    # -- the sessions of a document

    def _bill_november_with_a_credit(self):
        """October had 6.40, which November credits, beside 10.30. :return: November's settlement."""
        first = priced(1, 6.4)
        self._settle(first)
        second = priced(2, 10.3, start=datetime(2026, 11, 5), energy=20.0)
        self._receive(second, credit_of(first, 9), received_at=datetime(2026, 11, 12))
        self._run_due(DECEMBER)
        return self._settlement(11)

    def test_rows_sum_to_the_totals_and_to_the_invoice(self):
        settlement = self._bill_november_with_a_credit()
        move = settlement.move_id
        rows = self._lines(self._workbook(move)["Sessions"])
        # 10.30 - 6.40 = 3.90
        self.assertEqual(sorted(row["Net (EUR)"] for row in rows), [-6.4, 10.3])
        self.assertEqual((move.state, move.amount_untaxed), ("posted", 3.9))
        self.assertAlmostEqual(sum(row["Tax (EUR)"] for row in rows), move.amount_tax)
        self.assertEqual([row["Credit CDR"] for row in rows if row["Net (EUR)"] < 0], ["credit"])
        self.assertEqual({row["Settlement"] for row in rows}, {settlement.name})
        self.assertEqual(move.emsp_list_hash, settlement.list_hash)
        stated = read_annex(move.emsp_annex_id.raw)
        self.assertEqual((stated.count, stated.total), (2, Decimal("3.9000")))

    def test_list_hash_is_that_of_core_over_the_lines_in_any_order(self):
        settlement = self._settle(priced(1, 6.4), priced("a", 6.4), priced("Z_", 6.4), priced("é", 6.4))
        cdrs = self._cdrs()
        lines = [(cdr.ocpi_key, cdr.payload_sha256, "6.4000") for cdr in cdrs]
        self.assertEqual(settlement.list_hash, list_hash(reversed(lines)))
        self.assertEqual(len(lines), 4)

    def test_late_session_names_the_month_it_comes_from(self):
        self._run_due(CUT_OFF)
        cdr = self._receive(cdr_payload(1), received_at=datetime(2026, 11, 4))
        self._run_due(DECEMBER)
        [row] = self._lines(self._workbook(cdr.move_id)["Sessions"])
        self.assertEqual(row["Late, from period"], "2026-10")

    def test_document_of_several_settlements_lists_each_of_them(self):
        # A draft again: the clearing journal itself is hashed and lets none go back.
        self.contract.journal_id = self.company_data["default_journal_sale"]
        october = self._settle(priced(1, 6.4))
        move = october.move_id
        late = self._receive(
            priced(2, 10.3, start=datetime(2026, 11, 5), energy=20.0), received_at=datetime(2026, 11, 6)
        )
        self._run_due(DECEMBER - timedelta(days=5))
        november = self._settlement(11)
        move.button_draft()
        late.sudo()._store({"move_id": move.id})
        with self.assertRaisesRegex(UserError, "16.70"):
            move.action_post()
        move.invoice_line_ids[0].price_unit += 10.3
        move.action_post()
        workbook = self._workbook(move)
        rows = self._lines(workbook["Sessions"])
        self.assertEqual([row["Settlement"] for row in rows], [october.name, november.name])
        summary = {line[0].value: [cell.value for cell in line] for line in workbook["Summary"].iter_rows()}
        self.assertEqual(summary[october.name][2:5], ["1 / 1", 6.4, october.list_hash])
        self.assertEqual(summary[november.name][2:5], ["1 / 1", 10.3, november.list_hash])
        self.assertNotIn(move.emsp_list_hash, (october.list_hash, november.list_hash))
        stated = read_annex(move.emsp_annex_id.raw)
        self.assertEqual([each.name for each in stated.settlements], [october.name, november.name])
        answer = self.env["emsp.settlement"].sudo()._verify_annex(stated)
        self.assertTrue(answer["holds"], answer)
        # Without the first one's line; then with another hash for it.
        for settlements in (stated.settlements[1:], [replace(stated.settlements[0], list_hash="0" * 64)]):
            changed = replace(stated, settlements=settlements)
            answer = self.env["emsp.settlement"].sudo()._verify_annex(changed)
            self.assertEqual((answer["holds"], set(answer["problems"])), (False, {"settlements"}))

    def test_document_of_a_part_of_a_settlement_has_its_own_sessions_alone(self):
        # A draft again: the clearing journal itself is hashed and lets none go back.
        self.contract.journal_id = self.company_data["default_journal_sale"]
        settlement = self._settle(priced(1, 6.4), priced(2, 10.3, energy=20.0))
        move = settlement.move_id
        other = move.copy()
        move.button_draft()
        self._cdrs()[1].sudo()._store({"move_id": other.id})
        move.invoice_line_ids.filtered(lambda line: line.emsp_unit == "kwh").price_unit = 3.9
        # 16.70 - 10.30 = 6.40: of the others, 2.00 and 3.00 become 1.00 and 1.50
        move.invoice_line_ids.filtered(lambda line: line.emsp_unit == "session").price_unit = 1.0
        move.invoice_line_ids.filtered(lambda line: line.emsp_unit == "minute").price_unit = 1.5
        move.action_post()
        workbook = self._workbook(move)
        self.assertEqual([row["CDR"] for row in self._lines(workbook["Sessions"])], ["CDR-1"])
        summary = {line[0].value: [cell.value for cell in line] for line in workbook["Summary"].iter_rows()}
        self.assertEqual(summary[settlement.name][2:5], ["1 / 2", 6.4, settlement.list_hash])
        stated = read_annex(move.emsp_annex_id.raw)
        self.assertTrue(self.env["emsp.settlement"].sudo()._verify_annex(stated)["holds"])
        # Its list has a session that is not here: that only we know its hash.
        changed = replace(stated, settlements=[replace(stated.settlements[0], list_hash="0" * 64)])
        self.assertEqual(
            self.env["emsp.settlement"].sudo()._verify_annex(changed)["problems"], ["settlements"]
        )

    # -- findings, disputes, price segments

    def test_partner_reads_findings_that_hold_and_the_course_of_disputes(self):
        settlement, cdrs = self._in_control()
        finding = {"cdr_id": cdrs[0].id, "code": "place_empty", "severity": "note", "found_at": CUT_OFF}
        shown, taken_back = self.env["emsp.cdr.finding"].sudo().create([finding, finding])
        taken_back._supersede(IN_WINDOW)
        dispute = self._dispute(cdrs[1], explanation="=Too much")
        dispute._step("withdrawn", OPENER, at=LOCK - timedelta(seconds=1))
        self._run_due(LOCK)
        workbook = self._workbook(settlement.move_id)
        findings = self._lines(workbook["Findings"])
        self.assertEqual([(row["CDR"], row["Code"]) for row in findings], [("CDR-1", "place_empty")])
        self.assertEqual(findings[0]["Finding"], shown.message)
        [row] = self._lines(workbook["Disputes"])
        self.assertEqual(
            (row["Dispute"], row["CDR"], row["State"], row["Opened by"], row["Explanation"]),
            (dispute.name, "CDR-2", "Withdrawn", "Frieda Finanz", "=Too much"),
        )
        self.assertEqual(row["Disputed amount (EUR)"], 10.3)
        self.assertEqual(workbook["Disputes"]["G2"].data_type, "s")

    def test_price_segments_come_where_the_contract_wants_them(self):
        self.contract.annex_has_segments = True
        workbook = self._workbook(self._bill_november_with_a_credit().move_id)
        self.assertEqual(
            workbook.sheetnames, ["Summary", "Sessions", "Price segments", "Findings", "Disputes"]
        )
        rows = self._lines(workbook["Price segments"])
        energy = [row for row in rows if row["Component"] == "Energy" and row["CDR"] == "CDR-2"]
        self.assertEqual(
            [
                (row["Quantity"], row["Unit"], row["Unit price (EUR)"], row["Exact amount (EUR)"])
                for row in energy
            ],
            [(20, "kWh", 0.39, 7.8)],
        )
        # The credit's are negative: the sum of all is that of the invoice.
        self.assertAlmostEqual(sum(row["Exact amount (EUR)"] for row in rows), 3.9)

    def test_annex_has_no_price_segments_unless_asked_for(self):
        workbook = self._workbook(self._settle(priced(1, 6.4)).move_id)
        self.assertEqual(workbook.sheetnames, ["Summary", "Sessions", "Findings", "Disputes"])

    # -- files for programs

    def test_contract_chooses_the_files_that_come_with_the_annex(self):
        self.contract.write({"annex_csv": "semicolon", "annex_csv_mark": False, "annex_has_parquet": True})
        settlement = self._settle(priced(1, 6.4), priced(2, 10.3, energy=20.0))
        documents = settlement._portal_documents()
        self.assertEqual(
            list(documents),
            [
                *("annex", "annex_csv", "annex_parquet"),
                *("annex_findings_csv", "annex_findings_parquet", "annex_manifest"),
            ],
        )
        text = documents["annex_csv"].raw.decode()
        lines = list(csv.DictReader(io.StringIO(text), delimiter=";"))
        self.assertEqual([line["net"] for line in lines], ["6.40", "10.30"])
        table = parquet.read_table(io.BytesIO(documents["annex_parquet"].raw))
        self.assertEqual(table["net"].to_pylist(), [Decimal("6.4000"), Decimal("10.3000")])
        found = json.loads(documents["annex_manifest"].raw)
        self.assertEqual((found["rows"], found["net"]), (2, "16.70"))
        self.assertEqual(
            [file["sha256"] for file in found["files"]],
            [sha256(document.raw).hexdigest() for document in list(documents.values())[:-1]],
        )
        self.assertEqual(documents["annex_parquet"].mimetype, "application/vnd.apache.parquet")

    def test_segments_and_findings_come_for_programs_too(self):
        self.contract.write(
            {
                "annex_csv": "comma",
                "annex_has_parquet": True,
                "annex_has_segments": True,
                "price_precision": "4",
            }
        )
        settlement, cdrs = self._in_control()
        finding = {"cdr_id": cdrs[0].id, "code": "place_empty", "severity": "note", "found_at": CUT_OFF}
        self.env["emsp.cdr.finding"].sudo().create(finding)
        self._run_due(LOCK)
        move = settlement.move_id
        documents = move._annex_documents()
        number = move.name.replace("/", "_")
        self.assertEqual(documents["annex_segments_csv"].name, f"{number}_segments.csv")
        segments = self._csv(documents["annex_segments_csv"])
        in_book = self._lines(self._workbook(move)["Price segments"])
        self.assertEqual(len(segments), len(in_book))
        self.assertEqual(
            [Decimal(line["amount"]) for line in segments],
            [Decimal(str(line["Exact amount (EUR)"])) for line in in_book],
        )
        # Both have the sum of the invoice.
        self.assertEqual(sum(Decimal(line["amount"]) for line in segments), Decimal(str(move.amount_untaxed)))
        table = parquet.read_table(io.BytesIO(documents["annex_segments_parquet"].raw))
        self.assertEqual(table["amount"].to_pylist(), [Decimal(line["amount"]) for line in segments])
        self.assertEqual(table["cdr"].to_pylist(), [line["cdr"] for line in segments])
        [line] = self._csv(documents["annex_findings_csv"])
        self.assertEqual((line["cdr"], line["code"]), ("CDR-1", "place_empty"))
        [row] = parquet.read_table(io.BytesIO(documents["annex_findings_parquet"].raw)).to_pylist()
        self.assertEqual((row["cdr"], row["message"]), ("CDR-1", line["message"]))
        found = json.loads(documents["annex_manifest"].raw)
        self.assertEqual(
            [file["name"] for file in found["files"]],
            [document.name for name, document in documents.items() if name != "annex_manifest"],
        )

    def _csv(self, document):
        return list(csv.DictReader(io.StringIO(document.raw.decode("utf-8-sig"))))

    def test_only_the_spreadsheet_is_mailed_unless_the_contract_says_so(self):
        self.contract.annex_csv = "comma"
        move = self._settle(priced(1, 6.4)).move_id
        self.assertEqual(move._annex_attachments_to_mail(), move.emsp_annex_id)
        self.contract.annex_mails_all = True
        names = move._annex_attachments_to_mail().mapped("name")
        self.assertEqual([name.rpartition(".")[2] for name in names], ["xlsx", "csv", "csv", "json"])

    def test_stored_file_is_that_of_its_hash_and_has_its_size(self):
        annex = self._settle(priced(1, 6.4)).move_id.emsp_annex_id
        self.assertEqual(annex.file_size, len(annex.raw))
        self.assertEqual(annex.checksum, self.env["ir.attachment"]._compute_checksum(annex.raw))
        self.assertTrue(annex.mimetype.endswith("spreadsheetml.sheet"))

    # -- a full disk

    def _check_parked_then_billed_once(self, module, name):
        self._receive(priced(1, 6.4))
        self._run_due(CUT_OFF)
        settlement = self._settlement()
        # A folder of its own: others on the machine may write an annex, too.
        folder = tempfile.mkdtemp()
        self.addCleanup(rmtree, folder)
        with patch.object(module, name, self._full_disk), patch.object(tempfile, "tempdir", folder):
            self._run_due(LOCK)
        self.assertEqual((settlement.state, settlement.move_id.id), ("locked", False))
        self.assertIn("the disk is full", settlement.blocked_reason)
        self.assertEqual((self._cdrs().state, self._cdrs().move_id.id), ("locked", False))
        self.assertEqual(os.listdir(folder), [])
        self._run_due(LOCK + timedelta(hours=1))
        self.assertEqual((settlement.state, settlement.blocked_reason), ("invoiced", False))
        moves = self.env["account.move"].search([("emsp_settlement_id", "=", settlement.id)])
        self.assertEqual((moves.state, moves.amount_untaxed), ("posted", 6.4))
        self.assertTrue(moves.emsp_annex_id.raw)

    def test_disk_full_while_the_sheets_are_written_parks_the_settlement(self):
        self._check_parked_then_billed_once(AnnexSheet, "write_line")

    def test_disk_full_while_the_file_is_put_together_parks_the_settlement(self):
        self._check_parked_then_billed_once(AnnexSheet, "_assemble_xml_file")

    def test_disk_full_while_the_file_is_stored_leaves_no_half_of_it(self):
        store = Path(self.env["ir.attachment"]._filestore())
        before = {path for path in store.rglob("tmp*") if path.is_file()}
        self._check_parked_then_billed_once(os, "replace")
        self.assertEqual({path for path in store.rglob("tmp*") if path.is_file()}, before)
