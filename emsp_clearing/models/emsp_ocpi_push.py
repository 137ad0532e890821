import uuid
from datetime import timedelta
from hashlib import sha256
from typing import NamedTuple

from psycopg2.errors import UniqueViolation

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import ConcurrencyError, UserError

# Of sent ones; what a tariff's partner was told last is kept, so that its end can be told too.
DAYS_KEPT = 180
CLEAN_BATCH = 10_000
NEW_TRY = {"attempts": 0, "first_try_at": False, "hold_until": False, "state": "pending"}


class Told(NamedTuple):
    """What a partner is to be told.

    `key`: of the object, as `ocpi_key`. `path`: what follows the URL of the partner's module. `content`:
    text that is another one when the object is; the message itself is made when it is sent.
    """

    connection: models.Model
    module: str
    method: str
    record: models.Model
    key: str
    path: str
    content: str


class EmspOcpiPush(models.Model):
    """The outbox: what partners are to be told, and whether they were.

    A change adds a row, jobs send it. Of several rows of an object only the newest is sent, in the words of
    the moment. What the partner refuses is not repeated: a person or the partner's own reading mends it.
    """

    _name = "emsp.ocpi.push"
    _description = "OCPI outbox"
    _order = "id desc"
    _rec_name = "key"

    connection_id = fields.Many2one(
        "emsp.ocpi.connection", required=True, readonly=True, ondelete="restrict", index=True
    )
    company_id = fields.Many2one(related="connection_id.company_id", store=True, index=True)
    module = fields.Char(required=True, readonly=True, help="The OCPI module, for example cdrs.")
    method = fields.Selection(
        [("POST", "POST"), ("PUT", "PUT"), ("DELETE", "DELETE")], required=True, readonly=True
    )
    model = fields.Char(required=True, readonly=True)
    res_id = fields.Many2oneReference(
        string="Record", model_field="model", required=True, readonly=True, aggregator=None
    )
    key = fields.Char(
        string="Object", required=True, readonly=True, help="Country code, party id and id of its owner."
    )
    path = fields.Char(readonly=True, help="What follows the address of the partner's module.")
    content_hash = fields.Char(required=True, readonly=True, help="The same content is sent once.")
    state = fields.Selection(
        [
            ("pending", "To send"),
            ("sent", "Sent"),
            ("failed", "Refused"),
            ("given_up", "Given up"),
            ("dropped", "Not needed"),
        ],
        required=True,
        readonly=True,
        default="pending",
        index=True,
        help="Refused: the partner has judged it. Given up: it could not be handed over for seven days. "
        "Not needed: a newer one of the same object was sent, or the object is no longer for the partner.",
    )
    attempts = fields.Integer(readonly=True, aggregator=None)
    next_try_at = fields.Datetime(string="Next try", readonly=True, default=fields.Datetime.now)
    first_try_at = fields.Datetime(string="First try", readonly=True)
    hold_until = fields.Datetime(
        readonly=True,
        help="Until then nothing is sent to the partner: it asked for time, or could not be reached.",
    )
    sent_at = fields.Datetime(readonly=True)
    last_error = fields.Char(readonly=True)
    location_url = fields.Char(
        string="Stored at", readonly=True, help="Where the partner keeps it, as its answer says."
    )
    correlation_uid = fields.Char(
        string="X-Correlation-ID", readonly=True, default=lambda self: str(uuid.uuid4()), index=True
    )

    _told_once = models.UniqueIndex("(connection_id, module, key, content_hash)")
    _waiting = models.Index("(connection_id, next_try_at) WHERE state = 'pending'")
    _record = models.Index("(model, res_id)")

    @api.depends("method", "module", "key")
    def _compute_display_name(self):
        for push in self:
            push.display_name = f"{push.method} {push.module} {push.key}"

    def action_repeat(self):
        """Try again now what was refused or given up, or waits for its next try."""
        self.connection_id._check_operator()
        self.check_access("read")
        repeated = self.filtered(lambda push: push.state in ("pending", "failed", "given_up"))
        if not repeated:
            raise UserError(self.env._("Nothing of this is to be sent again."))
        # sudo: nobody edits the outbox; who may repeat was checked above
        repeated.sudo()._try_now(NEW_TRY)
        return True

    def _try_now(self, vals=None):
        """:param vals: further values to store."""
        # What is being sent at this moment needs no more.
        self.try_lock_for_update().write(
            {"hold_until": False, **(vals or {}), "next_try_at": fields.Datetime.now()}
        )
        for connection in self.connection_id:
            connection._enqueue_push()

    def action_view_record(self):
        self.ensure_one()
        return self.env[self.model].browse(self.res_id).get_formview_action()

    def action_view_messages(self):
        """Each attempt, as it went out and was answered."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("emsp_clearing.emsp_ocpi_message_action")
        domain = [("correlation_uid", "=", self.correlation_uid)]
        return {**action, "domain": domain, "context": {}}

    @api.model
    def _queue(self, told):
        """Have partners told; what they were told before, or are about to be, is left alone.

        One search and one create for the batch, whatever its size.

        :param told: iterable of Told.
        :return: the rows that wait now.
        :raise ConcurrencyError: another transaction queues the same; the caller is replayed.
        """
        told = {(each.connection.id, each.module, each.key): each for each in told}
        if not told:
            return self.browse()
        # Superuser: rows are made whoever causes them (endpoint, cron, people), and edited by nobody
        outbox = self.with_user(SUPERUSER_ID)
        hashes, latest = outbox._known_of(told)
        vals_list, dropped = [], outbox.browse()
        for of, each in told.items():
            content_hash = _hash(each, latest.get(of))
            row = hashes.get((*of, content_hash))
            if not row:
                vals_list.append(self._prepare_vals(each, content_hash))
            elif row.state == "dropped":
                dropped |= row
        dropped.write({**NEW_TRY, "next_try_at": fields.Datetime.now()})
        queued = dropped | outbox._create_rows(vals_list)
        for connection in queued.connection_id:
            connection._enqueue_push()
        return queued

    @api.model
    def _known_of(self, told):
        """:return: (rows by object and content, latest row by object)."""
        rows = self.search_fetch(
            [
                ("connection_id", "in", list({connection for connection, __, __ in told})),
                ("module", "in", list({module for __, module, __ in told})),
                ("key", "in", [key for __, __, key in told]),
            ],
            ["connection_id", "module", "key", "content_hash", "state", "method"],
            order="id",
        )
        hashes, latest = {}, {}
        for row in rows:
            of = (row.connection_id.id, row.module, row.key)
            hashes[*of, row.content_hash] = row
            latest[of] = row
        return hashes, latest

    @api.model
    def _prepare_vals(self, told, content_hash):
        return {
            "connection_id": told.connection.id,
            "module": told.module,
            "method": told.method,
            "model": told.record._name,
            "res_id": told.record.id,
            "key": told.key,
            "path": told.path,
            "content_hash": content_hash,
        }

    @api.model
    def _create_rows(self, vals_list):
        try:
            with self.env.cr.savepoint():
                return self.create(vals_list)
        except UniqueViolation as error:
            raise ConcurrencyError(self.env._("The same is being queued by another request.")) from error

    @api.autovacuum
    def _gc_sent(self):
        limit = fields.Datetime.now() - timedelta(days=DAYS_KEPT)
        domain = [
            ("state", "in", ("sent", "dropped")),
            ("write_date", "<", limit),
            ("module", "!=", "tariffs"),
        ]
        old = self.search(domain, limit=CLEAN_BATCH, order="id")
        old.unlink()
        return len(old), self.search_count(domain)


def _hash(told, latest):
    """Of a content; the same one counts as another after a call of the other kind (PUT after DELETE)."""
    salt = latest.id if latest and latest.method != told.method else ""
    return sha256(f"{told.method}\n{salt}\n{told.content}".encode()).hexdigest()
