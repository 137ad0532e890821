from base64 import b64encode
from datetime import timedelta
from decimal import Decimal
from xml.sax.saxutils import escape

from .bank_common import OWN_IBAN
from .random_month_common import CHARGE, IBANS, RETURN_CHARGE, Month
from .random_month_model import ZERO, Receipt, Return, cents

CAMT = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>
<GrpHdr><MsgId>M{number}</MsgId><CreDtTm>{day}T22:00:00+01:00</CreDtTm></GrpHdr>
<Stmt><Id>STMT-{number}</Id><CreDtTm>{day}T22:00:00+01:00</CreDtTm>
<Acct><Id><IBAN>{iban}</IBAN></Id><Ccy>EUR</Ccy></Acct>{opening}{closing}{entries}</Stmt>
</BkToCstmrStmt></Document>"""
BALANCE = """<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{amount}</Amt>
<CdtDbtInd>{side}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"""
ENTRY = """<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
<BookgDt><Dt>{day}</Dt></BookgDt><ValDt><Dt>{day}</Dt></ValDt><AcctSvcrRef>{key}</AcctSvcrRef>
<NtryDtls><TxDtls><Refs><EndToEndId>{end_to_end}</EndToEndId></Refs><Amt Ccy="EUR">{amount}</Amt>
<CdtDbtInd>{side}</CdtDbtInd>{parties}<RmtInf>{remittance}</RmtInf>{returned}</TxDtls></NtryDtls></Ntry>"""

# Of the lines of a statement, those that pay a part; the others are of these kinds.
PARTS = 0.8
WHOLE = ("full", "full", "over", "several", "charged", "nameless", "unknown")


def side(amount):
    return "CRDT" if amount >= 0 else "DBIT"


class MonthBank(Month):
    """What goes through the bank: statements as files, what people book, collections and what comes back."""

    # --- Statements -----------------------------------------------------------------------------

    def import_statement(self, entries):
        """:param entries: list of dict: `amount`, and maybe text, reference, end_to_end, iban, name, reason.
        :return: the bank lines, in the order of the entries.
        """
        number = self.next_number("statement")
        opening = self.model.bank
        closing = opening + sum((entry["amount"] for entry in entries), ZERO)
        balances = (
            BALANCE.format(code=code, amount=abs(amount), side=side(amount), day=self.today)
            for code, amount in (("OPBD", opening), ("CLBD", closing))
        )
        content = CAMT.format(
            number=number,
            day=self.today,
            iban=OWN_IBAN,
            opening=next(balances),
            closing=next(balances),
            entries="".join(map(self._entry, entries)),
        )
        wizard = self.env["account.statement.import"].create(
            {
                "statement_file": b64encode(content.encode()),
                "statement_filename": f"statement-{number}.xml",
            }
        )
        statements = self.env["account.bank.statement"].browse(wizard._import_file()["statement_ids"])
        # In the month's own environment: Odoo compares each new one with all that are still held.
        lines = statements.line_ids.sorted("id").with_env(self.env)
        self.model.bank = closing
        self.case.assertEqual([cents(line.amount) for line in lines], [each["amount"] for each in entries])
        return lines

    def _entry(self, entry):
        amount = entry["amount"]
        party = "Dbtr" if amount > 0 else "Cdtr"
        parties = ""
        if entry.get("iban"):
            parties = (
                f"<RltdPties><{party}><Pty><Nm>{escape(entry.get('name') or 'X')}</Nm></Pty></{party}>"
                f"<{party}Acct><Id><IBAN>{entry['iban']}</IBAN></Id></{party}Acct></RltdPties>"
            )
        remittance = f"<Ustrd>{escape(entry['text'])}</Ustrd>" if entry.get("text") else ""
        if entry.get("reference"):
            remittance += (
                "<Strd><CdtrRefInf><Tp><CdOrPrtry><Cd>SCOR</Cd></CdOrPrtry></Tp>"
                f"<Ref>{entry['reference']}</Ref></CdtrRefInf></Strd>"
            )
        reason = entry.get("reason")
        return ENTRY.format(
            amount=abs(amount),
            side=side(amount),
            day=self.today,
            key=f"BK-{self.next_number('entry')}",
            end_to_end=entry.get("end_to_end") or "NOTPROVIDED",
            parties=parties,
            remittance=remittance,
            returned=f"<RtrInf><Rsn><Cd>{reason}</Cd></Rsn></RtrInf>" if reason else "",
        )

    # --- Payments -------------------------------------------------------------------------------

    def pay(self, rng, size):
        """A statement of payments of all kinds. A document that a line settles has no other line on it."""
        payable = [
            doc for doc in self.model.documents if doc.kind == "invoice" and doc.left and not doc.is_ordered
        ]
        rng.shuffle(payable)
        drafts, parts = [], []
        for __ in range(size):
            if rng.random() < PARTS:
                draft = self._draft_part(rng, payable)
                parts += draft[1].allocations if draft else []
            else:
                untouched = [doc for doc in payable if doc not in parts]
                draft = getattr(self, f"_draft_{rng.choice(WHOLE)}")(rng, untouched)
                payable = [doc for doc in payable if not draft or doc not in draft[1].allocations]
            if draft:
                drafts.append(draft)
        self.post(drafts)

    def post(self, drafts):
        """:param drafts: list of (kind, Receipt, entry, whether it must be matched)."""
        if not drafts:
            return
        lines = self.import_statement([entry for __, __, entry, __ in drafts])
        for line, (kind, receipt, entry, is_clear) in zip(lines, drafts, strict=True):
            self.records[receipt] = line
            self.model.receipts.append(receipt)
            self.outcomes[kind, line.emsp_match_state] += 1
            if line.is_reconciled:
                self.case.assertTrue(receipt.allocations, f"{entry} was matched: {line.emsp_match_reason}")
                self.model.book(receipt)
            elif is_clear:
                self.case.fail(f"{entry} was not matched: {line.emsp_match_reason}")
            self.count(kind)

    def _spelling(self, rng, document):
        """A reference as banks and payers hand it on. :return: (texts of an entry, whether it is clear)."""
        name = self.records[document].name
        bare = "".join(char for char in name if char.isalnum())
        spellings = (
            ({"text": name}, True),
            ({"text": f"VIR SEPA {name} MERCI"}, True),
            ({"end_to_end": name}, True),
            ({"text": f"RECHNUNG NR. {name.replace('/', '-')}"}, False),
            ({"text": f"Invoice {bare} dated {document.day}"}, False),
            ({"text": f"svwz+{name.lower()}"}, False),
            ({"text": f"EREF+NOTPROVIDED SVWZ+{name[:6]} {name[6:]}"}, False),
        )
        return rng.choice(spellings)

    def _draft(self, kind, rng, document, amount, iban=True, charge=ZERO):
        texts, is_clear = self._spelling(rng, document)
        receipt = Receipt(document.partner, amount, {document: min(amount + charge, document.left)}, charge)
        entry = {"amount": amount, **texts}
        if iban:
            entry |= {"iban": IBANS[document.partner], "name": f"{document.partner} Mobilite"}
        # Two open documents of one amount: the text and the amount may name different ones.
        twin = any(
            other is not document and other.left == amount and other.partner == document.partner
            for other in self.model.documents
        )
        return kind, receipt, entry, is_clear and not twin

    def _draft_part(self, rng, payable):
        fitting = [doc for doc in payable if doc.left > 20]
        if not fitting:
            return None
        document = rng.choice(fitting)
        # Small enough that all parts on one statement are not too much together.
        amount = cents(document.left * rng.randrange(50, 300) / 10_000)
        return self._draft("pay partly", rng, document, amount, iban=rng.random() < 0.8)

    def _draft_full(self, rng, payable):
        if not payable:
            return None
        document = payable[0]
        return self._draft("pay", rng, document, document.left, iban=rng.random() < 0.8)

    def _draft_over(self, rng, payable):
        if not payable:
            return None
        rest = Decimal(rng.randrange(100, 5000)) / 100
        document = payable[0]
        kind, receipt, entry, __ = self._draft("pay over", rng, document, document.left + rest)
        return kind, receipt, entry, False

    def _draft_charged(self, rng, payable):
        """Less what a bank kept."""
        fitting = [doc for doc in payable if doc.left > 5]
        if not fitting:
            return None
        document = fitting[0]
        charge = Decimal(rng.randrange(1, 1 + int(CHARGE * 100))) / 100
        return self._draft("pay less a charge", rng, document, document.left - charge, charge=charge)

    def _draft_several(self, rng, payable):
        if not payable:
            return None
        partner = payable[0].partner
        chosen = [doc for doc in payable if doc.partner == partner][:3]
        text = " ".join(self.records[doc].name for doc in chosen)
        amount = sum((doc.left for doc in chosen), ZERO)
        receipt = Receipt(partner, amount, {doc: doc.left for doc in chosen})
        entry = {"amount": amount, "text": text, "iban": IBANS[partner], "name": partner}
        return "pay several", receipt, entry, True

    def _draft_nameless(self, rng, payable):
        """No reference; the account is the partner's, and the amount that of one document."""
        if not payable:
            return None
        document = payable[0]
        receipt = Receipt(document.partner, document.left, {document: document.left})
        entry = {"amount": document.left, "text": "Recharge electrique", "iban": IBANS[document.partner]}
        return "pay without a reference", receipt, entry, False

    def _draft_unknown(self, rng, payable):
        amount = Decimal(rng.randrange(10_000_000, 90_000_000)) / 100
        return "pay unknown", Receipt(None, amount), {"amount": amount, "text": "MERCI"}, False

    # --- What people book -----------------------------------------------------------------------

    def book_by_hand(self, rng, size):
        """Somebody works through the journal: payments that were not matched, returns, and credits."""
        waiting = [one for one in self.model.receipts if one.state == "open" and one.allocations]
        for receipt in rng.sample(waiting, min(size, len(waiting))):
            self._book_receipt(receipt)
        returned = [one for one in self.model.returns if one.state == "open" and not one.document]
        for back in rng.sample(returned, min(size, len(returned))):
            self._book_return(back)
        credits = [one for one in self.model.receipts if one.credit and one.state == "booked"]
        for receipt in rng.sample(credits, min(size, len(credits))):
            self._spend_credit(rng, receipt)

    def _book_receipt(self, receipt):
        """On the reconcile screen: the documents are chosen, and the line is validated."""
        if any(doc.is_ordered for doc in receipt.allocations):
            return
        if any(doc.left < amount for doc, amount in receipt.allocations.items()):
            # What it was for was paid otherwise meanwhile: it waits.
            return
        if receipt.charge or sum(receipt.allocations.values()) != receipt.amount:
            return
        line = self.records[receipt].with_prefetch()
        for document in receipt.allocations:
            item = self.item_of(document)
            chosen = line.reconcile_data_info["data"]
            if item.id not in [row.get("id") for row in chosen]:
                line._add_account_move_line(item, keep_current=True)
        line.reconcile_bank_line()
        self.case.assertTrue(line.is_reconciled)
        self.model.book(receipt, by_itself=False)
        self.count("book by hand")

    def _book_return(self, back):
        """The payment is taken off what it had settled, and the return is set against it."""
        items = self._receivables(self.records[back.receipt])
        items.remove_move_reconcile()
        line = self.records[back].with_prefetch()
        for item in items:
            line._add_account_move_line(item, keep_current=True)
        line.reconcile_bank_line()
        self.case.assertTrue(line.is_reconciled)
        self.model.give_back(back.receipt)
        back.state = "closed"
        self.count("book a return")

    def _spend_credit(self, rng, receipt):
        """As the invoice form offers: outstanding credits."""
        invoices = [doc for doc in self.model.open_of(receipt.partner, "invoice") if not doc.is_ordered]
        if not invoices:
            return
        invoice = rng.choice(invoices)
        item = self._receivables(self.records[receipt]).filtered(lambda item: not item.reconciled)
        self.records[invoice].js_assign_outstanding_line(item.id)
        self.model.spend_credit(receipt, invoice)
        self.count("spend a credit")

    def item_of(self, document):
        lines = self.records[document].line_ids
        return lines.filtered(
            lambda line: line.account_id.account_type in ("asset_receivable", "liability_payable")
        )

    def _receivables(self, line):
        return line.line_ids.filtered(lambda item: item.account_id.account_type == "asset_receivable")

    # --- What comes back ------------------------------------------------------------------------

    def give_back(self, rng, size):
        """The bank gives payments back: collections by their ids, others without."""
        drafts = []
        candidates = [
            one
            for one in self.model.receipts
            if one.state == "booked" and not one.charge and one.partner and not one.is_returned
        ]
        rng.shuffle(candidates)
        for receipt in candidates[:size]:
            receipt.is_returned = True
            drafts.append((receipt, self._return_entry(rng, receipt)))
        if not drafts:
            return
        lines = self.import_statement([entry for __, entry in drafts])
        for line, (receipt, entry) in zip(lines, drafts, strict=True):
            document = next(iter(receipt.allocations)) if receipt.is_collection else None
            back = Return(receipt, -entry["amount"], document)
            self.records[back] = line
            self.model.returns.append(back)
            self.case.assertEqual(line.is_reconciled, bool(document), entry)
            if document:
                self.model.give_back(receipt)
            self.count("return")

    def _return_entry(self, rng, receipt):
        if not receipt.is_collection:
            return {"amount": -receipt.amount, "text": "RUECKLASTSCHRIFT", "iban": IBANS[receipt.partner]}
        charge = RETURN_CHARGE if rng.random() < 0.3 else ZERO
        return {
            "amount": -receipt.amount - charge,
            "text": "SEPA return",
            "end_to_end": self.records[receipt].emsp_end_to_end_id,
            "reason": rng.choice(("AM04", "MD06", "AC04")),
        }

    def collect(self):
        """Release a direct debit of what is open; the bank books the collections one by one."""
        self._allow_another_try()
        documents = [doc for doc in self.model.open_of("Seine", "invoice") if not doc.is_ordered]
        if not documents:
            return
        moves = self.env["account.move"].union(*(self.records[doc] for doc in documents))
        self._hand_over(moves.filtered(lambda move: not move._sent_on()))
        orders = self.env["account.payment.order"].with_company(self.case.company)
        orders = orders._propose(self.case.company, self.today)
        self.case.assertEqual(orders.payment_line_ids.move_line_id.move_id, moves)
        for order in orders:
            order.draft2open()
            order.open2generated()
            order.generated2uploaded()
        for payment in orders.payment_ids:
            [document] = [
                doc for doc in documents if self.records[doc] == payment.payment_line_ids.move_line_id.move_id
            ]
            document.is_ordered = True
            self.collections.append((document, document.left, payment.emsp_end_to_end_id))
        self.count("collect", len(documents))

    def _allow_another_try(self):
        """What came back is collected again once somebody has closed the exception."""
        journal = self.env["emsp.exception"]
        for back in self.model.returns:
            if back.document and back.state == "open":
                key = [("kind", "=", "returned"), ("statement_line_id", "=", self.records[back].id)]
                fact = journal.search(key)
                fact.close_reason = "The account was short; it is tried again"
                fact.action_close()
                back.state = "closed"

    def _hand_over(self, moves):
        # sudo: deliveries are the system's
        self.env["emsp.settlement.delivery"].sudo().create(
            [
                {
                    "move_id": move.id,
                    "channel": "mail",
                    "state": "handed_over",
                    "handed_over_at": self.now - timedelta(days=1),
                }
                for move in moves
            ]
        )

    def book_collections(self):
        drafts = []
        for document, amount, end_to_end in self.collections:
            receipt = Receipt(document.partner, amount, {document: amount}, is_collection=True)
            drafts.append(("collected", receipt, {"amount": amount, "end_to_end": end_to_end}, True))
            document.is_ordered = False
        self.collections = []
        self.post(drafts)
