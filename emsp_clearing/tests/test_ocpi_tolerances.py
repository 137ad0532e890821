from datetime import datetime, timedelta

from odoo.tests import tagged

from ..core.ocpi.tolerances import LAX, Tolerances
from ..models.emsp_ocpi_connection import TOLERANCE_FIELDS
from ..models.emsp_ocpi_message import MAX_DEVIATIONS
from .common import cdr_payload
from .handshake_common import HandshakeCommon
from .ocpi_objects_common import CONNECTOR, OcpiObjectsCommon, payload_of
from .test_ocpi_pull import NOW, PullCommon

LOCATION = "emsp/2.2.1/locations/NL/TNM/LOC-1"
SESSION = "emsp/2.2.1/sessions/NL/TNM/S-1"
RATED_AT = datetime(2026, 10, 6)


def without(payload, *names):
    return {name: value for name, value in payload.items() if name not in names}


@tagged("post_install", "-at_install")
class TestToleranceSwitches(OcpiObjectsCommon):
    def test_defaults(self):
        expected = {
            "allow_text_numbers": False,
            "allow_missing_values": True,
            "allow_missing_owner": True,
            "allow_country_forms": True,
            "allow_price_forms": True,
            "allow_long_texts": True,
            "allow_header_forms": False,
        }
        self.assertEqual({name: self.cpo[name] for name in expected}, expected)
        self.assertEqual(self.cpo._tolerances(), Tolerances())
        self.assertEqual(list(expected), list(TOLERANCE_FIELDS.values()))

    def test_request_reads_all_switches_with_the_connection(self):
        self.env.flush_all()
        self.env.invalidate_all()
        connection = self.env["emsp.ocpi.connection"].sudo()._find_by_token(self.cpo_token)
        with self.assertQueryCount(0):
            connection._tolerances()

    def test_copy_keeps_the_switches(self):
        self.cpo.write({"allow_text_numbers": True, "allow_long_texts": False})
        copied = self.cpo.copy({"ocpi_party_id": "XXX"})
        self.assertEqual(copied._tolerances(), LAX._replace(long_texts=False, header_forms=False))


@tagged("post_install", "-at_install")
class TestToleranceOfCdrs(OcpiObjectsCommon):
    """CDRs: a finding of each use, or a refusal that names the field."""

    CASES = (
        # switch, change, finding: code, path, expected, found
        (
            "allow_text_numbers",
            {"total_energy": "10.0"},
            ("text_for_number", "total_energy", "a number", "'10.0'"),
        ),
        (
            "allow_missing_values",
            {"cdr_location": without(cdr_payload(91)["cdr_location"], "evse_id")},
            ("missing", "cdr_location.evse_id", "a value", "nothing"),
        ),
        (
            "allow_missing_owner",
            {"country_code": None},
            ("missing_owner", "country_code", "a value", "nothing"),
        ),
        (
            "allow_country_forms",
            {"country_code": "FRA"},
            ("not_alpha_2", "country_code", "FR", "'FRA'"),
        ),
        (
            "allow_country_forms",
            {"cdr_location": {**cdr_payload(92)["cdr_location"], "country": "FR"}},
            ("not_alpha_3", "cdr_location.country", "FRA", "'FR'"),
        ),
        (
            "allow_price_forms",
            {"total_cost": 6.4},
            ("number_for_price", "total_cost", "an object", "6.4"),
        ),
        (
            "allow_long_texts",
            {"cdr_location": {**cdr_payload(93)["cdr_location"], "address": "x" * 50}},
            ("too_long", "cdr_location.address", "at most 45 characters", "50 characters"),
        ),
    )

    def test_what_a_switch_allows_is_stored_with_a_finding(self):
        for number, (switch, change, finding) in enumerate(self.CASES):
            with self.subTest(finding=finding):
                self.connection[switch] = True
                self.assertAnswer(self.ocpi_post(cdr_payload(number, **change)), 201, 1000)
                cdr = self.stored(ocpi_id=f"CDR-{number}")
                cdr._rate(RATED_AT)
                found = cdr.finding_ids
                self.assertEqual(
                    (found.code, found.path, found.expected, found.found, found.severity),
                    (*finding, "note"),
                )
                self.assertEqual((cdr.ocpi_country_code, cdr.ocpi_party_id, cdr.state), ("FR", "RVR", "open"))
                self.assertNotIn("expected", found.message)

    def test_what_a_switch_forbids_is_refused_by_name(self):
        for number, (switch, change, (__, path, *__)) in enumerate(self.CASES):
            with self.subTest(switch=switch, path=path):
                self.connection[switch] = False
                response = self.ocpi_post(cdr_payload(number, **change))
                self.assertAnswer(response, 400, 2001, f"{path}: expected ")
                self.assertFalse(self.stored(ocpi_id=f"CDR-{number}"))
                self.connection[switch] = True

    def test_cdr_that_was_taken_stays_readable_when_the_switch_goes_off(self):
        self.connection.allow_text_numbers = True
        self.ocpi_post(cdr_payload(total_energy="10.0"))
        self.connection.write(dict.fromkeys(TOLERANCE_FIELDS.values(), False))
        self.stored()._rate(RATED_AT)
        self.assertEqual((self.stored().state, self.stored().amount_untaxed), ("open", 6.40))

    def test_cdr_without_owner_of_a_hub_is_refused(self):
        self.connection.is_hub = True
        response = self.ocpi_post(without(cdr_payload(), "party_id"))
        self.assertAnswer(response, 400, 2001, "party_id: expected a text, got nothing")

    def test_credit_has_findings_too(self):
        self.connection.allow_text_numbers = True
        credit = cdr_payload(2, credit=True, credit_reference_id="CDR-1", total_energy="10.0")
        self.ocpi_post(cdr_payload(1))
        self.ocpi_post(credit)
        self.stored()._rate(RATED_AT)
        self.assertEqual(self.stored(ocpi_id="CDR-2").finding_ids.mapped("code"), ["text_for_number"])


