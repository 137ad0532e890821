from odoo import api, fields, models
from odoo.exceptions import UserError

from ..core.lifecycle import CDR_TRANSITIONS
from .messages import attach_text

# What a person may write on a CDR; everything else is a fact as received or set by the life cycle.
EDITABLE = frozenset({"internal_note"})


class EmspCdr(models.Model):
    """A charge detail record: the facts as received, and what they are worth under our contract.

    The payload is stored as received and never rewritten. Users write notes and nothing else; the
    life cycle itself stores through `_store`, which RPC cannot reach.
    """

    _name = "emsp.cdr"
    _description = "CDR"
    _inherit = ["emsp.state.mixin", "emsp.portal.mixin"]
    _check_company_auto = True
    _order = "session_end_at desc, id desc"
    _rec_name = "ocpi_id"
    _transitions = CDR_TRANSITIONS

    state = fields.Selection(
        [
            ("received", "Received"),
            ("quarantine", "Quarantine"),
            ("open", "Open"),
            ("disputed", "Disputed"),
            ("locked", "Locked"),
            ("invoiced", "Invoiced"),
            ("void", "Void"),
        ],
        required=True,
        readonly=True,
        default="received",
        help="Received: waits for its contract or price. Quarantine: held by a finding. Open: the partner "
        "sees it. Locked: billable, nothing changes any more.",
    )
    # No index of its own: that of the key begins with it.
    company_id = fields.Many2one("res.company", required=True)
    connection_id = fields.Many2one(
        "emsp.ocpi.connection", required=True, check_company=True, ondelete="restrict", index=True
    )
    contract_id = fields.Many2one("emsp.contract", check_company=True, index="btree_not_null")
    # Neither related nor readonly: the intake gives it, which spares a second write of every CDR. Its index
    # is that of the partner's totals, which begins with it.
    partner_id = fields.Many2one(
        "res.partner",
        compute="_compute_partner_id",
        store=True,
        readonly=False,
        precompute=True,
    )
    settlement_id = fields.Many2one("emsp.settlement", check_company=True, index="btree_not_null")
    move_id = fields.Many2one("account.move", string="Invoice", index="btree_not_null")

    # the message as received
    ocpi_key = fields.Char(
        string="OCPI key",
        required=True,
        help="Country code, party id and id of the owner, upper-case: compared without case.",
    )
    ocpi_country_code = fields.Char(string="Country code", size=2, required=True)
    ocpi_party_id = fields.Char(string="Party id", size=3, required=True)
    ocpi_id = fields.Char(string="CDR id", required=True)
    ocpi_version = fields.Char(string="OCPI version", required=True)
    payload = fields.Text(required=True, prefetch=False, help="The CDR exactly as received.")
    payload_sha256 = fields.Char(string="SHA-256", required=True, help="Of the payload's bytes as received.")
    chain_index = fields.Integer(
        string="Place in the chain", readonly=True, help="From 1; 0 until the CDR is sealed."
    )
    chain_hash = fields.Char(
        readonly=True, help="Binds this CDR to the one before it in the connection's chain."
    )
    received_at = fields.Datetime(required=True, index=True)
    available_at = fields.Datetime(
        readonly=True, help="When the partner could see it first; its control window starts no earlier."
    )

    # facts read from it
    session_start_at = fields.Datetime(string="Session start", required=True)
    session_end_at = fields.Datetime(string="Session end", required=True, index=True)
    ocpi_session_id = fields.Char(string="Session id", index="btree_not_null")
    token_country_code = fields.Char(string="Token's country", size=2)
    token_party_id = fields.Char(string="Token's party", size=3)
    token_uid = fields.Char(string="Token")
    emaid = fields.Char(string="eMA ID")
    location_name = fields.Char(string="Place")
    location_address = fields.Char(string="Address")
    location_city = fields.Char(string="City")
    location_country = fields.Char(string="Country")
    # No index of its own: that of the neighbours begins with it.
    evse_id = fields.Char(string="EVSE")
    connector_id = fields.Char()
    power_type = fields.Char(string="Power")
    time_zone = fields.Char(help="IANA name; of the CDR's location, else of the connection.")
    energy_kwh = fields.Float(
        string="Energy (kWh)", digits=(16, 4), help="Of a credit negative: it takes its session back."
    )
    duration_s = fields.Integer(string="Duration (s)")
    parking_s = fields.Integer(string="Parking (s)")
    is_credit = fields.Boolean(string="Credit CDR")
    credited_ocpi_id = fields.Char(string="Credits CDR", index="btree_not_null")
    credited_cdr_id = fields.Many2one("emsp.cdr", string="Original", index="btree_not_null")

    # what it is worth
    currency_id = fields.Many2one("res.currency")
    stated_amount = fields.Float(
        digits=(16, 4),
        help="Total cost before tax, as the CDR states it. Evidence; the contract's price is billed.",
    )
    price_grid_id = fields.Many2one("emsp.price.grid", check_company=True)
    priced_by = fields.Char(
        string="Tariff", readonly=True, help="Id of the OCPI tariff: of our price grid, or of the CDR's own."
    )
    amount_untaxed = fields.Float(
        string="Net amount", digits=(16, 4), help="By the contract, rounded once at the contract's precision."
    )
    components = fields.Json(help="The net amount by price component.")
    explanation = fields.Json(prefetch=False, help="How the price was computed, period by period.")
    finding_ids = fields.One2many("emsp.cdr.finding", "cdr_id")
    finding_count = fields.Integer(compute="_compute_finding_count")
    attach_reason = fields.Char(readonly=True)
    attach_message = fields.Char(string="Why it waits", compute="_compute_attach_message")
    is_late = fields.Boolean(help="Came too late for the settlement of its own period.")
    void_reason = fields.Char(readonly=True)
    internal_note = fields.Text()

    _ocpi_key_unique = models.UniqueIndex("(company_id, ocpi_key)")
    _chain_unique = models.UniqueIndex("(connection_id, chain_index) WHERE chain_index > 0")
    _unsealed = models.Index("(connection_id, id) WHERE chain_hash IS NULL")
    _waiting = models.Index("(state) WHERE state IN ('received', 'quarantine')")
    _billable = models.Index("(contract_id, session_end_at) WHERE settlement_id IS NULL AND state = 'open'")

    @api.depends("contract_id.partner_id")
    def _compute_partner_id(self):
        for cdr in self:
            cdr.partner_id = cdr.contract_id.partner_id

    @api.depends("finding_ids")
    def _compute_finding_count(self):
        domain = [("cdr_id", "in", self.ids), ("superseded_at", "=", False)]
        counts = dict(self.env["emsp.cdr.finding"]._read_group(domain, ["cdr_id"], ["__count"]))
        for cdr in self:
            cdr.finding_count = counts.get(cdr, 0)

    @api.depends("attach_reason")
    @api.depends_context("lang")
    def _compute_attach_message(self):
        for cdr in self:
            cdr.attach_message = attach_text(self.env, cdr.attach_reason, cdr._sought_party())

    def _check_write(self, vals):
        if vals.keys() <= EDITABLE:
            return
        locked = self.filtered(lambda cdr: cdr.state in ("locked", "invoiced"))[:1]
        if locked:
            raise UserError(
                self.env._(
                    "CDR %(cdr)s cannot be changed: its control window closed on %(date)s. "
                    "Ask for a credit CDR instead.",
                    cdr=locked.ocpi_id,
                    date=locked.settlement_id._local(locked.settlement_id.lock_at),
                )
            )
        raise UserError(
            self.env._(
                "CDR %(cdr)s is kept as it was received. Release it, void it or ask for a credit CDR.",
                cdr=self[:1].ocpi_id,
            )
        )

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        if self:
            raise UserError(
                self.env._("CDR %(cdr)s cannot be deleted. Void it instead.", cdr=self[0].ocpi_id)
            )

    def action_view_settlement(self):
        self.ensure_one()
        return self.settlement_id.get_formview_action()

    def action_view_findings(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Findings of %(cdr)s", cdr=self.ocpi_id),
            "res_model": "emsp.cdr.finding",
            "view_mode": "list",
            "domain": [("cdr_id", "=", self.id)],
        }

    def _release(self, as_of):
        """Let quarantined CDRs go to the partner; its control window starts then."""
        for cdr in self:
            problem = cdr._release_problem()
            if problem:
                raise UserError(problem)
        return self._update_state("open", available_at=as_of)

    def _release_problem(self):
        """Extension point: why the CDR cannot be released, as text; None when it can."""
        self.ensure_one()
        if self.explanation:
            return None
        return self.env._(
            "CDR %(cdr)s has no price yet: %(reason)s",
            cdr=self.ocpi_id,
            reason=self.finding_ids[:1].message or self.attach_message,
        )

    def _void(self, reason):
        """Give up the claim. What is locked stays: only a credit CDR corrects it."""
        return self._update_state("void", void_reason=reason, settlement_id=False)
