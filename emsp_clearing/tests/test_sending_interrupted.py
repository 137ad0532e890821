import errno
import io
from datetime import timedelta
from unittest.mock import patch

from psycopg2.errors import SerializationFailure

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from ..models import ir_attachment_file
from .test_sending_mail import MailCommon

HOUR = timedelta(hours=1)


@tagged("post_install", "-at_install")
class TestSendingInterrupted(MailCommon):
    """The process died while the server took the mail; what the mail queue had committed by then is there."""

    def setUp(self):
        super().setUp()
        self.send()
        self.begun = fields.Datetime.now()
        self.mail = self.deliveries().mail_ids
        self.mail.write({"state": "exception", "emsp_handover_at": self.begun})

    def journal(self):
        return self.failures().mapped(lambda entry: (entry.severity, entry.suggestion))

    def test_mail_that_is_on_its_way_now_is_left_alone(self):
        self.run_cron(self.begun + timedelta(minutes=10))
        self.send()
        self.run_queue()
        self.assertEqual((self.deliveries().state, self.mail.state), ("queued", "exception"))
        self.assertFalse(self.catcher.messages)

    def test_nobody_sends_it_again_before_a_person_has_asked(self):
        self.run_cron(self.begun + HOUR)
        delivery = self.deliveries()
        self.assertEqual((delivery.state, delivery.is_unclear, delivery.next_try_at), ("failed", True, False))
        [(severity, suggestion)] = self.journal()
        self.assertEqual(severity, "error")
        self.assertIn("Confirm arrival", suggestion)
        self.run_cron(self.begun + 24 * HOUR)
        self.send()
        self.run_queue()
        self.assertFalse(self.catcher.messages)

    def test_person_says_that_it_has_arrived(self):
        self.run_cron(self.begun + HOUR)
        operator = new_test_user(
            self.env, "interrupted", "emsp_clearing.emsp_clearing_group_operator", company_id=self.company.id
        )
        self.deliveries().with_user(operator).action_confirm()
        delivery = self.deliveries()
        self.assertEqual((delivery.state, delivery.is_unclear), ("handed_over", False))
        self.assertEqual((delivery.handed_over_at, self.mail.state), (self.begun, "sent"))
        self.assertIn("interrupted", delivery.reply)
        self.assertEqual((self.settlement.state, self.journal()), ("sent", []))

    def test_person_sends_it_again_under_the_same_message_id(self):
        self.run_cron(self.begun + HOUR)
        self.send_again()
        self.run_queue()
        __, message = self.caught(0)
        self.assertEqual(message["Message-Id"], self.deliveries().reference)
        self.assertEqual((self.deliveries().state, self.deliveries().is_unclear), ("handed_over", False))
        self.assertEqual((len(self.catcher.messages), self.journal()), (1, []))

    def test_answer_that_was_kept_is_enough(self):
        self.mail.state = "sent"
        self.deliveries()._note_reply("250 queued as 1")
        self.run_cron(self.begun + HOUR)
        delivery = self.deliveries()
        self.assertEqual((delivery.state, delivery.reply), ("handed_over", "250 queued as 1"))
        self.assertEqual((delivery.handed_over_at, self.settlement.state), (self.begun, "sent"))

    def test_what_the_server_took_is_committed_before_the_delivery_is_touched(self):
        committed = []
        commit = patch.object(self.env.cr, "commit", lambda: committed.append(self.mail.state))
        conflict = patch.object(type(self.deliveries()), "_note_reply", side_effect=SerializationFailure)
        with commit, conflict, self.assertRaises(SerializationFailure):
            self.mail._end_hand_over("250 queued as 1")
        self.assertEqual(committed, ["sent"])

    def test_repeated_step_does_not_touch_a_delivery_whose_mail_is_under_way(self):
        delivery = self.deliveries()
        with patch.object(type(delivery), "write") as write:
            self.send()
        write.assert_not_called()

    def test_who_only_reads_cannot_say_that_it_has_arrived(self):
        self.run_cron(self.begun + HOUR)
        reader = new_test_user(
            self.env, "reader", "emsp_clearing.emsp_clearing_group_user", company_id=self.company.id
        )
        with self.assertRaises(AccessError):
            self.deliveries().with_user(reader).action_confirm()


@tagged("post_install", "-at_install")
class TestFullDisk(MailCommon):
    def full_disk(self, error=errno.ENOSPC):
        failure = OSError(error, "in the way")
        return patch.object(ir_attachment_file.shutil, "copyfileobj", side_effect=failure)

    def test_sending_waits_with_the_reason_and_goes_on_afterwards(self):
        with self.full_disk():
            self.send()
        self.assertEqual(self.settlement.blocked_reason, "A file cannot be written: No space left on device")
        self.assertFalse(self.deliveries())
        self.send_and_run()
        self.assertEqual((self.settlement.state, self.settlement.blocked_reason), ("sent", False))
        self.assertEqual(len(self.catcher.messages), 1)

    def test_other_failure_of_the_system_is_no_reason_to_wait(self):
        with self.full_disk(errno.EBADF), self.assertRaises(OSError):
            self.send()
        self.assertFalse(self.settlement.blocked_reason)

    def test_half_a_file_is_never_taken_for_the_whole_one(self):
        def write_half(source, target, _length):
            target.write(source.read()[:3])
            raise OSError(errno.ENOSPC, "No space left on device")

        attachments = self.env["ir.attachment"]
        vals = {"name": "half.bin", "raw": b"some content that nothing else has"}
        with patch.object(ir_attachment_file.shutil, "copyfileobj", write_half), self.assertRaises(OSError):
            attachments.create(vals)
        attachment = attachments.create(vals)
        attachment.invalidate_recordset()
        self.assertEqual(attachment.raw, vals["raw"])
        self.assertEqual(io.FileIO(attachment._full_path(attachment.store_fname)).read(), vals["raw"])
