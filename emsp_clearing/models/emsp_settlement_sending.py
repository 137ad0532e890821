from odoo import api, fields, models

# The worst of several counts.
SENDING_STATES = ("bounced", "failed", "queued", "handed_over")


class EmspSettlementSending(models.Model):
    """A settlement is sent when each of its documents was handed over on each channel of its contract."""

    _inherit = "emsp.settlement"

    sending_state = fields.Selection(
        [
            ("queued", "On its way"),
            ("handed_over", "Handed over"),
            ("failed", "Not delivered: failed"),
            ("bounced", "Not delivered: came back"),
        ],
        string="Delivery",
        readonly=True,
        index="btree_not_null",
        help="Of the documents, over all channels. What came back is billed all the same; it waits for "
        "somebody who sends it again.",
    )
    delivery_ids = fields.Many2many(
        "emsp.settlement.delivery", compute="_compute_delivery_ids", string="Deliveries"
    )

    @api.depends("move_ids")
    def _compute_delivery_ids(self):
        # sudo: who sees a settlement may know its deliveries, without rights in accounting
        settlements_sudo = self.sudo()
        domain = [("move_id", "in", settlements_sudo._documents().ids)]
        deliveries = self.env["emsp.settlement.delivery"].search(domain)
        for settlement, own_sudo in zip(self, settlements_sudo, strict=True):
            ids = set(own_sudo._documents().ids)
            settlement.delivery_ids = deliveries.filtered(lambda each, ids=ids: each.move_id.id in ids)

    def _documents(self):
        """:return: the documents that bill the settlements."""
        return self.move_ids

    def _send(self):
        """Bring each document on its way."""
        self.ensure_one()
        for document in self._documents():
            document._emsp_send()
        self._refresh_sending()

    def action_send(self):
        """Send what has not arrived; where all of it has, everything once more, as a copy."""
        self.check_access("write")
        for settlement in self:
            # sudo: only the system makes deliveries; the right to ask for it was checked above
            for document in settlement.sudo()._documents():
                document._emsp_send_again()
        return super().action_send()

    def _refresh_sending(self):
        """Follow the deliveries of the documents."""
        for settlement in self:
            ways = [
                document._last_delivery_sudo(*channel)
                for document in settlement._documents()
                for channel in document._demanded_channels()
            ]
            found = {delivery.state for delivery in ways}
            worst = next((state for state in SENDING_STATES if state in found), False)
            settlement._store_changes({"sending_state": worst})
            if settlement.state == "invoiced" and found == {"handed_over"}:
                at = max(delivery.handed_over_at for delivery in ways)
                receivers = dict.fromkeys(delivery.addressed_to for delivery in ways)
                settlement._set_sent(at, ", ".join(receivers))
