from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from .emsp_decision_mixin import check_possible
from .emsp_ocpi_push_content import SHOWN_STATES

DISPUTABLE = ("open",)


class Obstacle(NamedTuple):
    """Why a CDR cannot be disputed: a code for programs, a sentence for people."""

    code: str
    text: str


class EmspCdrDispute(models.Model):
    """What a dispute does to its CDR."""

    _inherit = "emsp.cdr"

    dispute_ids = fields.One2many("emsp.dispute", "cdr_id", string="Disputes")
    dispute_count = fields.Integer(string="Number of disputes", compute="_compute_dispute_count")

    @api.depends("dispute_ids")
    def _compute_dispute_count(self):
        groups = self.env["emsp.dispute"]._read_group([("cdr_id", "in", self.ids)], ["cdr_id"], ["__count"])
        counts = dict(groups)
        for cdr in self:
            cdr.dispute_count = counts.get(cdr, 0)

    def action_view_disputes(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("emsp_clearing.emsp_dispute_action")
        return {**action, "domain": [("cdr_id", "=", self.id)], "context": {}}

    def action_dispute(self):
        """A dialog that disputes the sessions; it opens when all of them may be, and are of one partner."""
        self.check_access("write")
        problems = self._dispute_problems(fields.Datetime.now())
        check_possible(self.env, [(cdr, problems[cdr.id]) for cdr in self if cdr.id in problems], len(self))
        if len({(contract.partner_id, contract.partner_role) for contract in self.contract_id}) > 1:
            raise UserError(self.env._("Choose sessions of one partner: a dispute is between two."))
        return self.env["emsp.dispute.open"]._open(self)

    def _problem_of(self, action):
        if action == "void" and self.state == "disputed":
            # The dispute makes the credit CDR, and asks a second person where one is needed.
            return self.env._(
                "CDR %(cdr)s is disputed: decide on %(dispute)s instead.",
                cdr=self.ocpi_id,
                dispute=self.dispute_ids.filtered("is_open").name,
            )
        return super()._problem_of(action)

    @api.model
    def _payable_domain(self, partner):
        """Domain of the CDRs that a partner sees and is to pay for; the only ones that it may dispute.

        :param partner: res.partner; its commercial partner counts.
        """
        # any!: who is to pay stands on the contract, which partners may not read.
        of_role = Domain("contract_id", "any!", [("partner_role", "=", "emsp")])
        theirs = Domain("partner_id", "child_of", partner.commercial_partner_id.id)
        # What was taken back stays known to who had seen it.
        seen = Domain("state", "in", SHOWN_STATES) | Domain(
            [("state", "=", "void"), ("available_at", "!=", False)]
        )
        return of_role & theirs & seen

    def _dispute_problems(self, at):
        """Why CDRs cannot be disputed at a moment, in words for whoever wants to.

        :param datetime at: naive UTC.
        :return: dict CDR id -> text.
        """
        found = {}
        for cdr in self:
            text = cdr._dispute_problem(at)
            if text:
                found[cdr.id] = text
        return found

    def _dispute_problem(self, at):
        obstacle = self._dispute_obstacle(at)
        return obstacle and obstacle.text

    def _dispute_obstacle(self, at):
        """:return: Obstacle, or None: it can be disputed."""
        self.ensure_one()
        # sudo: who may see the CDR may learn when its window closed
        settlement = self.sudo().settlement_id
        if self.state in ("locked", "invoiced") or (settlement and settlement.lock_at <= at):
            text = self.env._(
                "CDR %(cdr)s cannot be disputed any more: its control window closed on %(date)s. Write to "
                "us: what turns out to be wrong is settled by a credit on a later invoice.",
                cdr=self.ocpi_id,
                date=settlement._local(settlement.lock_at),
            )
            return Obstacle("window_closed", text)
        if settlement.approved_at:
            text = self.env._(
                "CDR %(cdr)s cannot be disputed any more: %(settlement)s was approved on %(date)s.",
                cdr=self.ocpi_id,
                settlement=settlement.name,
                date=settlement._local(settlement.approved_at),
            )
            return Obstacle("approved", text)
        return self._dispute_obstacle_of_state()

    def _dispute_obstacle_of_state(self):
        if self.state == "disputed":
            text = self.env._("CDR %(cdr)s is disputed already.", cdr=self.ocpi_id)
            return Obstacle("already_disputed", text)
        if self.is_credit:
            text = self.env._(
                "CDR %(cdr)s is a credit: dispute the session that it credits.", cdr=self.ocpi_id
            )
            return Obstacle("credit", text)
        if self.state not in DISPUTABLE:
            state = self._state_label(self.state)
            text = self.env._(
                "CDR %(cdr)s is %(state)s: there is nothing to dispute.", cdr=self.ocpi_id, state=state
            )
            return Obstacle("state", text)
        # sudo: as above
        last = self.sudo().dispute_ids.filtered(lambda dispute: dispute.state == "dismissed")[:1]
        if not last:
            return None
        text = self.env._(
            "CDR %(cdr)s was disputed before: %(dispute)s was dismissed, and that is final.",
            cdr=self.ocpi_id,
            dispute=last.name,
        )
        return Obstacle("final", text)

    def _back_from_dispute(self, at):
        """It counts again: on its list while that is open, on the next one afterwards.

        Judged by the instants of the list itself, so that a lock that runs late gives what a punctual one
        had given.
        """
        for cdr in self:
            settlement = cdr.settlement_id
            if settlement and settlement.lock_at <= at:
                cdr._store({"settlement_id": False})
        self._update_state("open")

    def _void(self, reason):
        """Whoever gives the claim up leaves nothing to dispute."""
        # sudo: the dispute follows its CDR, whoever takes that back; it may be the sender over OCPI
        disputed = self.sudo().filtered(lambda cdr: cdr.state == "disputed")
        open_disputes = disputed.dispute_ids.filtered("is_open")
        moved = super()._void(reason)
        open_disputes._end_with_cdr(reason)
        return moved

    @api.model
    def _get_portal_fields(self):
        return [*super()._get_portal_fields(), "dispute_ids"]
