from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from .emsp_validation_rules import RULE_FIELDS
from .emsp_validation_ruleset import as_list

# A trial that nobody applied or discarded.
KEPT = timedelta(days=7)


class EmspValidationTrial(models.Model):
    """A rule set changed on paper, and what it would say of past CDRs. Nothing is stored on them.

    Both sets judge by what is known today; so whatever differs comes from the change.
    """

    _name = "emsp.validation.trial"
    _description = "Trial of rules"
    _inherit = ["emsp.validation.rules"]
    _order = "id desc"

    ruleset_id = fields.Many2one(
        "emsp.validation.ruleset", string="Rule set", required=True, readonly=True, ondelete="cascade"
    )
    ruleset_version = fields.Integer(readonly=True, help="On which the trial began.")
    company_id = fields.Many2one(related="ruleset_id.company_id", store=True, index=True)
    days = fields.Integer(string="CDRs of the last", required=True, default=30)
    state = fields.Selection(
        [("draft", "Draft"), ("running", "Running"), ("done", "Done")],
        required=True,
        readonly=True,
        default="draft",
    )
    change_html = fields.Html(string="Changed", compute="_compute_change_html")

    run_number = fields.Integer(readonly=True, help="Tells a job of an earlier run from those of this one.")
    run_at = fields.Datetime(readonly=True)
    last_id = fields.Integer(readonly=True, help="Of the CDR that was judged last.")
    tally = fields.Json(readonly=True, help="The counts so far.")
    cdr_count = fields.Integer(string="CDRs", readonly=True)
    done_count = fields.Integer(string="CDRs judged", readonly=True)
    changed_count = fields.Integer(string="CDRs judged otherwise", readonly=True)
    held_today = fields.Integer(string="Held or refused today", readonly=True)
    held_after = fields.Integer(string="Held or refused then", readonly=True)
    line_ids = fields.One2many("emsp.validation.trial.line", "trial_id")
    cdr_ids = fields.One2many("emsp.validation.trial.cdr", "trial_id")

    _days_range = models.Constraint("CHECK (days BETWEEN 1 AND 3660)", "A trial looks back 1 day or more.")

    @api.depends("ruleset_id")
    def _compute_display_name(self):
        for trial in self:
            trial.display_name = self.env._("Trial: %(ruleset)s", ruleset=trial.ruleset_id.name)

    @api.depends("ruleset_id", *RULE_FIELDS)
    def _compute_change_html(self):
        for trial in self:
            lines = trial.ruleset_id._describe_changes(trial._rule_values())
            trial.change_html = as_list(lines) if lines else False

    def write(self, vals):
        """A result is of the rules and days that it was made with."""
        choice = {*RULE_FIELDS, "days"} & vals.keys()
        stale = self.filtered(
            lambda trial: trial.state != "draft" and any(trial[name] != vals[name] for name in choice)
        )
        done = super().write(vals)
        if stale:
            stale._drop_results()
        return done

    def action_apply(self):
        """The rules as they are here become a new version of the set."""
        self.ensure_one()
        if self.state != "done":
            raise UserError(self.env._("The rules were changed since the last try. Try them first."))
        if self.ruleset_version != self.ruleset_id.version:
            raise UserError(
                self.env._(
                    "Rule set %(ruleset)s was changed since this trial began. Discard the trial and begin "
                    "again.",
                    ruleset=self.ruleset_id.name,
                )
            )
        self.ruleset_id.write(self._rule_values())
        return self.action_discard()

    def action_discard(self):
        self.ensure_one()
        ruleset = self.ruleset_id
        self.unlink()
        return {**ruleset.get_formview_action(), "target": "main"}

    def _cdr_domain(self):
        """What the set judged, or would have: CDRs with a contract, whatever became of them."""
        ruleset = self.ruleset_id
        domain = Domain(
            [
                ("company_id", "=", self.company_id.id),
                ("contract_id", "!=", False),
                ("state", "!=", "received"),
                ("received_at", ">=", self.run_at - timedelta(days=self.days)),
                ("received_at", "<=", self.run_at),
            ]
        )
        if ruleset.partner_id:
            return domain & Domain("partner_id.commercial_partner_id", "=", ruleset.partner_id.id)
        others = ruleset.search([("company_id", "=", self.company_id.id), ("partner_id", "!=", False)])
        return domain & Domain("partner_id.commercial_partner_id", "not in", others.partner_id.ids)

    def _drop_results(self):
        self.line_ids.unlink()
        self.cdr_ids.unlink()
        counts = ("cdr_count", "done_count", "changed_count", "held_today", "held_after", "last_id")
        self.write({"state": "draft", "tally": False, **dict.fromkeys(counts, 0)})

    @api.autovacuum
    def _gc_trials(self):
        self.search([("write_date", "<", fields.Datetime.now() - KEPT)]).unlink()
