"""Whether the rows of a session annex are those that were received and billed.

A file vouches for itself only: whoever changes a row can also compute its hashes anew. So the hash of
its list is worth what it is compared with: the one printed on the invoice, or the issuer's own. The
payloads that a party kept show that each row stands for the CDR that was sent.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from .chain import link, list_hash, listed_amount, payload_hash, row_hash
from .money import ZERO


class Status(StrEnum):
    """Of a row. Missing: the text of its CDR is not among the payloads at hand."""

    MATCHES = "matches"
    CHANGED = "changed"
    MISSING = "missing"


# Why a row does not match.
NO_AMOUNT = "amount"
ROW_HASH = "row_hash"
CHAIN = "chain"
REPEATED = "repeated"
PAYLOAD_CHANGED = "payload_changed"
PAYLOAD_MISSING = "payload_missing"
# What is wrong with the list as a whole.
LIST_HASH = "list_hash"
PRINTED_HASH = "printed_hash"
COUNT = "count"
TOTAL = "total"
CHAIN_HEAD = "chain_head"
SETTLEMENTS = "settlements"


@dataclass(frozen=True, slots=True)
class StatedRow:
    """One CDR as the annex states it. `place` is its line in the sheet, `sheet` which one of those with
    sessions, both from 1.

    `amount` is None where no number with at most four decimals stands; a hash that is not there is empty.
    """

    place: int
    key: str
    payload_hash: str
    amount: Decimal | None
    row_hash: str
    chain_index: int | None
    chain_before: str
    chain_hash: str
    sheet: int = 1
    settlement: str = ""

    def listed(self) -> tuple[str, str, str]:
        """Its line of the list that `list_hash` is made of."""
        amount = "" if self.amount is None else listed_amount(self.amount)
        return self.key, self.payload_hash, amount


@dataclass(frozen=True, slots=True)
class StatedSettlement:
    """What the summary says of one of several settlements: of its list of `sessions` CDRs, whose hash is
    `list_hash`, the annex has `listed`, which sum to `net`. None where no such number stands."""

    name: str
    listed: int | None
    sessions: int | None
    net: Decimal | None
    list_hash: str


@dataclass(frozen=True, slots=True)
class StatedList:
    """The annex as it stands. `count` and `total` (net) are None where the file has no such number.

    `settlements`: none where the list is that of a single settlement, whole.
    """

    settlement: str
    invoice: str
    list_hash: str
    chain_head: str
    count: int | None
    total: Decimal | None
    rows: Sequence[StatedRow]
    settlements: Sequence[StatedSettlement] = ()


@dataclass(frozen=True, slots=True)
class CheckedRow:
    """A row and what was found; `amount` is its text as verified, `reasons` are codes of this module."""

    place: int
    key: str
    amount: str
    status: Status
    reasons: tuple[str, ...] = ()
    sheet: int = 1


@dataclass(frozen=True, slots=True)
class Verification:
    """`unlisted` are the payloads at hand that the annex does not list, by hash."""

    stated: StatedList
    list_hash: str
    problems: tuple[str, ...]
    rows: tuple[CheckedRow, ...]
    unlisted: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Every row and the list as a whole. Payloads that are not listed may belong elsewhere."""
        return not self.problems and all(row.status is Status.MATCHES for row in self.rows)

    def to_json(self) -> dict[str, object]:
        """For programs. Codes and what the file states; no texts."""
        return {
            "holds": self.holds,
            "settlement": self.stated.settlement,
            "invoice": self.stated.invoice,
            "list_hash": {"stated": self.stated.list_hash, "computed": self.list_hash},
            "problems": list(self.problems),
            "rows": [
                {
                    "sheet": row.sheet,
                    "row": row.place,
                    "key": row.key,
                    "amount": row.amount,
                    "status": row.status.value,
                    "reasons": list(row.reasons),
                }
                for row in self.rows
            ],
            "unlisted_payloads": list(self.unlisted),
        }


def verify_list(
    stated: StatedList, payloads: Iterable[bytes] | None = None, printed: str = ""
) -> Verification:
    """Check an annex against itself, and against what its reader holds.

    :param payloads: CDRs as they were sent, byte for byte; None to leave them out.
    :param printed: hex list hash from the invoice, empty to leave it out.
    """
    texts = None if payloads is None else _Payloads.of(payloads)
    times = Counter(row.key for row in stated.rows)
    computed = list_hash(row.listed() for row in stated.rows)
    return Verification(
        stated=stated,
        list_hash=computed,
        problems=tuple(_list_problems(stated, computed, printed)),
        rows=tuple(_check(row, times[row.key], texts) for row in stated.rows),
        unlisted=() if texts is None else texts.not_in(stated.rows),
    )


