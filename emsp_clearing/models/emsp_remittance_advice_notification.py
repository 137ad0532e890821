import re

from odoo import Command, api, models

NOTIFICATION = re.compile(rb"urn:iso:std:iso:20022:tech:xsd:camt\.054\.|ISO:camt\.054\.")


class EmspRemittanceAdviceNotification(models.Model):
    """Notifications of the bank (CAMT.054): what the batch entries of a statement are made of.

    They book nothing, because the statement (CAMT.053) books the same money. Each credit entry becomes an
    advice that splits the bank line of that amount and day.
    """

    _inherit = "emsp.remittance.advice"

    @api.model
    def _is_notification(self, content):
        return bool(NOTIFICATION.search(content[:2000]))

    @api.model
    def _load_notification(self, content):
        """:param content: of a well-formed CAMT.054 file.
        :return: the new advices; none for entries that are known, or that the statement has in detail."""
        importer = self.env["account.statement.import"]
        parsed = self.env["account.statement.import.camt.parser"].parse(content)
        advices = self.browse()
        for currency_code, account_number, statements in parsed if isinstance(parsed, list) else [parsed]:
            currency = importer._match_currency(currency_code)
            journal = importer._match_journal(account_number, currency)
            for statement in statements:
                for entry_key, transactions in self._entries_of(statement).items():
                    if self._is_needed(journal, account_number, entry_key, transactions):
                        advices |= self._create_from_entry(
                            journal, currency, statement["name"], entry_key, transactions
                        )
        return advices

    @api.model
    def _entries_of(self, statement):
        """:return: dict key of the entry -> its transactions; the parser numbers them behind the key."""
        entries = {}
        for transaction in statement["transactions"]:
            entry_key = transaction["unique_import_id"].rsplit("/", 2)[0]
            entries.setdefault(entry_key, []).append(transaction)
        return entries

    @api.model
    def _is_needed(self, journal, account_number, entry_key, transactions):
        """Not for money that goes out, for what is loaded, and for what the statement itself splits."""
        if sum(transaction["amount"] for transaction in transactions) <= 0:
            return False
        key = f"{journal.id}/{entry_key}"
        # sudo: who may import bank files may load their details.
        if self.sudo().search_count(
            [("company_id", "=", journal.company_id.id), ("import_key", "=", key)], limit=1
        ):
            return False
        account = journal._sanitize_bank_account_number(account_number)
        parts = [f"{account}-{journal.id}-{entry_key}/{part}/1" for part in range(2, len(transactions) + 1)]
        # sudo: as in _find_payment.
        lines = self.env["account.bank.statement.line"].sudo()
        return not lines.search_count([("unique_import_id", "in", parts)], limit=1)

    @api.model
    def _create_from_entry(self, journal, currency, name, entry_key, transactions):
        rows = [
            {
                "number": number,
                "reference": self._reference_of(transaction),
                "amount": transaction["amount"],
                "text": transaction.get("partner_name"),
            }
            for number, transaction in enumerate(transactions, start=1)
        ]
        # sudo: as in _is_needed.
        return self.sudo().create(
            {
                "name": name,
                "company_id": journal.company_id.id,
                "currency_id": currency.id,
                "journal_id": journal.id,
                "date": transactions[0]["date"][:10],
                "import_key": f"{journal.id}/{entry_key}",
                "line_ids": [Command.create(row) for row in rows],
            }
        )

    @api.model
    def _reference_of(self, transaction):
        names = ("emsp_creditor_reference", "emsp_end_to_end_id", "payment_ref")
        texts = dict.fromkeys(transaction.get(name) or "" for name in names)
        return " ".join(text for text in texts if text and text != "/") or "/"
