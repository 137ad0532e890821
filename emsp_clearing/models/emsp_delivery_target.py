import json
import time
import uuid

import asyncssh

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from .emsp_delivery_sftp import SftpClient, UploadError
from .emsp_ocpi_connection import new_token
from .emsp_ocpi_network import AddressError, check_url
from .emsp_webhook import TEST_EVENT, instant
from .emsp_webhook_client import WebhookClient, WebhookError, address_text


class EmspDeliveryTarget(models.Model):
    """A server that takes the documents of settlements: SFTP, or a webhook that fetches them by links.

    Password, key and secret are stored encrypted, in fields that nobody may read. They are typed into fields
    that forget what was written; the secret of a webhook is made here and shown once.
    """

    _name = "emsp.delivery.target"
    _description = "Upload target"
    _order = "name, id"

    name = fields.Char(required=True)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, index=True
    )
    kind = fields.Selection(
        [("sftp", "SFTP"), ("webhook", "HTTPS webhook")], string="Protocol", required=True, default="sftp"
    )
    allow_private_network = fields.Boolean(
        copy=False,
        help="Also call addresses inside a private network, and webhooks without TLS. For systems of your "
        "own only.",
    )
    url = fields.Char(string="Address", help="Starts with https://.")
    host = fields.Char()
    port = fields.Integer(default=22)
    username = fields.Char(string="User name")
    folder = fields.Char(help="Has to exist. Empty: where the login begins.")
    host_key = fields.Char(
        copy=False,
        help="What the server must show, as in a known_hosts file: ssh-ed25519 AAAA… With another key "
        "nothing is sent.",
    )
    host_key_fingerprint = fields.Char(string="Fingerprint", compute="_compute_host_key_fingerprint")
    secret = fields.Char(copy=False, groups=fields.NO_ACCESS, help="Password or secret, encrypted.")
    private_key = fields.Char(copy=False, groups=fields.NO_ACCESS, help="Encrypted.")
    has_password = fields.Boolean(string="Password is set", copy=False, readonly=True)
    has_private_key = fields.Boolean(string="Private key is set", copy=False, readonly=True)
    secret_hint = fields.Char(string="Secret ends in", copy=False, readonly=True)
    new_password = fields.Char(
        string="New password", compute="_compute_inputs", inverse="_inverse_new_password"
    )
    new_private_key = fields.Text(
        string="New private key",
        compute="_compute_inputs",
        inverse="_inverse_new_private_key",
        help="In OpenSSH or PEM format, without a passphrase. It is used instead of the password.",
    )
    last_tested_at = fields.Datetime(string="Last tested", copy=False, readonly=True)
    last_result = fields.Char(string="Result of the test", copy=False, readonly=True)

    @api.depends("host_key")
    def _compute_host_key_fingerprint(self):
        for target in self:
            target.host_key_fingerprint = False
            if target.host_key:
                try:
                    target.host_key_fingerprint = asyncssh.import_public_key(
                        target.host_key
                    ).get_fingerprint()
                except asyncssh.KeyImportError:
                    continue

    def _compute_inputs(self):
        """What was typed in is not shown again."""
        self.new_password = self.new_private_key = False

    def _inverse_new_password(self):
        for target in self.filtered("new_password"):
            # sudo: nobody reads or writes the encrypted field, also no manager
            target.sudo().write({"secret": target._encrypted(target.new_password), "has_password": True})

    def _inverse_new_private_key(self):
        for target in self.filtered("new_private_key"):
            key = target.new_private_key.strip() + "\n"
            try:
                asyncssh.import_private_key(key)
            except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
                raise ValidationError(
                    self.env._("This is no private key without a passphrase: %(reason)s", reason=error)
                ) from error
            # sudo: as above
            target.sudo().write({"private_key": target._encrypted(key), "has_private_key": True})

    @api.constrains("kind", "url", "host", "port", "username", "host_key", "allow_private_network")
    def _check_address(self):
        for target in self:
            if target.kind == "webhook":
                target._check_url()
            else:
                target._check_sftp()

    def _check_url(self):
        try:
            check_url(self.url or "", allow_private=self.allow_private_network)
        except AddressError as error:
            # A name that is not known today is no reason not to store it: it is looked up at each call.
            if error.code != "unknown":
                raise ValidationError(address_text(self.env, error)) from error

    def _check_sftp(self):
        if not self.host or not self.username or not 0 < self.port < 65536:
            raise ValidationError(self.env._("An SFTP server has a host, a port and a user name."))
        if self.host_key:
            try:
                asyncssh.import_public_key(self.host_key)
            except asyncssh.KeyImportError as error:
                raise ValidationError(
                    self.env._("The host key is none: it looks like “ssh-ed25519 AAAA…”.")
                ) from error

    def action_fetch_host_key(self):
        """Take the key that the server shows now; a person compares its fingerprint."""
        self.ensure_one()
        self.check_access("write")
        if self.host_key:
            raise UserError(self.env._("The host key is known. Delete it first to take another one."))
        self.host_key = SftpClient(self).fetch_host_key()
        text = self.env._(
            "Compare with what the operator of the server told you: %(fingerprint)s",
            fingerprint=self.host_key_fingerprint,
        )
        return self._notify(text, is_good=True, is_sticky=True)

    def action_test(self):
        """Try it at once, and tell what came of it."""
        self.ensure_one()
        self.check_access("write")
        try:
            text = self._test_sftp() if self.kind == "sftp" else self._test_webhook()
            is_good = True
        except (UploadError, WebhookError) as error:
            text, is_good = str(error), False
        self.write({"last_tested_at": fields.Datetime.now(), "last_result": text})
        return self._notify(text, is_good=is_good, is_sticky=not is_good)

    def _test_sftp(self):
        SftpClient(self).probe()
        return self.env._("Logged in; a file was written and removed.")

    def _test_webhook(self):
        uid = str(uuid.uuid4())
        event = {"id": uid, "type": TEST_EVENT, "created_at": instant(fields.Datetime.now()), "data": {}}
        status = WebhookClient(self).post(uid, json.dumps(event).encode(), int(time.time()))
        return self.env._("The receiver took the test: HTTP %(status)s.", status=status)

    def action_new_secret(self):
        """Make a secret for the webhook and show it; the one before signs nothing any more."""
        self.ensure_one()
        self.check_access("write")
        secret = new_token()
        # sudo: as above
        self.sudo().write({"secret": self._encrypted(secret), "secret_hint": secret[-4:]})
        return self.env["emsp.webhook.secret"]._show(self.name, secret)

    def _notify(self, text, *, is_good, is_sticky):
        params = {"type": "success" if is_good else "danger", "message": text, "sticky": is_sticky}
        # Shows the result on the form as well.
        params["next"] = {"type": "ir.actions.client", "tag": "soft_reload"}
        return {"type": "ir.actions.client", "tag": "display_notification", "params": params}

    def _encrypted(self, text):
        return self.env["emsp.ocpi.connection"]._encrypt(text)

    def _clear(self, name):
        """:return: `secret` or `private_key` in clear, or None: there is none, or another database's."""
        # sudo: nobody may read them; they log in or sign, and go nowhere
        return self.env["emsp.ocpi.connection"]._decrypt(self.sudo()[name])

    def _secret_clear(self):
        """What a webhook client signs with."""
        return self._clear("secret")
