import smtplib
from datetime import datetime
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged

from odoo.addons.base.models.ir_mail_server import IrMail_Server, MailDeliveryException
from odoo.addons.mail.tests.common import MockEmail

from .test_documents import DocumentCommon


@tagged("post_install", "-at_install")
class TestSending(DocumentCommon, MockEmail):
    def setUp(self):
        super().setUp()
        self.move = self._bill()
        # sudo: settlements move by the calendar and the queue alone.
        self.settlement = self.move.emsp_settlement_id.sudo()

    def _packages(self):
        return self._deliveries().mail_ids

    def _deliveries(self):
        # sudo: deliveries are the system's.
        deliveries = self.env["emsp.settlement.delivery"].sudo()
        return deliveries.search([("move_id", "=", self.move.id)], order="id")

    def _send_again(self):
        self.settlement.with_context(queue_job__no_delay=True).action_send()

    def _failures(self, state="open"):
        return self.env["emsp.exception"].search(
            [
                ("kind", "=", "sending_failed"),
                ("settlement_id", "=", self.settlement.id),
                ("state", "=", state),
            ]
        )

    def _run_queue(self):
        self.env["mail.mail"].process_email_queue()

    def test_package_waits_in_the_queue_until_it_is_handed_over(self):
        with self.mock_mail_gateway():
            self.move._emsp_send()
            self.assertEqual(self._packages().state, "outgoing")
            self.build_email_mocked.assert_not_called()
            self.assertEqual(self.settlement.state, "invoiced")
            self._run_queue()
        self.assertEqual(self._packages().state, "sent")
        self.assertEqual(self.settlement.state, "sent")
        self.assertEqual(self.settlement.sent_to, "ap@spree.test")
        self.assertTrue(self.settlement.sent_at)

    def test_mail_goes_to_the_invoicing_contact_with_invoice_annex_and_xml(self):
        with self.mock_mail_gateway():
            self.move._emsp_send()
        mail = self._packages()
        self.assertEqual(mail.recipient_ids, self.invoicing_contact)
        number = self.move.name.replace("/", "_")
        self.assertEqual(
            set(mail.attachment_ids.mapped("name")),
            {f"{number}.pdf", f"{number}_sessions.xlsx", f"{number}_factur_x.xml"},
        )
        self.assertIn(self.move.name, mail.subject)
        self.assertIn(self.move.name, mail.body_html)

    def test_invoice_and_annex_stay_attached_to_the_invoice(self):
        with self.mock_mail_gateway():
            self.move._emsp_send()
        self.assertTrue(self.move.invoice_pdf_report_id)
        self.assertTrue(self.move.ubl_cii_xml_id)
        self.assertTrue(self.move.emsp_annex_id)

    def test_sending_again_while_the_mail_waits_makes_no_second_one(self):
        with self.mock_mail_gateway():
            self.move._emsp_send()
            self.move._emsp_send()
            self.assertEqual(len(self._packages()), 1)
            self._run_queue()
            # Asked for again after it was sent: a new mail with the same documents.
            documents = self.move.invoice_pdf_report_id + self.move.emsp_annex_id
            self._send_again()
        self.assertEqual(self._packages().sorted("id").mapped("state"), ["sent", "outgoing"])
        self.assertEqual(self._deliveries().mapped("is_copy"), [False, True])
        self.assertEqual(self.move.invoice_pdf_report_id + self.move.emsp_annex_id, documents)

    def test_refused_mail_opens_an_exception_and_can_be_sent_later(self):
        refusal = MailDeliveryException("Mail Delivery Failed", "550 no such mailbox")
        with self.mock_mail_gateway(), self.assertLogs("odoo.addons.mail.models.mail_mail", "ERROR"):
            self.move._emsp_send()
            with patch.object(IrMail_Server, "send_email", side_effect=refusal):
                self._run_queue()
        self.assertEqual(self._packages().state, "exception")
        self.assertEqual((self.settlement.state, self.settlement.sent_at), ("invoiced", False))
        failure = self._failures()
        self.assertEqual(len(failure), 1)
        self.assertIn("550 no such mailbox", failure.name)
        self.assertIn(self.move.name, failure.name)
        self.assertEqual((self.settlement.sending_state, failure.severity), ("failed", "warning"))
        with self.mock_mail_gateway():
            self._send_again()
            self._run_queue()
        self.assertEqual((len(self._packages()), self._packages().state), (1, "sent"))
        self.assertEqual((self._deliveries().attempts, self.settlement.sending_state), (2, "handed_over"))
        self.assertEqual(self.settlement.state, "sent")
        self.assertFalse(self._failures())
        self.assertTrue(self._failures("closed"))

    def test_mail_server_out_of_reach_opens_one_exception_however_often_it_is_tried(self):
        with self.mock_mail_gateway():
            self.move._emsp_send()
            for __ in range(3):
                with patch("smtplib.SMTP", side_effect=OSError("no route to host")):
                    self._run_queue()
                self._deliveries()._retry()
        self.assertEqual(len(self._failures()), 1)
        self.assertIn("no route to host", self._failures().name)
        self.assertEqual(self.settlement.state, "invoiced")

    def test_mail_server_that_hangs_up_is_noted(self):
        hang_up = smtplib.SMTPServerDisconnected("Connection unexpectedly closed")
        with self.mock_mail_gateway(), self.assertLogs("odoo.addons.mail.models.mail_mail", "ERROR"):
            self.move._emsp_send()
            with patch.object(IrMail_Server, "send_email", side_effect=hang_up):
                self._run_queue()
        self.assertIn("Connection unexpectedly closed", self._failures().name)

    def test_partner_without_address_is_reported_before_anything_is_sent(self):
        (self.partner | self.invoicing_contact).email = False
        with self.assertRaisesRegex(UserError, "no invoicing contact with an e-mail address"):
            self.move._emsp_send()
        self.assertFalse(self._packages())

    def test_message_to_the_partner_about_the_invoice_is_not_its_sending(self):
        with self.mock_mail_gateway():
            self.move.message_post(
                body="A question", partner_ids=self.invoicing_contact.ids, subtype_xmlid="mail.mt_comment"
            )
            self._run_queue()
        self.assertEqual(self.settlement.state, "invoiced")

    def test_copy_to_a_follower_of_ours_is_not_the_sending(self):
        colleague = new_test_user(
            self.env, "follower", groups="account.group_account_invoice", notification_type="email"
        )
        self.move.message_subscribe(colleague.partner_id.ids)
        with self.mock_mail_gateway():
            self.move._emsp_send()
            copy = self._packages().filtered(lambda mail: mail.recipient_ids == colleague.partner_id)
            copy.send()
            self.assertEqual((copy.state, self.settlement.state), ("sent", "invoiced"))
            self._run_queue()
        self.assertEqual(self.settlement.state, "sent")
        self.assertEqual(self.settlement.sent_to, "ap@spree.test")

    def test_settlement_that_is_paid_already_stays_settled_when_it_is_sent(self):
        with self.mock_mail_gateway():
            self.move._emsp_send()
            self.settlement._update_state("settled")
            self._run_queue()
        self.assertEqual(self.settlement.state, "settled")

    def test_job_hands_over_once_when_it_is_run_twice(self):
        with self.mock_mail_gateway():
            self.settlement._job_send(datetime(2026, 11, 10))
            self.settlement._job_send(datetime(2026, 11, 10))
            self.assertEqual(len(self._packages()), 1)
            self._run_queue()
            self.settlement._job_send(datetime(2026, 11, 10))
        self.assertEqual((len(self._packages()), self._packages().state), (1, "sent"))

    def test_invoice_that_an_accountant_sends_by_hand_is_the_sending(self):
        with self.mock_mail_gateway():
            self.env["account.move.send"]._generate_and_send_invoices(self.move, sending_methods=["email"])
            self._run_queue()
        self.assertEqual((self._deliveries().state, self.settlement.state), ("handed_over", "sent"))
        self.assertEqual(self._deliveries().addressed_to, "ap@spree.test")

    def test_partner_without_a_format_gets_factur_x_and_our_report(self):
        sending = self.env["account.move.send"]
        self.partner.invoice_edi_format = False
        self.assertEqual(sending._get_default_invoice_edi_format(self.move), "facturx")
        self.assertEqual(
            sending._get_default_pdf_report_id(self.move),
            self.env.ref("emsp_clearing.action_report_clearing_invoice"),
        )

    def test_report_chosen_on_the_partner_comes_first(self):
        standard = self.env.ref("account.account_invoices")
        self.partner.invoice_template_pdf_report_id = standard
        self.assertEqual(self.env["account.move.send"]._get_default_pdf_report_id(self.move), standard)

    def test_other_invoices_keep_report_format_and_template(self):
        move = self.init_invoice("out_invoice", partner=self.partner, amounts=[100.0], post=True)
        sending = self.env["account.move.send"]
        self.assertEqual(sending._get_default_pdf_report_id(move), self.env.ref("account.account_invoices"))
        self.assertEqual(move._get_mail_template(), self.env.ref("account.email_template_edi_invoice"))
