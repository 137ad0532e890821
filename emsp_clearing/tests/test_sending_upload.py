import asyncio
import hashlib
import json
import os
import tempfile
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import asyncssh

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged

from ..models import emsp_delivery_sftp
from .ocpi_peer import OcpiPeer
from .sending_common import SendingCommon, free_port, running_loop, silent_server

HOOK = "/documents"


class SftpServer:
    """A real SFTP server in a folder of its own. `breaks_after`: bytes after which it hangs up."""

    def __init__(self, root):
        self.root, self.port, self.breaks_after = root, free_port(), None
        self.key = asyncssh.generate_private_key("ssh-ed25519")
        self.user_key = asyncssh.generate_private_key("ssh-ed25519")

    @property
    def host_key(self):
        return self.key.export_public_key().decode().strip()

    def start(self, loop):
        asyncio.run_coroutine_threadsafe(self._start(loop), loop).result(10)

    def stop(self, loop):
        asyncio.run_coroutine_threadsafe(self._stop(), loop).result(10)

    async def _stop(self):
        self.acceptor.close()
        await self.acceptor.wait_closed()

    async def _start(self, loop):
        outer = self

        class Login(asyncssh.SSHServer):
            def password_auth_supported(self):
                return True

            def validate_password(self, username, password):
                return (username, password) == ("rvr", "right")

        class Files(asyncssh.SFTPServer):
            def __init__(self, chan):
                super().__init__(chan, chroot=os.fsencode(outer.root))

            def write(self, file_obj, offset, data):
                if outer.breaks_after is not None and offset + len(data) > outer.breaks_after:
                    self.connection.abort()
                return super().write(file_obj, offset, data)

        self.acceptor = await asyncssh.create_server(
            Login,
            "127.0.0.1",
            self.port,
            server_host_keys=[self.key],
            authorized_client_keys=asyncssh.import_authorized_keys(
                self.user_key.export_public_key().decode()
            ),
            sftp_factory=Files,
        )


class UploadCommon(SendingCommon):
    def setUp(self):
        super().setUp()
        self.contract.write({"delivery_target_ids": [(0, 0, self.target_vals())], "sending_by": "upload"})
        self.target = self.contract.delivery_target_ids

    def upload(self):
        """The step of the settlement, with its jobs. :return: the last delivery."""
        self.send()
        self.env.invalidate_all()
        return self.deliveries()[-1]


