from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from ..models.emsp_ocpi_message import EmspOcpiMessage
from .handshake_common import HandshakeCommon
from .http_common import CDRS
from .ocpi_peer import ALL_VERSIONS

SECRET_FIELDS = ("token_hash", "previous_token_hash", "pending_token_hash", "peer_token")


@tagged("post_install", "-at_install")
class TestOcpiCredentialsServer(HandshakeCommon):
    def test_ocpi_7_1_1_peer_registers_in_each_version(self):
        for version in ALL_VERSIONS:
            with self.subTest(version=version), self.peer() as peer:
                self.cpo._unregister()
                token_a = self.token_a()
                self.assertEqual(self.cpo.state, "token_given")
                response = self.credentials("POST", version, token_a, data=self.theirs(peer, version))
                self.assertAnswer(response, 200, 1000)
                data = response.json()["data"]
                self.assertEqual(peer.paths(), ["/versions", f"/{version}"])
                self.assertEqual(data["url"], f"{self.base_url()}/ocpi/versions")
                if version == "2.1.1":
                    party = data
                    self.assertNotIn("roles", data)
                else:
                    [party] = data["roles"]
                    self.assertEqual(party["role"], "EMSP")
                self.assertEqual((party["country_code"], party["party_id"]), ("FR", "RVR"))
                self.assertEqual(party["business_details"]["name"], self.company.name)
                self.assertEqual((self.cpo.state, self.cpo.version), ("registered", version))
                self.assertEqual(self.cpo._peer_token_clear(), "peer-token-b")
                self.assertEqual(self.cpo._endpoint_url("cdrs", "SENDER"), f"{peer.base}/{version}/cdrs")
                self.assertAnswer(self.ocpi_get("/ocpi/versions", token=token_a), 401, 2000)
                self.assertAnswer(self.ocpi_get("/ocpi/versions", token=data["token"]), 200, 1000)

    def test_token_a_opens_versions_and_credentials_alone(self):
        token = self.token_a()
        for url in ("/ocpi/versions", "/ocpi/2.2.1", "/ocpi/2.2.1/credentials"):
            self.assertAnswer(self.ocpi_get(url, token=token), 200, 1000)
        for method, url in (("POST", CDRS), ("GET", "/ocpi/emsp/2.2.1/tokens"), ("GET", "/ocpi/x")):
            self.assertAnswer(self.ocpi(method, url, token=token, data=b"{}"), 401, 2000)

    def test_get_gives_the_callers_own_token_and_our_party(self):
        with self.peer() as peer:
            token = self.register_peer(peer)
        data = self.credentials("GET", token=token).json()["data"]
        self.assertEqual((data["token"], data["roles"][0]["party_id"]), (token, "RVR"))

    def test_callback_that_fails_is_answered_3001_and_changes_nothing(self):
        def hang_up():
            raise ConnectionResetError

        for path, answer in (
            ("/versions", (500, b"oops", {})),
            ("/versions", (200, b"no JSON", {})),
            ("/versions", (200, {"status_code": 2000}, {})),
            ("/versions", hang_up),
            ("/2.2.1", (404, b"", {})),
            ("/2.2.1", (200, {"status_code": 1000, "data": {"version": "2.2.1"}}, {})),
        ):
            with self.subTest(path=path, answer=answer), self.peer() as peer:
                peer.answers[path] = answer
                token = self.token_a()
                response = self.credentials("POST", token=token, data=self.theirs(peer))
                self.assertAnswer(response, 200, 3001)
                self.assertEqual(self.cpo.state, "token_given")
                self.assertFalse(self.cpo._peer_token_clear() or self.cpo.endpoint_ids)
                self.assertAnswer(self.ocpi_get("/ocpi/versions", token=token), 200, 1000)

    def test_callback_into_our_own_network_is_answered_as_any_that_fails(self):
        self.cpo.allow_private_network = False
        answers = []
        for addresses in (["10.0.0.1"], []):
            with self.peer() as peer, self.resolving(*addresses):
                body = self.theirs(peer, url="https://peer.test/versions")
                answers.append(self.credentials("POST", token=self.token_a(), data=body))
        inside, unknown = answers
        self.assertAnswer(inside, 200, 3001)
        self.assertEqual(inside.json()["status_message"], unknown.json()["status_message"])

    def test_no_common_version_is_answered_3002_and_no_credentials_endpoint_3003(self):
        with self.peer(versions=("2.1.1",)) as peer:
            response = self.credentials("POST", token=self.token_a(), data=self.theirs(peer))
            self.assertAnswer(response, 200, 3002)
        with self.peer() as peer:
            peer.modules = ("cdrs",)
            response = self.credentials("POST", token=self.token_a(), data=self.theirs(peer))
            self.assertAnswer(response, 200, 3003)

    def test_credentials_of_another_party_are_refused_unless_a_hub_brings_them(self):
        with self.peer(party=("NL", "XYZ")) as peer:
            body = self.theirs(peer)
            response = self.credentials("POST", token=self.token_a(), data=body)
            self.assertAnswer(response, 400, 2001, "roles: expected NL*TNM, got NL*XYZ")
            self.cpo.is_hub = True
            self.assertAnswer(self.credentials("POST", token=self.token_a(), data=body), 200, 1000)

    def test_refused_credentials_are_kept_without_their_token(self):
        for body in (
            b'{"token": "very-secret", "url": 7}',
            b'{"token" : "very-secret',
            b'{"tok\\u0065n": "very-secret"}',
            b'{"token": ["very-secret"]}',
        ):
            response = self.credentials("POST", token=self.token_a(), data=body)
            self.assertAnswer(response, 400, 2001)
            message = self.env["emsp.ocpi.message"].search([], limit=1)
            self.assertEqual((message.module, message.http_status), ("credentials", 400))
            self.assertNotIn("very-secret", response.text + str(message.read()))

    def test_ocpi_7_2_post_when_registered_and_put_or_delete_when_not_get_405(self):
        token_a = self.token_a()
        for method in ("PUT", "DELETE"):
            self.assertAnswer(self.credentials(method, token=token_a, data=b"{}"), 405, 2000)
            self.assertAnswer(self.credentials(method, data=b"{}"), 405, 2000)
        with self.peer() as peer:
            token = self.register_peer(peer)
            response = self.credentials("POST", token=token, data=self.theirs(peer))
        self.assertAnswer(response, 405, 2000)
        self.assertEqual(response.headers["Allow"], "GET, PUT, DELETE")

    def test_put_renews_both_tokens_and_the_old_one_lives_until_the_new_one_is_used(self):
        with self.peer() as peer:
            old = self.register_peer(peer)
            peer.modules = ("credentials", "tariffs")
            response = self.credentials("PUT", token=old, data=self.theirs(peer, token="peer-token-2"))
            self.assertAnswer(response, 200, 1000)
            new = response.json()["data"]["token"]
        self.assertEqual(self.cpo._peer_token_clear(), "peer-token-2")
        self.assertEqual(self.cpo.endpoint_ids.mapped("identifier"), ["credentials", "tariffs"])
        self.assertAnswer(self.ocpi_get("/ocpi/versions", token=old), 200, 1000)
        self.assertAnswer(self.ocpi_get("/ocpi/versions", token=new), 200, 1000)
        self.assertAnswer(self.ocpi_get("/ocpi/versions", token=old), 401, 2000)

    def test_grace_ends_with_a_writing_request_too(self):
        with self.peer() as peer:
            old = self.register_peer(peer)
            response = self.credentials("PUT", token=old, data=self.theirs(peer))
        self.ocpi_post(b"{}", token=response.json()["data"]["token"])
        self.ocpi(
            "PUT", "/ocpi/emsp/2.2.1/tariffs/NL/TNM/1", token=response.json()["data"]["token"], data=b"{}"
        )
        self.ocpi_get("/ocpi/2.2.1", token=response.json()["data"]["token"])
        self.assertAnswer(self.ocpi_get("/ocpi/versions", token=old), 401, 2000)

    def test_put_whose_answer_was_lost_can_be_repeated_with_the_old_token(self):
        with self.peer() as peer:
            old = self.register_peer(peer)
            self.credentials("PUT", token=old, data=self.theirs(peer))
            response = self.credentials("PUT", token=old, data=self.theirs(peer))
        self.assertAnswer(response, 200, 1000)
        self.assertAnswer(self.ocpi_get("/ocpi/versions", token=old), 200, 1000)

    def test_put_changes_the_version(self):
        with self.peer() as peer:
            token = self.register_peer(peer, "2.1.1")
            response = self.credentials("PUT", "2.3.0", token, data=self.theirs(peer, "2.3.0"))
        self.assertAnswer(response, 200, 1000)
        self.assertEqual(self.cpo.version, "2.3.0")

    def test_delete_stops_all_traffic_and_keeps_the_data(self):
        with self.peer() as peer:
            token = self.register_peer(peer)
        self.assertAnswer(self.credentials("DELETE", token=token), 200, 1000)
        self.assertEqual(self.cpo.state, "unregistered")
        self.assertAnswer(self.ocpi_get("/ocpi/versions", token=token), 401, 2000)
        self.assertFalse(self.cpo._peer_token_clear())
        self.assertTrue(self.cpo.ocpi_message_ids)
        with self.peer() as peer:
            self.assertTrue(self.register_peer(peer))

    def test_header_form_of_the_peer_is_learned(self):
        for is_encoded, form in ((True, "base64"), (False, "plain")):
            self.cpo._unregister()
            token = self.token_a()
            headers = {} if is_encoded else {"Authorization": f"Token {token}"}
            with self.peer() as peer:
                peer.is_encoded = is_encoded
                body = self.theirs(peer)
                response = self.credentials("POST", token=token, data=body, headers=headers)
            self.assertAnswer(response, 200, 1000)
            self.assertEqual(self.cpo.peer_token_form, form)

    def test_manual_token_needs_no_handshake(self):
        token = self.cpo._generate_token()
        self.assertEqual(self.cpo.state, "draft")
        self.assertAnswer(self.ocpi_get("/ocpi/emsp/2.2.1/tokens", token=token), 200, 1000)

    def test_without_a_party_of_ours_nobody_registers(self):
        self.cpo.own_party_id = False
        with self.assertRaisesRegex(UserError, "own OCPI party"):
            self.token_a()
        token = self.cpo._generate_token()
        self.assertAnswer(self.credentials("GET", token=token), 200, 3000)


