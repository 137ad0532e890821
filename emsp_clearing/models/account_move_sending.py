import psycopg2.errors

from odoo import fields, models
from odoo.exceptions import ConcurrencyError, LockError, UserError

from odoo.addons.queue_job.exception import RetryableJobError

from ..core.package import PackageFile, manifest
from .emsp_settlement_delivery import BUSY_RETRY_S


class AccountMoveSending(models.Model):
    """The way of a settlement's document to the partner, over each channel that its contract demands."""

    _inherit = "account.move"

    def _settlements(self):
        """:return: the settlements that the documents bill, as the system sees them."""
        # sudo: whoever may send an invoice needs no rights on the settlements behind it
        return self.sudo().emsp_settlement_ids

    def _sending_contracts_sudo(self):
        # sudo: an accountant sends the invoice without rights on the contracts behind it
        return self._settlements().contract_id

    def _demanded_channels(self):
        """:return: list of (channel, target) over which the document has to go."""
        self.ensure_one()
        contracts = self._sending_contracts_sudo()
        ways = set(contracts.mapped("sending_by"))
        channels = []
        if ways & {"mail", "both"}:
            channels.append(("mail", contracts.delivery_target_ids.browse()))
        elif "portal" in ways:
            channels.append(("portal", contracts.delivery_target_ids.browse()))
        return channels + [("upload", target) for target in contracts.delivery_target_ids]

    def _emsp_send(self):
        """Bring the document on its way over each channel that is demanded.

        Can be repeated: what waits is taken up again, what was handed over is left alone, what failed has its
        own clock, and what came back waits for a person.
        :raise UserError: when a document cannot be made, or there is nobody to send it to.
        :raise RetryableJobError: another transaction sends it now.
        """
        self.ensure_one()
        try:
            self.lock_for_update(allow_referencing=True)
        except LockError as error:
            reason = self.env._("Another run works on %(document)s.", document=self.name)
            raise RetryableJobError(reason, seconds=BUSY_RETRY_S, ignore_retry=True) from error
        channels = self._demanded_channels()
        self._emsp_deliver([channel for channel in channels if not self._last_delivery_sudo(*channel)])
        for channel in channels:
            self._last_delivery_sudo(*channel)._start()

    def _emsp_send_again(self, channels=None):
        """Asked for by a person: what is not handed over yet; or, where all of it is, everything as a copy.

        What is asked for here is brought on its way by a job.
        :param channels: list of (channel, target); by default those of the contract.
        """
        self.ensure_one()
        last = {
            channel: self._last_delivery_sudo(*channel) for channel in channels or self._demanded_channels()
        }
        undelivered = {way: delivery for way, delivery in last.items() if delivery.state != "handed_over"}
        chosen = undelivered or last
        for delivery in chosen.values():
            if delivery.state == "failed":
                delivery._update_state("queued", next_try_at=False, retries=0)
        self._emsp_deliver(
            [way for way, delivery in chosen.items() if delivery.state not in ("queued", "failed")]
        )

    def _emsp_deliver(self, channels):
        """New deliveries; they are not on their way yet."""
        self._check_receivers(channels)
        return self._create_deliveries(channels)

    def _check_receivers(self, channels):
        """:raise UserError: a mail would reach nobody, or a notice somebody without a login."""
        ways = {channel for channel, __ in channels}
        if ways & {"mail", "portal"} and not self._sending_partners():
            raise UserError(
                self.env._(
                    "Invoice %(invoice)s was not sent: %(partner)s has no invoicing contact with an "
                    "e-mail address.",
                    invoice=self.name,
                    partner=self.commercial_partner_id.display_name,
                )
            )
        # sudo: logins are the system's
        users_sudo = self.env["res.users"].sudo()
        partner = self.commercial_partner_id
        if "portal" in ways and not users_sudo.search_count(
            [("partner_id", "child_of", partner.id)], limit=1
        ):
            raise UserError(
                self.env._(
                    "Invoice %(invoice)s was not sent: %(partner)s reads its documents in the portal, and "
                    "nobody there has a login. Invite a contact to the portal.",
                    invoice=self.name,
                    partner=partner.display_name,
                )
            )

    def _sending_partners(self):
        """:return: who gets the mail, copies included, as far as they have an address."""
        contracts = self._sending_contracts_sudo()
        partners = contracts.mail_to_ids
        if not partners:
            partner = self.commercial_partner_id
            partners = partner.browse(partner.address_get(["invoice"])["invoice"])
        return (partners | contracts.mail_cc_ids).filtered("email_normalized")

    def _sending_lang(self):
        """:return: code of the language in which the partner is written to."""
        langs = self._sending_contracts_sudo().mapped("mail_lang")
        return next(filter(None, langs), None) or self.partner_id.lang or self.env.lang

    def _emsp_make_documents(self):
        """PDF, e-invoice and annex, as far as they are not made yet."""
        if not self.invoice_pdf_report_id:
            self.env["account.move.send"]._generate_documents(self)
        self._emsp_attach_annex()

    def _create_deliveries(self, channels):
        """:raise ConcurrencyError: another transaction sends the document at this moment."""
        vals_list = [
            {
                "move_id": self.id,
                "channel": channel,
                "target_id": target.id,
                "addressed_to": target.name,
                "is_copy": bool(self._last_delivery_sudo(channel, target)),
            }
            for channel, target in channels
        ]
        try:
            with self.env.cr.savepoint():
                # sudo: deliveries are made by the system, whoever sends
                return self.env["emsp.settlement.delivery"].sudo().create(vals_list)
        except psycopg2.errors.UniqueViolation as error:
            raise ConcurrencyError("A document was sent by two transactions at once") from error

    def _delivery_by_hand(self):
        """:return: the delivery of a mail that an accountant sends from the invoice."""
        self.ensure_one()
        nowhere = self.env["emsp.delivery.target"]
        delivery = self._last_delivery_sudo("mail", nowhere)
        if delivery.state not in ("queued", "failed"):
            delivery = self._create_deliveries([("mail", nowhere)])
        delivery._record_files()
        return delivery

    def _last_delivery_sudo(self, channel, target):
        """:return: the latest one over a channel; a document has a handful."""
        self.ensure_one()
        # sudo: as above
        return (
            self.env["emsp.settlement.delivery"]
            .sudo()
            .search(
                [("move_id", "=", self.id), ("channel", "=", channel), ("target_id", "=", target.id)], limit=1
            )
        )

    def _package_attachments(self):
        """The files of the package: PDF, e-invoice, annex, as the mail has them."""
        return self.env["account.move.send"]._get_invoice_extra_attachments(self)

    def _package_manifest(self, files):
        """:return: PackageFile, put after the others: where it is, the package is whole."""
        document = {
            "number": self.name,
            "type": self.move_type,
            "date": fields.Date.to_string(self.invoice_date),
            "due_date": fields.Date.to_string(self.invoice_date_due),
            "currency": self.currency_id.name,
            "amount_untaxed": f"{self.amount_untaxed:.{self.currency_id.decimal_places}f}",
            "amount_total": f"{self.amount_total:.{self.currency_id.decimal_places}f}",
            "seller": self.company_id.name,
            "buyer": self.commercial_partner_id.name,
            "settlements": sorted(self._settlements().mapped("name")),
        }
        name = f"{(self.name or '').replace('/', '_')}_manifest.json"
        return PackageFile.of(name, "application/json", manifest(document, files))

    def _notify_by_email_get_base_mail_values(self, message, recipients_data, additional_values=None):
        # EXTENDS mail: the mail knows whose package it carries, and leaves through the company's own server
        delivery_id = self.env.context.get("emsp_delivery_id")
        if delivery_id:
            company = self.company_id
            # sudo: only administrators read mail servers
            own = {"mail_server_id": company.sudo().emsp_mail_server_id.id, "reply_to": company.emsp_reply_to}
            own = {name: value for name, value in own.items() if value}
            additional_values = {**(additional_values or {}), **own, "emsp_delivery_id": delivery_id}
        return super()._notify_by_email_get_base_mail_values(
            message, recipients_data, additional_values=additional_values
        )