@tagged("post_install", "-at_install")
class TestToleranceOfObjects(OcpiObjectsCommon):
    """Other objects and requests: a remark with the message, or a refusal that names the field."""

    def remark(self, connection=None):
        """Of the newest message."""
        domain = [("connection_id", "=", (connection or self.cpo).id)]
        return self.env["emsp.ocpi.message"].search(domain, order="id desc", limit=1).deviations

    def put(self, url, payload):
        return self.send("PUT", url, payload, self.cpo_token)

    def test_message_as_ocpi_has_it_has_no_remark(self):
        self.assertAnswer(self.put(LOCATION, payload_of("locations")), 201, 1000)
        self.assertFalse(self.remark())

    def test_location_with_a_country_in_the_other_length(self):
        payload = payload_of("locations", country="NL", country_code="NLD")
        self.cpo.allow_country_forms = False
        response = self.put(LOCATION, payload)
        self.assertAnswer(response, 400, 2001, "country_code: expected NL, got 'NLD'")
        self.assertFalse(self.remark())
        self.cpo.allow_country_forms = True
        self.assertAnswer(self.put(LOCATION, payload), 201, 1000)
        self.assertEqual(
            self.remark(), "country_code: expected NL, found 'NLD'\ncountry: expected NLD, found 'NL'"
        )
        location = self.env["emsp.location"].search([("connection_id", "=", self.cpo.id)])
        self.assertEqual((location.country, location.ocpi_key), ("NLD", "NL*TNM*LOC-1"))

    def test_url_with_a_country_in_the_other_length(self):
        url = LOCATION.replace("NL", "NLD")
        self.assertAnswer(self.put(url, payload_of("locations")), 201, 1000)
        self.assertEqual(self.remark(), "country_code in the URL: expected NL, found 'NLD'")
        self.assertAnswer(self.fetch(url, self.cpo_token), 200, 1000)
        self.cpo.allow_country_forms = False
        self.assertAnswer(self.put(url, payload_of("locations")), 400, 2001, "country_code")
        self.assertAnswer(self.fetch(url, self.cpo_token), 404, 2000)

    def test_session_with_numbers_as_text(self):
        payload = payload_of("sessions", kwh="4.2")
        self.assertAnswer(self.put(SESSION, payload), 400, 2001, "kwh: expected a number, got '4.2'")
        self.cpo.allow_text_numbers = True
        self.assertAnswer(self.put(SESSION, payload), 201, 1000)
        self.assertEqual(self.remark(), "kwh: expected a number, found '4.2'")
        change = {"kwh": 5, "last_updated": "2026-10-05T08:20:00Z"}
        self.assertAnswer(self.send("PATCH", SESSION, change, self.cpo_token), 200, 1000)
        self.assertFalse(self.remark())

    def test_object_without_owner(self):
        for module, url in (("sessions", SESSION), ("tariffs", "emsp/2.2.1/tariffs/NL/TNM/AC-1")):
            payload = without(payload_of(module), "party_id")
            with self.subTest(module=module):
                self.cpo.allow_missing_owner = False
                self.assertAnswer(self.put(url, payload), 400, 2001, "party_id: expected a value")
                self.cpo.allow_missing_owner = True
                self.assertAnswer(self.put(url, payload), 201, 1000)
                self.assertEqual(self.remark(), "party_id: expected a value, found nothing")

    def test_connector_with_a_number_as_text(self):
        self.cpo.allow_text_numbers = True
        self.put(LOCATION, payload_of("locations"))
        connector = {**CONNECTOR, "max_voltage": "230", "last_updated": "2026-10-03T09:00:00Z"}
        self.assertAnswer(self.put(f"{LOCATION}/EVSE-1/1", connector), 200, 1000)
        self.assertEqual(self.remark(), "max_voltage: expected a number, found '230'")

    def test_token_with_a_long_issuer(self):
        payload = payload_of("tokens", issuer="x" * 65)
        url = "cpo/2.2.1/tokens/DE/SMO/04A1B2C3D4E5F6"
        self.emsp.allow_long_texts = False
        response = self.send("PUT", url, payload, self.emsp_token)
        self.assertAnswer(response, 400, 2001, "issuer: expected at most 64 characters")
        self.emsp.allow_long_texts = True
        self.assertAnswer(self.send("PUT", url, payload, self.emsp_token), 201, 1000)
        remark = "issuer: expected at most 64 characters, found 65 characters"
        self.assertEqual(self.remark(self.emsp), remark)

    def test_token_in_another_form_of_the_header_is_told_once_a_day(self):
        self.cpo.allow_header_forms = True
        headers = {"Authorization": f"Bearer {self.cpo_token}"}
        before = self.env["emsp.ocpi.message"].search_count([])
        for __ in range(2):
            self.assertAnswer(self.ocpi_get("/ocpi/versions", headers=headers), 200, 1000)
        self.assertEqual(self.env["emsp.ocpi.message"].search_count([]), before + 1)
        self.assertEqual(self.remark(), "Authorization: expected 'Token' before the token, found 'Bearer'")
        response = self.send("PUT", SESSION, payload_of("sessions"), self.cpo_token, headers=headers)
        self.assertAnswer(response, 201, 1000)
        self.assertIn("Authorization", self.remark())

    def test_many_deviations_are_cut(self):
        self.cpo.allow_text_numbers = True
        periods = [
            {
                "start_date_time": "2026-10-05T08:00:00Z",
                "dimensions": [{"type": "ENERGY", "volume": str(number)}],
            }
            for number in range(MAX_DEVIATIONS + 5)
        ]
        self.put(SESSION, payload_of("sessions", charging_periods=periods))
        lines = self.remark().splitlines()
        self.assertEqual((len(lines), lines[-1]), (MAX_DEVIATIONS + 1, "and 5 more"))

    def test_messages_with_a_remark_are_found(self):
        self.put(LOCATION, payload_of("locations", country="NL"))
        search = self.env.ref("emsp_clearing.emsp_ocpi_message_view_search").arch
        self.assertIn("[('deviations', '!=', False)]", search)
        found = self.env["emsp.ocpi.message"].search([("deviations", "!=", False)])
        self.assertEqual((found.connection_id, found.is_refused), (self.cpo, False))


