from datetime import UTC, date
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime

from odoo import api, fields, models
from odoo.tools import babel_locale_parse, date_utils, formatLang, get_lang

from ..core.invoicing import Component, merged
from ..core.money import D
from ..core.pricing.grid import first_member
from .emsp_contract_invoicing import LINE_GROUPINGS

PRODUCTS = {
    "FLAT": "emsp_clearing.product_session",
    "ENERGY": "emsp_clearing.product_energy",
    "TIME": "emsp_clearing.product_time",
    "PARKING_TIME": "emsp_clearing.product_parking",
    "RESERVATION_TIME": "emsp_clearing.product_reservation",
    "RESERVATION_FLAT": "emsp_clearing.product_reservation",
    "LIMIT": "emsp_clearing.product_limit",
    "AGREED": "emsp_clearing.product_agreed",
}
# In the group of a line: the contract (id as text), the origin month of late sessions, what else it is by.
CONTRACT, ORIGIN, NAME = range(3)
ROW_FIELDS = ("id", "ocpi_key", "components", "settlement_id", "is_late", "session_end_at")
# What is read of a session besides, to group its lines by.
GROUP_FIELDS = {
    "location_group": ("evse_id", "location_connector_id"),
    "tariff": ("price_grid_id", "priced_by"),
    "cdr": (
        "ocpi_id",
        "session_start_at",
        "location_name",
        "evse_id",
        "energy_kwh",
        "duration_s",
        "time_zone",
    ),
}


