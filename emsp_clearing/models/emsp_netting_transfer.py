from odoo import fields, models
from odoo.exceptions import UserError


class EmspNettingTransfer(models.Model):
    """The one transfer for the balance that we owe."""

    _inherit = "emsp.netting"

    def action_pay_balance(self):
        """Propose the transfer in a payment order of its own, and open it."""
        self.ensure_one()
        self._take_rows()
        if self.state != "settled" or self.direction != "pay":
            raise UserError(
                self.env._("%(netting)s leaves no balance for us to transfer.", netting=self.name)
            )
        if not self.payment_order_id or self.payment_order_id.state == "cancel":
            order = self._create_payment_order()
            self._store({"payment_order_id": order.id})
        return self.payment_order_id.get_formview_action()

    def _create_payment_order(self):
        items = self.line_ids.filtered("amount_left").move_line_id.filtered(lambda item: not item.reconciled)
        if not items:
            raise UserError(self.env._("The balance of %(netting)s is paid.", netting=self.name))
        orders = self.env["account.payment.order"]
        today = fields.Date.context_today(self)
        order = orders.create(
            {
                "payment_method_line_id": self._ensure_grouped_transfer().id,
                "payment_type": "outbound",
                "company_id": self.company_id.id,
                "description": self.name,
                "date_prefered": "fixed",
                "date_scheduled": max(today, min(items.mapped("date_maturity"))),
            }
        )
        lines = items.create_payment_line_from_move_line(order)
        # One transfer: to one account, with one text.
        account = lines.partner_bank_id.sorted("allow_out_payment", reverse=True)[:1]
        lines.write(
            {
                "partner_bank_id": account.id,
                "communication": self.name,
                "communication_type": "free",
            }
        )
        return order

    def _ensure_grouped_transfer(self):
        """As for single documents, but one transfer for all lines of a payee.

        :return: account.payment.method.line
        """
        single = self.env["account.payment.order"]._ensure_credit_transfer(self.company_id)
        name = self.env._("SEPA credit transfer of netting balances")
        lines = self.env["account.payment.method.line"]
        grouped = lines.search(
            [
                ("company_id", "=", self.company_id.id),
                ("payment_method_id", "=", single.payment_method_id.id),
                ("journal_id", "=", single.journal_id.id),
                ("group_lines", "=", True),
            ],
            limit=1,
        )
        # Not offered elsewhere: single documents go by the other one.
        vals = {"name": name, "group_lines": True, "selectable": False, "payment_order_ok": False}
        return grouped or single.copy(vals)
