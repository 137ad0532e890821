import time
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from .emsp_ocpi_traffic import take_turn, wait_after
from .emsp_webhook_client import WebhookClient, WebhookError

# First key of an advisory lock; the second one is the webhook's id.
WEBHOOK_LOCK = 0x656D7077
BATCH_SIZE = 50
# After so long a job hands over to the next one: other receivers wait for its place.
LONGEST_STEP_S = 30
GIVEN_UP_AFTER = timedelta(days=7)
DAYS_KEPT = {"sent": 30, "given_up": 180}
CLEAN_BATCH = 10_000
UNSENT = ("waiting", "failed")


class EmspWebhookDelivery(models.Model):
    """The outbox of a webhook: made in the transaction that prices the CDR, sent by jobs.

    The text is made once and sent as it is in each attempt, under one id: a receiver that gets it twice
    sees that it is the same.
    """

    _name = "emsp.webhook.delivery"
    _description = "Webhook delivery"
    _order = "id desc"
    _rec_name = "uid"

    webhook_id = fields.Many2one("emsp.webhook", required=True, readonly=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="webhook_id.company_id", store=True, index=True)
    event = fields.Char(required=True, readonly=True)
    uid = fields.Char(string="Id", required=True, readonly=True, index=True)
    cdr_id = fields.Many2one(
        "emsp.cdr", string="CDR", readonly=True, ondelete="cascade", index="btree_not_null"
    )
    payload = fields.Text(required=True, readonly=True, prefetch=False, help="The JSON, as it is sent.")
    state = fields.Selection(
        [
            ("waiting", "To send"),
            ("failed", "Failed, tried again"),
            ("sent", "Sent"),
            ("given_up", "Given up"),
        ],
        required=True,
        readonly=True,
        default="waiting",
        help="Given up: the receiver did not take it for seven days.",
    )
    queued_at = fields.Datetime(string="Queued", required=True, readonly=True, default=fields.Datetime.now)
    attempts = fields.Integer(readonly=True, aggregator=None)
    next_try_at = fields.Datetime(string="Next try", readonly=True, default=fields.Datetime.now)
    http_status = fields.Integer(string="HTTP", readonly=True, aggregator=None)
    last_error = fields.Char(readonly=True)
    sent_at = fields.Datetime(string="Sent at", readonly=True)

    _unsent = models.Index("(webhook_id, next_try_at) WHERE state IN ('waiting', 'failed')")

    def action_repeat(self):
        """Send again now, whatever became of it."""
        self.webhook_id.check_access("write")
        if not self:
            raise UserError(self.env._("Nothing of this is to be sent again."))
        now = fields.Datetime.now()
        # sudo: nobody edits deliveries; who may repeat was checked above
        repeated = self.sudo()
        repeated.try_lock_for_update().write(
            {"state": "waiting", "attempts": 0, "queued_at": now, "next_try_at": now}
        )
        repeated.webhook_id.write({"paused_until": False})
        for webhook in repeated.webhook_id:
            webhook._enqueue_send()
        return True

    @api.model
    def _send_due(self, webhook, as_of):
        """Send what is due, as far as one step goes. Nothing is written before its last call has ended.

        :param datetime as_of: naive UTC.
        :raise RetryableJobError: another job sends to the same webhook.
        """
        take_turn(self.env, WEBHOOK_LOCK, webhook.id)
        unsent = [("webhook_id", "=", webhook.id), ("state", "in", UNSENT)]
        if not webhook.active:
            return
        if not webhook.paused_until or webhook.paused_until <= as_of:
            # What the job before has sent meanwhile may still look unsent; the lock finds that out.
            due = self.search(
                [*unsent, ("next_try_at", "<=", as_of)], order="next_try_at, id", limit=BATCH_SIZE
            )
            self._send_each(webhook, due.try_lock_for_update(), as_of)
            self._give_up(webhook, as_of)
            if due:
                self._report(webhook, as_of)
        following = self.search(unsent, order="next_try_at, id", limit=1)
        if following:
            webhook._enqueue_send(max(following.next_try_at, webhook.paused_until or following.next_try_at))

    @api.model
    def _send_each(self, webhook, due, as_of):
        client = WebhookClient(webhook)
        deadline = time.monotonic() + LONGEST_STEP_S
        outcomes, failure = {}, None
        for delivery in due:
            outcomes[delivery], failure = delivery._send(client, as_of)
            if (failure and not failure.is_of_event) or time.monotonic() > deadline:
                break
        for delivery, vals in outcomes.items():
            delivery.write(vals)
        if outcomes:
            webhook._note_result(failure, f"HTTP {delivery.http_status}", as_of)

    def _send(self, client, as_of):
        """:return: (values to store, WebhookError or None)."""
        vals = {"attempts": self.attempts + 1}
        try:
            status = client.post(self.uid, self.payload.encode(), int(time.time()))
        except WebhookError as error:
            vals |= {
                "state": "failed",
                "http_status": error.http_status or 0,
                "last_error": str(error),
                "next_try_at": as_of + wait_after(vals["attempts"]),
            }
            return vals, error
        return {**vals, "state": "sent", "http_status": status, "last_error": False, "sent_at": as_of}, None

    @api.model
    def _give_up(self, webhook, as_of):
        """What waited for a receiver that takes nothing was in vain, tried by itself or not."""
        domain = [("webhook_id", "=", webhook.id), ("state", "in", UNSENT)]
        domain.append(("queued_at", "<=", as_of - GIVEN_UP_AFTER))
        if not webhook.failure_count:
            domain.append(("attempts", ">", 0))
        self.search(domain).write({"state": "given_up"})

    @api.model
    def _report(self, webhook, as_of):
        """Tell people what was given up; the fact ends when all of it was sent after all."""
        given_up = self.search([("webhook_id", "=", webhook.id), ("state", "=", "given_up")])
        key = f"emsp.webhook:{webhook.id}"
        journal = self.env["emsp.exception"]._in_language_of(webhook.company_id)
        if not given_up:
            journal._close("push_failed", key, as_of)
            return
        journal._open(
            "push_failed",
            key,
            name=journal.env._(
                "The webhook %(webhook)s did not take %(count)s events. The last one: %(error)s",
                webhook=webhook.name,
                count=len(given_up),
                error=given_up[0].last_error or "-",
            ),
            suggestion=journal.env._(
                "Open Configuration > Webhooks, remove the cause that is told there, and repeat what was "
                "given up."
            ),
            company_id=webhook.company_id.id,
            partner_id=(webhook.partner_id or webhook.connection_id.partner_id).id,
            opened_at=as_of,
            date=fields.Date.to_date(as_of),
        )

    @api.autovacuum
    def _gc_done(self):
        done = remaining = 0
        for state, days in DAYS_KEPT.items():
            limit = fields.Datetime.now() - timedelta(days=days)
            domain = [("state", "=", state), ("write_date", "<", limit)]
            old = self.search(domain, limit=CLEAN_BATCH, order="id")
            done += len(old)
            old.unlink()
            remaining += self.search_count(domain)
        return done, remaining
