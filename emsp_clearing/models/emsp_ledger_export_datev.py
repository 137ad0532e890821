from itertools import groupby

from odoo import fields, models
from odoo.exceptions import UserError

from ..core.datev import MAX_ROWS, Batch, Item, Voucher, encode, header, is_personal_account, rows
from ..core.money import ZERO, to_float

# Items of these accounts go out under the number of the partner.
PERSONAL_ACCOUNTS = {"asset_receivable": "emsp_datev_debtor", "liability_payable": "emsp_datev_creditor"}


class EmspLedgerExportDatev(models.Model):
    """DATEV format "Buchungsstapel": an entry as rows of two accounts each."""

    _inherit = "emsp.ledger.export"

    def _export_to(self, file):
        if self.kind != "datev":
            return super()._export_to(file)
        batch = self._datev_batch()
        vals = self._take_entries()
        file.write(encode(header(batch)))
        keys, personal = self._datev_keys(), self._datev_personal_accounts()
        debit = credit = ZERO
        count = 0
        # One entry at a time: Odoo's own groupby has all of them in memory.
        entries = groupby(self._rows(), key=lambda row: row["move_id"])  # pylint: disable=bad-builtin-groupby
        for __, group in entries:
            entry = list(group)
            debit += sum((row["debit"] for row in entry), ZERO)
            credit += sum((row["credit"] for row in entry), ZERO)
            for line in self._datev_rows(entry, batch, keys, personal):
                file.write(encode(line))
                count += 1
        if count > MAX_ROWS:
            raise UserError(
                self.env._(
                    "A DATEV file holds %(limit)s rows, and these are %(count)s: export a shorter period.",
                    limit=MAX_ROWS,
                    count=count,
                )
            )
        name = f"EXTF_Buchungsstapel_{self.date_first:%Y%m%d}_{self.date_last:%Y%m%d}.csv"
        return {**vals, "file_name": name, "amount_debit": to_float(debit), "amount_credit": to_float(credit)}

    def _datev_rows(self, entry, batch, keys, personal):
        """:param entry: rows of one journal entry. :return: iterator of lines"""
        first = entry[0]
        voucher = Voucher(
            day=first["date"],
            number=self._datev_number(first),
            text=next(
                (row["partner_name"] for row in entry if row["partner_name"]), first["reference"] or ""
            ),
            due=min((row["date_due"] for row in entry if row["date_due"]), default=None),
        )
        items = [
            Item(
                account=self._datev_personal_account(row, personal) or self._datev_account(row),
                balance=row["balance"],
                key=next((keys[tax] for tax in row["tax_ids"] if tax in keys), ""),
                label=row["label"] or "",
            )
            for row in entry
        ]
        return rows(voucher, items, batch)

    def _datev_number(self, row):
        """The number that the document has for both sides: of a bill that of the vendor."""
        is_bill = row["move_type"] in ("in_invoice", "in_refund")
        return (row["reference"] if is_bill else None) or row["entry"] or ""

    def _datev_account(self, row):
        code, length = row["account_code"], self.company_id.emsp_datev_account_length
        # One digit more, and DATEV takes it for the account of a customer or supplier.
        if not code.isdecimal() or len(code) > length:
            raise UserError(
                self.env._(
                    "Account %(code)s %(name)s has no number that DATEV takes: digits alone, at most "
                    "%(length)s as the settings say.",
                    code=code,
                    name=row["account_name"],
                    length=length,
                )
            )
        return code

    def _datev_personal_accounts(self):
        """:return: dict (id of a commercial partner, type of account) -> its number."""
        # sudo: also partners that the person does not see have items in the ledger
        partners = self.env["res.partner"].sudo().with_company(self.company_id)
        found = partners.with_context(active_test=False).search(
            ["|", ("emsp_datev_debtor", "!=", False), ("emsp_datev_creditor", "!=", False)]
        )
        return {
            (partner.id, kind): partner[name]
            for partner in found
            for kind, name in PERSONAL_ACCOUNTS.items()
            if partner[name]
        }

    def _datev_personal_account(self, row, personal):
        """:return: number of the customer or supplier, "" where the collective account is the right one."""
        kind = row["account_type"]
        if kind not in PERSONAL_ACCOUNTS or not row["commercial_partner_id"]:
            return ""
        company = self.company_id
        number = personal.get((row["commercial_partner_id"], kind), "")
        is_debtor = kind == "asset_receivable"
        if number and not is_personal_account(number, company.emsp_datev_account_length, is_debtor=is_debtor):
            raise UserError(
                self.env._(
                    "The DATEV number %(number)s of %(partner)s is none: general ledger accounts have "
                    "%(length)s digits, so it has one more, and it begins with 1 to 6 for customers, with 7 "
                    "to 9 for suppliers.",
                    number=number,
                    partner=row["partner_name"],
                    length=company.emsp_datev_account_length,
                )
            )
        if not number and company.emsp_datev_needs_personal:
            raise UserError(
                self.env._(
                    "%(partner)s has no DATEV customer number. Write it on the partner, page Invoicing.",
                    partner=row["partner_name"],
                )
                if is_debtor
                else self.env._(
                    "%(partner)s has no DATEV supplier number. Write it on the partner, page Invoicing.",
                    partner=row["partner_name"],
                )
            )
        return number

    def _datev_keys(self):
        """:return: dict id of a tax -> its key."""
        taxes = self.env["account.tax"].with_context(active_test=False)
        found = taxes.search(
            [("company_id", "parent_of", self.company_id.id), ("emsp_datev_key", "!=", False)]
        )
        return {tax.id: tax.emsp_datev_key for tax in found}

    def _datev_batch(self):
        company = self.company_id
        if not company.emsp_datev_advisor or not company.emsp_datev_client:
            raise UserError(
                self.env._(
                    "Write the advisor and client numbers of %(company)s first: Accounting, Configuration, "
                    "Settings, Roaming clearing.",
                    company=company.name,
                )
            )
        year = company.compute_fiscalyear_dates(self.date_last)
        if self.date_first < year["date_from"]:
            raise UserError(
                self.env._(
                    "A DATEV file holds one fiscal year, because its rows have no year: export from "
                    "%(first)s.",
                    first=fields.Date.to_string(year["date_from"]),
                )
            )
        return Batch(
            advisor=company.emsp_datev_advisor,
            client=company.emsp_datev_client,
            year_start=year["date_from"],
            account_length=company.emsp_datev_account_length,
            first=self.date_first,
            last=self.date_last,
            label=self.layout_id.name,
            currency=company.currency_id.name,
            is_locked=company.emsp_datev_is_locked,
            created_at=fields.Datetime.now(),
        )
