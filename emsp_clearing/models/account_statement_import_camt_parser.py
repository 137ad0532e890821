import hashlib
from collections import Counter
from decimal import Decimal, InvalidOperation

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import float_compare

# Balance types (ISO 20022 external code set), as the importer takes them.
OPENING_CODES = {"OPBD", "PRCD", "ITBD"}
CLOSING_CODES = {"CLBD", "ITBD"}
# ISO 20022 says so where the payer gave no end-to-end id.
NOT_PROVIDED = "NOTPROVIDED"
# Ends the booking key of an entry that the bank gives a reference of its own.
BY_REFERENCE = "/ref"


class AccountStatementImportCamtParser(models.AbstractModel):
    """CAMT.05x entries that are booked once, at the amount the bank booked, with their references."""

    _inherit = "account.statement.import.camt.parser"

    def parse(self, data):
        """EXTENDS account_statement_import_camt, which returns one account for the whole file.

        :return: (currency, account number, statements), or a list of them when the file has several.
        """
        currency, account_number, statements = super().parse(data)
        by_account = {}
        for statement in statements:
            by_account.setdefault(statement.pop("emsp_account"), []).append(statement)
        if len(by_account) < 2:
            return currency, account_number, statements
        return [(*account, its_statements) for account, its_statements in by_account.items()]

    def parse_statement(self, ns, node):
        statement = super().parse_statement(ns, node)
        self._drop_unstated_balances(ns, node, statement)
        statement["emsp_account"] = (statement.get("currency"), statement.get("account_number"))
        seen = Counter()
        for transaction in statement["transactions"]:
            # Two equal entries of one statement are two entries: number them.
            key = transaction["unique_import_id"]
            seen[key] += 1
            transaction["unique_import_id"] = f"{key}/{seen[key]}"
        return statement

    def _drop_unstated_balances(self, ns, node, statement):
        """A balance that the bank does not state is not zero: nothing is checked against it."""
        codes = {"balance_start": OPENING_CODES, "balance_end_real": CLOSING_CODES}
        stated = self._text(ns, node, "./ns:Bal/ns:Tp/ns:CdOrPrtry/ns:Cd").split()
        for name, its_codes in codes.items():
            if not its_codes.intersection(stated):
                del statement[name]

    def parse_entry(self, ns, node):
        """Yield the transactions of a booked entry, each with a key that is the same in every file.

        :raise UserError: when the entry lacks its amount, its direction or its booking date.
        """
        if self._text(ns, node, "./ns:Sts/ns:Cd | ./ns:Sts[not(ns:Cd)]") not in ("", "BOOK"):
            return
        self._check_entry(ns, node)
        transactions = self._as_booked(ns, node, list(super().parse_entry(ns, node)))
        code = self._bank_code(ns, node)
        for part, transaction in enumerate(transactions, start=1):
            transaction["emsp_bank_code"] = transaction.get("emsp_bank_code") or code
            transaction["unique_import_id"] = f"{self._entry_key(ns, node)}/{part}"
            transaction["emsp_booking_key"] = self._booking_key(ns, node, transaction)
        yield from transactions

    def parse_transaction_details(self, ns, node, transaction):
        """EXTENDS account_statement_import_camt: keep every reference and the payer's own text."""
        result = super().parse_transaction_details(ns, node, transaction)
        if self._text(ns, node, "../../ns:RvslInd") == "true":
            self._take_party_of_reversal(ns, node, transaction)
        transaction["emsp_bank_code"] = self._bank_code(ns, node)
        transaction["emsp_return_reason"] = self._text(
            ns, node, "./ns:RtrInf/ns:Rsn/ns:Cd | ./ns:RtrInf/ns:Rsn/ns:Prtry"
        )
        end_to_end_id = self._text(ns, node, "./ns:Refs/ns:EndToEndId")
        transaction["emsp_creditor_reference"] = self._text(
            ns, node, "./ns:RmtInf/ns:Strd/ns:CdtrRefInf/ns:Ref"
        )
        transaction["emsp_end_to_end_id"] = "" if end_to_end_id == NOT_PROVIDED else end_to_end_id
        unstructured = self._text(ns, node, "./ns:RmtInf/ns:Ustrd")
        documents = self._text(ns, node, "./ns:RmtInf/ns:Strd/ns:RfrdDocInf/ns:Nb")
        label = " ".join(filter(None, (unstructured, documents)))
        if label:
            transaction["payment_ref"] = label
        elif transaction["payment_ref"] == "/":
            transaction["payment_ref"] = transaction["emsp_creditor_reference"] or "/"
        return result

    def _take_party_of_reversal(self, ns, node, transaction):
        """A reversal names the parties of the payment that it takes back: the other one is not us."""
        is_credit = self._text(ns, node, "../../ns:CdtDbtInd") == "CRDT"
        party = "Cdtr" if is_credit else "Dbtr"
        found = {
            "partner_name": f"./ns:RltdPties/ns:{party}/ns:Nm | ./ns:RltdPties/ns:{party}/ns:Pty/ns:Nm",
            "account_number": f"./ns:RltdPties/ns:{party}Acct/ns:Id/ns:IBAN",
        }
        for name, xpath in found.items():
            transaction.pop(name, None)
            text = self._text(ns, node, xpath)
            if text:
                transaction[name] = text

    def _bank_code(self, ns, node):
        """BkTxCd: "PMNT-RCDT-ESCT", else the bank's own code."""
        domain = self._text(
            ns,
            node,
            "./ns:BkTxCd/ns:Domn/ns:Cd | ./ns:BkTxCd/ns:Domn/ns:Fmly/ns:Cd "
            "| ./ns:BkTxCd/ns:Domn/ns:Fmly/ns:SubFmlyCd",
        )
        return "-".join(domain.split()) or self._text(ns, node, "./ns:BkTxCd/ns:Prtry/ns:Cd")

    def _text(self, ns, node, xpath):
        """The texts found, joined by a space; empty when there are none."""
        found = node.xpath(xpath, namespaces={"ns": ns})
        return " ".join(filter(None, ((element.text or "").strip() for element in found)))

    def _check_entry(self, ns, node):
        problem = False
        try:
            Decimal(self._text(ns, node, "./ns:Amt"))
        except InvalidOperation:
            problem = self.env._("its amount (Amt) is missing or no number")
        if self._text(ns, node, "./ns:CdtDbtInd") not in ("CRDT", "DBIT"):
            problem = self.env._("it says neither CRDT nor DBIT (CdtDbtInd)")
        if not self._booking_date(ns, node):
            problem = self.env._("its booking date (BookgDt) is missing")
        if problem:
            raise UserError(
                self.env._(
                    "Entry %(number)s of statement %(statement)s (line %(line)s) cannot be booked: "
                    "%(problem)s. Nothing was imported.",
                    number=len(node.xpath("preceding-sibling::ns:Ntry", namespaces={"ns": ns})) + 1,
                    statement=self._text(ns, node, "../ns:Id"),
                    line=node.sourceline,
                    problem=problem,
                )
            )

    def _as_booked(self, ns, node, transactions):
        """Book what the bank booked: details without amounts, or in another currency, do not add up."""
        booked = self.parse_amount(ns, node)
        total = sum(transaction["amount"] for transaction in transactions)
        if float_compare(total, booked, precision_digits=3) == 0:
            return transactions
        transaction = transactions[0]
        if len(transactions) > 1:
            transaction["payment_ref"] = " ".join(t["payment_ref"] for t in transactions)
            transaction["emsp_creditor_reference"] = transaction["emsp_end_to_end_id"] = ""
        return [{**transaction, "amount": booked}]

    def _entry_key(self, ns, node):
        """What names an entry in every file that holds it.

        AcctSvcrRef is the bank's own reference, the same in the daily and in the monthly file. Without
        it, the statement's id and the entry's place in it are all there is.
        """
        reference = self._text(ns, node, "./ns:AcctSvcrRef")
        if not reference:
            place = len(node.xpath("preceding-sibling::ns:Ntry", namespaces={"ns": ns})) + 1
            reference = f"{self._text(ns, node, '../ns:Id')}#{place}"
        amount = Decimal(self._text(ns, node, "./ns:Amt")).normalize()
        return f"{reference}/{self._booking_date(ns, node)}/{amount:f}"

    def _booking_key(self, ns, node, transaction):
        """What the transaction says, whatever statement says it: equal ones may be one booking."""
        names = ("account_number", "payment_ref", "emsp_end_to_end_id", "emsp_creditor_reference")
        said = [
            self._booking_date(ns, node),
            self._text(ns, node, "./ns:ValDt/ns:Dt | ./ns:ValDt/ns:DtTm")[:10],
            f"{transaction['amount']:.3f}",
            *("".join((transaction.get(name) or "").split()) for name in names),
        ]
        digest = hashlib.sha256("\n".join(said).encode()).hexdigest()[:32]
        return digest + (BY_REFERENCE if self._text(ns, node, "./ns:AcctSvcrRef") else "")

    def _booking_date(self, ns, node):
        return self._text(ns, node, "./ns:BookgDt/ns:Dt | ./ns:BookgDt/ns:DtTm")[:10]
