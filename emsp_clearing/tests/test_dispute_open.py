import base64
import io
from unittest.mock import patch

from openpyxl import load_workbook

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .console_common import ConsoleCommon
from .dispute_common import IN_WINDOW
from .settlement_common import priced


@tagged("post_install", "-at_install")
class TestOpen(ConsoleCommon):
    """Disputes that begin in the back office."""

    def test_partner_on_the_telephone(self):
        __, (first, __) = self._in_control()
        self._before_the_lock()
        dialog = self._open_dialog(first, explanation="8 kWh on the display.")
        self.assertEqual((dialog.direction, dialog.partner_id), ("received", self.partner))
        with self.assertRaisesRegex(UserError, "Choose who of Spree Mobility"):
            dialog.action_open()
        dialog.opener_id = self.operator.partner_id
        with self.assertRaisesRegex(UserError, "Choose who of Spree Mobility"):
            dialog.action_open()
        dialog.write({"opener_id": self.opener.id, "has_own_amount": True, "own_amount": 5.62})
        action = dialog.action_open()
        dispute = self.env["emsp.dispute"].browse(action["res_id"])
        self.assertEqual(
            (dispute.source, dispute.direction, dispute.opened_by_id, dispute.own_amount, dispute.create_uid),
            ("office", "received", self.opener, 5.62, self.operator),
        )

    def test_user_may_not_dispute(self):
        __, (first, __) = self._in_control()
        with self.assertRaises(AccessError):
            self._of(first, self.reader).action_dispute()

    def test_sessions_that_cannot_be_disputed_are_named_before_the_dialog(self):
        __, (first, second) = self._in_control()
        self._before_the_lock()
        self._dispute(first)
        with self.assertRaisesRegex(UserError, r"1 of 2.*\n- CDR-1: CDR CDR-1 is disputed already"):
            self._of(first | second).action_dispute()

    def test_session_of_a_cpo_is_disputed_by_one_mail_with_a_sheet(self):
        cdrs = self._receive_from_cpo(priced(1, 6.4), priced(2, 10.3, energy=20.0))
        before = self.env["mail.mail"].search([])
        self._open_dialog(cdrs, reason="price", explanation="=1+1 is not our price").action_open()
        disputes = cdrs.dispute_ids.sorted("id")
        self.assertEqual(set(disputes.mapped("direction")), {"raised"})
        self.assertEqual(set(disputes.mapped("turn")), {"partner"})
        [mail] = self._mails_since(before)
        self.assertIn("office@tnm.test", mail.email_to)
        [attachment] = mail.attachment_ids
        book = load_workbook(io.BytesIO(base64.b64decode(attachment.datas)))
        head, *rows = [[cell.value for cell in row] for row in book.worksheets[0].iter_rows()]
        self.assertEqual(head[-2:], ["Decision", "Answer"])
        self.assertEqual([row[1] for row in rows], ["CDR-1", "CDR-2"])
        row = dict(zip(head, rows[1], strict=True))
        self.assertEqual((row["Dispute"], row["Session id"]), (disputes[1].name, "S-2"))
        self.assertEqual((row["Energy (kWh)"], row["Claimed, net"], row["Own amount, net"]), (20, 10.3, None))
        self.assertEqual((row["Reason"], row["Words"]), ("Wrong price", "=1+1 is not our price"))
        self.assertEqual((row["Start (UTC)"].hour, row["Place"]), (8, "Parking Bellecour, Lyon"))
        # Text of people stays text.
        self.assertEqual(book.worksheets[0]["L2"].data_type, "s")
        self.assertEqual((row["Decision"], row["Answer"]), (None, None))

    def test_files_go_to_each_dispute(self):
        __, cdrs = self._in_control()
        self._before_the_lock()
        photo = self.env["ir.attachment"].with_user(self.operator).create({"name": "a.txt", "raw": b"photo"})
        dialog = self._open_dialog(cdrs, opener_id=self.opener.id)
        dialog.attachment_ids = photo
        dialog.action_open()
        for dispute in cdrs.dispute_ids:
            files = dispute.message_ids.attachment_ids
            self.assertEqual((files.res_id, files.raw), (dispute.id, b"photo"))

    def test_our_steps_and_those_we_record_of_a_cpo(self):
        dispute = self._raise(own_amount=5.0, has_own_amount=True)
        self._decide(dispute, "ask", "Which card?")
        self.assertEqual((dispute.state, dispute.turn), ("asked", "us"))
        self._decide(dispute, "answer", "This one.")
        self._decide(dispute, "reject", "No.")
        self._decide(dispute, "contest", "Look again.")
        self.assertEqual((dispute.state, dispute.turn), ("contested", "partner"))
        self._decide(dispute, "correct", "All right.")
        self.assertEqual(
            (dispute.state, dispute.agreed_amount, dispute.cdr_id.state), ("corrected", 5.0, "void")
        )

    def test_we_give_in_to_a_cpo(self):
        disputes = self._raise(priced(1, 6.4), priced(2, 6.4))
        self._decide(disputes[0], "withdraw")
        self._decide(disputes[1], "reject")
        self._decide(disputes[1], "concede")
        self.assertEqual(disputes.mapped("state"), ["withdrawn", "dismissed"])
        self.assertEqual(set(disputes.cdr_id.mapped("state")), {"open"})

    def test_what_a_cpo_gives_up_needs_no_second_person_of_ours(self):
        dispute = self._raise()
        self.cpo_contract.dispute_four_eyes_amount = 1.0
        self._decide(dispute, "uphold", "It was a test.")
        self.assertEqual((dispute.state, dispute.cdr_id.state), ("upheld", "void"))

    def _before_the_lock(self):
        self.startPatcher(patch("odoo.fields.Datetime.now", return_value=IN_WINDOW))
