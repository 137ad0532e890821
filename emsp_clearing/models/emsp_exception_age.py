from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

# Key of the band -> its last day. The keys sort as the bands do.
BANDS = {"00-02": 2, "03-07": 7, "08-30": 30, "31-": None}


class EmspExceptionAge(models.Model):
    """How long a fact has been there: counted in the database on each question, so that it is never stale."""

    _inherit = "emsp.exception"

    age_days = fields.Integer(
        string="Age (days)",
        compute="_compute_age",
        search="_search_age_days",
        aggregator="max",
        help="From the day the fact began to today, or to the day it was closed.",
    )
    age_band = fields.Selection(
        [
            ("00-02", "Up to 2 days"),
            ("03-07", "3 to 7 days"),
            ("08-30", "8 to 30 days"),
            ("31-", "More than 30 days"),
        ],
        string="Age",
        compute="_compute_age",
        search="_search_age_band",
    )
    company_currency_id = fields.Many2one(related="company_id.currency_id", string="Company currency")
    amount_company = fields.Monetary(
        string="Amount in company currency",
        compute="_compute_amount_company",
        store=True,
        currency_field="company_currency_id",
        help="At the rate of the day on which the fact began: so that sums over currencies mean something.",
    )

    @api.depends("date", "state", "closed_at")
    def _compute_age(self):
        today = fields.Date.context_today(self)
        for exception in self:
            end = exception.closed_at.date() if exception.closed_at else today
            exception.age_days = max(0, (end - exception.date).days) if exception.date else 0
            exception.age_band = next(
                band for band, last in BANDS.items() if last is None or exception.age_days <= last
            )

    @api.depends("amount", "currency_id", "company_id", "date")
    def _compute_amount_company(self):
        for exception in self:
            exception.amount_company = exception.currency_id._convert(
                exception.amount,
                exception.company_id.currency_id,
                exception.company_id,
                exception.date or fields.Date.context_today(self),
            )

    def _field_to_sql(self, alias, field_expr, query=None):
        # EXTENDS base: what `_compute_age` says, for groups and aggregates
        if field_expr == "age_days":
            return self._age_to_sql(alias)
        if field_expr == "age_band":
            return SQL(
                "(CASE WHEN %(age)s <= 2 THEN '00-02' WHEN %(age)s <= 7 THEN '03-07' "
                "WHEN %(age)s <= 30 THEN '08-30' ELSE '31-' END)",
                age=self._age_to_sql(alias),
            )
        return super()._field_to_sql(alias, field_expr, query)

    def _age_to_sql(self, alias):
        return SQL(
            "GREATEST(0, COALESCE(%(closed)s::date, %(today)s::date) - %(date)s)",
            closed=SQL.identifier(alias, "closed_at", to_flush=self._fields["closed_at"]),
            today=fields.Date.context_today(self),
            date=SQL.identifier(alias, "date", to_flush=self._fields["date"]),
        )

    def _search_age_days(self, operator, value):
        if operator not in ("in", "<", ">", "<=", ">="):
            return NotImplemented
        age = self._age_to_sql(self._table)
        if operator == "in":
            condition = SQL("%s = ANY(%s)", age, [int(each or 0) for each in value])
        else:
            compared = {
                "<": SQL("%s < %s", age, value),
                ">": SQL("%s > %s", age, value),
                "<=": SQL("%s <= %s", age, value),
                ">=": SQL("%s >= %s", age, value),
            }
            condition = compared[operator]
        return Domain("id", "in", SQL("(SELECT id FROM emsp_exception WHERE %s)", condition))

    def _search_age_band(self, operator, value):
        if operator != "in":
            return NotImplemented
        found, first = Domain.FALSE, 0
        for band, last in BANDS.items():
            if band in value:
                within = Domain("age_days", ">=", first)
                found |= within & Domain("age_days", "<=", last) if last is not None else within
            first = (last or 0) + 1
        return found

    @api.model
    def _older_than(self, days, as_of):
        """:param as_of: naive UTC. :return: Domain of what began more than so many days before."""
        return Domain("date", "<", as_of.date() - timedelta(days=days))
