from odoo import SUPERUSER_ID, api, fields, models
from odoo.fields import Domain

from ..core.ocpi.json_text import write_json
from ..core.ocpi.normalise import tariff_payload
from .emsp_ocpi_push import Told
from .emsp_ocpi_push_content import tariff_key
from .emsp_ocpi_traffic import job_eta, quoted

# Who is told of what, by the partner's role.
PUSHED_MODULES = {
    "CPO": ("tokens",),
    "EMSP": ("locations", "tariffs", "sessions", "cdrs"),
    "OWN": (),
}


class EmspOcpiConnectionPush(models.Model):
    """What a partner is told unasked, module by module."""

    _inherit = "emsp.ocpi.connection"

    push_cdrs = fields.Boolean(
        string="Send CDRs", default=True, tracking=True, help="Each as soon as it is open to the partner."
    )
    push_sessions = fields.Boolean(
        string="Send sessions", tracking=True, help="Each change that our own charge point system tells."
    )
    push_tariffs = fields.Boolean(
        string="Send tariffs", tracking=True, help="Those of the price grids of the partner's contracts."
    )
    push_locations = fields.Boolean(
        string="Send locations", tracking=True, help="As our own charge point system describes them."
    )
    push_tokens = fields.Boolean(string="Send tokens", tracking=True, help="Our own, and each change of one.")
    push_ids = fields.One2many("emsp.ocpi.push", "connection_id", string="Outbox")
    waiting_count = fields.Integer(compute="_compute_push_counts")
    unsent_count = fields.Integer(compute="_compute_push_counts", help="Refused by the partner, or given up.")

    @api.depends("push_ids.state")
    def _compute_push_counts(self):
        groups = self.env["emsp.ocpi.push"]._read_group(
            [("connection_id", "in", self.ids), ("state", "in", ("pending", "failed", "given_up"))],
            ["connection_id", "state"],
            ["__count"],
        )
        counts = {(connection, state): count for connection, state, count in groups}
        for connection in self:
            connection.waiting_count = counts.get((connection, "pending"), 0)
            unsent = [counts.get((connection, state), 0) for state in ("failed", "given_up")]
            connection.unsent_count = sum(unsent)

    def action_push_now(self):
        """Queue what the partner was not told yet, and send what waits without minding when it is due."""
        self.ensure_one()
        self._check_operator()
        # Superuser: the outbox is made by the system alone; who may send was checked above
        connection = self.with_user(SUPERUSER_ID)
        connection._queue_untold()
        waiting = connection.env["emsp.ocpi.push"].search(
            [("connection_id", "=", self.id), ("state", "=", "pending")]
        )
        if not waiting:
            return self._notify(self.env._("There is nothing to send."))
        waiting._try_now()
        return self._notify(self.env._("%(count)s messages are being sent.", count=len(waiting)))

    def action_view_outbox(self):
        action = self.env["ir.actions.act_window"]._for_xml_id("emsp_clearing.emsp_ocpi_push_action")
        return {**action, "domain": [("connection_id", "in", self.ids)], "context": {}}

    @api.model
    def _cron_push(self, as_of=None):
        """Tell what time alone changes, which prices hold; and send what has lost its job."""
        as_of = as_of or fields.Datetime.now()
        self.search([("push_tariffs", "=", True)])._queue_tariffs(as_of)
        waiting = self.env["emsp.ocpi.push"]._read_group(
            [("state", "=", "pending"), ("next_try_at", "<=", as_of)], ["connection_id"]
        )
        for (connection,) in waiting:
            connection._enqueue_push()

    @api.model
    def _pushing(self, module, company):
        """The connections of a company whose partners are told of a module."""
        roles = [role for role, modules in PUSHED_MODULES.items() if module in modules]
        # sudo: what partners are told does not hang on the rights of who causes it
        found = self.sudo().search(
            [("company_id", "=", company.id), ("peer_role", "in", roles), (f"push_{module}", "=", True)]
        )
        return found.filtered(lambda connection: connection._push_url(module))

    def _is_told(self, module):
        """Whether the partner is to be told of a module, be it reachable or not."""
        self.ensure_one()
        return self.active and module in PUSHED_MODULES[self.peer_role] and self[f"push_{module}"]

    def _push_url(self, module):
        """:return: where the partner takes objects of a module, or None: it does not, or not from us."""
        return self._endpoint_url(module, "RECEIVER") if self._is_told(module) else None

    def _queue_untold(self):
        """Queue what the switches say and no change has queued; what was queued before is left alone."""
        company, mine = self.company_id, [("connection_id.peer_role", "=", "OWN")]
        mine.append(("company_id", "=", company.id))
        if self._push_url("locations"):
            self.env["emsp.location"].search(mine)._queue_push()
        self._queue_tariffs(fields.Datetime.now())
        if self._push_url("tokens"):
            own = [("company_id", "=", company.id), ("connection_id", "=", False)]
            self.env["emsp.token"].search(own)._queue_push()
        theirs = Domain(mine) & self._token_domain()
        if self._push_url("sessions"):
            running = Domain("status", "in", ("PENDING", "ACTIVE"))
            self.env["emsp.session"].search(theirs & running)._queue_push()
        if self._push_url("cdrs"):
            shown = Domain("state", "in", ("open", "disputed"))
            self.env["emsp.cdr"].search(theirs & shown)._queue_push()

    def _queue_tariffs(self, as_of):
        """Queue the tariffs that hold for the partners now, and the end of those that do so no more."""
        for connection in self.filtered(lambda connection: connection._push_url("tariffs")):
            offered = self.env["emsp.tariff"]._offered_to(connection, as_of)
            told = connection._told_tariffs()
            keys = {tariff_key(tariff) for tariff in offered}
            ended = [row for key, row in told.items() if key not in keys and row.method == "PUT"]
            self.env["emsp.ocpi.push"]._queue(
                [
                    *(connection._tell_tariff(tariff) for tariff in offered),
                    *(connection._tell_end(row) for row in ended),
                ]
            )

    def _told_tariffs(self):
        """:return: dict key -> the last row of each tariff that the partner was told of."""
        rows = self.env["emsp.ocpi.push"].search_fetch(
            [("connection_id", "=", self.id), ("module", "=", "tariffs"), ("state", "!=", "dropped")],
            ["key", "method", "path", "model", "res_id"],
            order="id",
        )
        return {row.key: row for row in rows}

    def _tell_tariff(self, tariff):
        # When a grid was last written says nothing of its prices.
        payload = {**tariff_payload(tariff), "last_updated": None}
        return Told(
            connection=self,
            module="tariffs",
            method="PUT",
            record=self,
            key=tariff_key(tariff),
            path=quoted(tariff.country_code, tariff.party_id, tariff.id),
            content=write_json(payload).decode(),
        )

    def _tell_end(self, row):
        return Told(self, "tariffs", "DELETE", self, row.key, row.path, row.key)

    def _enqueue_push(self, eta=None):
        """Have what waits sent; once, however often it is asked for.

        :param datetime eta: naive UTC; at once by default.
        """
        self.ensure_one()
        eta = job_eta(eta)
        when = eta.strftime("%Y%m%d%H%M") if eta else "now"
        # Jobs act in nobody's name.
        connection = self.with_user(SUPERUSER_ID)
        connection.with_delay(
            identity_key=f"emsp.ocpi.push:{self.id}:{when}",
            description=f"{self.name}: push",
            eta=eta,
        )._job_push()

    def _enqueue_push_rest(self, as_of):
        """Have what still waits sent at the moment when the first of it is due."""
        domain = [("connection_id", "=", self.id), ("state", "=", "pending")]
        pushes = self.env["emsp.ocpi.push"]
        following = pushes.search(domain, order="next_try_at, id", limit=1)
        if following:
            self._enqueue_push(pushes._held_until(self, as_of) or following.next_try_at)

    def _job_push(self, as_of=None):
        """:raise RetryableJobError: as `_send_due`."""
        if self.exists():
            self.env["emsp.ocpi.push"]._send_due(self, as_of or fields.Datetime.now())
