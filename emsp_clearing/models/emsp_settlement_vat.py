import pytz

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_amount, format_date

from ..core import vat
from .emsp_contract_vat import BY_ODOO, OWN_DECISION, country_of
from .emsp_vat_rule import CATEGORIES, REGIMES


class EmspSettlementVat(models.Model):
    """The VAT of a settlement: decided when its window opens, again at the lock and before the invoice.

    Once it is invoiced the decision stays, with its inputs, the rule as it was, and the words.
    """

    _inherit = "emsp.settlement"

    vat_decided_by = fields.Selection(
        [
            ("rules", "The VAT rules"),
            (OWN_DECISION, "The accountant"),
            (BY_ODOO, "Odoo's fiscal position (no rule for the seller's country)"),
        ],
        string="VAT decided by",
        readonly=True,
    )
    vat_regime = fields.Selection(REGIMES, string="VAT regime", readonly=True)
    vat_category = fields.Selection(CATEGORIES, string="E-invoice category", readonly=True)
    vat_exemption_code = fields.Char(string="Exemption code", readonly=True)
    vat_place = fields.Char(string="Place of supply", readonly=True)
    vat_liable = fields.Selection(
        [("seller", "The seller"), ("buyer", "The buyer"), ("nobody", "Nobody")],
        string="Who owes the VAT",
        readonly=True,
    )
    vat_rule_id = fields.Many2one("emsp.vat.rule", string="VAT rule", readonly=True, ondelete="set null")
    vat_rule_name = fields.Char(string="Rule as it was", readonly=True)
    vat_legal_basis = fields.Char(string="Legal basis, as printed", readonly=True)
    vat_position_id = fields.Many2one(
        "account.fiscal.position", string="Fiscal position used", readonly=True, ondelete="restrict"
    )
    vat_obstacles = fields.Text(string="To be mended first", readonly=True)
    vat_warnings = fields.Text(string="To know", readonly=True)
    vat_inputs = fields.Json(string="Facts it was decided on", readonly=True)
    vat_inputs_text = fields.Text(string="Decided on these facts", compute="_compute_vat_inputs_text")
    vat_override = fields.Char(string="Accountant's decision", readonly=True)
    vat_decided_at = fields.Datetime(string="VAT decided at", readonly=True)
    vat_late_count = fields.Integer(
        string="Sessions after the 15th",
        readonly=True,
        help="Under reverse charge and invoiced later than on the 15th of the month after the session.",
    )
    vat_late_amount = fields.Float(string="Amount after the 15th", digits=(16, 4), readonly=True)

    @api.depends("vat_inputs")
    def _compute_vat_inputs_text(self):
        for settlement in self:
            settlement.vat_inputs_text = "\n".join(
                f"{label}: {value}" for label, value in settlement._vat_input_lines()
            )

    def _vat_input_lines(self):
        """:return: [(label, value)] of the facts, as a person reads them."""
        inputs = self.vat_inputs or {}
        answers = {"yes": self.env._("yes"), "no": self.env._("no"), "": self.env._("not said")}
        vies = {"valid": self.env._("valid"), "invalid": self.env._("not valid")}
        proofs = dict(self.env["res.partner"]._fields["emsp_dealer_proof"]._description_selection(self.env))
        models_ = dict(self.env["emsp.contract"]._fields["supply_model"]._description_selection(self.env))
        lines = [
            (self.env._("Seller"), _joined(inputs.get("seller_country"), inputs.get("seller_vat"))),
            (self.env._("Seller is a dealer"), answers.get(inputs.get("seller_dealer"))),
            (self.env._("Buyer"), _joined(inputs.get("buyer_country"), inputs.get("buyer_vat"))),
            (self.env._("Buyer is a dealer"), answers.get(inputs.get("buyer_dealer"))),
            (
                self.env._("Its proof"),
                _joined(
                    proofs.get(inputs.get("dealer_proof")),
                    inputs.get("dealer_document"),
                    inputs.get("dealer_until"),
                ),
            ),
            (
                self.env._("VIES says"),
                _joined(vies.get(inputs.get("vies")) or self.env._("not asked"), inputs.get("vies_at")),
            ),
            (self.env._("Chargers stand in"), ", ".join(inputs.get("chargers") or ())),
            (self.env._("Contract"), models_.get(inputs.get("supply_model"))),
            (
                self.env._("Supplied"),
                " – ".join(filter(None, (inputs.get("supplied_from"), inputs.get("supplied_until")))),
            ),
        ]
        return [(label, value) for label, value in lines if value] if inputs else []

    def action_decide_vat(self):
        """Decide again, after something was mended."""
        self.check_access("write")
        # sudo: only the life cycle writes settlements; the right to ask for it was checked above
        for settlement in self.sudo().filtered(lambda s: s.state in ("control", "locked")):
            settlement._decide_vat(fields.Datetime.now())
        return True

    def action_view_vat_late(self):
        """The sessions that are invoiced after the 15th, for the tax adviser."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("emsp_clearing.emsp_cdr_action")
        return {
            **action,
            "name": self.env._("Invoiced after the 15th"),
            "domain": self._vat_late_domain(),
            "context": {},
        }

    def _close_list(self):
        # EXTENDS emsp_clearing: what is missing is told while there is time to get it
        closed = super()._close_list()
        if self.state == "control" and self.cdr_count:
            self._decide_vat(self.cut_off_at)
        return closed

    def _prepare_invoicing(self, as_of):
        # EXTENDS emsp_clearing
        for settlement in self.filtered("cdr_count"):
            settlement._decide_vat(as_of)
        return super()._prepare_invoicing(as_of)

    def _check_invoiceable(self):
        # EXTENDS emsp_clearing
        checked = super()._check_invoiceable()
        if not self.vat_decided_at:
            self._decide_vat(self.lock_at)
        if self.vat_obstacles:
            raise UserError(
                self.env._(
                    "VAT is not decided: %(reasons)s", reasons=" ".join(self.vat_obstacles.split("\n"))
                )
            )
        return checked

    def _get_fiscal_position(self, partner):
        # EXTENDS emsp_clearing: the decided one; without a rule or against the rules, the usual way
        if self.vat_decided_by == "rules":
            return self.vat_position_id
        return super()._get_fiscal_position(partner)

    def _decide_vat(self, as_of):
        """Decide on the VAT of the list as it stands, and store all of it.

        :param as_of: naive UTC, when it is decided.
        """
        self.ensure_one()
        contract = self.contract_id
        if contract.partner_role != "emsp":
            return
        # Sentences are stored, so they are in one language: the company's.
        contract = contract.with_context(lang=self.company_id.partner_id.lang or self.env.lang)
        places, first, last = self._vat_supply()
        verdict = contract._vat_verdict(places, first, last)
        vals = self._prepare_vat_vals(contract, verdict)
        late_count, late_amount = self._count_vat_late(verdict)
        if late_count:
            verdict.warnings.append(self._vat_late_text(contract.env, late_count, late_amount))
        self._store(
            {
                **vals,
                "vat_warnings": "\n".join(verdict.warnings) or False,
                "vat_late_count": late_count,
                "vat_late_amount": late_amount,
                "vat_decided_at": as_of,
            }
        )
        self._tell_vat(as_of)

    def _prepare_vat_vals(self, contract, verdict):
        decision, rule = verdict.decision, verdict.rule
        by_rules = verdict.decided_by == "rules"
        language = self._invoice_partner().lang
        return {
            "vat_decided_by": verdict.decided_by,
            "vat_regime": by_rules and decision.regime,
            "vat_category": by_rules and decision.category,
            "vat_exemption_code": by_rules and decision.vatex,
            "vat_place": by_rules and decision.place,
            "vat_liable": by_rules and decision.liable,
            "vat_rule_id": by_rules and rule.id,
            "vat_rule_name": by_rules and rule.name,
            "vat_legal_basis": by_rules and rule.with_context(lang=language).legal_basis,
            "vat_position_id": verdict.position.id,
            # The contract's, as it is now: what was refused is mended there.
            "fiscal_position_id": contract.fiscal_position_id.id,
            "vat_obstacles": "\n".join(verdict.obstacles) or False,
            "vat_inputs": verdict.inputs,
            "vat_override": verdict.decided_by == OWN_DECISION and self._vat_override_text(contract),
        }

    def _vat_override_text(self, contract):
        return contract.env._(
            "%(user)s, %(date)s: %(reason)s",
            user=contract.vat_override_by_id.name,
            date=contract.vat_override_at and format_date(contract.env, contract.vat_override_at),
            reason=contract.vat_override_reason,
        )

    def _vat_supply(self):
        """:return: (countries of the chargers, first and last local day) of what the list bills."""
        groups = self.env["emsp.cdr"]._read_group(
            [("settlement_id", "=", self.id)],
            ["location_country"],
            ["session_end_at:min", "session_end_at:max"],
        )
        if not groups:
            return frozenset({""}), self.date_first, self.date_last
        zone = pytz.timezone(self._zone_name())
        first = min(start for __, start, __ in groups)
        last = max(end for __, __, end in groups)
        days = [pytz.utc.localize(instant).astimezone(zone).date() for instant in (first, last)]
        return frozenset(country_of(name) for name, __, __ in groups), *days

    def _vat_late_domain(self):
        """Sessions of the list whose month was to be invoiced by a 15th before the invoice date."""
        return [
            ("settlement_id", "=", self.id),
            # A credit corrects what was invoiced in time.
            ("is_credit", "=", False),
            ("session_end_at", "<", self._vat_late_end()),
        ]

    def _vat_late_end(self):
        """:return: naive UTC instant; sessions that ended before it are invoiced too late."""
        oldest = vat.oldest_in_time(self.invoice_date)
        # sudo: only the contract's time zone is read
        return self.contract_id.sudo()._midnight(oldest)

    def _count_vat_late(self, verdict):
        """:return: (number, net amount) of the sessions invoiced too late; nothing without a limit."""
        if not verdict.decision.by_15th:
            return 0, 0.0
        [(count, amount)] = self.env["emsp.cdr"]._read_group(
            self._vat_late_domain(), aggregates=["__count", "amount_untaxed:sum"]
        )
        return count, amount or 0.0

    def _vat_late_text(self, env, count, amount):
        return env._(
            "%(count)s sessions for %(amount)s are invoiced on %(date)s, after the 15th of the month that "
            "follows them (Directive 2006/112/EC, article 222).",
            count=count,
            amount=format_amount(env, amount, self.currency_id),
            date=format_date(env, self.invoice_date),
        )

    def _tell_vat(self, as_of):
        """Keep the exception journal in step: what is undecided, and what is late."""
        journal = self.env["emsp.exception"]
        env = journal._in_language_of(self.company_id).env
        # Once the list is locked, the settlement itself is blocked and says so.
        if self.vat_obstacles and self.state == "control":
            journal._open(
                "vat_undecided",
                f"settlement:{self.id}",
                name=env._(
                    "%(settlement)s of %(partner)s: %(reasons)s",
                    settlement=self.name,
                    partner=self.partner_id.name,
                    reasons=" ".join(self.vat_obstacles.split("\n")),
                ),
                suggestion=env._("Mend it before the lock, or the settlement is not invoiced."),
                settlement_id=self.id,
                severity="warning",
            )
        else:
            journal._close("vat_undecided", f"settlement:{self.id}", as_of)
        if self.vat_late_count:
            journal._open(
                "vat_late",
                f"settlement:{self.id}",
                name=f"{self.name}: {self._vat_late_text(env, self.vat_late_count, self.vat_late_amount)}",
                suggestion=env._("Give the list of these sessions to the tax adviser, then close this."),
                settlement_id=self.id,
                amount=self.vat_late_amount,
                severity="warning",
            )
        else:
            journal._close("vat_late", f"settlement:{self.id}", as_of)


def _joined(*parts):
    return ", ".join(str(part) for part in parts if part)
