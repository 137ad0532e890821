from odoo import api, fields, models

ACTIONS = [("off", "Passes"), ("note", "Note"), ("hold", "Hold"), ("refuse", "Refuse")]


class EmspValidationTrialLine(models.Model):
    """What one rule says of the CDRs of a trial, today and then."""

    _name = "emsp.validation.trial.line"
    _description = "Rule in a trial"
    _order = "trial_id, is_changed desc, id"

    trial_id = fields.Many2one("emsp.validation.trial", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="trial_id.company_id", store=True, index=True)
    rule = fields.Selection("_selection_rule", required=True)
    is_changed = fields.Boolean(string="Changed")
    action_today = fields.Selection([("off", "Off"), *ACTIONS[1:]], string="Does today")
    action_after = fields.Selection([("off", "Off"), *ACTIONS[1:]], string="Would do")
    today = fields.Integer(string="Flagged today")
    after = fields.Integer(string="Flagged then")
    added = fields.Integer(string="Newly flagged")
    gone = fields.Integer(string="No longer flagged")
    not_judged = fields.Integer(help="CDRs of which the rule could not tell: a fact is missing.")
    amount = fields.Float(string="Net amount", digits=(16, 2), help="Of the CDRs that are flagged then.")

    @api.model
    def _selection_rule(self):
        return self.env["emsp.cdr.finding"]._selection_rule()


class EmspValidationTrialCdr(models.Model):
    """A CDR that would be judged otherwise."""

    _name = "emsp.validation.trial.cdr"
    _description = "CDR in a trial"
    _order = "trial_id, id"

    trial_id = fields.Many2one("emsp.validation.trial", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="trial_id.company_id", store=True, index=True)
    cdr_id = fields.Many2one("emsp.cdr", required=True, ondelete="cascade", index=True)
    partner_id = fields.Many2one(related="cdr_id.partner_id")
    session_end_at = fields.Datetime(related="cdr_id.session_end_at")
    amount_untaxed = fields.Float(related="cdr_id.amount_untaxed")
    action_today = fields.Selection(ACTIONS, string="Today")
    action_after = fields.Selection(ACTIONS, string="Then")
    rules = fields.Json(help="Those that differ.")
    rule_names = fields.Char(string="Differing rules", compute="_compute_rule_names")

    @api.depends("rules")
    @api.depends_context("lang")
    def _compute_rule_names(self):
        labels = dict(self.env["emsp.cdr.finding"]._selection_rule())
        for line in self:
            line.rule_names = ", ".join(labels.get(rule, rule) for rule in line.rules or [])

    def action_view_cdr(self):
        self.ensure_one()
        return self.cdr_id.get_formview_action()
