"""A client that takes no answer on trust: what the package's schemas have against it."""

import json

import httpx
from py_ocpi.core.data_types import DateTime
from py_ocpi.core.schemas import OCPIResponse
from py_ocpi.core.utils import encode_string_base64, get_module_model
from py_ocpi.modules.versions.enums import VersionNumber
from py_ocpi.modules.versions.schemas import Version
from pydantic import ValidationError

TIMEOUT_S = 60


async def call(method, url, version, token, body=None, schema=None):
    """:param schema: module and class of what `data` holds: "cdrs.Cdr"; None where nothing is due.
    :return: HTTP status, headers and envelope as they came; `problems`; `data` as the schema reads it.
    """
    number = VersionNumber(version)
    if number != VersionNumber.v_2_1_1:
        token = encode_string_base64(token)
    async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:
        response = await client.request(method, url, headers={"Authorization": f"Token {token}"}, json=body)
    envelope = response.json()
    problems = errors_of(OCPIResponse, envelope, "")
    problems += differences(envelope, as_json(OCPIResponse.construct(**envelope)), "")
    data = envelope.get("data")
    if schema is None:
        found = []
        problems += [] if data is None else ["data: expected none"]
    else:
        many = data if isinstance(data, list) else [data]
        found = [read(each, schema, number) for each in many]
    return {
        "http_status": response.status_code,
        "headers": dict(response.headers),
        "envelope": envelope,
        "problems": problems + [problem for each in found for problem in each["problems"]],
        "data": [each["data"] for each in found],
    }


def read(content, schema, number):
    """:return: `problems` of an object, and its `data` as the schema reads it (None where it cannot)."""
    model = model_of(schema, number)
    problems = errors_of(model, content, schema)
    if problems:
        return {"problems": problems, "data": None}
    data = as_json(model.parse_obj(content))
    return {"problems": differences(content, data, schema), "data": data}


def model_of(schema, number):
    if schema == "versions.Version":
        return Version
    module, name = schema.split(".")
    return get_module_model(name, module, number.name)


def errors_of(model, content, path):
    try:
        model.parse_obj(content)
    except ValidationError as error:
        return [f"{path}: {'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
    return []


def as_json(parsed):
    return json.loads(parsed.json(by_alias=True))


def differences(came, parsed, path):
    """What a schema has read as something else, or dropped because it does not know the field."""
    if isinstance(came, dict) and isinstance(parsed, dict):
        return [
            problem
            for name, value in came.items()
            for problem in (
                differences(value, parsed[name], f"{path}.{name}")
                if name in parsed
                else [f"{path}.{name}: unknown field"]
            )
        ]
    if isinstance(came, list) and isinstance(parsed, list) and len(came) == len(parsed):
        return [problem for pair in zip(came, parsed, strict=True) for problem in differences(*pair, path)]
    return [] if is_same(came, parsed) else [f"{path}: {came!r} was read as {parsed!r}"]


def is_same(came, parsed):
    """Text compares without case: half of it is CiString."""
    if isinstance(came, str) and isinstance(parsed, str):
        return came.casefold() == parsed.casefold() or same_instant(came, parsed)
    return came == parsed


def same_instant(came, parsed):
    try:
        return DateTime.validate(came) == DateTime.validate(parsed)
    except ValueError:
        return False
