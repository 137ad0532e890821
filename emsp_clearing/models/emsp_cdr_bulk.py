from odoo import api, fields, models
from odoo.tools import SQL

from ..core.chain import LIST_DIGITS
from ..core.money import D
from .sql_stream import stream


class EmspCdrBulk(models.Model):
    """Steps of many CDRs at once, in the database: a settlement may have a hundred thousand, and as many
    records take minutes. What is checked and what is stored is the same."""

    _inherit = "emsp.cdr"

    @api.model
    def _update_state_of(self, domain, target, **vals):
        """As `_update_state`, for the CDRs of a domain, in a step that nobody is told of.

        :return: how many moved.
        :raise UserError: when the life cycle does not allow the step for one of them.
        """
        moving = [*domain, ("state", "!=", target)]
        for state, example in self._read_group(moving, ["state"], ["id:min"]):
            self.browse(example)._check_transition(state, target)
        return self._store_of(moving, {"state": target, **vals})

    @api.model
    def _store_of(self, domain, vals):
        """As `_store`, for the CDRs of a domain: plain columns that nothing stored is computed from.

        :return: how many there were.
        """
        self.check_access("write")
        ids = self._search(domain).subselect()
        stamped = {**vals, "write_uid": self.env.uid, "write_date": fields.Datetime.now()}
        columns = [
            SQL("%s = %s", SQL.identifier(name), self._fields[name].convert_to_column(value, self))
            for name, value in stamped.items()
        ]
        self.env.flush_all()
        self.env.cr.execute(SQL("UPDATE emsp_cdr SET %s WHERE id IN %s", SQL(", ").join(columns), ids))
        count = self.env.cr.rowcount
        self.invalidate_model(list(stamped), flush=False)
        return count

    @api.model
    def _sum_of(self, domain):
        """:return: Decimal net amount of the CDRs of a domain, exact."""
        query = self._search(domain)
        self.flush_model(["amount_untaxed"])
        [(total,)] = self.env.execute_query(query.select(SQL("COALESCE(SUM(amount_untaxed), 0)::text")))
        return D(total)

    @api.model
    def _sealed_rows_of(self, domain):
        """The lines that `core.chain.list_hash` is made of, sorted.

        :return: iterator of (key, payload hash, amount as text) of the CDRs of a domain.
        """
        query = self._search(domain)
        self.flush_model(["ocpi_key", "payload_sha256", "amount_untaxed"])
        # By code points, as core sorts them. The amount as `core.chain.listed_amount` writes it.
        query.order = SQL('ocpi_key COLLATE "C"')
        amount = SQL("ROUND(COALESCE(amount_untaxed, 0), %s)::text", LIST_DIGITS)
        return stream(self.env, query.select(SQL("ocpi_key"), SQL("payload_sha256"), amount))

    @api.model
    def _billed_rows_of(self, domain, names):
        """:param names: stored fields without those computed on reading.
        :return: iterator of dicts of the CDRs of a domain, by key; amounts are Decimal, records their ids.
        """
        query = self._search(domain)
        self.flush_model(names)
        query.order = "ocpi_key"
        columns = [SQL.identifier(name) for name in names]
        amount = SQL("COALESCE(amount_untaxed, 0)::text")
        for amount_text, *values in stream(self.env, query.select(amount, *columns)):
            yield {**dict(zip(names, values, strict=True)), "amount_untaxed": D(amount_text)}

    @api.model
    def _ocpi_ids_of(self, domain):
        """:return: iterator of the OCPI ids of the CDRs of a domain, by key."""
        query = self._search(domain)
        self.flush_model(["ocpi_id", "ocpi_key"])
        query.order = "ocpi_key"
        return (ocpi_id for (ocpi_id,) in stream(self.env, query.select(SQL("ocpi_id"))))
