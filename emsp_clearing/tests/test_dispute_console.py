from unittest.mock import patch

from lxml import etree

from odoo import Command
from odoo.exceptions import AccessError, LockError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools.safe_eval import safe_eval

from ..core.dispute import OWNER
from .console_common import ConsoleCommon
from .dispute_common import IN_WINDOW, SECOND
from .settlement_common import CUT_OFF, priced


@tagged("post_install", "-at_install")
class TestDecide(ConsoleCommon):
    """The dialog of the party that claims the money."""

    def test_user_reads_and_operator_decides(self):
        __, (first, __) = self._in_control()
        dispute = self._dispute(first)
        self.assertEqual(self._of(dispute, self.reader).reason, "energy")
        with self.assertRaises(AccessError):
            self._decide(dispute, "uphold", user=self.reader)
        for action in ("action_consent", "action_decline_proposal"):
            with self.subTest(action), self.assertRaises(AccessError):
                getattr(self._of(dispute, self.reader), action)()
        self._decide(dispute, "uphold")
        self.assertEqual((dispute.state, dispute.closed_by_id), ("upheld", self.operator))

    def test_each_step_from_the_dialog(self):
        __, cdrs = self._in_control(*(priced(number, 6.4) for number in range(1, 6)))
        disputes = [self._dispute(cdr, own_amount=5.0) for cdr in cdrs]
        for dispute, action, state in zip(
            disputes,
            ("uphold", "correct", "reject", "ask"),
            ("upheld", "corrected", "rejected", "asked"),
            strict=False,
        ):
            self._decide(dispute, action)
            self.assertEqual((dispute.state, dispute.answer), (state, "As the meter says."))
        self.assertEqual(disputes[1].agreed_amount, 5.0)
        self._decide(disputes[4], "correct", amount=4.2, use_own_amount=False)
        self.assertEqual((disputes[4].agreed_amount, disputes[4].new_cdr_id.amount_untaxed), (4.2, 4.2))

    def test_words_are_needed(self):
        __, (first, __) = self._in_control()
        dispute = self._dispute(first)
        with self.assertRaisesRegex(UserError, "Write the reason"):
            self._decide(dispute, "reject", words="  ")
        self.assertEqual(dispute.state, "opened")

    def test_many_are_decided_or_none_and_those_that_refuse_are_named(self):
        __, cdrs = self._in_control(*(priced(number, 6.4) for number in (1, 2, 3)))
        first, second, third = (self._dispute(cdr) for cdr in cdrs)
        self._decide(third, "reject")
        with self.assertRaisesRegex(UserError, rf"1 of 3.*\n.*{third.name} is Rejected, reaction due"):
            self._decide(first | second | third, "reject")
        self.assertEqual((first.state, second.state), ("opened", "opened"))
        self._decide(first | second, "reject")
        self.assertEqual((first.state, second.state), ("rejected", "rejected"))

    def test_many_are_corrected_to_what_each_opener_named(self):
        __, cdrs = self._in_control(*(priced(number, 6.4) for number in (1, 2, 3)))
        first = self._dispute(cdrs[0], own_amount=5.0)
        second = self._dispute(cdrs[1], own_amount=3.0)
        silent = self._dispute(cdrs[2])
        with self.assertRaisesRegex(UserError, f"{silent.name}: the opener named no amount"):
            self._decide(first | second | silent, "correct")
        self.assertEqual(first.state, "opened")
        self._decide(first | second, "correct")
        self.assertEqual((first.agreed_amount, second.agreed_amount), (5.0, 3.0))

    def test_dismissed_for_good_only_when_contested(self):
        __, (first, __) = self._in_control()
        dispute = self._dispute(first)
        with self.assertRaisesRegex(UserError, "not the step that comes next"):
            self._decide(dispute, "dismiss")
        self._decide(dispute, "reject")
        dispute._step("contested", "opener", "See the photo.")
        self._decide(dispute, "dismiss")
        self.assertEqual((dispute.state, first.state), ("dismissed", "open"))

    def test_steps_of_the_partner_are_not_ours_to_take(self):
        __, (first, __) = self._in_control()
        dispute = self._dispute(first)
        with self.assertRaisesRegex(UserError, "that step is the partner's"):
            self._decide(dispute, "withdraw")

    def test_unknown_action_is_refused(self):
        __, (first, __) = self._in_control()
        for action in (None, "unlink", "_step"):
            with self.subTest(action), self.assertRaisesRegex(UserError, "Choose what to do"):
                self._decide(self._dispute(first) if action is None else first.dispute_ids, action)

    def test_second_of_two_that_decide_at_once_is_told(self):
        __, (first, second) = self._in_control()
        dispute, other = self._dispute(first), self._dispute(second)
        own = self._of(dispute, self.colleague).with_context(emsp_action="reject")
        dialog = own.env["emsp.dispute.decide"].browse(own.action_decide()["res_id"])
        dialog.words = "No."
        self._decide(dispute, "uphold")
        with self.assertRaisesRegex(UserError, rf"{dispute.name} is closed: Accepted, voided on 20"):
            dialog.action_decide()
        self.assertEqual(dispute.answer, "As the meter says.")
        busy = patch.object(type(dispute), "lock_for_update", side_effect=LockError("busy"))
        with busy, self.assertRaisesRegex(UserError, "Somebody else decides on one of these right now"):
            self._decide(other, "uphold")
        self.assertEqual(other.state, "opened")

    def test_void_button_of_the_cdr_is_no_way_round_the_dispute(self):
        __, (first, __) = self._in_control()
        dispute = self._dispute(first)
        action = self._of(first).action_void()
        dialog = self._of(first).env["emsp.inbox.decide"].browse(action["res_id"])
        dialog.reason = "Broken"
        with self.assertRaisesRegex(UserError, f"decide on {dispute.name} instead"):
            dialog.action_decide()
        self.assertEqual(first.state, "disputed")