@tagged("post_install", "-at_install")
class TestOcpiCredentialsClient(HandshakeCommon):
    def test_we_register_in_the_highest_common_version(self):
        for version in ALL_VERSIONS:
            offered = ALL_VERSIONS[: ALL_VERSIONS.index(version) + 1]
            with self.subTest(version=version), self.peer(versions=("2.0", *offered)) as peer:
                self.cpo._unregister()
                self.register_with(peer)
                self.assertEqual((self.cpo.state, self.cpo.version), ("registered", version))
                self.assertEqual(peer.paths("POST"), [f"/{version}/credentials"])
                # Called back with our new token, before the answer came.
                self.assertEqual([status for status, __ in peer.called_back], [200, 200])
                party = peer.received if version == "2.1.1" else peer.received["roles"][0]
                self.assertEqual(party["party_id"], "RVR")
                self.assertEqual(self.cpo._peer_token_clear(), "peer-token-c1")
                self.assertEqual(self.cpo.peer_parties.split()[-1], "NL*TNM")
                # Verified with the partner's final token.
                self.assertEqual(peer.paths()[-1], "/versions")
                token = peer.received["token"]
                self.assertAnswer(self.ocpi_get("/ocpi/emsp/2.2.1/tokens", token=token), 200, 1000)

    def test_token_a_is_tried_in_both_spellings(self):
        # OCPI has 401 for a stranger; some platforms say 403.
        for is_encoded, status in ((True, 401), (False, 401), (True, 403), (False, 403)):
            for version in ("2.1.1", "2.2.1"):
                self.cpo._unregister()
                self.cpo.write({"version": version, "peer_token_form": False})
                with self.peer(versions=(version,)) as peer:
                    peer.is_encoded, peer.stranger_status = is_encoded, status
                    self.register_with(peer)
                self.assertEqual(self.cpo.peer_token_form, "base64" if is_encoded else "plain")

    def test_registration_that_the_peer_refuses_leaves_no_token_behind(self):
        with self.peer() as peer:
            peer.answers["/2.3.0/credentials"] = (200, {"status_code": 3001, "status_message": "no way"}, {})
            text = self.failure_of(lambda: self.register_with(peer))
        self.assertIn("3001 no way", text)
        self.assertEqual(self.cpo.state, "draft")
        self.assertFalse(self.cpo.sudo().pending_token_hash or self.cpo.sudo().token_hash)

    def test_answers_that_cannot_be_used_are_told_in_plain_words(self):
        for path, answer, part in (
            ("/versions", (200, {"status_code": 1000, "data": []}, {}), "No common version"),
            ("/versions", (200, {"status_code": 1000, "data": {}}, {}), "cannot be used"),
            ("/2.3.0/credentials", (200, {"status_code": 1000, "data": {}}, {}), "cannot be used"),
            ("/2.3.0", (503, b"<html>", {}), "HTTP 503"),
        ):
            with self.subTest(part=part), self.peer() as peer:
                peer.answers[path] = answer
                self.assertIn(part, self.failure_of(lambda peer=peer: self.register_with(peer)))
                self.assertEqual(self.cpo.state, "draft")

    def test_rotation_keeps_our_old_token_until_the_new_one_is_used(self):
        with self.peer() as peer:
            self.register_with(peer)
            old = peer.received["token"]
            self.act(self.cpo.action_rotate_token)
            new = peer.received["token"]
            self.assertEqual(peer.paths("PUT"), ["/2.3.0/credentials"])
        self.assertNotEqual(old, new)
        self.assertEqual(self.cpo._peer_token_clear(), "peer-token-c2")
        self.assertAnswer(self.ocpi_get("/ocpi/versions", token=old), 200, 1000)
        self.assertAnswer(self.ocpi_get("/ocpi/versions", token=new), 200, 1000)
        self.assertAnswer(self.ocpi_get("/ocpi/versions", token=old), 401, 2000)

    def test_rotation_that_fails_changes_nothing(self):
        with self.peer() as peer:
            self.register_with(peer)
            peer.answers["/2.3.0/credentials"] = (500, b"", {})
            self.failure_of(self.cpo.action_rotate_token)
            self.assertAnswer(self.ocpi_get("/ocpi/versions", token=peer.received["token"]), 200, 1000)
            self.assertEqual(self.cpo._peer_token_clear(), "peer-token-c1")
            self.assertFalse(self.cpo.sudo().pending_token_hash)

    def test_unregister_ends_both_sides(self):
        with self.peer() as peer:
            self.register_with(peer)
            self.act(self.cpo.action_unregister)
            self.assertEqual(peer.paths("DELETE"), ["/2.3.0/credentials"])
        self.assertEqual(self.cpo.state, "unregistered")
        response = self.ocpi_get("/ocpi/versions", token=peer.received["token"])
        self.assertAnswer(response, 401, 2000)

    def test_unregister_where_the_peer_has_forgotten_us(self):
        with self.peer() as peer:
            self.register_with(peer)
            peer.tokens.clear()
            self.act(self.cpo.action_unregister)
        self.assertEqual(self.cpo.state, "unregistered")

    def test_unregister_that_does_not_reach_the_peer_changes_nothing(self):
        with self.peer() as peer:
            self.register_with(peer)
        self.assertIn("cannot be reached", self.failure_of(self.cpo.action_unregister))
        self.assertEqual(self.cpo.state, "registered")

    def test_health_check_says_in_plain_words_how_the_peer_is(self):
        with self.peer() as peer:
            self.register_with(peer)
            good = self.act(self.cpo.action_check_health)["params"]
            peer.answers["/versions"] = (503, b"", {})
            bad = self.act(self.cpo.action_check_health)["params"]
        self.assertEqual(good["type"], "success")
        self.assertIn("2.1.1, 2.2.1, 2.3.0", good["message"])
        self.assertEqual(bad["type"], "danger")
        self.assertIn("HTTP 503", bad["message"])
        self.assertIn("HTTP 503", self.cpo.last_error)

    def test_static_token_of_the_partner_needs_no_handshake(self):
        with self.peer() as peer:
            wizard = self.env["emsp.ocpi.connection.register"].create(
                {
                    "connection_id": self.cpo.id,
                    "versions_url": peer.versions_url,
                    "token": "peer-token-a",
                    "is_static": True,
                }
            )
            wizard.action_register()
            self.assertEqual((self.cpo.state, self.cpo._peer_token_clear()), ("draft", "peer-token-a"))
            self.assertEqual(self.act(self.cpo.action_check_health)["params"]["type"], "success")

    def test_actions_in_the_wrong_state_are_refused(self):
        for action in (self.cpo.action_rotate_token, self.cpo.action_unregister):
            with self.assertRaisesRegex(UserError, "not registered"):
                action()
        with self.peer() as peer:
            self.register_with(peer)
            for action in (lambda: self.register_with(peer), self.cpo.action_give_token):
                self.assertIn("Rotate", self.failure_of(action))

    def test_copy_of_the_database_with_another_secret_calls_nobody(self):
        with self.peer() as peer:
            self.register_with(peer)
            self.env["ir.config_parameter"].sudo().set_param("database.secret", "another")
            before = len(peer.requests)
            params = self.act(self.cpo.action_check_health)["params"]
            self.assertIn("token is not known", params["message"])
            self.assertEqual(len(peer.requests), before)


