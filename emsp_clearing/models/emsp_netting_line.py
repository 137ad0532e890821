from odoo import api, fields, models
from odoo.exceptions import UserError

from ..core.money import ZERO, from_float, to_float


class EmspNettingLine(models.Model):
    """One open item of a netting statement, as it was when it was proposed.

    Its texts and amounts are kept, so that what both accepted can be read later, also by those without
    rights in accounting.
    """

    _name = "emsp.netting.line"
    _description = "Item of a netting statement"
    _inherit = ["emsp.portal.mixin"]
    _order = "netting_id, side, date_due, id"

    netting_id = fields.Many2one("emsp.netting", required=True, readonly=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="netting_id.company_id", store=True, index=True)
    partner_id = fields.Many2one(related="netting_id.partner_id", store=True, index=True)
    currency_id = fields.Many2one(related="netting_id.currency_id")
    move_line_id = fields.Many2one(
        "account.move.line",
        string="Journal item",
        required=True,
        readonly=True,
        ondelete="restrict",
        index=True,
    )
    side = fields.Selection(
        [("ours", "Our documents"), ("theirs", "Documents of the partner")], required=True, readonly=True
    )
    document = fields.Char(required=True, readonly=True, help="The issuer's number of the document.")
    document_own = fields.Char(
        string="Our number", readonly=True, help="Of a bill of the partner, in our books."
    )
    is_credit = fields.Boolean(string="Credit note", readonly=True)
    date = fields.Date(required=True, readonly=True)
    date_due = fields.Date(string="Due date", required=True, readonly=True)
    amount_total = fields.Monetary(string="Total", readonly=True)
    amount_open = fields.Monetary(string="Open", readonly=True, help="Negative for a credit note.")
    amount_cleared = fields.Monetary(string="Set off", compute="_compute_cleared", store=True)
    amount_left = fields.Monetary(string="Left open", compute="_compute_cleared", store=True)
    is_live = fields.Boolean(compute="_compute_is_live", store=True)

    _one_statement = models.UniqueIndex(
        "(move_line_id) WHERE is_live", "A document is in one open netting statement only."
    )

    @api.depends("netting_id.state")
    def _compute_is_live(self):
        for line in self:
            line.is_live = line.netting_id.state in ("draft", "sent", "accepted")

    @api.depends("netting_id.line_ids.amount_open", "netting_id.line_ids.side")
    def _compute_cleared(self):
        for netting in self.netting_id:
            cleared = netting._set_off().cleared
            for line in netting.line_ids:
                # In the sign of the side that the line stands on.
                amount = cleared[line._key()] * line._sign()
                line.amount_cleared = to_float(amount)
                line.amount_left = to_float(line._amount("amount_open") - amount)

    @api.depends("document")
    def _compute_display_name(self):
        for line in self:
            line.display_name = line.document

    @api.ondelete(at_uninstall=False)
    def _unlink_except_draft(self):
        if self.netting_id.filtered(lambda netting: netting.state != "draft"):
            raise UserError(self.env._("Documents are taken out of a proposal only."))

    @api.model
    def _live_items(self, items):
        """:return: those of the journal items that stand in a statement that is not settled yet."""
        lines = self.search([("move_line_id", "in", items.ids), ("is_live", "=", True)])
        return lines.move_line_id

    @api.model
    def _balance_references(self, company):
        """What a payer may write who transfers the balance of a statement.

        :return: dict id of the journal entry of an open document -> set of references.
        """
        lines = self.search(
            [
                ("company_id", "=", company.id),
                ("netting_id.state", "=", "settled"),
                ("amount_left", "!=", 0),
                ("move_line_id.reconciled", "=", False),
            ]
        )
        references = {}
        for line in lines:
            known = references.setdefault(line.move_line_id.move_id.id, set())
            known |= {line.netting_id.name, line.netting_id.payment_reference}
        return references

    def _key(self):
        """Known in a record that is not saved yet, too."""
        return self.move_line_id.id

    def _sign(self):
        return 1 if self.side == "ours" else -1

    def _amount(self, name):
        """:return: Decimal, in the sign of the side that the line stands on."""
        return from_float(self[name], self.currency_id.decimal_places)

    def _signed(self, name):
        """:return: Decimal, positive where the partner owes us."""
        return self._amount(name) * self._sign() or ZERO
