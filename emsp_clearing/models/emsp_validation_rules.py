from dataclasses import fields as params_of

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..core.checks.rules import RULES
from ..core.checks.ruleset import RulesetError, read_setting
from ..core.money import from_float

# Of kWh, amounts and percentages: finer than any limit.
DIGITS = (16, 4)

PARAM_FIELDS = tuple(
    f"{name}_{param.name}" for name, rule in RULES.items() for param in params_of(rule.params)
)
# Every switch and limit.
RULE_FIELDS = (*RULES, *PARAM_FIELDS, "missing_cdr", "missing_cdr_grace_h")


def action(label, default, help_text):
    """What a rule does when it objects to a CDR."""
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
        help=help_text,
    )


def number(label, default):
    """A limit that may have decimals."""
    return fields.Float(string=label, digits=DIGITS, required=True, default=default)


def seconds(label, default):
    """A limit in seconds."""
    return fields.Integer(string=label, required=True, default=default)


class EmspValidationRules(models.AbstractModel):
    """The switches and limits of every rule of core.checks, with their delivered values.

    A rule's field has the rule's name; `<rule>_<parameter>` is a parameter of it.
    """

    _name = "emsp.validation.rules"
    _description = "Rules for CDRs"

    # values
    energy_range = action("Energy", "hold", "The session took less or more energy than these limits.")
    energy_range_min_kwh = number("Energy from (kWh)", 0)
    energy_range_max_kwh = number("Energy to (kWh)", 1000)
    cost_range = action(
        "Cost",
        "hold",
        "The session costs less or more than these limits: by our price, or by the stated one where there is "
        "no price of ours. Net, in the contract's currency.",
    )
    cost_range_min_amount = number("Cost from", 0)
    cost_range_max_amount = number("Cost to", 500)
    duration_range = action("Duration", "hold", "The session was shorter or longer than these limits.")
    duration_range_min_s = seconds("Duration from (s)", 0)
    duration_range_max_s = seconds("Duration to (s)", 604800)
    zero_time_energy = action(
        "Energy in no time", "hold", "The session starts and ends in the same moment, yet has energy."
    )
    no_energy = action("Cost without energy", "off", "The session has a cost and no energy.")
    charging_speed = action(
        "Charging speed",
        "hold",
        "More energy than the connector can deliver in the time, for the session and for each charging "
        "period. Not judged where the connector's power is unknown.",
    )
    charging_speed_tolerance_pct = number("Tolerated (%)", 5)
    charging_speed_min_period_s = seconds("Shortest charging period judged (s)", 300)

    # time
    end_before_start = action("End before start", "hold", "The session ends before it starts.")
    placeholder_date = action(
        "Unknown date", "hold", "1970-01-01 stands for a date that the charger did not know."
    )
    future_end = action(
        "End in the future", "hold", "The session ends later than its CDR came; clocks may differ a little."
    )
    future_end_tolerance_s = seconds("Clocks may differ by (s)", 300)
    received_late = action("Late CDR", "hold", "The CDR came later than this after the session's end.")
    received_late_after_s = seconds("Late after (s)", 7776000)

    # cost
    cost_consistency = action(
        "Stated cost",
        "note",
        "The cost that the CDR states differs from the price by the contract. Both are rounded first; the "
        "tolerance is a share of our price.",
    )
    cost_consistency_tolerance_pct = number("Difference tolerated (%)", 2)
    cost_consistency_decimals = fields.Integer(string="Decimals compared", required=True, default=2)
    currency = action("Currency", "hold", "The CDR is in another currency than the contract.")
    vat = action("VAT", "note", "The stated VAT is none of the rates of the price.")
    vat_tolerance_pct = number("Rates may differ by (%)", 0.5)

    # token
    token_unknown = action(
        "Unknown token", "note", "The eMSP publishes its tokens, and this is none of them."
    )
    token_blocked = action("Blocked token", "hold", "The token was blocked when the session started.")
    token_refused = action(
        "Refused token", "hold", "The eMSP said no when the charger asked, or that the token has expired."
    )
    token_refused_within_s = seconds("Answers count for (s)", 86400)
    token_never_authorised = action(
        "Never authorised", "note", "The eMSP had to be asked before the session, and was not."
    )
    token_never_authorised_within_s = seconds("Questions count for (s)", 86400)

    # twice
    duplicate_session = action(
        "Same session twice",
        "hold",
        "Another CDR has the same session, or the same token and EVSE with about the same start and energy.",
    )
    duplicate_session_start_s = seconds("Starts may differ by (s)", 120)
    duplicate_session_energy_kwh = number("Energy may differ by (kWh)", 0.01)
    overlap_connector = action(
        "Overlap on a connector", "hold", "Another session ran on the same connector at the same time."
    )
    overlap_connector_tolerance_s = seconds("Overlap tolerated on a connector (s)", 60)
    overlap_token = action(
        "Overlap of a token", "note", "The token was used for another session at the same time."
    )
    overlap_token_tolerance_s = seconds("Overlap tolerated of a token (s)", 60)

    # charging periods
    energy_sum = action(
        "Energy of the periods", "note", "The charging periods hold another energy than the total."
    )
    energy_sum_tolerance_kwh = number("Energy tolerated (kWh)", 0.01)
    time_sum = action(
        "Time of the periods", "note", "The charging periods, the total time and the clock do not agree."
    )
    time_sum_tolerance_s = seconds("Time tolerated (s)", 60)
    period_order = action(
        "Order of the periods",
        "note",
        "Charging periods out of order, outside of the session, or with gaps between them.",
    )
    period_order_tolerance_s = seconds("Gap tolerated (s)", 60)

    # records
    unknown_location = action(
        "Unknown location", "note", "The CPO publishes its locations, and this is none of them."
    )
    unknown_evse = action("Unknown EVSE", "note", "The location is known, and has no such EVSE.")
    session_invalid = action("Invalid session", "hold", "The CPO called the session invalid.")
    credit_original = action(
        "Credit without original",
        "hold",
        "A credit CDR whose original is unknown, void or credited before.",
    )

    # signed meter values
    signed_data = action(
        "Signed meter values",
        "hold",
        "The signature does not fit, or the signed readings differ from the energy (OCMF).",
    )
    meter_key = action(
        "Unregistered meter key",
        "note",
        "The signature fits the key that came with it; the connector has no registered key.",
    )
    signed_data_required = action("Signature required", "off", "The CDR has no signed meter values.")

    # completed sessions, which are no CDRs yet
    missing_cdr = fields.Selection(
        [("off", "Off"), ("note", "Note")],
        string="Missing CDR",
        required=True,
        default="note",
        help="A session is completed and its CDR did not come within this time.",
    )
    missing_cdr_grace_h = fields.Integer(string="Time for the CDR (h)", required=True, default=24)

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

    def _settings_error(self, error):
        field = self._fields.get((error.path or "").replace(".", "_"))
        label = field.get_description(self.env, ["string"])["string"] if field else error.path
        return self.env._("%(limit)s: a number of 0 or more is expected.", limit=label)

    def _settings(self):
        """:return: dict rule name -> core Setting. :raise RulesetError: a limit below 0."""
        self.ensure_one()
        return {name: self._setting(name, rule) for name, rule in RULES.items()}

    def _setting(self, name, rule):
        values = {}
        for param in params_of(rule.params):
            value = self[f"{name}_{param.name}"]
            values[param.name] = str(from_float(value, DIGITS[1])) if isinstance(value, float) else value
        return read_setting(name, self[name], values)
