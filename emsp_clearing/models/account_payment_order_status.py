from lxml import etree

from odoo import api, models
from odoo.exceptions import UserError

from ..core.iso20022.status import NAME_DIFFERS, REJECTED, UNDER_WAY, read_status_report

# No entities, nothing fetched, no depth without end: the file comes from outside.
PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
MOST_BYTES = 50 * 1024 * 1024


class AccountPaymentOrderStatus(models.Model):
    """The bank's status reports (pain.002) read back into the orders that they answer to."""

    _inherit = "account.payment.order"

    @api.model
    def _read_status_report(self, content, company):
        """Follow one report. Reading it again changes nothing.

        What it rejects is open again, and stands in the journal with the reason; what it names and no file
        holds stands there, too.

        :param content: bytes.
        :return: (account.payment.order, maybe none; the payments that are rejected now).
        :raise UserError: it is no status report, or its file was never released.
        """
        self.check_access("write")
        report = self._parse_status_report(content)
        # sudo: files are the system's
        files = self.env["emsp.payment.file"].sudo()
        file = files.search([("message_id", "=", report.original_id), ("company_id", "=", company.id)])
        if not file.order_id:
            self._open_unknown(company, report.original_id, report.original_id)
            return self.browse(), self.env["account.payment"]
        order = file.order_id.sudo(False)
        order.check_access("write")
        if file.state == "generated":
            raise UserError(
                self.env._(
                    "The bank answers to file %(message)s of %(order)s, which was not released here. "
                    "Release it first (File Successfully Uploaded), then read the report.",
                    message=file.message_id,
                    order=order.name,
                )
            )
        rejected = order._follow_report(report)
        order._note_file_status(file, report)
        return order, rejected

    @api.model
    def _parse_status_report(self, content):
        if len(content) > MOST_BYTES:
            raise UserError(self.env._("The file is too large for a status report."))
        try:
            return read_status_report(etree.fromstring(content, PARSER))
        except (etree.XMLSyntaxError, ValueError) as error:
            raise UserError(
                self.env._("This is no status report (pain.002) of a bank: %(reason)s", reason=error)
            ) from error

    def _follow_report(self, report):
        """:return: the payments that this report rejects for the first time."""
        statuses = self._status_by_payment(report)
        rejected = self.env["account.payment"]
        for payment, status in statuses.items():
            if status.code == REJECTED:
                reason = status.reasons[0] if status.reasons else None
                code, text = (reason.code, reason.text) if reason else ("", "")
                rejected |= payment._emsp_reject(code, text, status.code)
            elif status.code and not any(payment.payment_line_ids.mapped("emsp_outcome")):
                payment.emsp_bank_status = status.code
        facts = [payment._prepare_failed_fact() for payment in rejected]
        self.env["emsp.exception"]._open_all(facts)
        return rejected

    def _status_by_payment(self, report):
        """What the report says of each payment: by itself, else by its batch, else by the whole message.

        :return: dict account.payment -> Status.
        """
        statuses = dict.fromkeys(self.payment_ids, report.status) if report.status.code == REJECTED else {}
        for batch in report.batches:
            lot = self.payment_lot_ids.filtered(lambda each, batch=batch: each.name == batch.batch_id)
            if batch.status.code == REJECTED:
                statuses.update(dict.fromkeys(lot.payment_ids, self._with_reasons(batch.status, report)))
            for transaction in batch.transactions:
                payment = self._payment_named(transaction)
                if payment:
                    status = transaction.status
                    if status.code == REJECTED:
                        status = self._with_reasons(status, batch, report)
                    statuses[payment] = status
                else:
                    names = filter(None, (transaction.instruction_id, transaction.end_to_end_id))
                    self._open_unknown(self.company_id, report.original_id, " ".join(names) or "?")
        return statuses

    def _with_reasons(self, status, *levels):
        """A level without a reason of its own has that of the level above."""
        for level in levels:
            if not status.reasons:
                status = type(status)(status.code, level.status.reasons)
        return status

    def _payment_named(self, transaction):
        """:return: the one payment of the order that has these ids; none where they are unknown or differ."""
        found = self.payment_ids
        if not transaction.instruction_id and not transaction.end_to_end_id:
            return found.browse()
        if transaction.instruction_id:
            found = found.filtered(lambda payment: payment.memo == transaction.instruction_id)
        if transaction.end_to_end_id:
            found = found.filtered(lambda payment: payment.emsp_end_to_end_id == transaction.end_to_end_id)
        return found if len(found) == 1 else found.browse()

    def _note_file_status(self, file, report):
        """What became of the whole file, and the codes of the verification of payees, in the order's log."""
        failed = self.payment_line_ids.filtered(lambda line: line.emsp_outcome == "rejected")
        known = {status.code for status in self._all_statuses(report)} & UNDER_WAY
        state = file.state
        if failed and len(failed) == len(self.payment_line_ids):
            state = "rejected"
        elif failed:
            state = "partly_rejected"
        elif known and state == "released":
            state = "under_way"
        code = report.status.code or next((b.status.code for b in report.batches if b.status.code), "")
        if (state, code or file.bank_status) != (file.state, file.bank_status):
            file.write({"state": state, "bank_status": code or file.bank_status})
            self._message_log(
                body=self.env._(
                    "Status report of the bank for %(message)s: %(code)s; %(count)s of %(all)s payments "
                    "rejected.",
                    message=file.message_id,
                    code=code or "-",
                    count=len(failed),
                    all=len(self.payment_line_ids),
                )
            )
            self._note_other_names(report)

    def _note_other_names(self, report):
        for batch in report.batches:
            for transaction in batch.transactions:
                payment = self._payment_named(transaction)
                if payment and transaction.status.code in NAME_DIFFERS:
                    self._message_log(
                        body=self.env._(
                            "The payee's bank does not confirm that %(account)s belongs to %(name)s "
                            "(%(code)s).",
                            account=payment.partner_bank_id.acc_number,
                            name=payment.partner_bank_id.acc_holder_name or payment.partner_id.name,
                            code=transaction.status.code,
                        )
                    )

    @api.model
    def _all_statuses(self, report):
        yield report.status
        for batch in report.batches:
            yield batch.status
            yield from (transaction.status for transaction in batch.transactions)

    @api.model
    def _open_unknown(self, company, message_id, name):
        journal = self.env["emsp.exception"]._in_language_of(company)
        journal._open(
            "bank_answer",
            f"pain.002:{company.id}:{message_id}:{name}",
            name=journal.env._(
                "A status report of the bank names %(name)s in file %(message)s, which is not known here.",
                name=name,
                message=message_id,
            ),
            company_id=company.id,
            currency_id=company.currency_id.id,
        )
