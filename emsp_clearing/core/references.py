"""Document references inside the label of a bank statement line.

Payers copy an invoice number with other separators, case or spacing, and take O for 0. A reference
counts only as a whole: "INV/2026/0001" is not found in "INV/2026/00012", and what is short or
carries no digit ("/", "2026") names nothing.
"""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import accumulate, chain, dropwhile

MIN_SIGNIFICANT = 5
# A reference may be printed in blocks ("RF18 5390 0754 7034"); a lone character beside one
# ("INV/2026/0001 2") is rather something else.
MIN_BLOCK = 2
# Bounds of the search. ISO 20022: 35 characters a reference, 140 a line of remittance information.
MAX_LENGTH = 64
MAX_WORDS = 400
# Beside "RF" and two check digits.
MAX_CREDITOR_REFERENCE = 21
# Traces that name a document all the same, where the amount agrees to the cent.
STRONG = frozenset({"broken", "zeros", "bare"})
# More candidates of which a label shows a part are no trace of any.
MAX_TRACES = 20
_WORD = re.compile(r"[^\W_]+")
_PIECE = re.compile(r"\d+|[^\W\d_]+")
# Digits that stand by themselves: "2026/00012", but not those of "BILL/2026/00012".
_BARE = re.compile(r"(?<![^\W_])(?<![A-Z][/_-])\d[\d/._-]*\d(?![^\W_])")
# So many digits make a number that is somebody's, not a year or a postcode.
MIN_BARE = 6
# Ends of the words of a date: 2026-11-05, 05.11.2026.
_DATES = (frozenset({4, 6, 8}), frozenset({2, 4, 8}))
# German banks put these before the fields of a label, with no blank between them (DK, annex 3 :86:).
_TAG = re.compile(r"(?:EREF|KREF|MREF|CRED|DEBT|SVWZ|ABWA|ABWE|COAM|OAMT|PURP|IBAN|BIC)\+")
_LAST = "\U0010ffff"


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


def normalise(text: str) -> str:
    """Upper-case, without separators and accents, O as 0: "Inv/2026/oo1" -> "INV2026001"."""
    return "".join(_words(text))


def creditor_reference(reference: str) -> str:
    """The creditor reference (ISO 11649) that a number makes; empty where it cannot make one.

    "INV/2026/00102" -> "RF65INV202600102": payers' software makes it of the number on the invoice.
    """
    text = "".join(_WORD.findall(_plain(reference)))
    if not text.isascii() or not 0 < len(text) <= MAX_CREDITOR_REFERENCE:
        return ""
    number = int("".join(str(int(char, 36)) for char in f"{text}RF00"))
    return f"RF{98 - number % 97:02}{text}"


def find_references(label: str, candidates: Iterable[Candidate]) -> list[Match]:
    """`ReferenceIndex.find` for a label or two; many labels are searched by one index."""
    return ReferenceIndex(candidates).find(label)