@tagged("post_install", "-at_install")
class TestOcpiSecrets(HandshakeCommon):
    def users(self):
        for group in ("user", "operator", "manager"):
            yield new_test_user(
                self.env,
                f"secret_{group}",
                f"base.group_system,emsp_clearing.emsp_clearing_group_{group}",
                company_id=self.company.id,
                company_ids=[(6, 0, self.company.ids)],
            )
        yield self.env.ref("emsp_clearing.user_ocpi")

    def test_no_role_reads_writes_or_searches_a_secret(self):
        with self.peer() as peer:
            self.register_with(peer)
        for user in self.users():
            connection = self.cpo.with_user(user).sudo(False)
            for name in SECRET_FIELDS:
                with self.subTest(user=user.login, name=name):
                    self.assertNotIn(name, connection.fields_get())
                    with self.assertRaises(AccessError):
                        connection.read([name])
                    with self.assertRaises(AccessError):
                        connection.write({name: "x"})
                    with self.assertRaises(AccessError):
                        connection.search([(name, "like", "a")])
                    with self.assertRaises(UserError):
                        connection.export_data([name])

    def test_no_table_and_no_message_holds_a_token_in_clear(self):
        with self.peer() as peer:
            with self.assertLogs(level="DEBUG") as logs:
                self.register_with(peer)
                peer.answers["/2.3.0/credentials"] = (200, {"status_code": 2000, "token": "peer-token-x"}, {})
                self.failure_of(self.cpo.action_rotate_token)
            secrets = ("peer-token", peer.received["token"])
        self.env.flush_all()
        self.cr.execute("SELECT to_jsonb(c)::text FROM emsp_ocpi_connection c")
        rows = self.cr.fetchall()
        self.cr.execute("SELECT to_jsonb(w)::text FROM emsp_ocpi_connection_register w")
        rows += self.cr.fetchall()
        self.cr.execute("SELECT to_jsonb(m)::text FROM emsp_ocpi_message m")
        rows += self.cr.fetchall()
        self.cr.execute("SELECT body FROM mail_message WHERE model = 'emsp.ocpi.connection'")
        rows += self.cr.fetchall()
        ours = [line for line in logs.output if "emsp" in line.split(":", 2)[1]]
        for secret in secrets:
            self.assertNotIn(secret, str(rows))
            self.assertNotIn(secret, str(ours))

    def test_dialog_shows_the_registration_token_once_and_forgets_what_was_typed_in(self):
        action = self.cpo.action_give_token()
        self.assertTrue(self.env[action["res_model"]]._abstract)
        self.assertTrue(action["context"]["default_versions_url"].endswith("/ocpi/versions"))
        wizard = self.env["emsp.ocpi.connection.register"].create(
            {"connection_id": self.cpo.id, "versions_url": "https://x.test", "token": "typed"}
        )
        wizard.invalidate_recordset()
        self.assertFalse(wizard.token)
        self.assertNotIn("typed", wizard.sudo().token_encrypted)

    def test_only_managers_shake_hands(self):
        operator = next(user for user in self.users() if user.login == "secret_operator")
        connection = self.cpo.with_user(operator).sudo(False)
        with self.assertRaises(AccessError):
            connection.action_give_token()
        with self.assertRaises(AccessError):
            connection._register_with_peer("https://x.test", "t")

    def test_nobody_sets_the_state_by_hand(self):
        with self.assertRaisesRegex(UserError, "handshake"):
            self.cpo.write({"state": "registered"})

    def test_messages_are_kept_by_a_cursor_of_their_own(self):
        keep, cursors = EmspOcpiMessage._keep, []

        def spy(messages, *args):
            cursors.append(messages.env.cr)
            return keep(messages, *args)

        with self.peer() as peer, patch.object(EmspOcpiMessage, "_keep", spy):
            peer.answers["/versions"] = (500, b"", {})
            self.failure_of(lambda: self.register_with(peer))
        self.assertEqual([cr is self.env.cr for cr in cursors], [False])
        self.assertTrue(cursors[0]._closed)
        message = self.env["emsp.ocpi.message"].search([("connection_id", "=", self.cpo.id)])
        self.assertEqual((message.http_status, message.direction), (500, "out"))
