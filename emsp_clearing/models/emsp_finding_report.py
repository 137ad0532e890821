from odoo import api, fields, models
from odoo.tools import SQL

# Shares and means of a group: from its sums, not the mean of its rows.
RATIOS = {
    "flagged_pct:avg": ("flagged", "judged", 100),
    "release_h:avg": ("waited_h", "released", 1),
}


class EmspFindingReport(models.Model):
    """What each rule said of the CDRs of a day, and what became of those that it held.

    A rule that has found nothing yet in a company has no rows there. A CDR counts once for each rule.
    """

    _name = "emsp.finding.report"
    _description = "Quality of CDRs"
    _inherit = ["emsp.ratio.mixin"]
    _auto = False
    _ratios = RATIOS
    _order = "day desc, flagged desc, id"
    _rec_name = "rule"

    company_id = fields.Many2one("res.company", readonly=True)
    partner_id = fields.Many2one("res.partner", readonly=True)
    ruleset_id = fields.Many2one("emsp.validation.ruleset", string="Rule set", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    rule = fields.Selection("_selection_rule", readonly=True)
    day = fields.Date(string="Received on", readonly=True, help="In UTC.")
    judged = fields.Integer(readonly=True, help="CDRs of which the rule could tell.")
    flagged = fields.Integer(readonly=True, help="CDRs that the rule objected to.")
    flagged_pct = fields.Float(
        string="Flagged (%)", digits=(16, 2), aggregator="avg", readonly=True, help="Of those judged."
    )
    held = fields.Integer(readonly=True, help="CDRs with a finding of the rule that holds them.")
    false_alarms = fields.Integer(
        readonly=True,
        help="CDRs that the rule held and somebody released as they were: they are open or billed now. Not "
        "those that facts which came later set free.",
    )
    released = fields.Integer(string="Held and released", readonly=True)
    waited_h = fields.Float(string="Hours held", digits=(16, 2), readonly=True)
    release_h = fields.Float(
        string="Hours to the release",
        digits=(16, 2),
        aggregator="avg",
        readonly=True,
        help="From the CDR's arrival until the partner could see it; mean of those that were held.",
    )
    amount = fields.Monetary(
        string="Net amount", readonly=True, help="Of the CDRs that the rule objected to."
    )

    @api.model
    def _selection_rule(self):
        return self.env["emsp.cdr.finding"]._selection_rule()

    @property
    def _table_query(self):
        return SQL(
            """
            WITH judged AS (%(judged)s), unknown AS (%(unknown)s), found AS (%(found)s),
            rules AS (SELECT DISTINCT company_id, rule FROM found),
            cells AS (
                SELECT judged.*, rules.rule, 0 AS flagged, 0 AS held, 0 AS false_alarms, 0 AS released,
                       0 AS waited_h, 0 AS amount
                  FROM judged JOIN rules ON rules.company_id = judged.company_id
                UNION ALL
                SELECT unknown.company_id, partner_id, ruleset_id, currency_id, day, -cdrs, unknown.rule,
                       0, 0, 0, 0, 0, 0
                  FROM unknown
                  JOIN rules ON rules.company_id = unknown.company_id AND rules.rule = unknown.rule
                UNION ALL
                SELECT company_id, partner_id, ruleset_id, currency_id, day, 0, rule,
                       flagged, held, false_alarms, released, waited_h, amount
                  FROM found
            )
            SELECT row_number() OVER (%(order)s) AS id,
                   company_id, partner_id, ruleset_id, currency_id, day, rule,
                   SUM(cdrs)::int AS judged, SUM(flagged)::int AS flagged,
                   100 * SUM(flagged)::float / NULLIF(SUM(cdrs), 0) AS flagged_pct,
                   SUM(held)::int AS held, SUM(false_alarms)::int AS false_alarms,
                   SUM(released)::int AS released, SUM(waited_h)::float AS waited_h,
                   SUM(waited_h)::float / NULLIF(SUM(released), 0) AS release_h,
                   SUM(amount)::float AS amount
              FROM cells
             GROUP BY company_id, partner_id, ruleset_id, currency_id, day, rule
            """,
            judged=JUDGED,
            unknown=UNKNOWN,
            found=FOUND,
            # The same row has the same id in the next query.
            order=SQL("ORDER BY company_id, day, partner_id, ruleset_id, currency_id, rule"),
        )


KEYS = SQL("c.company_id, c.partner_id, c.ruleset_id, c.currency_id, c.received_at::date")
# Judged by any set, even by one that was deleted.
WAS_JUDGED = SQL("c.ruleset_version > 0")
# What a former system had shown before it came here keeps its earlier date until it is released.
WAS_RELEASED = SQL("c.available_at >= c.received_at")

JUDGED = SQL(
    """
    SELECT c.company_id, c.partner_id, c.ruleset_id, c.currency_id, c.received_at::date AS day,
           COUNT(*) AS cdrs
      FROM emsp_cdr c
     WHERE %(judged)s
     GROUP BY %(keys)s
    """,
    keys=KEYS,
    judged=WAS_JUDGED,
)
UNKNOWN = SQL(
    """
    SELECT c.company_id, c.partner_id, c.ruleset_id, c.currency_id, c.received_at::date AS day,
           COUNT(*) AS cdrs, reason.key AS rule
      FROM emsp_cdr c, jsonb_each(c.not_judged) AS reason
     WHERE %(judged)s AND jsonb_typeof(c.not_judged) = 'object'
     GROUP BY %(keys)s, reason.key
    """,
    keys=KEYS,
    judged=WAS_JUDGED,
)
# A CDR once for each rule, however many findings of it there are.
FOUND = SQL(
    """
    SELECT c.company_id, c.partner_id, c.ruleset_id, c.currency_id, c.received_at::date AS day, f.rule,
           COUNT(*) AS flagged,
           COUNT(*) FILTER (WHERE f.is_held) AS held,
           COUNT(*) FILTER (WHERE f.still_holds AND %(billable)s) AS false_alarms,
           COUNT(*) FILTER (WHERE f.is_held AND %(released)s) AS released,
           SUM(EXTRACT(EPOCH FROM c.available_at - c.received_at) / 3600)
               FILTER (WHERE f.is_held AND %(released)s) AS waited_h,
           SUM(c.amount_untaxed) AS amount
      FROM (
            SELECT cdr_id, rule, bool_or(severity != 'note') AS is_held,
                   bool_or(severity != 'note' AND superseded_at IS NULL) AS still_holds
              FROM emsp_cdr_finding
             WHERE rule IS NOT NULL
             GROUP BY cdr_id, rule
           ) f
      JOIN emsp_cdr c ON c.id = f.cdr_id
     WHERE %(judged)s
     GROUP BY %(keys)s, f.rule
    """,
    keys=KEYS,
    judged=WAS_JUDGED,
    released=WAS_RELEASED,
    billable=SQL("c.state IN ('open', 'locked', 'invoiced')"),
)
