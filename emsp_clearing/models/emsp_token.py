import re
from typing import NamedTuple

import pytz

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..core.ocpi.countries import to_alpha_3
from ..core.ocpi.json_text import read_json
from ..core.ocpi.modules import parse_token, token_payload
from ..core.ocpi.peer_objects import AuthorizationInfo, Token
from . import party

TYPES = ("AD_HOC_USER", "APP_USER", "EMAID", "OTHER", "RFID")
WHITELIST = ("ALWAYS", "ALLOWED", "ALLOWED_OFFLINE", "NEVER")
DEFAULT_TYPE = "RFID"
# What changes what partners were told.
TOLD_FIELDS = frozenset(
    {
        "ocpi_country_code",
        "ocpi_party_id",
        "ocpi_id",
        "token_type",
        "emaid",
        "issuer",
        "visual_number",
        "is_valid",
        "whitelist",
    }
)
# eMI3 with or without separators ("DE-SMO-C00012345-6"), and DIN 91286 with them ("DE*8PS*G00001*2").
EMAID = re.compile(
    r"([A-Z]{2})-?([A-Z0-9]{3})-?C[A-Z0-9]{8}(-?[A-Z0-9])?|"
    r"([A-Z]{2})[-*]([A-Z0-9]{3})[-*][A-Z0-9]{6,9}([-*]?[A-Z0-9])?"
)


class KnownTokens(NamedTuple):
    """Tokens that CDRs or sessions may name, read in one go; a dict by key, another by eMA ID."""

    by_key: dict
    by_emaid: dict

    def find(self, cdr_token):
        """:param cdr_token: core CdrToken. :return: emsp.token or None.

        OCPI 2.1.1 tells the contract alone; where several tokens share it, nobody knows which it was.
        """
        if cdr_token.country_code and cdr_token.party_id:
            return self.by_key.get(key_of(cdr_token))
        tokens = self.by_emaid.get(emaid_key(cdr_token.contract_id))
        return tokens if tokens is not None and len(tokens) == 1 else None


