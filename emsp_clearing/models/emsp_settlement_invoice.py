from odoo import Command, api, models
from odoo.exceptions import UserError

from ..core.errors import InvoicingError
from ..core.invoicing import PricedSession, plan, prove
from ..core.money import D, to_float
from .emsp_settlement_lines import ORIGIN

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
    """From locked lists to posted documents whose annexes add up to the cent."""

    _inherit = "emsp.settlement"

    @api.model
    def _invoice(self, groups):
        """Bill the locked sessions of settlements: those of a group go onto the same invoice.

        :param groups: list of settlements.
        :return: posted account.move, none where lists sum to zero. With an invoice for each session, some of
            them: the settlements stay locked until none is left.
        """
        moves = self._draft_documents(groups)
        moves._post(soft=False)
        moves._emsp_set_off()
        done = self.browse().union(*(group for group in groups if not group._sessions_left()))
        billed = done.filtered("move_ids")
        billed._update_state("invoiced", carried_forward=False)
        (done - billed)._update_state("settled", carried_forward=False)
        return moves

    @api.model
    def _draft_documents(self, groups):
        """:return: draft account.move of the sessions that are billed now, which are marked with them.
        :raise UserError: for what keeps them from being billed.
        """
        found = [(group, document) for group in groups for document in group._documents_to_bill()]
        vals_list = [group._prepare_document_vals(document, plan) for group, (document, plan) in found]
        moves = self.env["account.move"].create(vals_list)
        for move, (__, (document, __plan)) in zip(moves, found, strict=True):
            self.env["emsp.cdr"]._update_state_of(document.domain, "invoiced", move_id=move.id)
        return moves

    def _documents_to_bill(self):
        """:return: list of (Document, its core Plan), without those that come to nothing."""
        for settlement in self.filtered("cdr_count"):
            settlement._check_invoiceable()
        plans = ((document, self._plan(document.domain)) for document in self._split_documents())
        return [(document, invoice_plan) for document, invoice_plan in plans if invoice_plan.total]

    def _check_invoiceable(self):
        """:raise UserError: for a reason to wait; it is shown on the settlement, and nothing is invoiced."""

    def _prepare_document_vals(self, document, invoice_plan):
        cdrs = self.env["emsp.cdr"]
        billed = [settlement.id for (settlement,) in cdrs._read_group(document.domain, ["settlement_id"])]
        return {
            **self[:1]._prepare_move_vals(invoice_plan),
            "emsp_settlement_ids": [Command.set(billed)],
            "reversed_entry_id": document.corrected_move_id if invoice_plan.total < 0 else False,
        }

    def _plan(self, domain):
        """The lines of one document, proven against the sum of its sessions.

        :param domain: of its CDRs.
        """
        leading, cdrs = self[:1], self.env["emsp.cdr"]
        group_of = leading._row_grouper(with_contract=len(self.contract_id) > 1)
        buckets = leading._tax_buckets()
        # One after the other: components of a hundred thousand CDRs fill the memory.
        sessions = (
            PricedSession(
                key=row["ocpi_key"],
                components=leading._line_components(row, buckets),
                amount=row["amount_untaxed"],
                group=group_of(row),
            )
            for row in cdrs._billed_rows_of(domain, leading._billed_fields())
        )
        try:
            invoice_plan = plan(sessions, digits=leading.currency_id.decimal_places)
            prove(invoice_plan, cdrs._sum_of(domain))
        except InvoicingError as error:
            raise leading._does_not_add_up(error) from error
        return invoice_plan

    def _does_not_add_up(self, reason):
        return UserError(
            self.env._(
                "The list of %(settlement)s does not add up: %(reason)s. Nothing was invoiced.",
                settlement=self.display_name,
                reason=reason,
            )
        )

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
            "invoice_line_ids": self._prepare_lines(invoice_plan, sign, fiscal_position, partner),
        }

    def _prepare_lines(self, invoice_plan, sign, fiscal_position, partner):
        """The lines in order, each group of them under its heading."""
        commands, shown = [], ""
        texts = self.with_context(lang=partner.lang or self.env.lang)
        # Without those of a credit and what it credits
        lines = [line for line in invoice_plan.lines if line.quantity or line.amount]
        is_dated = any(line.group[ORIGIN] for line in lines)
        for line in lines:
            heading = texts._group_heading(line.group, is_dated=is_dated)
            if heading and heading != shown:
                commands.append(Command.create({"display_type": "line_section", "name": heading}))
            shown = heading
            commands.append(Command.create(self._prepare_line_vals(line, sign, fiscal_position, partner)))
        return commands

    def _prepare_line_vals(self, line, sign, fiscal_position, partner):
        """Quantity 1 and the group's exact amount: Odoo cuts quantities and unit prices to two
        decimals in the e-invoice. The real ones stand in the description and in fields of their own."""
        product = self._component_product(line.component)
        shown = self._line_product(line.component)
        billed = self._billed_vals(line, sign)
        texts = self.with_context(lang=partner.lang or self.env.lang)
        return {
            "product_id": shown.id,
            "name": texts._session_text(line) or texts._line_text(product, billed),
            "quantity": 1.0,
            "price_unit": to_float(line.amount * sign),
            "tax_ids": [Command.set(self._taxes(product, fiscal_position).ids)],
            "analytic_distribution": self._group_contract(line.group).analytic_distribution,
            **billed,
        }

    def _billed_vals(self, line, sign):
        """What the line stands for, in the unit that the price grid speaks of."""
        unit = UNITS.get(line.component) if self.line_grouping != "cdr" else None
        quantity, price = line.quantity * sign, line.unit_price
        if unit == "minute":
            quantity, price = quantity * MINUTES_PER_HOUR, price / MINUTES_PER_HOUR
        return {
            "emsp_unit": unit,
            "emsp_quantity": to_float(quantity),
            "emsp_unit_price": to_float(price),
            "emsp_session_count": line.sessions,
        }

    def _line_text(self, product, billed_vals):
        """The line's description, in the language of the context."""
        env = self.env
        line = env["account.move.line"].new(billed_vals)
        name = product.with_env(env).name
        count = line.emsp_session_count
        if not line.emsp_unit and count == 1:
            return env._("%(component)s (1 session)", component=name)
        if not line.emsp_unit:
            return env._("%(component)s (%(count)s sessions)", component=name, count=count)
        billed = {
            "component": name,
            "quantity": line._get_billed_quantity_text(),
            "price": line._get_billed_price_text(),
            "currency": self.currency_id.name,
        }
        if count == 1:
            return env._("%(component)s: %(quantity)s at %(price)s %(currency)s (1 session)", **billed)
        return env._(
            "%(component)s: %(quantity)s at %(price)s %(currency)s (%(count)s sessions)",
            **billed,
            count=count,
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
        return self.fiscal_position_id or positions._get_fiscal_position(partner._emsp_taxed_as())

    def _sale_journal(self):
        journal = self.journal_id or self.company_id._get_clearing_journal()
        if not journal:
            raise UserError(
                self.env._("Company %(company)s has no sales journal.", company=self.company_id.name)
            )
        return journal

    def _invoice_partner(self):
        """The partner's invoicing contact; the company itself where there is none."""
        return self.partner_id.browse(self.partner_id.address_get(["invoice"])["invoice"])
