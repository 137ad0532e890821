"""What quality control says of a CDR, in words for people."""

UNKNOWN = "-"
# Values that a sentence may name.
VALUES = (
    "at cdr count duration end expected found here location power rates rule session since start there "
    "token tolerance within"
).split()


def check_text(env, code, params):
    """The sentence of a finding of `core.checks`.

    :param str code: as the rule gave it, or rule_failed.
    :param dict params: `expected`, `found` and `tolerance`, with the finding's details.
    :return: translated text; an unknown code is shown as it is.
    """
    values = {name: params.get(name) or UNKNOWN for name in VALUES}
    for texts_of in (_value_texts, _cost_texts, _token_texts, _twice_texts, _period_texts, _record_texts):
        text = texts_of(env, values).get(code)
        if text:
            return " ".join([text, *_additions(env, params)])
    return code


def reason_text(env, reason):
    """Why a rule could not judge a CDR.

    :param str reason: of a `core.checks.findings.NotEvaluated`.
    """
    texts = {
        "authorisations_unknown": env._("What the eMSP answered to the charger is not known."),
        "currency_unknown": env._("The contract's currency is not known."),
        "key_missing": env._("There is no public key, neither registered nor in the CDR."),
        "key_unreadable": env._("The meter's public key cannot be read."),
        "location_unknown": env._("Whether the charger is one of the CPO's is not known."),
        "locations_not_published": env._("The CPO does not publish its locations."),
        "neighbours_unknown": env._("The other CDRs of that time are not known."),
        "no_duration": env._("The session has no duration."),
        "original_unknown": env._("The CDR that is credited was not looked up."),
        "power_unknown": env._("The connector's power is not known."),
        "price_unknown": env._("The session could not be priced."),
        "reception_unknown": env._("When the CDR came is not known."),
        "session_unknown": env._("The session was not told of while it ran."),
        "signature_algorithm_unsupported": env._("The signature's algorithm is not supported."),
        "signed_energy_missing": env._("The signed data have no reading at both begin and end."),
        "signed_format_unsupported": env._("The format of the signed data is not supported: it is not OCMF."),
        "token_unknown": env._("Whether the token is one of the eMSP's is not known."),
        "token_validity_unknown": env._("Whether the token was valid at that time is not known."),
        "tokens_not_published": env._("The eMSP does not publish its tokens."),
        "vat_rates_unknown": env._("The price's VAT rates are not known."),
        "whitelist_unknown": env._("Whether the token may be used without asking is not known."),
    }
    return texts.get(reason, reason)


def _additions(env, params):
    """Whole sentences on further values, where there are any."""
    if params.get("component"):
        yield env._(
            "The largest difference is in the %(component)s: %(found)s instead of %(expected)s.",
            component=_component_text(env, params["component"]),
            found=params["component_found"],
            expected=params["component_expected"],
        )
    if int(params.get("count") or 0) > 1:
        yield env._("The same holds for %(count)s charging periods in all.", count=params["count"])


def _component_text(env, component):
    texts = {
        "total_fixed_cost": env._("fixed cost"),
        "total_energy_cost": env._("energy cost"),
        "total_time_cost": env._("time cost"),
        "total_parking_cost": env._("parking cost"),
        "total_reservation_cost": env._("reservation cost"),
    }
    return texts.get(component, component)