@tagged("post_install", "-at_install")
class TestFourEyes(ConsoleCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.contract.dispute_four_eyes_amount = 5.0

    def _proposed(self):
        __, (first, second) = self._in_control()
        dispute = self._dispute(first)
        action = self._decide(dispute, "uphold", "The meter was broken.")
        self.assertEqual((action["tag"], dispute.state), ("display_notification", "opened"))
        self.assertIn(dispute.name, action["params"]["message"])
        return dispute, self._dispute(second)

    def test_colleague_consents(self):
        dispute, __ = self._proposed()
        self.assertEqual(
            dispute.proposal_message,
            f"Waits for a second person: {self.operator.name} proposes to accept it and to void the session.",
        )
        self.assertTrue(self._of(dispute).is_own_proposal)
        self.assertFalse(self._of(dispute, self.colleague).is_own_proposal)
        with self.assertRaisesRegex(UserError, "somebody else has to consent"):
            self._of(dispute).action_consent()
        self._of(dispute, self.colleague).action_consent()
        self.assertEqual((dispute.state, dispute.closed_by_id), ("upheld", self.colleague))
        notes = "".join(dispute.message_ids.mapped("body"))
        self.assertIn("Proposed: Accept and void. The meter was broken.", notes)
        self.assertIn(f"Consented to what {self.operator.name} proposed.", notes)

    def test_proposal_is_put_aside_before_another_step(self):
        dispute, __ = self._proposed()
        with self.assertRaisesRegex(UserError, "waits for a second person"):
            self._decide(dispute, "reject")
        self._of(dispute, self.colleague).action_decline_proposal()
        self._decide(dispute, "reject")
        self.assertEqual((dispute.state, dispute.proposed_state), ("rejected", False))

    def test_proposal_ends_with_the_state_it_was_made_for(self):
        dispute, __ = self._proposed()
        dispute._step("withdrawn", "opener")
        self.assertFalse(dispute.proposed_state)
        with self.assertRaisesRegex(UserError, "Nothing is proposed"):
            self._of(dispute, self.colleague).action_consent()

    def test_dialog_says_which_will_wait(self):
        __, (first, second) = self._in_control()
        disputes = self._dispute(first) | self._dispute(second, own_amount=6.0)
        own = self._of(disputes).with_context(emsp_action="uphold")
        dialog = own.env["emsp.dispute.decide"].browse(own.action_decide()["res_id"])
        self.assertIn(", ".join(disputes.mapped("name")), dialog.waiting_message)
        small = self._of(disputes[1]).with_context(emsp_action="correct")
        dialog = small.env["emsp.dispute.decide"].browse(small.action_decide()["res_id"])
        self.assertTrue(dialog.use_own_amount)
        self.assertFalse(dialog.waiting_message)
        dialog.write({"use_own_amount": False, "amount": 5.0})
        self.assertIn(disputes[1].name, dialog.waiting_message)


@tagged("post_install", "-at_install")
class TestReport(ConsoleCommon):
    def test_ratios_come_from_sums(self):
        __, cdrs = self._in_control(*(priced(number, 6.4) for number in range(1, 5)))
        first, second, __ = (self._dispute(cdr) for cdr in cdrs[:3])
        day = 86400 * SECOND
        first._step("upheld", OWNER, "Yes.", at=IN_WINDOW + day)
        second._step("dismissed", OWNER, "No.", at=IN_WINDOW + 3 * day)
        self._run_due(CUT_OFF + 8 * day)
        self.env.flush_all()
        [row] = self.env["emsp.dispute.report"]._read_group(
            [("contract_id", "=", self.contract.id)],
            ["partner_id"],
            [
                "disputes:sum",
                "still_open:sum",
                "upheld_pct:avg",
                "answer_days:avg",
                "disputed_amount:sum",
                "claimed_amount:sum",
                "disputed_pct:avg",
                "given_amount:sum",
            ],
        )
        partner, disputes, still_open, upheld, days, disputed, claimed, share, given = row
        self.assertEqual((partner, disputes, still_open), (self.partner, 3, 1))
        self.assertEqual((float(upheld), float(days)), (50.0, 2.0))
        self.assertAlmostEqual(disputed, 19.2)
        self.assertAlmostEqual(claimed, 25.6)
        self.assertAlmostEqual(float(share), 75.0)
        self.assertAlmostEqual(given, 6.4)

    def test_another_company_sees_neither_disputes_nor_their_statistics(self):
        __, (first, __) = self._in_control()
        dispute = self._dispute(first)
        other = self.env["res.company"].create({"name": "Other CPO"})
        stranger = new_test_user(
            self.env,
            login="stranger",
            groups="emsp_clearing.emsp_clearing_group_manager",
            company_id=other.id,
            company_ids=[Command.set(other.ids)],
        )
        self.env.flush_all()
        for model in ("emsp.dispute", "emsp.dispute.report"):
            own = [("contract_id", "=", self.contract.id)]
            with self.subTest(model):
                self.assertTrue(self.env[model].with_user(self.reader).sudo(False).search(own))
                self.assertFalse(self.env[model].with_user(stranger).sudo(False).search(own))
        with self.assertRaises(AccessError):
            self._decide(dispute, "uphold", user=stranger)

    def test_filters_of_the_list_find_what_they_say(self):
        __, (first, second) = self._in_control()
        dispute, closed = self._dispute(first), self._dispute(second)
        closed._step("dismissed", OWNER, "No.", at=IN_WINDOW)
        view = self.env.ref("emsp_clearing.emsp_dispute_view_search")
        domains = {
            node.get("name"): safe_eval(node.get("domain"), {"uid": self.operator.id})
            for node in etree.fromstring(view.arch).iter("filter")
            if node.get("domain")
        }
        both = dispute | closed
        found = {name: both.filtered_domain(domain) for name, domain in domains.items()}
        self.assertEqual((found["ours"], found["open"], found["closed"]), (dispute, dispute, closed))
        self.assertEqual((found["received"], found["raised"]), (both, both.browse()))
        for name, domain in domains.items():
            with self.subTest(name):
                rows = self.env["emsp.dispute"].search([("id", "in", both.ids), *domain], order="id")
                self.assertEqual(rows, found[name].sorted("id"))

    def test_banner_says_whose_turn_it_is_and_who_loses(self):
        __, (first, __) = self._in_control()
        dispute = self._dispute(first, at=IN_WINDOW)
        with patch("odoo.fields.Datetime.now", return_value=IN_WINDOW + SECOND):
            dispute.invalidate_recordset()
            self.assertEqual(
                dispute.turn_message,
                "Our turn: answer by 2026-11-12 00:00 CET (2026-11-11 23:00 UTC). If we say nothing until "
                "2027-01-03 09:30 CET (2027-01-03 08:30 UTC), we lose: the session is void and never billed.",
            )
            self.assertEqual(dispute.age_days, 0)
        dispute._step("rejected", OWNER, "No.", at=IN_WINDOW)
        self.assertIn("the rejection stands and the session is billed", dispute.turn_message)
