from collections import defaultdict
from dataclasses import dataclass

from odoo import api, models
from odoo.tools import SQL

from odoo.addons.base.models.res_bank import sanitize_account_number

from ..core.matching import AdviceLine, OpenItem, Payment
from ..core.money import ZERO, from_float

# Money in pays these, money out the others.
INBOUND_TYPES = ("out_invoice", "in_refund")
DOCUMENT_TYPES = (*INBOUND_TYPES, "out_refund", "in_invoice")


@dataclass(slots=True)
class OpenDocument:
    """An open item of the core, with the journal items behind it, those due first at first.

    `overlaps`: keys of what stands for the same money in another way: a payment order and its transfers.
    `prefetch_ids`: journal items that are read together with these.
    """

    item: OpenItem
    line_ids: tuple[int, ...]
    is_inbound: bool
    is_credit_note: bool = False
    overlaps: tuple[int | str, ...] = ()
    prefetch_ids: tuple[int, ...] = ()


class AccountBankStatementLineCandidates(models.Model):
    """What the lines of a batch may be payments of, and who paid them: read in a few queries for all."""

    _inherit = "account.bank.statement.line"

    # --- Payers -----------------------------------------------------------------------------------

    @api.model
    def _complete_partners(self, vals_list):
        """Set the partner on new lines that come with a bank account or a payer's name, where only one fits.

        The partner stands in the books from the first moment on, so nothing is written twice.
        """
        open_vals = [vals for vals in vals_list if not vals.get("partner_id")]
        companies = self.env["account.journal"].browse(
            {vals["journal_id"] for vals in open_vals if vals.get("journal_id")}
        )
        company_by_journal = {journal.id: journal.company_id for journal in companies}
        by_company = defaultdict(list)
        for vals in open_vals:
            company = company_by_journal.get(vals.get("journal_id"), self.env.company)
            by_company[company].append(vals)
        for company, its_vals in by_company.items():
            accounts = self._partners_by_account([vals.get("account_number") for vals in its_vals], company)
            names = self._partners_by_name([vals.get("partner_name") for vals in its_vals], company)
            for vals in its_vals:
                found = accounts.get(sanitize_account_number(vals.get("account_number")))
                found = found or names.get((vals.get("partner_name") or "").strip().lower(), ())
                if len(found) == 1:
                    [vals["partner_id"]] = found

    def _retrieve_partner(self):
        """OVERRIDE account_reconcile_oca, which takes the first of all that resemble the account or name.

        :return: nothing; the partner is set where exactly one has this account, or else this very name.
        """
        if self.env.context.get("skip_retrieve_partner"):
            return
        for line in self.filtered(lambda line: not line.partner_id and not line.is_reconciled):
            vals = {
                "journal_id": line.journal_id.id,
                "account_number": line.account_number,
                "partner_name": line.partner_name,
            }
            self._complete_partners([vals])
            if vals.get("partner_id"):
                line.partner_id = vals["partner_id"]

    @api.model
    def _partners_by_account(self, numbers, company):
        """:return: dict account number without blanks -> frozenset of ids of commercial partners."""
        wanted = {sanitize_account_number(number) for number in numbers if number}
        accounts = self.env["res.partner.bank"].search_fetch(
            [
                ("sanitized_acc_number", "in", list(wanted)),
                ("company_id", "in", [False, company.id]),
                ("partner_id.active", "=", True),
            ],
            ["sanitized_acc_number", "partner_id"],
        )
        found = defaultdict(set)
        for account in accounts:
            found[account.sanitized_acc_number].add(account.partner_id.commercial_partner_id.id)
        return {number: frozenset(partners) for number, partners in found.items()}

    @api.model
    def _partners_by_name(self, names, company):
        """:return: dict name in small letters -> set of ids of commercial partners called so."""
        wanted = list({name.strip().lower() for name in names if name and name.strip()})
        partner = self.env["res.partner"]
        query = partner._search([("company_id", "in", [False, company.id]), ("name", "!=", False)])
        name = partner._field_to_sql(query.table, "name", query)
        query.add_where(SQL("lower(%s) = ANY(%s)", name, wanted))
        commercial = partner._field_to_sql(query.table, "commercial_partner_id", query)
        found = defaultdict(set)
        if wanted:
            for key, partner_id in self.env.execute_query(query.select(SQL("lower(%s)", name), commercial)):
                found[key].add(partner_id)
        return found

    def _read_at_once(self):
        """Have the lines read by one query, and not by the thousand. :return: the lines."""
        self.fetch([name for name, field in self._fields.items() if field.store and field.column_type])
        self.move_id.fetch(["date", "ref", "partner_id", "company_id"])
        return self

    # --- Payments -----------------------------------------------------------------------------------

    def _payments(self):
        """:return: dict line id -> Payment of the core. All lines belong to one company."""
        company = self._read_at_once().company_id
        accounts = self._partners_by_account(self.mapped("account_number"), company)
        advised = self._advised_amounts()
        payments = {}
        for line in self:
            amount, currency = line._paid_amount()
            payments[line.id] = Payment(
                amount=from_float(amount, currency.decimal_places),
                currency=currency.name,
                day=line.date,
                texts=tuple(line._reference_texts()),
                payers=accounts.get(sanitize_account_number(line.account_number), frozenset()),
                hints=frozenset(line.partner_id.commercial_partner_id.ids),
                advice=tuple(AdviceLine(reference, paid) for reference, paid in advised.get(line.id, ())),
                charge_limit=line._charge_limit(currency),
            )
        return payments

    def _advised_amounts(self):
        """What remittance advices say about these lines; who loads advices fills it in.

        :return: dict line id -> list of (reference, Decimal).
        """
        return {}

    def _reference_texts(self):
        """:return: list of (source, text), the strongest evidence first."""
        texts = [
            ("creditor_reference", self.emsp_creditor_reference),
            ("end_to_end_id", self.emsp_end_to_end_id),
            ("reference", self.ref),
            ("label", self.payment_ref),
        ]
        return [(source, text) for source, text in texts if text]

    def _paid_amount(self):
        """:return: (amount, currency) in the currency in which the payer paid."""
        if self.foreign_currency_id:
            return abs(self.amount_currency), self.foreign_currency_id
        return abs(self.amount), self.currency_id

    def _charge_limit(self, currency):
        """What a bank may have kept of this payment, as a Decimal in its currency."""
        company = self.company_id
        if not company.emsp_charge_account_id:
            return ZERO
        limit = company.emsp_charge_limit
        if currency != company.currency_id:
            limit = company.currency_id._convert(limit, currency, company, self.date)
        return from_float(limit, currency.decimal_places)

    # --- What is open -------------------------------------------------------------------------------

    def _open_documents(self):
        """:return: dict key of the core -> OpenDocument, of the one company of the lines."""
        company = self._read_at_once().company_id
        documents = {}
        for key, rows in self._open_rows(company).items():
            residual = sum(row["residual"] for row in rows)
            currency = self.env["res.currency"].browse(rows[0]["currency_id"])
            if not currency.is_zero(residual):
                documents[key] = self._prepare_document(key, rows, residual, currency)
        documents.update(self._open_orders(company, documents))
        return documents

    @api.model
    def _prepare_document(self, key, rows, residual, currency):
        digits = currency.decimal_places
        [first, *others] = rows
        discount, until = ZERO, None
        if first["discount_date"] and not others and first["residual"] == first["amount_currency"]:
            discount = from_float(abs(residual - first["discount_amount_currency"]), digits)
            until = first["discount_date"]
        references = dict.fromkeys(text for row in rows for text in row["texts"] if text)
        item = OpenItem(
            key=key,
            references=tuple(references),
            payer=first["partner_id"],
            amount=from_float(abs(residual), digits),
            currency=currency.name,
            due=first["due"],
            discount=discount,
            discount_until=until,
        )
        line_ids = tuple(row["id"] for row in rows)
        return OpenDocument(item, line_ids, residual > 0, first["is_credit_note"])

    def _open_rows(self, company):
        """Open journal items of invoices, bills and credit notes, and of transfers under way.

        One query. :return: dict id of the journal entry -> list of dicts, the first due at first.
        """
        items = self.env["account.move.line"]
        items.flush_model()
        self.env["account.move"].flush_model()
        is_document = [
            ("account_id.account_type", "in", ("asset_receivable", "liability_payable")),
            ("move_id.move_type", "in", DOCUMENT_TYPES),
        ]
        is_under_way = [
            ("account_id.account_type", "not in", ("asset_receivable", "liability_payable")),
            ("account_id.reconcile", "=", True),
            ("payment_id", "!=", False),
        ]
        query = items._search(
            [
                ("company_id", "=", company.id),
                ("parent_state", "=", "posted"),
                ("reconciled", "=", False),
                "|",
                *["&", *is_document],
                *["&", "&", *is_under_way],
            ]
        )
        move = query.left_join(query.table, "move_id", "account_move", "id", "document")
        payment = query.left_join(query.table, "payment_id", "account_payment", "id", "transfer")
        # A customer's own reference, as of an order, says little; a vendor's number is what we pay by.
        vendors_number = SQL(
            "CASE WHEN %s IN ('in_invoice', 'in_refund') THEN %s END",
            SQL.identifier(move, "move_type"),
            SQL.identifier(move, "ref"),
        )
        discount_account = (
            company.account_journal_early_pay_discount_loss_account_id
            and company.account_journal_early_pay_discount_gain_account_id
        )
        columns = {
            "id": SQL.identifier(query.table, "id"),
            "move_id": SQL.identifier(query.table, "move_id"),
            "partner_id": SQL(
                "COALESCE(%s, %s)",
                SQL.identifier(move, "commercial_partner_id"),
                SQL.identifier(query.table, "partner_id"),
            ),
            "residual": SQL.identifier(query.table, "amount_residual_currency"),
            "amount_currency": SQL.identifier(query.table, "amount_currency"),
            "currency_id": SQL.identifier(query.table, "currency_id"),
            "due": SQL(
                "COALESCE(%s, %s)",
                SQL.identifier(query.table, "date_maturity"),
                SQL.identifier(query.table, "date"),
            ),
            "is_credit_note": SQL("%s IN ('out_refund', 'in_refund')", SQL.identifier(move, "move_type")),
            "discount_date": SQL.identifier(query.table, "discount_date")
            if discount_account
            else SQL("NULL::date"),
            "discount_amount_currency": SQL.identifier(query.table, "discount_amount_currency"),
            "texts": SQL(
                "ARRAY[%s, %s, %s, %s, %s]",
                SQL.identifier(move, "name"),
                SQL.identifier(move, "payment_reference"),
                vendors_number,
                SQL.identifier(payment, "name"),
                SQL.identifier(payment, "memo"),
            ),
        }
        rows = defaultdict(list)
        for values in self.env.execute_query(query.select(*columns.values())):
            row = dict(zip(columns, values, strict=True))
            rows[row["move_id"]].append(row)
        for its in rows.values():
            its.sort(key=lambda row: (row["due"], row["id"]))
        return rows

    @api.model
    def _open_orders(self, company, documents):
        """Payment orders whose transfers a bank may book as one sum, under the message id.

        :return: dict key -> OpenDocument of the orders of which all transfers are still open.
        """
        orders = self.env["account.payment.order"].search(
            [("company_id", "=", company.id), ("state", "=", "uploaded")]
        )
        by_line = {line: key for key, one in documents.items() for line in one.line_ids}
        found = {}
        for order in orders:
            lines = order.payment_ids.move_id.line_ids.filtered(lambda line: line.id in by_line)
            lines = lines or order.payment_line_ids.move_line_id
            keys = {by_line.get(line.id) for line in lines}
            if len(order.payment_line_ids) < 2 or not keys or None in keys:
                continue
            key = f"order-{order.id}"
            members = [documents[each] for each in sorted(keys)]
            if len({(member.item.currency, member.is_inbound) for member in members}) > 1:
                continue
            found[key] = self._prepare_order(key, order, members)
            for member in members:
                member.overlaps += (key,)
        return found

    @api.model
    def _prepare_order(self, key, order, members):
        first = members[0].item
        item = OpenItem(
            key=key,
            references=tuple(filter(None, (order.name, *order.payment_lot_ids.mapped("name")))),
            # Nobody's account tells of an order: it is known by its name alone.
            payer=key,
            amount=sum((member.item.amount for member in members), ZERO),
            currency=first.currency,
            due=first.due,
        )
        lines = tuple(line for member in members for line in member.line_ids)
        overlaps = tuple(member.item.key for member in members)
        return OpenDocument(item, lines, members[0].is_inbound, overlaps=overlaps)
