import json
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain

from .emsp_ocpi_client import CONFIGURATION_MODULES, OcpiClient

# Longer than any body the endpoint reads.
MAX_BODY_CHARS = 10 * 1024 * 1024
# Of what a partner answers, its beginning tells enough.
MAX_ANSWER_CHARS = 64 * 1024
DAYS_KEPT = 90
CLEAN_BATCH = 1000
# Of one message; a location with many chargers repeats its own.
MAX_DEVIATIONS = 20


class EmspOcpiMessage(models.Model):
    """One OCPI message, or one record of an imported file: what came or went, and what was answered.

    The operator's log. The body is kept when the message was refused or failed; what was taken is kept,
    byte for byte, with the record it became. Nobody but the system writes here, and no header and no token
    of the credentials module is stored.
    """

    _name = "emsp.ocpi.message"
    _description = "OCPI message"
    _order = "received_at desc, id desc"

    connection_id = fields.Many2one(
        "emsp.ocpi.connection", required=True, readonly=True, ondelete="restrict", index=True
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    direction = fields.Selection(
        [("in", "Received"), ("out", "Sent")], required=True, readonly=True, default="in"
    )
    module = fields.Char(readonly=True, help="The OCPI module, for example cdrs.")
    method = fields.Char(
        readonly=True,
        help="The HTTP method; IMPORT for a record of a file, PULL for an object of a list, INLINE for a "
        "tariff inside of a location.",
    )
    url = fields.Char(
        string="URL",
        readonly=True,
        help="The path, of a sent message the address; for an import, the file's name.",
    )
    place = fields.Char(readonly=True, help="Where in the file the record stands.")
    http_status = fields.Integer(string="HTTP status", readonly=True, aggregator=None)
    ocpi_status = fields.Integer(string="OCPI status", readonly=True, aggregator=None)
    is_refused = fields.Boolean(
        string="Refused or failed", readonly=True, help="The OCPI status is no success, or there is none."
    )
    object_ocpi_id = fields.Char(string="CDR id", readonly=True)
    path = fields.Char(string="Field", readonly=True, help="The field of the payload that was refused.")
    message = fields.Char(readonly=True)
    from_party = fields.Char(
        string="From", readonly=True, help="The party that sent it, if its headers tell."
    )
    to_party = fields.Char(string="To", readonly=True, help="The party that it is for, if its headers tell.")
    deviations = fields.Text(
        string="Understood with tolerance",
        readonly=True,
        help="What is not as OCPI has it and was taken all the same, because the connection allows it.",
    )
    body = fields.Text(
        readonly=True, prefetch=False, help="As received or sent, when it was refused or failed."
    )
    is_body_cut = fields.Boolean(readonly=True)
    answer = fields.Text(
        string="Partner's answer", readonly=True, prefetch=False, help="Its beginning, when it is no success."
    )
    request_uid = fields.Char(string="X-Request-ID", readonly=True, index=True)
    correlation_uid = fields.Char(string="X-Correlation-ID", readonly=True, index=True)
    received_at = fields.Datetime(string="Time", required=True, readonly=True, index=True)
    duration_ms = fields.Integer(string="Duration (ms)", readonly=True, aggregator="avg")
    repeat_of_id = fields.Many2one(
        "emsp.ocpi.message", string="Repeats", readonly=True, index="btree_not_null", ondelete="set null"
    )
    is_repeatable = fields.Boolean(compute="_compute_is_repeatable")

    _with_deviations = models.Index("(connection_id, received_at) WHERE deviations IS NOT NULL")

    @api.depends("method", "url", "place")
    def _compute_display_name(self):
        for message in self:
            message.display_name = " ".join(filter(None, (message.method, message.url, message.place)))

    @api.depends("direction", "is_refused", "module", "url", "is_body_cut")
    def _compute_is_repeatable(self):
        for message in self:
            message.is_repeatable = (
                message.direction == "out"
                and message.is_refused
                and message.module not in CONFIGURATION_MODULES
                # Neither a body nor an address of which only a part was kept.
                and not message.is_body_cut
                and "…" not in message.url
            )

    def action_repeat(self):
        """Send a failed message once more, with the token of today."""
        self.ensure_one()
        if not self.env.user.has_group("emsp_clearing.emsp_clearing_group_operator"):
            raise AccessError(self.env._("Only operators repeat messages."))
        if not self.is_repeatable:
            raise UserError(self.env._("This message cannot be repeated."))
        client = OcpiClient(self.connection_id, self.correlation_uid)
        body = self.body.encode() if self.body else None
        to_party = self.to_party.split("*") if self.to_party else None
        client.call(self.method, self.url, self.module, body, to_party=to_party, repeat_of=self)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {"type": "success", "message": self.env._("The partner took the message.")},
        }

    @api.model
    def _keep(self, *vals_list):
        """Store messages.

        :param vals_list: field values; `body` and `answer` as bytes. What is no UTF-8 in them is shown as
            \\xNN. `deviations` as core Deviations.
        :return: the messages.
        """
        # sudo: nobody may write the log, so that it says what happened
        return self.sudo().create([self._prepare_vals(vals) for vals in vals_list])

    @api.model
    def _note_deviations(self, request_uid, deviations):
        """:param request_uid: of a message that was sent.
        :param deviations: core Deviations, of its answer."""
        sent = self.search([("request_uid", "=", request_uid), ("direction", "=", "out")], limit=1)
        sent.write({"deviations": deviation_lines(deviations)})

    @api.model
    def _is_told(self, connection_id, deviations, since):
        """Whether the same deviations were kept with a message of the connection.

        :param deviations: core Deviations. :param datetime since: naive UTC.
        """
        domain = [
            ("connection_id", "=", connection_id),
            ("received_at", ">=", since),
            ("deviations", "=", deviation_lines(deviations)),
        ]
        return bool(self.search_count(domain, limit=1))

    @api.model
    def _prepare_vals(self, vals):
        texts = {name: self._text_of(vals.get(name), vals.get("module")) for name in ("body", "answer")}
        # PostgreSQL cannot store NUL, which a URL may hold.
        vals = {
            name: value.replace("\0", "\\x00") if isinstance(value, str) else value
            for name, value in vals.items()
        }
        return {
            **vals,
            "company_id": self.env["emsp.ocpi.connection"].browse(vals["connection_id"]).company_id.id,
            "is_refused": not 1000 <= vals["ocpi_status"] < 2000,
            "deviations": deviation_lines(vals.get("deviations") or ()),
            "body": texts["body"][:MAX_BODY_CHARS] or False,
            "is_body_cut": len(texts["body"]) > MAX_BODY_CHARS,
            "answer": texts["answer"][:MAX_ANSWER_CHARS] or False,
        }

    @api.model
    def _text_of(self, content, module):
        # PostgreSQL cannot store NUL.
        text = (content or b"").decode(errors="backslashreplace").replace("\x00", "\\x00")
        if module != "credentials":
            return text
        try:
            shown = json.dumps(without_tokens(json.loads(text)), ensure_ascii=False)
            # A lone half of a surrogate pair is JSON, but no text.
            return shown.encode(errors="backslashreplace").decode()
        except (ValueError, RecursionError):
            # Where a token stands in it cannot be told.
            return ""

    @api.model
    def _cron_clean(self, as_of=None):
        """Delete what is older than the system parameter `emsp_clearing.ocpi_message_days`; 0 keeps all.

        A CDR that was refused stays: its message is all there is of it.
        """
        # sudo: a system parameter that is no secret; the cron runs as whoever is set on it
        days = self.env["ir.config_parameter"].sudo().get_param("emsp_clearing.ocpi_message_days", DAYS_KEPT)
        if not int(days):
            return
        limit = (as_of or fields.Datetime.now()) - timedelta(days=int(days))
        refused = Domain([("direction", "=", "in"), ("module", "=", "cdrs"), ("is_refused", "=", True)])
        domain = Domain("received_at", "<", limit) & ~(refused & Domain("body", "!=", False))
        old = self.search(domain, limit=CLEAN_BATCH, order="received_at")
        old.unlink()
        self.env["ir.cron"]._commit_progress(len(old), remaining=self.search_count(domain))


def deviation_lines(deviations):
    """:param deviations: core Deviations. :return: text of one line each, or False."""
    lines = [str(each) for each in deviations]
    if len(lines) > MAX_DEVIATIONS:
        lines[MAX_DEVIATIONS:] = [f"and {len(lines) - MAX_DEVIATIONS} more"]
    return "\n".join(lines) or False


def without_tokens(node):
    """A JSON tree whose tokens are blanked out."""
    if isinstance(node, dict):
        return {
            name: "…" if name.lower() == "token" else without_tokens(value) for name, value in node.items()
        }
    return [without_tokens(value) for value in node] if isinstance(node, list) else node
