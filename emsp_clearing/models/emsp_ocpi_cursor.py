import uuid
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..core.ocpi.paging import next_url, with_query
from .emsp_ocpi_client import MAX_PAGES
from .emsp_ocpi_client_errors import OcpiClientError
from .emsp_ocpi_traffic import (
    PULL_LOCK,
    TrafficClient,
    asked_wait,
    is_refusal,
    ocpi_instant,
    take_turn,
    wait_after,
)

# What a manager may change.
EDITABLE = frozenset({"date_from", "overlap_minutes"})
# Of modules whose history is long: how far back the first reading goes.
FIRST_READING = {"cdrs": timedelta(days=90), "sessions": timedelta(days=31)}
PAGE_SIZE = 100
# After so many failures in a row the next hourly run tries again.
MOST_FAILURES = 6
# A position in a partner's list is worth nothing after so long.
LONGEST_RUN = timedelta(days=1)
# Charging places and prices before what names them.
PRIORITIES = {"locations": 10, "tokens": 10, "tariffs": 11, "sessions": 12, "cdrs": 13}


class EmspOcpiCursor(models.Model):
    """How far a list of a partner was read.

    A run reads the list page by page, each in a job and a transaction of its own: one that dies is taken up
    at the page that was not stored. `date_from` moves only when the whole list was read; a little of what
    was read before is read again, because clocks differ. Objects have keys, so that is harmless.
    """

    _name = "emsp.ocpi.cursor"
    _description = "Reading of a partner's OCPI list"
    _order = "connection_id, module"
    _rec_name = "module"

    connection_id = fields.Many2one(
        "emsp.ocpi.connection", required=True, readonly=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="connection_id.company_id", store=True, index=True)
    module = fields.Char(required=True, readonly=True, help="The OCPI module, for example cdrs.")
    date_from = fields.Datetime(
        string="Read up to", help="What the partner updated since then is read next. Empty: everything."
    )
    overlap_minutes = fields.Integer(
        string="Overlap (minutes)",
        default=60,
        required=True,
        help="So much of what was read before is read again: the partner's clock may differ from ours.",
    )
    last_run_at = fields.Datetime(
        string="Last read", readonly=True, help="When the list was read to its end."
    )
    last_error = fields.Char(readonly=True)
    failure_count = fields.Integer(readonly=True, string="Failures in a row")
    new_count = fields.Integer(string="New", readonly=True, help="Objects of the last run.")
    known_count = fields.Integer(string="Known", readonly=True, help="Objects of the last run.")
    refused_count = fields.Integer(string="Refused", readonly=True, help="Objects of the last run.")
    run_started_at = fields.Datetime(readonly=True, help="Of the run that is under way.")
    page_url = fields.Char(string="Next page", readonly=True, help="Of the run that is under way.")
    page_number = fields.Integer(readonly=True)
    loop_mark = fields.Char(readonly=True, help="A page of the run: a list that leads back to it has no end.")
    total_count = fields.Integer(readonly=True, help="Objects in the list, as the partner told last.")
    has_shrunk = fields.Boolean(readonly=True, help="The list became shorter while it was read.")
    correlation_uid = fields.Char(string="X-Correlation-ID", readonly=True)

    _module_unique = models.UniqueIndex("(connection_id, module)")
    _overlap_positive = models.Constraint(
        "CHECK (overlap_minutes >= 0)", "An overlap is a number of minutes, or 0."
    )

    def write(self, vals):
        if vals.keys() - EDITABLE and not self.env.su:
            raise UserError(self.env._("Only the date and the overlap of a reading can be changed."))
        return super().write(vals)

    def _enqueue(self, delay_s=0):
        """Have the next page read; once, however often it is asked for."""
        for cursor in self:
            when = "later" if delay_s else "now"
            cursor.with_delay(
                identity_key=f"emsp.ocpi.cursor:{cursor.id}:{when}",
                description=f"{cursor.connection_id.name}: {cursor.module}",
                priority=PRIORITIES[cursor.module],
                eta=delay_s or None,
            )._job_read_page()

    def _job_read_page(self, as_of=None):
        """Read one page and store its objects; the next page is the next job's.

        :param datetime as_of: naive UTC.
        :raise RetryableJobError: another job reads the same list.
        """
        if not self.exists():
            return
        as_of = as_of or fields.Datetime.now()
        take_turn(self.env, PULL_LOCK, self.id)
        list_url = self.connection_id._pull_url(self.module)
        if not list_url:
            return
        if not self.page_url or self.run_started_at + LONGEST_RUN < as_of:
            self._start_run(list_url, as_of)
        client = TrafficClient(self.connection_id, self.correlation_uid)
        try:
            reply = client.call("GET", self.page_url, self.module)
        except OcpiClientError as error:
            self._put_off(error, as_of)
            return
        # An empty answer and one without data both end a list.
        tally = self._take_page(reply.data or [], as_of)
        link = next_url(reply.headers.get("Link"), self.page_url) if reply.data else None
        self._move_on(client._same_scheme(link, self.page_url), reply, tally, as_of)

    def _start_run(self, list_url, as_of):
        params = [("limit", str(PAGE_SIZE))]
        since = self._read_since(as_of)
        if since:
            params.insert(0, ("date_from", ocpi_instant(since)))
        self.write(
            {
                "run_started_at": as_of,
                "page_url": with_query(list_url, params),
                "page_number": 1,
                "loop_mark": False,
                "total_count": 0,
                "has_shrunk": False,
                "correlation_uid": str(uuid.uuid4()),
                "new_count": 0,
                "known_count": 0,
                "refused_count": 0,
            }
        )

    def _read_since(self, as_of):
        """:return: naive UTC; None to read the whole list."""
        if self.date_from:
            return self.date_from - timedelta(minutes=self.overlap_minutes)
        return as_of - FIRST_READING[self.module] if self.module in FIRST_READING else None

    def _move_on(self, following, reply, tally, as_of):
        """Remember what the page brought, and where the next one is."""
        total = _total(reply.headers) or self.total_count
        vals = {
            "new_count": self.new_count + tally.new,
            "known_count": self.known_count + tally.known,
            "refused_count": self.refused_count + tally.refused,
            "total_count": total,
            # Objects moved up behind our back: what stood at the seam of two pages may be missed.
            "has_shrunk": self.has_shrunk or total < self.total_count,
            "failure_count": 0,
            "last_error": False,
        }
        is_loop = following in (self.page_url, self.loop_mark) or self.page_number >= MAX_PAGES
        if following and not is_loop:
            # Brent: a mark that is moved at every power of two meets every loop.
            moves_mark = self.page_number & (self.page_number - 1) == 0
            vals["loop_mark"] = self.page_url if moves_mark else self.loop_mark
            vals |= {"page_url": following, "page_number": self.page_number + 1}
            self.write(vals)
            self._enqueue()
            return
        if not vals["has_shrunk"]:
            vals["date_from"] = self.run_started_at
        self.write({**vals, "page_url": False, "loop_mark": False, "last_run_at": as_of})

    def _put_off(self, error, as_of):
        """The page is tried again later; after many failures, by the next hourly run.

        Where the partner does not know a later page (any more), its list is read from the start.
        """
        failures = self.failure_count + 1
        vals = {"last_error": str(error), "failure_count": failures}
        if is_refusal(error) or self.page_number == 1:
            vals["page_url"] = False
        self.write(vals)
        wait = asked_wait(error, as_of) or wait_after(failures)
        if failures <= MOST_FAILURES and not is_refusal(error):
            self._enqueue(delay_s=int(wait.total_seconds()))

    @api.model
    def _of(self, connection, module):
        """The cursor of a list; a new one for a list that was never read."""
        domain = [("connection_id", "=", connection.id), ("module", "=", module)]
        return self.search(domain) or self.create({"connection_id": connection.id, "module": module})


def _total(headers):
    """X-Total-Count, or 0 where it is missing."""
    text = (headers.get("X-Total-Count") or "").strip()
    return int(text) if text.isdecimal() and len(text) < 10 else 0
