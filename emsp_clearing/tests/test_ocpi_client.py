import socket
import time
from datetime import datetime, timedelta
from unittest.mock import patch

import requests

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from ..models import emsp_ocpi_client, emsp_ocpi_network
from ..models.emsp_ocpi_client import OcpiClient, url_without_secrets
from ..models.emsp_ocpi_client_errors import OcpiClientError
from .handshake_common import HandshakeCommon
from .ocpi_peer import OcpiPeer


class ClientCommon(HandshakeCommon):
    def setUp(self):
        super().setUp()
        running = OcpiPeer().running()
        self.peer_system = running.__enter__()
        self.addCleanup(running.__exit__, None, None, None)
        self.cpo._keep_static_peer(self.peer_system.versions_url, "peer-token-a")
        self.env.flush_all()
        self.url = f"{self.peer_system.base}/cdrs"

    def client(self, **options):
        return OcpiClient(self.cpo, **options)

    def failure(self, url=None, method="GET", module="cdrs", **options):
        """The OcpiClientError of one call; assertRaises would roll its message back."""
        try:
            url = self.url if url is None else url
            self.client(**options).call(method, url, module, b"{}" if method == "POST" else None)
        except OcpiClientError as error:
            return error
        return self.fail("OcpiClientError expected")

    def sent(self):
        domain = [("connection_id", "=", self.cpo.id), ("direction", "=", "out")]
        return self.env["emsp.ocpi.message"].search(domain, order="id desc")

    def headers(self):
        """Of the last request that the peer got."""
        return self.peer_system.requests[-1][2]


