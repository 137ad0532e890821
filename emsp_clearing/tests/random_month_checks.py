"""What the product says after a part of the month, beside what the model says. `month` is a `Month`."""

from collections import Counter

from odoo.tools import SQL

from .random_month_common import BEGIN, PARTNER_OF, RATES
from .random_month_model import CENT, ZERO, cents

ACCOUNT_TYPES = ("asset_receivable", "liability_payable")
KINDS = ("gap", "late", "unmatched", "returned", "disputed_paid")


def same(month, found, expected, what):
    """Compare two dicts; those that differ are told by their names."""
    keys = [key for key in {**found, **expected} if found.get(key) != expected.get(key)]
    told = "\n".join(f"  {name(month, key)}: {found.get(key)}, not {expected.get(key)}" for key in keys)
    month.case.assertFalse(keys, f"{what} at {month.now}:\n{told}")


def name(month, key):
    parts = key if isinstance(key, tuple) else (key,)
    return ", ".join(str(getattr(part, "display_name", part)) for part in parts)


# --- Ledger -------------------------------------------------------------------------------------


def check_ledger(month):
    """Balances by partner, what is open by document, the bank and its suspense account."""
    model = month.model
    month.env.flush_all()
    balances, residuals = Counter(), {}
    rows = month.env.execute_query(
        SQL(
            """
            SELECT p.commercial_partner_id, a.account_type, l.move_id, m.move_type,
                   SUM(l.balance), SUM(l.amount_residual)
              FROM account_move_line l
              JOIN account_move m ON m.id = l.move_id
              JOIN account_account a ON a.id = l.account_id
              JOIN res_partner p ON p.id = l.partner_id
             WHERE l.parent_state = 'posted' AND l.company_id = %s AND a.account_type IN %s
          GROUP BY 1, 2, 3, 4
            """,
            month.case.company.id,
            ACCOUNT_TYPES,
        )
    )
    for partner, account_type, move, move_type, balance, residual in rows:
        balances[partner, account_type] += cents(balance)
        if move_type != "entry":
            residuals[move] = abs(cents(residual))
    partners = {key: month.case.partners[key].id for key in RATES}
    expected = {(partners[key], ACCOUNT_TYPES[0]): owed for key, owed in model.owed.items() if owed}
    expected |= {(partners[key], ACCOUNT_TYPES[1]): -owed for key, owed in model.payable.items() if owed}
    same(month, {key: amount for key, amount in balances.items() if amount}, expected, "Ledger")
    same(month, residuals, {month.records[doc].id: doc.left for doc in model.documents}, "Open by document")
    for partner, owed in model.owed.items():
        month.case.assertEqual(model.open_sum(partner), owed, partner)
    _check_bank(month)


def _check_bank(month):
    waiting = sum((one.amount for one in month.model.receipts if one.state == "open"), ZERO)
    waiting -= sum(
        (one.amount for one in month.model.returns if one.state == "open" and not one.document), ZERO
    )
    journal = month.case.journal
    for account, expected in (
        (journal.default_account_id, month.model.bank),
        (journal.suspense_account_id, -waiting),
    ):
        lines = month.env["account.move.line"]._read_group(
            [("account_id", "=", account.id), ("parent_state", "=", "posted")], [], ["balance:sum"]
        )
        month.case.assertEqual(cents(lines[0][0] or 0), expected, f"{account.display_name} at {month.now}")


# --- Settlements and contracts --------------------------------------------------------------------


def check_settlements(month):
    """Contracts and settlements as their screens show them."""
    month.env.invalidate_all()
    settlements = _settlements(month)
    open_shares = Counter()
    for week, settlement in settlements.items():
        documents = [doc for doc in month.model.documents if week in doc.shares]
        is_shared = any(len(doc.shares) > 1 for doc in documents)
        signed = sum((_sign(doc) * doc.left for doc in documents if not _is_by_hand(doc)), ZERO)
        month.case.assertEqual(cents(settlement.amount_residual), signed, f"{settlement.name}: open amount")
        open_shares[PARTNER_OF[week.contract]] += cents(settlement.balance_open)
        if not is_shared:
            expected = sum((_sign(doc) * doc.left for doc in documents), ZERO)
            month.case.assertEqual(cents(settlement.balance_open), expected, f"{settlement.name}: open share")
    for partner in RATES:
        _check_contracts(month, partner)
        documents = [doc for doc in month.model.documents if doc.partner == partner and doc.kind != "bill"]
        expected = sum((_sign(doc) * doc.left for doc in documents), ZERO)
        month.case.assertEqual(open_shares[partner], expected, f"{partner}: open shares")


def _settlements(month):
    """:return: dict week -> emsp.settlement, of the lists that the calendar has opened."""
    found = {}
    for week in month.model.weeks:
        its = month.case.contracts[week.contract].settlement_ids.sudo()
        settlement = its.filtered(lambda each, week=week: each.period_end == week.end)
        if settlement:
            month.case.assertEqual((settlement.cut_off_at, settlement.lock_at), (week.cut_off, week.lock))
            month.case.assertFalse(settlement.blocked_reason, settlement.name)
            found[week] = settlement
    return found


