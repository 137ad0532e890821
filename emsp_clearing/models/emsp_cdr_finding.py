from odoo import api, fields, models

from .messages import finding_text


class EmspCdrFinding(models.Model):
    """What a check found about a CDR. Written once; a later check adds findings, it rewrites none."""

    _name = "emsp.cdr.finding"
    _description = "CDR finding"
    _order = "cdr_id, severity, id"

    cdr_id = fields.Many2one("emsp.cdr", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="cdr_id.company_id", store=True, index=True)
    contract_id = fields.Many2one(related="cdr_id.contract_id", store=True, index="btree_not_null")
    code = fields.Char(required=True, index=True)
    severity = fields.Selection(
        [("note", "Note"), ("hold", "Hold"), ("refuse", "Refuse")], required=True, default="note"
    )
    path = fields.Char(help="The field of the OCPI payload the finding is about.")
    expected = fields.Char()
    found = fields.Char()
    details = fields.Json(help="Further values of the message.")
    found_at = fields.Datetime(required=True)
    message = fields.Char(compute="_compute_message")

    @api.depends("code", "expected", "found", "details")
    @api.depends_context("lang")
    def _compute_message(self):
        for finding in self:
            values = {"expected": finding.expected or "-", "found": finding.found or "-"}
            finding.message = finding_text(self.env, finding.code, **(finding.details or {}), **values)

    @api.depends("code")
    def _compute_display_name(self):
        for finding in self:
            finding.display_name = finding.message
