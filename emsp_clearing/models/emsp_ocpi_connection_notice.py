from collections import Counter
from datetime import datetime, timedelta

import pytz

from odoo import SUPERUSER_ID, api, fields, models
from odoo.tools import formatLang
from odoo.tools.mail import email_normalize_all

from .emsp_ocpi_traffic import job_eta, take_turn

# First key of an advisory lock; the second one is the connection.
NOTICE_LOCK = 0x656D706E
# What is found within it goes into one mail.
COLLECT = timedelta(seconds=20)
PAUSE = timedelta(minutes=15)
MORNING = 7
MAX_ROWS = 100


class EmspOcpiConnectionNotice(models.Model):
    """What people are told by mail of the CDRs of a connection: the sender's, who can mend them, and ours."""

    _inherit = "emsp.ocpi.connection"

    notice_email = fields.Char(
        string="Notices to",
        tracking=True,
        help="One or more addresses, with commas. Empty: the address of who runs the platform.",
    )
    notice_holds = fields.Selection(
        [("at_once", "At once"), ("daily", "Every morning"), ("none", "No notice")],
        string="CDRs that are held",
        required=True,
        default="at_once",
        tracking=True,
        help="At once: within a minute, and all of a quarter of an hour in one mail.",
    )
    notice_notes = fields.Selection(
        [("daily", "Every morning"), ("none", "No notice")],
        string="Notes",
        required=True,
        default="none",
        tracking=True,
        help="What was found about CDRs that are not held.",
    )
    notice_responsible = fields.Boolean(
        string="To our responsible, too",
        default=True,
        tracking=True,
        help="Whoever is responsible for the contract gets the same about its CDRs, with links.",
    )
    noticed_at = fields.Datetime(string="Last notice", readonly=True, copy=False)

    def _notice_state_of(self, severity):
        """:return: notice_state of a new finding about a CDR of this connection."""
        setting = self.notice_notes if severity == "note" else self.notice_holds
        return False if self.peer_role == "EMSP" or setting == "none" else "waiting"

    @api.model
    def _cron_notice(self, as_of=None):
        """Tell what waited for the morning, and what has lost its job."""
        as_of = as_of or fields.Datetime.now()
        waiting = self.env["emsp.cdr.finding"].search_fetch([("notice_state", "=", "waiting")], ["cdr_id"])
        for connection in waiting.cdr_id.connection_id:
            if connection._due_findings(as_of):
                connection._enqueue_notice()

    def _enqueue_notice(self, eta=None):
        """:param datetime eta: naive UTC; by default in a moment, together with what comes until then."""
        self.ensure_one()
        # sudo: findings are met whoever rates; the mail is the system's
        connection = self.with_user(SUPERUSER_ID)
        connection.with_delay(
            identity_key=f"emsp.notice:{self.id}",
            description=f"{self.name}: notice",
            eta=job_eta(eta or fields.Datetime.now() + COLLECT),
        )._job_notice()

    def _job_notice(self, as_of=None):
        """Tell what is due, in one mail for each who is told, and no sooner than 15 minutes after the last.

        :raise RetryableJobError: another job is at it.
        """
        if not self.exists():
            return
        take_turn(self.env, NOTICE_LOCK, self.id)
        as_of = as_of or fields.Datetime.now()
        if self.noticed_at and self.noticed_at + PAUSE > as_of:
            self._enqueue_notice(self.noticed_at + PAUSE)
            return
        due = self._due_findings(as_of)
        needed = due.filtered(self._is_notice_needed)
        (due - needed).write({"notice_state": "dropped"})
        if needed:
            self._mail_notices(needed)
            needed.write({"notice_state": "told"})
            self.noticed_at = as_of

    def _due_findings(self, as_of):
        """:return: those that wait and whose time has come, needed or not."""
        morning = self._last_morning(as_of)
        waiting = self.env["emsp.cdr.finding"].search(
            [("notice_state", "=", "waiting"), ("cdr_id.connection_id", "=", self.id)], order="id"
        )
        return waiting.filtered(
            lambda finding: (
                finding.found_at < morning or (finding.severity != "note" and self.notice_holds != "daily")
            )
        )

    def _is_notice_needed(self, finding):
        """Not of what was mended, released or given up meanwhile, or is not wanted any more."""
        if finding.superseded_at or self._notice_state_of(finding.severity) != "waiting":
            return False
        state = finding.cdr_id.state
        return state != "void" if finding.severity == "note" else state == "quarantine"

    def _last_morning(self, as_of):
        """:return: the last 7:00 by the connection's clock, naive UTC."""
        zone = pytz.timezone(self.time_zone or self.company_id.partner_id.tz or "UTC")
        local = pytz.utc.localize(as_of).astimezone(zone)
        day = local.date() - timedelta(days=local.hour < MORNING)
        morning = zone.localize(datetime(day.year, day.month, day.day, MORNING))
        return morning.astimezone(pytz.utc).replace(tzinfo=None)

    def _mail_notices(self, findings):
        addresses = email_normalize_all(self.notice_email or self.partner_id.email or "")
        if addresses:
            lang = self.partner_id.lang or self.company_id.partner_id.lang
            self._mail_notice(findings, ", ".join(addresses), lang)
        users = findings.contract_id.user_id if self.notice_responsible else ()
        for user in users:
            if user.email_normalized:
                own = findings.filtered(lambda finding, u=user: finding.contract_id.user_id == u)
                self._mail_notice(own, user.email_normalized, user.lang, is_ours=True)
        self.env["mail.mail"]._trigger_queue()

    def _mail_notice(self, findings, addresses, lang, is_ours=False):
        """Put one mail into the queue.

        :param is_ours: with links to the CDRs.
        """
        connection = self.with_context(lang=lang or self.env.lang)
        values = connection._prepare_notice_values(findings.with_context(lang=connection.env.lang), is_ours)
        template = self.env.ref("emsp_clearing.mail_template_notice").with_context(
            lang=connection.env.lang, notice=values
        )
        # Of no record: the chatter would repeat the list for whoever follows the connection.
        template.send_mail(self.id, email_values={"email_to": addresses, "model": False, "res_id": False})

    def _prepare_notice_values(self, findings, is_ours):
        """:return: dict of the template: counts by rule, and the first rows."""
        labels = dict(findings._selection_rule())
        other = self.env._("Message and price")
        held = findings.cdr_id.filtered(lambda cdr: cdr.state == "quarantine")
        counts = Counter(labels.get(finding.rule, other) for finding in findings)
        return {
            # As text: a template shows nothing for the number 0.
            "held_count": str(len(held)),
            "cdr_count": str(len(findings.cdr_id)),
            "counts": counts.most_common(),
            "rows": [
                self._prepare_notice_row(finding, labels.get(finding.rule, other), is_ours)
                for finding in findings[:MAX_ROWS]
            ],
            "is_ours": is_ours,
            "more": max(len(findings) - MAX_ROWS, 0),
        }

    def _prepare_notice_row(self, finding, rule, is_ours):
        cdr = finding.cdr_id
        amount = cdr.amount_untaxed if cdr.explanation else cdr.stated_amount
        return {
            "cdr": cdr.ocpi_id,
            "rule": rule,
            "message": finding.message,
            "amount": formatLang(self.env, amount, currency_obj=cdr.currency_id),
            "url": f"{self.get_base_url()}/odoo/emsp-cdrs/{cdr.id}" if is_ours else None,
        }
