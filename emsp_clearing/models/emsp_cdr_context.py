from typing import NamedTuple

from odoo import api, fields, models


class Context(NamedTuple):
    """What CDRs may name: emsp.session by key, KnownTokens, KnownPlaces."""

    sessions: dict
    tokens: tuple
    places: tuple

    def find_session(self, cdr):
        """:return: emsp.session or None."""
        return self.sessions.get(session_key(cdr))


class EmspCdrContext(models.Model):
    """Sessions, tokens and connectors that a CDR names: known before it, or told later."""

    _inherit = "emsp.cdr"

    session_id = fields.Many2one("emsp.session", check_company=True, index="btree_not_null")
    token_id = fields.Many2one("emsp.token", string="Known token", check_company=True, index="btree_not_null")
    location_connector_id = fields.Many2one(
        "emsp.location.connector",
        string="Charger",
        check_company=True,
        ondelete="set null",
        index="btree_not_null",
    )

    @api.model
    def _find_context(self, company, cdrs):
        """What the CDRs name, as far as it was pushed before: four queries, however many.

        :param cdrs: core Cdrs.
        :return: Context.
        """
        sessions = self.env["emsp.session"].search_fetch(
            [
                ("company_id", "=", company.id),
                ("ocpi_key", "in", {session_key(cdr) for cdr in cdrs if cdr.session_id}),
            ],
            ["ocpi_key", "status"],
        )
        places = [(cdr.country_code, cdr.party_id, cdr.cdr_location) for cdr in cdrs]
        return Context(
            {session.ocpi_key: session for session in sessions},
            self.env["emsp.token"]._known(company, [cdr.cdr_token for cdr in cdrs]),
            self.env["emsp.location"]._known(company, places),
        )

    @api.model
    def _vals_from_context(self, cdr, connection, context):
        """Field values of what a core Cdr names.

        :param Context context: what is known now.
        """
        token, session = context.tokens.find(cdr.cdr_token), context.find_session(cdr)
        place = (cdr.country_code, cdr.party_id, cdr.cdr_location)
        time_zone = cdr.cdr_location.time_zone or context.places.find_time_zone(*place)
        return {
            "session_id": session and session.id,
            "token_id": token and token.id,
            "location_connector_id": context.places.find_connector(*place).id,
            "time_zone": time_zone or connection.time_zone,
        }


def session_key(cdr):
    """The `ocpi_key` of the session that a core Cdr names."""
    return f"{cdr.country_code}*{cdr.party_id}*{cdr.session_id}".upper()
