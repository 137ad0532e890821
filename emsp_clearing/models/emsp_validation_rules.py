from dataclasses import fields as params_of

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..core.checks.rules import RULES
from ..core.checks.ruleset import RulesetError, read_setting
from ..core.money import from_float, round_money

# Of kWh, amounts, percentages and hours: finer than any limit.
DIGITS = (16, 4)
HOUR, DAY = 3600, 86400
# Limits that core has in seconds and people in hours or days: (field, seconds of one).
LONG_TIMES = {
    "duration_range_min_s": ("duration_range_min_h", HOUR),
    "duration_range_max_s": ("duration_range_max_h", HOUR),
    "received_late_after_s": ("received_late_after_d", DAY),
    "token_refused_within_s": ("token_refused_within_h", HOUR),
    "token_never_authorised_within_s": ("token_never_authorised_within_h", HOUR),
}


def param_field(name, param):
    """:param str name: of a rule. :param str param: of its parameter in core.
    :return: (field, what one of it is in core: seconds, or 1)."""
    return LONG_TIMES.get(f"{name}_{param}", (f"{name}_{param}", 1))


PARAM_FIELDS = tuple(
    param_field(name, param.name)[0] for name, rule in RULES.items() for param in params_of(rule.params)
)
# Every switch and limit.
RULE_FIELDS = (*RULES, *PARAM_FIELDS, "missing_cdr", "missing_cdr_grace_h")
# The lower limit of each range -> the upper one.
RANGES = {
    "energy_range_min_kwh": "energy_range_max_kwh",
    "cost_range_min_amount": "cost_range_max_amount",
    "duration_range_min_h": "duration_range_max_h",
}


def action(label, default):
    """What a rule does when it objects to a CDR; the form says in a sentence what it objects to."""
    return fields.Selection(
        [
            ("off", "Off"),
            ("note", "Note"),
            ("hold", "Hold"),
            ("refuse", "Refuse on arrival"),
        ],
        string=label,
        required=True,
        default=default,
    )


def number(label, default):
    """A limit that may have decimals."""
    return fields.Float(string=label, digits=DIGITS, required=True, default=default)


def whole(label, default):
    """A limit without decimals."""
    return fields.Integer(string=label, required=True, default=default)


