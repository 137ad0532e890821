import uuid
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import LockError, UserError
from odoo.tools.misc import hash_sign, verify_hash_signed

from odoo.addons.queue_job.exception import RetryableJobError

from ..core.lifecycle import DELIVERY_TRANSITIONS
from ..core.package import PackageFile

RETRY_AFTER = timedelta(minutes=15)
MOST_RETRIES = 8
# What is queued for so long has lost its job.
FORGOTTEN_AFTER = timedelta(minutes=15)
BUSY_RETRY_S = 10
LINK_SCOPE = "emsp_settlement_delivery"
UNFINISHED = ("queued", "failed")


class EmspSettlementDelivery(models.Model):
    """A document on its way to the partner over one channel, with all attempts: the proof of its sending.

    It is made in the transaction that decides to send, and sent by jobs and by the mail queue. Nobody edits
    or deletes it. A document has one unfinished delivery per channel, so that it cannot be sent twice;
    sending it again is another delivery, marked as a copy. The hand-over is the date of sending.
    """

    _name = "emsp.settlement.delivery"
    _description = "Delivery of a document"
    _inherit = "emsp.state.mixin"
    _order = "id desc"
    _transitions = DELIVERY_TRANSITIONS

    move_id = fields.Many2one(
        "account.move", string="Document", required=True, readonly=True, ondelete="restrict", index=True
    )
    settlement_ids = fields.Many2many("emsp.settlement", compute="_compute_settlement_ids")
    company_id = fields.Many2one(related="move_id.company_id", store=True, index=True)
    partner_id = fields.Many2one(related="move_id.commercial_partner_id", string="Partner", store=True)
    channel = fields.Selection(
        [("mail", "Mail"), ("portal", "Notice of the portal"), ("upload", "Upload")],
        required=True,
        readonly=True,
    )
    target_id = fields.Many2one(
        "emsp.delivery.target", string="Upload to", readonly=True, ondelete="restrict", index="btree_not_null"
    )
    addressed_to = fields.Char(readonly=True)
    is_copy = fields.Boolean(
        string="Copy",
        required=True,
        readonly=True,
        default=False,
        help="It was sent over this channel before.",
    )
    state = fields.Selection(
        [
            ("queued", "Queued"),
            ("handed_over", "Handed over"),
            ("failed", "Failed"),
            ("bounced", "Bounced"),
        ],
        required=True,
        readonly=True,
        default="queued",
        index=True,
        help="Handed over: the receiving server has taken it. Bounced: it came back afterwards.",
    )
    queued_at = fields.Datetime(string="Queued at", required=True, readonly=True, default=fields.Datetime.now)
    handed_over_at = fields.Datetime(string="Handed over at", readonly=True, help="The date of sending.")
    bounced_at = fields.Datetime(string="Bounced at", readonly=True)
    opened_at = fields.Datetime(
        string="Opened",
        readonly=True,
        help="When a file was first fetched through the link of this delivery.",
    )
    attempts = fields.Integer(readonly=True, aggregator=None)
    retries = fields.Integer(
        string="Tried again",
        readonly=True,
        aggregator=None,
        help="By itself, since a person last asked for it.",
    )
    next_try_at = fields.Datetime(string="Next try", readonly=True)
    last_error = fields.Char(string="What went wrong", readonly=True)
    reply = fields.Char(string="Answer of the server", readonly=True)
    reference = fields.Char(readonly=True, help="Message-ID of the mail, or where the files were put.")
    files = fields.Json(string="Proofs", readonly=True, help="Attachment, name, size and SHA-256 of each.")
    files_text = fields.Text(string="Files", compute="_compute_files_text")
    history = fields.Text(readonly=True, help="Each attempt, in UTC.")
    uid = fields.Char(
        string="Id", required=True, readonly=True, default=lambda self: str(uuid.uuid4()), index=True
    )
    link_until = fields.Datetime(string="Link valid until", readonly=True)
    mail_message_id = fields.Many2one("mail.message", string="Message", readonly=True, index="btree_not_null")
    mail_ids = fields.One2many("mail.mail", "emsp_delivery_id", string="Mails")

    _first_once = models.UniqueIndex(
        "(move_id, channel, COALESCE(target_id, 0)) WHERE NOT is_copy",
        "This document was sent over this channel already.",
    )
    _unfinished_once = models.UniqueIndex(
        "(move_id, channel, COALESCE(target_id, 0)) WHERE state IN ('queued', 'failed')",
        "This document is being sent over this channel already.",
    )
    _due = models.Index("(next_try_at) WHERE state = 'failed'")

    @api.depends("move_id")
    def _compute_settlement_ids(self):
        for delivery in self:
            delivery.settlement_ids = delivery.move_id._settlements()

    @api.depends("files")
    def _compute_files_text(self):
        for delivery in self:
            delivery.files_text = "\n".join(
                f"{file['name']}  {file['size']} bytes  SHA-256 {file['sha256']}"
                for file in delivery.files or []
            )

    @api.depends("move_id", "channel", "target_id")
    def _compute_display_name(self):
        channels = dict(self._fields["channel"]._description_selection(self.env))
        for delivery in self:
            way = delivery.target_id.name or channels.get(delivery.channel)
            delivery.display_name = f"{delivery.move_id.name}: {way}"

    def _check_write(self, vals):
        raise UserError(self.env._("A delivery is a proof: it is not edited."))

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("A delivery is a proof: it is not deleted."))

    def action_repeat(self):
        """Once more over this channel: an attempt of what has failed, a copy of what was handed over."""
        self.env["emsp.settlement"].check_access("write")
        for delivery in self:
            # sudo: only the system writes deliveries; the right to ask for it was checked above
            own_sudo = delivery.sudo()
            own_sudo.move_id._emsp_send_again([(own_sudo.channel, own_sudo.target_id)])
            own_sudo.settlement_ids[:1]._enqueue("send", fields.Datetime.now())
        return True

    @api.model
    def _cron_send(self, as_of=None):
        """Try again what is due, and what has lost its job; let settlements follow.

        :param datetime as_of: naive UTC.
        """
        as_of = as_of or fields.Datetime.now()
        due = self.search([("state", "=", "failed"), ("next_try_at", "<=", as_of)])
        for delivery in due.try_lock_for_update():
            delivery._retry()
        forgotten = [("state", "=", "queued"), ("write_date", "<", as_of - FORGOTTEN_AFTER)]
        for delivery in self.search([*forgotten, ("channel", "=", "upload")]):
            delivery._enqueue_upload()
        self.search([*forgotten, ("channel", "!=", "upload")])._follow_mails(as_of)
        self.env["emsp.settlement"].search([("state", "=", "invoiced")])._refresh_sending()

    def _take(self):
        """Take the row: of two runs the second one is put off, and then finds what the first one did.

        :return: whether there is still something to do.
        :raise RetryableJobError: another transaction works on it now.
        """
        self.ensure_one()
        try:
            self.lock_for_update(allow_referencing=True)
        except LockError as error:
            reason = self.env._("Another run works on %(delivery)s.", delivery=self.display_name)
            raise RetryableJobError(reason, seconds=BUSY_RETRY_S, ignore_retry=True) from error
        self.invalidate_recordset()
        return self.state in UNFINISHED

    def _start(self):
        """Bring what is queued on its way; what is there already is not made again."""
        for delivery in self.filtered(lambda each: each.state == "queued"):
            if delivery.channel == "upload":
                delivery._enqueue_upload()
            else:
                delivery._start_mail()

    def _start_safely(self):
        """As `_start`; what is in its way is noted, because nobody waits for an answer."""
        self.ensure_one()
        try:
            with self.env.cr.savepoint():
                self._start()
        except UserError as error:
            self._set_failed(str(error), fields.Datetime.now())

    def _retry(self):
        """Another attempt of what has failed."""
        self.ensure_one()
        self._update_state("queued", next_try_at=False, retries=self.retries + 1)
        self._start_safely()

    def _set_handed_over(self, at, reply, **vals):
        """:param datetime at: naive UTC. :param str reply: of the receiving server."""
        self.ensure_one()
        if self.state not in UNFINISHED:
            return
        self._update_state(
            "handed_over",
            handed_over_at=at,
            attempts=self.attempts + 1,
            next_try_at=False,
            last_error=False,
            reply=reply,
            history=self._history_with(at, reply or self.env._("handed over")),
            **vals,
        )
        # sudo: see emsp.exception
        self.env["emsp.exception"]._close("sending_failed", self._fact_key(), at)
        self.move_id._settlements()._refresh_sending()

    def _set_failed(self, reason, at):
        """Note a failed attempt; after the last one a person is called.

        :param str reason: for people.
        """
        self.ensure_one()
        if self.state not in UNFINISHED:
            return
        reason = one_line(reason)
        self._store(
            {
                "state": "failed",
                "attempts": self.attempts + 1,
                "next_try_at": self._next_try(at),
                "last_error": reason,
                "history": self._history_with(at, reason),
            }
        )
        self._report(at, "warning" if self.next_try_at else "error")
        self.move_id._settlements()._refresh_sending()

    def _next_try(self, at):
        """:return: when what failed at `at` is tried again by itself; False: a person is called."""
        return at + RETRY_AFTER if self.retries < MOST_RETRIES else False

    def _set_bounced(self, reason, at):
        """It came back. Billing stays as it is; nothing is sent again by itself."""
        self.ensure_one()
        if self.state != "handed_over":
            return
        reason = one_line(reason)
        self._update_state(
            "bounced", bounced_at=at, last_error=reason, history=self._history_with(at, reason)
        )
        if self == self.move_id._last_delivery_sudo(self.channel, self.target_id):
            self._report(at, "error")
        self.move_id._settlements()._refresh_sending()

    def _history_with(self, at, text):
        line = f"{at:%Y-%m-%d %H:%M:%S}Z {one_line(text)}"
        return f"{self.history}\n{line}" if self.history else line

    def _fact_key(self):
        return f"account.move:{self.move_id.id}:{self.channel}:{self.target_id.id or 0}"

    def _report(self, at, severity):
        """The fact stands in the journal until the document is handed over on this channel."""
        move = self.move_id
        journal = self.env["emsp.exception"]._in_language_of(self.company_id)
        journal._open(
            "sending_failed",
            self._fact_key(),
            name=journal.env._(
                "%(document)s did not reach %(receiver)s: %(reason)s",
                document=move.name,
                receiver=f"{self.partner_id.display_name} ({self.target_id.name or self.addressed_to})",
                reason=self.last_error,
            ),
            suggestion=self.with_env(journal.env)._remedy(),
            severity=severity,
            settlement_id=move._settlements()[:1].id,
            move_id=move.id,
            amount=move.amount_total,
            opened_at=at,
            date=fields.Date.to_date(at),
        )

    def _remedy(self):
        if self.channel == "upload":
            return self.env._(
                "Open Configuration > Upload targets, remove the cause, press Test connection, then send "
                "again from the settlement."
            )
        if self.state == "bounced":
            return self.env._(
                "Ask the partner for an address that works, then send again from the settlement."
            )
        return self.env._(
            "Correct the address or the outgoing mail server, then send again from the settlement."
        )

    def _record_files(self):
        """Keep what leaves: which attachments, and what stands for each."""
        self.ensure_one()
        self.move_id._emsp_make_documents()
        attachments = self.move_id._package_attachments()
        self._store(
            {
                "files": [
                    {"id": attachment.id, **package_file(attachment).proof()} for attachment in attachments
                ]
            }
        )

    def _attachments_sudo(self):
        """:return: the files that left, as `files`; a relation would hide attachments of fields."""
        # sudo: whoever may send the document, or has its link, reads its files
        return self.env["ir.attachment"].sudo().browse([file["id"] for file in self.files])

    def _package_files(self):
        """:return: list of PackageFile, as `files`."""
        return [package_file(attachment) for attachment in self._attachments_sudo()]

    def _link(self, attachment=None):
        """:return: address of the page with the files, or of one of them, for whoever has it; it expires."""
        self.ensure_one()
        if not self.link_until:
            days = self.company_id.emsp_link_days
            self._store({"link_until": fields.Datetime.now() + timedelta(days=days)})
        # sudo: signs with a secret of the database
        token = hash_sign(self.sudo().env, LINK_SCOPE, self.uid, expiration=self.link_until)
        address = f"{self.get_base_url()}/emsp/documents/{token}"
        return f"{address}/{attachment.id}" if attachment else address

    @api.model
    def _find_by_link(self, token):
        """:return: the delivery of a link, in superuser; none of one that is wrong or has expired."""
        # sudo: the link is the right to read
        deliveries_sudo = self.sudo()
        try:
            uid = verify_hash_signed(deliveries_sudo.env, LINK_SCOPE, token)
        except ValueError:
            return deliveries_sudo.browse()
        return deliveries_sudo.search([("uid", "=", uid)]) if uid else deliveries_sudo.browse()

    def _note_opened(self):
        if not self.opened_at:
            self._store({"opened_at": fields.Datetime.now()})


def one_line(text):
    return " ".join(str(text or "").split())


def package_file(attachment):
    # sudo: see _attachments_sudo
    attachment = attachment.sudo()
    return PackageFile.of(attachment.name, attachment.mimetype, attachment.raw)