def _list_problems(stated: StatedList, computed: str, printed: str) -> Iterable[str]:
    if stated.list_hash != computed:
        yield LIST_HASH
    if printed and printed != stated.list_hash:
        yield PRINTED_HASH
    if stated.count != len(stated.rows):
        yield COUNT
    if stated.total != sum((row.amount or ZERO for row in stated.rows), ZERO):
        yield TOTAL
    if stated.chain_head != _last_link(stated.rows):
        yield CHAIN_HEAD
    if stated.settlements and not _settlements_hold(stated):
        yield SETTLEMENTS


def _settlements_hold(stated: StatedList) -> bool:
    """Whether the rows of each settlement are those that the summary says: number, net sum, and the hash of
    its own list, where the annex has all of it."""
    rows: dict[str, list[StatedRow]] = {}
    for row in stated.rows:
        rows.setdefault(row.settlement, []).append(row)
    names = [settlement.name for settlement in stated.settlements]
    if len(set(names)) < len(names) or rows.keys() - set(names):
        return False
    return all(_settlement_holds(each, rows.get(each.name, [])) for each in stated.settlements)


def _settlement_holds(stated: StatedSettlement, rows: Sequence[StatedRow]) -> bool:
    if stated.listed != len(rows) or stated.sessions is None or stated.sessions < len(rows):
        return False
    if stated.net != sum((row.amount or ZERO for row in rows), ZERO):
        return False
    is_whole = stated.sessions == len(rows)
    return not is_whole or stated.list_hash == list_hash(row.listed() for row in rows)


def _last_link(rows: Sequence[StatedRow]) -> str:
    """The chain's value after the CDR that came last."""
    if not rows:
        return ""
    return max(rows, key=lambda row: (row.chain_index or 0, row.key)).chain_hash


def _check(row: StatedRow, times: int, texts: "_Payloads | None") -> CheckedRow:
    reasons = []
    if row.amount is None:
        reasons.append(NO_AMOUNT)
    elif row.row_hash != row_hash(row.listed()):
        reasons.append(ROW_HASH)
    if row.chain_hash != link(row.chain_before or None, row.payload_hash):
        reasons.append(CHAIN)
    if times > 1:
        reasons.append(REPEATED)
    reasons += texts.compare(row) if texts else []
    status = Status.MATCHES
    if reasons:
        status = Status.MISSING if reasons == [PAYLOAD_MISSING] else Status.CHANGED
    return CheckedRow(row.place, row.key, row.listed()[2], status, tuple(reasons), row.sheet)


@dataclass(slots=True)
class _Payloads:
    """The payloads at hand, by hash and by key."""

    hashes: dict[str, str] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, payloads: Iterable[bytes]) -> "_Payloads":
        texts = cls()
        for raw in payloads:
            key = cdr_key(raw)
            texts.hashes[payload_hash(raw)] = key
            texts.keys.add(key)
        return texts

    def compare(self, row: StatedRow) -> list[str]:
        if row.payload_hash in self.hashes:
            # The same text under another CDR's key is no proof of that CDR. OCPI 2.1.1 names no owner.
            return [] if self.hashes[row.payload_hash] in ("", row.key) else [PAYLOAD_CHANGED]
        return [PAYLOAD_CHANGED] if row.key in self.keys else [PAYLOAD_MISSING]

    def not_in(self, rows: Sequence[StatedRow]) -> tuple[str, ...]:
        listed = {row.payload_hash for row in rows}
        keys = {row.key for row in rows}
        return tuple(hash_ for hash_, key in self.hashes.items() if hash_ not in listed and key not in keys)


def cdr_key(raw: bytes) -> str:
    """Owner and id of a payload, as in the annex; empty where it does not state all three."""
    try:
        payload = json.loads(raw)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(payload, dict):
        return ""
    parts = [payload.get(name) for name in ("country_code", "party_id", "id")]
    return "*".join(map(str, parts)).upper() if all(parts) else ""
