from odoo import fields, models


class EmspCdrVoid(models.TransientModel):
    """Ask for the reason before CDRs are given up."""

    _name = "emsp.cdr.void"
    _description = "Void CDRs"

    cdr_ids = fields.Many2many(
        "emsp.cdr", required=True, default=lambda self: self.env.context.get("active_ids"), readonly=True
    )
    reason = fields.Char(required=True)

    def action_void(self):
        self.ensure_one()
        self.cdr_ids._void(self.reason)
        return {"type": "ir.actions.act_window_close"}
