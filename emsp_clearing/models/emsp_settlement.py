import pytz

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..core.chain import sorted_list_hash
from ..core.lifecycle import SETTLEMENT_TRANSITIONS

# Exceptions that say why a settlement waits.
BLOCKING_KINDS = ("blocked", "annex_mismatch")


class EmspSettlement(models.Model):
    """One contract, one period: the list of CDRs, its control window and its invoice.

    The list closes to additions at the cut-off, may only shrink until the lock, and is sealed and
    invoiced there.
    """

    _name = "emsp.settlement"
    _description = "Settlement"
    _inherit = ["emsp.state.mixin", "emsp.portal.mixin", "mail.thread", "mail.activity.mixin"]
    _check_company_auto = True
    _order = "period_end desc, id desc"
    _transitions = SETTLEMENT_TRANSITIONS

    name = fields.Char(required=True, readonly=True, copy=False, index=True)
    company_id = fields.Many2one(related="contract_id.company_id", store=True, index=True)
    contract_id = fields.Many2one(
        "emsp.contract", required=True, readonly=True, ondelete="restrict", index=True
    )
    partner_id = fields.Many2one(related="contract_id.partner_id", store=True, index=True)
    currency_id = fields.Many2one(related="contract_id.currency_id", store=True)
    state = fields.Selection(
        [
            ("collecting", "Collecting"),
            ("control", "In control"),
            ("locked", "Locked"),
            ("invoiced", "Invoiced"),
            ("sent", "Sent"),
            ("settled", "Settled"),
        ],
        required=True,
        readonly=True,
        default="collecting",
        index=True,
        tracking=True,
    )
    period_start = fields.Datetime(required=True, readonly=True)
    period_end = fields.Datetime(required=True, readonly=True, help="Not included.")
    date_first = fields.Date(string="From", required=True, readonly=True)
    date_last = fields.Date(string="Until", required=True, readonly=True)
    cut_off_at = fields.Datetime(
        string="List closes",
        required=True,
        readonly=True,
        help="The control window opens; later CDRs go to the next settlement.",
    )
    lock_at = fields.Datetime(
        string="Locks",
        required=True,
        readonly=True,
        index=True,
        help="End of the control window; from then on nothing changes.",
    )
    invoice_date = fields.Date(required=True, readonly=True)

    control_days = fields.Integer(readonly=True)
    price_precision = fields.Selection([("2", "2 decimals"), ("4", "4 decimals")], readonly=True)
    payment_term_id = fields.Many2one("account.payment.term", readonly=True)
    fiscal_position_id = fields.Many2one("account.fiscal.position", readonly=True)
    journal_id = fields.Many2one("account.journal", readonly=True)
    time_zone = fields.Char(readonly=True)

    cdr_ids = fields.One2many("emsp.cdr", "settlement_id", string="CDRs")
    cdr_count = fields.Integer(string="Sessions", readonly=True)
    energy_kwh = fields.Float(string="Energy (kWh)", digits=(16, 4), readonly=True)
    amount_untaxed = fields.Float(string="Net amount", digits=(16, 4), readonly=True)
    list_hash = fields.Char(
        readonly=True,
        index="btree_not_null",
        help="SHA-256 over the list's CDRs and amounts, in order; both sides can compute it.",
    )
    sent_at = fields.Datetime(readonly=True)
    sent_to = fields.Char(readonly=True)
    blocked_reason = fields.Char(
        readonly=True, help="Why the next step could not be done. Cleared when it is done."
    )

    _one_per_period = models.UniqueIndex("(contract_id, period_start)")

    def _check_write(self, vals):
        if vals.keys() & self._facts():
            raise UserError(
                self.env._(
                    "Settlement %(settlement)s follows its calendar; its list and its dates are not edited.",
                    settlement=self[:1].display_name,
                )
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_empty(self):
        used = self.filtered(lambda settlement: settlement.state != "collecting")
        if used:
            raise UserError(
                self.env._(
                    "Settlement %(settlement)s cannot be deleted: its control window has opened.",
                    settlement=used[0].display_name,
                )
            )

    def action_view_cdrs(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("emsp_clearing.emsp_cdr_action")
        return {**action, "domain": self._list_domain(), "context": {}}

    def action_send(self):
        """Send the invoice again, to the same contact."""
        self.check_access("write")
        for settlement in self:
            if settlement.state not in ("invoiced", "sent", "settled"):
                raise UserError(
                    self.env._(
                        "Settlement %(settlement)s has no invoice yet: it locks on %(date)s.",
                        settlement=settlement.display_name,
                        date=settlement._local(settlement.lock_at),
                    )
                )
            # sudo: only the life cycle writes settlements; the right to ask for it was checked above
            settlement.sudo()._enqueue("send", fields.Datetime.now())
        return True

    @api.model
    def _facts(self):
        """Fields that only the life cycle writes."""
        return {name for name, field in self._fields.items() if field.store and field.readonly} - {
            "create_date",
            "create_uid",
            "write_date",
            "write_uid",
        }

    @api.model
    def _contract_terms(self):
        """Fields copied from the contract when the window opens: a later change touches later settlements."""
        return [
            "control_days",
            "price_precision",
            "payment_term_id",
            "fiscal_position_id",
            "journal_id",
            "time_zone",
        ]

    def _list_domain(self):
        """The CDRs of the list; while it is collecting, those that would be on it."""
        self.ensure_one()
        if self.state != "collecting":
            return [("settlement_id", "=", self.id)]
        return self._candidates_domain(self.cut_off_at)

    def _billed_domain(self):
        """Those of the list that count: what is disputed stays on it and leaves its amount."""
        return [*self._list_domain(), ("state", "!=", "disputed")]

    def _candidates_domain(self, available_by):
        """CDRs that fall due: open, not on another list, ended before the period's end, visible in time."""
        self.ensure_one()
        return [
            ("contract_id", "=", self.contract_id.id),
            ("state", "=", "open"),
            ("settlement_id", "=", False),
            ("session_end_at", "<", self.period_end),
            ("available_at", "<=", available_by),
        ]

    def _refresh_totals(self):
        """Count the list afresh: one aggregate for each settlement that still changes."""
        for settlement in self:
            [(count, energy, amount)] = self.env["emsp.cdr"]._read_group(
                settlement._billed_domain(),
                aggregates=["__count", "energy_kwh:sum", "amount_untaxed:sum"],
            )
            settlement._store(
                {"cdr_count": count, "energy_kwh": energy or 0.0, "amount_untaxed": amount or 0.0}
            )

    def _seal(self):
        """The hash over the list as it stands."""
        return sorted_list_hash(self._sealed_rows())

    def _sealed_rows(self):
        """:return: iterator of (key, payload hash, amount as text) of the list's CDRs, by key."""
        self.ensure_one()
        return self.env["emsp.cdr"]._sealed_rows_of([("settlement_id", "=", self.id)])

    def _set_sent(self, at, to):
        """The mail was handed over to SMTP."""
        self._update_state("sent", sent_at=at, sent_to=to, blocked_reason=False)

    def _block(self, reason, kind="blocked"):
        """Park the settlement: the others go on, this one says why it waits.

        :param str kind: of BLOCKING_KINDS.
        """
        self.ensure_one()
        self._store({"blocked_reason": reason})
        self._close_blocks([other for other in BLOCKING_KINDS if other != kind], fields.Datetime.now())
        self.env["emsp.exception"]._open(
            kind,
            f"settlement:{self.id}",
            name=self.env._("%(settlement)s waits: %(reason)s", settlement=self.display_name, reason=reason),
            settlement_id=self.id,
        )

    def _unblock(self, as_of):
        self.filtered("blocked_reason")._store({"blocked_reason": False})
        self._close_blocks(BLOCKING_KINDS, as_of)

    def _close_blocks(self, kinds, as_of):
        keys = [f"settlement:{settlement.id}" for settlement in self]
        self.env["emsp.exception"]._close(kinds, keys, as_of)

    def _zone_name(self):
        """Until the window opens, the contract's own is the one that counts."""
        # sudo: partners may know the zone of their deadlines, and nothing else of the contract
        return self.time_zone or self.sudo().contract_id.time_zone

    def _local(self, instant):
        """An instant (naive UTC) as text in the contract's zone, with its name."""
        zone = pytz.timezone(self._zone_name())
        return pytz.utc.localize(instant).astimezone(zone).strftime("%Y-%m-%d %H:%M %Z")
