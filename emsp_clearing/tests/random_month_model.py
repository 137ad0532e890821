"""What a month of clearing must come to, worked out in plain Python: nothing here reads the product.

Amounts are Decimal and positive in the direction of their document.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

ZERO = Decimal(0)
CENT = Decimal("0.01")


def cents(amount):
    return Decimal(amount).quantize(CENT, ROUND_HALF_UP)


@dataclass(eq=False)
class Session:
    """A CDR. `state`: open, disputed, void, billed. `net` is negative for a credit."""

    number: str
    contract: str
    net: Decimal
    ended: datetime
    available: datetime
    state: str = "open"
    week: "Week | None" = None
    document: "Document | None" = None
    original: "Session | None" = None
    is_credited: bool = False
    is_disputed: bool = False


@dataclass(eq=False)
class Week:
    """A list of a contract; instants are naive UTC."""

    contract: str
    end: datetime
    cut_off: datetime
    lock: datetime
    state: str = "collecting"


@dataclass(eq=False)
class Document:
    """`shares`: net of each week that it bills, with its sign. `left`: open. `received`: paid, netted and
    written off. `credited`: set off between invoice and credit note."""

    kind: str
    partner: str
    net: Decimal
    gross: Decimal
    day: date
    due: date
    shares: dict = field(default_factory=dict)
    left: Decimal = ZERO
    received: Decimal = ZERO
    credited: Decimal = ZERO
    is_short: bool = False
    is_ordered: bool = False
    corrects: "Document | None" = None

    def __post_init__(self):
        self.left = self.gross

    @property
    def is_settled_in_part(self):
        return ZERO < self.left < self.gross


@dataclass(eq=False)
class Receipt:
    """A bank line: what of it settles which document, and what is left of it as a credit.

    `state`: open (not matched), booked, returned.
    """

    partner: str | None
    amount: Decimal
    allocations: dict = field(default_factory=dict)
    charge: Decimal = ZERO
    credit: Decimal = ZERO
    state: str = "open"
    is_collection: bool = False
    is_returned: bool = False


@dataclass(eq=False)
class Return:
    """A bank line that gives a receipt back. `document`: of a collection, whose fact names it."""

    receipt: Receipt
    amount: Decimal
    document: Document | None = None
    state: str = "open"


@dataclass
class Model:
    """`rates`: dict partner -> VAT rate. `owed`: what each partner owes us by the sum of all events."""

    rates: dict
    documents: list = field(default_factory=list)
    sessions: list = field(default_factory=list)
    weeks: list = field(default_factory=list)
    receipts: list = field(default_factory=list)
    returns: list = field(default_factory=list)
    owed: dict = field(default_factory=dict)
    payable: dict = field(default_factory=dict)
    bank: Decimal = ZERO
    events: Counter = field(default_factory=Counter)

    # --- Lists and documents --------------------------------------------------------------------

    def close_lists(self, now):
        """Cut-off: what was available by then and is on no other list is on this one."""
        for week in self.weeks:
            if week.state == "collecting" and week.cut_off <= now:
                week.state = "control"
                for session in self.sessions:
                    is_candidate = session.state == "open" and session.week is None
                    in_time = session.ended < week.end and session.available <= week.cut_off
                    if session.contract == week.contract and is_candidate and in_time:
                        session.week = week

    def lock_lists(self, now):
        """:return: the weeks that lock now; what is disputed on them leaves them."""
        weeks = [week for week in self.weeks if week.state == "control" and week.lock <= now]
        for week in weeks:
            week.state = "locked"
            for session in self.sessions:
                if session.week is week and session.state in ("disputed", "void"):
                    session.week = None
        return weeks

    def sessions_of(self, weeks):
        return [session for session in self.sessions if session.week in weeks and session.state == "open"]

    def bill(self, partner, sessions, day, due):
        """One document of these sessions. :return: it, or None where they sum to nothing."""
        net = sum((session.net for session in sessions), ZERO)
        if not net:
            return None
        shares = {}
        for session in sessions:
            shares[session.week] = shares.get(session.week, ZERO) + session.net
        kind = "invoice" if net > 0 else "credit_note"
        document = self.add_document(kind, partner, abs(net), day, due)
        document.shares = shares
        for session in sessions:
            session.state, session.document = "billed", document
        return document

    def add_document(self, kind, partner, net, day, due, corrects=None):
        gross = net + cents(net * self.rates[partner]) if kind != "bill" else net
        document = Document(kind, partner, net, gross, day, due, corrects=corrects)
        self.documents.append(document)
        if kind == "bill":
            self.payable[partner] = self.payable.get(partner, ZERO) + gross
        else:
            sign = 1 if kind == "invoice" else -1
            self.owed[partner] = self.owed.get(partner, ZERO) + sign * gross
        return document

    def set_off(self, note, invoice):
        """A credit note against an invoice, as far as both go."""
        amount = min(note.left, invoice.left)
        for document in (note, invoice):
            document.left -= amount
            document.credited += amount
        self._follow(invoice)

    # --- Money ----------------------------------------------------------------------------------

    def book(self, receipt, by_itself=True):
        """A receipt settles what it names; what it has too much stays a credit.

        :param by_itself: by the matching, which tells what is short; a person knows.
        """
        receipt.state = "booked"
        for document, amount in receipt.allocations.items():
            document.left -= amount
            document.received += amount
            document.is_short = document.is_short or (by_itself and bool(document.left))
            self._follow(document)
        settled = sum(receipt.allocations.values(), ZERO)
        receipt.credit = receipt.amount + receipt.charge - settled
        self.owed[receipt.partner] -= settled + receipt.credit

    def spend_credit(self, receipt, invoice):
        """What was paid too much, against another invoice."""
        amount = min(receipt.credit, invoice.left)
        receipt.credit -= amount
        receipt.allocations[invoice] = receipt.allocations.get(invoice, ZERO) + amount
        invoice.left -= amount
        invoice.received += amount
        self._follow(invoice)

    def give_back(self, receipt):
        """Money that came back to its payer: what it had settled is open again."""
        receipt.state = "returned"
        for document, amount in receipt.allocations.items():
            document.left += amount
            document.received -= amount
            self._follow(document)
        self.owed[receipt.partner] += sum(receipt.allocations.values(), ZERO) + receipt.credit
        receipt.credit = ZERO

    def plan_netting(self, partner):
        """Set off both sides: the smaller whole; of the larger credit notes first, then what is due first.
        A credit note of ours stands among what we owe.

        :return: (dict document -> what is cleared, what is cleared of each party's documents).
        """
        claims = self.open_of(partner, "invoice")
        owing = self.open_of(partner, "credit_note", "bill")
        volume = min(sum((doc.left for doc in claims), ZERO), sum((doc.left for doc in owing), ZERO))
        cleared = {}
        for side in (claims, owing):
            rest = volume
            for document in sorted(side, key=lambda each: (each.kind != "credit_note", each.due)):
                cleared[document] = min(document.left, rest)
                rest -= cleared[document]
        return cleared, sum((amount for doc, amount in cleared.items() if doc.kind == "bill"), ZERO)

    def net(self, cleared):
        for document, amount in cleared.items():
            is_note = document.kind == "credit_note"
            document.left -= amount
            document.received += -amount if is_note else amount
            self._follow(document)
            side = self.payable if document.kind == "bill" else self.owed
            side[document.partner] -= -amount if is_note else amount

    def _follow(self, document):
        """Nobody has paid short what is paid, or what nothing was paid of."""
        if not document.left or not document.received:
            document.is_short = False
        for back in self.returns:
            if back.document is document and not document.left:
                back.state = "closed"

    # --- What it must come to -------------------------------------------------------------------

    def open_of(self, partner, *kinds):
        return [doc for doc in self.documents if doc.partner == partner and doc.kind in kinds and doc.left]

    def open_sum(self, partner):
        """What the partner owes us by what is open: invoices less credit notes and credits."""
        invoices = sum((doc.left for doc in self.open_of(partner, "invoice")), ZERO)
        notes = sum((doc.left for doc in self.open_of(partner, "credit_note")), ZERO)
        credits = sum((one.credit for one in self.receipts if one.partner == partner), ZERO)
        return invoices - notes - credits

    def late(self, today):
        return {
            doc: doc.left for doc in self.documents if doc.kind == "invoice" and doc.left and doc.due < today
        }

    def short(self):
        return {doc: doc.left for doc in self.documents if doc.is_short}

    def taken_back(self):
        """Credits that no document bills yet, of sessions whose document is paid in whole or in part.

        :return: dict (document, contract) -> (count, net).
        """
        found = {}
        for credit in self.sessions:
            document = credit.original.document if credit.original else None
            if document and credit.state == "open" and document.received:
                key = (document, credit.contract)
                count, net = found.get(key, (0, ZERO))
                found[key] = (count + 1, net - credit.net)
        return found
