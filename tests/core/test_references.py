"""Invoice numbers and payment references in the labels of bank statement lines."""

from random import Random

import pytest
from emsp_core.references import (
    Candidate,
    Match,
    ReferenceIndex,
    creditor_reference,
    find_references,
    normalise,
)

INVOICE = "INV/2026/0001"


def found(label: str, *references: str) -> list[str]:
    """The references that the label names, each of a candidate of its own."""
    candidates = [Candidate(number, (reference,)) for number, reference in enumerate(references)]
    return [match.reference for match in find_references(label, candidates)]


# --- Spelling -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "label",
    [
        "INV/2026/0001",
        "inv/2026/0001",
        "INV-2026-0001",
        "INV 2026 0001",
        "INV20260001",
        "Inv.2026_0001.",
        "INV/2026/OOO1",
        "lnvoice INV/2o26/ooo1 paid",
        "Payment of INV/2026/0001, thank you",
        "(INV/2026/0001)",
        "INV/2026/\n0001",
        "INV / 2026 / 00 01",
        "/ROC/INV/2026/0001//URI/SESSIONS",
        "\uff29\uff2e\uff36/2026/0001",
    ],
)
def test_reference_is_found_however_it_is_spelt(label: str) -> None:
    assert found(label, INVOICE) == [INVOICE]


@pytest.mark.parametrize(
    "label",
    [
        "INV/2026/00012",
        "INV/2026/0001A",
        "RINV/2026/0001",
        "1INV/2026/0001",
        "XINV20260001",
        "\u00c9INV/2026/0001",
        "INV/2026/001",
        "INV/2025/0001",
        "2026/0001",
        "INV/2026",
        "INV/2026/sessions/0001",
        "",
        "/",
        "2026",
        "INV",
    ],
)
def test_reference_is_not_found_in_what_only_resembles_it(label: str) -> None:
    assert found(label, INVOICE) == []


def test_longer_number_in_the_label_is_not_the_shorter_one() -> None:
    assert found("INV/2026/00012", "INV/2026/0001", "INV/2026/00012") == ["INV/2026/00012"]


@pytest.mark.parametrize(
    ("reference", "label"),
    [
        # ISO 11649, printed in blocks of four.
        ("RF18539007547034", "RF18 5390 0754 7034"),
        # Belgian structured communication.
        ("090933755493", "+++090/9337/55493+++"),
        # Swiss QR reference: two digits, then blocks of five.
        ("210000000003139471430009017", "21 00000 00003 13947 14300 09017"),
        ("FACTUR\u00c9/2026/7", "facture 2026 7"),
    ],
)
def test_reference_printed_in_blocks_is_found(reference: str, label: str) -> None:
    assert found(label, reference) == [reference]


@pytest.mark.parametrize("label", ["INV/2026/0001 2", "INV20260001 2 sessions", "INV/2026/0 0012"])
def test_lone_digit_beside_a_number_does_not_make_another_number(label: str) -> None:
    assert found(label, "INV/2026/00012") == []


def test_normalising_keeps_letters_and_digits_only() -> None:
    assert normalise("Inv/2026/oo1") == "INV2026001"
    assert normalise(" \u00e9t\u00e9-n\u00b0 5 / ") == "ETEN5"
    assert normalise("/-. ") == ""


# --- Weak references --------------------------------------------------------------------------


@pytest.mark.parametrize("reference", ["/", "", "2026", "0001", "A-12", "INVOICE", "/////", "OOOOO"])
def test_short_reference_or_one_without_a_digit_never_matches(reference: str) -> None:
    for label in ("/", "", "2026", "INV/2026/0001", "INVOICE", "A-12", "OOOOO 00000", reference):
        assert found(label, reference) == []


def test_five_significant_characters_are_enough() -> None:
    assert found("rent 2026-1", "2026/1") == ["2026/1"]


# --- Several candidates -----------------------------------------------------------------------


def test_all_documents_listed_in_one_label_are_returned_in_the_order_of_the_candidates() -> None:
    label = "INV/2026/0003 + INV/2026/0001, inv 2026 0007"
    references = [f"INV/2026/000{number}" for number in range(1, 8)]
    candidates = [Candidate(reference, (reference,)) for reference in references]
    matches = find_references(label, candidates)
    assert [match.key for match in matches] == ["INV/2026/0001", "INV/2026/0003", "INV/2026/0007"]
    assert not any(match.is_ambiguous for match in matches)


def test_reference_shared_by_two_candidates_is_reported_and_not_decided() -> None:
    candidates = [
        Candidate(1, ("INV/2026/0001", "CONTRACT-77")),
        Candidate(2, ("INV/2026/0002", "CONTRACT-77")),
    ]
    assert find_references("contract 77", candidates) == [
        Match(1, "CONTRACT-77", "respelled", is_ambiguous=True),
        Match(2, "CONTRACT-77", "respelled", is_ambiguous=True),
    ]


def test_references_that_differ_in_separators_only_are_ambiguous() -> None:
    matches = find_references(
        "INV 2026 0001", [Candidate(1, ("INV/2026/0001",)), Candidate(2, ("INV-20260001",))]
    )
    assert [(match.key, match.is_ambiguous) for match in matches] == [(1, True), (2, True)]


