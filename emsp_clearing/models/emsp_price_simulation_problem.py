from odoo import api, fields, models

from .messages import finding_text


class EmspPriceSimulationProblem(models.Model):
    """A CDR that a what-if could not compare, and why. It is in none of the sums."""

    _name = "emsp.price.simulation.problem"
    _description = "CDR that a what-if could not compare"
    _order = "simulation_id, code, id"

    simulation_id = fields.Many2one(
        "emsp.price.simulation", required=True, readonly=True, ondelete="cascade", index=True
    )
    batch_id = fields.Many2one(
        "emsp.price.simulation.batch", readonly=True, ondelete="set null", index="btree_not_null"
    )
    company_id = fields.Many2one(related="simulation_id.company_id", store=True, index=True)
    cdr_id = fields.Many2one(
        "emsp.cdr", string="CDR", required=True, readonly=True, ondelete="cascade", index=True
    )
    partner_id = fields.Many2one(related="cdr_id.partner_id", store=True)
    session_end_at = fields.Datetime(related="cdr_id.session_end_at")
    amount_today = fields.Float(related="cdr_id.amount_untaxed", string="Today")
    currency_id = fields.Many2one(related="cdr_id.currency_id")
    code = fields.Char(string="Reason code", required=True, readonly=True, index=True)
    path = fields.Char(readonly=True, help="The field of the OCPI payload that it is about.")
    expected = fields.Char(readonly=True)
    found = fields.Char(readonly=True)
    message = fields.Char(string="Reason", compute="_compute_message")

    @api.depends("code", "expected", "found")
    @api.depends_context("lang")
    def _compute_message(self):
        for problem in self:
            problem.message = problem._text()

    def _text(self):
        expected, found = self.expected or "-", self.found or "-"
        texts = {
            "not_priced_today": self.env._("The CDR has no price today: there is nothing to compare with."),
            "currency_mismatch": self.env._(
                "The CDR is in %(found)s, the price grid in %(expected)s.", found=found, expected=expected
            ),
        }
        return texts.get(self.code) or finding_text(self.env, self.code, expected=expected, found=found)
