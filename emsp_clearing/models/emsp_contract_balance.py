from odoo import api, fields, models
from odoo.tools import SQL

FIGURES = ("billed", "credited", "received", "open_amount", "overdue", "gap", "disputed")


class EmspContractBalance(models.Model):
    """What each contract and settlement was billed, has paid and still owes: read from the ledger each time.

    One row for each instalment of a document and each settlement that it bills. A document that bills
    several settlements is divided in proportion to the net amounts of their CDRs on it, such that the parts
    sum to the ledger exactly. Amounts are positive in the direction of the contract: what an eMSP owes us,
    what we owe a CPO. A row of its own holds what is disputed.

    Context `emsp_as_of` (date): the ledger as it stood at the end of that day; by default it is that of now.
    Context `emsp_contract_ids`: no more documents are read than those of these contracts.
    """

    _name = "emsp.contract.balance"
    _description = "Balance of contracts"
    _auto = False
    _order = "company_id, contract_id, date_due, id"
    _rec_name = "contract_id"
    _depends = {
        "account.move": ["state", "move_type", "reversed_entry_id", "emsp_settlement_ids"],
        "account.move.line": [
            "amount_currency",
            "amount_residual",
            "amount_residual_currency",
            "balance",
            "currency_id",
            "date",
            "date_maturity",
            "parent_state",
        ],
        "account.partial.reconcile": ["credit_amount_currency", "debit_amount_currency", "max_date"],
        "emsp.cdr": ["amount_untaxed", "move_id", "settlement_id"],
        "emsp.contract": ["partner_id", "partner_role", "user_id"],
        "emsp.dispute": ["contract_id", "disputed_amount", "is_open", "settlement_id"],
        "emsp.settlement": ["contract_id"],
        "res.currency": ["decimal_places"],
    }

    company_id = fields.Many2one("res.company", readonly=True)
    contract_id = fields.Many2one("emsp.contract", readonly=True)
    settlement_id = fields.Many2one("emsp.settlement", readonly=True)
    partner_id = fields.Many2one("res.partner", readonly=True)
    user_id = fields.Many2one("res.users", string="Responsible", readonly=True)
    partner_role = fields.Selection(
        [("emsp", "eMSP: it owes us"), ("cpo", "CPO: we owe it")], string="Direction", readonly=True
    )
    move_id = fields.Many2one("account.move", string="Document", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    date = fields.Date(string="Booked on", readonly=True)
    date_due = fields.Date(string="Due date", readonly=True)
    age_band = fields.Selection(
        [
            ("0", "Not due"),
            ("1", "1 to 30 days"),
            ("2", "31 to 60 days"),
            ("3", "61 to 90 days"),
            ("4", "More than 90 days"),
        ],
        string="Overdue for",
        readonly=True,
        help="Of what is open. Empty: nothing is.",
    )
    billed = fields.Monetary(readonly=True, help="Gross, by invoices.")
    credited = fields.Monetary(readonly=True, help="Gross, by credit notes.")
    received = fields.Monetary(
        string="Paid", readonly=True, help="Payments, and what was written off or netted."
    )
    open_amount = fields.Monetary(
        string="Open", readonly=True, help="Billed, less what was credited and paid."
    )
    overdue = fields.Monetary(readonly=True, help="Open, and past its due date.")
    gap = fields.Monetary(
        string="Paid short", readonly=True, help="Open on invoices that are paid or credited in part."
    )
    disputed = fields.Monetary(readonly=True, help="Net. Of sessions with an open dispute: not billed yet.")
    company_currency_id = fields.Many2one(related="company_id.currency_id", string="Company currency")
    open_company = fields.Monetary(
        string="Open in company currency", currency_field="company_currency_id", readonly=True
    )

    @property
    def _table_query(self):
        as_of = self.env.context.get("emsp_as_of")
        contracts = self.env.context.get("emsp_contract_ids")
        scope = SQL("TRUE") if contracts is None else SQL(OF_CONTRACTS, contracts=list(contracts))
        return SQL(
            """
            WITH documents AS (%(documents)s), weights AS (%(weights)s), items AS (%(items)s)
            SELECT row_number() OVER (ORDER BY cells.company_id, cells.line_id NULLS LAST,
                                      cells.settlement_id NULLS LAST, cells.dispute_id) AS id,
                   cells.company_id, k.id AS contract_id, cells.settlement_id, k.partner_id, k.user_id,
                   k.partner_role, cells.move_id, cells.currency_id, cells.date, cells.date_due,
                   CASE WHEN cells.open_amount = 0 THEN NULL
                        WHEN cells.days <= 0 THEN '0' WHEN cells.days <= 30 THEN '1'
                        WHEN cells.days <= 60 THEN '2' WHEN cells.days <= 90 THEN '3'
                        ELSE '4' END AS age_band,
                   cells.billed, cells.credited,
                   cells.billed - cells.credited - cells.open_amount AS received,
                   cells.open_amount,
                   CASE WHEN cells.days > 0 AND cells.open_amount > 0 THEN cells.open_amount ELSE 0 END
                        AS overdue,
                   CASE WHEN cells.is_partial THEN cells.open_amount ELSE 0 END AS gap,
                   cells.disputed, cells.open_company
              FROM (%(billed)s UNION ALL %(disputed)s) cells
              JOIN emsp_contract k ON k.id = cells.contract_id
            """,
            documents=SQL(DOCUMENTS, scope=scope),
            weights=WEIGHTS,
            items=_items_as_of(as_of) if as_of else ITEMS,
            billed=SQL(BILLED, today=as_of or fields.Date.context_today(self)),
            disputed=DISPUTED,
        )

    @api.model
    def _fill(self, records, name):
        """Set the fields `balance_*` of contracts or settlements, each in its currency.

        :param name: as for `_sums_by`.
        """
        sums_by = self._sums_by(name, records)
        for record in records:
            sums = sums_by.get((record, record.currency_id), {})
            for figure in FIGURES:
                field = f"balance_{figure.removesuffix('_amount')}"
                if field in record._fields:
                    record[field] = sums.get(figure, 0.0)

    @api.model
    def _sums_by(self, name, records):
        """:param name: "contract_id" or "settlement_id", the field of `records`.
        :return: dict (record, res.currency) -> dict figure -> sum, by one query.
        """
        contracts = records if name == "contract_id" else records.contract_id
        # sudo: who sees a contract or a settlement may know whether it is paid, as in `amount_residual`
        scoped = self.sudo().with_context(emsp_contract_ids=contracts.ids)
        groups = scoped._read_group(
            [(name, "in", records.ids)],
            [name, "currency_id"],
            [f"{figure}:sum" for figure in FIGURES],
        )
        return {
            (record.sudo(False), currency.sudo(False)): dict(zip(FIGURES, sums, strict=True))
            for record, currency, *sums in groups
        }


# Which settlements a document bills: a credit note that reverses one, those of the original.
DOCUMENTS = """
    SELECT m.id AS move_id, root.id AS root_id, m.move_type IN ('out_invoice', 'in_invoice') AS is_invoice,
           m.move_type, rel.settlement_id,
           COUNT(*) OVER (PARTITION BY m.id) AS settlements
      FROM account_move m
      JOIN account_move root
        ON root.id = CASE WHEN EXISTS (SELECT FROM emsp_settlement_move_rel r WHERE r.move_id = m.id)
                          THEN m.id ELSE m.reversed_entry_id END
      JOIN emsp_settlement_move_rel rel ON rel.move_id = root.id
     WHERE m.state = 'posted' AND m.move_type IN ('out_invoice', 'out_refund', 'in_invoice', 'in_refund')
       AND %(scope)s
"""
OF_CONTRACTS = """
    root.id IN (SELECT r.move_id FROM emsp_settlement_move_rel r
                  JOIN emsp_settlement s ON s.id = r.settlement_id
                 WHERE s.contract_id = ANY(%(contracts)s))
"""
# The share of each settlement: from what was given to those before it to what is given up to it. Only
# documents of several settlements look at CDRs. Where the weights sum to zero, the first settlement gets all.
WEIGHTS = SQL(
    """
    SELECT w.move_id, w.settlement_id, w.is_invoice, w.move_type,
           CASE WHEN w.whole = 0 THEN CASE WHEN w.position = 1 THEN 0 ELSE 1 END
                ELSE (w.until - w.weight) / w.whole END AS share_from,
           CASE WHEN w.whole = 0 THEN 1 ELSE w.until / w.whole END AS share_to
      FROM (SELECT v.*, SUM(v.weight) OVER (PARTITION BY v.move_id) AS whole,
                   SUM(v.weight) OVER (PARTITION BY v.move_id ORDER BY v.settlement_id) AS until,
                   row_number() OVER (PARTITION BY v.move_id ORDER BY v.settlement_id) AS position
              FROM (SELECT d.*,
                           CASE WHEN d.settlements = 1 THEN 1
                                ELSE COALESCE((SELECT SUM(round(c.amount_untaxed::numeric, 4))
                                                 FROM emsp_cdr c
                                                WHERE c.move_id = d.root_id
                                                  AND c.settlement_id = d.settlement_id), 0) END AS weight
                      FROM documents d) v) w
    """
)
ITEMS = SQL(
    """
    SELECT l.id, l.move_id, l.company_id, l.currency_id, l.date,
           COALESCE(l.date_maturity, l.date) AS date_due, l.amount_currency AS amount,
           l.amount_residual_currency AS residual, l.amount_residual AS residual_company
      FROM account_move_line l
      JOIN account_account a ON a.id = l.account_id
     WHERE l.parent_state = 'posted' AND a.account_type IN ('asset_receivable', 'liability_payable')
    """
)


def _items_as_of(day):
    """The same as it stood at the end of a day; what is open in company currency is that of the balance."""
    return SQL(
        """
        SELECT l.id, l.move_id, l.company_id, l.currency_id, l.date,
               COALESCE(l.date_maturity, l.date) AS date_due, l.amount_currency AS amount,
               l.amount_currency - done.amount AS residual, l.balance - done.balance AS residual_company
          FROM account_move_line l
          JOIN account_account a ON a.id = l.account_id,
               LATERAL (SELECT COALESCE(SUM(CASE WHEN p.debit_move_id = l.id THEN p.debit_amount_currency
                                                 ELSE -p.credit_amount_currency END), 0) AS amount,
                               COALESCE(SUM(CASE WHEN p.debit_move_id = l.id THEN p.amount
                                                 ELSE -p.amount END), 0) AS balance
                          FROM account_partial_reconcile p
                         WHERE (p.debit_move_id = l.id OR p.credit_move_id = l.id)
                           AND p.max_date <= %(day)s) done
         WHERE l.parent_state = 'posted' AND l.date <= %(day)s
           AND a.account_type IN ('asset_receivable', 'liability_payable')
        """,
        day=day,
    )


BILLED = """
    SELECT i.company_id, i.id AS line_id, NULL::int AS dispute_id, w.move_id, w.settlement_id, s.contract_id,
           i.currency_id, i.date, i.date_due, %(today)s::date - i.date_due AS days,
           w.is_invoice AND SUM(i.residual) OVER document NOT IN (0, SUM(i.amount) OVER document)
               AS is_partial,
           CASE WHEN w.is_invoice THEN part.amount ELSE 0 END AS billed,
           CASE WHEN w.is_invoice THEN 0 ELSE -part.amount END AS credited,
           part.residual AS open_amount, 0 AS disputed, part.residual_company AS open_company
      FROM weights w
      JOIN emsp_settlement s ON s.id = w.settlement_id
      JOIN items i ON i.move_id = w.move_id
      JOIN res_currency c ON c.id = i.currency_id
      JOIN res_company company ON company.id = i.company_id
      JOIN res_currency own ON own.id = company.currency_id,
           LATERAL (SELECT CASE WHEN w.move_type LIKE 'in%%' THEN -1 ELSE 1 END AS sign) side,
           LATERAL (SELECT side.sign * (round(i.amount * w.share_to, c.decimal_places)
                                        - round(i.amount * w.share_from, c.decimal_places)) AS amount,
                           side.sign * (round(i.residual * w.share_to, c.decimal_places)
                                        - round(i.residual * w.share_from, c.decimal_places)) AS residual,
                           side.sign * (round(i.residual_company * w.share_to, own.decimal_places)
                                        - round(i.residual_company * w.share_from, own.decimal_places))
                               AS residual_company) part
    WINDOW document AS (PARTITION BY w.move_id, w.settlement_id)
"""
DISPUTED = SQL(
    """
    SELECT d.company_id, NULL::int, d.id, NULL::int, d.settlement_id, d.contract_id, d.currency_id,
           NULL::date, NULL::date, NULL::int, FALSE, 0, 0, 0, d.disputed_amount, 0
      FROM emsp_dispute d
     WHERE d.is_open
    """
)
