import hashlib
import hmac
import secrets

import pytz

from odoo import Command, api, fields, models

from ..core.errors import PayloadError
from ..core.ocpi.normalise import VERSIONS
from . import party

# What a request needs to know of its connection, read together with it.
REQUEST_FIELDS = (
    "token_hash",
    "company_id",
    "our_role",
    "country_code",
    "ocpi_party_id",
    "is_hub",
    "is_lax",
    "version",
    "time_zone",
    "default_contract_id",
)


class EmspOcpiConnection(models.Model):
    """A partner's platform that speaks OCPI with us: who it is, and the token it comes with.

    Where our role is eMSP, a CPO pushes its CDRs here. Where it is CPO, our own charge point management
    system hands over the CDRs of our chargers; the party is then our own. The token itself is stored
    nowhere: only its hash is, and the clear text is shown once.
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
    country_code = fields.Char(size=2, required=True, tracking=True, help="Of the party that owns the CDRs.")
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
    is_lax = fields.Boolean(
        string="Tolerant",
        tracking=True,
        help="Take numbers sent as text, and the token in other forms of the Authorization header.",
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
    token_hint = fields.Char(
        string="Token ends in", copy=False, readonly=True, help="The last four characters."
    )
    cdr_ids = fields.One2many("emsp.cdr", "connection_id")
    cdr_count = fields.Integer(string="CDRs", compute="_compute_cdr_count")
    ocpi_message_ids = fields.One2many("emsp.ocpi.message", "connection_id")
    refused_count = fields.Integer(compute="_compute_message_facts")
    last_message_at = fields.Datetime(compute="_compute_message_facts")
    versions_url = fields.Char(string="Versions URL", compute="_compute_versions_url")

    _token_hash_unique = models.UniqueIndex("(token_hash) WHERE token_hash IS NOT NULL")
    _party_unique = models.UniqueIndex(
        "(company_id, our_role, country_code, ocpi_party_id) WHERE active",
        "Another active connection of this company has the same party and role.",
    )

    @api.model
    def _selection_time_zone(self):
        return [(zone, zone) for zone in pytz.common_timezones]

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
            ["connection_id", "is_refused"],
            ["received_at:max", "__count"],
        )
        latest, refused = {}, {}
        for connection, is_refused, received_at, count in groups:
            latest[connection] = max(received_at, latest.get(connection, received_at))
            if is_refused:
                refused[connection] = count
        for connection in self:
            connection.last_message_at = latest.get(connection)
            connection.refused_count = refused.get(connection, 0)

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
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("New token of %(connection)s", connection=self.name),
            "res_model": "emsp.ocpi.connection.token",
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
            # In the context only: neither the dialog nor the database keeps it.
            "context": {"default_token": self._generate_token()},
        }

    def action_view_cdrs(self):
        action = self.env["ir.actions.act_window"]._for_xml_id("emsp_clearing.emsp_cdr_action")
        return {**action, "domain": [("connection_id", "in", self.ids)], "context": {}}

    def action_view_messages(self):
        action = self.env["ir.actions.act_window"]._for_xml_id("emsp_clearing.emsp_ocpi_message_action")
        return {**action, "domain": [("connection_id", "in", self.ids)], "context": {}}

    def _generate_token(self):
        """:return: the new token in clear (43 characters of 32 random bytes); it is stored nowhere."""
        self.ensure_one()
        token = secrets.token_urlsafe(32)
        # sudo: no user reads or writes the hash, also no manager
        self.sudo().write({"token_hash": hash_token(token), "token_hint": token[-4:]})
        self.message_post(body=self.env._("A new token was made; the one before is refused from now on."))
        return token

    @api.model
    def _find_by_token(self, token):
        """:param str token: in clear, as the partner sends it.
        :return: the active connection it belongs to, or an empty recordset."""
        digest = hash_token(token)
        connection = self.search_fetch([("token_hash", "=", digest)], REQUEST_FIELDS, limit=1)
        if connection and hmac.compare_digest(connection.token_hash, digest):
            return connection
        return self.browse()

    def _check_owner(self, cdr):
        """A platform speaks for its own party only, unless it is a hub (OCPI 2.2.1, 4.1.8).

        :param cdr: core Cdr.
        :raise PayloadError: the CDR belongs to another party.
        """
        self.ensure_one()
        if self.is_hub:
            return
        expected = {"country_code": self.country_code, "party_id": self.ocpi_party_id}
        for path, value in expected.items():
            received = getattr(cdr, path)
            if received.upper() != value:
                raise PayloadError("owner", path=path, expected=value, got=received)

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


def hash_token(token):
    """SHA-256 in hex. A random token of 32 bytes needs no salt and no slow hash."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
