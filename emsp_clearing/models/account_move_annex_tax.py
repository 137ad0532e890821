from odoo import models
from odoo.tools import SQL

from ..core.money import ZERO, D, from_float
from ..core.shares import RunningShare


class AccountMoveAnnexTax(models.Model):
    """The tax of each row of the annex: its share of what the invoice says."""

    _inherit = "account.move"

    def _annex_tax_taker(self, net, tax):
        """
        :param Decimal net: sum of all rows. :param Decimal tax: of the invoice, for them to share.
        :return: function of a row's net amount and components that gives its tax, row after row.
        """
        digits = self.currency_id.decimal_places
        if len(self.invoice_line_ids.tax_ids) < 2:
            share = RunningShare(tax, net, digits)
            return lambda row_net, components: share.take(row_net)
        shares = self._annex_tax_shares(digits)

        def take(row_net, components):
            taken = ZERO
            for charged, share in shares:
                parts = (D(part["amount"]) for part in components or () if part["component"] in charged)
                taken += share.take(sum(parts, ZERO))
            return taken

        return take

    def _annex_tax_shares(self, digits):
        """:return: [(components, RunningShare)], for each tax what it is charged on and its amount."""
        taxes_of = self._annex_settlements()[-1:]._component_taxes(self.fiscal_position_id)
        sums = self._annex_component_sums()
        sign = -1 if self.move_type == "out_refund" else 1
        shares = []
        for row in self._get_document_taxes():
            charged = {component for component, taxes in taxes_of.items() if row["tax"] in taxes}
            whole = sum((sums.get(component, ZERO) for component in charged), ZERO)
            shares.append((charged, RunningShare(from_float(row["amount"], digits) * sign, whole, digits)))
        return shares

    def _annex_component_sums(self):
        """:return: dict component -> Decimal, over all rows."""
        self.env["emsp.cdr"].flush_model(["components", "move_id"])
        query = SQL(
            """SELECT part->>'component', SUM((part->>'amount')::numeric)::text
                 FROM emsp_cdr cdr, jsonb_array_elements(cdr.components) part
                WHERE cdr.move_id = %s
             GROUP BY 1""",
            self.id,
        )
        return {component: D(amount) for component, amount in self.env.execute_query(query)}
