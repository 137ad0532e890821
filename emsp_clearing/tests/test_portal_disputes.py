import re

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..controllers.portal_disputes import NEEDS_WORDS
from ..core.dispute import OWNER
from .dispute_common import IN_WINDOW, SECOND
from .portal_dispute_common import PortalDisputeCommon
from .settlement_common import LOCK

FORM = "/my/cdrs/dispute"


@tagged("post_install", "-at_install")
class TestPortalDisputes(PortalDisputeCommon):
    def setUp(self):
        super().setUp()
        self.log_in()

    def open_form(self, cdrs, **form):
        form = {"reason": "energy", "explanation": "8 kWh", **form}
        return self.post(FORM, cdr_ids=cdrs.ids, **form)

    def step(self, dispute, step, **form):
        return self.post(f"/my/disputes/{dispute.id}/{step}", **form)

    def assertShown(self, response, *texts, status=200):
        self.assertEqual(response.status_code, status, response.text[:2000])
        for text in texts:
            self.assertIn(text, response.text)

    def test_session_is_disputed_in_the_name_of_who_is_logged_in(self):
        page = self.url_open(f"{FORM}?cdr_ids={self.first.id}")
        self.assertShown(page, "CDR-1", "6.40", "Wrong energy", 'for="emsp_reason"')
        own = {f"own_amount_{self.first.id}": "5,62"}
        files = [("files", ("photo.txt", b"8 kWh", "text/plain"))]
        response = self.post(
            FORM, files, cdr_ids=self.first.ids, reason="energy", explanation="8 kWh", reference="T-1", **own
        )
        dispute = self.first.dispute_ids
        self.assertEqual(response.status_code, 303, response.text[:2000])
        self.assertIn(f"/my/disputes/{dispute.id}", response.headers["Location"])
        self.assertEqual(
            (dispute.opened_by_id, dispute.source, dispute.own_amount, dispute.reference),
            (self.frieda, "portal", 5.62, "T-1"),
        )
        self.assertEqual(dispute.message_ids.attachment_ids.mapped("name"), ["photo.txt"])
        self.assertEqual(dispute.message_ids.author_id, self.frieda)
        self.assertShown(
            self.url_open(response.headers["Location"]), "8 kWh", "6.40", "5.62", "2026-11-12 00:00 CET"
        )

    def test_many_sessions_are_disputed_together(self):
        response = self.open_form(self.first | self.second)
        self.assertEqual(response.status_code, 303)
        self.assertEqual((self.first.state, self.second.state), ("disputed", "disputed"))

    def test_one_bad_row_disputes_none_and_is_named(self):
        own = {f"own_amount_{self.second.id}": "10.30"}
        response = self.open_form(self.first | self.second, **own)
        self.assertShown(response, "CDR CDR-2: your own amount is from 0 to less than 10.30", status=422)
        self.assertIn('value="10.30"', response.text)
        own = {f"own_amount_{self.second.id}": "a lot"}
        response = self.open_form(self.first | self.second, **own)
        self.assertShown(response, "with at most four decimals", status=422)
        self.assertShown(self.open_form(self.first, reason=""), "Choose the reason", status=422)
        self.assertShown(
            self.open_form(self.first, reason="other", explanation=" "), "Say what is wrong", status=422
        )
        self.assertEqual((self.first.state, self.second.state), ("open", "open"))

    def test_after_the_lock_it_is_refused_with_the_date_and_what_to_do(self):
        self._set_clock(LOCK)
        words = ("closed on 2026-11-10 00:00 CET", "credit on a later invoice")
        self.assertShown(self.url_open(f"{FORM}?cdr_ids={self.first.id}"), *words)
        self.assertShown(self.open_form(self.first), *words, status=422)
        self.assertEqual(self.first.state, "open")
        self._set_clock(LOCK - SECOND)
        self.assertEqual(self.open_form(self.first).status_code, 303)

    def test_disputed_one_of_many_can_be_left_out(self):
        self._dispute(self.first)
        page = self.url_open(f"{FORM}?cdr_ids={self.first.id},{self.second.id}")
        self.assertShown(
            page, "CDR-1 is disputed already", f'href="/my/cdrs/dispute?cdr_ids={self.second.id}"'
        )

    def test_files_have_limits(self):
        for files, text in (
            ([("files", (f"{number}.txt", b"x", "text/plain")) for number in range(11)], "At most 10 files"),
            ([("files", ("big.bin", b"x" * (10 * 2**20 + 1), "application/x"))], "at most 10 MB"),
        ):
            response = self.post(FORM, files, cdr_ids=self.first.ids, reason="price")
            self.assertShown(response, text, status=422)
        self.assertEqual(self.first.state, "open")

    def test_steps_of_the_partner(self):
        dispute = self._dispute(self.first)
        dispute.with_user(self.operator)._step("asked", OWNER, "Which card?", at=IN_WINDOW)
        page = self.url_open(f"/my/disputes/{dispute.id}")
        self.assertShown(page, "Which card?", "It is your turn", f"/my/disputes/{dispute.id}/answer")
        self.assertShown(page, ' id="emsp_words_answer"', "it is decided on what is there")
        # Words of the partner are its answer then: a message beside it would not stop the clock.
        self.assertNotIn(f"/my/disputes/{dispute.id}/message", page.text)
        self.assertShown(self.step(dispute, "answer", words=" "), "Write something", status=422)
        self.assertEqual(self.step(dispute, "answer", words="The blue one.").status_code, 303)
        self.assertEqual((dispute.state, dispute.message_ids[0].author_id), ("opened", self.frieda))
        dispute.with_user(self.operator)._step("rejected", OWNER, "It was 10.", at=IN_WINDOW)
        files = [("files", ("photo.txt", b"8 kWh", "text/plain"))]
        self.post(f"/my/disputes/{dispute.id}/contest", files, words="See the photo.")
        self.assertEqual((dispute.state, dispute.turn), ("contested", "us"))
        self.assertEqual(dispute.message_ids.attachment_ids.mapped("name"), ["photo.txt"])
        self.assertShown(self.step(dispute, "accept"), "not the step that comes next", status=422)
        self.step(dispute, "message", words="Any news?")
        self.assertEqual((dispute.state, dispute.message_ids[0].body), ("contested", "<p>Any news?</p>"))
        self.step(dispute, "withdraw")
        self.assertEqual((dispute.state, self.first.state), ("withdrawn", "open"))

    def test_rejection_is_accepted(self):
        dispute = self._dispute(self.first)
        dispute._step("rejected", OWNER, "It was 10.", at=IN_WINDOW)
        self.step(dispute, "accept")
        self.assertEqual((dispute.state, dispute.answer), ("dismissed", "The rejection is accepted."))

    def test_partner_cannot_take_steps_of_ours(self):
        dispute = self._dispute(self.first)
        for step in ("upheld", "corrected", "reject", "dismiss"):
            self.assertEqual(self.step(dispute, step).status_code, 404)
        self.assertEqual(dispute.state, "opened")

    def test_dispute_that_we_raised_has_no_steps_but_a_conversation(self):
        dispute = self._dispute(self.first)
        dispute.sudo()._store({"direction": "raised"})
        page = self.url_open(f"/my/disputes/{dispute.id}")
        self.assertNotIn("/withdraw", page.text)
        self.assertShown(self.step(dispute, "withdraw"), "not the step", status=422)
        self.assertEqual(self.step(dispute, "message", words="We look into it.").status_code, 303)
        self.assertEqual(dispute.state, "opened")

    def test_list_says_whose_turn_it_is(self):
        mine, ours = self._dispute(self.first), self._dispute(self.second)
        mine._step("rejected", OWNER, "No.", at=IN_WINDOW)
        page = self.url_open("/my/disputes")
        self.assertShown(page, mine.name, ours.name, "Your turn", "Our turn", "in 7 days", "6.40")
        page = self.url_open("/my/disputes?filterby=mine&sortby=amount")
        self.assertShown(page, mine.name)
        self.assertNotIn(ours.name, page.text)
        self.assertNotIn(mine.name, self.url_open("/my/disputes?filterby=closed").text)
        self.assertShown(self.url_open("/my/disputes?filterby=x&sortby=y"), mine.name)

    def test_home_counts_what_waits(self):
        names = ["emsp_dispute_count", "emsp_dispute_turn_count"]
        self._dispute(self.first)._step("rejected", OWNER, "No.", at=IN_WINDOW)
        self._dispute(self.second)
        self._dispute_b()
        told = self.make_jsonrpc_request("/my/counters", {"counters": names})
        self.assertEqual(told, {"emsp_dispute_count": 2, "emsp_dispute_turn_count": 1})
        self.assertShown(self.url_open("/my"), "Disputes that wait for you")

    def test_html_in_words_stays_text(self):
        self.open_form(self.first, explanation="<script>alert(1)</script>", reference="<b>T</b>")
        dispute = self.first.dispute_ids
        self.assertNotIn("<script", dispute.message_ids[0].body)
        page = self.url_open(f"/my/disputes/{dispute.id}")
        self.assertShown(page, "&lt;script&gt;alert(1)", "&lt;b&gt;T")
        self.assertNotIn("<script>alert(1)", page.text)
        page = self.step(dispute, "accept", words="<img src=x onerror=alert(1)>")
        self.assertNotIn("<img src=x", page.text)

    def test_form_without_its_token_is_refused(self):
        for url in (
            FORM,
            f"/my/disputes/{self._dispute(self.second).id}/withdraw",
            f"/my/settlements/{self.settlement.id}/approve",
            f"/my/settlements/{self.settlement.id}/dispute-sheet",
            f"/my/settlements/{self.settlement.id}/dispute-sheet/confirm",
        ):
            for form in ({}, {"csrf_token": "x" * 40}):
                with self.subTest(url=url), mute_logger("odoo.http"):
                    data = {"cdr_ids": self.first.id, "reason": "price", **form}
                    self.assertEqual(self.url_open(url, data=data).status_code, 400)
        self.assertEqual((self.first.state, self.second.state), ("open", "disputed"))
        self.assertFalse(self.settlement.approved_at)

    def test_settlement_is_approved_after_a_question(self):
        url = f"/my/settlements/{self.settlement.id}/approve"
        self._dispute(self.first)
        page = self.url_open(url)
        self.assertShown(page, "Do you approve", "10.30", "6.40")
        self.assertFalse(self.settlement.approved_at)
        self.assertShown(self.post(url), "is approved. Thank you")
        self.assertEqual(
            (self.settlement.approved_at, self.settlement.approved_by_id), (IN_WINDOW, self.frieda)
        )
        self.assertShown(self.post(url), "was approved already", status=422)
        self.assertNotIn("Do you approve", self.url_open(url).text)

    def test_settlement_is_not_approved_after_its_lock(self):
        self._set_clock(LOCK)
        url = f"/my/settlements/{self.settlement.id}/approve"
        self.assertNotIn("Do you approve", self.url_open(url).text)
        self.assertShown(self.post(url), "cannot be approved", status=422)


