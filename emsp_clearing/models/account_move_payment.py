from odoo import fields, models

from ..core.dispute import OPEN_STATES


class AccountMovePayment(models.Model):
    """What a document says to the proposal of payments."""

    _inherit = "account.move"

    emsp_hold_reason = fields.Char(
        string="Not to be paid because",
        copy=False,
        tracking=True,
        help="While something stands here, the document is neither collected nor paid by the proposals: an "
        "amount that is contested after the invoice, for example.",
    )

    def _sent_on(self):
        """The day on which the document was handed over first, in the time zone of its contract.

        :return: date, or None where no sending is proven.
        """
        self.ensure_one()
        # sudo: deliveries are the system's
        deliveries = self.env["emsp.settlement.delivery"].sudo()
        handed_over = deliveries.search(
            [("move_id", "=", self.id), ("state", "=", "handed_over"), ("handed_over_at", "!=", False)]
        )
        contract = self._sending_contracts_sudo()[:1]
        if not handed_over or not contract:
            return None
        return contract._local_date(min(handed_over.mapped("handed_over_at")))

    def _payment_obstacles(self):
        """:return: list of sentences: why a person looks at the document before money moves."""
        self.ensure_one()
        obstacles = []
        if self.emsp_hold_reason:
            obstacles.append(self.emsp_hold_reason)
        # sudo: the proposal needs no rights on disputes and on the journal
        disputes, journal = self.env["emsp.dispute"].sudo(), self.env["emsp.exception"].sudo()
        if disputes.search_count(
            [("cdr_id.move_id", "=", self.id), ("state", "in", sorted(OPEN_STATES))], limit=1
        ):
            obstacles.append(self.env._("a session of it is disputed"))
        open_facts = journal.search(
            [
                ("move_id", "=", self.id),
                ("kind", "in", ("annex_mismatch", "returned")),
                ("state", "=", "open"),
            ]
        )
        if "returned" in open_facts.mapped("kind"):
            obstacles.append(self.env._("a payment of it came back; close that exception to try again"))
        if "annex_mismatch" in open_facts.mapped("kind"):
            obstacles.append(self.env._("its annex differs"))
        return obstacles
