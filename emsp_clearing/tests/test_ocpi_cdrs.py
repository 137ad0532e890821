import gzip
import hashlib
import json
from unittest.mock import patch
from urllib.parse import quote, urlsplit

from odoo.exceptions import AccessDenied, AccessError, MissingError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..controllers.ocpi import dispatcher
from ..core.errors import PayloadError
from ..models.emsp_cdr_intake import EmspCdrIntake
from .common import cdr_payload, raw
from .http_common import CDRS, EmspHttpCommon


@tagged("post_install", "-at_install")
class TestOcpiCdrs(EmspHttpCommon):
    def test_ocpi_10_2_2_post_stores_the_cdr_and_answers_its_location(self):
        response = self.ocpi_post(cdr_payload())
        self.assertAnswer(response, 201, 1000)
        self.assertNotIn("data", response.json())
        self.assertEqual(response.headers["Location"], f"{self.base_url()}{CDRS}/FR/RVR/CDR-1")
        cdr = self.stored()
        self.assertEqual((cdr.ocpi_id, cdr.energy_kwh, cdr.contract_id), ("CDR-1", 10.0, self.contract))

    def test_payload_is_kept_and_given_back_byte_for_byte(self):
        # Spellings that a parser would not give back: 1.10, 1E1, an escape, order, white space.
        body = raw(cdr_payload(remark="X", meter_id="Y"))
        body = body.replace(b'"remark": "X"', b'"remark":\t"Stra\\u00dfe"')
        body = body.replace(b'"meter_id": "Y"', '"meter_id": "Zähler"'.encode())
        body = body.replace(b'"total_energy": 10.0', b'"total_energy":   1.000E1')
        body = b"\n" + body + b"\r\n"
        location = self.ocpi_post(body).headers["Location"]
        cdr = self.stored()
        self.assertEqual(cdr.payload.encode(), body)
        self.assertEqual(cdr.payload_sha256, hashlib.sha256(body).hexdigest())
        response = self.ocpi_get(location)
        self.assertAnswer(response, 200, 1000)
        self.assertTrue(response.content.startswith(b'{"data": ' + body + b", "), response.text)

    def test_byte_order_mark_is_kept_but_not_sent_inside_an_envelope(self):
        body = b"\xef\xbb\xbf" + raw(cdr_payload())
        location = self.ocpi_post(body).headers["Location"]
        self.assertEqual(self.stored().payload.encode(), body)
        self.assertEqual(self.ocpi_get(location).json()["data"], cdr_payload())

    def test_posting_the_same_cdr_twice_is_answered_alike_and_stores_one(self):
        first = self.ocpi_post(cdr_payload())
        again = self.ocpi_post(json.dumps(cdr_payload(), indent=2, sort_keys=True).encode())
        self.assertAnswer(again, 200, 1000)
        self.assertEqual(again.headers["Location"], first.headers["Location"])
        self.assertEqual(len(self.stored()), 1)

    def test_id_in_other_case_is_the_same_cdr_and_keeps_its_location(self):
        first = self.ocpi_post(cdr_payload(id="cdr-a"))
        again = self.ocpi_post(cdr_payload(id="CDR-A"))
        self.assertAnswer(again, 200, 2001, "CDR-A")
        self.assertEqual(again.headers["Location"], first.headers["Location"])
        self.assertAnswer(self.ocpi_get(f"{CDRS}/fr/rvr/CDR-A"), 200, 1000)

    def test_same_id_with_other_content_is_refused_and_kept_as_evidence(self):
        self.ocpi_post(cdr_payload(energy=10.0))
        changed = raw(cdr_payload(energy=11.0))
        response = self.ocpi_post(changed)
        self.assertAnswer(response, 200, 2001, "CDR-1")
        self.assertEqual(self.stored().payload, raw(cdr_payload(energy=10.0)).decode())
        message = self.messages(is_refused=True)
        self.assertEqual(message.body, changed.decode())
        self.assertEqual((message.ocpi_status, message.http_status), (2001, 200))

    def test_bad_payload_is_refused_with_the_path_of_the_field(self):
        no_id = cdr_payload()
        del no_id["id"]
        bad_volume = cdr_payload()
        bad_volume["charging_periods"][0]["dimensions"][1]["volume"] = "much"
        for payload, path in (
            (no_id, "id:"),
            (bad_volume, "charging_periods[0].dimensions[1].volume:"),
            (cdr_payload(cdr_token=None), "cdr_token:"),
            (cdr_payload(charging_periods=[]), "charging_periods:"),
            (cdr_payload(start_date_time="yesterday"), "start_date_time:"),
            (cdr_payload(id="A\x00B"), "id:"),
        ):
            response = self.ocpi_post(payload)
            self.assertAnswer(response, 400, 2001)
            self.assertTrue(response.json()["status_message"].startswith(path), response.text)
        self.assertFalse(self.stored())

    def test_body_that_is_no_cdr_is_refused_and_kept(self):
        for body, kept in (
            (b"", False),
            (b"{", "{"),
            (b"null", "null"),
            (b"NaN", "NaN"),
            (b'"CDR"', '"CDR"'),
            (b'{"id": "\xff"}', '{"id": "\\xff"}'),
            (b'{"id": "\x00"}', '{"id": "\\x00"}'),
            (raw(cdr_payload()).decode().encode("utf-16"), None),
            (b"[" + raw(cdr_payload()) + b"]", None),
            (b"[" * 100_000, "[" * 100_000),
        ):
            response = self.ocpi_post(body)
            self.assertAnswer(response, 400, 2001)
            message = self.messages()[0]
            self.assertEqual((message.http_status, message.is_refused), (400, True))
            if kept is not None:
                self.assertEqual(message.body, kept)
        self.assertFalse(self.stored())

    def test_cdr_of_another_party_is_refused_unless_a_hub_brings_it(self):
        response = self.ocpi_post(cdr_payload(country_code="BE"))
        self.assertAnswer(response, 400, 2001, "country_code: expected FR, got BE")
        response = self.ocpi_post(cdr_payload(party_id="ABC"))
        self.assertAnswer(response, 400, 2001, "party_id: expected RVR, got ABC")
        self.connection.is_hub = True
        self.assertAnswer(self.ocpi_post(cdr_payload(party_id="ABC")), 201, 1000)

    def test_party_is_compared_without_case(self):
        self.assertAnswer(self.ocpi_post(cdr_payload(country_code="fr", party_id="rvr")), 201, 1000)

    def test_location_of_any_id_leads_back_to_the_cdr(self):
        for cdr_id in ("A/B", "/A", "A B", "A%2FB", "Ä?#&+;", "A*B", "x" * 39):
            response = self.ocpi_post(cdr_payload(id=cdr_id))
            self.assertAnswer(response, 201, 1000)
            location = response.headers["Location"]
            self.assertEqual(location, f"{self.base_url()}{CDRS}/FR/RVR/{quote(cdr_id, safe='')}")
            self.assertEqual(self.ocpi_get(location).json()["data"]["id"], cdr_id)

    def test_location_uses_the_public_address_when_that_is_frozen(self):
        params = self.env["ir.config_parameter"].sudo()
        params.set_param("web.base.url", "https://clearing.example.com/")
        params.set_param("web.base.url.freeze", "True")
        location = self.ocpi_post(cdr_payload()).headers["Location"]
        self.assertEqual(location, f"https://clearing.example.com{CDRS}/FR/RVR/CDR-1")
        self.assertAnswer(self.ocpi_get(urlsplit(location).path), 200, 1000)

    def test_cdr_is_shown_to_the_connection_it_came_from_only(self):
        location = self.ocpi_post(cdr_payload()).headers["Location"]
        other = self.connection.copy({"name": "Other", "ocpi_party_id": "OTH"})
        token = other._generate_token()
        self.assertAnswer(self.ocpi_get(location, token=token), 404, 2000)
        self.assertAnswer(self.ocpi_get(location), 200, 1000)
        for url in ("FR/RVR/CDR-2", "FR/RVR", "FR*RVR*CDR-1", "FR/RVR*CDR-1"):
            self.assertAnswer(self.ocpi_get(f"{CDRS}/{url}"), 404, 2000)

    def test_same_id_at_another_company_is_another_cdr(self):
        self.ocpi_post(cdr_payload(energy=10.0))
        company = self.env["res.company"].create({"name": "Second CPO"})
        second = self.connection.copy({"name": "Second", "company_id": company.id})
        token = second._generate_token()
        location = self.ocpi_post(cdr_payload(energy=11.0), token=token).headers["Location"]
        self.assertEqual(self.ocpi_get(location, token=token).json()["data"]["total_energy"], 11.0)
        self.assertEqual(self.ocpi_get(location).json()["data"]["total_energy"], 10.0)

    def test_methods_that_ocpi_does_not_define_get_405_in_an_envelope(self):
        location = self.ocpi_post(cdr_payload()).headers["Location"]
        for method, url, allowed in (
            ("GET", CDRS, "POST"),
            ("PUT", CDRS, "POST"),
            ("OPTIONS", CDRS, "POST"),
            ("DELETE", location, "GET"),
            ("PATCH", location, "GET"),
            ("POST", location, "GET"),
            ("POST", "/ocpi/versions", "GET"),
        ):
            response = self.ocpi(method, url)
            self.assertAnswer(response, 405, 2000)
            self.assertEqual(response.headers["Allow"], allowed)

    def test_unknown_path_gets_404_in_an_envelope(self):
        for url in ("/ocpi", "/ocpi/", "/ocpi/emsp/2.2.1/sessions", "/ocpi/emsp/2.2/cdrs", "/ocpi/x/y"):
            for method in ("GET", "POST", "PUT"):
                self.assertAnswer(self.ocpi(method, url), 404, 2000)

    def test_trailing_slash_makes_no_difference(self):
        response = self.ocpi("POST", f"{CDRS}/", data=raw(cdr_payload()))
        self.assertAnswer(response, 201, 1000)
        self.assertAnswer(self.ocpi_get("/ocpi/versions/"), 200, 1000)

    def test_ocpi_4_1_4_ids_are_echoed_and_kept(self):
        ids = {"X-Request-ID": "request-1", "X-Correlation-ID": "correlation-1"}
        for response in (
            self.ocpi_post(cdr_payload(), headers=ids),
            self.ocpi_post(b"", headers=ids),
            self.ocpi_get("/ocpi/versions", headers=ids),
            self.ocpi_get("/ocpi/x", headers=ids),
            self.ocpi_get("/ocpi/x", headers=ids, token="unknown"),
        ):
            self.assertLessEqual(ids.items(), response.headers.items())
        kept = self.messages(request_uid="request-1", correlation_uid="correlation-1")
        self.assertEqual(kept.mapped("http_status"), [404, 400, 201])

    def test_ids_are_made_when_the_sender_has_none(self):
        first, second = self.ocpi_get("/ocpi/versions"), self.ocpi_get("/ocpi/versions")
        for name in ("X-Request-ID", "X-Correlation-ID"):
            self.assertTrue(first.headers[name])
            self.assertNotEqual(first.headers[name], second.headers[name])

    def test_message_is_kept_of_a_taken_cdr_without_its_body(self):
        self.ocpi_post(cdr_payload())
        message = self.messages()
        self.assertEqual(
            (message.module, message.method, message.url, message.direction, message.ocpi_status),
            ("cdrs", "POST", CDRS, "in", 1000),
        )
        self.assertFalse(message.body)

    def test_gzip_body_is_taken_and_kept_decompressed(self):
        body = raw(cdr_payload())
        response = self.ocpi_post(gzip.compress(body), headers={"Content-Encoding": "gzip"})
        self.assertAnswer(response, 201, 1000)
        self.assertEqual(self.stored().payload.encode(), body)

    def test_body_that_unfolds_beyond_the_bound_is_refused(self):
        bomb = gzip.compress(b" " * (dispatcher.MAX_BODY_BYTES + 1))
        self.assertLess(len(bomb), 20_000)
        self.assertAnswer(self.ocpi_post(bomb, headers={"Content-Encoding": "gzip"}), 400, 2001, "at most")

    def test_body_in_another_encoding_than_it_says_is_refused(self):
        body = raw(cdr_payload())
        for data, encoding in (
            (body, "gzip"),
            (gzip.compress(body)[:-9], "gzip"),
            (b"", "gzip"),
            (body, "br"),
        ):
            self.assertAnswer(self.ocpi_post(data, headers={"Content-Encoding": encoding}), 400, 2001)
        self.assertFalse(self.stored())

    def test_body_beyond_the_bound_is_refused_unread(self):
        response = self.ocpi_post(b" " * (dispatcher.MAX_BODY_BYTES + 1))
        self.assertAnswer(response, 413, 2000)

    def test_content_type_does_not_matter(self):
        for number, kind in enumerate((None, "text/plain", "application/x-www-form-urlencoded")):
            response = self.ocpi_post(cdr_payload(number), headers={"Content-Type": kind})
            self.assertAnswer(response, 201, 1000)

    def test_failure_inside_is_told_without_its_cause_and_the_body_is_kept(self):
        receive = EmspCdrIntake._receive

        def fail(cdrs, *args):
            receive(cdrs, *args)
            raise ZeroDivisionError("a secret of the house")

        body = raw(cdr_payload())
        with patch.object(EmspCdrIntake, "_receive", fail), mute_logger("odoo.http"):
            response = self.ocpi_post(body)
        self.assertAnswer(response, 500, 3000)
        self.assertNotIn("secret", response.text)
        self.assertNotIn("Traceback", response.text)
        self.assertFalse(self.stored())
        message = self.messages()
        self.assertEqual((message.http_status, message.ocpi_status), (500, 3000))
        self.assertEqual(message.body, body.decode())
        self.assertNotIn("secret", message.message or "")

    def test_each_kind_of_exception_has_its_answer(self):
        for error, http_status, ocpi_status, text in (
            (UserError("The list is closed."), 200, 2000, "The list is closed."),
            (PayloadError("x", path="id", expected="a text", got="1"), 400, 2001, "id: expected a text"),
            (AccessError("Anna may not"), 500, 3000, "could not process"),
            (ValidationError("constraint emsp_x"), 500, 3000, "could not process"),
            (MissingError("Record 7"), 500, 3000, "could not process"),
            (AccessDenied(), 401, 2000, "token"),
            (KeyError("internal"), 500, 3000, "could not process"),
        ):
            with patch.object(EmspCdrIntake, "_receive", side_effect=error), mute_logger("odoo.http"):
                self.assertAnswer(self.ocpi_post(cdr_payload()), http_status, ocpi_status, text)