@tagged("post_install", "-at_install")
class TestSftp(UploadCommon):
    def target_vals(self):
        loop = running_loop()
        self.loop = loop.__enter__()
        self.addCleanup(loop.__exit__, None, None, None)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.inbox = Path(folder.name) / "inbox"
        self.inbox.mkdir()
        self.server = SftpServer(folder.name)
        self.server.start(self.loop)
        self.addCleanup(self.server.stop, self.loop)
        return {
            "name": "Spree",
            "host": "127.0.0.1",
            "port": self.server.port,
            "username": "rvr",
            "folder": "inbox",
            "host_key": self.server.host_key,
            "new_password": "right",
            "allow_private_network": True,
            "company_id": self.company.id,
        }

    def found(self):
        return {path.name: path.read_bytes() for path in self.inbox.iterdir()}

    def test_package_arrives_whole_with_a_manifest(self):
        delivery = self.upload()
        self.assertEqual((delivery.state, self.settlement.state), ("handed_over", "sent"))
        self.assertEqual(self.settlement.sent_to, "Spree")
        number = self.move.name.replace("/", "_")
        found = self.found()
        self.assertEqual(
            set(found),
            {
                f"{number}.pdf",
                f"{number}_sessions.xlsx",
                f"{number}_factur_x.xml",
                f"{number}_manifest.json",
            },
        )
        listed = json.loads(found.pop(f"{number}_manifest.json"))
        self.assertEqual(
            (listed["document"]["number"], listed["document"]["amount_untaxed"]), (self.move.name, "14.75")
        )
        self.assertEqual(
            {file["name"]: (file["size"], file["sha256"]) for file in listed["files"]},
            {name: (len(content), hashlib.sha256(content).hexdigest()) for name, content in found.items()},
        )
        self.assertEqual(
            [{key: file[key] for key in file if key != "id"} for file in delivery.files], listed["files"]
        )
        self.assertEqual(delivery.reply, "4 files placed, 0 were there already")

    def test_repeated_upload_puts_nothing_twice(self):
        delivery = self.upload()
        before = {path.name: path.stat().st_mtime_ns for path in self.inbox.iterdir()}
        # As after a crash between the upload and its commit.
        delivery._store({"state": "queued"})
        delivery._job_upload()
        self.assertEqual(delivery.reply, "0 files placed, 4 were there already")
        self.assertEqual({path.name: path.stat().st_mtime_ns for path in self.inbox.iterdir()}, before)
        delivery._job_upload()
        self.assertEqual(delivery.attempts, 2)

    def test_another_file_of_that_name_is_not_overwritten(self):
        number = self.move.name.replace("/", "_")
        (self.inbox / f"{number}_sessions.xlsx").write_bytes(b"somebody else's")
        delivery = self.upload()
        self.assertEqual(delivery.state, "failed")
        self.assertIn("Another file with the name", delivery.last_error)
        self.assertEqual(self.found()[f"{number}_sessions.xlsx"], b"somebody else's")

    def test_line_that_breaks_leaves_no_half_file_and_is_taken_up_again(self):
        self.server.breaks_after = 100
        delivery = self.upload()
        self.assertEqual((delivery.state, self.settlement.state), ("failed", "invoiced"))
        self.assertIn("Test connection", self.failures().suggestion)
        self.assertFalse([name for name in self.found() if not name.startswith(".")])
        self.server.breaks_after = None
        self.run_cron(fields.Datetime.now() + timedelta(minutes=16))
        self.assertEqual((delivery.state, delivery.attempts), ("handed_over", 2))
        self.assertEqual(len(self.found()), 4)
        self.assertFalse(self.failures())

    def test_wrong_password_is_told(self):
        self.target.new_password = "wrong"
        self.assertIn("does not accept the user", self.upload().last_error)

    def test_private_key_logs_in_and_comes_before_the_password(self):
        self.target.write(
            {
                "new_password": "wrong",
                "new_private_key": self.server.user_key.export_private_key().decode(),
            }
        )
        self.assertEqual(self.upload().state, "handed_over")

    def test_server_with_another_host_key_gets_nothing_and_no_password(self):
        self.target.host_key = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
        self.assertIn("shows another host key", self.upload().last_error)
        self.assertFalse(self.found())

    def test_server_whose_key_is_not_known_gets_nothing_until_it_is_taken(self):
        self.target.host_key = False
        self.assertIn("is not known yet", self.upload().last_error)
        self.target.action_fetch_host_key()
        self.assertEqual(self.target.host_key, self.server.host_key)
        with self.assertRaisesRegex(UserError, "Delete it first"):
            self.target.action_fetch_host_key()
        self.send_again()
        self.assertEqual(self.deliveries().state, "handed_over")

    def test_server_that_says_nothing_is_given_up(self):
        with silent_server() as port, patch.object(emsp_delivery_sftp, "CONNECT_S", 0.2):
            self.target.port = port
            delivery = self.upload()
        self.assertEqual(delivery.state, "failed")

    def test_private_network_is_not_reached(self):
        self.target.allow_private_network = False
        self.assertIn("leads into a private network", self.upload().last_error)

    def test_button_tries_the_login(self):
        self.target.action_test()
        self.assertEqual(self.target.last_result, "Logged in; a file was written and removed.")
        self.assertFalse(self.found())
        self.target.folder = "nowhere"
        self.assertEqual(self.target.action_test()["params"]["type"], "danger")
        self.assertIn("did not take the files", self.target.last_result)

    def test_mail_and_upload_are_two_deliveries_and_both_have_to_arrive(self):
        self.contract.sending_by = "mail"
        self.upload()
        states = {delivery.channel: delivery.state for delivery in self.deliveries()}
        self.assertEqual(states, {"mail": "queued", "upload": "handed_over"})
        self.assertEqual((self.settlement.state, self.settlement.sending_state), ("invoiced", "queued"))
        mail = self.deliveries().filtered(lambda delivery: delivery.channel == "mail")
        mail._set_handed_over(fields.Datetime.now(), "250 OK")
        self.assertEqual(self.settlement.state, "sent")
        self.assertEqual(self.settlement.sent_to, "ap@spree.test, Spree")

    def test_only_the_channel_that_failed_is_repeated(self):
        self.contract.sending_by = "mail"
        self.target.new_password = "wrong"
        self.upload()
        mail = self.deliveries().filtered(lambda delivery: delivery.channel == "mail")
        mail._set_handed_over(fields.Datetime.now(), "250 OK")
        self.assertEqual(self.settlement.state, "invoiced")
        self.target.new_password = "right"
        self.send_again()
        self.assertEqual(len(self.deliveries()), 2)
        self.assertEqual(self.settlement.state, "sent")


