from hashlib import sha256

from odoo import SUPERUSER_ID, fields, http
from odoo.http import request

TEXTS = (
    *("session", "evse", "code", "version", "token_uid", "emaid", "connector"),
    *("location_name", "location_address", "location_city", "location_country", "power_type", "time_zone"),
)


class EmspBench(http.Controller):
    @http.route("/emsp_bench", type="http", auth="none", methods=["POST"], csrf=False, save_session=False)
    def create(self):
        """Stores the body and as much beside it as a CDR has, checks nothing, answers nothing."""
        text = request.httprequest.get_data().decode()
        # The superuser: there is nobody to authenticate, which is the least a request can cost.
        env = request.env(user=SUPERUSER_ID)
        env["emsp.bench.record"].create(vals_of(text, fields.Datetime.now()))
        return request.make_json_response({"status_code": 1000}, status=201)


def vals_of(text, now):
    """Field values of a record with this payload; what it refers to are the first records of their kind."""
    digest = sha256(text.encode()).hexdigest()
    return {
        "payload": text,
        "payload_sha256": digest,
        "key": digest,
        "state": "received",
        **dict.fromkeys(("company_id", "connection_id", "contract_id", "partner_id", "currency_id"), 1),
        **dict.fromkeys(("start_at", "end_at", "received_at", "updated_at"), now),
        **dict.fromkeys(("energy", "stated"), 12.5),
        "duration": 3600,
        **dict.fromkeys(("country", "token_country"), "FR"),
        **dict.fromkeys(("party", "token_party"), "RVR"),
        **dict.fromkeys(TEXTS, "0123456789"),
    }
