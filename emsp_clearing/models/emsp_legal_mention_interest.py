from odoo import fields, models

from .emsp_interest_rate import REFERENCES


class EmspLegalMentionInterest(models.Model):
    """What the printed sentence about late interest says in figures, for whoever computes it."""

    _inherit = "emsp.legal.mention"

    interest_reference = fields.Selection(
        REFERENCES,
        string="Points above",
        tracking=True,
        help="What the points of the text are added to. Empty: reminders take the rate of their policy.",
    )
    interest_floor = fields.Float(
        string="Never below",
        digits=(6, 2),
        tracking=True,
        help="Times the French legal rate, below which the law lets no rate go.",
    )
