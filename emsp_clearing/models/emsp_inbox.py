from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from .emsp_session_missing import LOOK_BACK

# Pricing takes seconds; what has no price after this needs somebody.
PRICED_WITHIN = timedelta(hours=1)


class EmspInbox(models.Model):
    """What waits for a person: held CDRs, those without a contract or a price, and those that do not come.

    A view over CDRs and sessions: it holds nothing, and a row leaves it when its cause is gone.
    """

    _name = "emsp.inbox"
    _description = "Clearing inbox"
    _auto = False
    _order = "deadline, id"
    _rec_name = "ocpi_id"
    _depends = {
        "emsp.cdr": [
            "amount_untaxed",
            "attach_reason",
            "company_id",
            "connection_id",
            "contract_id",
            "currency_id",
            "emaid",
            "energy_kwh",
            "location_name",
            "ocpi_id",
            "partner_id",
            "priced_by",
            "received_at",
            "session_end_at",
            "state",
            "stated_amount",
            "user_id",
        ],
        "emsp.cdr.finding": ["cdr_id", "found_at", "rule", "severity", "superseded_at"],
        "emsp.contract": ["partner_id"],
        "emsp.session": [
            "cdr_missing_since",
            "company_id",
            "connection_id",
            "contract_id",
            "currency_id",
            "emaid",
            "energy_kwh",
            "last_updated",
            "ocpi_id",
            "session_end_at",
            "stated_amount",
            "user_id",
        ],
    }

    kind = fields.Selection(
        [
            ("held", "Held"),
            ("unattached", "Without contract"),
            ("unrated", "Without price"),
            ("missing", "CDR missing"),
        ],
        readonly=True,
    )
    rule = fields.Selection("_selection_rule", string="Reason", readonly=True)
    ocpi_id = fields.Char(string="CDR or session", readonly=True)
    cdr_id = fields.Many2one("emsp.cdr", string="CDR", readonly=True)
    session_id = fields.Many2one("emsp.session", readonly=True)
    finding_id = fields.Many2one("emsp.cdr.finding", readonly=True)
    message = fields.Char(string="Why it waits", compute="_compute_message")
    company_id = fields.Many2one("res.company", readonly=True)
    connection_id = fields.Many2one("emsp.ocpi.connection", readonly=True)
    contract_id = fields.Many2one("emsp.contract", readonly=True)
    partner_id = fields.Many2one("res.partner", readonly=True)
    location_name = fields.Char(string="Place", readonly=True)
    emaid = fields.Char(string="eMA ID", readonly=True)
    energy_kwh = fields.Float(string="Energy (kWh)", digits=(16, 4), readonly=True)
    session_end_at = fields.Datetime(string="Session end", readonly=True)
    amount = fields.Monetary(
        string="At stake",
        readonly=True,
        help="Net: by the contract, or as the sender states it where there is no price of ours.",
    )
    currency_id = fields.Many2one("res.currency", readonly=True)
    waiting_since = fields.Datetime(readonly=True)
    age_days = fields.Integer(string="Age (days)", readonly=True, aggregator="max")
    deadline = fields.Date(
        readonly=True, help="90 days after the session's end: later, billing it needs the partner's consent."
    )
    days_left = fields.Integer(readonly=True, aggregator="min")
    user_id = fields.Many2one("res.users", string="Assigned to", readonly=True)
    last_comment = fields.Char(compute="_compute_last_comment")

    @api.model
    def _selection_rule(self):
        return [
            *self.env["emsp.cdr.finding"]._selection_rule(),
            ("price", self.env._("No price")),
            ("unrated", self.env._("Not priced yet")),
            ("no_contract", self.env._("Party without contract")),
            ("contract_dates", self.env._("Outside of the contract's dates")),
            ("ambiguous", self.env._("Several contracts")),
        ]

    @property
    def _table_query(self):
        return SQL("%s UNION ALL %s", self._select_cdrs(), self._select_sessions())

    @api.model
    def _select_cdrs(self):
        """The finding is looked up only by queries that use it, and per row by its index."""
        return SQL(
            """
            SELECT c.id * 2 AS id, c.id AS cdr_id, NULL::int AS session_id,
                   CASE WHEN c.state = 'quarantine' THEN 'held'
                        WHEN c.contract_id IS NULL THEN 'unattached' ELSE 'unrated' END AS kind,
                   CASE WHEN c.state = 'quarantine' THEN COALESCE((%(rule)s), 'price')
                        WHEN c.contract_id IS NULL THEN COALESCE(c.attach_reason, 'no_contract')
                        ELSE 'unrated' END AS rule,
                   (%(finding)s) AS finding_id,
                   c.ocpi_id, c.company_id, c.connection_id, c.contract_id, c.partner_id,
                   c.location_name, c.emaid, c.energy_kwh, c.session_end_at,
                   CASE WHEN c.priced_by IS NULL THEN c.stated_amount ELSE c.amount_untaxed END AS amount,
                   c.currency_id, COALESCE((%(found_at)s), c.received_at) AS waiting_since,
                   %(today)s - COALESCE((%(found_at)s), c.received_at)::date AS age_days,
                   (c.session_end_at + %(limit)s)::date AS deadline,
                   (c.session_end_at + %(limit)s)::date - %(today)s AS days_left,
                   c.user_id
              FROM emsp_cdr c
             WHERE c.state IN ('received', 'quarantine')
               AND (c.state = 'quarantine' OR c.contract_id IS NULL OR c.received_at < %(unrated_before)s)
            """,
            rule=first_hold("rule"),
            finding=first_hold("id"),
            found_at=first_hold("found_at"),
            limit=LOOK_BACK,
            today=fields.Date.today(),
            unrated_before=fields.Datetime.now() - PRICED_WITHIN,
        )

    @api.model
    def _select_sessions(self):
        return SQL(
            """
            SELECT s.id * 2 + 1, NULL, s.id, 'missing', 'missing_cdr', NULL,
                   s.ocpi_id, s.company_id, s.connection_id, s.contract_id, k.partner_id,
                   NULL, s.emaid, s.energy_kwh, COALESCE(s.session_end_at, s.last_updated),
                   s.stated_amount, s.currency_id, s.cdr_missing_since,
                   %(today)s - s.cdr_missing_since::date,
                   (COALESCE(s.session_end_at, s.last_updated) + %(limit)s)::date,
                   (COALESCE(s.session_end_at, s.last_updated) + %(limit)s)::date - %(today)s,
                   s.user_id
              FROM emsp_session s
              LEFT JOIN emsp_contract k ON k.id = s.contract_id
             WHERE s.cdr_missing_since IS NOT NULL
            """,
            limit=LOOK_BACK,
            today=fields.Date.today(),
        )

    @api.depends("finding_id", "cdr_id", "kind")
    @api.depends_context("lang")
    def _compute_message(self):
        for row in self:
            if row.kind == "missing":
                row.message = self.env._("The session is completed; its CDR has not come.")
            elif row.kind == "unrated":
                row.message = self.env._("It came a while ago and is not priced yet. It is tried every hour.")
            else:
                row.message = row.finding_id.message or row.cdr_id.attach_message

    @api.depends("cdr_id", "session_id")
    def _compute_last_comment(self):
        decisions = self.env["emsp.cdr.decision"]
        # In the order of time: the last one stays.
        of_cdrs = decisions.search_fetch(
            [("cdr_id", "in", self.cdr_id.ids)], ["cdr_id", "reason"], order="id"
        )
        of_sessions = decisions.search_fetch(
            [("session_id", "in", self.session_id.ids)], ["session_id", "reason"], order="id"
        )
        by_cdr = {decision.cdr_id: decision.reason for decision in of_cdrs}
        by_session = {decision.session_id: decision.reason for decision in of_sessions}
        for row in self:
            row.last_comment = by_cdr.get(row.cdr_id) or by_session.get(row.session_id)

    def action_open(self):
        """The CDR or the session itself."""
        self.ensure_one()
        return (self.cdr_id or self.session_id).get_formview_action()

    def action_release(self):
        return self._ask_for("release")

    def action_void(self):
        return self._ask_for("void")

    def action_assign(self):
        return self._ask_for("assign")

    def action_comment(self):
        return self._ask_for("comment")

    def action_dismiss(self):
        return self._ask_for("dismiss")

    def _ask_for(self, action):
        """A dialog that asks for the reason. Rows that somebody else has decided meanwhile are gone."""
        rows = self.exists()
        if not rows:
            raise UserError(self.env._("Somebody has decided on these already. Load the inbox again."))
        return self.env["emsp.inbox.decide"]._open(action, rows.cdr_id, rows.session_id)


def first_hold(column):
    """SQL of a column of the finding that holds CDR `c` now; a rule's first, which tells more than that the
    pricing failed."""
    return SQL(
        "SELECT f.%s FROM emsp_cdr_finding f WHERE f.cdr_id = c.id AND c.state = 'quarantine' "
        "AND f.severity IN ('hold', 'refuse') AND f.superseded_at IS NULL "
        "ORDER BY f.rule IS NULL, f.id LIMIT 1",
        SQL.identifier(column),
    )