def _check_contracts(month, partner):
    """Each figure of the partner's contracts together, and each contract's by its share."""
    contracts = [party for party, its in PARTNER_OF.items() if its == partner]
    documents = [doc for doc in month.model.documents if doc.partner == partner and doc.kind != "bill"]
    found, expected = {}, {}
    for party in contracts:
        contract = month.case.contracts[party]
        for figure in ("billed", "credited", "received", "open", "overdue", "gap", "disputed"):
            found[figure] = found.get(figure, ZERO) + cents(contract[f"balance_{figure}"])
        for figure, amount in (("billed", "gross"), ("open", "left")):
            kinds = ("invoice",) if figure == "billed" else ("invoice", "credit_note")
            share = sum((_share(doc, party, amount) for doc in documents if doc.kind in kinds), ZERO)
            off = abs(cents(contract[f"balance_{figure}"]) - share)
            month.case.assertLess(off, CENT * (1 + len(documents)) if len(contracts) > 1 else CENT, party)
    invoices = [doc for doc in documents if doc.kind == "invoice"]
    notes = [doc for doc in documents if doc.kind == "credit_note"]
    expected["billed"] = sum((doc.gross for doc in invoices), ZERO)
    expected["credited"] = sum((doc.gross for doc in notes), ZERO)
    expected["received"] = sum((doc.received for doc in documents), ZERO)
    expected["open"] = sum((_sign(doc) * doc.left for doc in documents), ZERO)
    expected["overdue"] = sum((doc.left for doc in invoices if doc.due < month.today), ZERO)
    expected["gap"] = sum((doc.left for doc in invoices if doc.is_settled_in_part), ZERO)
    expected["disputed"] = sum(
        (
            session.net
            for session in month.model.sessions
            if session.state == "disputed" and session.contract in contracts
        ),
        ZERO,
    )
    same(month, found, expected, f"Contracts of {partner}")


def _share(doc, party, figure):
    whole = sum(doc.shares.values())
    own = sum(net for week, net in doc.shares.items() if week.contract == party)
    return _sign(doc) * getattr(doc, figure) * own / whole


def _sign(doc):
    return -1 if doc.kind == "credit_note" else 1


def _is_by_hand(doc):
    """A credit note that a person wrote bills no settlement; it is known by the invoice that it reverses."""
    return doc.corrects is not None and doc.shares is doc.corrects.shares


# --- Journal of exceptions ------------------------------------------------------------------------


def check_journal(month):
    """The open facts are those of the model, each once, with its amount; there are no others."""
    month.env.invalidate_all()
    model, records = month.model, month.records
    facts = month.env["emsp.exception"].search(
        [("company_id", "=", month.case.company.id), ("state", "=", "open")]
    )
    keys = [_key(fact) for fact in facts]
    twice = [key for key, times in Counter(keys).items() if times > 1]
    month.case.assertFalse(twice, "told twice")
    expected = {("late", records[doc]): left for doc, left in model.late(month.today).items()}
    expected |= {("short", records[doc]): left for doc, left in model.short().items()}
    for receipt in model.receipts:
        if receipt.state == "open":
            expected["unmatched", records[receipt]] = receipt.amount
        elif receipt.credit:
            expected["over", records[receipt]] = receipt.credit
    for back in model.returns:
        if back.state == "open":
            amount = back.receipt.amount if back.document else back.amount
            expected["returned", records[back]] = amount
    for (document, party), (__, net) in model.taken_back().items():
        expected["disputed_paid", records[document], month.case.contracts[party]] = net
    same(month, dict(zip(keys, map(cents, facts.mapped("amount")), strict=True)), expected, "Journal")


def _key(fact):
    if fact.kind == "gap":
        return (fact.direction, fact.move_id if fact.direction == "short" else fact.statement_line_id)
    if fact.kind == "disputed_paid":
        return (fact.kind, fact.move_id, fact.contract_id)
    if fact.kind in ("unmatched", "returned"):
        return (fact.kind, fact.statement_line_id)
    return (fact.kind, fact.move_id or fact.fact_key)


# --- Statements of account --------------------------------------------------------------------------


def check_statements(month):
    """What the PDF and the spreadsheet are made of: opening, movements, closing and what is open."""
    month.env.invalidate_all()
    for partner, owed in month.model.owed.items():
        wizard = month.env["emsp.account.statement"].create(
            {
                "partner_id": month.case.partners[partner].id,
                "company_id": month.case.company.id,
                "date_from": BEGIN.date(),
                "date_to": month.today,
            }
        )
        made = wizard._make()
        if not made:
            month.case.assertFalse(owed, partner)
            continue
        [(__, statement)] = made
        _check_statement(month, partner, statement)


def _check_statement(month, partner, statement):
    case, model = month.case, month.model
    case.assertEqual(statement.opening, month.openings.get(partner, ZERO), f"{partner}: opening")
    case.assertEqual(statement.closing, model.owed[partner], f"{partner}: closing")
    case.assertEqual(statement.opening + statement.debits - statement.credits, statement.closing)
    moved = Counter()
    for row in statement.rows:
        moved[row.movement.kind] += row.movement.amount
    documents = [doc for doc in model.documents if doc.partner == partner and doc.day >= BEGIN.date()]
    for kind in ("invoice", "credit_note"):
        billed = sum((_sign(doc) * doc.gross for doc in documents if doc.kind == kind), ZERO)
        case.assertEqual(moved[kind], billed, f"{partner}: {kind}")
    left = Counter(_sign(doc) * doc.left for doc in model.open_of(partner, "invoice", "credit_note"))
    left.update(-one.credit for one in model.receipts if one.partner == partner and one.credit)
    case.assertEqual(Counter(item.amount for item in statement.items), left, f"{partner}: open items")
    overdue = sum((doc.left for doc in model.open_of(partner, "invoice") if doc.due < month.today), ZERO)
    case.assertEqual(
        sum(item.amount for item in statement.items if item.amount > 0 and item.due < month.today), overdue
    )
