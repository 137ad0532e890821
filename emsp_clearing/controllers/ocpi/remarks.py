"""What of a request was understood thanks to a tolerance of the connection."""

from ...core.ocpi.countries import to_alpha_2
from ...core.ocpi.deviations import Deviation
from ...core.ocpi.remarks import find_tolerated

# What the body of a module's request holds; a CDR has findings of its own.
KINDS = {
    "credentials": "credentials",
    "invoicereconciliation": "invoice_reconciliation",
    "locations": "location",
    "sessions": "session",
    "tariffs": "tariff",
}


def deviations_of_body(module, method, args, version, body):
    """Of a body that was taken, as core Deviations.

    :param dict args: of the URL.
    """
    kind = _kind_of(module, method, args)
    if not kind or not body.strip():
        return ()
    return find_tolerated(body, kind, version, is_change=method == "PATCH")


def _kind_of(module, method, args):
    if module == "tokens":
        return "location_references" if method == "POST" else "token"
    if module == "locations" and "evse_uid" in args:
        return "connector" if "connector_id" in args else "evse"
    return KINDS.get(module)


def in_two_letters(args):
    """The arguments of a URL, with the owner's country in two letters.

    :return: (args, Deviation or None).
    """
    sent = args.get("country_code", "")
    country_code = to_alpha_2(sent)
    if country_code == sent:
        return args, None
    deviation = Deviation("not_alpha_2", "country_code in the URL", country_code, repr(sent))
    return {**args, "country_code": country_code}, deviation
