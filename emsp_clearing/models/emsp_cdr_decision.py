from odoo import api, fields, models
from odoo.exceptions import UserError


class EmspCdrDecision(models.Model):
    """What people decided about CDRs that waited, and about sessions without one: who, when and why.

    Append-only. It is written together with what it tells, by `_record` alone: nobody has the right to
    create, change or delete a decision.
    """

    _name = "emsp.cdr.decision"
    _description = "Decision on a CDR"
    _order = "id desc"
    _rec_name = "reason"

    cdr_id = fields.Many2one(
        "emsp.cdr", string="CDR", readonly=True, ondelete="restrict", index="btree_not_null"
    )
    session_id = fields.Many2one("emsp.session", readonly=True, ondelete="restrict", index="btree_not_null")
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    partner_id = fields.Many2one("res.partner", readonly=True, index="btree_not_null")
    action = fields.Selection(
        [
            ("release", "Released"),
            ("void", "Voided"),
            ("assign", "Assigned"),
            ("comment", "Commented"),
            ("dismiss", "Dismissed"),
        ],
        required=True,
        readonly=True,
    )
    reason = fields.Char(required=True, readonly=True)
    user_id = fields.Many2one("res.users", string="By", required=True, readonly=True, index=True)
    decided_at = fields.Datetime(string="At", required=True, readonly=True)
    assigned_user_id = fields.Many2one("res.users", string="Assigned to", readonly=True)
    held_by = fields.Char(readonly=True, help="Codes of the rules that held it then.")
    held_by_text = fields.Char(string="It waited for", compute="_compute_held_by_text")

    _one_subject = models.Constraint(
        "CHECK (num_nonnulls(cdr_id, session_id) = 1)", "A decision is on one CDR or on one session."
    )

    @api.depends("held_by")
    @api.depends_context("lang")
    def _compute_held_by_text(self):
        labels = dict(self.env["emsp.inbox"]._selection_rule())
        for decision in self:
            # What no rule of the set judges is a matter of the price, or of the message.
            texts = [labels.get(code, labels["price"]) for code in (decision.held_by or "").split()]
            decision.held_by_text = ", ".join(dict.fromkeys(texts))

    def write(self, vals):
        if vals:
            raise UserError(self.env._("A decision is kept as it was taken. Take a new one."))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("A decision is kept as it was taken. Take a new one."))

    @api.model
    def _record(self, action, reason, subjects, held_by, assignee=None):
        """:param subjects: emsp.cdr or emsp.session. :param dict held_by: codes by id of the subject."""
        link = "cdr_id" if subjects._name == "emsp.cdr" else "session_id"
        now = fields.Datetime.now()
        # sudo: nobody has the right to write here; what is told has been done with the user's own rights
        return self.sudo().create(
            [
                {
                    link: subject.id,
                    "company_id": subject.company_id.id,
                    "partner_id": subject.contract_id.partner_id.id,
                    "action": action,
                    "reason": reason,
                    "user_id": self.env.uid,
                    "decided_at": now,
                    "assigned_user_id": assignee.id if assignee else False,
                    "held_by": " ".join(held_by.get(subject.id, ())),
                }
                for subject in subjects
            ]
        )
