from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_amount

from ..models.dialogs import dialog
from ..models.emsp_decision_mixin import check_possible


class EmspInboxDecide(models.TransientModel):
    """Ask for the reason of a decision on CDRs, and on sessions without one; all of them or none."""

    _name = "emsp.inbox.decide"
    _description = "Decide on what waits"

    action = fields.Selection(
        [
            ("release", "Release: accept it"),
            ("void", "Void: do not bill it"),
            ("assign", "Assign to somebody"),
            ("comment", "Comment"),
            ("dismiss", "Dismiss: no CDR will come"),
        ],
        required=True,
        readonly=True,
    )
    cdr_ids = fields.Many2many("emsp.cdr", readonly=True)
    session_ids = fields.Many2many("emsp.session", readonly=True)
    summary = fields.Char(string="Chosen", compute="_compute_summary")
    reason = fields.Char()
    user_id = fields.Many2one(
        "res.users",
        string="Assign to",
        domain=lambda self: [
            ("all_group_ids", "in", self.env.ref("emsp_clearing.emsp_clearing_group_operator").ids)
        ],
    )

    @api.depends("cdr_ids", "session_ids")
    @api.depends_context("lang")
    def _compute_summary(self):
        for decision in self:
            decision.summary = ", ".join(decision._summary_parts())

    def _summary_parts(self):
        if len(self.cdr_ids) + len(self.session_ids) == 1:
            yield (self.cdr_ids or self.session_ids).display_name
        else:
            if self.cdr_ids:
                yield self.env._("%(count)s CDRs", count=len(self.cdr_ids))
            if self.session_ids:
                yield self.env._("%(count)s sessions without a CDR", count=len(self.session_ids))
        rows = [*self.cdr_ids, *self.session_ids]
        for currency in self.cdr_ids.currency_id | self.session_ids.currency_id:
            amount = sum(amount_of(row) for row in rows if row.currency_id == currency)
            yield format_amount(self.env, amount, currency)

    @api.model
    def _open(self, action, *subjects):
        """:param str action: as in `action`. :param subjects: recordsets of emsp.cdr and emsp.session."""
        ids = {records._name: records.ids for records in subjects}
        decision = self.create(
            {
                "action": action,
                "cdr_ids": [Command.set(ids.get("emsp.cdr", []))],
                "session_ids": [Command.set(ids.get("emsp.session", []))],
            }
        )
        labels = dict(self._fields["action"]._description_selection(self.env))
        return dialog(decision, labels[action])

    def action_decide(self):
        self.ensure_one()
        reason = (self.reason or "").strip()
        if not reason:
            raise UserError(self.env._("Write the reason: it is kept with the decision."))
        if self.action == "assign" and not self.user_id:
            raise UserError(self.env._("Choose who takes care of it."))
        # Of both kinds first, so that the refusal names all rows.
        subjects = [records for records in (self.cdr_ids, self.session_ids) if records]
        problems = [problem for each in subjects for problem in each._problems_of(self.action, self.user_id)]
        check_possible(self.env, problems, len(self.cdr_ids) + len(self.session_ids))
        for records in subjects:
            records._decide(self.action, reason, self.user_id)
        return {"type": "ir.actions.act_window_close"}


def amount_of(subject):
    """What is at stake; as the inbox says it."""
    is_priced = subject._name == "emsp.cdr" and subject.priced_by
    return subject.amount_untaxed if is_priced else subject.stated_amount
