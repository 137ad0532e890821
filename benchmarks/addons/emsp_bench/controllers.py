from odoo import SUPERUSER_ID, fields, http
from odoo.http import request

TEXTS = (
    *("state", "key", "session", "evse", "country", "party", "code", "version", "payload_sha256"),
    *("content_sha256", "token_country", "token_party", "token_uid", "emaid", "location_name"),
    *("location_address", "location_city", "location_country", "connector", "power_type", "time_zone"),
)


class EmspBench(http.Controller):
    @http.route("/emsp_bench", type="http", auth="none", methods=["POST"], csrf=False, save_session=False)
    def create(self):
        """Stores the body and as much beside it as a CDR has, checks nothing, answers nothing."""
        text = request.httprequest.get_data().decode()
        now = fields.Datetime.now()
        # The superuser: there is nobody to authenticate, which is the least a request can cost.
        env = request.env(user=SUPERUSER_ID)
        env["emsp.bench.record"].create(vals_of(text, now))
        return request.make_json_response({"status_code": 1000}, status=201)


def vals_of(text, now):
    """Field values of a record with this payload."""
    return {
        "payload": text,
        "company_id": 1,
        "partner_id": 1,
        "currency_id": 1,
        "user_id": SUPERUSER_ID,
        **dict.fromkeys(("start_at", "end_at", "received_at"), now),
        **dict.fromkeys(("energy", "stated"), 12.5),
        "duration": 3600,
        **dict.fromkeys(TEXTS, "0123456789"),
    }
