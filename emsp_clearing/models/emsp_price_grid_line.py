from babel.dates import get_day_names

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools.misc import babel_locale_parse

from ..core.money import from_float
from ..core.pricing.grid import LIMITS, TIMES, GridLine, find_conflicts

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
PRICE_DIGITS = 4
STARTED_MINUTE_S = 60
# What decides when a price holds and what it comes to.
PRICING_FIELDS = (
    "sequence",
    "component",
    "price",
    "step_size",
    "free_minutes",
    "hour_from",
    "hour_to",
    *WEEKDAYS,
    "location_group_id",
    "customer_group_id",
)


class EmspPriceGridLine(models.Model):
    """One price of a grid: per session, per kWh or per minute, always or in a time bracket, for all or
    for a group; or what a session costs at least or at most."""

    _name = "emsp.price.grid.line"
    _description = "Price grid line"
    _check_company_auto = True
    _order = "grid_id, sequence, id"

    grid_id = fields.Many2one("emsp.price.grid", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="grid_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="grid_id.currency_id")
    sequence = fields.Integer(default=10)
    component = fields.Selection(
        [
            ("FLAT", "Per session"),
            ("ENERGY", "Per kWh"),
            ("TIME", "Per minute of charging"),
            ("PARKING_TIME", "Per minute of parking"),
            ("MIN", "At least per session"),
            ("MAX", "At most per session"),
        ],
        required=True,
        default="ENERGY",
    )
    price = fields.Float(
        digits=(16, PRICE_DIGITS), required=True, help="Net of tax, up to 4 decimals. 0 is a price: free."
    )
    step_size = fields.Integer(
        default=1,
        help="Billing step: Wh for energy, seconds for time. 60 bills started minutes. "
        "Rounded up once per session (OCPI 2.2.1, 11.4.2).",
    )
    free_minutes = fields.Integer(
        help="The first minutes of the session that cost nothing, for prices per minute. A charging period "
        "that starts within them is free as a whole."
    )
    hour_from = fields.Char(
        string="From", size=5, help="HH:MM at the charger. Empty: from the start of the day."
    )
    hour_to = fields.Char(
        string="Until", size=5, help="HH:MM at the charger, not included. Earlier than From: past midnight."
    )
    monday = fields.Boolean(default=True)
    tuesday = fields.Boolean(default=True)
    wednesday = fields.Boolean(default=True)
    thursday = fields.Boolean(default=True)
    friday = fields.Boolean(default=True)
    saturday = fields.Boolean(default=True)
    sunday = fields.Boolean(default=True)
    location_group_id = fields.Many2one(
        "emsp.location.group",
        string="Chargers",
        check_company=True,
        ondelete="restrict",
        index="btree_not_null",
        help="Where this price holds. Empty: everywhere.",
    )
    customer_group_id = fields.Many2one(
        "emsp.customer.group",
        string="Customers",
        check_company=True,
        ondelete="restrict",
        index="btree_not_null",
        help="For whom this price holds. Empty: for everyone.",
    )

    _price_not_negative = models.Constraint("CHECK (price >= 0)", "A price is not negative.")
    _step_positive = models.Constraint("CHECK (step_size >= 0)", "A billing step is not negative.")
    _free_minutes_positive = models.Constraint("CHECK (free_minutes >= 0)", "Free minutes are not negative.")
    _some_day = models.Constraint(
        "CHECK (monday OR tuesday OR wednesday OR thursday OR friday OR saturday OR sunday)",
        "A price holds on one weekday at least.",
    )

    @api.depends(*PRICING_FIELDS)
    @api.depends_context("lang")
    def _compute_display_name(self):
        for line in self:
            groups = (line.location_group_id.name, line.customer_group_id.name)
            parts = [line._price_text(), line._hours_text(), line._days_text()]
            if line.free_minutes:
                parts.append(self.env._("from minute %(minute)s on", minute=line.free_minutes))
            if any(groups):
                parts.append(f"[{', '.join(filter(None, groups))}]")
            line.display_name = " ".join(filter(None, parts))

    @api.onchange("component")
    def _onchange_component(self):
        """Parking is sold by the started minute; a limit holds for the session as a whole."""
        if self.component == "PARKING_TIME":
            self.step_size = STARTED_MINUTE_S
        elif self.component != "TIME":
            self.step_size = 1
        if self.component not in TIMES:
            self.free_minutes = 0
        if self.component in LIMITS:
            self.update({"hour_from": False, "hour_to": False, **dict.fromkeys(WEEKDAYS, True)})

    @api.constrains(*PRICING_FIELDS)
    def _check_line(self):
        for line in self:
            for __, problem in line._problems():
                raise ValidationError(problem)

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines.grid_id._check_draft()
        return lines

    def write(self, vals):
        self.grid_id._check_draft()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_published(self):
        self.grid_id._check_draft()

    def _problems(self):
        """What is wrong with one line, also with one that is not stored.

        :return: list of (field name, sentence).
        """
        self.ensure_one()
        problems = [
            (name, self.env._("%(hour)s is not an hour of the day: 00:00 to 23:59 is expected.", hour=hour))
            for name in ("hour_from", "hour_to")
            if (hour := self[name]) and not is_hour(hour)
        ]
        negative = {
            "price": self.env._("A price is not negative."),
            "step_size": self.env._("A billing step is not negative."),
            "free_minutes": self.env._("Free minutes are not negative."),
        }
        problems += [(name, sentence) for name, sentence in negative.items() if self[name] < 0]
        if not any(self[day] for day in WEEKDAYS):
            problems.append(("monday", self.env._("A price holds on one weekday at least.")))
        if self.component in LIMITS:
            return problems + self._limit_problems()
        if self.free_minutes and self.component not in TIMES:
            sentence = self.env._("Only prices per minute have free minutes. Leave them empty here.")
            problems.append(("free_minutes", sentence))
        return problems

    def _limit_problems(self):
        """A least or most per session with something that only a price can have."""
        wrong = {
            "hour_from": self.hour_from,
            "hour_to": self.hour_to,
            "monday": not all(self[day] for day in WEEKDAYS),
            "step_size": self.step_size > 1,
            "free_minutes": self.free_minutes,
        }
        sentence = self.env._(
            "What a session costs at least or at most holds at every hour and on every day, without "
            "billing step and free minutes. Leave them empty there."
        )
        return [(name, sentence) for name, is_wrong in wrong.items() if is_wrong]

    def _conflict_texts(self):
        """Sentences on those of these lines, in the order shown, that overlap or never apply.

        Lines that are not finished are left out.
        """
        finished = [
            (number, line) for number, line in enumerate(self, 1) if line.component and not line._problems()
        ]
        for conflict in find_conflicts([line._to_core() for __, line in finished]):
            (number, line), (other, other_line) = finished[conflict.index], finished[conflict.other]
            values = {
                "line": number,
                "price": line.display_name,
                "other": other,
                "other_price": other_line.display_name,
            }
            if conflict.code == "unreachable":
                yield self.env._(
                    "Line %(line)s (%(price)s) never applies: line %(other)s (%(other_price)s) is tried "
                    "first, and no time is left. Remove it, or change its hours or days.",
                    **values,
                )
            else:
                yield self.env._(
                    "Lines %(other)s (%(other_price)s) and %(line)s (%(price)s) hold at the same time in "
                    "part; there line %(other)s sets the price.",
                    **values,
                )

    def _price_text(self):
        price = f"{amount_text(self.price)} {self.currency_id.name}"
        if self.step_size == STARTED_MINUTE_S and self.component in TIMES:
            if self.component == "TIME":
                return self.env._("%(price)s per started minute", price=price)
            return self.env._("%(price)s per started minute parked", price=price)
        texts = {
            "FLAT": self.env._("%(price)s/session", price=price),
            "ENERGY": self.env._("%(price)s/kWh", price=price),
            "TIME": self.env._("%(price)s/min", price=price),
            "PARKING_TIME": self.env._("%(price)s/min parked", price=price),
            "MIN": self.env._("at least %(price)s", price=price),
            "MAX": self.env._("at most %(price)s", price=price),
        }
        return texts.get(self.component, price)

    def _hours_text(self):
        if not (self.hour_from or self.hour_to):
            return ""
        return f"{self.hour_from or '00:00'}-{self.hour_to or '24:00'}"

    def _days_text(self):
        """The weekdays, shortened, where they are not all; neighbours as a range."""
        held = [number for number, day in enumerate(WEEKDAYS) if self[day]]
        if len(held) in (0, len(WEEKDAYS)):
            return ""
        names = get_day_names("abbreviated", locale=babel_locale_parse(self.env.lang or "en_US"))
        if len(held) > 2 and held[-1] - held[0] == len(held) - 1:
            return f"{names[held[0]]}-{names[held[-1]]}"
        return ", ".join(names[number] for number in held)

    def _to_core(self):
        self.ensure_one()
        return GridLine(
            component=self.component,
            price_per_unit=from_float(self.price, PRICE_DIGITS),
            step_size=self.step_size,
            start_time=self.hour_from or None,
            end_time=self.hour_to or None,
            weekdays=tuple(day.upper() for day in WEEKDAYS if self[day]),
            location_group=group_key(self.location_group_id),
            customer_group=group_key(self.customer_group_id),
            free_minutes=self.free_minutes,
        )


def amount_text(amount):
    """With two decimals at least and four at most: 0.50, 0.0525."""
    whole, __, decimals = f"{amount:.{PRICE_DIGITS}f}".rstrip("0").partition(".")
    return f"{whole}.{decimals.ljust(2, '0')}"


def group_key(group):
    """How core knows a group: by what stays when it is renamed; None for no group."""
    return str(group.id) if group else None


def is_hour(text):
    """Whether a text is "HH:MM", 00:00 to 23:59."""
    hours, colon, minutes = text.partition(":")
    if not colon or len(hours) != 2 or len(minutes) != 2 or not (hours + minutes).isdecimal():
        return False
    return int(hours) < 24 and int(minutes) < 60