@tagged("post_install", "-at_install")
class TestPortalDisputesIsolation(PortalDisputeCommon):
    """What user A is given with every id, address and link of partner B."""

    def setUp(self):
        super().setUp()
        self.dispute_b = self._dispute_b()
        self.dispute_b._step("rejected", OWNER, "Secret answer", at=IN_WINDOW)
        self.log_in()

    def test_every_route_there_is_gives_nothing_of_another_partner(self):
        """Also those that are added later: a route with a part that is not known here fails."""
        secrets = (
            "Secret",
            self.dispute_b.name,
            self.settlement_b.name,
            *(cdr.ocpi_id for cdr in self.cdrs_b),
        )
        before = (self.dispute_b.state, self.settlement_b.approved_at, [cdr.state for cdr in self.cdrs_b])
        self.assertEqual(
            self.url_open("/my/settlements").status_code, 200
        )  # also builds the map of all routes
        walked = 0
        for url, methods in self._routes_of_partner_b():
            for method in methods:
                with self.subTest(url=url, method=method):
                    if method == "GET":
                        answer = self.url_open(f"{url}?cdr_ids={self.cdrs_b[1].id}", allow_redirects=False)
                    else:
                        answer = self.post(url, words="Mine", reason="price", cdr_ids=self.cdrs_b[1].ids)
                    self.assertLess(answer.status_code, 500)
                    self.assertFalse([secret for secret in secrets if secret in answer.text])
                    walked += 1
        self.assertGreater(walked, 20)
        after = (self.dispute_b.state, self.settlement_b.approved_at, [cdr.state for cdr in self.cdrs_b])
        self.assertEqual(after, before)

    def _routes_of_partner_b(self):
        """:return: list of (URL with the ids of partner B, methods) of all our pages."""
        ids = {
            "<int:settlement_id>": self.settlement_b.id,
            "<int:cdr_id>": self.cdrs_b[1].id,
            "<int:dispute_id>": self.dispute_b.id,
            "<int:page>": 1,
        }
        choices = {
            "<string:document>": ("invoice", "annex"),
            "<string:file_format>": ("csv", "json", "xlsx"),
            "<any(answer,contest,accept,withdraw,message):step>": tuple(NEEDS_WORDS) + ("accept", "withdraw"),
        }
        routes = []
        for rule in self.env["ir.http"].routing_map().iter_rules():
            if not re.match(r"/my/(settlements|cdrs|disputes)\b", rule.rule):
                continue
            url = rule.rule
            for part, value in ids.items():
                url = url.replace(part, str(value))
            methods = sorted(set(rule.endpoint.routing["methods"] or ("GET", "POST")) & {"GET", "POST"})
            part = next((part for part in choices if part in url), None)
            for value in choices.get(part, ("",)):
                routes.append((url.replace(part, value) if part else url, methods))
        self.assertFalse([url for url, __ in routes if "<" in url])
        return routes

    def test_every_page_of_another_partner_is_closed(self):
        for url in (
            f"/my/disputes/{self.dispute_b.id}",
            f"/my/disputes/{self.dispute_b.id}?access_token=x",
            "/my/disputes/999999",
            f"{FORM}?cdr_ids={self.cdrs_b[1].id}",
            f"/my/settlements/{self.settlement_b.id}/approve",
            f"/my/settlements/{self.settlement_b.id}/dispute-sheet",
            f"/my/settlements/{self.settlement_b.id}/dispute-sheet.xlsx",
            "/my/settlements/999999/approve",
        ):
            with self.subTest(url=url):
                response = self.url_open(url, allow_redirects=False)
                self.assertIn(response.status_code, (303, 404))
                self.assertNotIn("Secret", response.text)
                self.assertNotIn(self.dispute_b.name, response.text)
        self.assertNotIn(self.dispute_b.name, self.url_open("/my/disputes").text)

    def test_nothing_of_another_partner_changes(self):
        base = f"/my/disputes/{self.dispute_b.id}"
        for url in (
            *(f"{base}/{step}" for step in ("answer", "contest", "accept", "withdraw", "message")),
            f"/my/settlements/{self.settlement_b.id}/approve",
            f"/my/settlements/{self.settlement_b.id}/dispute-sheet",
            f"/my/settlements/{self.settlement_b.id}/dispute-sheet/confirm",
        ):
            with self.subTest(url=url):
                self.assertEqual(self.post(url, words="Mine", rows="[]").status_code, 404)
        response = self.post(FORM, cdr_ids=self.cdrs_b[1].ids, reason="price")
        self.assertEqual(response.status_code, 303)
        # Of a choice that mixes both, the own session alone is there.
        self.post(FORM, cdr_ids=[self.cdrs_b[1].id, self.first.id], reason="price")
        self.assertEqual((self.first.state, self.cdrs_b[1].state), ("disputed", "open"))
        self.assertEqual(self.dispute_b.state, "rejected")
        self.assertFalse(self.settlement_b.approved_at)

    def test_link_with_its_token_shows_and_does_nothing_more(self):
        token = self.dispute_b._portal_ensure_token()
        page = self.url_open(f"/my/disputes/{self.dispute_b.id}?access_token={token}")
        self.assertIn("Secret of B", page.text)
        self.assertNotIn(f"/my/disputes/{self.dispute_b.id}/accept", page.text)
        self.assertEqual(
            self.post(f"/my/disputes/{self.dispute_b.id}/accept", access_token=token).status_code, 404
        )
        self.assertEqual(self.dispute_b.state, "rejected")

    def test_without_a_login_every_page_asks_for_it(self):
        self.authenticate(None, None)
        for url in (
            "/my/disputes",
            f"{FORM}?cdr_ids={self.first.id}",
            f"/my/settlements/{self.settlement.id}/approve",
        ):
            response = self.url_open(url, allow_redirects=False)
            self.assertIn("/web/login", response.headers.get("Location", ""), url)

    def test_colleague_of_the_same_partner_sees_the_same(self):
        dispute = self._dispute(self.first)
        other = self.env["res.partner"].create({"name": "Karl", "parent_id": self.partner.id})
        user = self._create_portal_user("karl", other)
        found = self.env["emsp.dispute"].with_user(user).sudo(False).search([])
        self.assertEqual(found, dispute)

    def test_rules_hold_without_the_pages(self):
        dispute = self._dispute(self.first)
        disputes = self.env["emsp.dispute"].with_user(self.user).sudo(False)
        self.assertEqual(disputes.search([]), dispute)
        with self.assertRaises(AccessError):
            disputes.browse(self.dispute_b.id).read(["name"])
        own = disputes.browse(dispute.id)
        for name in ("user_id", "proposed_state", "proposed_amount", "proposed_words", "proposed_by_id"):
            with self.subTest(name), self.assertRaises(AccessError):
                own.read([name])
        for vals in ({"state": "upheld"}, {"access_token": "x"}, {"message_follower_ids": [Command.clear()]}):
            with self.assertRaises(UserError):
                own.write(vals)
        with self.assertRaises(AccessError):
            own.copy()
        with self.assertRaises(AccessError):
            own.unlink()
