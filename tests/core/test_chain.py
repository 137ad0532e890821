"""Hashes over payloads, their chain, and a settlement's list."""

from hashlib import sha256
from random import Random

from emsp_core.chain import link, list_hash, payload_hash, verify

# FIPS 180-2, example B.1.
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def _chain(payloads: list[bytes], previous: str | None = None) -> list[tuple[str, str]]:
    entries = []
    for raw in payloads:
        previous = link(previous, payload_hash(raw))
        entries.append((payload_hash(raw), previous))
    return entries


def test_payload_hash_is_sha_256_of_the_bytes() -> None:
    assert payload_hash(b"abc") == ABC


def test_payload_hash_tells_bytes_of_equal_content_apart() -> None:
    assert payload_hash(b'{"id":"1"}') != payload_hash(b'{"id": "1"}')


def test_link_is_versioned_and_covers_the_link_before_it() -> None:
    first = link(None, ABC)
    assert first == "1$" + sha256(f"\n{ABC}".encode()).hexdigest()
    assert link(first, ABC) == "1$" + sha256(f"{first}\n{ABC}".encode()).hexdigest()


def test_untouched_chain_verifies() -> None:
    assert verify([]) is None
    assert verify(_chain([b"one", b"two", b"three"])) is None


def test_changed_payload_breaks_the_chain_at_its_place() -> None:
    entries = _chain([b"one", b"two", b"three"])
    entries[1] = (payload_hash(b"TWO"), entries[1][1])
    assert verify(entries) == 1


def test_payload_changed_together_with_its_link_breaks_the_next_one() -> None:
    entries = _chain([b"one", b"two", b"three"])
    forged = payload_hash(b"TWO")
    entries[1] = (forged, link(entries[0][1], forged))
    assert verify(entries) == 2


def test_dropped_and_swapped_entries_break_the_chain() -> None:
    entries = _chain([b"one", b"two", b"three"])
    assert verify([entries[0], entries[2]]) == 1
    assert verify([entries[1], entries[0], entries[2]]) == 0


def test_part_of_a_chain_verifies_from_the_link_before_it() -> None:
    entries = _chain([b"one", b"two", b"three"])
    assert verify(entries[1:], previous=entries[0][1]) is None
    assert verify(entries[1:]) == 0


def test_any_changed_payload_of_a_long_chain_is_found_where_it_is(random: Random) -> None:
    for _ in range(50):
        entries = _chain([random.randbytes(8) for _ in range(random.randint(1, 30))])
        place = random.randrange(len(entries))
        entries[place] = (payload_hash(random.randbytes(9)), entries[place][1])
        assert verify(entries) == place


def test_list_hash_is_that_of_the_sorted_lines() -> None:
    rows = [("FR*CPO*B", ABC, "1.0000"), ("FR*CPO*A", ABC, "2.5000")]
    text = f"FR*CPO*A\t{ABC}\t2.5000\nFR*CPO*B\t{ABC}\t1.0000\n"
    assert list_hash(rows) == list_hash(reversed(rows)) == sha256(text.encode()).hexdigest()


def test_list_hash_changes_with_any_amount_key_or_row() -> None:
    rows = [("FR*CPO*A", ABC, "2.5000"), ("FR*CPO*B", ABC, "1.0000")]
    others = [
        [("FR*CPO*A", ABC, "2.5001"), rows[1]],
        [("FR*CPO*C", ABC, "2.5000"), rows[1]],
        [("FR*CPO*A", payload_hash(b""), "2.5000"), rows[1]],
        rows[:1],
        [*rows, rows[0]],
    ]
    assert list_hash(rows) not in {list_hash(other) for other in others}
