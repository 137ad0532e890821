from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import format_date

from ..core.money import from_float, round_money, to_float
from .emsp_cdr_accrual import COLUMNS

# What is accrued; what is held is no claim yet, and shown apart.
ACCRUED = ("unbilled", "disputed", "late", "credited")


class EmspAccrual(models.Model):
    """The month-end of one company: what its contracts have earned or owe, and no invoice shows yet.

    The figures are kept as they were counted, with the instant of it, so that the entries can be
    explained later. Counted again with the same date and the same instant, they are the same, save for
    what has only today's state: void and quarantine, the membership of lists, what is posted, and the
    vendor bills that are linked (`emsp_cdr_accrual`).
    """

    _name = "emsp.accrual"
    _description = "Month-end accrual"
    _inherit = ["mail.thread"]
    _check_company_auto = True
    _order = "date desc, id desc"

    name = fields.Char(compute="_compute_name")
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, index=True
    )
    date = fields.Date(
        required=True,
        default=lambda self: self._default_date(),
        tracking=True,
        help="Last day of the books: sessions that ended by its end, in the contract's time zone, and "
        "that no document dated by it bills.",
    )
    known_at = fields.Datetime(
        string="As known at",
        required=True,
        default=lambda self: fields.Datetime.now(),
        tracking=True,
        help="CDRs that came later, and what happened to them later, do not count.",
    )
    company_currency_id = fields.Many2one(related="company_id.currency_id", string="Company currency")
    line_ids = fields.One2many("emsp.accrual.line", "accrual_id")
    amount_revenue = fields.Monetary(
        string="Accrued revenue", compute="_compute_amounts", currency_field="company_currency_id"
    )
    amount_cost = fields.Monetary(
        string="Accrued cost", compute="_compute_amounts", currency_field="company_currency_id"
    )
    move_ids = fields.One2many("account.move", "emsp_accrual_id", string="Entries")
    state = fields.Selection(
        [("draft", "No entry"), ("proposed", "Entry proposed"), ("posted", "Posted")],
        compute="_compute_state",
        compute_sudo=True,
        search="_search_state",
    )

    _one_per_date = models.UniqueIndex(
        "(company_id, date)",
        "There is an accrual of this company for this date: open it and count again.",
    )

    @api.model
    def _default_date(self):
        return fields.Date.context_today(self).replace(day=1) - timedelta(days=1)

    @api.depends("date")
    @api.depends_context("lang")
    def _compute_name(self):
        for accrual in self:
            accrual.name = self.env._("Accruals at %(date)s", date=format_date(self.env, accrual.date))

    @api.depends("line_ids.balance", "line_ids.is_booked")
    def _compute_amounts(self):
        for accrual in self:
            booked = accrual.line_ids.filtered("is_booked")
            revenue = booked.filtered(lambda line: line.partner_role == "emsp")
            accrual.amount_revenue = sum(revenue.mapped("balance"))
            accrual.amount_cost = sum((booked - revenue).mapped("balance"))

    # sudo: readers of the figures see how far they are, also without rights on entries
    @api.depends("move_ids.state")
    def _compute_state(self):
        for accrual in self:
            if not accrual.move_ids:
                accrual.state = "draft"
            else:
                is_posted = any(move.state == "posted" for move in accrual.move_ids)
                accrual.state = "posted" if is_posted else "proposed"

    @api.model
    def _search_state(self, operator, value):
        if operator != "in":
            return NotImplemented
        posted = Domain("move_ids", "any!", [("state", "=", "posted")])
        has_entry = Domain("move_ids", "any!", [])
        domains = {"draft": ~has_entry, "proposed": has_entry & ~posted, "posted": posted}
        return Domain.OR(domains[state] for state in value if state in domains)

    @api.model_create_multi
    def create(self, vals_list):
        accruals = super().create(vals_list)
        accruals._count()
        return accruals

    def write(self, vals):
        if vals.keys() & {"date", "company_id", "known_at"}:
            self._check_not_posted()
        result = super().write(vals)
        if vals.keys() & {"date", "company_id", "known_at"}:
            self._count()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_posted(self):
        self._check_not_posted()
        self.move_ids.unlink()

    def action_count(self):
        """Count again, with what is known now."""
        return self.write({"known_at": fields.Datetime.now()})

    def action_view_moves(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("account.action_move_journal_line")
        return {**action, "domain": [("id", "in", self.move_ids.ids)], "context": {}}

    def action_export_sheet(self):
        self.ensure_one()
        url = f"/web/content/{self._name}/{self.id}/sheet/accruals_{self.date}.xlsx?download=true"
        return {"type": "ir.actions.act_url", "url": url, "target": "download"}

    def _check_not_posted(self):
        posted = self.filtered(lambda accrual: accrual.state == "posted")[:1]
        if posted:
            raise UserError(
                self.env._(
                    "The entries of %(accrual)s are posted. Reset them to draft first, or leave the figures "
                    "as they were booked.",
                    accrual=posted.name,
                )
            )

    def _count(self):
        """Count every line anew; entries that were proposed before no longer say the same and go."""
        for accrual in self:
            accrual._check_not_posted()
            accrual.move_ids.unlink()
            # sudo: lines are counted with the user's own rights, and never typed: nobody may create them
            lines_sudo = accrual.line_ids.sudo()
            lines_sudo.unlink()
            lines_sudo.create(accrual._prepare_lines())

    def _contracts(self):
        """Of the company; drafts have no CDRs."""
        return self.env["emsp.contract"].search(
            [("company_id", "=", self.company_id.id), ("state", "!=", "draft")]
        )

    def _prepare_lines(self):
        """:return: vals of a line per contract that has anything to show."""
        self.ensure_one()
        contracts = self._contracts()
        if not contracts:
            return []
        domains = self.env["emsp.cdr"]._accrual_domains(contracts, self.date, self.known_at)
        sums = {
            column: {
                contract: (amount or 0.0, count)
                for contract, amount, count in self.env["emsp.cdr"]._read_group(
                    domains[column], ["contract_id"], ["amount_untaxed:sum", "__count"]
                )
            }
            for column in COLUMNS
        }
        rates = {
            currency: currency._get_conversion_rate(
                currency, self.company_id.currency_id, self.company_id, self.date
            )
            for currency in contracts.currency_id
        }
        return [
            self._prepare_line_vals(
                contract,
                {column: sums[column].get(contract) for column in COLUMNS},
                rates[contract.currency_id],
            )
            for contract in contracts
            if any(contract in sums[column] for column in COLUMNS)
        ]

    def _prepare_line_vals(self, contract, found, rate):
        """:param found: dict column -> (sum, count), or None. :param rate: to the company's currency."""
        amounts = {
            column: from_float(found[column][0] if found[column] else 0.0, int(contract.price_precision))
            for column in COLUMNS
        }
        # Rounded once, as the invoice will be.
        accrued = to_float(
            round_money(sum(amounts[column] for column in ACCRUED), contract.currency_id.decimal_places)
        )
        return {
            "accrual_id": self.id,
            "contract_id": contract.id,
            "amount_accrued": accrued,
            "balance": self.company_id.currency_id.round(accrued * rate),
            "cdr_count": sum(found[column][1] for column in ACCRUED if found[column]),
            "held_count": found["held"][1] if found["held"] else 0,
            **{f"amount_{column}": to_float(amount) for column, amount in amounts.items()},
        }
