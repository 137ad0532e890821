from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import format_date

from ..core.interest import Rate, half_year
from ..core.money import from_float

REFERENCES = [
    ("ecb", "European Central Bank: main refinancing rate"),
    ("de_base", "Germany: base rate (Basiszinssatz, § 247 BGB)"),
    ("fr_legal", "France: legal rate of professionals (taux d'intérêt légal)"),
]
DIGITS = 4


class EmspInterestRate(models.Model):
    """Reference rates of late interest, one for each half-year, with where they were published.

    They are facts, the same for all companies. Whoever does the books adds the next one in January and July.
    """

    _name = "emsp.interest.rate"
    _description = "Reference rate of late interest"
    _order = "date_from desc, reference"

    reference = fields.Selection(REFERENCES, string="Reference rate", required=True, index=True)
    date_from = fields.Date(
        string="Half-year from",
        required=True,
        help="1 January or 1 July: valid for the six months from then.",
    )
    percent = fields.Float(string="Percent a year", digits=(7, DIGITS), required=True)
    source = fields.Char(required=True, help="Where it was published.")

    _once = models.Constraint(
        "UNIQUE (reference, date_from)", "There is a rate for this half-year already: change that one."
    )

    @api.constrains("date_from")
    def _check_half_year(self):
        for rate in self:
            if rate.date_from != half_year(rate.date_from):
                raise ValidationError(self.env._("A half-year begins on 1 January or 1 July."))

    @api.depends("reference", "date_from")
    def _compute_display_name(self):
        names = dict(self._fields["reference"]._description_selection(self.env))
        for rate in self:
            rate.display_name = f"{names.get(rate.reference, '')}, {format_date(self.env, rate.date_from)}"

    @api.model
    def _get_rates(self):
        """:return: dict reference -> [core.interest.Rate]."""
        # sudo: facts that everybody may know; whoever prints a reminder needs no right on the table
        rates = defaultdict(list)
        for record in self.sudo().search_fetch([], ["reference", "date_from", "percent"]):
            rates[record.reference].append(Rate(record.date_from, from_float(record.percent, DIGITS)))
        return rates

    @api.model
    def _watch(self, companies, as_of):
        """Put what is missing for the current half-year into the exception journal, and take out what came.

        :param as_of: naive UTC.
        """
        since, rates = half_year(as_of.date()), self._get_rates()
        names = dict(self._fields["reference"]._description_selection(self.env))
        journal, facts = self.env["emsp.exception"], []
        for company in companies:
            for reference in company._used_reference_rates():
                key = f"emsp.interest.rate:{reference}:{since}:{company.id}"
                if any(rate.since == since for rate in rates[reference]):
                    journal._close("rate_missing", key, as_of)
                else:
                    facts.append(self._prepare_missing(company, key, names[reference], since, as_of))
        return journal._open_all(facts)

    @api.model
    def _prepare_missing(self, company, key, name, since, as_of):
        env = self.env["emsp.exception"]._in_language_of(company).env
        return {
            "kind": "rate_missing",
            "fact_key": key,
            "severity": "warning",
            "company_id": company.id,
            "currency_id": company.currency_id.id,
            "name": env._(
                "%(rate)s: none is known for the half-year from %(date)s.",
                rate=name,
                date=format_date(env, since),
            ),
            "suggestion": env["emsp.exception"]._usual_remedy("rate_missing"),
            "opened_at": as_of,
        }
