from datetime import UTC
from typing import NamedTuple
from zoneinfo import ZoneInfo

from odoo import api, fields, models
from odoo.tools import SQL

from ..core.money import D, from_float
from .emsp_settlement_invoice import MINUTES_PER_HOUR, UNITS

# The largest places by amount; the download has them all.
PLACES_SHOWN = 25
# All that a partner may read of a settlement, by RPC too.
PORTAL_FIELDS = (
    "amount_residual",
    "amount_untaxed",
    "cdr_count",
    "contract_id",
    "contract_name",
    "control_days",
    "currency_id",
    "cut_off_at",
    "date_first",
    "date_last",
    "energy_kwh",
    "invoice_date",
    "list_hash",
    "lock_at",
    "move_id",
    "name",
    "partner_id",
    "payment_state",
    "period_end",
    "period_start",
    "price_precision",
    "sent_at",
    "state",
    "time_zone",
)
HAS_INVOICE = ("invoiced", "sent", "settled")


class Instant(NamedTuple):
    """A moment as both sides can check it."""

    local: str
    zone: str
    offset: str
    utc: str


class EmspSettlementPortal(models.Model):
    """A settlement as its partner reads it in the portal."""

    _inherit = "emsp.settlement"

    # Read with the system's rights: the partner may know how its contract is called, and no more of it.
    contract_name = fields.Char(related="contract_id.name", string="Name of the contract")

    @api.model
    def _get_portal_fields(self):
        return [*super()._get_portal_fields(), *PORTAL_FIELDS]

    @api.model
    def _portal_zone_name(self):
        """:return: the time zone in which the current user's company is billed, by its last settlement."""
        last = self.search([], limit=1)
        return last._zone_name() if last else self.env.user.tz or "UTC"

    def _portal_state_label(self):
        self.ensure_one()
        return dict(self._fields["state"]._description_selection(self.env))[self.state]

    def _portal_instant(self, instant):
        """:param instant: naive UTC. :return: Instant in the contract's zone."""
        zone = self._zone_name()
        local = instant.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
        return Instant(f"{local:%Y-%m-%d %H:%M}", zone, local.isoformat()[-6:], f"{instant:%Y-%m-%d %H:%M}")

    def _portal_deadline(self):
        """:return: the instant at which the list changes its state next; None once it is locked."""
        return {"collecting": self.cut_off_at, "control": self.lock_at}.get(self.state)

    def _portal_countdown(self, now):
        """:param now: naive UTC. :return: "closes in 3 days 4 h"; empty once it is locked."""
        deadline = self._portal_deadline()
        if not deadline:
            return ""
        left = self._portal_time_left(deadline - now)
        if self.state == "collecting":
            return self.env._("control opens in %(time)s", time=left)
        return self.env._("closes in %(time)s", time=left)

    def _portal_time_left(self, delta):
        minutes = max(0, int(delta.total_seconds() // 60))
        days, minutes = divmod(minutes, 24 * 60)
        hours, minutes = divmod(minutes, 60)
        if days == 1:
            return self.env._("1 day %(hours)s h", hours=hours)
        if days:
            return self.env._("%(days)s days %(hours)s h", days=days, hours=hours)
        return self.env._("%(hours)s h %(minutes)s min", hours=hours, minutes=minutes)

    def _portal_deadlines(self):
        """:return: [(label, Instant)] in the order of the calendar."""
        return [
            (self.env._("Period starts"), self._portal_instant(self.period_start)),
            (self.env._("Period ends"), self._portal_instant(self.period_end)),
            (self.env._("Cut-off: list closes, control opens"), self._portal_instant(self.cut_off_at)),
            (self.env._("Lock: control closes"), self._portal_instant(self.lock_at)),
        ]

    def _portal_amount(self, amount):
        """As text, with as many decimals as the settlement counts in."""
        return self.env["emsp.cdr"]._number(from_float(amount, 4), 4)

    def _portal_places(self):
        """:return: [(place, city, sessions, kWh, net amount)], the largest first."""
        return self.env["emsp.cdr"]._read_group(
            self._billed_domain(),
            ["location_name", "location_city"],
            ["__count", "energy_kwh:sum", "amount_untaxed:sum"],
            order="amount_untaxed:sum DESC, location_name, location_city",
            limit=PLACES_SHOWN,
        )

    def _portal_components(self):
        """The net amount by tariff component, summed in the database from what each CDR stores.

        :return: [(label, sessions, quantity as text, net amount)], the largest first.
        """
        cdrs = self.env["emsp.cdr"]
        cdrs.flush_model(["components"])
        rows = self.env.execute_query(
            SQL(
                """SELECT part->>'component', COUNT(DISTINCT cdr.id), SUM((part->>'quantity')::numeric)::text,
                          SUM((part->>'amount')::numeric) AS amount
                     FROM emsp_cdr cdr, jsonb_array_elements(cdr.components) part
                    WHERE cdr.id IN %s
                 GROUP BY part->>'component'
                 ORDER BY amount DESC, part->>'component'""",
                cdrs._search(self._billed_domain()).subselect(),
            )
        )
        labels = {**cdrs._component_labels(), "LIMIT": self.env._("Minimum or maximum price")}
        return [
            (labels.get(component, component), sessions, self._portal_quantity(component, quantity), amount)
            for component, sessions, quantity, amount in rows
        ]

    def _portal_quantity(self, component, quantity):
        """In the unit of the invoice's lines: times in minutes."""
        unit = UNITS.get(component)
        number = self.env["emsp.cdr"]._number
        if unit == "kwh":
            return f"{number(D(quantity), 3)} kWh"
        if unit == "minute":
            return self.env._("%(minutes)s min", minutes=number(D(quantity) * MINUTES_PER_HOUR, 2))
        return ""

    def _portal_documents(self):
        """What the partner may download of a settlement it may read.

        :return: dict "invoice" and those of `_annex_documents` -> ir.attachment, in superuser, as far as they
            are made.
        """
        self.ensure_one()
        if self.state not in HAS_INVOICE:
            return {}
        # sudo: it is the partner's own invoice, also where it is of a company that the login is not in
        move_sudo = self.sudo().move_id
        invoice = {"invoice": move_sudo.invoice_pdf_report_id} if move_sudo.invoice_pdf_report_id else {}
        return invoice | move_sudo._annex_documents()
