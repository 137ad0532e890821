"""The description of our endpoints: whole, true to the messages, and nothing of other versions in it."""

import json
import re
from pathlib import Path

import pytest
from emsp_core.ocpi import modules_v221, v211, v221, v230
from emsp_core.ocpi.json_text import write_json
from emsp_core.ocpi.modules import schema_of
from emsp_core.ocpi.openapi import Route, document
from emsp_core.ocpi.paging import PARAMETERS as PAGING
from jsonschema import Draft202012Validator

DATA = Path(__file__).parent / "data" / "ocpi"
BASE = "https://rvr.example/ocpi"
VERSIONS = ("2.1.1", "2.2.1", "2.3.0")
CDRS = {"2.1.1": v211.Cdr, "2.2.1": v221.Cdr, "2.3.0": v230.Cdr}
KINDS = {
    "authorization": modules_v221.AuthorizationInfo,
    "credentials": modules_v221.Credentials,
    "location": modules_v221.Location,
    "session": modules_v221.Session,
    "token": modules_v221.Token,
    "version_details": modules_v221.VersionDetails,
}
OBJECT = "/{country_code}/{party_id}/{id}"

every_version = pytest.mark.parametrize("version", VERSIONS)


def routes_in(version):
    """All that a platform of both roles has, more or less."""
    found = [
        Route("cdrs", version, "RECEIVER", "POST", f"/{version}/cdrs", CDRS[version]),
        Route("cdrs", version, "SENDER", "GET", f"/{version}/cdrs", None, CDRS[version], PAGING, True),
    ]
    for kind, schema in KINDS.items():
        known, path = schema_of(schema, version), f"/{version}/{kind}"
        found += [
            Route(kind, version, "SENDER", "GET", path, None, known, (*PAGING, "type"), True),
            Route(kind, version, "RECEIVER", "PUT", path + OBJECT, known),
            Route(kind, version, "RECEIVER", "GET", path + OBJECT, None, known),
            Route(kind, version, "RECEIVER", "DELETE", path + OBJECT),
        ]
        if "last_updated" in known.__struct_fields__:
            found.append(Route(kind, version, "RECEIVER", "PATCH", path + OBJECT, known))
    return found


ROUTES = [route for version in VERSIONS for route in routes_in(version)]
WHOLE = document(ROUTES, BASE)
SCHEMAS = WHOLE["components"]["schemas"]
OPERATIONS = [
    (path, method, operation) for path, each in WHOLE["paths"].items() for method, operation in each.items()
]


def nodes(tree):
    yield tree
    for child in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from nodes(child)


def operation(path, method):
    return WHOLE["paths"][path][method]


def test_document_is_json_and_has_its_parts():
    assert json.loads(write_json(WHOLE))["openapi"] == "3.1.0"
    assert WHOLE["info"] == {"title": "OCPI", "version": "2.1.1, 2.2.1, 2.3.0"}
    assert WHOLE["servers"] == [{"url": BASE}]
    assert [tag["name"] for tag in WHOLE["tags"]] == sorted([*KINDS, "cdrs"])
    assert WHOLE["security"] == [{name: []} for name in WHOLE["components"]["securitySchemes"]]


def test_every_route_is_there_once():
    assert len(OPERATIONS) == len(ROUTES)
    ids = {each["operationId"] for *_, each in OPERATIONS}
    assert len(ids) == len(ROUTES)
    assert all(re.fullmatch(r"[a-z][A-Za-z0-9_]+", each) for each in ids)


def test_every_reference_resolves():
    found = {node["$ref"] for node in nodes(WHOLE) if isinstance(node, dict) and "$ref" in node}
    assert found
    assert {each.removeprefix("#/components/schemas/") for each in found} <= SCHEMAS.keys()


def test_every_name_of_a_component_is_allowed_and_none_tells_our_modules():
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", name) for name in SCHEMAS)
    assert not [name for name in SCHEMAS if "core" in name or "modules" in name]


def test_every_path_parameter_is_declared_and_required():
    for path, _, each in OPERATIONS:
        declared = [one["name"] for one in each["parameters"] if one["in"] == "path"]
        assert declared == re.findall(r"{(\w+)}", path)
        assert all(one["required"] for one in each["parameters"] if one["in"] == "path")
        assert each["responses"]


@pytest.mark.parametrize("name", SCHEMAS)
def test_component_is_a_json_schema(name):
    Draft202012Validator.check_schema(SCHEMAS[name])
    assert set(SCHEMAS[name]["required"]) <= SCHEMAS[name]["properties"].keys()
    assert SCHEMAS[name]["description"].startswith(("OCPI 2.", "A", "In", "One"))


