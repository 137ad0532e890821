"""Annexes that hold, and annexes of which something was changed."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from hashlib import sha256

import pytest
from emsp_core.verify import (
    StatedList,
    StatedRow,
    StatedSettlement,
    Status,
    Verification,
    cdr_key,
    verify_list,
)

PAYLOADS = [
    b'{"country_code":"FR","party_id":"RVR","id":"CDR-1","total_energy":10.0}',
    b'{"country_code":"FR","party_id":"RVR","id":"CDR-2","total_energy":4.0}',
    # A credit CDR: the amount of CDR-2 taken back.
    b'{"country_code":"FR","party_id":"RVR","id":"CDR-2C","credit":true}',
]
AMOUNTS = ["6.4000", "2.7001", "-2.7001"]
KEYS = ["FR*RVR*CDR-1", "FR*RVR*CDR-2", "FR*RVR*CDR-2C"]


def _sha(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _annex() -> StatedList:
    """Made from literal text alone, not by the functions under test."""
    hashes = [sha256(payload).hexdigest() for payload in PAYLOADS]
    lines = [f"{row[0]}\t{row[1]}\t{row[2]}\n" for row in zip(KEYS, hashes, AMOUNTS, strict=True)]
    chain = [""]
    for payload in hashes:
        chain.append("1$" + _sha(f"{chain[-1]}\n{payload}"))
    rows = [
        StatedRow(
            place=number + 2,
            key=KEYS[number],
            payload_hash=hashes[number],
            amount=Decimal(AMOUNTS[number]),
            row_hash=_sha(lines[number]),
            chain_index=number + 1,
            chain_before=chain[number],
            chain_hash=chain[number + 1],
        )
        for number in range(3)
    ]
    return StatedList(
        settlement="CLR/000001",
        invoice="INV/2026/00012",
        # By key: CDR-1, CDR-2, CDR-2C.
        list_hash=_sha("".join(lines)),
        chain_head=chain[3],
        count=3,
        # 6.4000 + 2.7001 - 2.7001
        total=Decimal("6.4000"),
        rows=rows,
    )


def _change(number: int, **values: object) -> Callable[[StatedList], StatedList]:
    """Change one row."""

    def change(stated: StatedList) -> StatedList:
        rows = list(stated.rows)
        # The values are of several types, which a mapping cannot tell apart.
        rows[number] = replace(rows[number], **values)  # type: ignore[arg-type]
        return replace(stated, rows=rows)

    return change


def _reasons(found: Verification) -> dict[str, tuple[str, ...]]:
    """Of the rows that do not match, by key."""
    return {row.key: row.reasons for row in found.rows if row.status is not Status.MATCHES}


def test_untouched_annex_holds_with_a_credit_cdr_and_four_decimals() -> None:
    found = verify_list(_annex())
    assert (found.holds, found.problems, _reasons(found)) == (True, (), {})
    assert found.list_hash == _annex().list_hash


def test_list_hash_is_the_one_of_the_literal_text() -> None:
    # printf 'FR*RVR*A\t%s\t6.4000\n' "$(printf abc | sha256sum | cut -c1-64)" | sha256sum
    abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    row = replace(_annex().rows[0], key="FR*RVR*A", payload_hash=abc, amount=Decimal("6.4"))
    found = verify_list(replace(_annex(), rows=[row]))
    assert found.list_hash == "98d1af77ac4addb9a5698e0bb71b3946ae6363d48c135053ac773ababfe19d88"


def test_order_of_the_rows_does_not_matter() -> None:
    stated = _annex()
    assert verify_list(replace(stated, rows=stated.rows[::-1])).holds


@pytest.mark.parametrize(
    ("change", "problems", "reasons"),
    [
        pytest.param(
            _change(0, amount=Decimal("6.4001")),
            ("list_hash", "total"),
            {"FR*RVR*CDR-1": ("row_hash",)},
            id="one amount changed in its last decimal",
        ),
        pytest.param(
            _change(0, amount=None),
            ("list_hash", "total"),
            {"FR*RVR*CDR-1": ("amount",)},
            id="an amount that is no number",
        ),
        pytest.param(
            _change(1, payload_hash="0" * 64),
            ("list_hash",),
            {"FR*RVR*CDR-2": ("row_hash", "chain")},
            id="one payload hash changed",
        ),
        pytest.param(
            _change(1, key="FR*RVR*CDR-9"),
            ("list_hash",),
            {"FR*RVR*CDR-9": ("row_hash",)},
            id="one key changed",
        ),
        pytest.param(
            _change(1, row_hash=""), (), {"FR*RVR*CDR-2": ("row_hash",)}, id="one row hash taken away"
        ),
        pytest.param(
            _change(1, chain_before="1$" + "0" * 64),
            (),
            {"FR*RVR*CDR-2": ("chain",)},
            id="a link of the chain broken",
        ),
        pytest.param(
            lambda stated: replace(stated, rows=stated.rows[1:]),
            ("list_hash", "count", "total"),
            {},
            id="a row removed",
        ),
        pytest.param(
            lambda stated: replace(stated, rows=stated.rows[:2]),
            ("list_hash", "count", "total", "chain_head"),
            {},
            id="the last row of the chain removed",
        ),
        pytest.param(
            lambda stated: replace(stated, rows=[*stated.rows, stated.rows[0]]),
            ("list_hash", "count", "total"),
            {"FR*RVR*CDR-1": ("repeated",)},
            id="a row added that was there",
        ),
        pytest.param(
            lambda stated: replace(stated, list_hash="0" * 64),
            ("list_hash",),
            {},
            id="hash in the head changed",
        ),
        pytest.param(
            lambda stated: replace(stated, chain_head=""), ("chain_head",), {}, id="chain head taken away"
        ),
        pytest.param(lambda stated: replace(stated, count=None), ("count",), {}, id="count taken away"),
        pytest.param(
            lambda stated: replace(stated, total=Decimal("6.40001")), ("total",), {}, id="total changed"
        ),
    ],
)
def test_change_is_told(
    change: Callable[[StatedList], StatedList], problems: tuple[str, ...], reasons: dict[str, tuple[str, ...]]
) -> None:
    found = verify_list(change(_annex()))
    assert (found.problems, _reasons(found), found.holds) == (problems, reasons, False)


def test_consistent_forgery_is_told_by_the_hash_on_the_invoice_alone() -> None:
    honest = _annex()
    hash_ = honest.rows[0].payload_hash
    row = replace(honest.rows[0], amount=Decimal("9.9000"), row_hash=_sha(f"FR*RVR*CDR-1\t{hash_}\t9.9000\n"))
    forged = replace(honest, rows=[row, *honest.rows[1:]], total=Decimal("9.9000"))
    forged = replace(forged, list_hash=verify_list(forged).list_hash)
    assert verify_list(forged).holds
    assert verify_list(forged, printed=honest.list_hash).problems == ("printed_hash",)
    assert verify_list(honest, printed=honest.list_hash).holds


# --- Payloads at hand ---------------------------------------------------------------------------


def test_payloads_at_hand_prove_the_rows() -> None:
    assert verify_list(_annex(), PAYLOADS).holds


def test_payload_with_one_blank_more_is_another_one() -> None:
    texts = [PAYLOADS[0].replace(b":10.0", b": 10.0"), *PAYLOADS[1:]]
    found = verify_list(_annex(), texts)
    assert _reasons(found) == {"FR*RVR*CDR-1": ("payload_changed",)}
    assert (found.problems, found.unlisted) == ((), ())


def test_payload_that_is_not_at_hand_is_missing() -> None:
    found = verify_list(_annex(), PAYLOADS[:2])
    assert [row.status for row in found.rows] == [Status.MATCHES, Status.MATCHES, Status.MISSING]
    assert not found.holds


def test_payload_of_another_cdr_proves_nothing() -> None:
    forged = _change(0, payload_hash=sha256(PAYLOADS[1]).hexdigest())(_annex())
    assert "payload_changed" in _reasons(verify_list(forged, PAYLOADS))["FR*RVR*CDR-1"]


def test_payload_that_is_not_listed_is_told_and_no_fault_of_the_annex() -> None:
    other = b'{"country_code":"FR","party_id":"RVR","id":"CDR-7"}'
    found = verify_list(_annex(), [*PAYLOADS, other, b"no JSON"])
    assert found.unlisted == (sha256(other).hexdigest(), sha256(b"no JSON").hexdigest())
    assert found.holds


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        (b'{"country_code":"fr","party_id":"rvr","id":"cdr-1"}', "FR*RVR*CDR-1"),
        # OCPI 2.1.1 names no owner.
        (b'{"id":"CDR-1"}', ""),
        (b"[1]", ""),
        (b"\xff", ""),
        (b"[" * 100_000, ""),
    ],
)
def test_key_of_a_payload(raw: bytes, key: str) -> None:
    assert cdr_key(raw) == key


def test_payload_without_an_owner_is_found_by_its_hash() -> None:
    raw = b'{"id":"CDR-1","total_cost":6.4}'
    hash_ = sha256(raw).hexdigest()
    found = verify_list(replace(_annex(), rows=[replace(_annex().rows[0], payload_hash=hash_)]), [raw])
    assert not {"payload_changed", "payload_missing"} & set(found.rows[0].reasons)


def test_json_states_codes_and_what_the_file_holds() -> None:
    found = verify_list(_change(0, amount=Decimal("1"))(_annex())).to_json()
    assert (found["holds"], found["settlement"], found["problems"]) == (
        False,
        "CLR/000001",
        ["list_hash", "total"],
    )
    # JSON has values of any type; this one is a list.
    assert found["rows"][0] == {  # type: ignore[index]
        "sheet": 1,
        "row": 2,
        "key": "FR*RVR*CDR-1",
        "amount": "1.0000",
        "status": "changed",
        "reasons": ["row_hash"],
    }


# -- several settlements on one invoice


def _shared(**changes: object) -> StatedList:
    """CDR-1 of October, whole; of November's three, CDR-2 and the credit of it."""
    annex = _annex()
    names = ["CLR/000001", "CLR/000002", "CLR/000002"]
    rows = [replace(row, settlement=name) for row, name in zip(annex.rows, names, strict=True)]
    october = _sha(f"{KEYS[0]}\t{rows[0].payload_hash}\t{AMOUNTS[0]}\n")
    settlements = [
        StatedSettlement("CLR/000001", 1, 1, Decimal("6.4000"), october),
        # 2.7001 - 2.7001; its hash is over a session that is not here.
        StatedSettlement("CLR/000002", 2, 3, Decimal(0), _sha("other")),
    ]
    return replace(annex, **{"rows": rows, "settlements": settlements, **changes})


def test_lists_of_single_settlements_hold() -> None:
    assert verify_list(_shared()).holds


@pytest.mark.parametrize(
    "number, change",
    [
        (0, {"list_hash": _sha("forged")}),
        (0, {"list_hash": ""}),
        (0, {"net": Decimal("6.41")}),
        (0, {"net": None}),
        (0, {"listed": 2}),
        (0, {"listed": None}),
        (0, {"sessions": None}),
        (1, {"sessions": 1}),
        # A whole list has another hash than the one stated.
        (1, {"sessions": 2}),
        (1, {"name": "CLR/000001"}),
        (1, {"name": "CLR/000009"}),
    ],
)
def test_changed_line_of_a_settlement_is_found(number: int, change: dict[str, object]) -> None:
    settlements = list(_shared().settlements)
    settlements[number] = replace(settlements[number], **change)
    assert verify_list(_shared(settlements=settlements)).problems == ("settlements",)


def test_session_moved_to_another_settlement_is_found() -> None:
    rows = list(_shared().rows)
    rows[0] = replace(rows[0], settlement="CLR/000002")
    assert verify_list(_shared(rows=rows)).problems == ("settlements",)
