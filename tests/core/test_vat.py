"""Cases worked out by hand from the directive; the rules are those that a new database begins with."""

from dataclasses import replace
from datetime import date

import pytest
from emsp_core.vat import (
    Dealer,
    Decision,
    Facts,
    Rule,
    area,
    decide,
    invoice_limit,
    oldest_in_time,
    vat_country,
)

END, NEXT = date(2026, 12, 31), date(2027, 1, 1)
RULES = [
    Rule(
        1,
        "FR",
        "domestic_reverse",
        "AE",
        "VATEX-EU-AE",
        "same",
        model="goods",
        buyer_dealer="yes",
        valid_to=END,
    ),
    Rule(2, "FR", "undecided", buyer_area="same", model="goods", buyer_dealer="yes", valid_from=NEXT),
    Rule(
        3,
        "DE",
        "domestic_reverse",
        "AE",
        buyer_area="same",
        buyer_dealer="yes",
        seller_dealer="yes",
        valid_to=END,
    ),
    Rule(4, "DE", "domestic", "S", buyer_area="same", buyer_dealer="yes", seller_dealer="no"),
    Rule(5, "EU", "undecided", buyer_area="same", model="goods", buyer_dealer="yes"),
    Rule(6, "EU", "domestic", "S", buyer_area="same", model="goods", buyer_dealer="no", charger="seller"),
    Rule(7, "EU", "local", "S", buyer_area="same", buyer_dealer="no", charger="other", place="charger"),
    Rule(
        8,
        "EU",
        "eu_reverse",
        "AE",
        buyer_area="eu",
        model="goods",
        buyer_dealer="yes",
        place="buyer",
        by_15th=True,
    ),
    Rule(9, "EU", "domestic", "S", buyer_area="eu", model="goods", buyer_dealer="no", charger="seller"),
    Rule(10, "EU", "eu_reverse", "AE", buyer_area="eu", buyer_dealer="no", charger="buyer", place="buyer"),
    Rule(11, "EU", "local", "S", buyer_area="eu", buyer_dealer="no", charger="other", place="charger"),
    Rule(12, "EU", "outside", "O", "VATEX-EU-O", "outside", model="goods", buyer_dealer="yes", place="buyer"),
    Rule(13, "EU", "eu_reverse", "AE", buyer_area="eu", model="service", place="buyer"),
]
PROVEN = Dealer("yes", proven=True, until=date(2027, 6, 30))
NO_DEALER = Dealer("no")
NUMBERS = {
    "FR": "FR23334175221",
    "DE": "DE136695976",
    "BE": "BE0477472701",
    "CH": "",
    "GB": "",
    "US": "",
    "": "",
}


def facts(seller="FR", buyer="DE", dealer=PROVEN, places=("FR",), day=date(2026, 10, 15), **changes):
    values = {
        "seller_country": seller,
        "buyer_country": buyer,
        "supplied_from": day,
        "supplied_until": day,
        "seller_vat": NUMBERS.get(seller, ""),
        "buyer_vat": NUMBERS.get(buyer, ""),
        "buyer_dealer": dealer,
        "places": frozenset(places),
    }
    return Facts(**{**values, **changes})


@pytest.mark.parametrize(
    ("case", "regime", "category", "place", "liable"),
    [
        # Article 283-2 quinquies CGI: the dealer in France owes it.
        (facts(buyer="FR"), "domestic_reverse", "AE", "FR", "buyer"),
        # No dealer, charger in France: French VAT.
        (facts(buyer="FR", dealer=NO_DEALER), "domestic", "S", "FR", "seller"),
        # Articles 38 and 195: wherever the chargers stand, Germany.
        (facts(), "eu_reverse", "AE", "DE", "buyer"),
        (facts(places=("FR", "BE")), "eu_reverse", "AE", "DE", "buyer"),
        # Article 39: used in France, by a German company that is no dealer.
        (facts(dealer=NO_DEALER), "domestic", "S", "FR", "seller"),
        # Used in Germany, whose number the buyer has: article 195.
        (facts(dealer=NO_DEALER, places=("DE",)), "eu_reverse", "AE", "DE", "buyer"),
        # § 13b UStG wants both to be dealers.
        (facts("DE", "DE", seller_dealer=PROVEN), "domestic_reverse", "AE", "DE", "buyer"),
        (facts("DE", "DE", seller_dealer=NO_DEALER), "domestic", "S", "DE", "seller"),
        (facts("DE", "DE", dealer=NO_DEALER, places=("DE",)), "domestic", "S", "DE", "seller"),
        # Switzerland and Great Britain are outside; a dealer there takes the place of supply with it.
        (facts(buyer="CH"), "outside", "O", "CH", "nobody"),
        (facts(buyer="GB"), "outside", "O", "GB", "nobody"),
        # Article 196.
        (facts(model="service", dealer=Dealer()), "eu_reverse", "AE", "DE", "buyer"),
    ],
)
def test_regime_follows_places_and_dealers(case, regime, category, place, liable):
    decision = decide(case, RULES)
    assert decision.missing == ()
    assert (decision.regime, decision.category, decision.place, decision.liable) == (
        regime,
        category,
        place,
        liable,
    )
    assert decision.is_decided


