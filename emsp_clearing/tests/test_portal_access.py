from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..models.emsp_dispute_partner import INTERNAL_FIELDS
from .common import cdr_payload
from .portal_common import RECEIVED_AT, PortalCommon
from .settlement_common import CUT_OFF, LOCK
from .test_access import SHOWN_TO_PARTNERS


@tagged("post_install", "-at_install")
class TestPortalAccess(PortalCommon):
    def _as(self, user, records):
        return records.with_user(user).sudo(False)

    def test_stranger_gets_nothing_by_any_id_address_or_call(self):
        settlement = self._settle(cdr_payload(total_cost={"excl_vat": 7.0}))
        settlement.move_id._emsp_attach_annex()
        cdr = settlement.cdr_ids
        self.assertTrue(cdr.finding_ids)
        for records in (cdr, cdr.finding_ids, settlement):
            with self.subTest(model=records._name):
                own, foreign = self._as(self.clerk, records), self._as(self.stranger, records)
                self.assertEqual(own.search([("id", "in", records.ids)]), records)
                self.assertTrue(own.read())
                self.assertFalse(foreign.search([("id", "in", records.ids)]))
                self.assertEqual(foreign.search_count([("id", "in", records.ids)]), 0)
                self.assertEqual(
                    foreign._read_group([("id", "in", records.ids)], aggregates=["__count"]), [(0,)]
                )
                with self.assertRaises(AccessError):
                    foreign.read(["id"])
                with self.assertRaises(AccessError):
                    foreign.read(["display_name"])
        for url in (
            f"/my/cdrs/{cdr.id}",
            f"/my/cdrs/{cdr.id}/payload",
            f"/my/settlements/{settlement.id}",
            f"/my/settlements/{settlement.id}/annex",
        ):
            with self.subTest(url=url):
                self.assertEqual(self._open(url).status_code, 200)
                answer = self._open(url, "stranger")
                self.assertEqual(answer.status_code, 404)
                self.assertNotIn("CDR-1", answer.text)

    def test_lists_of_a_stranger_name_nothing_of_others(self):
        settlement = self._settle(cdr_payload())
        for url in (
            "/my/cdrs",
            "/my/cdrs?search=CDR-1",
            f"/my/cdrs?settlement={settlement.id}",
            f"/my/cdrs/download/csv?settlement={settlement.id}",
            "/my/cdrs/download/json",
            "/my/settlements",
        ):
            with self.subTest(url=url):
                answer = self._open(url, "stranger")
                self.assertEqual(answer.status_code, 200)
                self.assertNotIn("FR*RVR*E1001*1", answer.text)
                self.assertNotIn(settlement.name, answer.text)

    def test_without_login_there_is_nothing(self):
        cdr = self._receive(cdr_payload())
        for url in ("/my/cdrs", f"/my/cdrs/{cdr.id}", f"/my/cdrs/{cdr.id}/payload", "/my/cdrs/download/csv"):
            answer = self.url_open(url, allow_redirects=False)
            with self.subTest(url=url):
                self.assertEqual(answer.status_code, 303)
                self.assertIn("/web/login", answer.headers["Location"])

    def test_cdr_is_shown_in_the_states_of_the_partner_only(self):
        cdr = self._receive(cdr_payload())
        own = self._as(self.clerk, cdr)
        for state, shown in (
            ("received", False),
            ("quarantine", False),
            ("open", True),
            ("disputed", True),
            ("locked", True),
            ("invoiced", True),
        ):
            cdr._store({"state": state})
            with self.subTest(state=state):
                self.assertEqual(bool(own.search([("id", "=", cdr.id)])), shown)
                self.assertEqual(self._open(f"/my/cdrs/{cdr.id}").status_code, 200 if shown else 404)

    def test_void_cdr_is_shown_if_it_was_shown_before(self):
        shown, held = self._receive(cdr_payload(1), cdr_payload(2))
        (shown | held)._store({"state": "void"})
        held._store({"available_at": False})
        self.assertEqual(self._listed(), ["CDR-1"])
        self.assertEqual(self._open(f"/my/cdrs/{held.id}").status_code, 404)

    def test_finding_that_holds_no_more_is_hidden(self):
        cdr = self._receive(cdr_payload(total_cost={"excl_vat": 7.0}))
        finding = cdr.finding_ids
        self.assertEqual(self._as(self.clerk, finding).search([("cdr_id", "=", cdr.id)]), finding)
        finding._supersede(RECEIVED_AT)
        self.assertFalse(self._as(self.clerk, finding).search([("cdr_id", "=", cdr.id)]))
        self.assertNotIn(finding.message, self._open(f"/my/cdrs/{cdr.id}").text)

    def test_fields_of_the_staff_are_hidden(self):
        cdr = self._receive(cdr_payload())
        settlement = self._settlement()
        hidden = {
            cdr: ("internal_note", "user_id", "connection_id", "void_reason", "attach_reason", "ruleset_id"),
            settlement: ("blocked_reason", "journal_id", "fiscal_position_id", "sent_to", "message_ids"),
        }
        for record, names in hidden.items():
            own = self._as(self.clerk, record)
            self.assertFalse(set(names) & own.fields_get().keys())
            for name in names:
                with self.subTest(field=name):
                    with self.assertRaises(AccessError):
                        own.read([name])
                    with self.assertRaises(AccessError):
                        own.search([(name, "ilike", "a")])

    def test_fields_that_partners_read_are_named_one_by_one(self):
        for model in SHOWN_TO_PARTNERS - {"emsp.dispute"}:
            own = self.env[model].with_user(self.clerk)
            with self.subTest(model=model):
                self.assertEqual(own.fields_get().keys(), set(own._get_portal_fields()))

    def test_what_we_think_among_ourselves_about_a_dispute_is_hidden(self):
        shown = self.env["emsp.dispute"].with_user(self.clerk).fields_get().keys()
        self.assertFalse(shown & INTERNAL_FIELDS)
        self.assertLessEqual({"state", "answer", "due_at", "own_amount"}, shown)

    def test_nothing_can_be_changed(self):
        settlement = self._settlement()
        cdr = self._receive(cdr_payload(total_cost={"excl_vat": 7.0}))
        for record, vals in ((cdr, {"internal_note": "x"}), (settlement, {"name": "x"})):
            own = self._as(self.clerk, record)
            for change in (lambda own=own, vals=vals: own.write(vals), own.unlink, own.copy):
                with self.assertRaises(UserError):
                    change()

    def test_partner_of_two_companies_sees_both(self):
        cdr = self._receive(cdr_payload())
        other = self.env["res.company"].create({"name": "Other CPO"})
        self.clerk.write({"company_id": other.id, "company_ids": [Command.set(other.ids)]})
        self.assertNotIn(cdr.company_id, self.clerk.company_ids)
        self.assertEqual(self._listed(), ["CDR-1"])

    def test_colleague_of_the_same_company_sees_the_same(self):
        self._receive(cdr_payload())
        self._create_login("colleague", self.invoicing_contact)
        self.assertEqual(self._listed(login="colleague"), ["CDR-1"])

    def test_documents_are_there_once_they_are_made(self):
        self._receive(cdr_payload())
        self._run_due(CUT_OFF)
        settlement = self._settlement()
        for document in ("invoice", "annex", "other"):
            self.assertEqual(self._open(f"/my/settlements/{settlement.id}/{document}").status_code, 404)
        self._run_due(LOCK)
        annex = self._open(f"/my/settlements/{settlement.id}/annex")
        self.assertEqual(annex.content, settlement.move_id.emsp_annex_id.raw)
        self.assertIn("sessions.xlsx", annex.headers["Content-Disposition"])

    def test_documents_are_sent_from_their_file_and_kept_by_no_cache(self):
        self._receive(cdr_payload())
        self._run_due(CUT_OFF)
        self._run_due(LOCK)
        settlement = self._settlement()
        expected = settlement.move_id.emsp_annex_id.raw
        self.env.invalidate_all()
        # The file may have hundreds of megabytes: nobody reads it as a whole.
        attachments = type(self.env["ir.attachment"])
        with patch.object(attachments, "_file_read", side_effect=AssertionError("read as a whole")):
            annex = self._open(f"/my/settlements/{settlement.id}/annex")
        self.assertEqual((annex.status_code, annex.content), (200, expected))
        self.assertEqual(annex.headers["Content-Length"], str(len(expected)))
        self.assertEqual(annex.headers["Cache-Control"], "private, no-store")
        self.assertEqual(annex.headers["X-Content-Type-Options"], "nosniff")
        self.assertTrue(annex.headers["Content-Disposition"].startswith("attachment"))
        self.assertTrue(annex.headers["Content-Type"].endswith("spreadsheetml.sheet"))
