from stdnum.iso7064 import mod_97_10

from odoo import api, fields, models
from odoo.exceptions import LockError, UserError

from ..core.lifecycle import NETTING_TRANSITIONS
from ..core.money import ZERO, from_float, to_float
from ..core.netting import OpenItem, set_off

# What people may write on a statement past its life cycle, and what they may while it is a draft.
EDITABLE = frozenset({"message_follower_ids", "message_ids", "activity_ids", "access_token"})
DRAFTED = frozenset({"date_first", "date_last", "line_ids", "our_line_ids", "their_line_ids"})


class EmspNetting(models.Model):
    """What a partner and we owe each other over a period, set off: one statement, one transfer.

    No invoice and no tax document: each invoice stays as it is, with its VAT; the statement only clears
    them. Both sides must have agreed on netting in their contracts, and accept each statement.
    """

    _name = "emsp.netting"
    _description = "Netting statement"
    _inherit = [
        "emsp.state.mixin",
        "emsp.portal.mixin",
        "portal.mixin",
        "mail.thread",
        "mail.activity.mixin",
    ]
    _check_company_auto = True
    _order = "date_last desc, id desc"
    _transitions = NETTING_TRANSITIONS

    name = fields.Char(string="Number", required=True, readonly=True, copy=False, index=True)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, index=True
    )
    partner_id = fields.Many2one(
        "res.partner", required=True, check_company=True, ondelete="restrict", index=True, tracking=True
    )
    currency_id = fields.Many2one(
        "res.currency", required=True, default=lambda self: self.env.company.currency_id
    )
    date_first = fields.Date(string="From", required=True)
    date_last = fields.Date(
        string="Until", required=True, help="Open documents dated or due in this period are set off."
    )
    state = fields.Selection(
        [
            ("draft", "Proposal"),
            ("sent", "Sent"),
            ("accepted", "Accepted by both"),
            ("settled", "Settled"),
            ("cancelled", "Cancelled"),
        ],
        required=True,
        readonly=True,
        default="draft",
        copy=False,
        index=True,
        tracking=True,
    )
    line_ids = fields.One2many("emsp.netting.line", "netting_id")
    our_line_ids = fields.One2many("emsp.netting.line", "netting_id", domain=[("side", "=", "ours")])
    their_line_ids = fields.One2many("emsp.netting.line", "netting_id", domain=[("side", "=", "theirs")])
    amount_ours = fields.Monetary(string="The partner owes us", compute="_compute_amounts", store=True)
    amount_theirs = fields.Monetary(string="We owe the partner", compute="_compute_amounts", store=True)
    amount_cleared = fields.Monetary(
        string="Set off", compute="_compute_amounts", store=True, help="Cleared on each side."
    )
    amount_balance = fields.Monetary(
        string="Balance", compute="_compute_amounts", store=True, help="Transferred by whoever owes more."
    )
    direction = fields.Selection(
        [("receive", "The partner pays"), ("pay", "We pay"), ("none", "Nobody pays")],
        compute="_compute_amounts",
        store=True,
    )
    date_due = fields.Date(
        string="Balance due on",
        compute="_compute_date_due",
        help="The earliest due date of what the balance is made of.",
    )
    payment_reference = fields.Char(
        string="Payment reference",
        compute="_compute_payment_reference",
        help="Creditor reference (ISO 11649) of the transfer.",
    )
    user_id = fields.Many2one(
        "res.users", string="Sent by", readonly=True, copy=False, help="Learns what becomes of the statement."
    )
    our_acceptance_id = fields.Many2one("res.users", string="Accepted by us", readonly=True, copy=False)
    our_acceptance_at = fields.Datetime(string="Accepted by us at", readonly=True, copy=False)
    their_acceptance_id = fields.Many2one(
        "res.partner", string="Accepted by the partner", readonly=True, copy=False
    )
    their_acceptance_at = fields.Datetime(string="Accepted by the partner at", readonly=True, copy=False)
    their_acceptance_proof = fields.Char(
        string="Proof of acceptance",
        readonly=True,
        copy=False,
        help="Where we wrote down ourselves what the partner said.",
    )
    refusal = fields.Text(string="Refused because", readonly=True, copy=False)
    settled_on = fields.Date(readonly=True, copy=False)
    move_id = fields.Many2one(
        "account.move",
        string="Journal entry",
        readonly=True,
        copy=False,
        check_company=True,
        ondelete="restrict",
    )
    # Of another company, and so without check_company.
    mirror_move_id = fields.Many2one(
        "account.move",
        string="Entry of the other company",
        readonly=True,
        copy=False,
        ondelete="restrict",
        help="Where the partner is a company of this database, its ledger is cleared by the same statement.",
    )
    payment_order_id = fields.Many2one(
        "account.payment.order", readonly=True, copy=False, ondelete="set null", check_company=True
    )

    _dates_in_order = models.Constraint("CHECK (date_last >= date_first)", "A period ends after it starts.")

    @api.depends("line_ids.amount_cleared", "line_ids.amount_open", "line_ids.side")
    def _compute_amounts(self):
        for netting in self:
            digits = netting.currency_id.decimal_places
            sums = {
                side: sum((line._amount("amount_open") for line in lines), ZERO)
                for side, lines in (
                    (side, netting.line_ids.filtered(lambda line, s=side: line.side == s))
                    for side in ("ours", "theirs")
                )
            }
            cleared = sum(
                (line._amount("amount_cleared") for line in netting.line_ids if line.side == "ours"), ZERO
            )
            balance = sums["ours"] - sums["theirs"]
            netting.amount_ours = to_float(sums["ours"])
            netting.amount_theirs = to_float(sums["theirs"])
            # Of the partner's documents the same: what is cleared sums to zero.
            netting.amount_cleared = to_float(cleared)
            netting.amount_balance = abs(from_float(to_float(balance), digits))
            netting.direction = "receive" if balance > 0 else "pay" if balance < 0 else "none"

    @api.depends("line_ids.amount_left", "line_ids.date_due")
    def _compute_date_due(self):
        for netting in self:
            left = netting.line_ids.filtered("amount_left")
            netting.date_due = min(left.mapped("date_due"), default=False)

    @api.depends("name")
    def _compute_payment_reference(self):
        for netting in self:
            # With letters: invoices that have a creditor reference of Odoo's have digits alone.
            text = "".join(char for char in (netting.name or "").upper() if char.isalnum() and char.isascii())
            netting.payment_reference = f"RF{mod_97_10.calc_check_digits(text + 'RF')}{text}" if text else ""

    def _set_off(self):
        """:return: core.netting.SetOff of the lines; its keys are those of the lines."""
        self.ensure_one()
        return set_off(
            OpenItem(
                key=line._key(),
                amount=line._signed("amount_open"),
                due=line.date_due,
                is_credit=line.is_credit,
            )
            for line in self.line_ids
        )

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            vals["name"] = self.env["ir.sequence"].next_by_code("emsp.netting")
            # Items stand in the books under the commercial partner.
            partner = self.env["res.partner"].browse(vals.get("partner_id"))
            vals["partner_id"] = partner.commercial_partner_id.id
        return super().create(vals_list)

    def _check_write(self, vals):
        # EXTENDS emsp.state.mixin
        locked = vals.keys() - EDITABLE
        if locked - DRAFTED or (locked and self.filtered(lambda netting: netting.state != "draft")):
            raise UserError(
                self.env._(
                    "A netting statement is changed by its buttons, and its period while it is a proposal."
                )
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_sent(self):
        for netting in self:
            if netting.state != "draft" or netting.refusal:
                raise UserError(
                    self.env._(
                        "%(netting)s was shown to the partner and stays. Cancel it.", netting=netting.name
                    )
                )

    def _take_rows(self):
        """Of two that act at once, the second one is told that it came too late."""
        self.check_access("write")
        try:
            self.lock_for_update()
        except LockError as error:
            raise UserError(
                self.env._("Somebody else works on this netting statement right now. Load it again.")
            ) from error
        self.invalidate_recordset()

    def _get_contracts_sudo(self):
        """The contracts of both directions that agreed on netting."""
        # sudo: accountants have no rights on contracts, and the clauses are part of what the statement says
        contracts_sudo = self.env["emsp.contract"].sudo()
        return contracts_sudo._netting_contracts(self.company_id, self.partner_id, self.currency_id)

    def _check_agreed(self):
        """:raise UserError: netting is not agreed on in both directions."""
        for netting in self:
            if set(netting._get_contracts_sudo().mapped("partner_role")) != {"emsp", "cpo"}:
                raise UserError(
                    self.env._(
                        "Netting with %(partner)s in %(currency)s is not agreed on: two contracts must say "
                        "so, one by which we bill it and one by which it bills us. %(lacking)s",
                        partner=netting.partner_id.display_name,
                        currency=netting.currency_id.name,
                        lacking=netting._lacking_contracts(),
                    )
                )