def _value_texts(env, values):
    """Of energy, duration, speed and dates."""
    return {
        "energy_below_min": env._("The session took %(found)s; expected: at least %(expected)s.", **values),
        "energy_above_max": env._("The session took %(found)s; expected: at most %(expected)s.", **values),
        "duration_below_min": env._(
            "The session lasted %(found)s; expected: at least %(expected)s.", **values
        ),
        "duration_above_max": env._(
            "The session lasted %(found)s; expected: at most %(expected)s.", **values
        ),
        "energy_in_no_time": env._(
            "The session took %(found)s, yet it ends in the moment in which it starts.", **values
        ),
        "too_fast": env._(
            "The session took %(found)s. A connector of %(power)s delivers at most %(expected)s in the "
            "%(duration)s of charging (tolerance %(tolerance)s).",
            **values,
        ),
        "period_too_fast": env._(
            "This charging period has %(found)s. A connector of %(power)s delivers at most %(expected)s in "
            "its %(duration)s of charging (tolerance %(tolerance)s).",
            **values,
        ),
        "energy_in_wh": env._(
            "%(found)s look like Wh given as kWh: a connector of %(power)s delivers at most %(expected)s in "
            "the %(duration)s of charging.",
            **values,
        ),
        "end_before_start": env._("The session ends (%(found)s) before it starts (%(expected)s).", **values),
        "placeholder_date": env._("%(found)s stands for a date that the charger did not know.", **values),
        "end_in_future": env._(
            "The session ends at %(found)s, after its CDR came at %(expected)s (tolerance %(tolerance)s).",
            **values,
        ),
        "received_late": env._(
            "The CDR came %(found)s after the session's end (%(end)s); at most %(expected)s are agreed. The "
            "partner's written consent is needed to bill it.",
            **values,
        ),
    }


def _cost_texts(env, values):
    """Of amounts, currency and VAT."""
    return {
        "cost_below_min": env._(
            "The session costs %(found)s without tax; expected: at least %(expected)s.", **values
        ),
        "cost_above_max": env._(
            "The session costs %(found)s without tax; expected: at most %(expected)s.", **values
        ),
        "cost_without_energy": env._("The session costs %(found)s, yet it took no energy.", **values),
        "cost_mismatch": env._(
            "The CDR states %(found)s without tax, the contract gives %(expected)s (tolerance "
            "%(tolerance)s).",
            **values,
        ),
        "cost_not_stated": env._(
            "The CDR states no cost (%(found)s), the contract gives %(expected)s without tax.", **values
        ),
        "currency_mismatch": env._(
            "The CDR is in %(found)s, the contract in %(expected)s: it cannot be priced.", **values
        ),
        "incl_below_excl": env._(
            "The cost with tax (%(found)s) is below the one without (%(expected)s).", **values
        ),
        "vat_rate": env._(
            "The cost with tax is %(found)s; at the price's VAT of %(rates)s it would be %(expected)s "
            "(tolerance %(tolerance)s of the net cost).",
            **values,
        ),
    }


def _token_texts(env, values):
    return {
        "token_unknown": env._("The eMSP publishes its tokens, and %(found)s is none of them.", **values),
        "token_blocked": env._(
            "Token %(found)s was blocked at %(since)s; the session started at %(start)s.", **values
        ),
        "token_refused": env._(
            "The eMSP refused token %(token)s at %(at)s, before the session: %(found)s instead of "
            "%(expected)s.",
            **values,
        ),
        "token_expired": env._(
            "Token %(token)s had expired: the eMSP said so at %(at)s, before the session.", **values
        ),
        "token_never_authorised": env._(
            "The eMSP has to be asked about token %(token)s each time, and was not asked in the %(within)s "
            "before the session.",
            **values,
        ),
        "auth_request_unknown": env._(
            "The CDR says that the eMSP was asked about token %(token)s; no such question came in the "
            "%(within)s before the session.",
            **values,
        ),
    }


def _twice_texts(env, values):
    return {
        "session_twice": env._("Session %(found)s was sent before, in CDR %(cdr)s.", **values),
        "session_alike": env._(
            "CDR %(cdr)s has the same token and EVSE and almost the same session: %(expected)s, here "
            "%(found)s (tolerance %(tolerance)s).",
            **values,
        ),
        "connector_overlap": env._(
            "CDR %(cdr)s has another session at the same connector in %(found)s of this one's time "
            "(tolerance %(tolerance)s).",
            **values,
        ),
        "token_overlap": env._(
            "CDR %(cdr)s has a session of the same token at another connector in %(found)s of this one's "
            "time (tolerance %(tolerance)s).",
            **values,
        ),
        "token_in_two_towns": env._(
            "CDR %(cdr)s has a session of the same token in %(there)s in %(found)s of this one's time, which "
            "was in %(here)s (tolerance %(tolerance)s).",
            **values,
        ),
    }


