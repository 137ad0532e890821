from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from .emsp_cdr_intake import parties_of

# A CDR that comes later cannot be billed without the partner's consent: there is nothing left to save.
LOOK_BACK = timedelta(days=90)
# A CDR without a session id (OCPI 2.1.1 has none) is the session's when it starts this near to it.
SAME_START = timedelta(minutes=2)
# Sessions that are judged at once.
BATCH = 1000


class EmspSessionMissing(models.Model):
    """Completed sessions whose CDR does not come."""

    _inherit = "emsp.session"

    cdr_missing_since = fields.Datetime(
        string="CDR missing since",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="When its CDR was due. Empty: it came, is not due yet, or is not expected.",
    )
    cdr_dismissed_at = fields.Datetime(
        string="CDR not expected since",
        readonly=True,
        copy=False,
        help="Somebody decided that none will come.",
    )
    contract_id = fields.Many2one(
        "emsp.contract",
        readonly=True,
        check_company=True,
        ondelete="set null",
        index="btree_not_null",
        help="That the CDR would belong to; looked up when the CDR is missing.",
    )

    _ended = models.Index("((COALESCE(session_end_at, last_updated))) WHERE status = 'COMPLETED'")

    @api.model
    def _cron_find_missing_cdrs(self, as_of=None):
        """Report the completed sessions whose CDR is overdue, and close the reports of those that have one.

        :param as_of: naive UTC; by default now.
        """
        as_of = as_of or fields.Datetime.now()
        self.browse(self._missing_no_more_ids())._set_cdr_came(as_of)
        ids = self._without_cdr_ids(as_of)
        first_cdrs = self._first_cdrs(self.browse(ids).connection_id)
        for start in range(0, len(ids), BATCH):
            self.browse(ids[start : start + BATCH])._report_missing(first_cdrs, as_of)

    @api.model
    def _without_cdr_ids(self, as_of):
        """Sessions that have no CDR although the shortest time of any rule set is over: one query."""
        rulesets = self.env["emsp.validation.ruleset"]
        [(grace_h,)] = rulesets._read_group(
            [("missing_cdr", "!=", "off")], aggregates=["missing_cdr_grace_h:min"]
        )
        if grace_h is None:
            return []
        self.flush_model()
        self.env["emsp.cdr"].flush_model()
        query = SQL(
            """
            SELECT s.id
              FROM emsp_session s
             WHERE s.status = 'COMPLETED'
               AND s.connection_id IS NOT NULL
               AND s.cdr_missing_since IS NULL
               AND s.cdr_dismissed_at IS NULL
               AND COALESCE(s.session_end_at, s.last_updated) BETWEEN %(oldest)s AND %(newest)s
               AND NOT EXISTS (%(linked)s)
               AND NOT EXISTS (%(named)s)
               AND NOT EXISTS (%(unnamed)s)
             ORDER BY s.id
            """,
            oldest=as_of - LOOK_BACK,
            newest=as_of - timedelta(hours=grace_h),
            **cdrs_of_session(),
        )
        return [row[0] for row in self.env.execute_query(query)]

    @api.model
    def _missing_no_more_ids(self):
        """Sessions that were reported and have a CDR now, or were not completed after all."""
        self.flush_model()
        self.env["emsp.cdr"].flush_model()
        query = SQL(
            """
            SELECT s.id
              FROM emsp_session s
             WHERE s.cdr_missing_since IS NOT NULL
               AND (s.status IS DISTINCT FROM 'COMPLETED'
                    OR EXISTS (%(linked)s) OR EXISTS (%(named)s) OR EXISTS (%(unnamed)s))
            """,
            **cdrs_of_session(),
        )
        return [row[0] for row in self.env.execute_query(query)]

    @api.model
    def _first_cdrs(self, connections):
        """:return: dict connection -> when its first session with a CDR ended: before it, none was sent."""
        groups = self.env["emsp.cdr"]._read_group(
            [("connection_id", "in", connections.ids)], ["connection_id"], ["session_end_at:min"]
        )
        return dict(groups)

    def _report_missing(self, first_cdrs, as_of):
        """Report those whose partner's rule set says that their CDR is overdue.

        :param dict first_cdrs: of `_first_cdrs`.
        """
        begun = self.filtered(
            lambda session: (
                session.connection_id in first_cdrs
                and session._ended_at() >= first_cdrs[session.connection_id]
            )
        )
        missing = self.browse()
        for company in begun.company_id:
            missing |= begun.filtered(lambda session, c=company: session.company_id == c)._mark_missing(as_of)
        self.env["emsp.exception"]._open_missing_cdrs(missing, as_of)

    def _mark_missing(self, as_of):
        """:param self: of one company. :return: those whose CDR is overdue."""
        company, missing = self.company_id, self.browse()
        facts = [(session.connection_id, parties_of(session), session._ended_at()) for session in self]
        found = self.env["emsp.cdr"]._find_contracts(company, facts)
        partners = self.env["res.partner"].union(*(contract.partner_id for contract, __ in found))
        rulesets = self.env["emsp.validation.ruleset"]._by_partner(company, partners)
        for session, (contract, __) in zip(self, found, strict=True):
            ruleset, __ = rulesets[contract.partner_id.id]
            due_at = session._ended_at() + timedelta(hours=ruleset.missing_cdr_grace_h)
            if ruleset.missing_cdr != "off" and due_at <= as_of:
                session.write({"cdr_missing_since": due_at, "contract_id": contract.id})
                missing |= session
        return missing

    def _set_cdr_came(self, as_of):
        self.write({"cdr_missing_since": False})
        self.env["emsp.exception"]._close_missing_cdrs(self, as_of)

    def _ended_at(self):
        self.ensure_one()
        return self.session_end_at or self.last_updated


def cdrs_of_session():
    """SQL of the CDRs of session `s`, each for an EXISTS of its own so that each finds its index: linked
    when they were priced; naming it, whatever became of them; and like it, of those that name none.

    :return: dict name -> SQL.
    """
    same_owner = SQL(
        "c.company_id = s.company_id AND UPPER(c.ocpi_country_code) = UPPER(s.ocpi_country_code) "
        "AND UPPER(c.ocpi_party_id) = UPPER(s.ocpi_party_id)"
    )
    return {
        "linked": SQL("SELECT FROM emsp_cdr c WHERE c.session_id = s.id"),
        # Ids compare without case; but who changes it writes all of it large or small.
        "named": SQL(
            "SELECT FROM emsp_cdr c "
            "WHERE c.ocpi_session_id IN (s.ocpi_id, UPPER(s.ocpi_id), LOWER(s.ocpi_id)) AND %s",
            same_owner,
        ),
        "unnamed": SQL(
            "SELECT FROM emsp_cdr c WHERE c.token_uid = s.token_uid AND c.ocpi_session_id IS NULL "
            "AND c.session_end_at >= s.session_start_at "
            "AND c.session_start_at BETWEEN s.session_start_at - %(near)s AND s.session_start_at + %(near)s "
            "AND %(owner)s",
            near=SAME_START,
            owner=same_owner,
        ),
    }
