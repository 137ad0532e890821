"""A tariff of OCPI 2.2.1 in, and out again."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from emsp_core.errors import PayloadError
from emsp_core.ocpi.normalise import parse_tariff, tariff_payload, write_json
from emsp_core.ocpi.objects import PriceComponent, Tariff, TariffElement

RAW = (Path(__file__).parent / "data" / "ocpi" / "tariff.json").read_bytes()


def test_tariff_is_read_exactly():
    tariff = parse_tariff(RAW)
    assert tariff.key == "BE*SNL*GENT-DC-NIGHT"
    assert tariff.type == "AD_HOC_PAYMENT"
    assert tariff.start_date_time == datetime(2025, 12, 31, 23, tzinfo=UTC)
    assert tariff.last_updated == datetime(2025, 12, 20, 10, 0, 0, 250_000, tzinfo=UTC)
    night, day = tariff.elements
    assert night.price_components[0].price == Decimal("0.3099")
    assert night.restrictions.day_of_week == ("SATURDAY", "SUNDAY")
    assert (night.restrictions.min_duration, night.restrictions.max_duration) == (60, None)
    assert day.restrictions is None


def test_step_size_left_out_rounds_nothing_up():
    assert parse_tariff(RAW).elements[1].price_components[1] == PriceComponent("FLAT", Decimal("0.25"), 1)


def test_payload_of_a_tariff_is_the_tariff_again():
    tariff = parse_tariff(RAW)
    text = write_json(tariff_payload(tariff))
    assert parse_tariff(text) == tariff
    # Numbers leave with the digits they came with, instants in UTC.
    assert b'"price":0.3099' in text
    assert b'"start_date_time":"2025-12-31T23:00:00Z"' in text
    assert b'"last_updated":"2025-12-20T10:00:00.250Z"' in text
    assert b"null" not in text


def test_payload_holds_what_is_set_and_no_field_of_another_version():
    tariff = Tariff(
        country_code="FR",
        party_id="VLT",
        id="GRID-1",
        currency="EUR",
        elements=(TariffElement((PriceComponent("TIME", Decimal("2.40")),)),),
        tax_included="NO",
    )
    assert tariff_payload(tariff) == {
        "country_code": "FR",
        "party_id": "VLT",
        "id": "GRID-1",
        "currency": "EUR",
        "elements": [{"price_components": [{"type": "TIME", "price": Decimal("2.40"), "step_size": 1}]}],
    }
    assert parse_tariff(write_json(tariff_payload(tariff))) == replace(tariff, tax_included=None)


@pytest.mark.parametrize("name", ["country_code", "party_id", "id", "currency", "elements"])
def test_tariff_without_owner_id_currency_or_elements_is_refused(name):
    tree = json.loads(RAW)
    del tree[name]
    with pytest.raises(PayloadError) as refusal:
        parse_tariff(json.dumps(tree))
    assert (refusal.value.code, refusal.value.path) == ("missing_field", name)


def test_unknown_version_is_refused_both_ways():
    with pytest.raises(PayloadError, match="unsupported_version: expected OCPI version .*, got 2.0"):
        parse_tariff(RAW, "2.0")
    with pytest.raises(PayloadError, match="unsupported_version"):
        tariff_payload(parse_tariff(RAW), "2.0")


def test_text_that_looks_like_the_unknown_time_stays_as_it_was_written():
    texts = [{"language": "en", "text": "1970-1-1T00:00:00Z"}]
    payload = {
        "country_code": "FR",
        "party_id": "RVR",
        "id": "T",
        "currency": "EUR",
        "tariff_alt_text": texts,
        "elements": [{"price_components": [{"type": "FLAT", "price": 1, "step_size": 1}]}],
        "last_updated": "1970-1-1T00:00:00Z",
    }
    tariff = parse_tariff(json.dumps(payload))
    assert tariff.tariff_alt_text[0].text == "1970-1-1T00:00:00Z"
    assert tariff.last_updated == datetime(1970, 1, 1, tzinfo=UTC)
