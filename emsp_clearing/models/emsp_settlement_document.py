from odoo import api, fields, models

# Of several documents the least settled one counts.
PAYMENT_STATES = ("not_paid", "partial", "in_payment", "blocked", "paid", "reversed", "invoicing_legacy")


class EmspSettlementDocument(models.Model):
    """The invoices and credit notes of a settlement: mostly one; several settlements may share one.

    The truth is the document of each CDR; a CDR has one at most, so that nothing is billed twice.
    """

    _inherit = "emsp.settlement"

    move_ids = fields.Many2many(
        "account.move",
        "emsp_settlement_move_rel",
        "settlement_id",
        "move_id",
        string="Invoices and credit notes",
        readonly=True,
        copy=False,
    )
    move_id = fields.Many2one(
        "account.move",
        string="Invoice",
        compute="_compute_move_id",
        store=True,
        index="btree_not_null",
        help="Empty where there are several.",
    )
    move_count = fields.Integer(string="Documents", compute="_compute_payment")
    payment_state = fields.Selection(
        selection="_selection_payment_state",
        compute="_compute_payment",
        search="_search_payment_state",
    )
    amount_residual = fields.Monetary(
        string="Open on its documents",
        compute="_compute_payment",
        help="Whole, also where these bill other settlements besides.",
    )

    @api.model
    def _selection_payment_state(self):
        """Odoo's own words, in the user's language."""
        return self.env["account.move"]._fields["payment_state"]._description_selection(self.env)

    @api.depends("move_ids")
    def _compute_move_id(self):
        for settlement in self:
            moves = settlement.move_ids
            settlement.move_id = moves if len(moves) == 1 else False

    @api.depends("move_ids.payment_state", "move_ids.amount_residual", "move_ids.move_type")
    def _compute_payment(self):
        for settlement in self:
            # sudo: who sees a settlement may know whether it is paid, without rights in accounting
            moves_sudo = settlement.sudo().move_ids
            settlement.move_count = len(moves_sudo)
            states = set(moves_sudo.mapped("payment_state"))
            settlement.payment_state = next((state for state in PAYMENT_STATES if state in states), False)
            settlement.amount_residual = sum(
                -move.amount_residual if move.move_type == "out_refund" else move.amount_residual
                for move in moves_sudo
            )

    @api.model
    def _search_payment_state(self, operator, value):
        return [("move_ids.payment_state", operator, value)]

    def action_view_move(self):
        self.ensure_one()
        if self.move_id:
            return self.move_id.get_formview_action()
        action = self.env["ir.actions.act_window"]._for_xml_id("account.action_move_out_invoice_type")
        return {**action, "domain": [("id", "in", self.move_ids.ids)], "context": {"create": False}}
