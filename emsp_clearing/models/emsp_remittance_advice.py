import hashlib

from odoo import Command, api, fields, models
from odoo.exceptions import UserError

from ..core.errors import SheetError, StatementError
from ..core.money import from_float, to_float
from ..core.remittance import read_remittance
from .statement_messages import remittance_file_problem, statement_problem


class EmspRemittanceAdvice(models.Model):
    """The payer's own list of what one payment is for; it waits for that payment, and is used once.

    It comes as a spreadsheet, or as a notification of the bank (CAMT.054) that tells what a batch entry of
    the statement is made of. It books nothing: the statement does. See `_advised_amounts` of the bank line.
    """

    _name = "emsp.remittance.advice"
    _description = "Remittance advice"
    _check_company_auto = True
    _order = "state desc, id desc"

    name = fields.Char(required=True, help="Name of the file, or number of the bank's notification.")
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, index=True
    )
    currency_id = fields.Many2one(
        "res.currency", required=True, default=lambda self: self.env.company.currency_id
    )
    partner_id = fields.Many2one(
        "res.partner",
        string="Payer",
        check_company=True,
        index="btree_not_null",
        help="Who pays. Empty for a notification of the bank: a batch has many payers.",
    )
    journal_id = fields.Many2one(
        "account.journal", string="Bank", check_company=True, help="On which account the batch was booked."
    )
    date = fields.Date(help="When the bank booked the batch.")
    line_ids = fields.One2many("emsp.remittance.advice.line", "advice_id", string="Documents", copy=False)
    total = fields.Monetary(compute="_compute_total", store=True)
    statement_line_id = fields.Many2one(
        "account.bank.statement.line",
        string="Payment",
        check_company=True,
        copy=False,
        index="btree_not_null",
        help="The bank line that it explains. It is found by payer and amount; choose it where that fails.",
    )
    difference = fields.Monetary(
        compute="_compute_difference", help="What the payment is more than the list; zero when they agree."
    )
    state = fields.Selection(
        [("waiting", "Waiting"), ("used", "Used")], compute="_compute_state", store=True, index=True
    )
    import_key = fields.Char(readonly=True, copy=False)

    _import_key = models.UniqueIndex("(company_id, import_key)", "This remittance advice was loaded before.")

    @api.depends("line_ids.amount")
    def _compute_total(self):
        for advice in self:
            advice.total = sum(advice.line_ids.mapped("amount"))

    @api.depends("total", "statement_line_id.amount")
    def _compute_difference(self):
        for advice in self:
            # sudo: as in _find_payment.
            line = advice.sudo().statement_line_id
            advice.difference = line._paid_amount()[0] - advice.total if line else 0.0

    @api.depends("statement_line_id.is_reconciled")
    def _compute_state(self):
        for advice in self:
            advice.state = "used" if advice.statement_line_id.is_reconciled else "waiting"

    @api.model
    def _load_sheet(self, content, name, **vals):
        """Read a spreadsheet or CSV file.

        :param vals: partner_id, statement_line_id, currency_id.
        :raise UserError: when it cannot be read, with the line and the reason, or was loaded before.
        """
        try:
            remittance = read_remittance(content)
        except StatementError as error:
            problem = statement_problem(self.env, error)
            raise UserError(self.env._("%s Nothing was loaded.", problem)) from error
        except SheetError as error:
            raise UserError(remittance_file_problem(self.env, error)) from error
        key = hashlib.sha256(content).hexdigest()
        if self.search_count([("company_id", "=", self.env.company.id), ("import_key", "=", key)], limit=1):
            raise UserError(self.env._("This remittance advice was loaded before."))
        rows = [
            {
                "number": line.number,
                "reference": line.reference,
                "amount": to_float(line.amount),
                "text": line.text,
            }
            for line in remittance.lines
        ]
        return self.create(
            {"name": name, "import_key": key, "line_ids": [Command.create(row) for row in rows], **vals}
        )

    def _find_payment(self):
        """The open bank lines that the advices explain, as far as each fits one line only."""
        # sudo: who loads advices may have no rights on the books; nothing of the lines is shown.
        lines = self.env["account.bank.statement.line"].sudo()
        for advice in self:
            known = lines.search(
                [
                    ("company_id", "=", advice.company_id.id),
                    ("is_reconciled", "=", False),
                    "|",
                    ("id", "=", advice.statement_line_id.id),
                    ("amount", "=", advice.total),
                ]
            )
            found = known.filtered(advice._fits)
            lines |= found if len(found) == 1 else lines.browse()
        return lines

    def _fits(self, line):
        """Whether the bank line may be the payment that this advice waits for."""
        self.ensure_one()
        if self.statement_line_id:
            return line == self.statement_line_id
        paid, currency = line._paid_amount()
        if line.amount <= 0 or currency != self.currency_id or currency.compare_amounts(paid, self.total):
            return False
        if self.journal_id:
            return line.journal_id == self.journal_id and line.date == self.date
        payer = self.partner_id.commercial_partner_id
        accounts = payer.bank_ids.mapped("sanitized_acc_number")
        return bool(payer) and (
            line.partner_id.commercial_partner_id == payer or (line.account_number or "") in accounts
        )

    def _rows(self):
        """:return: list of (reference, Decimal)."""
        self.ensure_one()
        digits = self.currency_id.decimal_places
        return [(line.reference, from_float(line.amount, digits)) for line in self.line_ids]

    def action_match(self):
        """Match the payment now, if it is there and the user may book."""
        lines = self._find_payment().sudo(False)
        if lines.has_access("write"):
            lines._match_open_lines()
        return True

    def action_open_payment(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account_reconcile_oca.action_bank_statement_line_reconcile_all"
        )
        return {
            **action,
            "domain": [("id", "=", self.statement_line_id.id)],
            "context": {"view_ref": "account_reconcile_oca.bank_statement_line_form_reconcile_view"},
        }

    def _action_open(self):
        """These advices: one by its form, several as a list."""
        action = self.env["ir.actions.act_window"]._for_xml_id("emsp_clearing.emsp_remittance_advice_action")
        if len(self) == 1:
            return {**action, "res_id": self.id, "views": [(False, "form")]}
        return {**action, "domain": [("id", "in", self.ids)]}

    def _open_documents(self):
        """:return: open invoices and credit notes that the lines can name."""
        self.ensure_one()
        domain = [
            ("company_id", "=", self.company_id.id),
            ("parent_state", "=", "posted"),
            ("reconciled", "=", False),
            ("account_id.account_type", "=", "asset_receivable"),
            ("move_id.move_type", "in", ("out_invoice", "out_refund")),
        ]
        if self.partner_id:
            domain.append(("partner_id", "child_of", self.partner_id.commercial_partner_id.id))
        # sudo: as in _find_payment; number and open amount of documents are what this screen is for.
        return self.env["account.move.line"].sudo().search(domain).move_id
