from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from odoo.fields import Domain

# Groupings: field by which the list is ordered first. Days follow from the order by time.
GROUPED_BY = {"day": None, "place": "location_name", "charger": "evse_id", "token": "token_uid"}
MARKED = {
    "finding": [("finding_ids", "any", [("superseded_at", "=", False)])],
    "late": [("is_late", "=", True)],
    "credit": [("is_credit", "=", True)],
}
BY_TIME = "session_end_at desc, id desc"


class CdrSelection:
    """What was asked of the list of CDRs, by its address; what is not understood counts as not asked.

    `domain`, `order` and `url_args` (to ask for the same again); `zone` is that of the days, the contract's.
    """

    def __init__(self, env, params):
        self.env = env
        self.zone = env["emsp.settlement"]._portal_zone_name()
        self.search = (params.get("search") or "").replace("\0", "").strip()
        self.state = self._known(params.get("state"), self.get_states())
        self.marks = [mark for mark in self.get_marks() if params.get(mark)]
        self.date_from, self.date_to = (_day(params.get(name)) for name in ("date_from", "date_to"))
        self.sortby = self._known(params.get("sortby"), self.get_sortings()) or "newest"
        self.groupby = self._known(params.get("groupby"), self.get_groupings())
        self.settlement = self._find_settlement(params.get("settlement"))
        self.domain = self._get_domain()
        self.order = self._get_order()
        self.url_args = self._get_url_args()

    def _known(self, value, choices):
        return value if value in choices else ""

    def _find_settlement(self, value):
        """:return: the settlement, which is empty for one of somebody else; None when none was asked for."""
        if not value or not value.isdecimal():
            return None
        return self.env["emsp.settlement"].search([("id", "=", int(value))])

    # -- what may be asked for; extension points

    def get_states(self):
        """:return: dict key -> (label, domain)"""
        labels = {
            "open": self.env._("Open"),
            "disputed": self.env._("Disputed"),
            "locked": self.env._("Locked"),
            "invoiced": self.env._("Invoiced"),
            "void": self.env._("Withdrawn"),
        }
        return {state: (label, [("state", "=", state)]) for state, label in labels.items()}

    def get_marks(self):
        """:return: dict key -> (label, domain); several may be asked for at once."""
        labels = {
            "finding": self.env._("With findings"),
            "late": self.env._("Late"),
            "credit": self.env._("Credits"),
        }
        return {mark: (label, MARKED[mark]) for mark, label in labels.items()}

    def get_sortings(self):
        """:return: dict key -> (label, order)"""
        return {
            "newest": (self.env._("Newest first"), BY_TIME),
            "oldest": (self.env._("Oldest first"), "session_end_at, id"),
            "amount": (self.env._("Highest amount"), "amount_untaxed desc, id desc"),
            "energy": (self.env._("Most energy"), "energy_kwh desc, id desc"),
            "cdr": (self.env._("CDR id"), "ocpi_id, id"),
        }

    def get_groupings(self):
        """:return: dict key -> label"""
        return {
            "day": self.env._("Day"),
            "place": self.env._("Place"),
            "charger": self.env._("Charger"),
            "token": self.env._("Token"),
        }

    def get_settlements(self):
        """:return: those of the last two years of months, to choose from."""
        return self.env["emsp.settlement"].search([], limit=24)

    # -- what it means

    def _get_domain(self):
        parts = [self.get_marks()[mark][1] for mark in self.marks]
        if self.state:
            parts.append(self.get_states()[self.state][1])
        if self.settlement is not None:
            parts.append(self.settlement._list_domain() if self.settlement else Domain.FALSE)
        if self.date_from:
            parts.append([("session_end_at", ">=", self._midnight(self.date_from))])
        if self.date_to:
            parts.append([("session_end_at", "<", self._midnight(self.date_to + timedelta(days=1)))])
        if self.search:
            parts.append(self.env["emsp.cdr"]._portal_search_domain(self.search))
        return Domain.AND(parts)

    def _midnight(self, day):
        """:return: naive UTC at which the day begins in the zone of the list."""
        local = datetime.combine(day, time(), ZoneInfo(self.zone))
        return local.astimezone(UTC).replace(tzinfo=None)

    def _get_order(self):
        if self.groupby == "day":
            return self.get_sortings()["oldest" if self.sortby == "oldest" else "newest"][1]
        order = self.get_sortings()[self.sortby][1]
        return f"{GROUPED_BY[self.groupby]}, {order}" if self.groupby else order

    def _get_url_args(self):
        args = {
            "search": self.search,
            "state": self.state,
            **dict.fromkeys(self.marks, "1"),
            "settlement": self.settlement.id if self.settlement else "",
            "date_from": self.date_from or "",
            "date_to": self.date_to or "",
            "sortby": self.sortby if self.sortby != "newest" else "",
            "groupby": self.groupby,
        }
        return {name: value for name, value in args.items() if value}

    # -- groups of a page

    def get_group_key(self, cdr):
        """:return: what the CDR is grouped by; a date for days."""
        if self.groupby == "day":
            return cdr.session_end_at.replace(tzinfo=UTC).astimezone(ZoneInfo(self.zone)).date()
        return cdr[GROUPED_BY[self.groupby]]

    def get_groups(self, cdrs):
        """The groups that a page of CDRs shows, with totals over the whole selection, but for what was
        withdrawn; one query.

        :return: dict key -> [(currency, number of CDRs, kWh, net amount)]
        """
        if not self.groupby or not cdrs:
            return {}
        keys = {self.get_group_key(cdr) for cdr in cdrs}
        if self.groupby == "day":
            spec = "session_end_at:day"
            within = [
                ("session_end_at", ">=", self._midnight(min(keys))),
                ("session_end_at", "<", self._midnight(max(keys) + timedelta(days=1))),
            ]
        else:
            spec = GROUPED_BY[self.groupby]
            within = [(spec, "in", list(keys))]
        rows = cdrs.with_context(tz=self.zone)._read_group(
            Domain.AND([self.domain, within, [("state", "!=", "void")]]),
            [spec, "currency_id"],
            ["__count", "energy_kwh:sum", "amount_untaxed:sum"],
        )
        groups = {}
        for key, *figures in rows:
            groups.setdefault(key.date() if isinstance(key, datetime) else key, []).append(figures)
        return groups


def _day(text):
    """:return: date, of years in which people charge cars; None for everything else."""
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return None
    return day if 2000 <= day.year < 2100 else None
