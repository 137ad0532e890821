import json
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

from freezegun import freeze_time

from odoo.tests import tagged

from ..controllers.ocpi import paging
from .common import CDR, cdr_payload, raw
from .ocpi_objects_common import VERSIONS, OcpiObjectsCommon, payload_of

OWN = {"country_code": "FR", "party_id": "RVR"}
CDR_211 = {
    "id": "C-211",
    "start_date_time": "2026-10-05T08:00:00Z",
    "stop_date_time": "2026-10-05T08:30:00Z",
    "auth_id": "DE-SMO-C00012345-6",
    "auth_method": "WHITELIST",
    "location": payload_of("locations", "2.1.1"),
    "currency": "EUR",
    "charging_periods": CDR["charging_periods"],
    "total_cost": 6.4,
    "total_energy": 10.0,
    "total_time": 0.5,
    "last_updated": "2026-10-05T08:31:00Z",
}
CDR_211["location"]["evses"][0]["evse_id"] = "FR*RVR*E1001*1"


class SenderCommon(OcpiObjectsCommon):
    def ids(self, url, token=None):
        """The ids of the objects on a page that the eMSP reads."""
        response = self.fetch(url, token or self.emsp_token)
        self.assertAnswer(response, 200, 1000)
        return [each["id"] for each in response.json()["data"]]

    def put_place(self, number):
        """Our own charge point system describes a location."""
        location = payload_of("locations", **OWN, id=f"LOC-{number}", country="FRA")
        url = f"emsp/2.2.1/locations/FR/RVR/{location['id']}"
        self.assertAnswer(self.send("PUT", url, location, self.token), 201, 1000)