@pytest.mark.parametrize(
    ("case", "missing"),
    [
        (facts(dealer=Dealer()), ("buyer_dealer",)),
        (facts(dealer=Dealer("yes")), ("buyer_dealer_proof",)),
        (facts(dealer=replace(PROVEN, until=date(2026, 10, 14))), ("buyer_dealer_proof_expired",)),
        (facts("DE", "DE"), ("seller_dealer",)),
        (facts("DE", "DE", dealer=Dealer()), ("buyer_dealer", "seller_dealer")),
        (facts(buyer_vat=""), ("buyer_vat",)),
        (facts(buyer_vat="BE0477472701"), ("buyer_vat_country",)),
        # A German tax number is no VAT number.
        (facts(buyer_vat="1234567890"), ("buyer_vat_country",)),
        (facts(vies="invalid"), ("vies_invalid",)),
        (facts(seller_vat=""), ("seller_vat",)),
        (facts(buyer=""), ("buyer_country",)),
        (facts(dealer=NO_DEALER, places=("FR", "DE")), ("charger_countries",)),
        (facts(dealer=NO_DEALER, places=("",)), ("charger_country",)),
        (facts(dealer=NO_DEALER, places=("BE",)), ("registration",)),
        (facts("BE", "BE"), ("national_law",)),
        (facts(buyer_vat="XI123456782"), ("special_territory",)),
        (facts(buyer="CH", dealer=NO_DEALER), ("no_rule",)),
    ],
)
def test_what_is_not_known_is_asked_for_and_never_guessed(case, missing):
    decision = decide(case, RULES)
    assert decision.missing == missing
    assert not decision.is_decided


def test_proof_covers_its_last_day():
    decision = decide(facts(dealer=replace(PROVEN, until=date(2026, 10, 15))), RULES)
    assert decision.regime == "eu_reverse" and not decision.missing


def test_proof_that_ends_within_the_period_is_missing():
    case = facts(
        dealer=replace(PROVEN, until=date(2026, 10, 20)),
        supplied_from=date(2026, 10, 1),
        supplied_until=date(2026, 10, 31),
    )
    assert decide(case, RULES).missing == ("buyer_dealer_proof_expired",)


def test_registration_in_the_chargers_country_lifts_the_obstacle():
    case = facts(dealer=NO_DEALER, places=("BE",), registrations=frozenset({"BE"}))
    decision = decide(case, RULES)
    assert (decision.regime, decision.place, decision.missing) == ("local", "BE", ())


def test_seller_no_rule_speaks_of_is_left_to_others():
    assert decide(facts("US", "DE"), RULES) == Decision("")


def test_rule_ends_on_its_last_day():
    assert decide(facts(buyer="FR", day=END), RULES).regime == "domestic_reverse"
    assert decide(facts(buyer="FR", day=NEXT), RULES).missing == ("national_law",)
    prolonged = [replace(RULES[0], valid_to=None), *RULES[1:]]
    assert decide(facts(buyer="FR", day=NEXT), prolonged).regime == "domestic_reverse"


def test_period_over_a_change_of_rules_is_not_decided():
    rules = [RULES[0], Rule(20, "FR", "domestic", "S", buyer_area="same", valid_from=NEXT)]
    case = facts(buyer="FR", supplied_from=END, supplied_until=NEXT)
    assert decide(case, rules).missing == ("rule_changes",)


def test_first_rule_that_holds_decides():
    first = Rule(30, "EU", "domestic", "S", buyer="DE", buyer_registered=True)
    assert decide(facts(), [first, *RULES]).key == 30
    assert decide(facts(buyer_vat=""), [first, *RULES]).missing == ("buyer_vat",)


def test_areas():
    assert (area("FR", "FR"), area("FR", "GR"), area("FR", "NO")) == ("same", "eu", "outside")


def test_vat_number_names_its_country():
    assert [vat_country(n) for n in ("EL123456783", "de136695976", "CHE123456788", "12/345/67890", "")] == [
        "GR",
        "DE",
        "",
        "",
        "",
    ]


def test_invoice_limit_is_the_15th_of_the_next_month():
    assert invoice_limit(date(2026, 10, 1)) == date(2026, 11, 15)
    assert invoice_limit(date(2026, 12, 31)) == date(2027, 1, 15)
    assert invoice_limit(date(2026, 11, 30)) == date(2026, 12, 15)


def test_oldest_month_that_is_still_in_time():
    assert oldest_in_time(date(2026, 11, 15)) == date(2026, 10, 1)
    assert oldest_in_time(date(2026, 11, 16)) == date(2026, 11, 1)
    assert oldest_in_time(date(2027, 1, 10)) == date(2026, 12, 1)
    assert oldest_in_time(date(2027, 1, 20)) == date(2027, 1, 1)
