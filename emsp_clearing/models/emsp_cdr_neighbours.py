from datetime import timedelta

import pytz

from odoo import api, models
from odoo.tools import SQL

from ..core.checks.facts import Neighbour, evse_key, token_key
from ..core.checks.overlap import LONGEST
from ..core.money import from_float

# How far from a session another one may start or end to be near it.
MARGIN = timedelta(hours=1)


class EmspCdrNeighbours(models.Model):
    """Other CDRs of the same session, token or EVSE, near in time.

    Those that were stored before: of two that cannot both be right, the one that came later is doubted.
    The longest session that counts bounds what the index has to read.
    """

    _inherit = "emsp.cdr"

    _of_token = models.Index("(token_uid, session_end_at) WHERE token_uid IS NOT NULL")
    _of_evse = models.Index("(evse_id, session_end_at) WHERE evse_id IS NOT NULL")

    @api.model
    def _find_neighbours(self, company, subjects):
        """One query, whatever the number of subjects.

        :param list[Subject] subjects: of the company.
        :return: list of lists of core Neighbour, in the order of the subjects.
        """
        found = [[] for __ in subjects]
        self.flush_model()
        for row in self.env.execute_query(self._neighbours_query(company, subjects)):
            found[row[0]].append(neighbour(row))
        return found

    @api.model
    def _neighbours_query(self, company, subjects):
        rows = SQL(", ").join(subject_row(number, subject) for number, subject in enumerate(subjects))
        near = SQL(
            "o.session_end_at BETWEEN s.start_at - %(margin)s AND s.end_at + %(longest)s "
            "AND o.session_start_at <= s.end_at + %(margin)s",
            margin=MARGIN,
            longest=LONGEST,
        )
        return SQL(
            """
            WITH s(number, id, evse, token, session, key, start_at, end_at) AS (VALUES %(rows)s),
            near AS (
                SELECT s.number, o.id FROM s JOIN emsp_cdr o ON o.evse_id = s.evse AND %(near)s
                UNION
                SELECT s.number, o.id FROM s JOIN emsp_cdr o ON o.token_uid = s.token AND %(near)s
                UNION
                SELECT s.number, o.id FROM s JOIN emsp_cdr o ON o.ocpi_session_id = s.session
            )
            SELECT near.number, o.ocpi_key, o.ocpi_session_id, o.token_country_code, o.token_party_id,
                   o.token_uid, o.ocpi_country_code, o.ocpi_party_id, o.evse_id, o.connector_id,
                   o.session_start_at, o.session_end_at, o.energy_kwh, o.location_city, o.is_credit,
                   o.state = 'void' OR EXISTS (SELECT FROM emsp_cdr c WHERE c.credited_cdr_id = o.id)
              FROM near
              JOIN s ON s.number = near.number
              JOIN emsp_cdr o ON o.id = near.id
             WHERE o.company_id = %(company)s AND o.ocpi_key != s.key AND (s.id IS NULL OR o.id < s.id)
             ORDER BY near.number, o.id
            """,
            rows=rows,
            near=near,
            company=company.id,
        )


def subject_row(number, subject):
    """SQL of what tells a subject's neighbours."""
    cdr = subject.cdr
    return SQL(
        "(%s, %s::int, %s::varchar, %s::varchar, %s::varchar, %s::varchar, %s::timestamp, %s::timestamp)",
        number,
        subject.record.id or None,
        cdr.cdr_location.evse_id,
        cdr.cdr_token.uid or None,
        cdr.session_id,
        cdr.key,
        cdr.start_date_time.replace(tzinfo=None),
        cdr.end_date_time.replace(tzinfo=None),
    )


def neighbour(row):
    """:param row: of `_neighbours_query`. :return: core Neighbour."""
    __, key, session, token_country, token_party, token_uid, country, party, evse, connector, *rest = row
    start, end, energy, city, is_credit, is_void = rest
    return Neighbour(
        key=key,
        session_id=session,
        token_key=token_key(token_country, token_party, token_uid or ""),
        evse_key=evse_key(f"{country}*{party}", evse, None),
        connector_id=connector,
        start=pytz.utc.localize(start),
        end=pytz.utc.localize(end),
        energy_kwh=from_float(energy or 0.0, 4),
        city=city,
        is_credit=is_credit,
        is_void=is_void,
    )
