from odoo import api, fields, models
from odoo.tools import format_amount

from ..core.references import Candidate, find_references


class EmspRemittanceAdviceLine(models.Model):
    """So much of the payment is for this document."""

    _name = "emsp.remittance.advice.line"
    _description = "Document of a remittance advice"
    _order = "number, id"

    advice_id = fields.Many2one("emsp.remittance.advice", required=True, ondelete="cascade", index=True)
    number = fields.Integer(string="Row", readonly=True, help="Row of the file.")
    reference = fields.Char(required=True, help="The document as the payer names it.")
    amount = fields.Monetary(required=True, help="What is paid; below zero for a deduction.")
    text = fields.Char(string="Remark", help="The payer's own words.")
    company_id = fields.Many2one(related="advice_id.company_id")
    currency_id = fields.Many2one(related="advice_id.currency_id")
    move_id = fields.Many2one("account.move", string="Names", compute="_compute_move")
    problem = fields.Char(compute="_compute_move")

    @api.depends("reference", "amount", "advice_id.partner_id", "advice_id.state")
    def _compute_move(self):
        """What the reference names now, among what is open; why a person must look at it."""
        self.move_id = self.problem = False
        for advice, lines in self.grouped("advice_id").items():
            if advice.state == "used":
                continue
            moves = {move.id: move for move in advice._open_documents()}
            candidates = [
                Candidate(move.id, tuple(filter(None, (move.name, move.payment_reference))))
                for move in moves.values()
            ]
            for line in lines:
                found = [moves[match.key] for match in find_references(line.reference or "", candidates)]
                line.move_id = found[0] if len(found) == 1 else False
                line.problem = line._problem_of(found)

    def _problem_of(self, moves):
        if not moves:
            return self.env._("Names no open document.")
        if len(moves) > 1:
            return self.env._("Names several documents.")
        currency = self.currency_id
        if currency.compare_amounts(self.amount, 0) <= 0:
            return self.env._("A deduction: a person decides.")
        if moves[0].currency_id != currency:
            return self.env._("The document is in %s.", moves[0].currency_id.name)
        if currency.compare_amounts(self.amount, abs(moves[0].amount_residual)) > 0:
            return self.env._(
                "Only %s is open.", format_amount(self.env, abs(moves[0].amount_residual), currency)
            )
        return False
