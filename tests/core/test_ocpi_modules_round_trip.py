"""The way out and in again, of any object in every version (hypothesis)."""

from dataclasses import fields, replace
from datetime import UTC, datetime

import pytest
from emsp_core.ocpi import modules, v211, v221
from emsp_core.ocpi.json_text import write_json
from emsp_core.ocpi.normalise import parse_cdr
from emsp_core.ocpi.objects import (
    Cdr,
    CdrLocation,
    CdrToken,
    ChargingPeriod,
    Dimension,
    DisplayText,
    Price,
    Tariff,
    TariffElement,
    Tax,
)
from emsp_core.ocpi.peer_objects import (
    AuthorizationInfo,
    BusinessDetails,
    Connector,
    Credentials,
    CredentialsRole,
    Endpoint,
    EnergyContract,
    Evse,
    Image,
    InvoiceReconciliation,
    Location,
    LocationReferences,
    Session,
    Token,
    VersionDetails,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

every_version = pytest.mark.parametrize("version", ("2.1.1", "2.2.1", "2.3.0"))
# Two dozen properties share the seconds; each was run with hundreds of examples when it was written.
few = settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))


def optional(strategy):
    return st.none() | strategy


def some(strategy, least=0):
    return st.lists(strategy, min_size=least, max_size=2).map(tuple)


# What a payload can hold: no text of blanks alone, no NUL, no half of a surrogate pair. And no code of
# OCPI, which may have to become another one.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
texts = texts.map(lambda text: f"{text}~")
numbers = st.decimals(-(10**9), 10**9, places=4)
instants = st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1), timezones=st.just(UTC))
displayed = st.builds(DisplayText, texts, texts)
free = st.dictionaries(texts, st.booleans() | texts | numbers, max_size=2)


def prices_in(version):
    """As the version can tell them."""
    if version == "2.1.1":
        return st.builds(Price, numbers)
    if version == "2.2.1":
        return st.builds(Price, numbers, optional(numbers))
    taxes = some(st.builds(Tax, texts, numbers, optional(numbers), optional(texts)))

    def taxed(amount, listed):
        return Price(amount, sum((tax.amount for tax in listed), amount), listed)

    return st.builds(Price, numbers) | st.builds(taxed, numbers, taxes)


def tokens_in(version):
    if version == "2.1.1":
        return texts.map(lambda text: CdrToken(uid=text, contract_id=text))
    return st.builds(
        CdrToken,
        uid=texts,
        contract_id=texts,
        **dict.fromkeys(("country_code", "party_id", "type"), optional(texts)),
    )


def periods_in(version):
    known = v211 if version == "2.1.1" else v221
    dimensions = some(st.builds(Dimension, st.sampled_from(known.DIMENSION_TYPES) | texts, numbers))
    tariff_ids = st.none() if version == "2.1.1" else optional(texts)
    return st.builds(ChargingPeriod, instants, dimensions, tariff_ids)


def places_in(version):
    names = {field.name for field in fields(CdrLocation)} - {"country"}
    names -= {"state"} if version == "2.1.1" else {"time_zone"}
    # Three digits are no country, and stay what they are.
    return st.builds(CdrLocation, country=optional(st.just("250")), **dict.fromkeys(names, optional(texts)))


owner = {"country_code": texts, "party_id": texts}


def owner_in(version):
    return dict.fromkeys(owner, st.just("")) if version == "2.1.1" else owner