@tagged("post_install", "-at_install")
class TestOcpiClient(ClientCommon):
    def test_answer_is_read_from_its_envelope(self):
        self.peer_system.answers["/cdrs"] = self.peer_system.ok([{"id": "1"}], **{"X-Total-Count": "7"})
        reply = self.client().get(self.url, "cdrs", [("limit", "5")])
        self.assertEqual((reply.status_code, reply.data, reply.http_status), (1000, [{"id": "1"}], 200))
        self.assertEqual(reply.headers["x-total-count"], "7")
        self.assertEqual(self.peer_system.paths()[-1], "/cdrs?limit=5")

    def test_ocpi_4_1_2_token_stands_in_the_header_as_the_version_wants_it(self):
        for version, form, expected in (
            ("2.2.1", False, "Token cGVlci10b2tlbi1h"),
            ("2.3.0", False, "Token cGVlci10b2tlbi1h"),
            ("2.1.1", False, "Token peer-token-a"),
            ("2.1.1", "base64", "Token cGVlci10b2tlbi1h"),
            ("2.2.1", "plain", "Token peer-token-a"),
        ):
            self.cpo.write({"version": version, "peer_token_form": form})
            self.client().get(self.url, "cdrs")
            self.assertEqual(self.headers()["Authorization"], expected)

    def test_ocpi_4_1_4_request_id_is_new_and_correlation_id_is_kept(self):
        client = self.client(correlation_uid="story-1")
        client.get(self.url, "cdrs")
        first = self.headers()
        client.get(self.url, "cdrs")
        self.assertNotEqual(first["X-Request-ID"], self.headers()["X-Request-ID"])
        self.assertEqual(first["X-Correlation-ID"], "story-1")
        self.assertEqual(self.sent()[0].request_uid, self.headers()["X-Request-ID"])
        self.assertEqual(self.sent()[0].correlation_uid, "story-1")

    def test_ocpi_4_2_1_routing_headers_on_functional_modules_from_2_2_on(self):
        self.client().call("POST", self.url, "cdrs", {"id": "1"})
        headers = {name: value for name, value in self.headers().items() if name.startswith("OCPI-")}
        self.assertEqual(
            headers,
            {
                "OCPI-to-country-code": "NL",
                "OCPI-to-party-id": "TNM",
                "OCPI-from-country-code": "FR",
                "OCPI-from-party-id": "RVR",
            },
        )
        self.client().call("POST", self.url, "cdrs", {}, to_party=("DE", "ABC"))
        self.assertEqual(self.headers()["OCPI-to-party-id"], "ABC")
        self.client().get(self.peer_system.versions_url, "versions")
        self.assertNotIn("OCPI-to-party-id", self.headers())
        self.cpo.version = "2.1.1"
        self.client().get(self.url, "cdrs")
        self.assertNotIn("OCPI-to-party-id", self.headers())

    def test_pages_are_followed_as_the_peer_links_them(self):
        base = self.peer_system.base
        pages = {
            "/p1": self.peer_system.ok([1], Link=f'<{base}/p2?cursor=x>; rel="next"'),
            "/p2": self.peer_system.ok([2], Link='</p3>; rel="next"'),
            "/p3": self.peer_system.ok([3], Link=f'<{base}/p1>; rel="next"'),
        }
        self.peer_system.answers |= pages
        data = [reply.data for reply in self.client().get_pages(f"{base}/p1", "cdrs")]
        self.assertEqual(data, [[1], [2], [3]])
        self.assertEqual(self.peer_system.paths()[-2:], ["/p2?cursor=x", "/p3"])

    def test_what_went_wrong_is_told_in_plain_words(self):
        for answer, kind, part in (
            ((401, {"status_code": 2000}, {}), "http", "does not accept our token"),
            ((404, {"status_code": 2004, "status_message": "who?"}, {}), "http", "2004 who?"),
            ((502, b"<html>Bad gateway", {}), "http", "HTTP 502"),
            ((200, {"status_code": 2001, "status_message": "id"}, {}), "ocpi", "2001 id"),
            ((200, b"<html>", {}), "envelope", "no OCPI answer"),
            ((200, b"[]", {}), "envelope", "no OCPI answer"),
            ((200, {"status_code": "x"}, {}), "envelope", "no OCPI answer"),
        ):
            with self.subTest(answer=answer):
                self.peer_system.answers["/cdrs"] = answer
                error = self.failure()
                self.assertEqual(error.kind, kind)
                self.assertIn(part, str(error))
                self.assertEqual(self.sent()[0].message, str(error))
                self.assertTrue(self.sent()[0].is_refused)

    def test_status_as_text_is_a_status(self):
        self.peer_system.answers["/cdrs"] = (200, {"status_code": "1000", "data": 1}, {})
        self.assertEqual(self.client().get(self.url, "cdrs").status_code, 1000)

    def test_silent_peer_times_out(self):
        def sleep():
            time.sleep(1)
            return self.peer_system.ok([])

        self.peer_system.answers["/cdrs"] = sleep
        with patch.object(emsp_ocpi_network, "TIMEOUT_S", (0.2, 0.2)):
            self.assertEqual(self.failure().kind, "timeout")
        with patch.object(emsp_ocpi_client, "MAX_TOTAL_S", 0.1):
            self.assertEqual(self.failure().kind, "timeout")

    def test_limits_reach_the_connection_and_certificates_are_checked(self):
        with patch.object(emsp_ocpi_network.HTTPAdapter, "send", side_effect=requests.Timeout) as sent:
            self.failure()
        self.assertEqual(sent.call_args.kwargs["timeout"], (5, 30))
        self.assertIs(sent.call_args.kwargs["verify"], True)
        self.assertFalse(sent.call_args.kwargs["proxies"])

    def test_peer_that_is_not_there_is_told(self):
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{unused.getsockname()[1]}/cdrs"
            self.assertEqual(self.failure(url).kind, "connection")

    def test_answer_beyond_the_bound_is_not_read(self):
        self.peer_system.answers["/cdrs"] = (200, b" " * 5000, {})
        with patch.object(emsp_ocpi_client, "MAX_ANSWER_BYTES", 1000):
            self.assertEqual(self.failure().kind, "size")

    def test_redirect_is_followed_on_the_same_host_only(self):
        base = self.peer_system.base
        answers = self.peer_system.answers
        answers["/moved"] = self.peer_system.ok([1])
        for target in ("/moved", f"{base}/moved"):
            answers["/cdrs"] = (302, b"", {"Location": target})
            self.assertEqual(self.client().get(self.url, "cdrs").data, [1])
        for target in ("http://example.com/", f"{base.replace('127.0.0.1', 'localhost')}/moved", "//x.test/"):
            answers["/cdrs"] = (307, b"", {"Location": target})
            before = len(self.peer_system.requests)
            self.assertEqual(self.failure().kind, "redirect")
            self.assertEqual(len(self.peer_system.requests), before + 1)
        answers["/cdrs"] = (302, b"", {"Location": "/cdrs"})
        self.assertEqual(self.failure().kind, "redirect")
        self.assertEqual(self.failure(method="POST").kind, "redirect")

    def test_call_without_a_token_is_not_made(self):
        # sudo: nobody else may write it
        self.cpo.sudo().peer_token = False
        self.env.flush_all()
        self.assertEqual(self.failure().kind, "no_token")
        self.assertFalse(self.peer_system.requests)

    def test_token_that_fits_into_no_header_is_not_sent(self):
        self.assertEqual(self.failure(token="a\nb", is_encoded=False).kind, "bad_token")


