import hashlib
import hmac
import secrets
from collections import defaultdict

import pytz

from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..core.ocpi.normalise import VERSIONS
from ..core.ocpi.tolerances import Tolerances
from . import party
from .dialogs import dialog
from .emsp_state_mixin import Stored

# By the names in core, see emsp_ocpi_connection_tolerance.
TOLERANCE_FIELDS = {name: f"allow_{name}" for name in Tolerances._fields}
# What a request needs to know of its connection, read together with it.
REQUEST_FIELDS = (
    "token_hash",
    "previous_token_hash",
    "pending_token_hash",
    "pending_token_until",
    "company_id",
    "our_role",
    "peer_role",
    "state",
    "country_code",
    "ocpi_party_id",
    "own_country_code",
    "own_party_id",
    "is_hub",
    *TOLERANCE_FIELDS.values(),
    "version",
    "time_zone",
    "default_contract_id",
)
TOKEN_FIELDS = {
    "current": "token_hash",
    "previous": "previous_token_hash",
    "pending": "pending_token_hash",
}


class EmspOcpiConnection(models.Model):
    """A partner's platform that speaks OCPI with us: who it is, and the token it comes with.

    Where our role is eMSP, a CPO pushes its CDRs here. Where it is CPO, an eMSP takes ours, or our own
    charge point management system hands over the CDRs of our chargers; the party is then our own. The
    token itself is stored nowhere: only its hash is, and the clear text is shown once.

    Up to three tokens are known: the one in use; the one before, until the new one was used once; and a
    pending one, for a handshake, that opens the versions and the credentials alone.
    """

    _name = "emsp.ocpi.connection"
    _description = "OCPI connection"
    _inherit = ["mail.thread"]
    _check_company_auto = True
    _order = "name, id"

    name = fields.Char(required=True, tracking=True)
    active = fields.Boolean(default=True, tracking=True, help="An archived connection's token is refused.")
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, index=True
    )
    partner_id = fields.Many2one(
        "res.partner", check_company=True, index="btree_not_null", help="Who runs the platform."
    )
    our_role = fields.Selection(
        [("CPO", "CPO: the CDRs of our own chargers"), ("EMSP", "eMSP: the CDRs that a CPO claims from us")],
        required=True,
        default="CPO",
        tracking=True,
    )
    peer_role = fields.Selection(
        [("CPO", "CPO"), ("EMSP", "eMSP"), ("OWN", "Our own charge point system")],
        string="The other side",
        required=True,
        compute="_compute_peer_role",
        store=True,
        readonly=False,
        precompute=True,
        tracking=True,
        help="Our own charge point system hands over what our chargers did; what it sends goes on to the "
        "partners that it is for.",
    )
    country_code = fields.Char(size=2, required=True, tracking=True, help="Of the other side's party.")
    ocpi_party_id = fields.Char(string="Party id", size=3, required=True, tracking=True)
    is_hub = fields.Boolean(
        string="Hub", tracking=True, help="Carries the CDRs of other parties: their owner is not checked."
    )
    version = fields.Selection(
        [(version, version) for version in VERSIONS],
        string="OCPI version",
        required=True,
        default="2.2.1",
        tracking=True,
    )
    time_zone = fields.Selection(
        "_selection_time_zone",
        default=lambda self: self.env.user.tz,
        help="Of the chargers, for CDRs that do not tell it.",
    )
    default_contract_id = fields.Many2one(
        "emsp.contract",
        check_company=True,
        tracking=True,
        help="For CDRs whose party is named by no contract.",
    )
    token_hash = fields.Char(copy=False, groups=fields.NO_ACCESS)
    previous_token_hash = fields.Char(copy=False, groups=fields.NO_ACCESS)
    pending_token_hash = fields.Char(copy=False, groups=fields.NO_ACCESS)
    token_hint = fields.Char(
        string="Token ends in", copy=False, readonly=True, help="The last four characters."
    )
    cdr_ids = fields.One2many("emsp.cdr", "connection_id")
    cdr_count = fields.Integer(string="CDRs", compute="_compute_cdr_count")
    ocpi_message_ids = fields.One2many("emsp.ocpi.message", "connection_id")
    refused_count = fields.Integer(compute="_compute_message_facts")
    failed_count = fields.Integer(compute="_compute_message_facts")
    last_message_at = fields.Datetime(compute="_compute_message_facts")
    last_received_at = fields.Datetime(string="Last received", compute="_compute_message_facts")
    last_sent_at = fields.Datetime(string="Last sent", compute="_compute_message_facts")
    last_error = fields.Char(compute="_compute_last_error", help="Of the newest message, if that one failed.")
    versions_url = fields.Char(string="Versions URL", compute="_compute_versions_url")

    _token_hash_unique = models.UniqueIndex("(token_hash) WHERE token_hash IS NOT NULL")
    _previous_token_hash = models.UniqueIndex("(previous_token_hash) WHERE previous_token_hash IS NOT NULL")
    _pending_token_hash = models.UniqueIndex("(pending_token_hash) WHERE pending_token_hash IS NOT NULL")
    _party_unique = models.UniqueIndex(
        "(company_id, our_role, country_code, ocpi_party_id) WHERE active",
        "Another active connection of this company has the same party and role.",
    )

    @api.model
    def _selection_time_zone(self):
        return [(zone, zone) for zone in pytz.common_timezones]

    @api.depends("our_role")
    def _compute_peer_role(self):
        for connection in self:
            expected = ("CPO",) if connection.our_role == "EMSP" else ("OWN", "EMSP")
            if connection.peer_role not in expected:
                connection.peer_role = expected[0]

    @api.depends("cdr_ids")
    def _compute_cdr_count(self):
        counts = dict(
            self.env["emsp.cdr"]._read_group(
                [("connection_id", "in", self.ids)], ["connection_id"], ["__count"]
            )
        )
        for connection in self:
            connection.cdr_count = counts.get(connection, 0)

    # Not stored: an update per message would make simultaneous messages of a connection collide.
    @api.depends("ocpi_message_ids")
    def _compute_message_facts(self):
        groups = self.env["emsp.ocpi.message"]._read_group(
            [("connection_id", "in", self.ids)],
            ["connection_id", "direction", "is_refused"],
            ["received_at:max", "__count"],
        )
        latest, failed = defaultdict(dict), defaultdict(int)
        for connection, direction, is_refused, at, count in groups:
            of_connection = latest[connection]
            of_connection[direction] = max(at, of_connection.get(direction, at))
            failed[connection, direction] += count if is_refused else 0
        for connection in self:
            of_connection = latest[connection]
            connection.last_received_at = of_connection.get("in")
            connection.last_sent_at = of_connection.get("out")
            connection.last_message_at = max(of_connection.values(), default=False)
            connection.refused_count = failed[connection, "in"]
            connection.failed_count = failed[connection, "out"]

    @api.depends("ocpi_message_ids")
    def _compute_last_error(self):
        for connection in self:
            newest = self.env["emsp.ocpi.message"].search([("connection_id", "=", connection.id)], limit=1)
            connection.last_error = newest.message if newest.is_refused else False

    @api.depends("company_id")
    def _compute_versions_url(self):
        for connection in self:
            connection.versions_url = connection.get_base_url() + "/ocpi/versions"

    @api.constrains("country_code", "ocpi_party_id")
    def _check_party_format(self):
        for connection in self:
            party.check(connection)

    @api.model_create_multi
    def create(self, vals_list):
        connections = super().create([party.upper(vals) for vals in vals_list])
        connections._let_endpoint_act()
        return connections

    def write(self, vals):
        done = super().write(party.upper(vals))
        if "company_id" in vals:
            self._let_endpoint_act()
        return done

    def action_new_token(self):
        """Replace the token, and show the new one; the old one is refused from now on."""
        self.ensure_one()
        self.check_access("write")
        title = self.env._("New token of %(connection)s", connection=self.name)
        return self._show_token(title, self._generate_token())

    def action_give_token(self):
        """Show a token with which the partner registers; it opens nothing else."""
        self.ensure_one()
        self.check_access("write")
        self._check_own_party_known()
        if self.state == "registered":
            raise UserError(self.env._("This connection is registered. Rotate its token instead."))
        token = new_token()
        # sudo: no user reads or writes the hash, also no manager
        self.sudo().write(Stored(state="token_given", pending_token_hash=hash_token(token)))
        title = self.env._("Registration token for %(connection)s", connection=self.name)
        return self._show_token(title, token)

    def _show_token(self, title, token):
        # In the context only: neither the dialog nor the database keeps it.
        shown = {"default_token": token, "default_versions_url": self.versions_url}
        return dialog(self.env["emsp.ocpi.connection.token"], title, context=shown)

    def action_view_cdrs(self):
        action = self.env["ir.actions.act_window"]._for_xml_id("emsp_clearing.emsp_cdr_action")
        return {**action, "domain": [("connection_id", "in", self.ids)], "context": {}}

    def action_view_messages(self):
        action = self.env["ir.actions.act_window"]._for_xml_id("emsp_clearing.emsp_ocpi_message_action")
        domain = [("connection_id", "in", self.ids), ("direction", "=", "in")]
        return {**action, "domain": domain, "context": {}}

    def action_view_sent_messages(self):
        action = self.env["ir.actions.act_window"]._for_xml_id("emsp_clearing.emsp_ocpi_message_action")
        domain = [("connection_id", "in", self.ids), ("direction", "=", "out")]
        return {**action, "domain": domain, "context": {}}

    def _generate_token(self):
        """:return: the new token in clear (43 characters of 32 random bytes); it is stored nowhere."""
        self.ensure_one()
        token = new_token()
        vals = {"token_hash": hash_token(token), "token_hint": token[-4:], "previous_token_hash": False}
        if self.state == "unregistered":
            vals["state"] = "draft"
        # sudo: no user reads or writes the hash, also no manager
        self.sudo().write(Stored(vals))
        self.message_post(body=self.env._("A new token was made; the one before is refused from now on."))
        return token

    @api.model
    def _find_by_token(self, token):
        """:param str token: in clear, as the partner sends it.
        :return: the active connection it belongs to, or an empty recordset; see `_token_kind`."""
        digest = hash_token(token)
        domain = Domain.OR(Domain(name, "=", digest) for name in TOKEN_FIELDS.values())
        connection = self.search_fetch(domain, REQUEST_FIELDS, limit=1)
        return connection if connection and connection._token_kind(token) else self.browse()

    def _token_kind(self, token):
        """:return: "current", "previous", "pending" or None."""
        self.ensure_one()
        digest = hash_token(token)
        for kind, name in TOKEN_FIELDS.items():
            if hmac.compare_digest(self[name] or "", digest):
                return kind
        return None

    def _end_grace(self):
        """The new token was used: the one before it dies."""
        # sudo: no user writes a hash
        self.sudo().write({"previous_token_hash": False})

    def _candidates(self, contracts):
        """The contracts that a CDR of one party may belong to.

        :param contracts: of its party, of either role.
        :return: list of (contract, first instant, first one after its end), naive UTC.
        """
        self.ensure_one()
        role = "emsp" if self.our_role == "CPO" else "cpo"
        of_role = contracts.filtered(lambda contract: contract.partner_role == role)
        return [(contract, *contract._span()) for contract in of_role or self.default_contract_id]

    def _as_endpoint(self):
        """The connection in the name of the endpoint's technical user, in its company."""
        self.ensure_one()
        user = self.env.ref("emsp_clearing.user_ocpi")
        return self.with_user(user).with_context(allowed_company_ids=self.company_id.ids)

    def _party(self):
        self.ensure_one()
        return f"{self.country_code}*{self.ocpi_party_id}"

    def _let_endpoint_act(self):
        """The endpoint's user acts for the companies that have a connection, and for no other."""
        # sudo: a manager of connections needs no rights on users
        user_sudo = self.env.ref("emsp_clearing.user_ocpi").sudo()
        missing = self.company_id - user_sudo.company_ids
        if missing:
            user_sudo.write({"company_ids": [Command.link(company.id) for company in missing]})


def new_token():
    """43 characters of 32 random bytes; OCPI allows 64 (2.2.1, 7.3.1)."""
    return secrets.token_urlsafe(32)


def hash_token(token):
    """SHA-256 in hex. A random token of 32 bytes needs no salt and no slow hash."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