class EmspValidationRules(models.AbstractModel):
    """The switches and limits of every rule of core.checks, with their delivered values.

    A rule's field has the rule's name; `<rule>_<parameter>` is a parameter of it.
    """

    _name = "emsp.validation.rules"
    _description = "Rules for CDRs"

    # values
    energy_range = action("Energy", "hold")
    energy_range_min_kwh = number("Energy from (kWh)", 0)
    energy_range_max_kwh = number("Energy to (kWh)", 1000)
    cost_range = action("Cost", "hold")
    cost_range_min_amount = number("Cost from", 0)
    cost_range_max_amount = number("Cost to", 500)
    duration_range = action("Duration", "hold")
    duration_range_min_h = number("Duration from (h)", 0)
    duration_range_max_h = number("Duration to (h)", 168)
    zero_time_energy = action("Energy in no time", "hold")
    no_energy = action("Cost without energy", "off")
    charging_speed = action("Charging speed", "hold")
    charging_speed_tolerance_pct = number("Above the power tolerated (%)", 5)
    charging_speed_min_period_s = whole("Shortest charging period judged (s)", 300)

    # time
    end_before_start = action("End before start", "hold")
    placeholder_date = action("Unknown date", "hold")
    future_end = action("End in the future", "hold")
    future_end_tolerance_s = whole("Clocks may differ by (s)", 300)
    received_late = action("Late CDR", "hold")
    received_late_after_d = whole("Late after (days)", 90)

    # cost
    cost_consistency = action("Stated cost", "note")
    cost_consistency_tolerance_pct = number("Difference tolerated (%)", 2)
    cost_consistency_decimals = whole("Decimals compared", 2)
    currency = action("Currency", "hold")
    vat = action("VAT", "note")
    vat_tolerance_pct = number("Rates may differ by (%)", 0.5)

    # token
    token_unknown = action("Unknown token", "note")
    token_blocked = action("Blocked token", "hold")
    token_refused = action("Refused token", "hold")
    token_refused_within_h = number("Answers count for (h)", 24)
    token_never_authorised = action("Never authorised", "note")
    token_never_authorised_within_h = number("Questions count for (h)", 24)

    # twice
    duplicate_session = action("Same session twice", "hold")
    duplicate_session_start_s = whole("Starts may differ by (s)", 120)
    duplicate_session_energy_kwh = number("Energy may differ by (kWh)", 0.01)
    overlap_connector = action("Overlap on a connector", "hold")
    overlap_connector_tolerance_s = whole("Overlap tolerated on a connector (s)", 60)
    overlap_token = action("Overlap of a token", "note")
    overlap_token_tolerance_s = whole("Overlap tolerated of a token (s)", 60)

    # charging periods
    energy_sum = action("Energy of the periods", "note")
    energy_sum_tolerance_kwh = number("Difference to the periods (kWh)", 0.01)
    time_sum = action("Time of the periods", "note")
    time_sum_tolerance_s = whole("Time tolerated (s)", 60)
    period_order = action("Order of the periods", "note")
    period_order_tolerance_s = whole("Gap tolerated (s)", 60)

    # records
    unknown_location = action("Unknown location", "note")
    unknown_evse = action("Unknown EVSE", "note")
    session_invalid = action("Invalid session", "hold")
    credit_original = action("Credit without original", "hold")

    # signed meter values
    signed_data = action("Signed meter values", "hold")
    meter_key = action("Unregistered meter key", "note")
    signed_data_required = action("Signature required", "off")

    # completed sessions, which are no CDRs yet
    missing_cdr = fields.Selection(
        [("off", "Off"), ("note", "Note")],
        string="Missing CDR",
        required=True,
        default="note",
    )
    missing_cdr_grace_h = whole("Time for the CDR (h)", 24)

    @api.constrains(*RULES, *PARAM_FIELDS)
    def _check_settings(self):
        for rules in self:
            try:
                rules._settings()
            except RulesetError as error:
                raise ValidationError(rules._settings_error(error)) from error

    @api.constrains("cost_consistency_decimals")
    def _check_decimals(self):
        for rules in self:
            if rules.cost_consistency_decimals not in (2, 4):
                raise ValidationError(self.env._("Costs are compared at 2 or at 4 decimals."))

    @api.constrains("missing_cdr_grace_h")
    def _check_grace(self):
        if any(rules.missing_cdr_grace_h < 0 for rules in self):
            raise ValidationError(self._below_zero("missing_cdr_grace_h"))

    @api.constrains(*RANGES, *RANGES.values())
    def _check_ranges(self):
        for rules in self:
            for low, high in RANGES.items():
                if rules[low] > rules[high]:
                    raise ValidationError(
                        self.env._(
                            "%(low)s is above %(high)s: every CDR would be objected to.",
                            low=self._label(low),
                            high=self._label(high),
                        )
                    )

    def _settings_error(self, error):
        rule, __, param = (error.path or "").partition(".")
        return self._below_zero(param_field(rule, param)[0])

    def _below_zero(self, field):
        return self.env._("%(limit)s: a number of 0 or more is expected.", limit=self._label(field))

    def _label(self, field):
        return self._fields[field].get_description(self.env, ["string"])["string"]

    def _settings(self):
        """:return: dict rule name -> core Setting. :raise RulesetError: a limit below 0."""
        self.ensure_one()
        return {name: self._setting(name, rule) for name, rule in RULES.items()}

    def _setting(self, name, rule):
        values = {}
        for param in params_of(rule.params):
            field, factor = param_field(name, param.name)
            value = self[field]
            if isinstance(value, float):
                # A third of an hour has no end in decimals: the nearest second is meant.
                exact = from_float(value, DIGITS[1]) * factor
                value = str(exact if factor == 1 else round_money(exact, 0))
            else:
                value *= factor
            values[param.name] = value
        return read_setting(name, self[name], values)

    def _rule_values(self):
        self.ensure_one()
        return {name: self[name] for name in RULE_FIELDS}