@tagged("post_install", "-at_install")
class TestOcpiAddresses(ClientCommon):
    def setUp(self):
        super().setUp()
        self.cpo.allow_private_network = False
        self.env.flush_all()

    def test_address_inside_a_network_is_never_called(self):
        for address in (
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            # An address to refuse, not one to listen on.
            "0.0.0.0",  # noqa: S104
            "224.0.0.1",
            "::1",
            "fe80::1%eth0",
            "fd00::1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
        ):
            with self.subTest(address=address), self.resolving(address):
                self.assertEqual(self.failure("https://peer.test/x").kind, "address_private")

    def test_one_bad_address_among_good_ones_is_enough(self):
        with self.resolving("93.184.216.34", "10.0.0.1"):
            self.assertEqual(self.failure("https://peer.test/x").kind, "address_private")

    def test_name_that_is_none_is_told(self):
        with self.resolving():
            self.assertEqual(self.failure("https://peer.test/x").kind, "address_unknown")

    def test_malformed_addresses_are_refused(self):
        for url, kind in (
            ("http://peer.test/", "address_scheme"),
            ("ftp://peer.test/", "address_scheme"),
            ("file:///etc/passwd", "address_form"),
            ("https://", "address_form"),
            ("https://user:pw@peer.test/", "address_form"),
            ("https://peer.test:99999/", "address_form"),
            ("https://[::1/", "address_form"),
            ("/versions", "address_form"),
            ("https://peer.test/\r\nX: y", "address_form"),
            ("", "address_form"),
        ):
            with self.subTest(url=url), self.resolving("93.184.216.34"):
                self.assertEqual(self.failure(url).kind, kind)

    def test_name_that_leads_elsewhere_after_its_check_sends_nothing(self):
        before = len(self.peer_system.requests)
        with patch.object(emsp_ocpi_client, "check_url"):
            self.assertEqual(self.failure(self.url).kind, "connection")
        self.assertEqual(len(self.peer_system.requests), before)

    def test_redirect_into_the_network_is_refused(self):
        self.assertFalse(emsp_ocpi_network.is_public("127.0.0.1"))
        self.assertTrue(emsp_ocpi_network.is_public("93.184.216.34"))
        self.assertTrue(emsp_ocpi_network.is_public("2606:2800:220:1::1"))

    def test_partner_is_not_told_what_was_found_behind_a_name(self):
        with self.resolving("10.0.0.1"):
            inside = self.failure("https://peer.test/x").for_partner
        with self.resolving():
            unknown = self.failure("https://peer.test/x").for_partner
        self.assertEqual(inside, unknown)

    def test_only_managers_allow_a_private_network(self):
        operator = new_test_user(
            self.env,
            "op_net",
            "emsp_clearing.emsp_clearing_group_operator",
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )
        with self.assertRaises(AccessError):
            self.cpo.with_user(operator).sudo(False).allow_private_network = True
        self.assertFalse(self.cpo.copy({"ocpi_party_id": "CPY"}).allow_private_network)


