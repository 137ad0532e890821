from psycopg2.errors import UniqueViolation

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from .common import cdr_payload, raw
from .ocpi_objects_common import VERSIONS, OcpiObjectsCommon, payload_of


@tagged("post_install", "-at_install")
class TestOcpiTokens(OcpiObjectsCommon):
    """Tokens that an eMSP tells us: receiver interface (OCPI 2.2.1, 12.2.2)."""

    url = "cpo/2.2.1/tokens/DE/SMO/04A1B2C3D4E5F6"

    def token_of(self, connection=None):
        return self.env["emsp.token"].search([("connection_id", "=", (connection or self.emsp).id)])

    def test_put_stores_a_token_in_every_version(self):
        for version in VERSIONS:
            uid = f"UID{version.replace('.', '')}"
            url = f"cpo/{version}/tokens/DE/SMO/{uid}"
            payload = payload_of("tokens", version, uid=uid)
            with self.subTest(version=version):
                self.assertAnswer(self.send("PUT", url, payload, self.emsp_token), 201, 1000)
                token = self.env["emsp.token"].search([("ocpi_id", "=", uid)])
                self.assertEqual(
                    (token.ocpi_key, token.emaid, token.is_valid, token.whitelist, token.ocpi_version),
                    (f"DE*SMO*{uid}*RFID", "DE-SMO-C00012345-6", True, "ALLOWED_OFFLINE", version),
                )
                self.assertEqual(self.fetch(url, self.emsp_token).json()["data"], payload)

    def test_put_again_changes_nothing_and_is_answered_as_done(self):
        payload = payload_of("tokens")
        self.send("PUT", self.url, payload, self.emsp_token)
        before = self.token_of().received_at
        self.assertAnswer(self.send("PUT", self.url, payload, self.emsp_token), 200, 1000)
        self.assertEqual((len(self.token_of()), self.token_of().received_at), (1, before))

    def test_token_is_read_in_the_words_of_another_version(self):
        self.send("PUT", self.url, payload_of("tokens"), self.emsp_token)
        data = self.fetch(self.url.replace("2.2.1", "2.1.1"), self.emsp_token).json()["data"]
        self.assertEqual(data["auth_id"], "DE-SMO-C00012345-6")
        self.assertFalse({"contract_id", "country_code", "group_id"} & data.keys())

    def test_patch_blocks_a_token_and_an_older_one_changes_nothing(self):
        self.send("PUT", self.url, payload_of("tokens"), self.emsp_token)
        change = {"valid": False, "last_updated": "2026-10-02T10:00:00Z"}
        self.assertAnswer(self.send("PATCH", self.url, change, self.emsp_token), 200, 1000)
        self.assertFalse(self.token_of().is_valid)
        self.assertEqual(self.token_of().visual_number, "DF000-2001-8999-1")
        older = {"valid": True, "last_updated": "2026-10-01T12:00:00Z"}
        self.assertAnswer(self.send("PATCH", self.url, older, self.emsp_token), 200, 1000)
        self.assertFalse(self.token_of().is_valid)

    def test_older_put_that_comes_late_changes_nothing(self):
        self.send("PUT", self.url, payload_of("tokens", valid=False), self.emsp_token)
        older = payload_of("tokens", last_updated="2026-09-01T10:00:00Z")
        self.assertAnswer(self.send("PUT", self.url, older, self.emsp_token), 200, 1000)
        self.assertFalse(self.token_of().is_valid)

    def test_patch_needs_last_updated(self):
        self.send("PUT", self.url, payload_of("tokens"), self.emsp_token)
        response = self.send("PATCH", self.url, {"valid": False}, self.emsp_token)
        self.assertAnswer(response, 400, 2001, "last_updated")
        self.assertTrue(self.token_of().is_valid)

    def test_unknown_token_gets_404(self):
        change = {"valid": False, "last_updated": "2026-10-02T10:00:00Z"}
        self.assertAnswer(self.fetch(self.url, self.emsp_token), 404, 2000)
        self.assertAnswer(self.send("PATCH", self.url, change, self.emsp_token), 404, 2000)

    def test_type_is_part_of_the_key_and_may_stand_in_the_body_alone(self):
        self.send("PUT", self.url, payload_of("tokens"), self.emsp_token)
        app = payload_of("tokens", type="APP_USER", valid=False)
        self.assertAnswer(self.send("PUT", f"{self.url}?type=APP_USER", app, self.emsp_token), 201, 1000)
        self.assertAnswer(self.send("PUT", self.url, app, self.emsp_token), 200, 1000)
        self.assertEqual(sorted(self.token_of().mapped("token_type")), ["APP_USER", "RFID"])
        self.assertTrue(self.fetch(self.url, self.emsp_token).json()["data"]["valid"])
        found = self.fetch(f"{self.url}?type=app_user", self.emsp_token).json()["data"]
        self.assertEqual(found["type"], "APP_USER")
        self.assertAnswer(self.fetch(f"{self.url}?type=EMAID", self.emsp_token), 404, 2000)

    def test_type_of_a_newer_version_is_taken(self):
        odd = payload_of("tokens", type="IMPLANT", whitelist="SOMETIMES")
        self.assertAnswer(self.send("PUT", f"{self.url}?type=IMPLANT", odd, self.emsp_token), 201, 1000)
        self.assertEqual((self.token_of().token_type, self.token_of().whitelist), ("OTHER", "NEVER"))
        self.assertEqual(
            self.fetch(f"{self.url}?type=IMPLANT", self.emsp_token).json()["data"]["type"], "IMPLANT"
        )

    def test_ids_of_the_url_are_those_of_the_body_without_case(self):
        for changes, path in (
            ({"uid": "OTHER"}, "uid:"),
            ({"country_code": "NL"}, "country_code:"),
            ({"party_id": "ABC"}, "party_id:"),
            ({"type": "APP_USER"}, "type:"),
        ):
            payload = payload_of("tokens", **changes)
            response = self.send("PUT", f"{self.url}?type=RFID", payload, self.emsp_token)
            self.assertAnswer(response, 400, 2001, path)
        self.assertFalse(self.token_of())
        response = self.send("PUT", self.url.lower(), payload_of("tokens"), self.emsp_token)
        self.assertAnswer(response, 201, 1000)

    def test_token_of_another_party_is_refused_unless_a_hub_brings_it(self):
        url = "cpo/2.2.1/tokens/DE/ABC/04A1B2C3D4E5F6"
        payload = payload_of("tokens", party_id="ABC")
        self.assertAnswer(self.send("PUT", url, payload, self.emsp_token), 400, 2001, "party_id")
        self.emsp.is_hub = True
        self.assertAnswer(self.send("PUT", url, payload, self.emsp_token), 201, 1000)

    def test_bad_payload_is_refused_with_the_path_of_the_field(self):
        for body, path in (
            (payload_of("tokens", valid="perhaps"), "valid:"),
            (payload_of("tokens", last_updated="yesterday"), "last_updated:"),
            (payload_of("tokens", contract_id=None), "contract_id:"),
            (b"{", "invalid_json"),
            (b"[]", ""),
        ):
            self.assertAnswer(self.send("PUT", self.url, body, self.emsp_token), 400, 2001, path)
        self.assertFalse(self.token_of())

    def test_uid_may_hold_a_slash(self):
        payload = payload_of("tokens", uid="A/B")
        self.assertAnswer(
            self.send("PUT", "cpo/2.2.1/tokens/DE/SMO/A%2FB", payload, self.emsp_token), 201, 1000
        )

    def test_methods_that_ocpi_does_not_define_get_405(self):
        for method in ("POST", "DELETE"):
            self.assertAnswer(self.send(method, self.url, payload_of("tokens"), self.emsp_token), 405, 2000)