def problems(name, raw):
    """What a validator says of a message."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": WHOLE["components"]}
    errors = Draft202012Validator(schema).iter_errors(json.loads(raw))
    return sorted((list(each.path), each.validator) for each in errors)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])
def test_message_fits_its_description(kind, version):
    raw = (DATA / "modules" / f"v{version.replace('.', '')}" / f"{kind}.json").read_bytes()
    assert problems(f"{version}.{KINDS[kind].__name__}", raw) == []


@pytest.mark.parametrize(("version", "name"), [("2.2.1", "full_cdr.json"), ("2.3.0", "v230/cdr.json")])
def test_cdr_fits_its_description(version, name):
    assert problems(f"{version}.Cdr", (DATA / name).read_bytes()) == []


def test_number_as_text_does_not_fit():
    raw = (DATA / "modules" / "v211" / "session.json").read_bytes()
    assert problems("2.1.1.Session", raw) == [(["total_cost"], "type")]


def test_change_needs_nothing_but_its_instant():
    body = operation("/2.2.1/session" + OBJECT, "patch")["requestBody"]
    name = body["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    assert name == "2.2.1.SessionChange"
    assert problems(name, '{"last_updated": "2025-06-02T10:00:00Z", "kwh": 4}') == []
    assert problems(name, '{"kwh": "4"}') == [([], "required"), (["kwh"], "type")]


def test_list_is_answered_in_pages():
    each = operation("/2.2.1/token", "get")
    assert [one["name"] for one in each["parameters"]] == [*PAGING, "type"]
    answer = each["responses"]["default"]
    assert set(answer["headers"]) == {"Link", "X-Total-Count", "X-Limit"}
    data = answer["content"]["application/json"]["schema"]["properties"]["data"]
    assert data == {"type": "array", "items": {"$ref": "#/components/schemas/2.2.1.Token"}}


def test_object_is_answered_by_itself_and_a_write_without_data():
    answer = operation("/2.2.1/token" + OBJECT, "get")["responses"]["default"]
    schema = answer["content"]["application/json"]["schema"]
    assert schema["properties"]["data"] == {"$ref": "#/components/schemas/2.2.1.Token"}
    assert "headers" not in answer
    answer = operation("/2.2.1/token" + OBJECT, "put")["responses"]["default"]
    assert "data" not in answer["content"]["application/json"]["schema"]["properties"]


def test_field_is_described_as_the_specification_has_it():
    token = SCHEMAS["2.2.1.Token"]
    assert token["properties"]["uid"] == {"type": "string", "maxLength": 36}
    assert token["properties"]["type"]["x-extensible-enum"] == ["AD_HOC_USER", "APP_USER", "OTHER", "RFID"]
    assert token["properties"]["last_updated"] == {"type": "string", "format": "date-time"}
    assert "EMAID" in SCHEMAS["2.3.0.Token"]["properties"]["type"]["x-extensible-enum"]
    # Due, though we take a token without it
    assert {"issuer", "country_code", "contract_id"} <= set(token["required"])
    assert "auth_id" not in token["properties"]
    assert SCHEMAS["2.2.1.Evse"]["properties"]["floor_level"] == {"type": "string", "maxLength": 4}
    assert SCHEMAS["2.2.1.VersionDetails"]["properties"]["version"] == {"type": "string"}
    assert "auth_id" in SCHEMAS["2.1.1.Token"]["required"]


@every_version
def test_amount_is_described_in_the_shape_of_the_version(version):
    total = SCHEMAS[f"{version}.Session"]["properties"]["total_cost"]
    price = {"$ref": f"#/components/schemas/{version}.Price"}
    assert total == ({"type": "number"} if version == "2.1.1" else price)
    assert (f"{version}.Price" in SCHEMAS) == (version != "2.1.1")


def test_location_of_a_211_cdr_is_told_apart_from_that_of_the_module():
    cdr = SCHEMAS["2.1.1.Cdr"]["properties"]["location"]
    assert cdr == {"$ref": "#/components/schemas/2.1.1.CdrLocation"}
    connector = SCHEMAS["2.1.1.EvseConnector"]["properties"]
    assert "voltage" in connector and "voltage" in SCHEMAS["2.1.1.Connector"]["properties"]


def test_route_twice_is_a_mistake():
    route = Route("cdrs", "2.2.1", "RECEIVER", "POST", "/cdrs")
    with pytest.raises(ValueError, match="POST /cdrs once"):
        document([route, route], BASE)


def test_no_route_makes_an_empty_document():
    empty = document([], BASE)
    assert (empty["paths"], empty["components"]["schemas"]) == ({}, {})
