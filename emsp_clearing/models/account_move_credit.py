from odoo import api, fields, models
from odoo.exceptions import UserError


class AccountMoveCredit(models.Model):
    """The chain of correction: which documents bill the credits of which."""

    _inherit = "account.move"

    emsp_credited_move_ids = fields.Many2many(
        "account.move",
        string="Credits sessions of",
        compute="_compute_emsp_credit_moves",
        help="The earlier invoices whose sessions this document credits.",
    )
    emsp_credit_move_ids = fields.Many2many(
        "account.move",
        string="Sessions credited by",
        compute="_compute_emsp_credit_moves",
        help="The later documents that credit sessions of this one.",
    )

    @api.depends("emsp_settlement_ids")
    def _compute_emsp_credit_moves(self):
        """Two queries, however many documents."""
        # sudo: as with the sum of the sessions, the document's reader needs no rights on them
        cdrs_sudo = self.env["emsp.cdr"].sudo()
        credits = cdrs_sudo.search_fetch(
            [
                ("credited_cdr_id.move_id", "!=", False),
                ("move_id", "!=", False),
                "|",
                ("move_id", "in", self.ids),
                ("credited_cdr_id.move_id", "in", self.ids),
            ],
            ["move_id", "credited_cdr_id"],
        )
        pairs = {(credit.move_id.id, credit.credited_cdr_id.move_id.id) for credit in credits}
        for move in self:
            move.emsp_credited_move_ids = [old for new, old in sorted(pairs) if new == move.id]
            move.emsp_credit_move_ids = [new for new, old in sorted(pairs) if old == move.id]

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS account
        for vals in vals_list:
            self._check_settlements_kept(vals)
        return super().create(vals_list)

    def write(self, vals):
        # EXTENDS account
        self._check_settlements_kept(vals)
        return super().write(vals)

    def _check_settlements_kept(self, vals):
        """:raise UserError: for a user who says what a document bills: it follows from its sessions alone."""
        if vals.get("emsp_settlement_ids") is not None and not self.env.su:
            raise UserError(
                self.env._("The settlements of an invoice follow from its sessions; they are not edited.")
            )

    def action_view_emsp_credits(self):
        """The documents at the other ends of the chain."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("account.action_move_out_invoice_type")
        moves = self.emsp_credited_move_ids | self.emsp_credit_move_ids
        return {**action, "domain": [("id", "in", moves.ids)], "context": {"create": False}}

    def _emsp_set_off(self):
        """Set credit notes off against the invoices that they correct, as far as those are still open."""
        for move in self.filtered(lambda m: m.move_type == "out_refund" and m.reversed_entry_id):
            lines = (move | move.reversed_entry_id).line_ids.filtered(
                lambda line: line.account_id.account_type == "asset_receivable" and not line.reconciled
            )
            if len(lines.move_id) > 1:
                lines.reconcile()