def cdrs_in(version):
    new = version != "2.1.1"
    prices = prices_in(version)
    tariffs = st.builds(
        Tariff,
        **owner_in(version),
        id=texts,
        currency=texts,
        elements=st.just((TariffElement(()),)),
        tax_included=st.just("NO" if version == "2.3.0" else None),
        version=st.just(version),
    )
    newer = {
        "session_id": texts,
        "authorization_reference": texts,
        "signed_data": free,
        "invoice_reference_id": texts,
        "credit_reference_id": texts,
        **dict.fromkeys(("total_fixed_cost", "total_energy_cost", "total_time_cost"), prices),
        **dict.fromkeys(("total_parking_cost", "total_reservation_cost"), prices),
    }
    return st.builds(
        Cdr,
        **owner_in(version),
        **{name: optional(each) if new else st.none() for name, each in newer.items()},
        **dict.fromkeys(("id", "auth_method", "currency"), texts),
        **dict.fromkeys(("start_date_time", "end_date_time", "last_updated"), instants),
        **dict.fromkeys(("total_energy", "total_time"), numbers),
        **dict.fromkeys(("credit", "home_charging_compensation"), st.booleans() if new else st.just(False)),
        **dict.fromkeys(("meter_id", "remark"), optional(texts)),
        cdr_token=tokens_in(version),
        cdr_location=places_in(version),
        tariffs=some(tariffs),
        charging_periods=some(periods_in(version), least=1),
        total_cost=prices,
        total_parking_time=optional(numbers),
    )


def sessions_in(version):
    ids = ("location_id", "evse_uid", "connector_id")
    return st.builds(
        Session,
        **owner_in(version),
        **dict.fromkeys(("id", "status"), texts),
        **dict.fromkeys(("auth_method", "meter_id", "currency"), optional(texts)),
        **dict.fromkeys(ids, st.none() if version == "2.1.1" else optional(texts)),
        **dict.fromkeys(("start_date_time", "last_updated"), instants),
        end_date_time=optional(instants),
        kwh=numbers,
        cdr_token=tokens_in(version),
        authorization_reference=st.none() if version == "2.1.1" else optional(texts),
        location=places_in(version) if version == "2.1.1" else st.none(),
        charging_periods=some(periods_in(version)),
        total_cost=optional(prices_in(version)),
    )


def peer_tokens_in(version):
    new = version != "2.1.1"
    contracts = st.builds(EnergyContract, texts, optional(texts))
    return st.builds(
        Token,
        **owner_in(version),
        **dict.fromkeys(("uid", "contract_id", "whitelist"), texts),
        **dict.fromkeys(("visual_number", "issuer", "language"), optional(texts)),
        **dict.fromkeys(("group_id", "default_profile_type"), optional(texts) if new else st.none()),
        type=st.sampled_from(["RFID", "OTHER"]) | texts,
        valid=st.booleans(),
        energy_contract=optional(contracts) if new else st.none(),
        last_updated=instants,
    )


def connectors_in(version):
    new = version != "2.1.1"
    return st.builds(
        Connector,
        id=texts,
        **dict.fromkeys(("standard", "format", "power_type", "terms_and_conditions"), optional(texts)),
        **dict.fromkeys(("max_voltage", "max_amperage"), optional(numbers)),
        max_electric_power=optional(numbers) if new else st.none(),
        tariff_ids=some(texts) if new else st.lists(texts, max_size=1).map(tuple),
        capabilities=some(texts) if version == "2.3.0" else st.just(()),
        last_updated=optional(instants),
    )


def locations_in(version):
    names = ("evse_id", "status", "floor_level", "latitude", "longitude", "physical_reference")
    evses = st.builds(
        Evse,
        uid=texts,
        **dict.fromkeys(names, optional(texts)),
        **dict.fromkeys(("capabilities", "parking_restrictions"), some(texts)),
        connectors=some(connectors_in(version)),
        directions=some(displayed),
        last_updated=optional(instants),
    )
    images = st.builds(Image, *[optional(texts)] * 4, optional(numbers), optional(numbers))
    business = st.builds(BusinessDetails, optional(texts), optional(texts), optional(images))
    new = version != "2.1.1"
    names = ("name", "address", "city", "postal_code", "latitude", "longitude", "time_zone")
    parking_types = texts if new else st.sampled_from(["ON_STREET", "OTHER", "PARKING_LOT"])
    return st.builds(
        Location,
        **owner_in(version),
        id=texts,
        publish=st.booleans() if new else st.just(True),
        **dict.fromkeys(names, optional(texts)),
        state=optional(texts) if new else st.none(),
        country=optional(st.just("FRA")),
        parking_type=optional(parking_types),
        evses=some(evses),
        directions=some(displayed),
        **dict.fromkeys(("operator", "suboperator", "owner"), optional(business)),
        facilities=some(texts),
        **dict.fromkeys(("opening_times", "energy_mix"), optional(free)),
        charging_when_closed=optional(st.booleans()),
        help_phone=optional(texts) if version == "2.3.0" else st.none(),
        last_updated=instants,
    )


