from odoo import api, fields, models

from ..core.checks.rules import RULES
from .check_messages import check_text
from .messages import finding_text


class EmspCdrFinding(models.Model):
    """What a check found about a CDR. Written once: a later check adds findings, and marks those that do
    not hold any more; it rewrites none."""

    _name = "emsp.cdr.finding"
    _description = "CDR finding"
    _inherit = ["emsp.portal.mixin"]
    _order = "cdr_id, severity, id"

    cdr_id = fields.Many2one("emsp.cdr", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="cdr_id.company_id", store=True, index=True)
    contract_id = fields.Many2one(related="cdr_id.contract_id", store=True, index="btree_not_null")
    partner_id = fields.Many2one(related="cdr_id.partner_id", store=True, index="btree_not_null")
    rule = fields.Selection(
        "_selection_rule", index="btree_not_null", help="Empty: of the message or the price itself."
    )
    code = fields.Char(required=True, index=True)
    severity = fields.Selection(
        [("note", "Note"), ("hold", "Hold"), ("refuse", "Refuse")], required=True, default="note"
    )
    path = fields.Char(help="The field of the OCPI payload the finding is about.")
    expected = fields.Char()
    found = fields.Char()
    tolerance = fields.Char()
    details = fields.Json(help="Further values of the message.")
    ruleset_id = fields.Many2one("emsp.validation.ruleset", ondelete="set null")
    ruleset_version = fields.Integer()
    found_at = fields.Datetime(required=True)
    superseded_at = fields.Datetime(
        readonly=True, index="btree_not_null", help="When facts that came later took it away."
    )
    message = fields.Char(compute="_compute_message")

    @api.model
    def _get_portal_fields(self):
        return [
            *super()._get_portal_fields(),
            "cdr_id",
            "code",
            "details",
            "expected",
            "found",
            "found_at",
            "message",
            "path",
            "rule",
            "severity",
            "superseded_at",
            "tolerance",
        ]

    @api.model
    def _selection_rule(self):
        rules = self.env["emsp.validation.rules"]._fields
        names = [*RULES, "missing_cdr"]
        return [(name, rules[name].get_description(self.env, ["string"])["string"]) for name in names]

    @api.depends("rule", "code", "expected", "found", "tolerance", "details")
    @api.depends_context("lang")
    def _compute_message(self):
        for finding in self:
            values = {"expected": finding.expected or "-", "found": finding.found or "-"}
            params = {**(finding.details or {}), **values}
            if finding.rule:
                params["tolerance"] = finding.tolerance
                finding.message = check_text(self.env, finding.code, params)
            else:
                finding.message = finding_text(self.env, finding.code, **params)

    @api.depends("code")
    def _compute_display_name(self):
        for finding in self:
            finding.display_name = finding.message

    def _supersede(self, as_of):
        # sudo: nobody rewrites a finding; that it holds no more is all that is ever added
        self.sudo().write({"superseded_at": as_of})
