import base64
from unittest.mock import patch

from odoo.tests import HOST, tagged

from ..models.emsp_cdr_intake import EmspCdrIntake
from .common import cdr_payload
from .http_common import CDRS, EmspHttpCommon


@tagged("post_install", "-at_install")
class TestOcpiAuth(EmspHttpCommon):
    def assertRefused(self, authorization):
        response = self.ocpi_get("/ocpi/versions", headers={"Authorization": authorization})
        self.assertAnswer(response, 401, 2000)
        return {**response.json(), "timestamp": None}

    def test_ocpi_4_1_2_base64_token_is_taken(self):
        self.assertAnswer(self.ocpi_get("/ocpi/versions"), 200, 1000)

    def test_token_in_clear_is_taken_as_older_peers_send_it(self):
        response = self.ocpi_get("/ocpi/versions", headers={"Authorization": f"Token {self.token}"})
        self.assertAnswer(response, 200, 1000)

    def test_line_feed_inside_the_base64_is_taken_as_in_the_specification_sample(self):
        encoded = base64.b64encode(f"{self.token}\n".encode()).decode()
        response = self.ocpi_get("/ocpi/versions", headers={"Authorization": f"Token {encoded}"})
        self.assertAnswer(response, 200, 1000)

    def test_every_refusal_reads_the_same(self):
        replaced = self.authorization(self.token)
        self.connection._generate_token()
        archived = self.connection.copy({"name": "Old", "ocpi_party_id": "OLD"})
        archived_token = archived._generate_token()
        archived.action_archive()
        unknown = "x" * 43
        bodies = [
            self.assertRefused(authorization)
            for authorization in (
                None,
                "Token",
                "Token ",
                "Basic dXNlcjpwYXNz",
                "Token %%%",
                "Token /////w==",  # Base64 of what is no UTF-8
                self.authorization(unknown),
                f"Token {unknown}",
                replaced,
                self.authorization(archived_token),
            )
        ]
        self.assertEqual(bodies, [bodies[0]] * len(bodies))

    def test_refusal_names_the_scheme_and_keeps_nothing(self):
        before = self.env["emsp.ocpi.message"].search_count([])
        response = self.ocpi_post(cdr_payload(), token="x" * 43)
        self.assertAnswer(response, 401, 2000)
        self.assertEqual(response.headers["WWW-Authenticate"], "Token")
        self.assertFalse(self.stored())
        self.assertEqual(self.env["emsp.ocpi.message"].search_count([]), before)

    def test_hash_of_the_token_is_no_token(self):
        self.assertRefused(self.authorization(self.connection.sudo().token_hash))

    def test_other_spellings_of_the_scheme_need_a_switch(self):
        encoded = self.authorization().removeprefix("Token ")
        spellings = [f"token {encoded}", f"Bearer {self.token}", self.token, encoded]
        for spelling in spellings:
            self.assertRefused(spelling)
        self.connection.allow_header_forms = True
        for spelling in spellings:
            response = self.ocpi_get("/ocpi/versions", headers={"Authorization": spelling})
            self.assertAnswer(response, 200, 1000)

    def test_unknown_path_and_method_need_a_token_too(self):
        for method, url in (("GET", "/ocpi/nothing"), ("PUT", CDRS), ("GET", f"{CDRS}/FR/RVR/CDR-1")):
            self.assertAnswer(self.ocpi(method, url, token="x" * 43), 401, 2000)

    def test_request_acts_as_the_technical_user_in_the_company_of_the_connection(self):
        receive, seen = EmspCdrIntake._receive, []

        def spy(cdrs, *args):
            seen.append((cdrs.env.su, cdrs.env.user.id, cdrs.env.companies.ids))
            return receive(cdrs, *args)

        with patch.object(EmspCdrIntake, "_receive", spy):
            self.ocpi_post(cdr_payload())
        user = self.env.ref("emsp_clearing.user_ocpi")
        self.assertEqual(seen, [(False, user.id, self.company.ids)])
        self.assertEqual((self.stored().create_uid, self.stored().company_id), (user, self.company))

    def test_session_of_a_browser_gives_no_access_and_none_is_opened(self):
        self.authenticate(self.env.user.login, self.env.user.login)
        self.assertRefused(None)
        self.opener.cookies.set("session_id", "", domain=HOST)
        self.assertNotIn("Set-Cookie", self.ocpi_get("/ocpi/versions").headers)

    def test_token_is_found_in_no_log_and_no_message(self):
        authorization = self.authorization()
        with self.assertLogs(level="DEBUG") as logs:
            self.ocpi_post(cdr_payload())
            self.ocpi_post(b"no JSON")
            self.assertRefused(self.authorization(self.token + "x"))
        kept = "\n".join([*logs.output, *(str(m.read()) for m in self.messages())])
        for secret in (self.token, authorization.removeprefix("Token ")):
            self.assertNotIn(secret, kept)
