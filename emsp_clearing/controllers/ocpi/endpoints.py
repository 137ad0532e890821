"""Which OCPI endpoints exist here. The version details and the routes both go by this table."""

from ...core.ocpi.peer_objects import Endpoint, VersionDetails

# Identifier, interface role (OCPI 2.2.1, 6.2.2), and the side of the house it belongs to: "emsp" is
# asked by CPOs and by our own charge point system, "cpo" by eMSPs.
ENDPOINTS = (
    ("cdrs", "RECEIVER", "emsp"),
    ("sessions", "RECEIVER", "emsp"),
    ("tariffs", "RECEIVER", "emsp"),
    ("locations", "RECEIVER", "emsp"),
    ("tokens", "SENDER", "emsp"),
    ("cdrs", "SENDER", "cpo"),
    ("sessions", "SENDER", "cpo"),
    ("tariffs", "SENDER", "cpo"),
    ("locations", "SENDER", "cpo"),
    ("tokens", "RECEIVER", "cpo"),
    ("invoicereconciliation", "RECEIVER", "emsp"),
    ("invoicereconciliation", "SENDER", "cpo"),
    ("invoicereconciliation", "RECEIVER", "cpo"),
)
# Modules that not every version has (OCPI 2.3.0 edition 2).
ONLY_IN = {"invoicereconciliation": ("2.3.0",)}
# A custom module: its path; how it is listed says the connection.
FINDINGS = "findings"
VERSIONS_URL = "/ocpi/versions"


def module_url(side, version, module):
    """The path of a module: /ocpi/emsp/2.2.1/cdrs."""
    return f"/ocpi/{side}/{version}/{module}"


def is_in(module, version):
    """Whether a version of OCPI has the module."""
    return version in ONLY_IN.get(module, (version,))


def details_url(version):
    return f"/ocpi/{version}"


def credentials_url(version):
    return f"/ocpi/{version}/credentials"


def side_of(path):
    """:return: "cpo", "emsp" or None: whose endpoint a path below /ocpi is."""
    parts = path.split("/", 3)
    return parts[2] if len(parts) > 3 and parts[2] in ("cpo", "emsp") else None


def version_details(side, version, absolute_url, findings_module=None):
    """What one side of the house offers in a version; OCPI 2.1.1 writes no roles.

    :param absolute_url: makes an address of a path.
    :param findings_module: identifier of the custom module; None where it was not agreed.
    """
    has_roles = version != "2.1.1"
    listed = [("credentials", "SENDER", credentials_url(version))]
    listed += [
        (module, role, module_url(side, version, module))
        for module, role, owner in ENDPOINTS
        if owner == side and is_in(module, version)
    ]
    if findings_module:
        listed.append((findings_module, "SENDER", module_url(side, version, FINDINGS)))
    endpoints = (
        Endpoint(module, absolute_url(path), role if has_roles else None) for module, role, path in listed
    )
    return VersionDetails(version, tuple(endpoints))
