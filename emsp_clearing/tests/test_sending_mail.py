import email
import email.policy
from datetime import timedelta
from unittest.mock import patch

from odoo import Command, fields
from odoo.exceptions import UserError, ValidationError
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.base.models import ir_mail_server

from .sending_common import Catcher, SendingCommon, silent_server

QUEUE_LOG = "odoo.addons.mail.models.mail_mail"
BOUNCE = """Return-Path: <>
From: Mail Delivery System <mailer-daemon@mx.spree.test>
To: bounce@rhone.test
Subject: Undelivered Mail Returned to Sender
Message-Id: <bounce-1@mx.spree.test>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain

Mailbox full since Tuesday.

--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.spree.test

Final-Recipient: rfc822; {address}
Action: {action}
Status: 5.2.2

--B
Content-Type: text/rfc822-headers

Message-Id: {message_id}
Subject: An invoice

--B--
"""


class MailCommon(SendingCommon):
    def setUp(self):
        super().setUp()
        self.catcher = Catcher()
        self.startContext(self.catcher.running(self.env))
        self.company.email = "billing@rhone.test"

    def startContext(self, context):
        self.addCleanup(context.__exit__, None, None, None)
        return context.__enter__()

    def caught(self, number=-1):
        """:return: (addresses of the envelope, message)."""
        receivers, content = self.catcher.messages[number]
        return receivers, email.message_from_bytes(content, policy=email.policy.default)

    def person(self, name):
        vals = {"name": name, "email": f"{name}@spree.test", "parent_id": self.partner.id}
        return self.env["res.partner"].create(vals)

    def send_and_run(self):
        self.send()
        self.run_queue()


