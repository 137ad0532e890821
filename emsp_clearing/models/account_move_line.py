from odoo import fields, models
from odoo.tools import formatLang

# Decimals of a unit price: four as in a price grid; a price per minute may need more.
PRICE_DIGITS = (4, 6)


class AccountMoveLine(models.Model):
    """What a line of a clearing invoice stands for. Quantity and price of the line itself are 1 and
    the amount, because Odoo cuts both to two decimals in the e-invoice."""

    _inherit = "account.move.line"

    emsp_quantity = fields.Float(string="Billed Quantity", digits=(16, 4), readonly=True)
    emsp_unit = fields.Selection(
        [("session", "sessions"), ("kwh", "kWh"), ("minute", "min")],
        string="Billed Unit",
        readonly=True,
    )
    emsp_unit_price = fields.Float(string="Billed Unit Price", digits=(16, 6), readonly=True)
    emsp_session_count = fields.Integer(string="Billed Sessions", readonly=True)

    def _get_billed_quantity_text(self):
        """:return: "1,639.996 kWh", "48 sessions", "7,545 min", in the language of the context."""
        self.ensure_one()
        digits = 3 if self.emsp_unit == "kwh" else 0
        if self.emsp_unit == "minute" and not self.emsp_quantity.is_integer():
            digits = 2
        unit = dict(self._fields["emsp_unit"]._description_selection(self.env))[self.emsp_unit]
        if self.emsp_unit == "session" and abs(self.emsp_quantity) == 1:
            unit = self.env._("session")
        return f"{formatLang(self.env, self.emsp_quantity, digits=digits)} {unit}"

    def _get_billed_price_text(self):
        self.ensure_one()
        least, most = PRICE_DIGITS
        digits = least if round(self.emsp_unit_price, least) == self.emsp_unit_price else most
        return formatLang(self.env, self.emsp_unit_price, digits=digits)
