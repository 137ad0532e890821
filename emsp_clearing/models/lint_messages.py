"""What is odd about a tariff, in words for people."""


def lint_text(env, lint):
    """The sentence of a `core.pricing.lint.Lint`, without its place."""
    params = {
        "expected": lint.params.get("expected", "-"),
        "found": lint.params.get("found", "-"),
        "by": lint.params.get("by", "-"),
        "component": component_text(env, lint.params.get("component")),
        "start": lint.params.get("from", "-"),
        "hours": round(int(lint.params.get("minutes", 0)) / 60, 1),
    }
    texts = {
        "missing_currency": env._("The currency is missing."),
        "unknown_currency": env._("%(found)s is no currency of three letters.", **params),
        "unreadable_time": env._("%(found)s is no time of day: HH:MM is expected.", **params),
        "unreadable_date": env._("%(found)s is no date: YYYY-MM-DD is expected.", **params),
        "time_without_zone": env._(
            "Prices depend on the local time, and the charger's time zone is unknown."
        ),
        "never_holds": env._("It never applies: %(found)s, where %(expected)s is expected.", **params),
        "unreachable_element": env._(
            "It is never used: %(by)s come first and take all of its time.", **params
        ),
        "unreachable_component": env._(
            "Its price for %(component)s is never used: %(by)s come first.", **params
        ),
        "duplicate_component": env._("It has two prices for %(component)s; the first one counts.", **params),
        "equal_times": env._(
            "It ends at %(found)s, where it starts: that is read as the whole day.", **params
        ),
        "hole_of_a_minute": env._(
            "Hours end at 23:59: the last minute of the day has another price. 00:00 is the end of the day."
        ),
        "suspicious_price": env._(
            "The price for %(component)s is %(found)s; %(expected)s would be expected.", **params
        ),
        "negative_step": env._("The billing step %(found)s is negative.", **params),
        "min_above_max": env._("The least price per session is above the highest one.", **params),
        "limit_incl_below_excl": env._("The limit with tax (%(found)s) is below the one without.", **params),
        "time_2400": env._("24:00 is read as 00:00, the end of the day."),
        "time_format": env._("%(found)s is no time HH:MM; it is read as far as it goes.", **params),
        "step_size_ignored": env._("A price per session has no billing step."),
        "free_tariff": env._("Everything is free."),
        "unpriced_hours": env._(
            "%(component)s has no price in %(hours)s hours of the week, from %(start)s on: it is free then.",
            **params,
        ),
    }
    return texts.get(lint.code, lint.code)


def component_text(env, component):
    """The OCPI component in words."""
    texts = {
        "FLAT": env._("the session"),
        "ENERGY": env._("energy"),
        "TIME": env._("charging time"),
        "PARKING_TIME": env._("parking"),
    }
    return texts.get(component, component or "-")
