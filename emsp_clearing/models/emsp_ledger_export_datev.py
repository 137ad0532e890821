from itertools import groupby

from odoo import fields, models
from odoo.exceptions import UserError

from ..core.datev import Batch, Item, Voucher, encode, header, rows
from ..core.money import ZERO, to_float


class EmspLedgerExportDatev(models.Model):
    """DATEV format "Buchungsstapel": an entry as rows of two accounts each."""

    _inherit = "emsp.ledger.export"

    def _export_to(self, file):
        if self.kind != "datev":
            return super()._export_to(file)
        batch = self._datev_batch()
        vals = self._take_items()
        file.write(encode(header(batch)))
        keys = self._datev_keys()
        debit = credit = ZERO
        for __, group in groupby(self._rows(), key=lambda row: row["move_id"]):
            entry = list(group)
            debit += sum((row["debit"] for row in entry), ZERO)
            credit += sum((row["credit"] for row in entry), ZERO)
            for line in self._datev_rows(entry, batch, keys):
                file.write(encode(line))
        name = f"EXTF_Buchungsstapel_{self.date_first:%Y%m%d}_{self.date_last:%Y%m%d}.csv"
        return {**vals, "file_name": name, "amount_debit": to_float(debit), "amount_credit": to_float(credit)}

    def _datev_rows(self, entry, batch, keys):
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
                account=self._datev_account(row),
                balance=row["balance"],
                key=next((keys[tax] for tax in row["tax_ids"] if tax in keys), ""),
                label=row["label"] or "",
            )
            for row in entry
        ]
        try:
            yield from rows(voucher, items, batch)
        except ValueError as error:
            raise UserError(
                self.env._(
                    "Entry %(entry)s was changed after a part of it was exported. Export the period "
                    "again, with the tick.",
                    entry=first["entry"],
                )
            ) from error

    def _datev_number(self, row):
        """The number that the document has for both sides: of a bill that of the vendor."""
        is_bill = row["move_type"] in ("in_invoice", "in_refund")
        return (row["reference"] if is_bill else None) or row["entry"] or ""

    def _datev_account(self, row):
        code = row["account_code"]
        if not code.isdigit() or len(code) > 9:
            raise UserError(
                self.env._(
                    "Account %(code)s %(name)s has no number that DATEV takes: digits alone, at most 9.",
                    code=code,
                    name=row["account_name"],
                )
            )
        return code

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
