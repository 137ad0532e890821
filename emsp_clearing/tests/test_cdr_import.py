import base64
import gzip
import json
from datetime import datetime

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged

from .common import EmspCommon, cdr_payload, raw

RECEIVED_AT = datetime(2026, 10, 6, 6, 0)


@tagged("post_install", "-at_install")
class TestCdrImport(EmspCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.operator = new_test_user(
            cls.env,
            "emsp_operator",
            "emsp_clearing.emsp_clearing_group_operator",
            company_id=cls.company.id,
            company_ids=[(6, 0, cls.company.ids)],
        )

    def take(self, content, filename="cdrs.json"):
        importer = self.env["emsp.cdr.import"]
        return importer._import_file(self.connection, content, filename, RECEIVED_AT)

    def assertReport(self, report, created=0, existing=0, rejected=0):
        self.assertEqual(
            (report.created, report.existing, len(report.rejected)), (created, existing, rejected)
        )

    def stored(self):
        return self.env["emsp.cdr"].search([("connection_id", "=", self.connection.id)], order="id")

    def test_array_lines_and_single_object_give_the_same_cdrs(self):
        one, two = raw(cdr_payload(1)), raw(cdr_payload(2))
        for content, created in (
            (b"[" + one + b",\n" + two + b"]\n", 2),
            (one + b"\n" + two + b"\n", 2),
            (one, 1),
            (json.dumps(cdr_payload(1), indent=4).encode(), 1),
        ):
            for file in (content, gzip.compress(content)):
                with self.subTest(file=file[:40]), self.cr.savepoint() as savepoint:
                    self.assertReport(self.take(file), created=created)
                    self.assertEqual(self.stored().mapped("ocpi_id"), ["CDR-1", "CDR-2"][:created])
                    savepoint.rollback()
                self.env.invalidate_all()

    def test_payload_of_a_record_is_kept_as_it_stands_in_the_file(self):
        # 1.50 and the odd spacing would not survive parsing and writing again.
        odd = raw(cdr_payload(1)).replace(b'"total_energy": 10.0', b'"total_energy":\n 1.000e1 ')
        self.take(b"[ " + odd + b" ,\r\n" + raw(cdr_payload(2)) + b"]")
        first, second = self.stored()
        self.assertEqual(first.payload.encode(), odd)
        self.assertEqual(second.payload.encode(), raw(cdr_payload(2)))

    def test_import_takes_the_instant_it_is_told(self):
        self.take(raw(cdr_payload()))
        self.assertEqual(self.stored().received_at, RECEIVED_AT)

    def test_cdrs_of_a_former_system_are_available_since_it_showed_them(self):
        importer = self.env["emsp.cdr.import"]
        connection = self.connection.with_context(queue_job__no_delay=True)
        shown_at = datetime(2026, 10, 5, 12, 0)
        importer._import_file(connection, raw(cdr_payload()), "f", RECEIVED_AT, available_at=shown_at)
        self.assertEqual((self.stored().state, self.stored().available_at), ("open", shown_at))

    def test_file_imported_twice_makes_no_second_record(self):
        content = b"\n".join(raw(cdr_payload(number)) for number in (1, 2, 3))
        self.assertReport(self.take(content), created=3)
        self.assertReport(self.take(content), existing=3)
        self.assertEqual(len(self.stored()), 3)

    def test_cdr_twice_in_a_file_is_stored_once(self):
        one = raw(cdr_payload(1))
        self.assertReport(self.take(one + b"\n" + one), created=1, existing=1)

    def test_good_records_among_bad_ones_are_taken_and_none_is_lost(self):
        no_cost = cdr_payload("no-cost")
        del no_cost["total_cost"]
        lines = [
            raw(cdr_payload(1)),
            b"",
            raw(no_cost),
            raw(cdr_payload("cut"))[:-20],
            b'{"id": "\xff"}',
            raw(cdr_payload("foreign", party_id="XXX")),
            raw(cdr_payload(1, energy=99.0)),
            raw(cdr_payload(2)),
        ]
        report = self.take(b"\n".join(lines), "october.jsonl")
        self.assertReport(report, created=2, rejected=5)
        self.assertEqual(
            [(message.place, message.object_ocpi_id, message.path) for message in report.rejected],
            [
                ("line 3", "CDR-no-cost", "total_cost"),
                ("line 4", False, ""),
                ("line 5", False, ""),
                ("line 6", "CDR-foreign", "party_id"),
                ("line 7", "CDR-1", "id"),
            ],
        )
        bodies = report.rejected.mapped("body")
        self.assertEqual(bodies[0], lines[2].decode())
        self.assertEqual(bodies[1], lines[3].decode())
        self.assertEqual(bodies[2], '{"id": "\\xff"}')
        self.assertEqual(bodies[4], lines[6].decode())
        first = report.rejected[0]
        self.assertEqual((first.method, first.module, first.direction), ("IMPORT", "cdrs", "in"))
        self.assertEqual((first.url, first.received_at), ("october.jsonl", RECEIVED_AT))
        self.assertEqual(first.message, "total_cost: expected an object, got nothing")

    def test_bad_element_of_an_array_stops_no_other(self):
        bad = raw(cdr_payload("bad")).replace(b'"total_energy": 10.0', b'"total_energy": 10,0')
        content = b"[" + b",".join([raw(cdr_payload(1)), bad, b"7", raw(cdr_payload(2))]) + b"]"
        report = self.take(content)
        self.assertReport(report, created=2, rejected=2)
        self.assertEqual(report.rejected.mapped("place"), ["element 2", "element 3"])
        self.assertEqual(report.rejected.mapped("body"), [bad.decode(), "7"])

    def test_file_cut_short_gives_what_is_whole(self):
        content = b"[" + raw(cdr_payload(1)) + b"," + raw(cdr_payload(2))[:99]
        report = self.take(content)
        self.assertReport(report, created=1, rejected=1)
        self.assertEqual(report.rejected.body, raw(cdr_payload(2))[:99].decode())

    def test_more_records_than_one_chunk_keep_their_order(self):
        lines = [raw(cdr_payload(number)) for number in range(1101)]
        lines[1050] = b"{}"
        report = self.take(b"\n".join(lines))
        self.assertReport(report, created=1100, rejected=1)
        self.assertEqual(report.rejected.place, "line 1051")
        self.assertEqual(self.stored()[-1].ocpi_id, "CDR-1100")

    def test_wizard_shows_what_became_of_the_file(self):
        form = Form(self.env["emsp.cdr.import"].with_user(self.operator))
        form.connection_id = self.connection
        form.file = base64.b64encode(raw(cdr_payload(1)) + b"\n{}")
        wizard = form.save()
        wizard.filename = "cdrs.jsonl"
        action = wizard.action_import()
        self.assertEqual((action["res_model"], action["res_id"]), (wizard._name, wizard.id))
        self.assertEqual((wizard.created_count, wizard.existing_count, wizard.rejected_count), (1, 0, 1))
        self.assertEqual(wizard.rejected_ids.body, "{}")
        self.assertFalse(wizard.file)
        self.assertEqual(self.stored().ocpi_id, "CDR-1")

    def test_wizard_says_which_file_it_cannot_read(self):
        cut = gzip.compress(raw(cdr_payload(1)))[:-9]
        for content in (b"", b" \n", cut):
            wizard = self.env["emsp.cdr.import"].create(
                {
                    "connection_id": self.connection.id,
                    "file": base64.b64encode(content),
                    "filename": "cdrs.json.gz",
                }
            )
            with self.assertRaises(UserError):
                wizard.action_import()
        self.assertFalse(self.stored())

    def test_reader_imports_nothing(self):
        reader = new_test_user(self.env, "emsp_reader", "emsp_clearing.emsp_clearing_group_user")
        with self.assertRaises(AccessError):
            self.env["emsp.cdr.import"].with_user(reader).create({"connection_id": self.connection.id})
