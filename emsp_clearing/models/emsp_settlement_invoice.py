from odoo import Command, models
from odoo.exceptions import UserError

from ..core.errors import InvoicingError
from ..core.invoicing import Component, PricedSession, plan, prove
from ..core.money import D, from_float, to_float

PRODUCTS = {
    "ENERGY": "emsp_clearing.product_energy",
    "FLAT": "emsp_clearing.product_session",
    "TIME": "emsp_clearing.product_time",
    "PARKING_TIME": "emsp_clearing.product_parking",
    "RESERVATION_TIME": "emsp_clearing.product_reservation",
    "RESERVATION_FLAT": "emsp_clearing.product_reservation",
    "LIMIT": "emsp_clearing.product_limit",
    "AGREED": "emsp_clearing.product_agreed",
}
# Of the billed quantity; what a price limit changed has none.
UNITS = {
    "FLAT": "session",
    "RESERVATION_FLAT": "session",
    "ENERGY": "kwh",
    "TIME": "minute",
    "PARKING_TIME": "minute",
    "RESERVATION_TIME": "minute",
}
MINUTES_PER_HOUR = D(60)


class EmspSettlementInvoice(models.Model):
    """From a locked list to one posted invoice whose annex adds up to the cent."""

    _inherit = "emsp.settlement"

    def _invoice(self):
        """Create and post the invoice (a credit note where credits outweigh), with its annex."""
        self.ensure_one()
        self._check_invoiceable()
        invoice_plan = self._plan()
        if not invoice_plan.total:
            self._update_state("settled")
            return self.env["account.move"]
        move = self.env["account.move"].create(self._prepare_move_vals(invoice_plan))
        self._store({"move_id": move.id})
        self.cdr_ids._update_state("invoiced", move_id=move.id)
        move._post(soft=False)
        self._update_state("invoiced")
        return move

    def _check_invoiceable(self):
        """:raise UserError: for a reason to wait; it is shown on the settlement, and nothing is invoiced."""

    def _plan(self):
        """The invoice's lines, proven against the list's own total."""
        rows = self.env["emsp.cdr"].search_read(
            [("settlement_id", "=", self.id)], ["ocpi_key", "amount_untaxed", "components"], order="ocpi_key"
        )
        precision = int(self.price_precision)
        sessions = [
            PricedSession(
                key=row["ocpi_key"],
                components=tuple(Component.from_json(component) for component in row["components"]),
                amount=from_float(row["amount_untaxed"], precision),
            )
            for row in rows
        ]
        invoice_plan = plan(sessions, digits=self.currency_id.decimal_places)
        try:
            prove(invoice_plan, from_float(self.amount_untaxed, precision))
        except InvoicingError as error:
            raise UserError(
                self.env._(
                    "The list of %(settlement)s does not add up: %(reason)s. Nothing was invoiced.",
                    settlement=self.display_name,
                    reason=error,
                )
            ) from error
        return invoice_plan

    def _prepare_move_vals(self, invoice_plan):
        sign = -1 if invoice_plan.total < 0 else 1
        contract = self.contract_id
        partner = self._invoice_partner()
        fiscal_position = self._get_fiscal_position(partner)
        return {
            "move_type": "out_refund" if sign < 0 else "out_invoice",
            "company_id": self.company_id.id,
            "journal_id": self._sale_journal().id,
            "partner_id": partner.id,
            "currency_id": self.currency_id.id,
            "invoice_date": self.invoice_date,
            "delivery_date": self.date_last,
            "invoice_payment_term_id": self.payment_term_id.id,
            "fiscal_position_id": fiscal_position.id,
            "invoice_origin": self.name,
            "invoice_user_id": contract.user_id.id,
            "emsp_settlement_id": self.id,
            "invoice_line_ids": [
                Command.create(self._prepare_line_vals(line, sign, fiscal_position, partner))
                for line in invoice_plan.lines
            ],
        }

    def _prepare_line_vals(self, line, sign, fiscal_position, partner):
        """Quantity 1 and the group's exact amount: Odoo cuts quantities and unit prices to two
        decimals in the e-invoice. The real ones stand in the description and in fields of their own."""
        product = self.env.ref(PRODUCTS[line.component])
        billed = self._billed_vals(line, sign)
        return {
            "product_id": product.id,
            "name": self._line_text(product, billed, partner.lang or self.env.lang),
            "quantity": 1.0,
            "price_unit": to_float(line.amount * sign),
            "tax_ids": [Command.set(self._taxes(product, fiscal_position).ids)],
            **billed,
        }

    def _billed_vals(self, line, sign):
        """What the line stands for, in the unit that the price grid speaks of."""
        unit = UNITS.get(line.component)
        quantity, price = line.quantity * sign, line.unit_price
        if unit == "minute":
            quantity, price = quantity * MINUTES_PER_HOUR, price / MINUTES_PER_HOUR
        return {
            "emsp_unit": unit,
            "emsp_quantity": to_float(quantity),
            "emsp_unit_price": to_float(price),
            "emsp_session_count": line.sessions,
        }

    def _line_text(self, product, billed, lang):
        """The line's description in the partner's language."""
        env = self.with_context(lang=lang).env
        line = env["account.move.line"].new(billed)
        name = product.with_env(env).name
        if not line.emsp_unit:
            return env._("%(component)s (%(count)s sessions)", component=name, count=line.emsp_session_count)
        return env._(
            "%(component)s: %(quantity)s at %(price)s %(currency)s (%(count)s sessions)",
            component=name,
            quantity=line._get_billed_quantity_text(),
            price=line._get_billed_price_text(),
            currency=self.currency_id.name,
            count=line.emsp_session_count,
        )

    def _taxes(self, product, fiscal_position):
        taxes = product.taxes_id._filter_taxes_by_company(self.company_id)
        taxes = fiscal_position.map_tax(taxes or self.company_id.account_sale_tax_id)
        if not taxes:
            raise UserError(
                self.env._(
                    "Product %(product)s has no tax for %(company)s under fiscal position %(position)s. "
                    "An e-invoice needs one on each line, also for reverse charge.",
                    product=product.display_name,
                    company=self.company_id.name,
                    position=fiscal_position.display_name or "-",
                )
            )
        return taxes

    def _get_fiscal_position(self, partner):
        """The contract's, as it was when the window opened; else by the partner, in Odoo's way."""
        positions = self.env["account.fiscal.position"].with_company(self.company_id)
        return self.fiscal_position_id or positions._get_fiscal_position(partner)

    def _sale_journal(self):
        journal = self.journal_id or self.env["account.journal"].search(
            [*self.env["account.journal"]._check_company_domain(self.company_id), ("type", "=", "sale")],
            limit=1,
        )
        if not journal:
            raise UserError(
                self.env._("Company %(company)s has no sales journal.", company=self.company_id.name)
            )
        return journal

    def _invoice_partner(self):
        """The partner's invoicing contact; the company itself where there is none."""
        return self.partner_id.browse(self.partner_id.address_get(["invoice"])["invoice"])

    def _send(self):
        """Hand invoice, annex and e-invoice to the mail queue, to the invoicing contact."""
        self.ensure_one()
        self.move_id._emsp_send()
