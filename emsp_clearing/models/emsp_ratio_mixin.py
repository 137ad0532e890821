from odoo import models
from odoo.tools import SQL


class EmspRatioMixin(models.AbstractModel):
    """A report whose shares and means are those of the sums: a mean of means would count small groups as
    much as large ones."""

    _name = "emsp.ratio.mixin"
    _description = "Report with ratios of sums"

    # Aggregate, such as "flagged_pct:avg" -> (field of the part, field of the whole, factor).
    _ratios = {}

    def _read_group_select(self, aggregate_spec, query):
        if aggregate_spec not in self._ratios:
            return super()._read_group_select(aggregate_spec, query)
        part, whole, factor = self._ratios[aggregate_spec]
        return SQL(
            "%(factor)s * SUM(%(part)s)::numeric / NULLIF(SUM(%(whole)s)::numeric, 0)",
            factor=factor,
            part=self._field_to_sql(self._table, part, query),
            whole=self._field_to_sql(self._table, whole, query),
        )