@tagged("post_install", "-at_install")
class TestSendingMail(MailCommon):
    def test_hand_over_is_proven_by_the_servers_words_and_the_files(self):
        self.send_and_run()
        receivers, message = self.caught()
        delivery = self.deliveries()
        self.assertEqual(receivers, ["ap@spree.test"])
        self.assertEqual((delivery.channel, delivery.state, delivery.attempts), ("mail", "handed_over", 1))
        self.assertEqual(delivery.reply, "250 2.0.0 queued as 4F1A")
        self.assertEqual(delivery.reference, message["Message-Id"])
        self.assertEqual(self.settlement.sent_at, delivery.handed_over_at)
        sent = {part.get_filename(): part.get_content() for part in message.iter_attachments()}
        self.assertEqual({file["name"] for file in delivery.files}, set(sent))
        number = self.move.name.replace("/", "_")
        annex = next(file for file in delivery.files if file["name"] == f"{number}_sessions.xlsx")
        self.assertEqual(annex["size"], len(self.move.emsp_annex_id.raw))
        self.assertEqual(sent[annex["name"]], self.move.emsp_annex_id.raw)

    def test_refused_mail_is_tried_again_eight_times_and_then_a_person_is_called(self):
        self.catcher.say = "451 4.7.1 try later"
        with mute_logger(QUEUE_LOG):
            self.send_and_run()
            delivery = self.deliveries()
            for number in range(1, 9):
                self.assertEqual((delivery.state, delivery.attempts), ("failed", number))
                self.assertEqual(self.failures().severity, "warning")
                due = delivery.next_try_at
                self.run_cron(due - timedelta(seconds=1))
                self.assertEqual(delivery.state, "failed")
                self.run_cron(due)
                self.run_queue()
        self.assertEqual((delivery.attempts, delivery.next_try_at), (9, False))
        self.assertEqual(self.failures().severity, "error")
        self.assertIn("451", self.failures().name)
        self.assertEqual(len(delivery.history.splitlines()), 9)
        self.run_cron(fields.Datetime.now() + timedelta(days=1))
        self.assertEqual(delivery.state, "failed")
        self.catcher.say = "250 OK"
        self.send_again()
        self.run_queue()
        self.assertEqual((delivery.state, self.settlement.state), ("handed_over", "sent"))
        self.assertFalse(self.failures())
        self.assertEqual((len(self.deliveries()), len(self.catcher.messages)), (1, 1))

    def test_retry_is_a_quarter_of_an_hour_after_the_failure(self):
        self.catcher.say = "550 5.7.1 refused"
        with mute_logger(QUEUE_LOG):
            self.send_and_run()
        delivery = self.deliveries()
        wait = delivery.next_try_at - fields.Datetime.now()
        self.assertTrue(timedelta(minutes=14) < wait <= timedelta(minutes=15), wait)

    def test_server_that_drops_the_line_within_a_message_holds_up_no_other(self):
        self.catcher.is_dropping = True
        with mute_logger(QUEUE_LOG):
            self.send_and_run()
        delivery = self.deliveries()
        self.assertEqual((delivery.state, self.settlement.state), ("failed", "invoiced"))
        self.catcher.is_dropping = False
        delivery._retry()
        self.run_queue()
        self.assertEqual((delivery.state, delivery.attempts), ("handed_over", 2))
        self.assertEqual(len(self.catcher.messages), 1)

    def test_server_that_says_nothing_is_given_up_after_its_time(self):
        with silent_server() as port, patch.object(ir_mail_server, "SMTP_TIMEOUT", 0.2):
            self.catcher.server.smtp_port = port
            self.send_and_run()
        delivery = self.deliveries()
        self.assertEqual(delivery.state, "failed")
        self.assertIn("timed out", delivery.last_error)

    def test_contract_names_receivers_and_copies_in_one_message(self):
        first, second, copy = (self.person(name) for name in ("anna", "bert", "chief"))
        self.contract.write(
            {"mail_to_ids": [Command.set((first + second).ids)], "mail_cc_ids": [Command.set(copy.ids)]}
        )
        self.send_and_run()
        receivers, message = self.caught()
        self.assertEqual(len(self.catcher.messages), 1)
        self.assertEqual(set(receivers), {"anna@spree.test", "bert@spree.test", "chief@spree.test"})
        self.assertIn("anna@spree.test", message["To"])
        self.assertIn("bert@spree.test", message["To"])
        self.assertNotIn("chief", message["To"])
        self.assertIn("chief@spree.test", message["Cc"])
        self.assertEqual(set(self.settlement.sent_to.split(", ")), set(receivers))

    def test_receiver_refused_among_others_is_seen(self):
        first, second = self.person("anna"), self.person("bert")
        self.contract.mail_to_ids = first + second
        self.catcher.refused = {"bert@spree.test"}
        self.send_and_run()
        self.assertEqual(self.caught()[0], ["anna@spree.test"])
        self.assertEqual(self.deliveries().state, "bounced")
        self.assertIn("bert@spree.test: 550 5.1.1 no such mailbox", self.failures().name)

    def test_portal_only_is_a_notice_without_documents(self):
        self.contract.sending_by = "portal"
        with self.assertRaisesRegex(UserError, "nobody there has a login"):
            self.move._emsp_send()
        new_test_user(self.env, "spree", groups="base.group_portal", partner_id=self.invoicing_contact.id)
        self.send_and_run()
        message = self.caught()[1]
        self.assertEqual(list(message.iter_attachments()), [])
        html = message.get_body(("html",)).get_content()
        self.assertIn(f"/my/settlements/{self.settlement.id}", html)
        self.assertNotIn("Attached:", html)
        self.assertEqual((self.deliveries().channel, self.settlement.state), ("portal", "sent"))
        self.assertTrue(self.move.invoice_pdf_report_id and self.move.emsp_annex_id)

    def test_both_is_one_mail_with_documents_and_the_way_to_the_portal(self):
        self.contract.sending_by = "both"
        self.send_and_run()
        message = self.caught()[1]
        self.assertEqual(len(list(message.iter_attachments())), 3)
        self.assertIn(f"/my/settlements/{self.settlement.id}", message.get_body(("html",)).get_content())

    def test_copy_is_named_so_in_subject_and_text(self):
        self.send_and_run()
        self.assertNotIn("Copy", self.caught()[1]["Subject"])
        self.send_again()
        self.run_queue()
        message = self.caught()[1]
        self.assertTrue(message["Subject"].startswith("Copy: "))
        self.assertIn("a copy of a document", message.get_body(("html",)).get_content())
        self.assertEqual(self.deliveries().mapped("state"), ["handed_over", "handed_over"])
        self.assertEqual(self.settlement.state, "sent")

    def test_mail_is_written_in_the_language_of_the_contract(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        template = self.env.ref("emsp_clearing.mail_template_clearing_invoice")
        # Translations come with the add-on; here only which language is asked for counts.
        template.with_context(lang="fr_FR").subject = "Facture {{ object.name }}"
        self.contract.mail_lang = "fr_FR"
        self.send_and_run()
        self.assertEqual(self.caught()[1]["Subject"], f"Facture {self.move.name}")

    def test_own_mail_server_and_address_for_answers(self):
        own = self.catcher.server.copy({"name": "Own", "from_filter": "rhone.test", "sequence": 99})
        self.company.write({"emsp_mail_server_id": own.id, "emsp_reply_to": "accounts@rhone.test"})
        self.send_and_run()
        message = self.caught()[1]
        self.assertEqual(self.deliveries().mail_ids.mail_server_id, own)
        self.assertIn("billing@rhone.test", message["From"])
        self.assertEqual(message["Reply-To"], "accounts@rhone.test")

    def test_mail_server_that_does_not_send_for_the_company_is_refused(self):
        other = self.catcher.server.copy({"name": "Other", "from_filter": "elsewhere.test"})
        with self.assertRaisesRegex(ValidationError, "sends for elsewhere.test only"):
            self.company.emsp_mail_server_id = other

    def _bounce(self, address="ap@spree.test", action="failed"):
        text = BOUNCE.format(address=address, action=action, message_id=self.deliveries()[-1].reference)
        with mute_logger("odoo.addons.mail.models.mail_thread"):
            self.env["mail.thread"].message_process("account.move", text)

    def test_bounce_is_seen_and_changes_nothing_of_the_billing(self):
        self.send_and_run()
        sent_at = self.settlement.sent_at
        self._bounce()
        delivery = self.deliveries()
        self.assertEqual(delivery.state, "bounced")
        self.assertEqual((self.settlement.sending_state, self.settlement.state), ("bounced", "sent"))
        self.assertEqual((self.settlement.sent_at, self.move.state), (sent_at, "posted"))
        failure = self.failures()
        self.assertIn("came back from ap@spree.test", failure.name)
        self.assertIn("Mailbox full since Tuesday", failure.name)
        self.assertIn("address that works", failure.suggestion)
        # Neither the hourly run nor the clock of retries sends by itself what came back.
        self.send()
        self.run_cron(fields.Datetime.now() + timedelta(hours=1))
        self.assertEqual(len(self.deliveries()), 1)
        self.send_again()
        self.run_queue()
        self.assertEqual(self.deliveries().mapped("state"), ["bounced", "handed_over"])
        self.assertEqual(self.settlement.sending_state, "handed_over")
        self.assertFalse(self.failures())

    def test_report_of_a_delay_is_no_bounce(self):
        self.send_and_run()
        self._bounce(action="delayed")
        self.assertEqual(self.deliveries().state, "handed_over")

    def test_bounce_of_somebody_elses_copy_is_none_of_the_partner(self):
        self.send_and_run()
        self.env["res.partner"].create({"name": "Colleague", "email": "follower@rhone.test"})
        self._bounce(address="follower@rhone.test")
        self.assertEqual(self.deliveries().state, "handed_over")

    def test_mail_that_was_cancelled_in_the_queue_is_noted(self):
        self.send()
        self.deliveries().mail_ids.cancel()
        self.run_cron(fields.Datetime.now() + timedelta(hours=1))
        self.assertEqual(self.deliveries().last_error, "The mail was cancelled.")

    def test_proof_is_neither_edited_nor_deleted(self):
        self.send_and_run()
        for change in (lambda: self.deliveries().write({"reply": "250"}), self.deliveries().unlink):
            with self.assertRaisesRegex(UserError, "is a proof"):
                change()

    def test_single_channel_is_repeated_by_its_button(self):
        self.send_and_run()
        self.deliveries().with_context(queue_job__no_delay=True).action_repeat()
        self.run_queue()
        self.assertEqual(self.deliveries().mapped("is_copy"), [False, True])
        self.assertEqual(len(self.catcher.messages), 2)


@tagged("post_install", "-at_install")
class TestLinks(MailCommon, HttpCase):
    def setUp(self):
        super().setUp()
        self.company.emsp_mail_max_mb = 0
        self.send_and_run()
        self.html = self.caught()[1].get_body(("html",)).get_content()

    def test_package_that_is_too_large_is_sent_as_links_that_work(self):
        self.assertEqual(list(self.caught()[1].iter_attachments()), [])
        delivery = self.deliveries()
        for attachment in delivery._attachments_sudo():
            link = delivery._link(attachment)
            self.assertIn(link.rpartition("/emsp/")[2], self.html)
            answer = self.url_open(link[link.index("/emsp/") :])
            self.assertEqual((answer.status_code, answer.content), (200, attachment.raw))
        self.assertTrue(delivery.opened_at)

    def test_page_lists_the_files_with_their_checksums(self):
        delivery = self.deliveries()
        answer = self.url_open(delivery._link()[delivery._link().index("/emsp/") :])
        self.assertEqual((answer.status_code, answer.headers["Cache-Control"]), (200, "no-store"))
        for file in delivery.files:
            self.assertIn(file["sha256"], answer.text)

    def test_link_ends_after_sixty_days_and_cannot_be_made_up(self):
        delivery = self.deliveries()
        days = delivery.link_until - fields.Datetime.now()
        self.assertEqual(round(days / timedelta(days=1)), 60)
        token = delivery._link().rpartition("/")[2]
        self.assertEqual(delivery._find_by_link(token), delivery)
        for wrong in (token[:-2] + ("AA" if token[-2:] != "AA" else "BB"), "", "A", "é", "x" * 80):
            self.assertFalse(delivery._find_by_link(wrong), wrong)
        self.assertEqual(self.url_open("/emsp/documents/abc").status_code, 404)
        delivery._store({"link_until": fields.Datetime.now() - timedelta(seconds=1)})
        self.assertFalse(delivery._find_by_link(delivery._link().rpartition("/")[2]))

    def test_link_opens_only_the_files_of_its_delivery(self):
        other = self.env["ir.attachment"].create({"name": "secret.txt", "raw": b"secret"})
        link = self.deliveries()._link(other)
        self.assertEqual(self.url_open(link[link.index("/emsp/") :]).status_code, 404)
