"""Document references inside the label of a bank statement line.

Payers copy an invoice number with other separators, case or spacing, and take O for 0. A reference
counts only as a whole: "INV/2026/0001" is not found in "INV/2026/00012", and what is short or
carries no digit ("/", "2026") names nothing.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

MIN_SIGNIFICANT = 5
# A reference may be printed in blocks ("RF18 5390 0754 7034"); a lone character beside one
# ("INV/2026/0001 2") is rather something else.
MIN_BLOCK = 2
# Bounds of the search. ISO 20022: 35 characters a reference, 140 a line of remittance information.
MAX_LENGTH = 64
MAX_WORDS = 400
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something a payment may be for: its key, and the references that name it."""

    key: int | str
    references: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """`reference` of the candidate `key` stands in the label.

    `reason`: "exact" as written, "respelled" with other separators, case, spacing or O for 0.
    `is_ambiguous`: the same words of the label can be read as naming another candidate.
    """

    key: int | str
    reference: str
    reason: str = "exact"
    is_ambiguous: bool = False


@dataclass(frozen=True, slots=True)
class _Place:
    """Words `first` to `last` of the label read as `reference`; whole if none of its words is broken."""

    first: int
    last: int
    is_whole: bool
    key: int | str
    reference: str

    def covers(self, other: "_Place") -> bool:
        """Whether `other` is only a part of this one."""
        around = self.first <= other.first and other.last <= self.last
        return self.is_whole and around and (self.first, self.last) != (other.first, other.last)

    def rivals(self, other: "_Place") -> bool:
        """Whether both read a word of the label for themselves."""
        return self.key != other.key and self.first <= other.last and other.first <= self.last


def normalise(text: str) -> str:
    """Upper-case, without separators and accents, O as 0: "Inv/2026/oo1" -> "INV2026001"."""
    return "".join(_words(text))


def find_references(label: str, candidates: Iterable[Candidate]) -> list[Match]:
    """Every candidate one of whose references the label contains, in the candidates' order.

    One that stands only inside a longer one that was found ("2026/0001" in "INV/2026/0001") is not
    meant. Several matches are either several documents in one payment or an ambiguity (see
    `Match`): the caller decides, by amounts or by asking; this function never does.
    """
    places = _places(_words(label)[:MAX_WORDS], candidates)
    places = [place for place in places if not any(other.covers(place) for other in places)]
    matches: dict[int | str, Match] = {}
    for place in places:
        reason = "exact" if place.reference in label else "respelled"
        is_ambiguous = any(place.rivals(other) for other in places)
        matches.setdefault(place.key, Match(place.key, place.reference, reason, is_ambiguous))
    return list(matches.values())


def _places(words: Sequence[str], candidates: Iterable[Candidate]) -> list[_Place]:
    spans = _spans(words)
    places = []
    for candidate in candidates:
        for reference in candidate.references:
            text, ends = _anatomy(reference)
            for first, last in spans.get(text, ()):
                found = frozenset(accumulate(map(len, words[first : last + 1])))
                if _is_readable(found, ends):
                    places.append(_Place(first, last, found <= ends, candidate.key, reference))
    return places


def _spans(words: Sequence[str]) -> dict[str, list[tuple[int, int]]]:
    """Where consecutive words stand, by their text without separators."""
    spans: dict[str, list[tuple[int, int]]] = {}
    for first in range(len(words)):
        text = ""
        for last in range(first, len(words)):
            text += words[last]
            if len(text) > MAX_LENGTH:
                break
            spans.setdefault(text, []).append((first, last))
    return spans


@lru_cache(maxsize=65536)
def _anatomy(reference: str) -> tuple[str, frozenset[int]]:
    """The reference normalised, and the ends of its words in it.

    Too weak a reference has the empty text, which no label contains.
    """
    words = _words(reference)
    text = "".join(words)
    if len(text) < MIN_SIGNIFICANT or not any(char.isdigit() for char in reference):
        return "", frozenset()
    return text, frozenset(accumulate(map(len, words)))


def _is_readable(found: frozenset[int], ends: frozenset[int]) -> bool:
    """Whether the label's words, which end at `found`, break the reference's words nowhere into crumbs."""
    cuts = sorted({0} | found | ends)
    breaks = found - ends
    return all(
        right - left >= MIN_BLOCK
        for left, right in zip(cuts, cuts[1:], strict=False)
        if left in breaks or right in breaks
    )


def _words(text: str) -> list[str]:
    decomposed = unicodedata.normalize("NFKD", text)
    plain = "".join(char for char in decomposed if not unicodedata.combining(char))
    words: list[str] = _WORD.findall(plain.upper().replace("O", "0"))
    return words
