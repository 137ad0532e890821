"""Files with an object of each OCPI module, read and changed."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from emsp_core.errors import PayloadError
from emsp_core.ocpi import modules, modules_v221
from emsp_core.ocpi.modules import find_deviations

DATA = Path(__file__).parent / "data" / "ocpi" / "modules"
VERSIONS = ("2.1.1", "2.2.1", "2.3.0")
ABSENT = object()

SCHEMAS = {
    "authorization": modules_v221.AuthorizationInfo,
    "credentials": modules_v221.Credentials,
    "invoice_reconciliation": modules_v221.InvoiceReconciliation,
    "location": modules_v221.Location,
    "location_references": modules_v221.LocationReferences,
    "session": modules_v221.Session,
    "token": modules_v221.Token,
    "version_details": modules_v221.VersionDetails,
}
FILES = sorted(DATA.glob("v*/*.json"))


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


def version_of(file):
    return ".".join(file.parent.name[1:])


def file_of(kind, version):
    return DATA / f"v{version.replace('.', '')}" / f"{kind}.json"


def parse(kind, raw, version, **options):
    return getattr(modules, f"parse_{kind}")(raw, version, **options)


def read(kind, version, **options):
    return parse(kind, file_of(kind, version).read_bytes(), version, **options)


def changed(kind, version, path, value=ABSENT):
    """The payload of a file with one field set, or taken out."""
    tree = json.loads(file_of(kind, version).read_bytes())
    *way, field = path
    node = tree
    for step in way:
        node = node[step]
    if value is ABSENT:
        del node[field]
    else:
        node[field] = value
    return json.dumps(tree).encode()


def deviations(raw, kind, version, **options):
    found = find_deviations(raw, SCHEMAS[kind], version, **options)
    return [(each.code, each.path) for each in found]


def refusal(raw, kind, version):
    with pytest.raises(PayloadError) as refused:
        parse(kind, raw, version)
    error = refused.value
    return error.code, error.path, error.params["expected"], error.params["got"]
