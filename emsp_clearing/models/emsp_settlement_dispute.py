from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

CONTROL = ("control",)


class EmspSettlementDispute(models.Model):
    """What the partner says about a list in its window: it approves it, or disputes parts of it."""

    _inherit = "emsp.settlement"

    approved_at = fields.Datetime(
        readonly=True, copy=False, help="The partner accepted the whole list before its date."
    )
    approved_by_id = fields.Many2one("res.partner", string="Approved by", readonly=True, copy=False)
    dispute_ids = fields.One2many("emsp.dispute", "settlement_id", string="Disputes")
    dispute_count = fields.Integer(string="Number of disputes", compute="_compute_dispute_count")
    disputed_count = fields.Integer(
        string="Disputed sessions", readonly=True, help="Listed, and not billed until they are decided."
    )
    disputed_amount = fields.Float(digits=(16, 4), readonly=True, help="Net. Not part of the list's amount.")

    @api.depends("dispute_ids")
    def _compute_dispute_count(self):
        groups = self.env["emsp.dispute"]._read_group(
            [("settlement_id", "in", self.ids)], ["settlement_id"], ["__count"]
        )
        counts = dict(groups)
        for settlement in self:
            settlement.dispute_count = counts.get(settlement, 0)

    @api.model
    def _payable_domain(self, partner):
        """Domain of the settlements that a partner sees and is to pay for.

        :param partner: res.partner; its commercial partner counts.
        """
        # any!: who is to pay stands on the contract, which partners may not read.
        of_role = Domain("contract_id", "any!", [("partner_role", "=", "emsp")])
        return of_role & Domain("partner_id", "child_of", partner.commercial_partner_id.id)

    def action_view_disputes(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("emsp_clearing.emsp_dispute_action")
        return {**action, "domain": [("settlement_id", "=", self.id)], "context": {}}

    def _approve(self, approver, at=None):
        """The partner accepts the list as it stands; what it disputes already stays disputed.

        :param approver: res.partner that speaks. :param datetime at: naive UTC; by default now.
        :raise UserError: the window is not open, or was approved before.
        """
        at = at or fields.Datetime.now()
        self.ensure_one()
        if not self._locked_for(*CONTROL) or self.lock_at <= at:
            raise UserError(
                self.env._(
                    "%(settlement)s cannot be approved: its window is open from %(opens)s until %(closes)s.",
                    settlement=self.name,
                    opens=self._local(self.cut_off_at),
                    closes=self._local(self.lock_at),
                )
            )
        if self.approved_at:
            raise UserError(
                self.env._(
                    "%(settlement)s was approved already, on %(date)s.",
                    settlement=self.name,
                    date=self._local(self.approved_at),
                )
            )
        vals = {"approved_at": at, "approved_by_id": approver.id}
        if self.contract_id.lock_on_approval:
            vals |= {"lock_at": at, "invoice_date": self.contract_id._local_date(at)}
        self._store(vals)
        self.message_post(
            body=self.env._("Approved by %(partner)s.", partner=approver.display_name),
            author_id=approver.id,
            subtype_xmlid="mail.mt_comment",
        )
        if self.contract_id.lock_on_approval:
            self._enqueue("lock", at)

    def _refresh_totals(self):
        result = super()._refresh_totals()
        for settlement in self:
            [(count, amount)] = self.env["emsp.cdr"]._read_group(
                [("settlement_id", "=", settlement.id), ("state", "=", "disputed")],
                aggregates=["__count", "amount_untaxed:sum"],
            )
            settlement._store({"disputed_count": count, "disputed_amount": amount or 0.0})
        return result

    @api.model
    def _get_portal_fields(self):
        return [*super()._get_portal_fields(), "approved_at", "disputed_amount", "disputed_count"]