@tagged("post_install", "-at_install")
class TestOcpiMessageLog(ClientCommon):
    def test_success_is_kept_without_its_body(self):
        self.client().call("POST", self.url, "cdrs", {"id": "1"})
        message = self.sent()[0]
        self.assertEqual(
            (message.module, message.method, message.url, message.http_status, message.ocpi_status),
            ("cdrs", "POST", self.url, 200, 1000),
        )
        self.assertFalse(message.is_refused or message.body or message.answer)

    def test_failure_is_kept_with_both_texts(self):
        self.peer_system.answers["/cdrs"] = (200, {"status_code": 2001}, {})
        self.failure(method="POST")
        message = self.sent()[0]
        self.assertEqual((message.body, message.ocpi_status), ("{}", 2001))
        self.assertIn("2001", message.answer)
        self.assertEqual((self.cpo.failed_count, self.cpo.refused_count), (1, 0))
        self.assertEqual(self.cpo.last_sent_at, message.received_at)
        self.assertFalse(self.cpo.last_received_at)
        self.assertEqual(self.cpo.last_error, message.message)

    def test_address_is_kept_without_secrets(self):
        for url, kept in (
            ("https://u:p@peer.test/a?token=x&limit=5", "https://peer.test/a?token=…&limit=5"),
            ("https://peer.test/a?date_from=2026-01-01T00:00:00Z", None),
            ("https://[::1/", "?"),
        ):
            self.assertEqual(url_without_secrets(url), kept or url)

    def test_failed_message_is_repeated(self):
        self.peer_system.answers["/cdrs"] = (503, b"", {})
        self.failure(method="POST")
        failed = self.sent()[0]
        self.assertTrue(failed.is_repeatable)
        del self.peer_system.answers["/cdrs"]
        self.act(failed.action_repeat)
        again = self.sent()[0]
        self.assertEqual((again.repeat_of_id, again.is_refused), (failed, False))
        self.assertEqual(self.peer_system.requests[-1][0::3], ("POST", b"{}"))
        self.assertFalse(again.is_repeatable)
        with self.assertRaisesRegex(UserError, "cannot be repeated"):
            again.action_repeat()

    def test_handshakes_and_received_messages_are_not_repeated(self):
        with self.resolving():
            self.failure("https://peer.test/", module="credentials")
        self.assertFalse(self.sent()[0].is_repeatable)
        self.ocpi_post(b"{")
        self.assertFalse(self.messages()[0].is_repeatable)

    def test_reader_repeats_nothing(self):
        self.peer_system.answers["/cdrs"] = (503, b"", {})
        self.failure()
        reader = new_test_user(
            self.env,
            "reader_log",
            "emsp_clearing.emsp_clearing_group_user",
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )
        with self.assertRaises(AccessError):
            self.sent()[0].with_user(reader).sudo(False).action_repeat()

    def test_old_messages_are_deleted_after_the_days_of_the_parameter(self):
        messages = self.env["emsp.ocpi.message"].sudo()
        now = datetime(2026, 11, 21, 3, 0)
        common = {"connection_id": self.cpo.id, "ocpi_status": 1000, "module": "cdrs"}
        old, new = messages._keep(
            *({**common, "received_at": now - timedelta(days=days)} for days in (91, 89))
        )
        params = self.env["ir.config_parameter"].sudo()
        with self.enter_registry_test_mode_of_cron():
            params.set_param("emsp_clearing.ocpi_message_days", "0")
            messages._cron_clean(now)
            self.assertTrue(old.exists())
            params.set_param("emsp_clearing.ocpi_message_days", False)
            messages._cron_clean(now)
            self.assertEqual((old | new).exists(), new)
            params.set_param("emsp_clearing.ocpi_message_days", "30")
            messages._cron_clean(now)
            self.assertFalse(new.exists())

    def test_cdr_that_was_refused_outlives_the_days(self):
        messages = self.env["emsp.ocpi.message"].sudo()
        now = datetime(2026, 11, 21, 3, 0)
        common = {
            "connection_id": self.cpo.id,
            "ocpi_status": 2001,
            "module": "cdrs",
            "received_at": now - timedelta(days=400),
        }
        refused, empty, sent = messages._keep(
            {**common, "body": b'{"id": 1}'}, common, {**common, "direction": "out", "body": b"{}"}
        )
        with self.enter_registry_test_mode_of_cron():
            messages._cron_clean(now)
        self.assertEqual((refused | empty | sent).exists(), refused)

    def enter_registry_test_mode_of_cron(self):
        # In a test the cursor must not be committed.
        return patch.object(type(self.env["ir.cron"]), "_commit_progress", lambda *args, **kwargs: 1.0)