class EmspSettlementLines(models.Model):
    """What the lines of an invoice stand apart by, and how they are called."""

    _inherit = "emsp.settlement"

    line_grouping = fields.Selection(LINE_GROUPINGS, readonly=True)

    @api.model
    def _contract_terms(self):
        return [*super()._contract_terms(), "line_grouping"]

    def _billed_fields(self):
        """What billing reads of a session, besides its amount."""
        return [*ROW_FIELDS, *GROUP_FIELDS.get(self.line_grouping, ())]

    def _row_grouper(self, with_contract):
        """:return: function of a row (dict of `_billed_fields`) that gives its core Group."""
        name_of = self._row_namer()
        listed = {}

        def group_of(row):
            if row["settlement_id"] not in listed:
                settlement = self.browse(row["settlement_id"])
                contract = str(settlement.contract_id.id) if with_contract else ""
                listed[settlement.id] = contract, settlement.period_end < self.period_end
            contract, is_earlier = listed[row["settlement_id"]]
            origin = self._origin_month(row) if row["is_late"] or is_earlier else ""
            return contract, origin, name_of(row)

        return group_of

    def _origin_month(self, row):
        """ "2026-09" of a session that is billed later than its period: its revenue is of that month."""
        return f"{self.contract_id._local_date(row['session_end_at']):%Y-%m}"

    def _row_namer(self):
        """:return: function of a row that gives what its lines are grouped by, as text."""
        if self.line_grouping == "location_group":
            return self._location_group_namer()
        if self.line_grouping == "tariff":
            grids = self.env["emsp.price.grid"].search([("company_id", "=", self.company_id.id)])
            names = {grid.id: grid.display_name for grid in grids}
            return lambda row: names.get(row["price_grid_id"]) or row["priced_by"] or ""
        if self.line_grouping == "cdr":
            return self._session_label
        return lambda row: ""

    def _location_group_namer(self):
        """By the first group that a charger is in; a charger is looked up once."""
        groups = self.env["emsp.location.group"].search([("company_id", "=", self.company_id.id)])
        members = [(group, group._membership()) for group in groups]
        other = self._other_chargers()
        names = {}

        def name_of(row):
            charger = (row["evse_id"], row["location_connector_id"])
            if charger not in names:
                group = first_member(members, self._location_code(row) if members else None, row["evse_id"])
                names[charger] = group.name if group else other
            return names[charger]

        return name_of

    def _other_chargers(self):
        lang = self._invoice_partner().lang or self.env.lang
        return self.with_context(lang=lang).env._("Other chargers")

    def _location_code(self, row):
        """The OCPI id of a session's location: of the known charger, else as the CDR says."""
        connector = self.env["emsp.location.connector"].browse(row["location_connector_id"] or ())
        if connector:
            return connector.location_id.ocpi_id
        return self.env["emsp.cdr"].browse(row["id"])._received_cdr().cdr_location.id

    def _session_label(self, row):
        """The line of one session: its start first, so that lines stand in the order of time."""
        env = self.with_context(lang=self._invoice_partner().lang or self.env.lang).env
        locale = babel_locale_parse(get_lang(env).code)
        zone = ZoneInfo(row["time_zone"] or self.time_zone)
        start = row["session_start_at"].replace(tzinfo=UTC).astimezone(zone)
        facts = (
            row["ocpi_id"],
            format_datetime(start, "short", locale=locale),
            ", ".join(filter(None, (row["location_name"], row["evse_id"]))),
            f"{formatLang(env, row['energy_kwh'], digits=3)} kWh",
            f"{int(row['duration_s'] / 60)} min",
        )
        return f"{row['session_start_at']:%Y%m%d%H%M%S} " + " · ".join(filter(None, facts))

    def _line_components(self, row, buckets):
        """:return: tuple of core Component of a session, as the lines of the invoice need them."""
        components = tuple(Component.from_json(component) for component in row["components"] or ())
        if self.line_grouping != "cdr":
            return components
        return merged(components, D(str(row["energy_kwh"] or 0)), buckets.__getitem__)

    def _tax_buckets(self):
        """:return: dict component -> the first one that is taxed alike: a line has one kind of tax."""
        if self.line_grouping != "cdr":
            return {}
        fiscal_position = self._get_fiscal_position(self._invoice_partner())
        first = {}
        return {
            component: first.setdefault(taxes, component)
            for component, taxes in self._component_taxes(fiscal_position).items()
        }

    def _component_taxes(self, fiscal_position):
        """:return: dict component -> account.tax that it is billed with."""
        return {
            component: self._taxes(self._component_product(component), fiscal_position)
            for component in PRODUCTS
        }

    def _line_product(self, component):
        """The component's product; that of a session where a line is one."""
        return self._component_product("FLAT" if self.line_grouping == "cdr" else component)

    def _component_product(self, component):
        """:return: product.product, which is read together with those of the other components."""
        ids = map(self.env["ir.model.data"]._xmlid_to_res_id, PRODUCTS.values())
        return self.env.ref(PRODUCTS[component]).with_prefetch(list(filter(None, ids)))

    def _group_contract(self, group):
        """The contract that a line is of, where several share the invoice; else this settlement's."""
        return self.contract_id.browse(int(group[CONTRACT])) if group[CONTRACT] else self.contract_id

    def _group_heading(self, group, *, is_dated):
        """What stands above the lines of a group, in the language of the context; may be empty.

        :param is_dated: whether there are sessions of earlier months, so that those of the period need
            a heading as well: they would seem to belong to the one above them.
        """
        contract = self._group_contract(group).display_name if group[CONTRACT] else ""
        name = "" if self.line_grouping == "cdr" else group[NAME]
        if group[ORIGIN]:
            when = self._month_text(date.fromisoformat(f"{group[ORIGIN]}-01"))
        else:
            when = self._period_text() if is_dated else ""
        return " · ".join(filter(None, (contract, when, name)))

    def _month_text(self, day):
        month = format_date(day, "MMMM yyyy", locale=babel_locale_parse(get_lang(self.env).code))
        return self.env._("Sessions of %(month)s", month=month)

    def _period_text(self):
        first, last = self.date_first, self.date_last
        if (first, last) == (date_utils.start_of(last, "month"), date_utils.end_of(first, "month")):
            return self._month_text(first)
        locale = babel_locale_parse(get_lang(self.env).code)
        return self.env._(
            "Sessions from %(first)s to %(last)s",
            first=format_date(first, "long", locale=locale),
            last=format_date(last, "long", locale=locale),
        )

    def _session_text(self, line):
        """The description of a line that is one session; empty for the others."""
        return line.group[NAME].partition(" ")[2] if self.line_grouping == "cdr" else ""
