from datetime import timedelta

from odoo import SUPERUSER_ID
from odoo.tests import tagged

from ..core.dispute import OPENER, OWNER
from .dispute_common import IN_WINDOW, SECOND, DisputeCommon
from .settlement_common import CUT_OFF, LOCK, priced

DAY = timedelta(days=1)
DUE = IN_WINDOW + 7 * DAY
WARNED = DUE - 2 * DAY


class MailCommon(DisputeCommon):
    def setUp(self):
        super().setUp()
        self.mails = self.env["mail.mail"].search([])

    def _new_mails(self):
        """Those that came since the last look."""
        new = self.env["mail.mail"].search([], order="id") - self.mails
        self.mails |= new
        return new


@tagged("post_install", "-at_install")
class TestDisputeReminder(MailCommon):
    """48 hours before each deadline, whoever must act gets one mail."""

    def _remind(self, as_of):
        self.env["emsp.dispute"].sudo()._cron_remind(as_of)
        return self._new_mails()

    def test_one_mail_for_all_disputes_once(self):
        __, (first, second) = self._in_control()
        disputes = self._dispute(first) | self._dispute(second)
        self._new_mails()
        self.assertFalse(self._remind(WARNED - SECOND))
        mail = self._remind(WARNED)
        self.assertEqual(len(mail), 1)
        self.assertIn("odile@rvr.example", mail.email_to)
        for dispute in disputes:
            self.assertIn(dispute.name, mail.body_html)
        self.assertIn("2026-11-12 00:00 CET (2026-11-11 23:00 UTC)", mail.body_html)
        self.assertFalse(self._remind(WARNED + SECOND))
        self.assertFalse(self._remind(DUE + DAY))

    def test_next_deadline_is_reminded_of_again(self):
        __, (first, __) = self._in_control()
        dispute = self._dispute(first)
        self._remind(WARNED)
        self.assertFalse(self._remind(dispute.end_at - 2 * DAY - SECOND))
        mail = self._remind(dispute.end_at - 2 * DAY)
        self.assertIn("2027-01-03 09:30 CET", mail.body_html)
        self.assertFalse(self._remind(dispute.end_at))

    def test_partner_is_reminded_when_it_must_act(self):
        __, (first, __) = self._in_control()
        dispute = self._dispute(first)
        dispute._step("rejected", OWNER, "No.", at=IN_WINDOW)
        self._new_mails()
        mail = self._remind(WARNED)
        self.assertIn("frieda@smo.example", mail.email_to)
        self.assertIn(f"/my/disputes/{dispute.id}", mail.body_html)

    def test_both_sides_learn_what_silence_decided(self):
        __, (first, __) = self._in_control()
        dispute = self._dispute(first)
        self._new_mails()
        clock = self.env["emsp.dispute"].with_user(SUPERUSER_ID)
        clock._cron_run_clocks(dispute.end_at)
        told = self._new_mails()
        self.assertEqual(len(told), 2)
        self.assertIn("odile@rvr.example", "".join(told.mapped("email_to")))
        self.assertIn("frieda@smo.example", "".join(told.mapped("email_to")))

    def test_closed_dispute_and_fresh_one_are_left_alone(self):
        __, (first, second) = self._in_control()
        self._dispute(first)._step("withdrawn", OPENER, at=IN_WINDOW)
        self.contract.dispute_answer_days = 1
        self._dispute(second)
        self._new_mails()
        self.assertFalse(self._remind(IN_WINDOW + SECOND))


@tagged("post_install", "-at_install")
class TestWindowNotice(MailCommon):
    """The partner is told when its window opens, 48 hours before its end, and when it has closed."""

    def _notice(self, as_of):
        self.env["emsp.settlement"].sudo()._cron_notice_windows(as_of)
        return self._new_mails()

    def test_opened_ends_and_closed_once_each(self):
        settlement, (first, __) = self._in_control()
        opened = self._notice(CUT_OFF)
        self.assertEqual(len(opened), 1)
        self.assertIn("ap@spree.test", opened.email_to)
        self.assertIn("your list of sessions is open", opened.subject)
        for text in (
            "2026-11-10 00:00 CET (2026-11-09 23:00 UTC)",
            f"/my/settlements/{settlement.id}",
            "16.70",
        ):
            self.assertIn(text, opened.body_html)
        self.assertFalse(self._notice(CUT_OFF + SECOND))
        self._dispute(first)
        self._new_mails()
        self.assertFalse(self._notice(LOCK - 2 * DAY - SECOND))
        ends = self._notice(LOCK - 2 * DAY)
        self.assertIn("ends soon", ends.subject)
        self.assertIn("10.30", ends.body_html)
        self.assertFalse(self._notice(LOCK - SECOND))
        self._run_due(LOCK)
        self._new_mails()
        closed = self._notice(LOCK)
        self.assertIn("is locked", closed.subject)
        for text in ("10.30", "6.40", "not billed until they are decided"):
            self.assertIn(text, closed.body_html)
        self.assertFalse(self._notice(LOCK + DAY))
        self.assertTrue(settlement.window_told_at and settlement.window_reminded_at)

    def test_approved_list_is_not_reminded_of(self):
        settlement, __ = self._in_control()
        self._notice(CUT_OFF)
        settlement._approve(self.opener, IN_WINDOW)
        self._new_mails()
        self.assertFalse(self._notice(LOCK - DAY))

    def test_short_window_has_no_reminder(self):
        settlement, __ = self._in_control()
        settlement._store({"lock_at": CUT_OFF + 2 * DAY})
        self.assertEqual(len(self._notice(CUT_OFF)), 1)
        self.assertFalse(self._notice(CUT_OFF + DAY))
        self.assertFalse(settlement.window_reminded_at)

    def test_cpo_is_told_of_no_window(self):
        self._in_control()
        self.env.flush_all()
        self.env.cr.execute("UPDATE emsp_contract SET partner_role = 'cpo' WHERE id = %s", [self.contract.id])
        self.env.invalidate_all()
        self.assertFalse(self._notice(CUT_OFF))

    def test_empty_list_is_nothing_to_tell_of(self):
        self._run_due(CUT_OFF)
        self.assertEqual(self._settlement().state, "control")
        self.assertFalse(self._notice(CUT_OFF))
        self._run_due(LOCK)
        self.assertFalse(self._notice(LOCK))

    def test_notice_waits_for_an_address(self):
        self.invoicing_contact.email = False
        settlement, __ = self._in_control(priced(1, 6.4))
        self.assertFalse(self._notice(CUT_OFF))
        self.assertFalse(settlement.window_told_at)
        self.invoicing_contact.email = "ap@spree.test"
        self.assertEqual(len(self._notice(CUT_OFF + DAY)), 1)
