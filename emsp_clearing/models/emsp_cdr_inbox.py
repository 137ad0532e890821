from collections import defaultdict

from odoo import fields, models

VOIDABLE = ("received", "quarantine", "open", "disputed")


class EmspCdrInbox(models.Model):
    """What people decide about CDRs."""

    _name = "emsp.cdr"
    _inherit = ["emsp.cdr", "emsp.decision.mixin"]

    decision_ids = fields.One2many("emsp.cdr.decision", "cdr_id")

    def action_release(self):
        return self._ask_for("release")

    def action_void(self):
        return self._ask_for("void")

    def _rate(self, as_of):
        """A CDR that was missed has come."""
        done = super()._rate(as_of)
        # sudo: sessions are written by their senders alone; this says of them what we know
        self.session_id.sudo().filtered("cdr_missing_since")._set_cdr_came(as_of)
        return done

    def _problem_of(self, action):
        self.ensure_one()
        state = self._state_label(self.state)
        if action == "release" and self.state != "quarantine":
            return self.env._("CDR %(cdr)s is not held: it is %(state)s.", cdr=self.ocpi_id, state=state)
        if action == "release":
            return self._release_problem()
        if action == "void" and self.state not in VOIDABLE:
            return self.env._(
                "CDR %(cdr)s is %(state)s. Ask for a credit CDR instead.", cdr=self.ocpi_id, state=state
            )
        if action == "dismiss":
            return self.env._("CDR %(cdr)s is not missing. Void it instead.", cdr=self.ocpi_id)
        return None

    def _held_by(self):
        codes = defaultdict(list)
        holding = self.env["emsp.cdr.finding"].search_fetch(
            [
                ("cdr_id", "in", self.filtered(lambda cdr: cdr.state == "quarantine").ids),
                ("severity", "in", ("hold", "refuse")),
                ("superseded_at", "=", False),
            ],
            ["cdr_id", "rule", "code"],
            order="id",
        )
        for finding in holding:
            codes[finding.cdr_id.id].append(finding.rule or finding.code)
        for cdr in self.filtered(lambda cdr: cdr.state == "received"):
            codes[cdr.id].append(cdr.attach_reason or "unrated")
        return codes

    def _carry_out(self, action, reason, assignee):
        if action == "release":
            self._release(fields.Datetime.now())
        elif action == "void":
            self._void(reason)
        elif action == "assign":
            self._store({"user_id": assignee.id})