class EmspToken(models.Model):
    """What drivers identify with: tokens that eMSPs sent us, and our own where we are the eMSP."""

    _name = "emsp.token"
    _description = "OCPI token"
    _inherit = ["emsp.ocpi.object"]
    _ocpi_kind = "token"
    _ocpi_id_name = "uid"
    _parse_object = staticmethod(parse_token)
    _write_object = staticmethod(token_payload)

    ocpi_key = fields.Char(compute="_compute_keys", store=True, precompute=True)
    uid_key = fields.Char(
        compute="_compute_keys", store=True, precompute=True, index=True, help="Uid and type, upper-case."
    )
    emaid_key = fields.Char(
        compute="_compute_keys",
        store=True,
        precompute=True,
        index="btree_not_null",
        help="eMA ID in upper case, without separators.",
    )
    ocpi_country_code = fields.Char(
        compute="_compute_party",
        store=True,
        precompute=True,
        readonly=False,
        help="Of the eMSP that issued it.",
    )
    ocpi_party_id = fields.Char(compute="_compute_party", store=True, precompute=True, readonly=False)
    ocpi_id = fields.Char(string="Token", help="The uid that a card or an app tells the charger.")
    token_type = fields.Selection(
        [
            ("RFID", "RFID card"),
            ("APP_USER", "App user"),
            ("AD_HOC_USER", "Without a contract"),
            ("EMAID", "Plug and charge"),
            ("OTHER", "Other"),
        ],
        string="Type",
        required=True,
        default=DEFAULT_TYPE,
    )
    emaid = fields.Char(string="eMA ID", required=True, help="Of the driver's contract with the eMSP.")
    visual_number = fields.Char(help="As printed on the card.")
    issuer = fields.Char(default=lambda self: self.env.company.name, help="As printed on the card.")
    is_valid = fields.Boolean(string="Valid", default=True)
    invalid_since = fields.Datetime(
        compute="_compute_invalid_since",
        store=True,
        readonly=True,
        help="By the eMSP's clock. Sessions that started before are fine.",
    )
    whitelist = fields.Selection(
        [
            ("ALWAYS", "Always: chargers do not ask"),
            ("ALLOWED", "Allowed: chargers need not ask"),
            ("ALLOWED_OFFLINE", "Offline: chargers ask as long as they are connected"),
            ("NEVER", "Never: chargers ask each time"),
        ],
        required=True,
        default="ALLOWED_OFFLINE",
        help="Whether a charger may let the driver charge without asking us first.",
    )
    authorization_ids = fields.One2many("emsp.token.authorization", "token_id")
    session_ids = fields.One2many("emsp.session", "token_id")
    cdr_ids = fields.One2many("emsp.cdr", "token_id")

    _ocpi_key_unique = models.UniqueIndex(
        "(company_id, ocpi_key)", "Another token of this company has the same party, uid and type."
    )

    @api.depends("ocpi_country_code", "ocpi_party_id", "ocpi_id", "token_type", "emaid")
    def _compute_keys(self):
        for token in self:
            token.uid_key = f"{token.ocpi_id}*{token.token_type}".upper()
            token.ocpi_key = f"{token.ocpi_country_code}*{token.ocpi_party_id}*{token.uid_key}".upper()
            token.emaid_key = emaid_key(token.emaid) or False

    @api.depends("is_valid")
    def _compute_invalid_since(self):
        for token in self:
            since = token.invalid_since or token.last_updated or fields.Datetime.now()
            token.invalid_since = False if token.is_valid else since

    @api.depends("emaid")
    def _compute_party(self):
        """Of our own tokens the eMA ID tells the party; it can be corrected."""
        for token in self:
            found = party_of_emaid(token.emaid)
            token.ocpi_country_code = token.ocpi_country_code or (found and found[0])
            token.ocpi_party_id = token.ocpi_party_id or (found and found[1])

    @api.constrains("ocpi_country_code", "ocpi_party_id")
    def _check_party_format(self):
        for token in self.filtered(lambda token: not token.connection_id):
            party.check_name(self.env, f"{token.ocpi_country_code}*{token.ocpi_party_id}".upper())

    @api.model_create_multi
    def create(self, vals_list):
        now = fields.Datetime.now()
        return super().create([{"last_updated": now, **vals} for vals in vals_list])

    def write(self, vals):
        if vals.keys() & TOLD_FIELDS and "last_updated" not in vals:
            vals = {**vals, "last_updated": fields.Datetime.now()}
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        used = self.authorization_ids.token_id | self.cdr_ids.token_id | self.session_ids.token_id
        if used:
            raise UserError(
                self.env._(
                    "Token %(token)s was used for charging and stays. Take it out of use instead: it is "
                    "not valid any more.",
                    token=used[0].ocpi_id,
                )
            )

    @api.model
    def _key_of(self, obj):
        return f"{obj.country_code}*{obj.party_id}*{obj.uid}*{known_type(obj.type)}".upper()

    @api.model
    def _key_at(self, address):
        return super()._key_at({**address, "type": known_type(address["type"])})

    @api.model
    def _address(self, address, token_type, body=b""):
        """An address with the token's type: of the URL, else of the body, else the usual one.

        The text has it in the URL (OCPI 2.2.1, 12.2.2); who leaves it out there tells it in the body.

        :raise PayloadError: the body is no JSON.
        """
        if not token_type and body:
            tree = read_json(body)
            token_type = tree.get("type") if isinstance(tree, dict) else None
        is_text = isinstance(token_type, str) and token_type
        return {**address, "type": token_type if is_text else DEFAULT_TYPE}

    @api.model
    def _told_fields(self):
        """What `_payload_in` reads of our own tokens."""
        return [*TOLD_FIELDS, "connection_id", "company_id", "last_updated", "ocpi_version"]

    @api.model
    def _vals_from_object(self, obj, connection):
        whitelist = obj.whitelist.upper()
        return {
            "token_type": known_type(obj.type),
            "emaid": obj.contract_id,
            "visual_number": obj.visual_number,
            "issuer": obj.issuer,
            "is_valid": obj.valid,
            # Who comes with a word unknown to us may at least not charge unasked.
            "whitelist": whitelist if whitelist in WHITELIST else "NEVER",
        }

    def _to_core(self):
        if self.connection_id:
            return super()._to_core()
        return Token(
            country_code=self.ocpi_country_code.upper(),
            party_id=self.ocpi_party_id.upper(),
            uid=self.ocpi_id,
            type=self.token_type,
            contract_id=self.emaid,
            visual_number=self.visual_number or None,
            issuer=self.issuer or self.company_id.name,
            valid=self.is_valid,
            whitelist=self.whitelist,
            last_updated=pytz.utc.localize(self.last_updated),
        )

    @api.model
    def _known(self, company, cdr_tokens):
        """The tokens that CDRs or sessions may name: two queries, however many.

        :param cdr_tokens: core CdrTokens.
        :return: KnownTokens.
        """
        owned = {key_of(token) for token in cdr_tokens if token.country_code and token.party_id}
        emaids = {emaid_key(token.contract_id) for token in cdr_tokens if not token.country_code} - {""}
        tokens = self.search_fetch(
            [("company_id", "=", company.id), "|", ("ocpi_key", "in", owned), ("emaid_key", "in", emaids)],
            ["ocpi_key", "emaid_key", "ocpi_country_code", "ocpi_party_id"],
        )
        by_emaid = {key: tokens.filtered(lambda t, k=key: t.emaid_key == k) for key in emaids}
        return KnownTokens({token.ocpi_key: token for token in tokens}, by_emaid)

    @api.model
    def _find_own(self, company, uid, token_type):
        """Our own token of this uid; the one that is valid, if several parties of ours have it."""
        return self.search(
            [
                ("company_id", "=", company.id),
                ("connection_id", "=", False),
                ("uid_key", "=", f"{uid}*{known_type(token_type)}".upper()),
            ],
            order="is_valid desc, id",
            limit=1,
        )

    def _authorize(self, connection, references):
        """Say whether our driver may charge, and keep what was said (OCPI 2.2.1, 12.3.1).

        :param references: core LocationReferences or None; opening hours and the state of the EVSE
            are the CPO's to judge.
        :return: core AuthorizationInfo.
        """
        self.ensure_one()
        allowed = "ALLOWED" if self.is_valid else "BLOCKED"
        authorization = self.env["emsp.token.authorization"].create(
            self._prepare_authorization_vals(connection, references, allowed)
        )
        return AuthorizationInfo(
            allowed=allowed,
            token=self._to_core(),
            location=references if self.is_valid else None,
            authorization_reference=authorization.reference if self.is_valid else None,
        )

    def _prepare_authorization_vals(self, connection, references, allowed):
        return {
            "token_id": self.id,
            "connection_id": connection.id,
            "allowed": allowed,
            "ocpi_location_id": references and references.location_id,
            "evse_uids": references and ", ".join(references.evse_uids),
        }


