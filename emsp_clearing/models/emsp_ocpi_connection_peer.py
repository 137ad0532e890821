import base64
import re

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from odoo import Command, api, fields, models
from odoo.exceptions import UserError

from ..core.ocpi.peer_objects import BusinessDetails, Credentials, CredentialsRole
from . import party
from .emsp_state_mixin import Stored

# What a handshake alone writes.
HANDSHAKE_FIELDS = frozenset({"state", "peer_parties"})
OWN_PARTY_FIELDS = ("own_country_code", "own_party_id")
# More than OCPI has modules, by far: the list comes from outside.
MAX_ENDPOINTS = 200


class EmspOcpiConnectionPeer(models.Model):
    """What a handshake settles: who we are to the partner, where its modules are, and its token.

    The partner's token is stored encrypted and in a field that nobody may read; the server alone uses it.
    """

    _inherit = "emsp.ocpi.connection"

    state = fields.Selection(
        [
            ("draft", "No handshake"),
            ("token_given", "Registration token given"),
            ("registered", "Registered"),
            ("unregistered", "Unregistered"),
        ],
        required=True,
        readonly=True,
        default="draft",
        copy=False,
        tracking=True,
        help="Without a handshake, tokens and endpoints are exchanged by the operators of both sides.",
    )
    own_country_code = fields.Char(
        size=2,
        compute="_compute_own_country_code",
        store=True,
        readonly=False,
        precompute=True,
        tracking=True,
        help="Of our own party, as the partner knows it.",
    )
    own_party_id = fields.Char(
        string="Own party id", size=3, default=lambda self: self._default_own_party_id(), tracking=True
    )
    allow_private_network = fields.Boolean(
        tracking=True,
        copy=False,
        help="Also call addresses inside a private network, and without TLS. For systems of your own only: "
        "otherwise a partner could have this server look into your network.",
    )
    peer_versions_url = fields.Char(string="Partner's versions URL", copy=False, tracking=True)
    peer_parties = fields.Char(string="Partner's parties", readonly=True, copy=False)
    peer_token = fields.Char(copy=False, groups=fields.NO_ACCESS, help="Encrypted.")
    peer_token_form = fields.Selection(
        [("base64", "Base64"), ("plain", "As it is")],
        string="Our token header",
        copy=False,
        help="How the token stands in our requests. By default Base64, in OCPI 2.1.1 as it is; a handshake "
        "notes what the partner itself does.",
    )
    endpoint_ids = fields.One2many("emsp.ocpi.endpoint", "connection_id", string="Partner's endpoints")

    @api.depends("company_id")
    def _compute_own_country_code(self):
        for connection in self:
            connection.own_country_code = connection.own_country_code or connection.company_id.country_id.code

    @api.model
    def _default_own_party_id(self):
        """As on the company's other connections: a company has rarely more than one party."""
        domain = [("company_id", "=", self.env.company.id), ("own_party_id", "!=", False)]
        return self.search(domain, order="id desc", limit=1).own_party_id

    @api.constrains(*OWN_PARTY_FIELDS)
    def _check_own_party_format(self):
        for connection in self.filtered("own_party_id"):
            party.check_name(self.env, f"{connection.own_country_code}*{connection.own_party_id}")

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([_upper_own(vals) for vals in vals_list])

    def write(self, vals):
        if vals.keys() & HANDSHAKE_FIELDS and not isinstance(vals, Stored):
            raise UserError(self.env._("Only a handshake changes the registration of a connection."))
        return super().write(_upper_own(vals))

    def _side(self):
        """Which of our endpoints the partner uses, "cpo" or "emsp", and so the role we have to it.

        Our own charge point system hands over CDRs as a CPO does.
        """
        self.ensure_one()
        return "cpo" if (self.our_role, self.peer_role) == ("CPO", "EMSP") else "emsp"

    def _own_party(self):
        """:return: our country code and party id, or None.

        Our own charge point system speaks for our party."""
        self.ensure_one()
        if self.own_party_id:
            return self.own_country_code, self.own_party_id
        return (self.country_code, self.ocpi_party_id) if self.peer_role == "OWN" else None

    def _check_own_party_known(self):
        """:raise UserError: a handshake needs a party of ours."""
        if not self._own_party():
            raise UserError(
                self.env._(
                    "Set your own OCPI party (country, party id) on the connection “%(connection)s” first.",
                    connection=self.name,
                )
            )

    def _endpoint_url(self, module, role):
        """:param str role: SENDER or RECEIVER, of the partner.
        :return: address of the partner's module, or None."""
        self.ensure_one()
        for endpoint in self.endpoint_ids:
            if endpoint.identifier.casefold() == module and endpoint.role in (role, False):
                return endpoint.url
        return None

    def _our_credentials(self, token, versions_url):
        """:param str token: in clear, that the partner is to use.
        :return: core Credentials."""
        country_code, party_id = self._own_party()
        company = self.company_id
        website = company.website if (company.website or "").startswith("http") else None
        role = CredentialsRole(
            role=self._side().upper(),
            business_details=BusinessDetails(name=company.name[:100], website=website),
            party_id=party_id,
            country_code=country_code,
        )
        return Credentials(token, versions_url, (role,))

    def _routing_headers(self, to_party=None):
        """Who sends and who is meant (OCPI 2.2.1, 4.2.1).

        :param to_party: country code and party id; the connection's party by default."""
        to_country_code, to_party_id = to_party or (self.country_code, self.ocpi_party_id)
        headers = {"OCPI-to-country-code": to_country_code, "OCPI-to-party-id": to_party_id}
        own = self._own_party()
        if own:
            headers["OCPI-from-country-code"], headers["OCPI-from-party-id"] = own
        return headers

    def _is_token_encoded(self):
        self.ensure_one()
        form = self.peer_token_form or ("plain" if self.version == "2.1.1" else "base64")
        return form == "base64"

    def _peer_token_clear(self):
        """:return: the partner's token in clear, or None where none can be read.

        After the database was copied and got a secret of its own it cannot: a copy calls nobody.
        """
        self.ensure_one()
        # sudo: nobody may read the token; it goes into the header of a request and nowhere else
        return self._decrypt(self.sudo().peer_token)

    def _encrypt(self, text):
        return _cipher(self.env).encrypt(text.encode()).decode()

    def _decrypt(self, encrypted):
        """:return: the text, or None: it was encrypted by another database, or there is none."""
        try:
            return _cipher(self.env).decrypt(encrypted.encode()).decode() if encrypted else None
        except InvalidToken:
            return None

    def _prepare_peer_vals(self, credentials, version, details):
        """:param credentials, details: the partner's, as core objects.
        :return: vals that make the connection use them."""
        roles = (
            f"{role.role or ''} {role.country_code}*{role.party_id}".strip() for role in credentials.roles
        )
        found = {}
        for endpoint in details.endpoints[:MAX_ENDPOINTS]:
            key = (endpoint.identifier.lower(), (endpoint.role or "").upper())
            found.setdefault(key, endpoint.url)
        endpoints = [
            Command.create({"identifier": identifier, "role": role or False, "url": url})
            for (identifier, role), url in found.items()
        ]
        return {
            "version": version,
            "peer_versions_url": credentials.url,
            "peer_parties": ", ".join(roles)[:1000],
            "peer_token": self._encrypt(credentials.token),
            "endpoint_ids": [Command.clear(), *endpoints],
        }


def _upper_own(vals):
    changed = {
        name: vals[name].strip().upper() for name in OWN_PARTY_FIELDS if isinstance(vals.get(name), str)
    }
    return type(vals)({**vals, **changed})


def _cipher(env):
    """A key of this database for tokens of partners."""
    # sudo: a system parameter that no user may read
    secret = env["ir.config_parameter"].sudo().get_param("database.secret")
    key = HKDF(SHA256(), length=32, salt=None, info=b"emsp_clearing peer token").derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(key))


def party_in(headers, direction):
    """The party in the routing headers, "FR*ABC", or None (OCPI 2.2.1, 4.2.1).

    :param str direction: "to" or "from".
    """
    names = (f"OCPI-{direction}-country-code", f"OCPI-{direction}-party-id")
    found = "*".join((headers.get(name) or "").strip().upper() for name in names)
    return found if re.fullmatch(party.PATTERN, found) else None
