from functools import cache

import msgspec

from odoo import http
from odoo.http import request

from ..core import disputes_answers as answers
from ..core import disputes_api as bodies
from ..core.disputes_openapi import Operation, document
from .api_dispatcher import respond
from .disputes_api import BASE, DEFAULT_PAGE, MAX_PAGE

ONE = f"{BASE}/disputes/{{number}}"
THREAD = (answers.DisputeThread,)
FILTERS = {
    "state": {"type": "string", "description": "open, closed, or states divided by commas"},
    "settlement": {"type": "string", "description": "The number of a settlement"},
    "updated_from": {"type": "string", "format": "date-time"},
    "cursor": {"type": "string", "description": "`next_cursor` of the page before"},
    "limit": {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": DEFAULT_PAGE},
}
OPERATIONS = (
    Operation(
        "POST",
        f"{BASE}/disputes",
        "Dispute sessions: one, or many that are all taken or none",
        (bodies.DisputeRequest, bodies.DisputesRequest),
        (answers.Dispute, answers.Disputes),
        201,
    ),
    Operation(
        "GET", f"{BASE}/disputes", "Your disputes, by age", response=(answers.DisputePage,), query=FILTERS
    ),
    Operation("GET", ONE, "A dispute and its conversation", response=THREAD),
    Operation(
        "POST",
        f"{ONE}/messages",
        "Say something; answers a question where one is open",
        (bodies.MessageRequest,),
        THREAD,
        201,
    ),
    Operation(
        "POST",
        f"{ONE}/contest",
        "Contest a rejection, once",
        (bodies.MessageRequest,),
        THREAD,
    ),
    Operation("POST", f"{ONE}/accept", "Accept a rejection", (bodies.StepRequest,), THREAD),
    Operation("POST", f"{ONE}/withdraw", "Give a dispute up", (bodies.StepRequest,), THREAD),
    Operation(
        "POST",
        f"{BASE}/settlements/{{number}}/approve",
        "Approve a settlement in its window",
        response=(answers.Settlement,),
    ),
    Operation("GET", f"{BASE}/openapi.json", "This description", is_public=True),
)


class DisputesOpenapi(http.Controller):
    """The API described for programs, open to everybody: it names no partner and no token."""

    @http.route(
        f"{BASE}/openapi.json",
        type="http",
        auth="public",
        methods=["GET"],
        csrf=False,
        save_session=False,
        readonly=True,
    )
    def get_openapi(self):
        return respond(200, openapi_text(request.env.company.get_base_url()))


@cache
def openapi_text(base_url):
    """:return: the description as JSON, in bytes."""
    return msgspec.json.encode(document(OPERATIONS, base_url))
