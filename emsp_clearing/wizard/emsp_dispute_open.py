from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_amount

from ..models.dialogs import dialog
from ..models.emsp_dispute_opening import Complaint


class EmspDisputeOpen(models.TransientModel):
    """Dispute sessions from the back office: those of a CPO, or those of ours for a partner that called."""

    _name = "emsp.dispute.open"
    _description = "Dispute sessions"

    cdr_ids = fields.Many2many("emsp.cdr", readonly=True)
    cdr_count = fields.Integer(compute="_compute_summary")
    summary = fields.Char(string="Chosen", compute="_compute_summary")
    direction = fields.Selection(
        lambda self: self.env["emsp.dispute"]._fields["direction"]._description_selection(self.env),
        readonly=True,
        required=True,
    )
    partner_id = fields.Many2one("res.partner", readonly=True)
    opener_id = fields.Many2one(
        "res.partner", string="On behalf of", help="The person at the partner that disputes the sessions."
    )
    reason = fields.Selection(
        lambda self: self.env["emsp.dispute"]._fields["reason"]._description_selection(self.env)
    )
    explanation = fields.Text(string="What is wrong")
    has_own_amount = fields.Boolean(string="Name an own amount")
    own_amount = fields.Float(digits=(16, 4), help="Net. What the session should cost.")
    reference = fields.Char(help="A case of the opener's own system.")
    attachment_ids = fields.Many2many("ir.attachment", string="Files")

    @api.depends("cdr_ids")
    @api.depends_context("lang")
    def _compute_summary(self):
        for opening in self:
            opening.cdr_count = len(opening.cdr_ids)
            opening.summary = ", ".join(opening._summary_parts())

    def _summary_parts(self):
        if len(self.cdr_ids) == 1:
            yield self.cdr_ids.display_name
        else:
            yield self.env._("%(count)s CDRs", count=len(self.cdr_ids))
        for currency, cdrs in self.cdr_ids.grouped("currency_id").items():
            yield format_amount(self.env, sum(cdrs.mapped("amount_untaxed")), currency)

    @api.model
    def _open(self, cdrs):
        """:param cdrs: emsp.cdr of one partner, that may be disputed. :return: the dialog."""
        contract = cdrs.contract_id[:1]
        opening = self.create(
            {
                "cdr_ids": [Command.set(cdrs.ids)],
                "direction": "received" if contract.partner_role == "emsp" else "raised",
                "partner_id": contract.partner_id.id,
            }
        )
        return dialog(opening, self.env._("Dispute"))

    def action_open(self):
        self.ensure_one()
        self.cdr_ids.check_access("write")
        opener = self._opener()
        complaint = self._complaint()
        complaints = dict.fromkeys(self.cdr_ids, complaint)
        disputes = self.env["emsp.dispute"]._open(complaints, "office", opener)
        disputes._attach(opener, self.attachment_ids)
        action = self.env["ir.actions.act_window"]._for_xml_id("emsp_clearing.emsp_dispute_action")
        action |= {"domain": [("id", "in", disputes.ids)], "context": {}}
        if len(disputes) == 1:
            action |= {"res_id": disputes.id, "views": [(False, "form")], "view_mode": "form"}
        return action

    def _opener(self):
        """:return: res.partner that speaks. :raise UserError: it is nobody of the partner."""
        if self.direction == "raised":
            return self.env.user.partner_id
        if self.opener_id.commercial_partner_id != self.partner_id.commercial_partner_id:
            raise UserError(
                self.env._("Choose who of %(partner)s disputes the sessions.", partner=self.partner_id.name)
            )
        return self.opener_id

    def _complaint(self):
        has_own = self.has_own_amount and len(self.cdr_ids) == 1
        return Complaint(
            self.reason,
            self.explanation or "",
            self.own_amount if has_own else None,
            self.reference or "",
        )
