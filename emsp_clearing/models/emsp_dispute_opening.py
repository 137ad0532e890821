from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import LockError, UserError

from ..core.dispute import deadline, final_end
from ..core.money import from_float
from .emsp_dispute import aware
from .emsp_settlement_run import naive

LONGEST_TEXT = 4000


class Complaint(NamedTuple):
    """What the opener says about one session. `own_amount`: net, or None."""

    reason: str
    explanation: str = ""
    own_amount: float | None = None
    reference: str = ""


class OpeningProblem(NamedTuple):
    """Why a session cannot be disputed: `field` of the complaint, or "cdr"; `text` is for people."""

    field: str
    code: str
    text: str


class EmspDisputeOpening(models.Model):
    """How disputes begin. The time that counts is the server's, when the words arrived."""

    _inherit = "emsp.dispute"

    @api.model
    def _open(self, complaints, source, opener, at=None):
        """Open a dispute for each session; for all of them or for none.

        :param dict complaints: emsp.cdr (one record) -> Complaint.
        :param str source: of the field.
        :param opener: res.partner that speaks.
        :param datetime at: naive UTC; by default now.
        :return: the disputes, in the order of the complaints.
        :raise UserError: one of the sessions cannot be disputed; it says which, and what to do instead.
        """
        at = at or fields.Datetime.now()
        cdrs = self.env["emsp.cdr"].union(*complaints)
        try:
            cdrs.lock_for_update(allow_referencing=True)
        except LockError as error:
            raise UserError(
                self.env._("Somebody else works on one of these sessions right now. Try again in a moment.")
            ) from error
        cdrs.invalidate_recordset(["state", "settlement_id"])
        problems = self._opening_problems(complaints, at)
        if problems:
            raise UserError("\n".join(dict.fromkeys(problem.text for problem in problems.values())))
        vals_list = [
            self._prepare_vals(cdr, complaint, source, opener, at) for cdr, complaint in complaints.items()
        ]
        # sudo: nobody has the right to write disputes and what follows from them; that this one may open
        # them was seen to above
        disputes_sudo, cdrs_sudo = self.sudo(), cdrs.sudo()
        # One mail tells of all of them, below.
        quiet = disputes_sudo.with_context(mail_auto_subscribe_no_notify=True)
        disputes = quiet.create(vals_list).with_env(disputes_sudo.env)
        cdrs_sudo._update_state("disputed")
        cdrs_sudo.settlement_id._refresh_totals()
        disputes._schedule()
        disputes._tell_opened(opener)
        return disputes.with_env(self.env)

    @api.model
    def _prepare_vals(self, cdr, complaint, source, opener, at):
        # sudo: an opener from the portal may read neither all of the session nor sequences; it learns
        # nothing of them here
        cdr, sequences = cdr.sudo(), self.env["ir.sequence"].sudo()
        contract = cdr.contract_id
        clocks = contract._dispute_clocks()
        has_own = complaint.own_amount is not None
        return {
            "name": sequences.next_by_code("emsp.dispute"),
            "cdr_id": cdr.id,
            "company_id": cdr.company_id.id,
            "contract_id": contract.id,
            "partner_id": contract.partner_id.id,
            "settlement_id": cdr.settlement_id.id,
            "direction": "received" if contract.partner_role == "emsp" else "raised",
            "reason": complaint.reason,
            "explanation": (complaint.explanation or "").strip()[:LONGEST_TEXT],
            "reference": complaint.reference,
            "has_own_amount": has_own,
            "own_amount": complaint.own_amount if has_own else 0.0,
            "disputed_amount": cdr.amount_untaxed,
            "currency_id": cdr.currency_id.id,
            "source": source,
            "opened_at": at,
            "opened_by_id": opener.id,
            "since": at,
            "due_at": naive(deadline("opened", aware(at), clocks)),
            "end_at": naive(final_end(aware(at), aware(cdr.session_end_at), clocks)),
            "user_id": contract.user_id.id,
        }

    @api.model
    def _opening_problems(self, complaints, at):
        """Why disputes cannot be opened; of each session the first reason.

        :param dict complaints: emsp.cdr (one record) -> Complaint.
        :return: dict emsp.cdr -> OpeningProblem.
        """
        found = {}
        for cdr, complaint in complaints.items():
            obstacle = cdr._dispute_obstacle(at)
            problem = (
                OpeningProblem("cdr", *obstacle) if obstacle else self._complaint_problem(complaint, cdr)
            )
            if problem:
                found[cdr] = problem
        return found

    @api.model
    def _complaint_problem(self, complaint, cdr):
        """:return: what is missing or makes no sense, or None."""
        reasons = dict(self._fields["reason"]._description_selection(self.env))
        if complaint.reason not in reasons:
            return OpeningProblem("reason", "missing", self.env._("Choose the reason of the dispute."))
        if complaint.reason == "other" and not (complaint.explanation or "").strip():
            text = self.env._("Say what is wrong: the reason is “Other”.")
            return OpeningProblem("explanation", "missing", text)
        if complaint.own_amount is None:
            return None
        precision = int(cdr.sudo().contract_id.price_precision)  # sudo: as in _prepare_vals
        own = from_float(complaint.own_amount, precision)
        billed = from_float(cdr.amount_untaxed, precision)
        if 0 <= own < billed:
            return None
        text = self.env._(
            "CDR %(cdr)s: your own amount is from 0 to less than %(billed)s, net.",
            cdr=cdr.ocpi_id,
            billed=billed,
        )
        return OpeningProblem("own_amount", "range", text)