def known_type(token_type):
    """An OCPI type of ours, or OTHER."""
    token_type = (token_type or DEFAULT_TYPE).upper()
    return token_type if token_type in TYPES else "OTHER"


def key_of(cdr_token):
    """The `ocpi_key` of the token that a core CdrToken names."""
    owner = f"{cdr_token.country_code}*{cdr_token.party_id}"
    return f"{owner}*{cdr_token.uid}*{known_type(cdr_token.type)}".upper()


def emaid_key(emaid):
    """eMA IDs compare without case and separators (OCPI 2.2.1, 10.4.5)."""
    return re.sub(r"[^A-Z0-9]", "", (emaid or "").upper())


def party_of_emaid(emaid):
    """:return: (country code, party id) of the eMSP that issued it, or None."""
    match = EMAID.fullmatch((emaid or "").strip().upper())
    if not match:
        return None
    country_code, party_id = match[1] or match[4], match[2] or match[5]
    return (country_code, party_id) if to_alpha_3(country_code) != country_code else None


def token_party(cdr_token, known_token):
    """Whose token it is: as the message says, else of the token that we know, else by the eMA ID.

    :param cdr_token: core CdrToken; OCPI 2.1.1 does not tell its owner.
    :param known_token: emsp.token or None.
    :return: (country code, party id), upper-case; empty texts where nothing tells.
    """
    if cdr_token.country_code or cdr_token.party_id:
        return (cdr_token.country_code or "").upper(), (cdr_token.party_id or "").upper()
    if known_token:
        return known_token.ocpi_country_code.upper(), known_token.ocpi_party_id.upper()
    return party_of_emaid(cdr_token.contract_id) or ("", "")
