import json
from base64 import b64encode
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from odoo.exceptions import ValidationError
from odoo.tests import tagged

from odoo.addons.queue_job.tests.common import trap_jobs

from .common import EmspCommon, cdr_payload
from .ocpi_objects_common import EVSE, LOCATION, raw

KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC_KEY = KEY.public_key()


def signed_payload():
    """The CDR of 10 kWh with what its meter signed, and the key that the charger sent with it."""
    readings = [
        {"TM": f"2026-10-05T{hour}:00:00,000+0200 S", "TX": tx, "RV": value, "RI": "1-b:1.8.0", "RU": "kWh"}
        for tx, hour, value in (("B", 10, 2935.6), ("E", 11, 2945.6))
    ]
    text = json.dumps({"FV": "1.0", "PG": "T1", "RD": readings})
    record = f"OCMF|{text}|{json.dumps({'SD': KEY.sign(text.encode(), ec.ECDSA(SHA256())).hex()})}"
    der = PUBLIC_KEY.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    signed = {
        "encoding_method": "OCMF",
        "public_key": b64encode(der).decode(),
        "signed_values": [{"nature": "Transaction", "plain_data": text, "signed_data": record}],
    }
    return cdr_payload(signed_data=signed)


@tagged("post_install", "-at_install")
class TestLocationConnector(EmspCommon):
    """The keys of the meters, which managers enter."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        owner = {"country_code": "FR", "party_id": "RVR", "id": "LOC-1"}
        evse = {**EVSE, "uid": "EVSE-1", "evse_id": "FR*RVR*E1001*1"}
        endpoint = cls.connection._as_endpoint()
        location, __ = endpoint.env["emsp.location"]._put(
            endpoint, "2.2.1", owner, raw({**LOCATION, **owner, "evses": [evse]}), datetime(2026, 10, 1)
        )
        cls.connector = location.connector_ids.with_env(cls.env)

    def _codes(self, cdr):
        return cdr.finding_ids.filtered(lambda finding: not finding.superseded_at).mapped("code")

    def test_key_that_is_registered_later_settles_the_sessions_that_it_fits(self):
        cdr = self._receive(signed_payload())
        self.assertEqual(self._codes(cdr), ["key_not_registered"])
        with trap_jobs() as trap:
            pem = PUBLIC_KEY.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
            self.connector.meter_public_key = pem
            trap.perform_enqueued_jobs()
        self.assertEqual(self._codes(cdr), [])

    def test_key_of_another_meter_holds_the_session(self):
        cdr = self._receive(signed_payload())
        other = ec.generate_private_key(ec.SECP256R1()).public_key()
        with trap_jobs() as trap:
            der = other.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            self.connector.meter_public_key = der.hex()
            trap.perform_enqueued_jobs()
        self.assertEqual((cdr.state, self._codes(cdr)), ("quarantine", ["signature_invalid"]))

    def test_text_that_is_no_key_is_refused_by_the_connector_s_name(self):
        with self.assertRaisesRegex(ValidationError, r"meter at FR\*RVR\*E1001\*1 / 1 cannot be read"):
            self.connector.meter_public_key = "not a key"
