from odoo import api, fields, models
from odoo.exceptions import UserError

# How many rows a refusal names.
NAMED = 10


class EmspDecisionMixin(models.AbstractModel):
    """What waits in the inbox, and what people may decide about it."""

    _name = "emsp.decision.mixin"
    _description = "Subject of decisions"

    user_id = fields.Many2one(
        "res.users", string="Assigned to", readonly=True, copy=False, index="btree_not_null"
    )
    decision_count = fields.Integer(string="Decisions", compute="_compute_decision_count")

    @api.depends("decision_ids")
    def _compute_decision_count(self):
        link = self._fields["decision_ids"].inverse_name
        groups = self.env["emsp.cdr.decision"]._read_group([(link, "in", self.ids)], [link], ["__count"])
        counts = dict(groups)
        for subject in self:
            subject.decision_count = counts.get(subject, 0)

    def action_assign(self):
        return self._ask_for("assign")

    def action_comment(self):
        return self._ask_for("comment")

    def action_view_decisions(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("emsp_clearing.emsp_cdr_decision_action")
        link = self._fields["decision_ids"].inverse_name
        name = self.env._("History of %(subject)s", subject=self.ocpi_id)
        return {**action, "display_name": name, "name": name, "domain": [(link, "=", self.id)], "context": {}}

    def _ask_for(self, action):
        """A dialog that asks for the reason."""
        return self.env["emsp.inbox.decide"]._open(action, self)

    def _decide(self, action, reason, assignee=None):
        """Do for all of them what a person decided, and write it to their history.

        :param str action: of emsp.cdr.decision.
        :param assignee: res.users, for the action assign.
        :raise UserError: it cannot be done for one of them; then it is done for none.
        """
        check_possible(self.env, self._problems_of(action, assignee), len(self))
        held_by = self._held_by()
        self._carry_out(action, reason, assignee)
        self.env["emsp.cdr.decision"]._record(action, reason, self, held_by, assignee)

    def _problems_of(self, action, assignee=None):
        """:return: list of (record, text): why it cannot be done."""
        found = [(subject, subject._problem_of(action)) for subject in self]
        if action == "assign":
            for company in self.company_id - (assignee.company_ids if assignee else self.company_id):
                of_company = self.filtered(lambda subject, c=company: subject.company_id == c)
                text = self.env._(
                    "%(user)s does not work for %(company)s.", user=assignee.name, company=company.name
                )
                found += [(subject, text) for subject in of_company]
        return [(subject, text) for subject, text in found if text]

    def _problem_of(self, action):
        """Extension point: why an action cannot be done, as text; None when it can."""
        return None

    def _held_by(self):
        """Extension point: what they wait for.

        :return: dict id -> list of codes.
        """
        return {}

    def _carry_out(self, action, reason, assignee):
        """Extension point: the action itself."""


def check_possible(env, problems, count):
    """:param problems: list of (record, text). :param int count: of the rows that were chosen.
    :raise UserError: it names the rows that have one."""
    if not problems:
        return
    lines = [f"- {record.ocpi_id}: {text}" for record, text in problems[:NAMED]]
    if len(problems) > NAMED:
        lines.append(env._("- and %(count)s more", count=len(problems) - NAMED))
    title = env._(
        "Nothing was done: it is not possible for %(refused)s of %(count)s. Take them out and repeat it.",
        refused=len({record.id for record, __ in problems}),
        count=count,
    )
    raise UserError("\n".join([title, *lines] if count > 1 else [text for __, text in problems]))