@tagged("post_install", "-at_install")
class TestSenderOfCdrs(SenderCommon):
    """The CDRs of our own chargers, as the eMSP whose drivers charged reads them (OCPI 2.2.1, 10.2.1)."""

    url = "cpo/2.2.1/cdrs"

    def _receive_at_once(self, *payloads):
        """CDRs that were shown to the partner when their sender made them."""
        for cdr in self._receive(*payloads):
            cdr._store({"available_at": cdr.last_updated})

    def test_partner_reads_its_cdrs_as_they_were_received(self):
        body = raw(cdr_payload()).replace(b'"total_energy": 10.0', b'"total_energy":   1.000E1')
        endpoint = self.connection._as_endpoint()
        (receipt,) = endpoint.env["emsp.cdr"]._receive(endpoint, [body], datetime(2026, 10, 6))
        self.env["emsp.cdr"].browse(receipt.record.id)._rate(datetime(2026, 10, 6))
        response = self.fetch(self.url, self.emsp_token)
        self.assertAnswer(response, 200, 1000)
        self.assertTrue(response.content.startswith(b'{"data": [' + body + b"], "), response.text)
        self.assertEqual(response.headers["X-Total-Count"], "1")
        self.assertEqual(response.headers["X-Limit"], str(paging.MAX_PAGE))
        self.assertNotIn("Link", response.headers)

    def test_cdr_is_said_in_the_version_of_the_url(self):
        self._receive(cdr_payload())
        (of_211,) = self.fetch("cpo/2.1.1/cdrs", self.emsp_token).json()["data"]
        self.assertEqual((of_211["auth_id"], of_211["total_cost"]), ("DE-SMO-C00012345-6", 6.4))
        self.assertEqual(of_211["location"]["evses"][0]["evse_id"], "FR*RVR*E1001*1")
        (of_230,) = self.fetch("cpo/2.3.0/cdrs", self.emsp_token).json()["data"]
        self.assertEqual((of_230["total_cost"], of_230["party_id"]), ({"before_taxes": 6.4}, "RVR"))

    def test_211_has_the_charger_that_was_used_as_its_owner_describes_it(self):
        self.put_place(1)
        self._receive(cdr_payload())
        session = payload_of("sessions", **OWN)
        self.send("PUT", f"emsp/2.2.1/sessions/FR/RVR/{session['id']}", session, self.token)
        (cdr,) = self.fetch("cpo/2.1.1/cdrs", self.emsp_token).json()["data"]
        (of_session,) = self.fetch("cpo/2.1.1/sessions", self.emsp_token).json()["data"]
        for location in (cdr["location"], of_session["location"]):
            (evse,) = location["evses"]
            (connector,) = evse["connectors"]
            self.assertEqual((location["type"], location["country"]), ("UNKNOWN", "FRA"))
            self.assertEqual((evse["status"], connector["voltage"]), ("AVAILABLE", 230))

    def test_211_cdr_of_our_chargers_is_said_with_its_parties_in_later_versions(self):
        response = self.send("POST", "emsp/2.1.1/cdrs", CDR_211, self.token)
        self.assertAnswer(response, 201, 1000)
        self.stored()._rate(datetime(2026, 10, 6))
        (cdr,) = self.fetch(self.url, self.emsp_token).json()["data"]
        self.assertEqual((cdr["country_code"], cdr["party_id"], cdr["id"]), ("FR", "RVR", "C-211"))
        self.assertEqual((cdr["cdr_token"]["country_code"], cdr["cdr_token"]["party_id"]), ("DE", "SMO"))

    def test_cdrs_of_other_partners_and_of_other_cpos_are_not_shown(self):
        elsewhere = cdr_payload(2)
        elsewhere["cdr_token"].update(country_code="NL", party_id="ABC")
        self._receive(cdr_payload(1), elsewhere)
        theirs = cdr_payload(3, country_code="NL", party_id="TNM")
        self.assertAnswer(self.send("POST", "emsp/2.2.1/cdrs", theirs, self.cpo_token), 201, 1000)
        self.assertEqual(self.ids(self.url), ["CDR-1"])

    def test_held_void_and_unpriced_cdrs_are_not_shown(self):
        held, void, shown = self._receive(*(cdr_payload(number) for number in (1, 2, 3)))
        self._receive(cdr_payload(4), rate=False)
        held._store({"state": "quarantine"})
        void._void("Test")
        self.assertEqual(self.ids(self.url), [shown.ocpi_id])

    def test_cdrs_of_an_archived_system_of_ours_are_shown(self):
        self._receive(cdr_payload())
        self.connection.active = False
        self.assertEqual(self.ids(self.url), ["CDR-1"])

    def test_credits_do_not_leave_in_a_version_without_a_word_for_them(self):
        self._receive(cdr_payload(1))
        credit = cdr_payload(2, credit=True, credit_reference_id="CDR-1", home_charging_compensation=False)
        compensation = cdr_payload(3, home_charging_compensation=True)
        self._receive(credit, compensation)
        self.stored()._store({"state": "open"})
        self.assertEqual(self.ids("cpo/2.1.1/cdrs"), ["CDR-1"])
        self.assertEqual(self.ids(self.url), ["CDR-1", "CDR-2", "CDR-3"])

    def test_dates_are_from_included_and_to_not(self):
        start = datetime(2026, 10, 5, 8, 0)
        cdrs = [cdr_payload(number, start + timedelta(hours=number)) for number in range(4)]
        self._receive_at_once(*cdrs)
        since, until = cdrs[1]["last_updated"], cdrs[3]["last_updated"]
        self.assertEqual(self.ids(f"{self.url}?date_from={since}&date_to={until}"), ["CDR-1", "CDR-2"])
        self.assertEqual(self.ids(f"{self.url}?date_from={until}"), ["CDR-3"])
        self.assertEqual(self.ids(f"{self.url}?date_to={since}"), ["CDR-0"])
        offset = since.replace("09:30:00Z", "11:30:00%2B02:00")
        self.assertEqual(self.ids(f"{self.url}?date_from={offset}&date_to={until}"), ["CDR-1", "CDR-2"])
        fraction = until.replace("Z", ".5Z")
        self.assertEqual(self.ids(f"{self.url}?date_from={fraction}"), ["CDR-3"])

    def test_cdr_that_was_released_late_is_met_by_who_reads_what_is_new(self):
        late, steady = self._receive(cdr_payload(1), cdr_payload(2), received_at=datetime(2026, 10, 5, 8, 40))
        late._store({"state": "quarantine"})
        read = []
        for day in range(5, 10):
            if day == 8:
                late._release(datetime(2026, 10, 8, 12, 0))
                self.env.flush_all()
            window = f"date_from=2026-10-{day:02}T00:00:00Z&date_to=2026-10-{day + 1:02}T00:00:00Z"
            read.append(self.ids(f"{self.url}?{window}"))
        self.assertEqual(read, [[steady.ocpi_id], [], [], [late.ocpi_id], []])
        (cdr,) = self.fetch(f"{self.url}?date_from=2026-10-08T12:00:00Z", self.emsp_token).json()["data"]
        self.assertEqual(cdr["last_updated"], "2026-10-05T08:30:00Z")

    def test_cdr_belongs_to_every_window_that_one_of_its_instants_is_in(self):
        # Made on the 5th at 8:30 by its sender's clock, shown on the 8th at 12:00.
        self._receive(cdr_payload(), received_at=datetime(2026, 10, 8, 12, 0))
        for window, is_in in (
            ("date_from=2026-10-05T08:30:00Z&date_to=2026-10-05T08:30:01Z", True),
            ("date_from=2026-10-05T08:30:01Z&date_to=2026-10-08T12:00:00Z", False),
            ("date_from=2026-10-08T12:00:00Z&date_to=2026-10-08T12:00:01Z", True),
            ("date_from=2026-10-08T12:00:01Z", False),
            ("date_to=2026-10-05T08:30:01Z", True),
            ("date_to=2026-10-05T08:30:00Z", False),
        ):
            with self.subTest(window=window):
                self.assertEqual(self.ids(f"{self.url}?{window}"), ["CDR-1"] if is_in else [])

    def test_links_lead_through_all_pages_with_their_filters(self):
        start = datetime(2026, 10, 5, 8, 0)
        self._receive_at_once(*(cdr_payload(number, start - timedelta(hours=number)) for number in range(5)))
        url, found = f"/ocpi/{self.url}?limit=2&date_from=2026-10-05T05:00:00Z&x=%C3%A9%26", []
        for __ in range(2):
            response = self.ocpi_get(url, token=self.emsp_token)
            self.assertEqual(response.headers["X-Total-Count"], "4")
            found += [cdr["id"] for cdr in response.json()["data"]]
            link = response.headers.get("Link")
            if link:
                self.assertRegex(link, r'^<[^>]+>; rel="next"$')
                url = link[1 : link.index(">")]
                self.assertTrue(url.startswith(f"{self.base_url()}/ocpi/{self.url}?"), url)
                query = parse_qs(urlsplit(url).query)
                self.assertEqual((query["x"], query["date_from"]), (["é&"], ["2026-10-05T05:00:00Z"]))
        self.assertIsNone(link)
        self.assertEqual(found, ["CDR-0", "CDR-1", "CDR-2", "CDR-3"])

    def test_page_is_never_longer_than_we_say(self):
        response = self.fetch(f"{self.url}?limit=100000", self.emsp_token)
        self.assertEqual(response.headers["X-Limit"], str(paging.MAX_PAGE))

    def test_page_beyond_the_end_is_empty(self):
        self._receive(cdr_payload())
        response = self.fetch(f"{self.url}?offset=5", self.emsp_token)
        self.assertEqual((response.json()["data"], response.headers["X-Total-Count"]), ([], "1"))

    def test_query_that_cannot_be_read_is_refused(self):
        for query, name in (("limit=0", "limit:"), ("offset=-1", "offset:"), ("date_from=now", "date_from:")):
            self.assertAnswer(self.fetch(f"{self.url}?{query}", self.emsp_token), 400, 2001, name)

    def test_page_takes_as_many_queries_for_many_cdrs_as_for_one(self):
        counts = {"2.2.1": [], "2.1.1": []}
        for number in range(1, 32, 15):
            cdrs = [cdr_payload(each) for each in range(number, number + 15)]
            for each, cdr in enumerate(cdrs, number):
                self.put_place(each)
                cdr["cdr_location"]["id"] = f"LOC-{each}"
            self._receive(*cdrs)
            self.env.flush_all()
            with self.subTest(number=number):
                for version, found in counts.items():
                    self.fetch(f"cpo/{version}/cdrs", self.emsp_token)
                    before = self.cr.sql_log_count
                    self.fetch(f"cpo/{version}/cdrs", self.emsp_token)
                    found.append(self.cr.sql_log_count - before)
        for found in counts.values():
            self.assertLessEqual(max(found) - min(found), 2, counts)


