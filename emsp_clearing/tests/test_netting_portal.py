from lxml import html

from odoo import Command
from odoo.exceptions import AccessError
from odoo.http import Request
from odoo.tests import HttpCase, new_test_user, tagged

from .netting_common import NettingCommon


@tagged("post_install", "-at_install")
class TestNettingPortal(NettingCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clerk = cls._login("netting_clerk", cls.partner)
        cls.stranger = cls._login("netting_stranger", cls.env["res.partner"].create({"name": "Other eMSP"}))
        cls._document("out_invoice", "INV/51", 100.0)
        cls._document("in_invoice", "BETA-51", 30.0)
        cls.netting = cls._netting()
        cls.url = f"/my/netting/{cls.netting.id}"

    @classmethod
    def _login(cls, login, company):
        user = new_test_user(
            cls.env,
            login=login,
            groups="base.group_portal",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )
        user.partner_id.parent_id = company
        return user

    def _open(self, url, login="netting_clerk"):
        self.authenticate(login, login)
        return self.url_open(url)

    def _step(self, step, login="netting_clerk", **data):
        self.authenticate(login, login)
        token = Request.csrf_token(self)
        return self.url_open(f"{self.url}/{step}", data={"csrf_token": token, **data}, allow_redirects=False)

    def test_partner_reads_accepts_and_downloads(self):
        self.netting.action_send()
        page = html.fromstring(self._open(self.url).text)
        text = " ".join(page.text_content().split())
        for words in ("INV/51", "BETA-51", "Waits for you", "70.00"):
            self.assertIn(words, text)
        self.assertIn(self.netting.name, self._open("/my/netting").text)
        self.assertEqual(self._step("accept").status_code, 303)
        self.assertEqual(self.netting.their_acceptance_id, self.clerk.partner_id)
        self.assertNotIn("Refuse the statement", self._open(self.url).text)
        document = self._open(f"{self.url}/pdf")
        self.assertEqual(document.headers["Content-Type"], "application/pdf")
        self.assertTrue(document.content.startswith(b"%PDF"))

    def test_refusal_goes_back_with_its_reason(self):
        self.netting.action_send()
        answer = self._step("refuse", words="")
        self.assertEqual(answer.status_code, 422)
        self.assertIn("Write why", answer.text)
        self._step("refuse", words="BETA-51 was paid in October")
        self.assertEqual((self.netting.state, self.netting.refusal), ("draft", "BETA-51 was paid in October"))
        self.assertEqual(self._open(self.url).status_code, 404)

    def test_proposal_is_not_shown(self):
        self.assertEqual(self._open(self.url).status_code, 404)
        self.assertNotIn(self.netting.name, self._open("/my/netting").text)

    def test_stranger_finds_and_does_nothing(self):
        self.netting.action_send()
        for url in (self.url, f"{self.url}/pdf"):
            answer = self._open(url, "netting_stranger")
            self.assertEqual(answer.status_code, 404)
            self.assertNotIn("INV/51", answer.text)
        self.assertNotIn(self.netting.name, self._open("/my/netting", "netting_stranger").text)
        for step in ("accept", "refuse"):
            self.assertEqual(self._step(step, "netting_stranger", words="x").status_code, 404)
        self.assertEqual(self.netting.state, "sent")
        self.assertFalse(self.netting.their_acceptance_id)
        for records in (self.netting, self.netting.line_ids):
            foreign = records.with_user(self.stranger).sudo(False)
            self.assertFalse(foreign.search([("id", "in", records.ids)]))
            with self.assertRaises(AccessError):
                foreign.read(["display_name"])

    def test_partner_reads_only_what_is_meant_for_it(self):
        self.netting.action_send()
        for records, names in (
            (
                self.netting,
                ("refusal", "move_id", "their_acceptance_proof", "message_ids", "payment_order_id"),
            ),
            (self.netting.line_ids[:1], ("move_line_id", "document_own", "is_live")),
        ):
            own = records.with_user(self.clerk).sudo(False)
            self.assertTrue(own.read())
            for name in names:
                with self.subTest(field=name), self.assertRaises(AccessError):
                    own.read([name])
        own = self.netting.with_user(self.clerk).sudo(False)
        for change in (lambda: own.write({"access_token": "x"}), own.action_cancel, own.unlink):
            with self.assertRaises(AccessError):
                change()