@tagged("post_install", "-at_install")
class TestToleranceOfPulledObjects(PullCommon):
    def test_remark_of_a_pulled_object_is_kept_once(self):
        tolerated = payload_of("locations", country="NL", country_code="NLD")
        self.cpo_system.lists["locations"] = [tolerated, payload_of("locations", id="LOC-2")]
        self.read_list("locations")
        cursor = self.read_list("locations", as_of=NOW + timedelta(hours=1))
        self.assertEqual(cursor.refused_count, 0)
        message = self.pulled_messages()
        self.assertEqual(
            (message.object_ocpi_id, message.is_refused, message.deviations),
            (
                "LOC-1",
                False,
                "country_code: expected NL, found 'NLD'\ncountry: expected NLD, found 'NL'",
            ),
        )

    def test_pulled_object_is_refused_without_the_switch(self):
        self.cpo.allow_country_forms = False
        self.env.flush_all()
        self.cpo_system.lists["locations"] = [payload_of("locations", country_code="NLD")]
        self.assertEqual(self.read_list("locations").refused_count, 1)
        self.assertEqual(self.pulled_messages().path, "country_code")
        self.assertFalse(self.pulled_messages().deviations)


@tagged("post_install", "-at_install")
class TestToleranceOfCredentials(HandshakeCommon):
    remark = "roles[0].country_code: expected NL, found 'NLD'"

    def messages_of(self, module, **values):
        domain = [("connection_id", "=", self.cpo.id), ("module", "=", module)]
        domain += [(name, "=", value) for name, value in values.items()]
        return self.env["emsp.ocpi.message"].search(domain)

    def test_partner_registers_with_a_country_in_three_letters(self):
        with self.peer(party=("NLD", "TNM")) as peer:
            self.register_peer(peer)
        self.assertEqual(self.messages_of("credentials").deviations, self.remark)
        self.assertEqual(self.cpo.peer_parties.split()[-1], "NL*TNM")

    def test_we_register_with_such_a_partner(self):
        with self.peer(party=("NLD", "TNM")) as peer:
            self.register_with(peer)
        self.assertEqual(self.messages_of("credentials", direction="out").deviations, self.remark)
        self.assertFalse(any(self.messages_of("versions").mapped("deviations")))

    def test_partner_is_refused_without_the_switch(self):
        self.cpo.allow_country_forms = False
        with self.peer(party=("NLD", "TNM")) as peer:
            body = self.theirs(peer)
            response = self.credentials("POST", token=self.token_a(), data=body)
        self.assertAnswer(response, 400, 2001, "roles[0].country_code: expected NL, got 'NLD'")
