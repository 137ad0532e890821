from odoo import api, fields, models

from ..core.money import to_float
from ..core.ocpi.modules import parse_session, session_payload
from ..core.ocpi.objects import CdrLocation
from .emsp_ocpi_object import naive
from .emsp_token import token_party

STATUSES = ("ACTIVE", "COMPLETED", "INVALID", "PENDING", "RESERVATION")
# Those that a rule looks at, or that end the waiting for a session.
JUDGED_STATUSES = ("COMPLETED", "INVALID")
# The prose of OCPI 2.2.1 (9.4.1) has another word than its table.
OTHER_WORDS = {"RESERVED": "RESERVATION"}


class EmspSession(models.Model):
    """A charging session as the CPO, or our own charge point system, tells of it while it runs."""

    _name = "emsp.session"
    _description = "OCPI session"
    _inherit = ["emsp.ocpi.object"]
    _order = "session_start_at desc, id desc"
    _ocpi_kind = "session"
    _parse_object = staticmethod(parse_session)
    _write_object = staticmethod(session_payload)
    _pushed_module = "sessions"

    ocpi_id = fields.Char(string="Session id")
    status = fields.Selection(
        [
            ("PENDING", "Pending"),
            ("ACTIVE", "Active"),
            ("COMPLETED", "Completed"),
            ("INVALID", "Invalid"),
            ("RESERVATION", "Reservation"),
        ],
        readonly=True,
        index=True,
    )
    session_start_at = fields.Datetime(string="Session start", readonly=True, index=True)
    session_end_at = fields.Datetime(string="Session end", readonly=True)
    energy_kwh = fields.Float(string="Energy (kWh)", digits=(16, 4), readonly=True)
    token_country_code = fields.Char(string="Token's country", size=2, readonly=True)
    token_party_id = fields.Char(string="Token's party", size=3, readonly=True)
    token_uid = fields.Char(string="Token", readonly=True)
    emaid = fields.Char(string="eMA ID", readonly=True)
    token_id = fields.Many2one(
        "emsp.token", string="Known token", readonly=True, check_company=True, index="btree_not_null"
    )
    ocpi_location_id = fields.Char(string="Location id", readonly=True)
    evse_uid = fields.Char(string="EVSE uid", readonly=True)
    ocpi_connector_id = fields.Char(string="Connector id", readonly=True)
    location_connector_id = fields.Many2one(
        "emsp.location.connector",
        string="Charger",
        readonly=True,
        check_company=True,
        ondelete="set null",
        index="btree_not_null",
    )
    currency_id = fields.Many2one("res.currency", readonly=True)
    stated_amount = fields.Float(
        digits=(16, 4), readonly=True, help="Total cost before tax so far, as the CPO states it."
    )
    cdr_ids = fields.One2many("emsp.cdr", "session_id", string="CDRs")

    _ocpi_key_unique = models.UniqueIndex("(company_id, ocpi_key)")
    _for_partner = models.Index("(company_id, token_country_code, token_party_id)")

    @api.model
    def _vals_from_object(self, obj, connection):
        company, token = connection.company_id, obj.cdr_token
        place = obj.location or CdrLocation(
            id=obj.location_id, evse_uid=obj.evse_uid, connector_id=obj.connector_id
        )
        places = self.env["emsp.location"]._known(company, [(obj.country_code, obj.party_id, place)])
        known_token = self.env["emsp.token"]._known(company, [token]).find(token)
        country_code, party_id = token_party(token, known_token)
        return {
            "status": known_status(obj.status),
            "session_start_at": naive(obj.start_date_time),
            "session_end_at": obj.end_date_time and naive(obj.end_date_time),
            "energy_kwh": to_float(obj.kwh),
            "token_country_code": country_code,
            "token_party_id": party_id,
            "token_uid": token.uid,
            "emaid": token.contract_id,
            "token_id": known_token and known_token.id,
            "ocpi_location_id": obj.location_id,
            "evse_uid": obj.evse_uid,
            "ocpi_connector_id": obj.connector_id,
            "location_connector_id": places.find_connector(obj.country_code, obj.party_id, place).id,
            "currency_id": self._find_currency(obj.currency),
            "stated_amount": to_float(obj.total_cost.excl_vat) if obj.total_cost else 0.0,
        }

    def _take(self, connection, version, obj, text, received_at):
        status = self.status if self else None
        session = super()._take(connection, version, obj, text, received_at)
        if session.status != status and session.status in JUDGED_STATUSES:
            domain = [
                ("ocpi_session_id", "=", session.ocpi_id),
                ("ocpi_country_code", "=ilike", session.ocpi_country_code),
                ("ocpi_party_id", "=ilike", session.ocpi_party_id),
            ]
            self.env["emsp.cdr"]._enqueue_recheck(session, domain)
        return session

    def _written_in(self, version):
        return session_payload(self._to_core(), version, self.location_connector_id._place_for(version))

    def _told_among(self, connections, by_party):
        """A session is for the partner whose token was used."""
        connection = by_party.get((self.token_country_code, self.token_party_id))
        return [connection] if connection else []

    @api.model
    def _find_currency(self, code):
        if not code:
            return False
        currencies = self.env["res.currency"].with_context(active_test=False)
        return currencies.search([("name", "=", code.upper())], limit=1).id


def known_status(status):
    """A status of ours, or False for one that we do not know."""
    status = OTHER_WORDS.get(status.upper(), status.upper())
    return status if status in STATUSES else False
