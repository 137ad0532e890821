"""Who owes the VAT on electricity sold by a charge point operator to an e-mobility provider.

The law is not in this module: rules are data with dates, and the first one that holds decides. What is here
is how facts are read. A fact that is not known is neither true nor false, and a rule that hangs on it stops
the search: the answer is then "undecided" with the facts that are missing, never the next rule.

Charging is a supply of goods (CJEU C-282/22), bought and resold by the provider (C-60/23); its place follows
articles 38 and 39 of Directive 2006/112/EC. As electricity is no intra-Community supply (category K), a buyer
abroad who owes the tax is a reverse charge (AE, article 195).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

EU = frozenset("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split())
# Their VAT is neither plainly that of the Union nor plainly outside it (article 6, 7 and special protocols).
SPECIAL = frozenset("AX BL GF GP IM MC MF MQ RE XI YT".split())
# Greece writes EL in its VAT numbers.
VAT_PREFIXES = {"EL": "GR"}

ANY, YES, NO = "any", "yes", "no"
UNDECIDED = "undecided"
REVERSE_CHARGE = frozenset({"domestic_reverse", "eu_reverse"})
# Regime -> who owes the tax to the state.
LIABLE = {
    "domestic": "seller",
    "domestic_reverse": "buyer",
    "eu_reverse": "buyer",
    "local": "seller",
    "outside": "nobody",
}


@dataclass(frozen=True, slots=True)
class Dealer:
    """Whether a company is a taxable dealer in electricity (article 38 (2)), and the proof of it.

    `status`: "yes", "no" or "" where nobody has said. `proven`: its proof is on file; `until`: last day of
    its validity, None without end.
    """

    status: str = ""
    proven: bool = False
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about the supply. Countries are ISO 3166-1 alpha-2, "" where not known.

    `seller_vat`, `buyer_vat`: well-formed VAT numbers with their prefix, "" where there is none.
    `vies`: "valid", "invalid" or "" (not asked, or no answer). `places`: countries of the chargers.
    """

    seller_country: str
    buyer_country: str
    supplied_from: date
    supplied_until: date
    seller_vat: str = ""
    buyer_vat: str = ""
    vies: str = ""
    seller_dealer: Dealer = Dealer()
    buyer_dealer: Dealer = Dealer()
    places: frozenset[str] = frozenset()
    model: str = "goods"
    registrations: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table. `key` is the caller's; days are inclusive, None without end.

    `seller`: a country, or "EU" for any of it. `buyer_area`: "same", "eu" (another state of the Union),
    "outside" or "any"; `buyer`: a country, or "". `charger`: "seller", "buyer", "other" or "any": where the
    chargers stand. `place`: "seller", "buyer" or "charger": where the supply takes place.
    """

    key: int
    seller: str
    regime: str
    category: str = ""
    vatex: str = ""
    buyer_area: str = ANY
    buyer: str = ""
    model: str = ANY
    buyer_dealer: str = ANY
    seller_dealer: str = ANY
    charger: str = ANY
    buyer_registered: bool = False
    place: str = "seller"
    by_15th: bool = False
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """`regime` is "" where no rule speaks about the seller's country. `missing`: codes of what a person must
    provide before it can be invoiced; with any, nothing else is to be relied on."""

    regime: str
    key: int | None = None
    category: str = ""
    vatex: str = ""
    place: str = ""
    liable: str = ""
    by_15th: bool = False
    missing: tuple[str, ...] = ()

    @property
    def is_decided(self) -> bool:
        """A rule holds, and nothing stands in the way."""
        return bool(self.regime) and self.regime != UNDECIDED and not self.missing


def decide(facts: Facts, rules: Sequence[Rule]) -> Decision:
    """Apply the first rule that holds on the first day of the supply, which must hold on the last as well."""
    if not facts.seller_country:
        return Decision(UNDECIDED, missing=("seller_country",))
    if not _speaks_of(facts.seller_country, rules):
        return Decision("")
    if not facts.buyer_country:
        return Decision(UNDECIDED, missing=("buyer_country",))
    first = _decide_on(facts.supplied_from, facts, rules)
    last = _decide_on(facts.supplied_until, facts, rules)
    # A reason of the first day may be gone on the last, and the other way round: both are told.
    missing = tuple(dict.fromkeys(first.missing + last.missing))
    if missing:
        return replace(first if first.missing else last, missing=missing)
    if (first.regime, first.category, first.place) != (last.regime, last.category, last.place):
        return Decision(UNDECIDED, key=last.key, missing=("rule_changes",))
    return last


def vat_country(number: str) -> str:
    """The country that gave a VAT number out, or "" where it does not begin with one."""
    prefix = number[:2].upper()
    country = VAT_PREFIXES.get(prefix, prefix)
    return country if country in EU or country == "XI" else ""


def invoice_limit(supplied_on: date) -> date:
    """The 15th of the month after the supply (article 222)."""
    year, month = divmod(supplied_on.year * 12 + supplied_on.month, 12)
    return date(year, month + 1, 15)


def oldest_in_time(invoice_date: date) -> date:
    """First day of the oldest month whose supplies an invoice of this date still bills by the 15th."""
    month = invoice_date.year * 12 + invoice_date.month - 1 - (1 if invoice_date.day <= 15 else 0)
    year, index = divmod(month, 12)
    return date(year, index + 1, 1)


def area(seller: str, buyer: str) -> str:
    """Where the buyer is, seen from the seller: "same", "eu" or "outside"."""
    if seller == buyer:
        return "same"
    return "eu" if buyer in EU else "outside"


def _speaks_of(country: str, rules: Sequence[Rule]) -> bool:
    return any(_is_seller(rule, country) for rule in rules)


def _is_seller(rule: Rule, country: str) -> bool:
    return rule.seller == country or (rule.seller == "EU" and country in EU)


def _decide_on(day: date, facts: Facts, rules: Sequence[Rule]) -> Decision:
    if {facts.seller_country, facts.buyer_country, facts.buyer_vat[:2].upper()} & SPECIAL:
        return Decision(UNDECIDED, missing=("special_territory",))
    for rule in rules:
        unknown = _unknown_of(rule, day, facts)
        if unknown is None:
            continue
        if unknown:
            return Decision(UNDECIDED, key=rule.key, missing=unknown)
        return _apply(rule, facts)
    return Decision(UNDECIDED, missing=("no_rule",))


def _unknown_of(rule: Rule, day: date, facts: Facts) -> tuple[str, ...] | None:
    """The facts that the rule hangs on and that nobody knows; empty: it holds; None: it does not."""
    if not _is_in_force(rule, day) or not _concerns(rule, facts):
        return None
    unknown: list[str] = []
    for holds in (
        _dealer_holds(rule.buyer_dealer, facts.buyer_dealer, day, "buyer"),
        _dealer_holds(rule.seller_dealer, facts.seller_dealer, day, "seller"),
        _charger_holds(rule.charger, facts),
    ):
        if holds is None:
            return None
        unknown += holds
    return tuple(unknown)


def _is_in_force(rule: Rule, day: date) -> bool:
    return (rule.valid_from is None or rule.valid_from <= day) and (
        rule.valid_to is None or day <= rule.valid_to
    )


def _concerns(rule: Rule, facts: Facts) -> bool:
    return (
        _is_seller(rule, facts.seller_country)
        and rule.model in (ANY, facts.model)
        and rule.buyer_area in (ANY, area(facts.seller_country, facts.buyer_country))
        and rule.buyer in ("", facts.buyer_country)
        and (not rule.buyer_registered or vat_country(facts.buyer_vat) == facts.buyer_country)
    )


def _dealer_holds(wanted: str, dealer: Dealer, day: date, who: str) -> list[str] | None:
    """:return: [] where it holds, the codes of what is not known, or None where it does not hold."""
    if wanted == ANY:
        return []
    if not dealer.status:
        return [f"{who}_dealer"]
    if dealer.status != wanted:
        # Who says that it is a dealer but cannot prove it is not treated as one who is not.
        return None if dealer.status == NO else _proof_gaps(dealer, day, who) or None
    return _proof_gaps(dealer, day, who) if wanted == YES else []


def _proof_gaps(dealer: Dealer, day: date, who: str) -> list[str]:
    if not dealer.proven:
        return [f"{who}_dealer_proof"]
    if dealer.until is not None and dealer.until < day:
        return [f"{who}_dealer_proof_expired"]
    return []


def _charger_holds(wanted: str, facts: Facts) -> list[str] | None:
    if wanted == ANY:
        return []
    if not facts.places or "" in facts.places or facts.places & SPECIAL:
        return ["charger_country"]
    where = {_where(country, facts) for country in facts.places}
    if where == {wanted}:
        return [] if len(facts.places) == 1 else ["charger_countries"]
    return ["charger_countries"] if wanted in where else None


def _where(country: str, facts: Facts) -> str:
    if country == facts.seller_country:
        return "seller"
    return "buyer" if country == facts.buyer_country else "other"


def _apply(rule: Rule, facts: Facts) -> Decision:
    [charger] = facts.places if len(facts.places) == 1 else [""]
    place = {"seller": facts.seller_country, "buyer": facts.buyer_country}.get(rule.place, charger)
    if rule.regime == UNDECIDED:
        return Decision(UNDECIDED, key=rule.key, missing=("national_law",))
    return Decision(
        rule.regime,
        key=rule.key,
        category=rule.category,
        vatex=rule.vatex,
        place=place,
        liable=LIABLE[rule.regime],
        by_15th=rule.by_15th,
        missing=_obstacles(rule, place, facts),
    )


def _obstacles(rule: Rule, place: str, facts: Facts) -> tuple[str, ...]:
    """What the regime needs besides: a reverse charge both VAT numbers, a tax abroad a registration there."""
    found: list[str] = []
    if rule.regime == "local" and place not in facts.registrations:
        found.append("registration")
    if rule.regime in REVERSE_CHARGE:
        if vat_country(facts.seller_vat) != facts.seller_country:
            found.append("seller_vat")
        if not facts.buyer_vat:
            found.append("buyer_vat")
        elif vat_country(facts.buyer_vat) != place:
            found.append("buyer_vat_country")
        elif facts.vies == "invalid":
            found.append("vies_invalid")
    return tuple(found)
