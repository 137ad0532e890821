"""Codes of core and of the life cycles, in words for people."""

from ..core.pricing.lint import SEVERITIES, Lint
from .lint_messages import lint_text


def finding_text(env, code, **params):
    """The sentence of a finding.

    :param str code: as core or the CDR model gave it.
    :param params: `expected` and `found`, as text; of what is odd about a tariff, its other values too.
    :return: translated text; an unknown code is shown as it is, with its values.
    """
    if code in SEVERITIES:
        return env._("The tariff: %(oddity)s", oddity=lint_text(env, Lint(code, "", params)))
    texts = {
        "no_tariff": env._(
            "No tariff is valid at the session's start: no published price grid, none in the CDR."
        ),
        "time_zone_unknown": env._(
            "The charger's time zone is unknown, and the price depends on the local time. "
            "Set the time zone of the OCPI connection."
        ),
        "grid_mismatch": env._(
            "The tariff in the CDR gives %(found)s, the agreed price grid %(expected)s; the former rules.",
            **params,
        ),
        "tax_unknown": env._(
            "The tariff's prices include a tax whose rate it does not tell: the net price cannot be computed."
        ),
        "invalid_time": env._("The tariff has %(found)s where a time HH:MM is expected.", **params),
        "invalid_date": env._("The tariff has %(found)s where a date YYYY-MM-DD is expected.", **params),
        # what the engine noted about the charging periods
        "unpriced": env._("The price grid has no price for %(found)s here; it is not billed.", **params),
        "spans_price_change": env._(
            "The price of %(found)s changes within this charging period; the price at its start was "
            "taken. The charger's system should have split the period.",
            **params,
        ),
        "unverifiable": env._(
            "The CDR does not show whether the price's condition %(found)s holds; it was taken to hold.",
            **params,
        ),
        "session_dimension": env._(
            "%(found)s is a reading of a running session and has no place in a CDR; it was not priced.",
            **params,
        ),
        "period_without_tariff": env._(
            "Other charging periods name their tariff, this one does not: it is not billed."
        ),
        "reservation_assumed": env._(
            "The CDR does not say whether the reservation was used; it was taken as %(found)s.", **params
        ),
        "limit_one_sided": env._(
            "The least or highest price changed the amount without or with tax alone, so that no rate "
            "explains the tax."
        ),
        "tax_included_missing": env._(
            "The tariff does not say whether its prices include taxes; they were taken not to."
        ),
        # how the message differs from OCPI
        "unknown_field": env._("OCPI has no such field; it was kept and not used."),
        "missing": env._("OCPI wants a value here."),
        "too_long": env._("OCPI wants %(expected)s here, it has %(found)s.", **params),
        "unknown_code": env._("%(found)s is no code of OCPI here.", **params),
        "missing_owner": env._(
            "OCPI wants the CDR to say whose it is; it was taken as the connection's party's."
        ),
        "not_alpha_2": env._("The country should be %(expected)s, not %(found)s.", **params),
        "not_alpha_3": env._("The country should be %(expected)s, not %(found)s.", **params),
        "text_for_number": env._("A number came as the text %(found)s.", **params),
        "price_for_number": env._("A price object came where OCPI wants a number: %(found)s.", **params),
        "not_one": env._("OCPI wants one entry here: %(found)s.", **params),
        "number_for_price": env._(
            "A price came as the number %(found)s; it was taken as the net price.", **params
        ),
        "foreign_price": env._("The price is written as another version of OCPI has it; it was understood."),
    }
    fallback = env._("%(code)s: expected %(expected)s, found %(found)s", code=code, **params)
    return texts.get(code, fallback)


def attach_text(env, code, party):
    """Why a CDR has no contract.

    :param str party: whose contract was looked for, such as DE*SMO.
    """
    texts = {
        "no_contract": env._(
            "No contract names the party %(party)s. Add it to a contract or make a new one.", party=party
        ),
        "contract_dates": env._("The contract of %(party)s does not cover the session's end.", party=party),
        "ambiguous": env._("More than one contract covers %(party)s at the session's end.", party=party),
    }
    return texts.get(code, "")