@tagged("post_install", "-at_install")
class TestSenderOfTheRest(SenderCommon):
    def test_partner_reads_the_sessions_of_its_drivers_at_our_chargers(self):
        for number, changes in enumerate(
            (OWN, {**OWN, "cdr_token": {**payload_of("sessions")["cdr_token"], "party_id": "ABC"}}), 1
        ):
            session = payload_of("sessions", id=f"S-{number}", **changes)
            url = f"emsp/2.2.1/sessions/FR/RVR/S-{number}"
            self.assertAnswer(self.send("PUT", url, session, self.token), 201, 1000)
        theirs = payload_of("sessions", id="S-3")
        self.send("PUT", "emsp/2.2.1/sessions/NL/TNM/S-3", theirs, self.cpo_token)
        for version in VERSIONS:
            with self.subTest(version=version):
                self.assertEqual(self.ids(f"cpo/{version}/sessions"), ["S-1"])
        (said,) = self.fetch("cpo/2.1.1/sessions", self.emsp_token).json()["data"]
        self.assertEqual((said["auth_id"], said["total_cost"]), ("DE-SMO-C00012345-6", 2.1))
        self.assertEqual(self.ids("cpo/2.2.1/sessions?date_from=2026-10-05T08:10:00Z"), ["S-1"])
        self.assertEqual(self.ids("cpo/2.2.1/sessions?date_to=2026-10-05T08:10:00Z"), [])

    def test_partner_reads_the_locations_of_our_chargers(self):
        location = payload_of("locations", **OWN)
        self.send("PUT", "emsp/2.2.1/locations/FR/RVR/LOC-1", location, self.token)
        self.send(
            "PUT", "emsp/2.2.1/locations/NL/TNM/LOC-2", payload_of("locations", id="LOC-2"), self.cpo_token
        )
        for version in VERSIONS:
            with self.subTest(version=version):
                self.assertEqual(self.ids(f"cpo/{version}/locations"), ["LOC-1"])
        self.assertEqual(self.fetch("cpo/2.2.1/locations", self.emsp_token).json()["data"], [location])
        (said,) = self.fetch("cpo/2.1.1/locations", self.emsp_token).json()["data"]
        self.assertEqual(said["evses"][0]["connectors"][0]["amperage"], 32)

    def test_partner_reads_one_location_of_ours_or_a_part_of_it(self):
        location = payload_of("locations", **OWN)
        self.send("PUT", "emsp/2.2.1/locations/FR/RVR/LOC-1", location, self.token)
        theirs = payload_of("locations", id="LOC-2")
        self.send("PUT", "emsp/2.2.1/locations/NL/TNM/LOC-2", theirs, self.cpo_token)
        for path, data in (
            ("/LOC-1", location),
            ("/loc-1/EVSE-1", location["evses"][0]),
            ("/LOC-1/EVSE-1/1", location["evses"][0]["connectors"][0]),
        ):
            self.assertEqual(self.fetch(f"cpo/2.2.1/locations{path}", self.emsp_token).json()["data"], data)
        for path in ("/LOC-2", "/LOC-1/EVSE-2", "/LOC-1/EVSE-1/2"):
            self.assertAnswer(self.fetch(f"cpo/2.2.1/locations{path}", self.emsp_token), 404, 2000)

    @freeze_time("2026-10-06 08:00:00")
    def test_partner_reads_the_tariffs_of_its_price_grids(self):
        self._create_grid("OTHERS-2026", energy=0.99)
        for version in VERSIONS:
            with self.subTest(version=version):
                response = self.fetch(f"cpo/{version}/tariffs", self.emsp_token)
                self.assertAnswer(response, 200, 1000)
                (tariff,) = response.json()["data"]
                self.assertEqual((tariff["id"], tariff["currency"]), ("AC-2026", "EUR"))
                if version != "2.1.1":
                    self.assertEqual((tariff["country_code"], tariff["party_id"]), ("FR", "RVR"))
                prices = {
                    component["type"]: component["price"]
                    for element in tariff["elements"]
                    for component in element["price_components"]
                }
                # 0.05 a minute is 3 an hour.
                self.assertEqual(prices, {"FLAT": 1, "ENERGY": 0.39, "TIME": 3})
                self.assertEqual(response.headers["X-Total-Count"], "1")

    def test_each_group_has_a_tariff_of_its_own(self):
        group = self.env["emsp.location.group"].create(
            {"name": "Lyon", "company_id": self.company.id, "location_codes": "LOC-1"}
        )
        grid = self.grid.copy({"code": "AC-2027", "name": "Next"})
        grid.line_ids[0].copy({"grid_id": grid.id, "location_group_id": group.id, "price": 2})
        self._use_grid(grid)
        ids = self.ids("cpo/2.2.1/tariffs")
        self.assertEqual((len(ids), ids[0]), (2, "AC-2027"))
        response = self.fetch("cpo/2.2.1/tariffs?limit=1", self.emsp_token)
        self.assertIn('offset=1&limit=1>; rel="next"', response.headers["Link"])
        self.assertEqual(self.ids("cpo/2.2.1/tariffs?offset=1"), ids[1:])
        self.assertEqual(self.ids("cpo/2.2.1/tariffs?date_to=2020-01-01T00:00:00Z"), [])
        self.assertEqual(self.ids("cpo/2.2.1/tariffs?date_from=2020-01-01T00:00:00Z"), ids)

    def test_grid_that_no_longer_holds_is_not_offered(self):
        self.grid.valid_to = "2026-02-01"
        self.assertEqual(self.ids("cpo/2.2.1/tariffs"), [])

    def _use_grid(self, grid):
        grid.action_publish()
        self.grid.valid_to = "2026-01-01"
        grid.valid_to = False
        self.contract.price_grid_ids = grid

    def test_cdr_is_taken_and_given_back_in_every_version(self):
        for version in VERSIONS:
            payload = CDR_211 if version == "2.1.1" else cdr_payload(version.replace(".", ""))
            if version == "2.3.0":
                payload = {**payload, "total_cost": {"before_taxes": 6.4}}
            with self.subTest(version=version):
                response = self.send("POST", f"emsp/{version}/cdrs", payload, self.token)
                self.assertAnswer(response, 201, 1000)
                location = response.headers["Location"]
                self.assertEqual(
                    location, f"{self.base_url()}/ocpi/emsp/{version}/cdrs/FR/RVR/{payload['id']}"
                )
                self.assertEqual(self.ocpi_get(location).json()["data"], payload)
                self.assertEqual(self.stored(ocpi_id=payload["id"]).ocpi_version, version)
                again = self.send("POST", f"emsp/{version}/cdrs", json.dumps(payload).encode(), self.token)
                self.assertAnswer(again, 200, 1000)
