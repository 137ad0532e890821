import json
import time
import uuid

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import ValidationError

from .emsp_ocpi_connection import new_token
from .emsp_ocpi_network import AddressError, check_url
from .emsp_ocpi_traffic import LONGEST_SILENCE, job_eta, wait_after
from .emsp_webhook_client import WebhookClient, WebhookError, address_text

EVENTS = {
    "cdr.priced": "is_priced_told",
    "cdr.flagged": "is_flagged_told",
    "cdr.released": "is_released_told",
}
TEST_EVENT = "webhook.test"
COUNTED = {"waiting_count": ("waiting", "failed"), "sent_count": ("sent",), "given_up_count": ("given_up",)}


class EmspWebhook(models.Model):
    """An address that is told of CDRs as soon as they are priced, held or released.

    For a partner, of its own CDRs; without one, for systems of our own, of all. The secret that signs what
    is sent is stored encrypted, in a field that nobody may read; it is shown once.
    """

    _name = "emsp.webhook"
    _description = "Webhook"
    _check_company_auto = True
    _order = "name, id"

    name = fields.Char(required=True)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, index=True
    )
    connection_id = fields.Many2one(
        "emsp.ocpi.connection",
        string="OCPI connection",
        check_company=True,
        ondelete="cascade",
        index="btree_not_null",
        help="Only what this platform may know: of an eMSP the CDRs of its tokens that are open to it, of "
        "others the CDRs that came from there.",
    )
    partner_id = fields.Many2one(
        "res.partner",
        check_company=True,
        index="btree_not_null",
        help="Only CDRs under contracts with this partner.",
    )
    url = fields.Char(string="Address", required=True, help="Starts with https://.")
    allow_private_network = fields.Boolean(
        copy=False,
        help="Also call addresses inside a private network, and without TLS. For systems of your own only.",
    )
    is_priced_told = fields.Boolean(
        string="cdr.priced", default=True, help="A CDR was checked and priced, and is open."
    )
    is_flagged_told = fields.Boolean(
        string="cdr.flagged", default=True, help="A CDR is held. Never told to the eMSP that it is for."
    )
    is_released_told = fields.Boolean(string="cdr.released", default=True, help="A held CDR is open now.")
    secret = fields.Char(copy=False, groups=fields.NO_ACCESS, help="Encrypted.")
    secret_hint = fields.Char(
        string="Secret ends in", copy=False, readonly=True, help="Without a secret nothing is sent."
    )
    paused_until = fields.Datetime(
        copy=False,
        readonly=True,
        help="The receiver did not answer as it should; until then it is left alone.",
    )
    failure_count = fields.Integer(string="Failures in a row", copy=False, readonly=True, aggregator=None)
    last_tried_at = fields.Datetime(string="Last tried", copy=False, readonly=True)
    last_result = fields.Char(copy=False, readonly=True)
    delivery_ids = fields.One2many("emsp.webhook.delivery", "webhook_id", string="Deliveries")
    waiting_count = fields.Integer(string="To send", compute="_compute_counts")
    sent_count = fields.Integer(string="Sent", compute="_compute_counts")
    given_up_count = fields.Integer(string="Given up", compute="_compute_counts")

    @api.depends("delivery_ids.state")
    def _compute_counts(self):
        groups = self.env["emsp.webhook.delivery"]._read_group(
            [("webhook_id", "in", self.ids)], ["webhook_id", "state"], ["__count"]
        )
        counts = {(webhook, state): count for webhook, state, count in groups}
        for webhook in self:
            for name, states in COUNTED.items():
                webhook[name] = sum(counts.get((webhook, state), 0) for state in states)

    @api.constrains("url", "allow_private_network")
    def _check_url_form(self):
        for webhook in self:
            try:
                check_url(webhook.url, allow_private=webhook.allow_private_network)
            except AddressError as error:
                # A name that is not known today is no reason not to store it: it is looked up at each call.
                if error.code != "unknown":
                    raise ValidationError(address_text(self.env, error)) from error

    def action_new_secret(self):
        """Make a secret and show it; the one before signs nothing any more."""
        self.ensure_one()
        self.check_access("write")
        secret = new_token()
        encrypted = self.env["emsp.ocpi.connection"]._encrypt(secret)
        # sudo: no user reads or writes the secret, also no manager
        self.sudo().write({"secret": encrypted, "secret_hint": secret[-4:]})
        return self.env["emsp.webhook.secret"]._show(self.name, secret)

    def action_test(self):
        """Send a message without content at once, and tell what the receiver answered."""
        self.ensure_one()
        self.check_access("write")
        uid = str(uuid.uuid4())
        event = {"id": uid, "type": TEST_EVENT, "created_at": instant(fields.Datetime.now()), "data": {}}
        try:
            status = WebhookClient(self).post(uid, json.dumps(event).encode(), int(time.time()))
        except WebhookError as error:
            return self._notify(str(error), is_good=False)
        text = self.env._("The receiver took the test: HTTP %(status)s.", status=status)
        return self._notify(text, is_good=True)

    def _notify(self, text, is_good):
        params = {"type": "success" if is_good else "danger", "message": text, "sticky": not is_good}
        return {"type": "ir.actions.client", "tag": "display_notification", "params": params}

    def action_view_deliveries(self):
        action = self.env["ir.actions.act_window"]._for_xml_id("emsp_clearing.emsp_webhook_delivery_action")
        return {**action, "domain": [("webhook_id", "in", self.ids)], "context": {}}

    def _secret_clear(self):
        """:return: the secret in clear, or None: there is none, or another database encrypted it."""
        # sudo: nobody may read the secret; it signs and goes nowhere
        return self.env["emsp.ocpi.connection"]._decrypt(self.sudo().secret)

    def _heard(self, event, cdrs):
        """Whose CDR it is may know its price once it is open; that it is held only who can mend it.

        :return: those of the CDRs that this webhook is told of.
        """
        self.ensure_one()
        heard = cdrs.filtered(lambda cdr: cdr.company_id == self.company_id)
        if self.connection_id.peer_role == "EMSP":
            parties = self.connection_id._parties()
            heard = heard.filtered(
                lambda cdr: (
                    cdr.connection_id.peer_role == "OWN"
                    and (cdr.token_country_code, cdr.token_party_id) in parties
                )
            )
        elif self.connection_id:
            heard = heard.filtered(lambda cdr: cdr.connection_id == self.connection_id)
        if self.partner_id:
            partner = self.partner_id.commercial_partner_id
            heard = heard.filtered(lambda cdr: cdr.partner_id.commercial_partner_id == partner)
        if event == "cdr.flagged":
            heard = heard.filtered(self._may_see_held)
        return heard

    def _may_see_held(self, cdr):
        """The eMSP that a CDR is for does not learn of it before it is open."""
        is_payer = self.partner_id and cdr.contract_id.partner_role == "emsp"
        return self.connection_id.peer_role != "EMSP" and not is_payer

    @api.model
    def _listening(self, event, companies):
        return self.search(
            [
                ("company_id", "in", companies.ids),
                (EVENTS[event], "=", True),
                ("secret_hint", "!=", False),
                "|",
                ("connection_id", "=", False),
                ("connection_id.active", "=", True),
            ]
        )

    @api.model
    def _cron_send(self, as_of=None):
        """Send what has lost its job."""
        waiting = self.env["emsp.webhook.delivery"]._read_group(
            [("state", "in", ("waiting", "failed")), ("next_try_at", "<=", as_of or fields.Datetime.now())],
            ["webhook_id"],
        )
        for (webhook,) in waiting:
            webhook._enqueue_send()

    def _enqueue_send(self, eta=None):
        """Have what waits sent.

        :param datetime eta: naive UTC; at once by default.
        """
        self.ensure_one()
        eta = job_eta(eta)
        # At once there is a job for each transaction: one that runs already does not see what is not
        # committed yet, and nobody else would send it within seconds.
        key = f"emsp.webhook:{self.id}:{eta:%Y%m%d%H%M}" if eta else None
        # Jobs act in nobody's name.
        webhook = self.with_user(SUPERUSER_ID)
        webhook.with_delay(identity_key=key, description=f"{self.name}: send", eta=eta)._job_send()

    def _job_send(self, as_of=None):
        """:raise RetryableJobError: another job sends to the same."""
        if self.exists():
            self.env["emsp.webhook.delivery"]._send_due(self, as_of or fields.Datetime.now())

    def _note_result(self, failure, answer, as_of):
        """Leave a receiver alone for a while that takes nothing.

        :param failure: WebhookError of the last call of a step, or None.
        :param answer: text for people, where it took the event.
        """
        failures = self.failure_count + 1 if failure else 0
        is_closed = failure and not failure.is_of_event
        self.write(
            {
                "last_tried_at": as_of,
                "last_result": str(failure) if failure else answer,
                "failure_count": failures,
                "paused_until": is_closed and as_of + min(wait_after(failures), LONGEST_SILENCE),
            }
        )


def instant(at):
    """A naive UTC instant as our JSON has it."""
    return at.replace(microsecond=0).isoformat() + "Z"