def authorizations_in(version):
    new = version != "2.1.1"
    connector_ids = st.just(()) if new else some(texts)
    return st.builds(
        AuthorizationInfo,
        allowed=texts,
        token=optional(peer_tokens_in(version)) if new else st.none(),
        location=optional(st.builds(LocationReferences, texts, some(texts), connector_ids)),
        authorization_reference=optional(texts) if new else st.none(),
        info=optional(displayed),
    )


def credentials_in(version):
    new = version != "2.1.1"
    roles = st.builds(
        CredentialsRole,
        role=optional(texts) if new else st.none(),
        business_details=optional(st.builds(BusinessDetails, texts)),
        party_id=texts,
        country_code=texts,
    )
    listed = some(roles, least=1) if new else roles.map(lambda role: (role,))
    hubs = optional(texts) if version == "2.3.0" else st.none()
    return st.builds(Credentials, texts, texts, listed, hubs)


def version_details_in(version):
    roles = st.none() if version == "2.1.1" else optional(texts)
    return st.builds(VersionDetails, texts, some(st.builds(Endpoint, texts, texts, roles)))


def reconciliations_in(version):
    # No owner in the URL: a record of any version names it.
    return st.builds(
        InvoiceReconciliation,
        **owner,
        id=texts,
        invoice_id=texts,
        cdrs=some(texts, least=1),
        total_cost=optional(prices_in(version)),
        **dict.fromkeys(("currency", "annex_sha256", "dispute_url"), optional(texts)),
        last_updated=instants,
    )


STRATEGIES = {
    "authorization": authorizations_in,
    "credentials": credentials_in,
    "invoice_reconciliation": reconciliations_in,
    "location": locations_in,
    "session": sessions_in,
    "token": peer_tokens_in,
    "version_details": version_details_in,
}


def as_read(value):
    """What is told twice in 2.1.1: the ids of a session are those of its location."""
    if isinstance(value, Session) and value.location:
        place = value.location
        # A location that says nothing is not sent.
        told = None if place == CdrLocation() else place
        ids = {"location_id": place.id, "evse_uid": place.evse_uid, "connector_id": place.connector_id}
        return replace(value, location=told, **ids)
    return value


@every_version
@pytest.mark.parametrize("kind", STRATEGIES)
def test_every_object_survives_the_way_out_and_in(kind, version):
    parse = getattr(modules, f"parse_{kind}")
    write = getattr(modules, f"{kind}_payload")

    @few
    @given(STRATEGIES[kind](version))
    def survives(value):
        assert parse(write_json(write(value, version)), version) == as_read(value)

    survives()


@every_version
def test_every_cdr_survives_the_way_out_and_in(version):
    @few
    @given(cdrs_in(version))
    def survives(cdr):
        back = parse_cdr(write_json(modules.cdr_payload(cdr, version)), version)
        # 2.1.1 names no owner; it is read off the EVSE's id, which here may look like anything.
        assert replace(back, country_code=cdr.country_code, party_id=cdr.party_id, tariffs=()) == replace(
            cdr, tariffs=()
        )
        assert [tariff.id for tariff in back.tariffs] == [tariff.id for tariff in cdr.tariffs]

    survives()