@tagged("post_install", "-at_install")
class TestWebhookUpload(UploadCommon):
    def target_vals(self):
        running = OcpiPeer().running()
        self.receiver = running.__enter__()
        self.addCleanup(running.__exit__, None, None, None)
        self.receiver.answers[HOOK] = (204, b"", {})
        return {
            "name": "Spree",
            "kind": "webhook",
            "url": self.receiver.base + HOOK,
            "allow_private_network": True,
            "company_id": self.company.id,
        }

    def test_signed_message_has_checksums_and_links_under_one_id(self):
        self.assertIn("has no secret", self.upload().last_error)
        self.target.action_new_secret()
        self.receiver.answers[HOOK] = (500, b"", {})
        delivery = self.deliveries()
        delivery.with_context(queue_job__no_delay=True)._retry()
        self.receiver.answers[HOOK] = (202, b"", {})
        delivery.with_context(queue_job__no_delay=True)._retry()
        self.assertEqual((delivery.state, delivery.attempts, delivery.reply), ("handed_over", 3, "HTTP 202"))
        first, second = self.receiver.requests
        self.assertEqual(first[3], second[3])
        self.assertEqual(
            {headers["X-Emsp-Delivery"] for __, __, headers, __ in (first, second)}, {delivery.uid}
        )
        self.assertTrue(first[2]["X-Emsp-Signature"].startswith("t="))
        event = json.loads(first[3])
        self.assertEqual((event["type"], event["data"]["is_copy"]), ("settlement.documents", False))
        self.assertEqual(event["data"]["document"]["settlements"], [self.settlement.name])
        annex = self.move.emsp_annex_id
        listed = next(file for file in event["data"]["files"] if file["name"] == annex.name)
        self.assertEqual(listed["sha256"], hashlib.sha256(annex.raw).hexdigest())
        self.assertEqual(listed["url"], delivery._link(annex))

    def test_webhook_without_tls_or_into_the_own_network_is_refused(self):
        with self.assertRaises(ValidationError):
            self.target.allow_private_network = False


@tagged("post_install", "-at_install")
class TestTargetSecrets(SendingCommon):
    def setUp(self):
        super().setUp()
        self.manager = new_test_user(
            self.env,
            "sending_manager",
            groups="emsp_clearing.emsp_clearing_group_manager",
            company_id=self.company.id,
        )
        self.target = (
            self.env["emsp.delivery.target"]
            .with_user(self.manager)
            .create({"name": "T", "host": "sftp.example.com", "username": "rvr", "new_password": "right"})
        )

    def test_nobody_reads_what_was_typed_in(self):
        self.assertTrue(self.target.has_password)
        self.assertNotIn("right", str(self.target.sudo().secret))
        self.assertEqual(self.target._clear("secret"), "right")
        self.env.invalidate_all()
        self.assertFalse(self.target.new_password)
        for name in ("secret", "private_key"):
            with self.assertRaises(AccessError):
                self.target.read([name])
            with self.assertRaises(AccessError):
                self.target.search([(name, "like", "a")])
            with self.assertRaises(AccessError):
                self.target.write({name: "x"})

    def test_form_keeps_the_password_that_is_not_typed_again(self):
        with Form(self.target) as form:
            form.name = "Renamed"
        self.assertEqual(self.target._clear("secret"), "right")

    def test_what_is_no_key_is_refused(self):
        with self.assertRaisesRegex(ValidationError, "no private key"):
            self.target.new_private_key = "hello"
        with self.assertRaisesRegex(ValidationError, "looks like"):
            self.target.host_key = "hello"

    def test_contract_that_sends_by_upload_only_needs_a_target(self):
        with self.assertRaisesRegex(ValidationError, "say where to"):
            self.contract.sending_by = "upload"
