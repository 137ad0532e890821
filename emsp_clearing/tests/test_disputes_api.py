import base64
import json
from datetime import datetime, timedelta
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import ConcurrencyError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..core.dispute import OWNER
from ..models.ir_http_api import API_KEY_SCOPE
from .dispute_common import IN_WINDOW, SECOND
from .portal_dispute_common import PortalDisputeCommon
from .settlement_common import LOCK

BASE = "/api/emsp/v1"
DISPUTES = f"{BASE}/disputes"


class DisputesApiCommon(PortalDisputeCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.connection.peer_role = "OWN"
        cls.platform = cls._connect("SMO", cls.partner)
        cls.token = cls.platform._generate_token()
        cls.token_b = cls._connect("OTH", cls.partner_b)._generate_token()
        cls.key = cls._create_key(cls.user)

    @classmethod
    def _connect(cls, party_id, partner, **vals):
        return cls.env["emsp.ocpi.connection"].create(
            {
                "name": party_id,
                "company_id": cls.company.id,
                "our_role": "CPO",
                "peer_role": "EMSP",
                "partner_id": partner.id,
                "country_code": "DE",
                "ocpi_party_id": party_id,
                **vals,
            }
        )

    @classmethod
    def _create_key(cls, user, scope=API_KEY_SCOPE):
        until = datetime.now() + timedelta(days=0.5)
        # sudo: as the page of the portal does that shows keys
        return cls.env["res.users.apikeys"].with_user(user).sudo()._generate(scope, "Test", until)

    def call(self, method, url, body=None, token=None, **headers):
        """One request. :param body: for JSON, or bytes. :param token: the whole header, or a token."""
        token = token or self.token
        if " " not in token:
            token = "Token " + base64.b64encode(token.encode()).decode()
        data = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
        headers = {"Authorization": token, "Content-Type": "application/json", **headers}
        return self.url_open(url, method=method, data=data, headers=headers)

    def open_one(self, number=1, **changes):
        body = {"cdr_id": f"CDR-{number}", "reason": "energy", **changes}
        return self.call("POST", DISPUTES, body)

    def assertProblem(self, response, status, code, *pointers):
        self.assertEqual(response.headers["Content-Type"], "application/problem+json", response.text)
        problem = response.json()
        self.assertEqual((response.status_code, problem["status"]), (status, status), problem)
        self.assertEqual(problem["type"], f"urn:emsp-clearing:problem:{code}")
        self.assertTrue(problem["title"] and problem["detail"])
        self.assertEqual([error["pointer"] for error in problem["errors"]], list(pointers), problem)
        return problem


@tagged("post_install", "-at_install")
class TestDisputesApi(DisputesApiCommon):
    def test_dispute_is_opened_with_its_exact_amount(self):
        response = self.open_one(explanation="The display said 8 kWh.", own_amount=5.62, reference="T-1")
        self.assertEqual(response.status_code, 201, response.text)
        told = response.json()
        dispute = self.first.dispute_ids
        self.assertEqual(
            {name: told[name] for name in ("number", "state", "turn", "disputed_amount", "own_amount")},
            {
                "number": dispute.name,
                "state": "opened",
                "turn": "us",
                "disputed_amount": "6.40",
                "own_amount": "5.62",
            },
        )
        self.assertEqual(told["cdr"], {"country_code": "FR", "party_id": "RVR", "id": "CDR-1"})
        # 7 days; 90 days after the session; our silence costs us the session.
        self.assertEqual((told["act_by"], told["ends_at"]), ("2026-11-11T23:00:00Z", "2027-01-03T08:30:00Z"))
        self.assertEqual((told["by_silence_becomes"], told["settlement"]), ("upheld", self.settlement.name))
        self.assertEqual((dispute.source, dispute.own_amount, dispute.reference), ("api", 5.62, "T-1"))
        self.assertEqual((dispute.opened_by_id, self.first.state), (self.partner, "disputed"))
        self.assertEqual(self._balance(self.settlement), (1, 10.3, 1, 6.4))

    def test_cdr_is_named_by_its_owner_too_and_without_case(self):
        cdr = {"country_code": "fr", "party_id": "rvr", "id": "cdr-2"}
        response = self.call("POST", DISPUTES, {"cdr": cdr, "reason": "price", "own_amount": "0"})
        self.assertEqual((response.status_code, self.second.state), (201, "disputed"), response.text)
        self.assertEqual(response.json()["own_amount"], "0.00")

    def test_many_are_opened_together(self):
        body = {"disputes": [{"cdr_id": f"CDR-{number}", "reason": "price"} for number in (2, 1)]}
        response = self.call("POST", DISPUTES, body)
        self.assertEqual(response.status_code, 201, response.text)
        self.assertEqual([each["cdr"]["id"] for each in response.json()["disputes"]], ["CDR-2", "CDR-1"])

    def test_one_bad_row_of_many_opens_none(self):
        good = {"cdr_id": "CDR-1", "reason": "price"}
        for bad, status, code, pointer in (
            ({"cdr_id": "CDR-9", "reason": "price"}, 404, "not-found", "/disputes/1/cdr_id"),
            ({"cdr_id": "CDR-11", "reason": "price"}, 404, "not-found", "/disputes/1/cdr_id"),
            ({"cdr_id": "CDR-1", "reason": "energy"}, 422, "invalid", "/disputes/1/cdr_id"),
            ({"cdr_id": "CDR-2", "reason": "other"}, 422, "invalid", "/disputes/1/explanation"),
            (
                {"cdr_id": "CDR-2", "reason": "price", "own_amount": 10.3},
                422,
                "invalid",
                "/disputes/1/own_amount",
            ),
            ({"cdr_id": "CDR-2", "reason": "because"}, 422, "invalid", "/disputes/1/reason"),
            ({"cdr_id": "CDR-2"}, 422, "invalid", "/disputes/1/reason"),
            ({"reason": "price"}, 422, "invalid", "/disputes/1"),
            ({"cdr_id": "CDR-2", "reason": "price", "amount": 1}, 422, "invalid", "/disputes/1/amount"),
        ):
            with self.subTest(bad):
                response = self.call("POST", DISPUTES, {"disputes": [good, bad]})
                self.assertProblem(response, status, code, pointer)
                self.assertFalse(self.env["emsp.dispute"].search_count([]))
        self.assertEqual((self.first.state, self.second.state), ("open", "open"))

    def test_each_row_in_error_is_named(self):
        rows = [{"cdr_id": "CDR-8", "reason": "price"}, {"cdr_id": "CDR-9", "reason": "price"}]
        response = self.call("POST", DISPUTES, {"disputes": rows})
        self.assertProblem(response, 404, "not-found", "/disputes/0/cdr_id", "/disputes/1/cdr_id")

    def test_disputed_twice_is_a_conflict(self):
        self.open_one()
        problem = self.assertProblem(self.open_one(), 409, "conflict", "/cdr")
        self.assertEqual(problem["errors"][0]["code"], "already_disputed")

    def test_last_second_is_in_time_and_the_lock_is_not(self):
        self._set_clock(LOCK - SECOND)
        self.assertEqual(self.open_one().status_code, 201)
        self._set_clock(LOCK)
        problem = self.assertProblem(self.open_one(2), 409, "conflict", "/cdr")
        self.assertEqual(problem["errors"][0]["code"], "window_closed")
        self.assertIn("closed on 2026-11-10 00:00 CET", problem["detail"])
        self.assertEqual(self.second.state, "open")

    def test_body_that_is_no_json(self):
        for body in (b"{", b"", b"\xff", b'{"a": NaN}', b"[" * 100):
            with self.subTest(body):
                self.assertProblem(self.call("POST", DISPUTES, body), 400, "bad-request", "")
        for body in (b"[]", b"5", b'{"cdr_id": "CDR-1", "reason": "\\u0000"}'):
            with self.subTest(body):
                self.assertEqual(self.call("POST", DISPUTES, body).status_code, 422)

    def test_other_content_type_is_415_and_a_large_body_413(self):
        response = self.call(
            "POST", DISPUTES, b"a=1", **{"Content-Type": "application/x-www-form-urlencoded"}
        )
        self.assertProblem(response, 415, "unsupported-media-type")
        self.assertProblem(self.call("POST", DISPUTES, b" " * (13 * 2**20)), 413, "too-large")

    def test_unknown_path_and_method_are_problems_too(self):
        self.assertProblem(self.call("GET", f"{BASE}/nothing"), 404, "not-found")
        self.assertProblem(self.call("GET", BASE), 404, "not-found")
        for method in ("PUT", "DELETE", "OPTIONS"):
            response = self.call(method, DISPUTES)
            self.assertProblem(response, 405, "method-not-allowed")
            self.assertIn("GET", response.headers["Allow"])

    def test_failure_of_ours_tells_nothing_and_keeps_nothing(self):
        def fail(*args):
            raise ZeroDivisionError("secret")

        self.patch(type(self.env["emsp.dispute"]), "_tell_opened", fail)
        with self.assertLogs("odoo.addons.emsp_clearing.controllers.api_dispatcher", "ERROR"):
            response = self.open_one()
        self.assertProblem(response, 500, "failed")
        self.assertNotIn("secret", response.text)
        self.assertEqual(self.first.state, "open")

    def test_html_in_words_stays_text(self):
        words = "<script>alert(1)</script><b>8 kWh</b>"
        number = self.open_one(explanation=words).json()["number"]
        thread = self.call("GET", f"{DISPUTES}/{number}").json()
        self.assertEqual((thread["explanation"], thread["messages"][0]["text"]), (words, words))
        self.assertNotIn("<script", self.first.dispute_ids.message_ids[-1].body)

    def test_list_is_paged_and_filtered(self):
        numbers = [self.open_one(number).json()["number"] for number in (1, 2)]
        self._dispute_b()
        page = self.call("GET", f"{DISPUTES}?limit=1").json()
        self.assertEqual([each["number"] for each in page["disputes"]], numbers[:1])
        rest = self.call("GET", f"{DISPUTES}?limit=1&cursor={page['next_cursor']}").json()
        self.assertEqual([each["number"] for each in rest["disputes"]], numbers[1:])
        self.assertIsNone(rest["next_cursor"])
        for query, count in (
            ("state=open", 2),
            ("state=closed", 0),
            ("state=opened,rejected", 2),
            (f"settlement={self.settlement.name}", 2),
            ("settlement=CLR/X", 0),
            ("updated_from=2000-01-01T00:00:00Z", 2),
            ("updated_from=2100-01-01T00:00:00%2B01:00", 0),
        ):
            with self.subTest(query):
                found = self.call("GET", f"{DISPUTES}?{query}").json()["disputes"]
                self.assertEqual(len(found), count)
        for query in ("state=x", "limit=0", "limit=501", "limit=x", "cursor=-1", "updated_from=yesterday"):
            with self.subTest(query):
                self.assertProblem(self.call("GET", f"{DISPUTES}?{query}"), 400, "bad-request")

    def test_conversation_and_steps(self):
        url = f"{DISPUTES}/{self.open_one().json()['number']}"
        dispute = self.first.dispute_ids
        self.assertProblem(self.call("POST", f"{url}/accept", {}), 409, "conflict")
        dispute.with_user(self.operator)._step("asked", OWNER, "Which card?", at=IN_WINDOW)
        answer = self.call("POST", f"{url}/messages", {"text": "The blue one."})
        self.assertEqual((answer.status_code, answer.json()["state"]), (201, "opened"), answer.text)
        self.assertEqual(
            [(each["by"], each["text"]) for each in answer.json()["messages"]][-2:],
            [("us", "Information asked for: Which card?"), ("you", "To answer: The blue one.")],
        )
        dispute.with_user(self.operator)._step("rejected", OWNER, "It was 10.", at=IN_WINDOW)
        self.assertProblem(self.call("POST", f"{url}/contest", {}), 422, "invalid", "/text")
        contested = self.call("POST", f"{url}/contest", {"text": "See the photo."})
        self.assertEqual((contested.json()["state"], contested.json()["turn"]), ("contested", "us"))
        told = self.call("POST", f"{url}/messages", {"text": "Any news?"}).json()
        self.assertEqual((told["state"], told["messages"][-1]["text"]), ("contested", "Any news?"))
        withdrawn = self.call("POST", f"{url}/withdraw")
        self.assertEqual((withdrawn.status_code, withdrawn.json()["state"]), (200, "withdrawn"))
        self.assertEqual(self.first.state, "open")
        problem = self.assertProblem(self.call("POST", f"{url}/withdraw", {}), 409, "conflict")
        self.assertIn("is closed", problem["detail"])

    def test_rejection_is_accepted(self):
        url = f"{DISPUTES}/{self.open_one().json()['number']}"
        self.first.dispute_ids._step("rejected", OWNER, "It was 10.", at=IN_WINDOW)
        answer = self.call("POST", f"{url}/accept", {})
        self.assertEqual((answer.json()["state"], self.first.state), ("dismissed", "open"))

    def test_what_the_partner_says_is_mailed_to_us_and_not_back(self):
        number = self.open_one().json()["number"]
        mails = self.env["mail.mail"].search([])
        self.call("POST", f"{DISPUTES}/{number}/messages", {"text": "Any news?"})
        [mail] = self.env["mail.mail"].search([]) - mails
        self.assertIn("odile@rvr.example", mail.email_to)

    def test_settlement_is_approved_once(self):
        self.open_one()
        url = f"{BASE}/settlements/{self.settlement.name}/approve"
        answer = self.call("POST", url).json()
        self.assertEqual(
            (answer["amount"], answer["sessions"], answer["disputed_amount"]), ("10.30", 1, "6.40")
        )
        self.assertEqual(answer["approved_at"], "2026-11-04T23:00:00Z")
        self.assertEqual(self.settlement.approved_by_id, self.partner)
        self.assertProblem(self.call("POST", url), 409, "conflict")
        self.assertProblem(self.open_one(2), 409, "conflict", "/cdr")

    def test_description_names_every_route_and_no_partner(self):
        response = self.url_open(f"{BASE}/openapi.json")
        described = response.json()
        self.assertEqual((response.status_code, described["openapi"]), (200, "3.1.0"))
        rules = {
            (rule.rule.replace("<string:number>", "{number}").replace("<path:number>", "{number}"), method)
            for rule in self.env["ir.http"].routing_map().iter_rules()
            for method in rule.endpoint.routing["methods"] or ()
            if rule.rule.startswith(BASE)
        }
        told = {(path, method.upper()) for path, item in described["paths"].items() for method in item}
        self.assertEqual(told, rules)
        self.assertNotIn("SMO", response.text)
        dispute = described["components"]["schemas"]["Dispute"]
        self.assertEqual(set(dispute["required"]), self.open_one().json().keys())


@tagged("post_install", "-at_install")
class TestDisputesApiCallers(DisputesApiCommon):
    def test_every_refusal_of_a_token_reads_the_same(self):
        own = {"own_country_code": "FR", "own_party_id": "RVR"}
        pending = self._connect("NEW", self.partner, **own)
        token = pending.action_give_token()["context"]["default_token"]
        expired = self._create_key(self.user, "other.scope")
        bodies = set()
        for header in (
            "Token ",
            "Token %%%",
            "Basic dXNlcjpwYXNz",
            "Bearer",
            f"Bearer {'0' * 40}",
            f"Bearer {expired}",
            "Token " + base64.b64encode(b"x" * 43).decode(),
            "Token " + base64.b64encode(token.encode()).decode(),
        ):
            with self.subTest(header[:12]):
                response = self.call("GET", DISPUTES, token=header)
                self.assertProblem(response, 401, "unauthorized")
                self.assertIn("Token", response.headers["WWW-Authenticate"])
                bodies.add(response.text)
        self.assertEqual(len(bodies), 1)

    def test_session_of_a_browser_opens_nothing(self):
        self.log_in()
        response = self.url_open(DISPUTES)
        self.assertEqual(response.status_code, 401)

    def test_platform_that_is_no_emsp_is_forbidden(self):
        own = self.connection._generate_token()
        nobody = self._connect("NOB", self.env["res.partner"])._generate_token()
        for token in (own, nobody):
            self.assertProblem(self.call("GET", DISPUTES, token=token), 403, "forbidden")

    def test_key_of_an_employee_is_forbidden(self):
        employee = new_test_user(self.env, login="employee_key", groups="base.group_user")
        key = self._create_key(employee)
        self.assertProblem(self.call("GET", DISPUTES, token=f"Bearer {key}"), 403, "forbidden")

    def test_key_of_a_portal_user_opens_in_its_name(self):
        body = {"cdr_id": "CDR-1", "reason": "price"}
        response = self.call("POST", DISPUTES, body, token=f"Bearer {self.key}")
        self.assertEqual(response.status_code, 201, response.text)
        self.assertEqual(self.first.dispute_ids.opened_by_id, self.frieda)
        whole = self._create_key(self.user, None)
        found = self.call("GET", DISPUTES, token=f"bearer {whole}").json()["disputes"]
        self.assertEqual([each["cdr"]["id"] for each in found], ["CDR-1"])

    def test_nothing_of_another_partner_exists(self):
        dispute = self._dispute_b()
        dispute._step("rejected", OWNER, "No.", at=IN_WINDOW)
        for token in (self.token, f"Bearer {self.key}"):
            calls = [
                ("GET", f"{DISPUTES}/{dispute.name}", None),
                *(
                    ("POST", f"{DISPUTES}/{dispute.name}/{step}", {"text": "Mine"})
                    for step in ("messages", "contest", "accept", "withdraw")
                ),
                ("POST", f"{BASE}/settlements/{self.settlement_b.name}/approve", {}),
                ("POST", DISPUTES, {"cdr_id": "CDR-12", "reason": "price"}),
            ]
            for method, url, body in calls:
                with self.subTest(url=url, token=token[:6]):
                    foreign = self.call(method, url, body, token=token)
                    self.assertEqual(foreign.status_code, 404, foreign.text)
                    self.assertNotIn("Secret", foreign.text)
                    unknown = url.replace(dispute.name, "DSP999999").replace(self.settlement_b.name, "CLR/9")
                    body = body and {**body, **({"cdr_id": "CDR-99"} if "cdr_id" in body else {})}
                    missing = self.call(method, unknown, body, token=token)
                    self.assertEqual(foreign.json(), missing.json())
            listed = self.call("GET", DISPUTES, token=token).json()
            self.assertEqual(listed, {"disputes": [], "next_cursor": None})
        self.assertEqual((dispute.state, self.cdrs_b[1].state), ("rejected", "open"))
        self.assertFalse(self.settlement_b.approved_at)

    def test_disputes_that_we_raised_are_not_its_to_decide(self):
        """The same partner as a CPO: those are answered in the conversation."""
        dispute = self._dispute(self.first)
        dispute.sudo()._store({"direction": "raised"})
        self.assertProblem(self.call("GET", f"{DISPUTES}/{dispute.name}"), 404, "not-found")

    def test_platform_disputes_sessions_of_its_own_parties_alone(self):
        """Both parties belong to one partner and one contract; each platform speaks for its own."""
        party = {"country_code": "DE", "ocpi_party_id": "SMX"}
        self.contract.party_ids = [Command.create(party)]
        token = self._connect("SMX", self.partner)._generate_token()
        body = {"cdr_id": "CDR-1", "reason": "price"}
        self.assertProblem(self.call("POST", DISPUTES, body, token=token), 404, "not-found", "/cdr_id")

    def test_held_session_does_not_exist(self):
        self.first._store({"state": "quarantine"})
        self.assertProblem(self.open_one(), 404, "not-found", "/cdr_id")


@tagged("post_install", "-at_install")
class TestDisputesApiOnce(DisputesApiCommon):
    def once(self, number=1, key="K-1", **options):
        body = {"cdr_id": f"CDR-{number}", "reason": "price"}
        return self.call("POST", DISPUTES, body, **{"Idempotency-Key": key}, **options)

    def test_same_key_with_the_same_body_answers_the_same(self):
        first = self.once()
        # What happened since changes nothing of it.
        self.first.dispute_ids._step("rejected", OWNER, "No.", at=IN_WINDOW)
        again = self.once()
        self.assertEqual((first.status_code, again.status_code), (201, 201))
        self.assertEqual(first.content, again.content)
        self.assertEqual(len(self.first.dispute_ids), 1)

    def test_same_key_with_another_body_is_refused(self):
        self.once()
        self.assertProblem(self.once(2), 422, "idempotency-key")
        self.assertEqual(self.second.state, "open")

    def test_key_of_another_partner_is_another_key(self):
        self.once()
        response = self.once(11, token=self.token_b)
        self.assertEqual(response.status_code, 201, response.text)

    def test_refused_request_may_come_again_with_its_key(self):
        self._set_clock(LOCK)
        self.assertProblem(self.once(), 409, "conflict", "/cdr")
        self._set_clock(LOCK - SECOND)
        self.assertEqual(self.once().status_code, 201)

    def test_key_that_is_none(self):
        self.assertProblem(self.once(key="k" * 256), 400, "bad-request")

    def test_two_at_once_are_one(self):
        """The row of the other is not in the snapshot: the request is replayed, and finds it then."""
        answers = self.env["emsp.api.answer"].sudo()
        claim = (self.company, self.partner, "K-1", "0" * 64)
        answers._claim(*claim)
        with patch.object(type(answers), "search", lambda rows, domain: rows.browse()):
            with mute_logger("odoo.sql_db"), self.assertRaises(ConcurrencyError):
                answers._claim(*claim)
        self.assertEqual(answers.search_count([("key", "=", "K-1")]), 1)

    def test_answers_are_kept_for_thirty_days(self):
        self.once()
        answers = self.env["emsp.api.answer"].sudo()
        row = answers.search([("key", "=", "K-1")])
        created = row.create_date
        for days, left in ((29, 1), (31, 0)):
            self._set_clock(created + timedelta(days=days))
            answers._gc_old()
            self.assertEqual(answers.search_count([("key", "=", "K-1")]), left)