@tagged("post_install", "-at_install")
class TestOwnTokens(OcpiObjectsCommon):
    """Our drivers' tokens, as CPOs read them and ask about them (OCPI 2.2.1, 12.2.1)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = new_test_user(
            cls.env,
            "token_manager",
            "emsp_clearing.emsp_clearing_group_manager",
            company_id=cls.company.id,
            company_ids=[(6, 0, cls.company.ids)],
        )
        cls.own = cls._create_token("CARD-1")

    @classmethod
    def _create_token(cls, uid, **vals):
        tokens = cls.env["emsp.token"].with_user(cls.manager)
        return tokens.create({"ocpi_id": uid, "emaid": "FR-RVR-C00000001-X", "issuer": "Rivière", **vals})

    def authorize(self, uid="CARD-1", body=b"", version="2.2.1", query="", token=None):
        url = f"emsp/{version}/tokens/{uid}/authorize{query}"
        return self.send("POST", url, body, token or self.cpo_token)

    def test_party_is_read_off_the_ema_id_and_may_be_another(self):
        self.assertEqual(self.own.ocpi_key, "FR*RVR*CARD-1*RFID")
        other = self._create_token("CARD-2", ocpi_country_code="BE", ocpi_party_id="RVB")
        self.assertEqual(other.ocpi_key, "BE*RVB*CARD-2*RFID")
        with self.assertRaisesRegex(ValidationError, "not an OCPI party"):
            self._create_token("CARD-3", ocpi_country_code="BE", ocpi_party_id="R!")

    def test_same_token_twice_is_refused(self):
        with self.assertRaises(UniqueViolation), mute_logger("odoo.sql_db"), self.env.cr.savepoint():
            self._create_token("card-1")

    def test_token_that_was_used_stays(self):
        self.authorize()
        with self.assertRaisesRegex(UserError, "CARD-1"):
            self.own.unlink()
        self._create_token("CARD-2").unlink()

    def test_manager_makes_a_token_in_the_form(self):
        with Form(self.env["emsp.token"].with_user(self.manager).sudo(False)) as form:
            form.ocpi_id = "CARD-7"
            form.emaid = "FR*RVR*C00000007"
            self.assertEqual((form.ocpi_country_code, form.ocpi_party_id), ("FR", "RVR"))
        self.assertEqual((form.record.ocpi_key, form.record.is_valid), ("FR*RVR*CARD-7*RFID", True))

    def test_change_of_a_token_is_dated(self):
        self.own.last_updated = "2026-01-01 00:00:00"
        self.own.is_valid = False
        self.assertGreater(str(self.own.last_updated), "2026-01-01 00:00:00")

    def test_manager_writes_our_own_tokens_only(self):
        self.send("PUT", "cpo/2.2.1/tokens/DE/SMO/04A1B2C3D4E5F6", payload_of("tokens"), self.emsp_token)
        theirs = self.env["emsp.token"].search([("connection_id", "=", self.emsp.id)])
        with self.assertRaises(AccessError):
            theirs.with_user(self.manager).sudo(False).is_valid = False
        with self.assertRaises(AccessError):
            theirs.with_user(self.manager).sudo(False).unlink()
        with self.assertRaises(AccessError):
            self._create_token("CARD-9", connection_id=self.emsp.id)

    def test_list_holds_our_own_tokens_in_every_version(self):
        self.send("PUT", "cpo/2.2.1/tokens/DE/SMO/04A1B2C3D4E5F6", payload_of("tokens"), self.emsp_token)
        for version in VERSIONS:
            for token in (self.cpo_token, self.token):
                with self.subTest(version=version):
                    response = self.fetch(f"emsp/{version}/tokens", token)
                    self.assertAnswer(response, 200, 1000)
                    (listed,) = response.json()["data"]
                    name = "auth_id" if version == "2.1.1" else "contract_id"
                    self.assertEqual(
                        (listed["uid"], listed[name], listed["issuer"], listed["valid"]),
                        ("CARD-1", "FR-RVR-C00000001-X", "Rivière", True),
                    )

    def test_authorize_allows_a_valid_token_and_keeps_the_reference(self):
        for version in VERSIONS:
            response = self.authorize(version=version)
            self.assertAnswer(response, 200, 1000)
            data = response.json()["data"]
            kept = self.own.authorization_ids[:1]
            self.assertEqual(
                (data["allowed"], kept.allowed, kept.connection_id), ("ALLOWED",) * 2 + (self.cpo,)
            )
            if version == "2.1.1":
                self.assertEqual(data.keys(), {"allowed"})
            else:
                self.assertEqual(data["authorization_reference"], kept.reference)
                self.assertEqual((data["token"]["uid"], data["token"]["party_id"]), ("CARD-1", "RVR"))
        self.assertEqual(len(set(self.own.authorization_ids.mapped("reference"))), 3)

    def test_authorize_says_for_which_location(self):
        references = {"location_id": "LOC-1", "evse_uids": ["EVSE-1", "EVSE-2"]}
        response = self.authorize(body=references)
        self.assertEqual(response.json()["data"]["location"], references)
        kept = self.own.authorization_ids
        self.assertEqual((kept.ocpi_location_id, kept.evse_uids), ("LOC-1", "EVSE-1, EVSE-2"))

    def test_authorize_blocks_a_token_that_is_not_valid(self):
        self.own.is_valid = False
        data = self.authorize().json()["data"]
        self.assertEqual(data["allowed"], "BLOCKED")
        self.assertNotIn("authorization_reference", data)
        self.assertEqual(self.own.authorization_ids.allowed, "BLOCKED")

    def test_authorize_of_an_unknown_token_gets_404_and_2004(self):
        for uid, query in (("CARD-2", ""), ("CARD-1", "?type=APP_USER")):
            self.assertAnswer(self.authorize(uid, query=query), 404, 2004)
        self.assertAnswer(self.authorize("card-1", query="?type=rfid"), 200, 1000)

    def test_authorize_knows_no_token_of_a_partner(self):
        self.send("PUT", "cpo/2.2.1/tokens/DE/SMO/04A1B2C3D4E5F6", payload_of("tokens"), self.emsp_token)
        self.assertAnswer(self.authorize("04A1B2C3D4E5F6"), 404, 2004)

    def test_authorize_refuses_a_body_that_is_no_reference(self):
        self.assertAnswer(self.authorize(body={"evse_uids": ["E"]}), 400, 2001, "location_id")

    def test_cdr_names_the_token_that_is_known(self):
        self.send("PUT", "cpo/2.2.1/tokens/DE/SMO/04A1B2C3D4E5F6", payload_of("tokens"), self.emsp_token)
        cdr = self._receive(cdr_payload())
        self.assertEqual(cdr.token_id.connection_id, self.emsp)

    def test_211_cdr_tells_the_party_by_its_known_token_or_by_the_ema_id(self):
        endpoint = self.connection._as_endpoint()
        payload = {
            "id": "C-1",
            "start_date_time": "2026-10-05T08:00:00Z",
            "stop_date_time": "2026-10-05T08:30:00Z",
            "auth_id": "DE-SMO-C00012345-6",
            "auth_method": "WHITELIST",
            "location": payload_of("locations", "2.1.1"),
            "currency": "EUR",
            "charging_periods": cdr_payload()["charging_periods"],
            "total_cost": 6.4,
            "total_energy": 10.0,
            "total_time": 0.5,
            "last_updated": "2026-10-05T08:31:00Z",
        }
        payload["location"]["evses"][0].update(evse_id="FR*RVR*E1001*1")
        (receipt,) = endpoint.env["emsp.cdr"]._receive(
            endpoint, [raw(payload)], "2026-10-06 06:00:00", None, "2.1.1"
        )
        cdr = self.env["emsp.cdr"].browse(receipt.record.id)
        self.assertEqual((cdr.token_country_code, cdr.token_party_id), ("DE", "SMO"))
        self.assertEqual((cdr.contract_id, cdr.ocpi_version), (self.contract, "2.1.1"))
