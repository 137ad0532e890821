"""Which tariff prices a period, and which element at which instant."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from charging import START, codes, component, element, limit, pair, period, session, tariff
from emsp_core.errors import PricingError
from emsp_core.ocpi.objects import CdrLocation
from emsp_core.pricing.engine import PricingRules, compile_tariff, price

PARIS = PricingRules("Europe/Paris")
CDR = session(period(60, energy="10"))


def energy(amount, name="T", **values):
    return tariff(element(("ENERGY", amount)), id=name, **values)


def excl(cdr, *tariffs, rules=PARIS):
    return str(price(cdr, tariffs, rules).totals.excl)


# --- Choice -------------------------------------------------------------------------------------


def test_first_tariff_valid_at_the_start_prices_all_of_it():
    old = energy("0.10", "OLD", end_date_time=START)
    new = energy("0.20", "NEW", start_date_time=START, end_date_time=START + timedelta(minutes=30))
    later = energy("0.30", "LATER")
    assert excl(CDR, old, new, later) == "2.00"


def test_ad_hoc_prices_and_profiles_are_for_those_who_chose_them():
    adhoc = energy("0.90", "A", type="AD_HOC_PAYMENT")
    green = energy("0.80", "G", type="PROFILE_GREEN")
    regular = energy("0.40", "R", type="REGULAR")
    assert excl(CDR, adhoc, green, regular) == "4.00"
    # with nothing else, it is the one that was meant
    assert excl(CDR, adhoc) == "9.00"


def test_tariff_named_by_the_period_goes_before_all_others():
    cdr = session(period(30, energy="10", tariff_id="b"), period(30, energy="10", tariff_id="A"))
    assert excl(cdr, energy("0.10", "A"), energy("0.30", "B")) == "4.00"


def test_period_without_a_name_among_named_ones_is_unpriced():
    cdr = session(period(30, energy="10", tariff_id="A"), period(30, energy="10"))
    result = price(cdr, [energy("0.10", "A")], PARIS)
    assert (str(result.totals.excl), codes(result)) == ("1.00", ["period_without_tariff"])


def test_steps_are_not_carried_from_one_tariff_to_the_next():
    # 1.2 kWh of each, in steps of a kWh: 2 kWh and 2 kWh, not 3
    step = component("ENERGY", "1.00", 1000)
    both = [tariff(element(step), id=name) for name in "AB"]
    cdr = session(period(30, energy="1.2", tariff_id="A"), period(30, energy="1.2", tariff_id="B"))
    assert excl(cdr, *both) == "4.00"


def test_each_named_tariff_limits_its_own_part():
    cdr = session(period(30, energy="10", tariff_id="A"), period(30, energy="10", tariff_id="B"))
    capped = energy("0.50", "A", max_price=limit("3.00", "3.00"))
    # 5.00 limited to 3.00, and 5.00
    assert excl(cdr, capped, energy("0.50", "B")) == "8.00"


def test_flat_fee_is_due_once_however_many_elements_have_one():
    fees = tariff(
        element(("FLAT", "1.00"), max_kwh="5"), element(("FLAT", "3.00")), element(("ENERGY", "0.10"))
    )
    cdr = session(period(30, energy="10"), period(30, energy="10"))
    assert excl(cdr, fees) == "3.00"  # 1.00 + 20 x 0.10


def test_tariff_compiled_once_prices_as_the_tariff_does():
    plain = energy("0.37")
    assert price(CDR, [compile_tariff(plain)], PARIS).to_json() == price(CDR, [plain], PARIS).to_json()


# --- Instants ------------------------------------------------------------------------------------

NIGHT = tariff(element(("ENERGY", "0.10"), start_time="02:00", end_time="03:00"), element(("ENERGY", "0.50")))


@pytest.mark.parametrize(
    ("utc", "amount"),
    [
        ("2026-10-24T23:59:59", "5.00"),  # 01:59:59
        ("2026-10-25T00:30:00", "1.00"),  # 02:30, summer time
        ("2026-10-25T01:30:00", "1.00"),  # 02:30 again, winter time
        ("2026-10-25T02:00:00", "5.00"),  # 03:00
        ("2026-03-29T00:59:59", "5.00"),  # 01:59:59, then 03:00: 02:30 never comes
        ("2026-03-29T01:00:00", "5.00"),
    ],
)
def test_hour_that_comes_twice_counts_twice_and_one_that_never_comes_does_not(utc, amount):
    start = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert excl(session(period(1, energy="10"), start=start), NIGHT) == amount


@pytest.mark.parametrize(
    ("restrictions", "amount"),
    [
        ({"start_date": "2026-10-05"}, "1.00"),
        ({"end_date": "2026-10-05"}, "5.00"),  # the day itself is not included
        ({"end_date": "2026-10-06"}, "1.00"),
        ({"start_date": "2026-10-06"}, "5.00"),
        ({"start_date": "2026-10-01", "end_date": "2026-10-31", "start_time": "11:00"}, "5.00"),
        ({"day_of_week": ("monday",)}, "1.00"),
        ({"day_of_week": ("TUESDAY", "SUNDAY")}, "5.00"),
        ({"start_time": "10:00", "end_time": "10:00"}, "1.00"),  # the whole day
        ({"end_time": "00:00"}, "1.00"),
        ({"start_time": "09:00", "end_time": "24:00"}, "1.00"),
    ],
)
def test_calendar_restrictions(restrictions, amount):
    both = tariff(element(("ENERGY", "0.10"), **restrictions), element(("ENERGY", "0.50")))
    assert excl(CDR, both) == amount


def test_last_second_and_last_watt_hour_tell_of_a_period_that_had_to_be_split():
    tiers = tariff(element(("ENERGY", "0.10"), max_kwh="10"), element(("ENERGY", "0.50")))
    assert codes(price(CDR, [tiers], PARIS)) == []  # the tier is used up, and no more
    more = session(period(60, energy="10.5"))
    assert codes(price(more, [tiers], PARIS)) == ["spans_price_change"]
    assert excl(more, tiers) == "1.05"  # the start counts for all of it


def test_duration_counts_from_the_first_charging_after_a_reservation():
    # an hour reserved, then an hour of charging that began 0 minutes ago
    cdr = session(period(60, reservation_time="1"), period(60, time="1"))
    tiers = tariff(element(("TIME", "1.00"), max_duration=1800), element(("TIME", "9.00")))
    assert excl(cdr, tiers) == "1.00"


@pytest.mark.parametrize(
    ("restriction", "volumes", "amount"),
    [
        ({"min_current": "16"}, {"min_current": "16"}, "1.00"),
        ({"min_current": "16"}, {"min_current": "15", "max_current": "32"}, "5.00"),
        ({"min_current": "16"}, {"current": "20"}, "1.00"),
        ({"min_current": "16"}, {"max_current": "32"}, "1.00"),
        ({"max_current": "16"}, {"max_current": "16"}, "5.00"),
        ({"max_current": "16"}, {"min_current": "10"}, "1.00"),
        ({"max_power": "11"}, {"max_power": "22"}, "5.00"),
        ({"max_power": "11"}, {}, "1.00"),  # 10 kWh in an hour are 10 kW
        ({"min_power": "11"}, {}, "5.00"),
        ({"max_power": "0"}, {"max_power": "-7"}, "1.00"),  # back to the grid
    ],
)
def test_current_and_power_use_the_best_value_known(restriction, volumes, amount):
    cdr = session(period(60, energy="10", **volumes))
    assert (
        excl(cdr, tariff(element(("ENERGY", "0.10"), **restriction), element(("ENERGY", "0.50")))) == amount
    )


def test_energy_given_back_lowers_the_price_and_is_not_rounded():
    cdr = session(period(60, energy="-2.5"))
    assert excl(cdr, tariff(element(component("ENERGY", "0.40", 1000)))) == "-1.00"


def test_repeated_dimensions_of_a_period_are_added_up():
    cdr = session(period(60, energy="10"))
    [only] = cdr.charging_periods
    twice = session(period(60, energy="10"), charging_periods=(type(only)(START, only.dimensions * 2),))
    assert excl(twice, energy("0.10")) == "2.00"


# --- Reservations --------------------------------------------------------------------------------

RESERVED = tariff(
    element(("FLAT", "4.00"), ("TIME", "6.00"), reservation="RESERVATION_EXPIRES"),
    element(("FLAT", "2.00"), ("TIME", "3.00"), reservation="RESERVATION"),
    element(("FLAT", "0.50"), ("ENERGY", "0.25")),
)
USED = session(period(20, reservation_time="0.3333"), period(60, energy="10"))
UNUSED = session(period(20, reservation_time="0.3333"))


def test_used_reservation_costs_its_fee_its_time_and_the_session():
    result = price(USED, [RESERVED], PARIS)
    # 2.00 + 20 min at 3.00 = 3.00; 0.50 + 10 x 0.25 = 3.00
    assert pair(result.subtotals["total_reservation_cost"]) == ("3.00", "3.00")
    assert str(result.totals.excl) == "6.00"


def test_expired_reservation_costs_what_expiry_costs_and_no_start_fee():
    result = price(UNUSED, [RESERVED], PARIS)
    # 4.00 + 20 min at 6.00, and no 0.50
    assert str(result.totals.excl) == "6.00"
    [note] = [note for note in result.notes if note.code == "reservation_assumed"]
    assert note.params == {"found": "expired"}


def test_caller_who_knows_goes_before_what_the_cdr_suggests():
    known = PricingRules("Europe/Paris", reservation_expired=False)
    result = price(UNUSED, [RESERVED], known)
    assert (str(result.totals.excl), "reservation_assumed" in codes(result)) == ("3.00", False)


def test_reserved_connector_that_was_never_assigned_is_an_expired_reservation():
    nowhere = CdrLocation(id="L1", evse_uid="#NA", connector_id="#NA")
    cdr = session(
        period(20, reservation_time="0.3333"), period(1, energy="0", max_power="11"), cdr_location=nowhere
    )
    assert excl(cdr, RESERVED) == "6.00"


def test_connector_that_the_sender_does_not_know_is_no_sign_of_that():
    nowhere = CdrLocation(id="L1", evse_uid="#NA", connector_id="#NA")
    cdr = session(period(20, reservation_time="0.3333"), period(60, energy="10"), cdr_location=nowhere)
    assert excl(cdr, RESERVED) == "6.00"  # 3.00 reserved, 3.00 charged


def test_elements_for_reservations_never_price_charging():
    only = tariff(element(("ENERGY", "9.00"), ("TIME", "9.00"), reservation="RESERVATION"))
    result = price(session(period(60, energy="10", time="1")), [only], PARIS)
    assert (str(result.totals.excl), codes(result)) == ("0.00", ["unpriced", "unpriced"])


# --- Totals that say something else -----------------------------------------------------------


def test_totals_of_the_cdr_are_compared_with_its_periods():
    cdr = session(period(60, energy="10", soc="80"), total_energy=Decimal(12), total_time=Decimal(3))
    result = price(cdr, [energy("0.10")], PARIS)
    assert {note.code: dict(note.params) for note in result.notes} == {
        "energy_sum": {"expected": "10", "found": "12"},
        "time_sum": {"expected": "3600", "found": "10800"},
    }


def test_reading_of_a_running_session_is_out_of_place():
    result = price(session(period(60, energy="10", state_of_charge="80")), [energy("0.10")], PARIS)
    assert codes(result) == ["session_dimension"]


def test_named_tariff_that_is_unknown_is_refused_with_the_place():
    with pytest.raises(PricingError) as caught:
        price(session(period(30, energy="1", tariff_id="X")), [energy("0.10")], PARIS)
    assert (caught.value.code, caught.value.path) == ("no_tariff", "charging_periods[0].tariff_id")
