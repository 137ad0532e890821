from odoo import api, fields, models
from odoo.tools import SQL

# Shares and means of a group: from its sums, not the mean of its rows.
RATIOS = {
    "upheld_pct:avg": ("accepted", "decided", 100),
    "answer_days:avg": ("answer_time", "answered", 1),
    "decision_days:avg": ("decision_time", "decided", 1),
    "disputed_pct:avg": ("disputed_amount", "claimed_amount", 100),
}


class EmspDisputeReport(models.Model):
    """How much of what is claimed is disputed, by whom and why, and how it ends.

    By the day of the session's end, so that what is disputed stands beside what was claimed for the same
    sessions. The claimed value has no reason: a share by reason is empty.
    """

    _name = "emsp.dispute.report"
    _description = "Statistics of disputes"
    _inherit = ["emsp.ratio.mixin"]
    _auto = False
    _ratios = RATIOS
    _order = "day desc, id"
    _rec_name = "partner_id"

    company_id = fields.Many2one("res.company", readonly=True)
    contract_id = fields.Many2one("emsp.contract", readonly=True)
    partner_id = fields.Many2one("res.partner", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    user_id = fields.Many2one("res.users", string="Responsible", readonly=True)
    location_name = fields.Char(string="Place", readonly=True)
    direction = fields.Selection("_selection_direction", string="Raised", readonly=True)
    reason = fields.Selection("_selection_reason", readonly=True)
    day = fields.Date(string="Session end", readonly=True, help="In UTC.")
    disputes = fields.Integer(readonly=True)
    still_open = fields.Integer(string="Open", readonly=True)
    decided = fields.Integer(readonly=True)
    accepted = fields.Integer(readonly=True, help="Voided or corrected.")
    by_silence = fields.Integer(string="Decided by silence", readonly=True)
    answered = fields.Integer(readonly=True)
    answer_time = fields.Float(string="Days to the answers", readonly=True)
    decision_time = fields.Float(string="Days to the decisions", readonly=True)
    upheld_pct = fields.Float(
        string="Upheld (%)",
        digits=(16, 1),
        aggregator="avg",
        readonly=True,
        help="Accepted, of those decided.",
    )
    answer_days = fields.Float(
        string="Mean days to answer",
        digits=(16, 1),
        aggregator="avg",
        readonly=True,
        help="Of the first answer.",
    )
    decision_days = fields.Float(
        string="Mean days to decide", digits=(16, 1), aggregator="avg", readonly=True
    )
    disputed_amount = fields.Monetary(string="Disputed", readonly=True, help="Net.")
    given_amount = fields.Monetary(
        string="Given up", readonly=True, help="Net. What was not billed in the end."
    )
    claimed_amount = fields.Monetary(
        string="Claimed", readonly=True, help="Net. Of the sessions that were locked, and of those disputed."
    )
    disputed_pct = fields.Float(
        string="Disputed (%)",
        digits=(16, 2),
        aggregator="avg",
        readonly=True,
        help="Value disputed, of the value claimed.",
    )

    @api.model
    def _selection_direction(self):
        return self.env["emsp.dispute"]._fields["direction"]._description_selection(self.env)

    @api.model
    def _selection_reason(self):
        return self.env["emsp.dispute"]._fields["reason"]._description_selection(self.env)

    @property
    def _table_query(self):
        return SQL(
            """
            WITH cells AS (%(disputed)s UNION ALL %(claimed)s)
            SELECT row_number() OVER (ORDER BY company_id, day, contract_id, dispute_id NULLS FIRST,
                                      currency_id, location_name) AS id,
                   cells.*,
                   100.0 * accepted / NULLIF(decided, 0) AS upheld_pct,
                   answer_time / NULLIF(answered, 0) AS answer_days,
                   decision_time / NULLIF(decided, 0) AS decision_days,
                   100.0 * disputed_amount / NULLIF(claimed_amount, 0) AS disputed_pct
              FROM cells
            """,
            disputed=DISPUTED,
            claimed=CLAIMED,
        )


DISPUTED = SQL(
    """
    SELECT d.id AS dispute_id, d.company_id, d.contract_id, d.partner_id, d.currency_id, d.user_id,
           c.location_name, d.direction, d.reason, c.session_end_at::date AS day,
           1 AS disputes,
           d.is_open::int AS still_open,
           (NOT d.is_open)::int AS decided,
           (d.state IN ('upheld', 'corrected'))::int AS accepted,
           COALESCE(d.is_by_silence, FALSE)::int AS by_silence,
           (d.answered_at IS NOT NULL)::int AS answered,
           COALESCE(EXTRACT(EPOCH FROM d.answered_at - d.opened_at) / 86400, 0)::float AS answer_time,
           COALESCE(EXTRACT(EPOCH FROM d.closed_at - d.opened_at) / 86400, 0)::float AS decision_time,
           d.disputed_amount::float AS disputed_amount,
           CASE WHEN d.state IN ('upheld', 'corrected')
                THEN d.disputed_amount - COALESCE(d.agreed_amount, 0) ELSE 0 END::float AS given_amount,
           0::float AS claimed_amount
      FROM emsp_dispute d
      JOIN emsp_cdr c ON c.id = d.cdr_id
    """
)
# A CDR that both sides agreed on stands for one that was disputed: it is not claimed a second time.
CLAIMED = SQL(
    """
    SELECT NULL::int AS dispute_id, c.company_id, c.contract_id, c.partner_id, c.currency_id,
           NULL::int AS user_id, c.location_name,
           CASE k.partner_role WHEN 'emsp' THEN 'received' ELSE 'raised' END AS direction,
           NULL AS reason, c.session_end_at::date AS day,
           0, 0, 0, 0, 0, 0, 0::float, 0::float, 0::float, 0::float,
           SUM(c.amount_untaxed)::float
      FROM emsp_cdr c
      JOIN emsp_contract k ON k.id = c.contract_id
     WHERE c.agreed_by_id IS NULL
       AND NOT COALESCE(c.is_credit, FALSE)
       AND (c.state IN ('locked', 'invoiced')
            OR EXISTS (SELECT 1 FROM emsp_dispute d WHERE d.cdr_id = c.id))
     GROUP BY c.company_id, c.contract_id, c.partner_id, c.currency_id, c.location_name, k.partner_role,
              c.session_end_at::date
    """
)
