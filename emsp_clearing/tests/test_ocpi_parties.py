from odoo import Command
from odoo.exceptions import ValidationError
from odoo.tests import tagged

from odoo.addons.queue_job.tests.common import trap_jobs

from .common import cdr_payload
from .handshake_common import HandshakeCommon
from .ocpi_objects_common import OcpiObjectsCommon, payload_of
from .ocpi_traffic_common import OcpiTrafficCommon

OWN = {"country_code": "FR", "party_id": "RVR"}


def role_of(country_code, party_id, role="CPO"):
    details = {"name": f"Name of {party_id}"}
    return {
        "role": role,
        "country_code": country_code,
        "party_id": party_id,
        "business_details": details,
    }


def further(country_code, party_id, role="EMSP", **vals):
    vals |= {"country_code": country_code, "ocpi_party_id": party_id, "role": role}
    return Command.create(vals)


def token_of(country_code, party_id):
    return {**cdr_payload()["cdr_token"], "country_code": country_code, "party_id": party_id}


@tagged("post_install", "-at_install")
class TestPartiesOfCredentials(HandshakeCommon):
    """Credentials tell whom a platform speaks for (OCPI 2.2.1, 7.3.1)."""

    def register(self, peer, *roles, version="2.2.1", **changes):
        body = self.theirs(peer, version, roles=[role_of("NL", "TNM"), *roles], **changes)
        response = self.credentials("POST", version, self.token_a(), data=body)
        self.assertAnswer(response, 200, 1000)
        return response.json()["data"]["token"]

    def parties(self):
        rows = self.cpo.party_ids
        return [(row.role, row.display_name, row.is_accepted, row.is_declared) for row in rows]

    def test_parties_of_a_contract_with_the_partner_count_and_others_wait_for_a_person(self):
        runner = self.env["res.partner"].create({"name": "TNM"})
        self.cpo.partner_id = runner
        self._create_contract(runner, "NL", "SUB", partner_role="cpo")
        with self.peer() as peer:
            roles = (role_of("nl", "sub"), role_of("NL", "XXX"), role_of("NL", "TNM", "EMSP"))
            self.register(peer, *roles, role_of("DE", "SMO", "NSP"), role_of("N1", "???"))
        self.assertEqual(
            self.parties(),
            [
                ("CPO", "NL*SUB", True, True),
                ("CPO", "NL*XXX", False, True),
                ("EMSP", "NL*TNM", False, True),
            ],
        )
        self.assertEqual(self.cpo.party_ids[0].name, "Name of sub")
        self.assertEqual(self.cpo._parties(), [("NL", "TNM"), ("NL", "SUB")])
        self.assertIn("speaks for NL*XXX.", "".join(self.cpo.message_ids.mapped("body")))

    def test_party_of_a_contract_with_somebody_else_waits(self):
        self.cpo.partner_id = self.env["res.partner"].create({"name": "TNM"})
        self._create_contract(
            self.env["res.partner"].create({"name": "Sub"}), "NL", "SUB", partner_role="cpo"
        )
        with self.peer() as peer:
            self.register(peer, role_of("NL", "SUB"))
        self.assertEqual(self.parties(), [("CPO", "NL*SUB", False, True)])

    def test_registration_anew_follows_the_partner_and_leaves_what_was_typed_in(self):
        self.cpo.party_ids = [further("NL", "OLD", "CPO")]
        with self.peer() as peer:
            token = self.register(peer, role_of("NL", "AAA"), role_of("NL", "BBB"))
            self.cpo.party_ids.filtered(lambda row: row.ocpi_party_id == "AAA").is_accepted = True
            roles = [role_of("NL", "TNM"), role_of("NL", "AAA"), role_of("NL", "CCC")]
            self.credentials("PUT", token=token, data=self.theirs(peer, roles=roles))
        self.assertEqual(
            self.parties(),
            [
                ("CPO", "NL*AAA", True, True),
                ("CPO", "NL*CCC", False, True),
                ("CPO", "NL*OLD", True, False),
            ],
        )

    def test_we_register_and_the_answer_tells_the_parties(self):
        with self.peer() as peer:
            told = {**peer.credentials("2.2.1", "t"), "roles": [role_of("NL", "TNM"), role_of("NL", "SUB")]}
            peer.tokens.add("t")
            peer.answers["/2.3.0/credentials"] = peer.ok(told)
            self.register_with(peer)
        self.assertEqual(self.parties(), [("CPO", "NL*SUB", False, True)])

    def test_211_credentials_tell_no_further_party(self):
        with self.peer() as peer:
            self.register_peer(peer, "2.1.1")
        self.assertFalse(self.cpo.party_ids)

    def test_hub_speaks_for_all_it_tells_but_those_that_are_reached_directly(self):
        self.cpo.write({"is_hub": True, "ocpi_party_id": "HUB"})
        direct = {"name": "Direct", "company_id": self.company.id, "our_role": "EMSP"}
        direct |= {"country_code": "NL", "ocpi_party_id": "DIR", "party_ids": [further("NL", "SUB", "CPO")]}
        self.env["emsp.ocpi.connection"].create(direct)
        with self.peer() as peer:
            roles = (role_of("NL", "AAA"), role_of("NL", "DIR"), role_of("NL", "SUB"))
            self.register(peer, *roles, version="2.3.0", hub_party_id="NLHUB")
        accepted = self.cpo.party_ids.filtered("is_accepted").mapped("display_name")
        self.assertEqual(accepted, ["NL*AAA", "NL*TNM"])

    def test_230_hub_that_names_itself_apart_from_its_roles_may_register(self):
        self.cpo.ocpi_party_id = "HUB"
        with self.peer() as peer:
            body = self.theirs(peer, "2.3.0")
            self.assertAnswer(self.credentials("POST", "2.3.0", self.token_a(), data=body), 400, 2001)
            self.register(peer, version="2.3.0", hub_party_id="nlhub")
        self.assertEqual(self.cpo.state, "registered")

    def test_party_belongs_to_one_connection(self):
        self.cpo.party_ids = [further("NL", "SUB", "CPO")]
        other = self.cpo.copy({"ocpi_party_id": "ABC"})
        for change in (
            {"party_ids": [further("nl", "sub", "CPO")]},
            {"party_ids": [further("NL", "TNM", "CPO")]},
            {"ocpi_party_id": "SUB"},
        ):
            with self.subTest(change=change), self.assertRaises(ValidationError) as caught:
                other.write(change)
            self.assertIn("The New Motion", str(caught.exception))
        # Not before somebody accepts it; and not in a role that does not count.
        other.party_ids = [further("NL", "SUB", "CPO", is_accepted=False), further("NL", "SUB", "EMSP")]
        with self.assertRaises(ValidationError):
            other.party_ids[0].is_accepted = True
        self.cpo.active = False
        other.party_ids[0].is_accepted = True
        with self.assertRaises(ValidationError):
            self.cpo.active = True

    def test_party_must_be_one(self):
        with self.assertRaisesRegex(ValidationError, "N1"):
            self.cpo.party_ids = [further("N1", "SUB", "CPO")]