def _period_texts(env, values):
    return {
        "energy_sum_differs": env._(
            "The charging periods hold %(expected)s, the total says %(found)s (tolerance %(tolerance)s). The "
            "periods are priced.",
            **values,
        ),
        "energy_sum_in_wh": env._(
            "The charging periods hold %(expected)s, the total says %(found)s: one of them is in Wh, where "
            "kWh are due. The periods are priced.",
            **values,
        ),
        "total_time_differs": env._(
            "The session lasts %(expected)s by the clock, the total says %(found)s (tolerance "
            "%(tolerance)s). The charging periods are priced.",
            **values,
        ),
        "time_sum_differs": env._(
            "The charging periods hold %(expected)s of charging and parking, the total says %(found)s "
            "(tolerance %(tolerance)s). The periods are priced.",
            **values,
        ),
        "parking_sum_differs": env._(
            "The charging periods hold %(expected)s of parking, the total says %(found)s (tolerance "
            "%(tolerance)s). The periods are priced.",
            **values,
        ),
        "total_time_in_seconds": env._(
            "The total time of %(found)s looks like seconds given as hours: the session lasts %(expected)s.",
            **values,
        ),
        "total_time_in_minutes": env._(
            "The total time of %(found)s looks like minutes given as hours: the session lasts %(expected)s.",
            **values,
        ),
        "first_period_start": env._(
            "The first charging period starts at %(found)s, the session at %(expected)s.", **values
        ),
        "periods_unsorted": env._("The charging periods are not in order of time; they were sorted."),
        "period_start_twice": env._("Two charging periods start at %(found)s.", **values),
        "period_after_end": env._(
            "A charging period starts at %(found)s, after the session's end (%(expected)s).", **values
        ),
        "period_time_differs": env._(
            "This charging period lasts %(expected)s by the clock, its volumes say %(found)s (tolerance "
            "%(tolerance)s). The volumes are priced.",
            **values,
        ),
    }


def _record_texts(env, values):
    """Of what the CDR names, of signed data, and of a rule that failed."""
    return {
        "location_unknown": env._(
            "The CPO publishes its locations, and %(found)s is none of them.", **values
        ),
        "evse_unknown": env._("Location %(location)s is known and has no EVSE %(found)s.", **values),
        "session_invalid": env._(
            "The CPO called session %(session)s invalid (%(found)s): such sessions are not billed.", **values
        ),
        "credit_orphan": env._("The credit CDR names an original that is not known: %(found)s.", **values),
        "credit_double": env._("CDR %(found)s was credited before; a second credit is not billed.", **values),
        "credit_of_void": env._("CDR %(found)s is void: there is nothing to credit.", **values),
        "signed_data_unreadable": env._("The signed meter values cannot be read: %(found)s.", **values),
        "signature_invalid": env._(
            "The signature does not belong to these meter values and this meter's key: the values were "
            "changed, or another meter signed them."
        ),
        "signed_reading_unusable": env._(
            "The meter itself marked its reading as not to be billed (register %(found)s).", **values
        ),
        "signed_energy_mismatch": env._(
            "The meter signed %(expected)s, the CDR says %(found)s (tolerance %(tolerance)s, the last digit "
            "of its display).",
            **values,
        ),
        "key_not_registered": env._(
            "The signed meter values were verified by the key that came with them; no key is registered for "
            "meter %(found)s.",
            **values,
        ),
        "signed_data_absent": env._("The CDR has no signed meter values, which were agreed."),
        "rule_failed": env._(
            "The rule %(rule)s could not be carried out (%(found)s): the CDR waits until somebody has looked "
            "at it.",
            **values,
        ),
    }