class ReferenceIndex:
    """The references of many candidates. What a search costs depends on the label, not on their number."""

    def __init__(self, candidates: Iterable[Candidate]) -> None:
        self._entries: dict[str, list[_Entry]] = {}
        for place, candidate in enumerate(candidates):
            for number, reference in enumerate(candidate.references):
                text, ends = _anatomy(reference)
                if text:
                    entry = _Entry((place, number), candidate.key, reference, ends)
                    self._entries.setdefault(text, []).append(entry)

    @cached_property
    def _shortened(self) -> dict[tuple[str, ...], list["_Entry"]]:
        """Those with letters and digits, by their pieces without leading zeros."""
        found: dict[tuple[str, ...], list[_Entry]] = {}
        for entry in self._all():
            pieces = _pieces(entry.reference)
            short = _without_zeros(pieces)
            if short and not pieces[0].isdigit():
                found.setdefault(short, []).append(entry)
        return found

    @cached_property
    def _short_lengths(self) -> set[int]:
        return {len(key) for key in self._shortened}

    @cached_property
    def _bared(self) -> dict[str, list["_Entry"]]:
        """Those of letters and then digits, by their digits."""
        found: dict[str, list[_Entry]] = {}
        for entry in self._all():
            digits = "".join(dropwhile(lambda piece: not piece.isdigit(), _pieces(entry.reference)))
            if digits.isdigit() and MIN_BARE <= len(digits) < sum(map(len, _pieces(entry.reference))):
                found.setdefault(digits, []).append(entry)
        return found

    @cached_property
    def _shapes(self) -> set[tuple[str | int, ...]]:
        return {shape for entry in self._all() if (shape := _shape(_pieces(entry.reference)))}

    def _all(self) -> Iterable["_Entry"]:
        return chain.from_iterable(self._entries.values())

    @cached_property
    def _forwards(self) -> list[str]:
        return sorted(self._entries)

    @cached_property
    def _backwards(self) -> list[str]:
        return sorted(text[::-1] for text in self._entries)

    def find(self, label: str) -> list[Match]:
        """Every candidate one of whose references the label contains, in the candidates' order.

        One that stands only inside a longer one that was found ("2026/0001" in "INV/2026/0001") is not
        meant. Several matches are either several documents in one payment or an ambiguity (see
        `Match`): the caller decides, by amounts or by asking; this function never does.
        """
        places = self._places(_words(label)[:MAX_WORDS])
        spans = {(place.first, place.last, place.is_whole) for place in places}
        covered = {span for span in spans if any(_covers(other, span) for other in spans)}
        places = [place for place in places if (place.first, place.last, place.is_whole) not in covered]
        doubtful = _doubtful(places)
        matches: dict[int | str, Match] = {}
        for place in sorted(places, key=lambda place: place.entry):
            entry = place.entry
            reason = "exact" if entry.reference in label else "respelled"
            is_ambiguous = (place.first, place.last) in doubtful
            matches.setdefault(entry.key, Match(entry.key, entry.reference, reason, is_ambiguous))
        return list(matches.values())

    def find_traces(self, label: str) -> list[Match]:
        """Candidates of which the label shows only a part, or whose reference it runs into other text.

        Each is evidence beside others, never by itself. Strong reasons (see `STRONG`): "broken" by a blank
        or the end of a line, or grown together with letters, "zeros" lost ("INV/2026/12"), "bare" of its
        letters ("2026/00012"). The others, where there is none of those: "cut" by the end of the label,
        "tail" without its first words ("00101" for "INV/2026/00101").
        """
        pieces = _pieces(label)[:MAX_WORDS]
        traces = self._broken(label, pieces) + self._without_zeros(pieces) + self._bare(label)
        traces = traces or self._cut(pieces) + self._tails(pieces)
        found: dict[int | str, Match] = {}
        for match in traces:
            found.setdefault(match.key, match)
        return list(found.values()) if len(found) <= MAX_TRACES else []

    def names_another(self, label: str) -> bool:
        """Whether a number in the label is made like those of the candidates, and of none of them."""
        pieces = _pieces(label)[:MAX_WORDS]
        lengths = {len(shape) for shape in self._shapes}
        return any(
            _shape(window) in self._shapes and "".join(window) not in self._entries
            for window in _windows(pieces, lengths)
        )

    def _places(self, words: Sequence[str]) -> list["_Place"]:
        places = []
        for text, spans in _spans(words).items():
            for entry in self._entries.get(text, ()):
                for first, last in spans:
                    found = _ends(words, first, last)
                    if _is_readable(found, entry.ends) and not _is_date(found, entry.ends, text):
                        places.append(_Place(first, last, found <= entry.ends, entry))
        return places

    def _broken(self, label: str, pieces: Sequence[str]) -> list[Match]:
        entries = [
            entry
            for text, spans in _spans(pieces).items()
            for entry in self._entries.get(text, ())
            if any(not _is_date(_ends(pieces, *span), entry.ends, text) for span in spans)
        ]
        # Banks break lines where they are full, also within a number.
        joined = self.find("".join(label.splitlines())) if "\n" in label else []
        return [
            *(Match(entry.key, entry.reference, "broken") for entry in sorted(entries)),
            *(Match(match.key, match.reference, "broken") for match in joined if not match.is_ambiguous),
        ]

    def _without_zeros(self, pieces: Sequence[str]) -> list[Match]:
        windows = _windows(pieces, self._short_lengths)
        found = [self._shortened.get(_without_zeros(window), ()) for window in windows]
        return [Match(entry.key, entry.reference, "zeros") for entry in chain.from_iterable(found)]

    def _bare(self, label: str) -> list[Match]:
        texts = ("".join(filter(str.isdigit, text)) for text in _BARE.findall(_plain(label)))
        entries = chain.from_iterable(self._bared.get(text, ()) for text in texts)
        return [Match(entry.key, entry.reference, "bare") for entry in entries]

    def _cut(self, pieces: Sequence[str]) -> list[Match]:
        """By the longest text at the label's end with which a reference begins."""
        for first in range(max(0, len(pieces) - MAX_LENGTH), len(pieces)):
            text = "".join(pieces[first:])
            if _is_significant(text) and (found := _starting(self._forwards, text)):
                return self._matches(found, "cut")
        return []

    def _tails(self, pieces: Sequence[str]) -> list[Match]:
        matches = []
        for text in _spans(pieces):
            if _is_significant(text):
                for found in _starting(self._backwards, text[::-1]):
                    border = len(found) - len(text)
                    whole = found[::-1]
                    if any(border in entry.ends for entry in self._entries[whole]):
                        matches += self._matches([whole], "tail")
        return matches

    def _matches(self, texts: Iterable[str], reason: str) -> list[Match]:
        entries = sorted(entry for text in texts for entry in self._entries[text])
        return [Match(entry.key, entry.reference, reason) for entry in entries]