@tagged("post_install", "-at_install")
class TestOcpiPlatforms(OcpiObjectsCommon):
    """Two platforms of each side that speak for several parties; neither gets at what is the other's."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cpo.party_ids = [further("NL", "SUB", "CPO"), further("BE", "SUB", "CPO", is_accepted=False)]
        cls.other_cpo, cls.other_cpo_token = cls._connect("EMSP", "CPO", "NL", "ABC")
        cls.other_cpo.party_ids = [further("NL", "ABD", "CPO")]
        cls.emsp.party_ids = [further("DE", "SUB"), further("AT", "SUB"), further("DE", "ABD", "CPO")]
        cls.other_emsp, cls.other_emsp_token = cls._connect("CPO", "EMSP", "DE", "ABC")
        cls.other_emsp.party_ids = [further("DE", "ABD"), further("DE", "ABE", is_accepted=False)]

    def test_objects_of_every_party_are_taken_and_given_back(self):
        for module, object_id in (("sessions", "S-1"), ("tariffs", "AC-1"), ("locations", "LOC-1")):
            for party_id in ("TNM", "SUB"):
                url = f"emsp/2.2.1/{module}/NL/{party_id}/{object_id}"
                payload = payload_of(module, party_id=party_id)
                with self.subTest(url=url):
                    self.assertAnswer(self.send("PUT", url, payload, self.cpo_token), 201, 1000)
                    self.assertEqual(self.fetch(url, self.cpo_token).json()["data"], payload)
        payload = cdr_payload(country_code="NL", party_id="sub")
        self.assertAnswer(self.send("POST", "emsp/2.2.1/cdrs", payload, self.cpo_token), 201, 1000)
        url = "cpo/2.2.1/tokens/AT/SUB/04A1B2C3D4E5F6"
        payload = payload_of("tokens", country_code="AT", party_id="SUB")
        self.assertAnswer(self.send("PUT", url, payload, self.emsp_token), 201, 1000)

    def test_objects_of_other_parties_are_refused(self):
        for country_code, party_id, message in (
            ("NL", "ABD", "party_id: expected TNM or SUB, got ABD"),
            ("BE", "SUB", "country_code: expected NL, got BE"),
        ):
            payload = cdr_payload(country_code=country_code, party_id=party_id)
            response = self.send("POST", "emsp/2.2.1/cdrs", payload, self.cpo_token)
            self.assertAnswer(response, 400, 2001, message)
        url = "emsp/2.2.1/tariffs/NL/SUB/AC-1"
        payload = payload_of("tariffs", party_id="SUB")
        self.send("PUT", url, payload, self.cpo_token)
        for method in ("GET", "PUT", "DELETE"):
            response = self.send(method, url, payload, self.other_cpo_token)
            self.assertIn(response.status_code, (400, 404))
        self.assertEqual(self.fetch(url, self.cpo_token).json()["data"], payload)

    def test_lists_hold_what_is_of_any_party_and_nothing_of_another_platform(self):
        owners = (("DE", "SMO"), ("DE", "SUB"), ("AT", "SUB"), ("DE", "ABC"), ("DE", "ABD"), ("DE", "ABE"))
        tokens = [token_of(*owner) for owner in (*owners, ("AT", "SMO"))]
        self._receive(*(cdr_payload(number, cdr_token=token) for number, token in enumerate(tokens)))
        self.stored()._store({"state": "open"})
        for number, token in enumerate(tokens):
            session = payload_of("sessions", id=f"CDR-{number}", cdr_token=token, **OWN)
            self.send("PUT", f"emsp/2.2.1/sessions/FR/RVR/CDR-{number}", session, self.token)
        for token, ids in (
            (self.emsp_token, ["CDR-0", "CDR-1", "CDR-2"]),
            (self.other_emsp_token, ["CDR-3", "CDR-4"]),
        ):
            for module in ("cdrs", "sessions"):
                with self.subTest(module=module, ids=ids):
                    response = self.fetch(f"cpo/2.2.1/{module}", token)
                    self.assertEqual([each["id"] for each in response.json()["data"]], ids)
                    self.assertEqual(response.headers["X-Total-Count"], str(len(ids)))

    def test_tariffs_are_those_of_the_contracts_of_any_party(self):
        other = self.env["res.partner"].create({"name": "Sub"})
        self._create_contract(other, "AT", "SUB", grid=self._create_grid("SUB-2026"))
        response = self.fetch("cpo/2.2.1/tariffs", self.emsp_token)
        self.assertEqual([each["id"] for each in response.json()["data"]], ["AC-2026", "SUB-2026"])
        self.assertEqual(self.fetch("cpo/2.2.1/tariffs", self.other_emsp_token).json()["data"], [])

    def test_our_own_system_may_serve_several_parties_of_ours(self):
        self.connection.party_ids = [further("BE", "RVR", "CPO")]
        url = "emsp/2.2.1/locations/BE/RVR/LOC-9"
        location = payload_of("locations", id="LOC-9", country_code="BE", party_id="RVR")
        self.assertAnswer(self.send("PUT", url, location, self.token), 201, 1000)
        response = self.fetch("cpo/2.2.1/locations/LOC-9", self.emsp_token)
        self.assertEqual(response.json()["data"], location)

    def test_many_parties_cost_no_more_queries_than_one(self):
        session = payload_of("sessions", **OWN)
        self.send("PUT", "emsp/2.2.1/sessions/FR/RVR/S-1", session, self.token)
        counts = []
        for amount in (1, 60):
            self.emsp.party_ids = [further("IT", f"{number:03}") for number in range(amount - 1)]
            self.env.flush_all()
            for module in ("cdrs", "sessions", "tariffs"):
                self.fetch(f"cpo/2.2.1/{module}", self.emsp_token)
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            for module in ("cdrs", "sessions", "tariffs"):
                self.fetch(f"cpo/2.2.1/{module}", self.emsp_token)
            counts.append(self.cr.sql_log_count - before)
        self.assertLessEqual(abs(counts[1] - counts[0]), 2, counts)


@tagged("post_install", "-at_install")
class TestOcpiRouting(OcpiObjectsCommon):
    """Routing headers (OCPI 2.2.1, 4.2.1)."""

    url = "emsp/2.2.1/tokens"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cpo.write({"own_country_code": "FR", "own_party_id": "RVR"})
        cls.cpo.party_ids = [further("NL", "SUB", "CPO", is_accepted=False), further("NL", "TNM", "EMSP")]

    def routed(self, sender=None, receiver=None, url=None):
        headers = {}
        for direction, party in (("from", sender), ("to", receiver)):
            if party:
                headers[f"OCPI-{direction}-country-code"], headers[f"OCPI-{direction}-party-id"] = (
                    party.split("*")
                )
        return self.fetch(url or self.url, self.cpo_token, headers=headers)

    def test_ocpi_4_2_1_parties_of_both_platforms_are_known(self):
        for sender, receiver in (
            ("NL*TNM", "FR*RVR"),
            ("nl*sub", "fr*rvr"),
            ("NL*TNM", None),
            (None, "FR*RVR"),
        ):
            self.assertAnswer(self.routed(sender, receiver), 200, 1000)

    def test_party_that_we_do_not_host_is_refused(self):
        response = self.routed("NL*TNM", "FR*XXX")
        self.assertAnswer(response, 400, 2001, "OCPI-to-party-id: expected FR*RVR, got FR*XXX")
        self.assertEqual(response.headers["OCPI-to-party-id"], "TNM")
        message = self.env["emsp.ocpi.message"].search([("connection_id", "=", self.cpo.id)], limit=1)
        self.assertEqual((message.from_party, message.to_party), ("NL*TNM", "FR*XXX"))

    def test_sender_that_is_not_on_the_platform_is_refused(self):
        response = self.routed("NL*ABC", "FR*RVR")
        self.assertAnswer(response, 400, 2001, "OCPI-from-party-id: expected NL*TNM")

    def test_hub_brings_messages_of_others_and_may_name_itself(self):
        self.cpo.is_hub = True
        for receiver in ("FR*RVR", "NL*TNM"):
            self.assertAnswer(self.routed("NL*ABC", receiver), 200, 1000)
        self.assertAnswer(self.routed("NL*ABC", "FR*XXX"), 400, 2001)

    def test_where_ocpi_has_no_routing_nothing_is_compared(self):
        for url in ("versions", "2.2.1", "emsp/2.1.1/tokens"):
            self.assertAnswer(self.routed("NL*ABC", "FR*XXX", url), 200, 1000)

    def test_who_does_not_know_its_own_party_minds_no_receiver(self):
        self.cpo.own_party_id = False
        self.assertAnswer(self.routed("NL*TNM", "FR*XXX"), 200, 1000)


@tagged("post_install", "-at_install")
class TestPushToParties(OcpiTrafficCommon):
    def test_each_cdr_goes_to_the_party_whose_token_was_used(self):
        self.emsp.party_ids = [further("AT", "SUB")]
        self._create_contract(self.env["res.partner"].create({"name": "Sub"}), "AT", "SUB")
        with trap_jobs():
            self._receive(cdr_payload(1), cdr_payload(2, cdr_token=token_of("AT", "SUB")))
            self._receive(cdr_payload(3, cdr_token=token_of("AT", "XXX")))
        self.env.flush_all()
        self.emsp.with_user(1)._job_push()
        found = [
            (json_body["id"], headers["OCPI-to-country-code"], headers["OCPI-to-party-id"])
            for (*__, headers, __), (*__, json_body) in zip(
                self.emsp_system.requests, self.emsp_system.told, strict=True
            )
        ]
        self.assertEqual(found, [("CDR-1", "DE", "SMO"), ("CDR-2", "AT", "SUB")])

    def test_cdr_of_a_party_that_was_taken_out_is_not_sent(self):
        self.emsp.party_ids = [further("AT", "SUB")]
        self._create_contract(self.env["res.partner"].create({"name": "Sub"}), "AT", "SUB")
        with trap_jobs():
            self._receive(cdr_payload(2, cdr_token=token_of("AT", "SUB")))
        self.emsp.party_ids.is_accepted = False
        self.env.flush_all()
        self.emsp.with_user(1)._job_push()
        self.assertEqual((self.emsp_system.told, self.emsp.push_ids.state), ([], "dropped"))
