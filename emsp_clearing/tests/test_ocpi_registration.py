from datetime import datetime, timedelta

from freezegun import freeze_time

from odoo.tests import tagged

from .handshake_common import HandshakeCommon


@tagged("post_install", "-at_install")
class TestOcpiRegistrationToken(HandshakeCommon):
    """Token A goes out by mail or telephone: it does not live for ever."""

    def test_token_a_that_nobody_used_is_refused_after_its_days(self):
        params = self.env["ir.config_parameter"].sudo()
        for days, last in ((None, "2026-11-15 09:59:59"), ("2", "2026-11-03 09:59:59")):
            params.set_param("emsp_clearing.registration_token_days", days)
            with self.subTest(days=days):
                with freeze_time("2026-11-01 10:00:00"):
                    action = self.cpo.action_give_token()
                until = datetime.fromisoformat(last) + timedelta(seconds=1)
                self.assertEqual(self.cpo.pending_token_until, until)
                self.assertEqual(action["context"]["default_valid_until"], str(until))
                token = action["context"]["default_token"]
                with freeze_time(last):
                    self.assertAnswer(self.ocpi_get("/ocpi/versions", token=token), 200, 1000)
                with freeze_time(until):
                    self.assertAnswer(self.ocpi_get("/ocpi/versions", token=token), 401, 2000)
                    response = self.credentials("POST", token=token, data=b"{}")
                    self.assertAnswer(response, 401, 2000)

    def test_days_of_token_a_are_of_no_other_token(self):
        with self.peer() as peer:
            token = self.register_peer(peer)
            self.assertFalse(self.cpo.pending_token_until)
            with freeze_time("2028-01-01"):
                self.assertAnswer(self.ocpi_get("/ocpi/versions", token=token), 200, 1000)

    def test_token_a_of_ours_that_has_run_out_does_not_hinder_us_to_register(self):
        with freeze_time("2026-01-01 10:00:00"):
            token = self.token_a()
        until = self.cpo.pending_token_until
        with self.peer() as peer:
            peer.answers["/2.3.0/credentials"] = (200, {"status_code": 3001}, {})
            self.failure_of(lambda: self.register_with(peer))
            self.assertEqual(self.cpo.pending_token_until, until)
            self.assertAnswer(self.ocpi_get("/ocpi/versions", token=token), 401, 2000)
            del peer.answers["/2.3.0/credentials"]
            self.register_with(peer)
            # Called back with our new token, before it was told to the partner for good.
            self.assertEqual([status for status, __ in peer.called_back], [200, 200])
        self.assertFalse(self.cpo.pending_token_until)


@tagged("post_install", "-at_install")
class TestOcpiRegistrationMatch(HandshakeCommon):
    """What two platforms must have in common (OCPI 2.2.1, 6.1 and 7.1.5)."""

    def test_highest_version_of_the_form_is_a_limit(self):
        form = self.cpo.get_view(view_type="form")["arch"]
        self.assertIn('name="highest_version"', form)
        self.cpo.highest_version = "2.2.1"
        with self.peer() as peer:
            self.register_with(peer)
        self.assertEqual(self.cpo.version, "2.2.1")

    def test_22_is_spoken_as_221_where_no_221_is_listed(self):
        for versions, path in (
            (("2.1.1", "2.2"), "/2.2"),
            (("2.2",), "/2.2"),
            (("2.2", "2.2.1"), "/2.2.1"),
        ):
            with self.subTest(versions=versions), self.peer(versions=versions) as peer:
                self.cpo._unregister()
                self.register_with(peer)
                self.assertEqual((self.cpo.state, self.cpo.version), ("registered", "2.2.1"))
                self.assertEqual(peer.paths("POST"), [f"{path}/credentials"])
                self.assertEqual(self.cpo._endpoint_url("cdrs", "SENDER"), f"{peer.base}{path}/cdrs")
                # The partner renews its tokens here as 2.2.1, because we have no other name for it.
                token = peer.received["token"]
                body = self.theirs(peer)
                self.assertAnswer(self.credentials("PUT", token=token, data=body), 200, 1000)

    def test_ocpi_7_1_5_partner_of_the_other_side_is_answered_3003(self):
        # Receivers of CDRs and locations: an eMSP, where a CPO is expected.
        with self.peer() as peer:
            peer.interface = "RECEIVER"
            response = self.credentials("POST", token=self.token_a(), data=self.theirs(peer))
            self.assertAnswer(response, 200, 3003, "of the role CPO are expected, as locations (SENDER)")
        self.assertEqual(self.cpo.state, "token_given")

    def test_we_do_not_register_with_a_partner_of_the_other_side(self):
        with self.peer() as peer:
            peer.interface = "RECEIVER"
            text = self.failure_of(lambda: self.register_with(peer))
            self.assertIn("None of the partner's modules fits", text)
            self.assertFalse(peer.paths("POST"))

    def test_what_the_partner_lacks_is_told_to_people_and_no_reason_to_refuse(self):
        for modules, missing in (
            (
                ("credentials",),
                "locations (SENDER), tariffs (SENDER), sessions (SENDER), cdrs (SENDER), tokens",
            ),
            (("credentials", "commands"), "locations (SENDER)"),
            (
                ("credentials", "cdrs", "tariffs"),
                "for locations (SENDER), sessions (SENDER), tokens (RECEIVER).",
            ),
        ):
            with self.subTest(modules=modules), self.peer() as peer:
                self.cpo._unregister()
                peer.modules = modules
                before = self.cpo.message_ids
                self.register_peer(peer)
                self.assertIn(missing, "".join((self.cpo.message_ids - before).mapped("body")))