def test_label_that_can_be_read_in_two_ways_is_ambiguous() -> None:
    # "0001 12": number 0001 and something else, or number 000112 in two blocks.
    matches = find_references(
        "INV/2026/0001 12", [Candidate(1, ("INV/2026/0001",)), Candidate(2, ("INV/2026/000112",))]
    )
    assert [(match.key, match.is_ambiguous) for match in matches] == [(1, True), (2, True)]


def test_candidate_named_twice_is_one_match_by_its_first_reference() -> None:
    candidate = Candidate(7, ("INV/2026/0001", "RF18539007547034"))
    matches = find_references("RF18 5390 0754 7034 INV/2026/0001 INV/2026/0001", [candidate])
    assert matches == [Match(7, "INV/2026/0001", "exact", is_ambiguous=False)]


def test_reference_inside_a_longer_one_that_was_found_is_not_meant() -> None:
    candidates = [Candidate(1, ("2026/0001",)), Candidate(2, ("INV/2026/0001",))]
    assert find_references("INV/2026/0001", candidates) == [Match(2, "INV/2026/0001")]


def test_reference_that_also_stands_by_itself_is_found_beside_the_longer_one() -> None:
    assert found("INV/2026/0001 and 2026/0001", "2026/0001", "INV/2026/0001") == [
        "2026/0001",
        "INV/2026/0001",
    ]


@pytest.mark.parametrize(
    ("label", "reason"), [("for INV/2026/0001.", "exact"), ("inv 2026 0001", "respelled")]
)
def test_reason_tells_whether_the_reference_stands_as_written(label: str, reason: str) -> None:
    assert find_references(label, [Candidate(1, (INVOICE,))])[0].reason == reason


def test_no_candidates_and_candidates_without_references_match_nothing() -> None:
    assert find_references(INVOICE, []) == []
    assert find_references(INVOICE, [Candidate(1, ())]) == []


# --- Fields of banks, structured references, parts ------------------------------------------------


@pytest.mark.parametrize(
    "label",
    [
        "EREF+NOTPROVIDEDSVWZ+INV/2026/0001ABWA+Beta Laden",
        "SVWZ+Rg. INV/2026/0001EREF+77",
        "/TRTP/SEPA OVERBOEKING/REMI/INV 2026 0001/EREF/NOTPROVIDED",
    ],
)
def test_reference_is_found_between_the_fields_of_a_label(label: str) -> None:
    assert found(label, INVOICE) == [INVOICE]


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        # 539007547034 RF00 -> 539007547034271500; mod 97 = 80; 98 - 80 = 18.
        ("539007547034", "RF18539007547034"),
        ("INV/2026/00102", "RF65INV202600102"),
        ("1234567890123456789012", ""),
        ("СЧЕТ-1", ""),
        ("", ""),
    ],
)
def test_number_makes_one_creditor_reference(reference: str, expected: str) -> None:
    assert creditor_reference(reference) == expected


@pytest.mark.parametrize(
    ("label", "reasons"),
    [
        ("INV/2026/0001 2 sessions", ["broken"]),
        ("INV/2026/00012VOM10.11.2026", ["broken"]),
        ("Charging INV/2026/000", ["cut"]),
        ("Rechnung 2026/00012", ["bare"]),
        ("Rechnung RE-2026/00012", ["tail"]),
        ("INV/2026/12", ["zeros"]),
        ("INV/2026/0001\n2", ["broken"]),
        ("Rechnung 26/0012", []),
        ("Charging INV", []),
        ("INV/2026/00013", []),
    ],
)
def test_part_of_a_reference_is_a_trace(label: str, reasons: list[str]) -> None:
    index = ReferenceIndex([Candidate(1, ("INV/2026/00012",))])
    assert [match.reason for match in index.find_traces(label)] == reasons
    assert index.find(label) == []


def test_part_that_is_in_many_references_is_no_trace() -> None:
    index = ReferenceIndex(Candidate(number, (f"INV/2026/{number:05}",)) for number in range(21))
    assert index.find_traces("Charging INV/2026/000") == []
    assert len(index.find_traces("Charging INV/2026/0000")) == 10


# --- What always holds ----------------------------------------------------------------------------


def test_any_number_is_found_in_any_spelling_and_never_in_its_neighbours(random: Random) -> None:
    numbers = [f"INV/{year}/{number:05}" for year in (2025, 2026) for number in range(1, 200)]
    candidates = [Candidate(number, (number,)) for number in numbers]
    for number in random.sample(numbers, 60):
        words = number.split("/")
        label = random.choice(["", "-", " ", "/", " / ", "."]).join(words)
        label = random.choice([str.lower, str.upper])(label).replace("0", random.choice("0oO"))
        label = f"{random.choice(['', 'Invoice ', 'RG. '])}{label}{random.choice(['', ' EUR', ', thanks'])}"
        assert [match.key for match in find_references(label, candidates)] == [number]


def test_hostile_label_takes_no_time() -> None:
    # A word for each character; only a bounded part is searched.
    assert found("1 " * 50_000 + INVOICE, INVOICE) == []