@dataclass(frozen=True, slots=True, order=True)
class _Entry:
    """A reference of a candidate, with the ends of its words in the text without separators."""

    order: tuple[int, int]
    key: int | str = field(compare=False)
    reference: str = field(compare=False)
    ends: frozenset[int] = field(compare=False)


@dataclass(frozen=True, slots=True)
class _Place:
    """Words `first` to `last` of the label read as a reference; whole if none of its words is broken."""

    first: int
    last: int
    is_whole: bool
    entry: _Entry


def _covers(span: tuple[int, int, bool], other: tuple[int, int, bool]) -> bool:
    """Whether `other` is only a part of the whole reference at `span`."""
    around = span[0] <= other[0] and other[1] <= span[1]
    return span[2] and around and span[:2] != other[:2]


def _doubtful(places: Iterable[_Place]) -> set[tuple[int, int]]:
    """The spans of words that several candidates read for themselves."""
    keys: dict[tuple[int, int], set[int | str]] = {}
    for place in places:
        keys.setdefault((place.first, place.last), set()).add(place.entry.key)
    doubtful = set()
    for first, last in keys:
        near = [there for span, there in keys.items() if span[0] <= last and first <= span[1]]
        if len(set().union(*near)) > 1:
            doubtful.add((first, last))
    return doubtful


def _starting(texts: Sequence[str], text: str) -> list[str]:
    """Those of the sorted texts that begin with this one and are longer; empty if there are too many."""
    first = bisect_right(texts, text)
    found = texts[first : first + MAX_TRACES + 1]
    last = bisect_left(found, text + _LAST)
    return list(found[:last]) if last <= MAX_TRACES else []


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
    if not _is_significant(text) or not any(char.isdigit() for char in reference):
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


def _ends(words: Sequence[str], first: int, last: int) -> frozenset[int]:
    return frozenset(accumulate(map(len, words[first : last + 1])))


def _is_date(found: frozenset[int], ends: frozenset[int], text: str) -> bool:
    """Whether a number without separators is read out of what is written as a date."""
    return found in _DATES and len(ends) == 1 and text.isdigit()


def _shape(pieces: Sequence[str]) -> tuple[str | int, ...]:
    """ "INV", 4 digits, 5 digits; empty for what begins with digits or has no others."""
    if not pieces or pieces[0].isdigit() or not any(piece.isdigit() for piece in pieces):
        return ()
    return tuple(len(piece) if piece.isdigit() else piece for piece in pieces)


def _without_zeros(pieces: Sequence[str]) -> tuple[str, ...]:
    """Empty where nothing would be left of a piece."""
    short = tuple(piece.lstrip("0") if piece.isdigit() else piece for piece in pieces)
    return short if all(short) else ()


def _windows(pieces: Sequence[str], lengths: Iterable[int]) -> Iterable[Sequence[str]]:
    for length in sorted(lengths):
        for first in range(len(pieces) - length + 1):
            yield pieces[first : first + length]


def _is_significant(text: str) -> bool:
    return len(text) >= MIN_SIGNIFICANT and any(char.isdigit() for char in text)


def _words(text: str) -> list[str]:
    words: list[str] = _WORD.findall(_plain(text).replace("O", "0"))
    return words


def _pieces(text: str) -> list[str]:
    """Words, cut also where letters and digits meet; O for 0 as in `_words`."""
    pieces: list[str] = _PIECE.findall(_plain(text))
    return [piece.replace("O", "0") for piece in pieces]


@lru_cache(maxsize=1024)
def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    plain = "".join(char for char in decomposed if not unicodedata.combining(char)).upper()
    return _TAG.sub(r" \g<0> ", plain)
