from datetime import UTC

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..core.dispute import CLOSED_STATES, DISPUTE_TRANSITIONS, OPEN_STATES, OPENER, OWNER, TURN

# What people may write on a dispute past its life cycle.
EDITABLE = frozenset({"user_id", "message_follower_ids", "message_ids", "activity_ids", "access_token"})


class EmspDispute(models.Model):
    """One party says of one session that it is not to be billed as it is.

    The CDR stays as it was received; the dispute stands beside it, and keeps it out of every invoice until
    it is decided. Received: an eMSP disputes a session at our chargers. Raised: we, as the eMSP, dispute a
    session of a CPO. The conversation of both sides is the thread of the record.
    """

    _name = "emsp.dispute"
    _description = "Dispute"
    _inherit = [
        "emsp.state.mixin",
        "emsp.portal.mixin",
        "portal.mixin",
        "mail.thread",
        "mail.activity.mixin",
    ]
    _check_company_auto = True
    _order = "due_at, id"
    _transitions = DISPUTE_TRANSITIONS

    name = fields.Char(string="Number", required=True, readonly=True, copy=False, index=True)
    cdr_id = fields.Many2one(
        "emsp.cdr",
        string="CDR",
        required=True,
        readonly=True,
        check_company=True,
        ondelete="restrict",
        index=True,
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    contract_id = fields.Many2one(
        "emsp.contract", required=True, readonly=True, ondelete="restrict", index=True
    )
    partner_id = fields.Many2one("res.partner", required=True, readonly=True, index=True)
    settlement_id = fields.Many2one(
        "emsp.settlement",
        readonly=True,
        index="btree_not_null",
        help="That listed the CDR when it was opened.",
    )
    direction = fields.Selection(
        [("received", "By the partner"), ("raised", "By us")],
        string="Raised",
        required=True,
        readonly=True,
        help="By the partner: it is to pay for the session. By us: the partner is a CPO whose session we "
        "are to pay for.",
    )
    state = fields.Selection(
        [
            ("opened", "To answer"),
            ("asked", "Information asked for"),
            ("rejected", "Rejected, reaction due"),
            ("contested", "Contested again"),
            ("upheld", "Accepted, voided"),
            ("corrected", "Accepted, corrected"),
            ("dismissed", "Dismissed, billable"),
            ("withdrawn", "Withdrawn"),
        ],
        required=True,
        readonly=True,
        default="opened",
        index=True,
        tracking=True,
    )
    is_open = fields.Boolean(compute="_compute_turn", store=True, index=True)
    turn = fields.Selection(
        [("us", "Us"), ("partner", "The partner")],
        string="Whose turn",
        compute="_compute_turn",
        store=True,
        help="Who must act next. Silence decides against whoever that is.",
    )
    reason = fields.Selection(
        [
            ("price", "Wrong price"),
            ("energy", "Wrong energy"),
            ("duration", "Wrong duration"),
            ("token", "Unknown token"),
            ("duplicate", "Duplicate"),
            ("not_happened", "Session did not happen"),
            ("other", "Other"),
        ],
        required=True,
        readonly=True,
    )
    explanation = fields.Text(string="Explained by", readonly=True, help="What the opener says about it.")
    reference = fields.Char(
        string="Opener's reference", readonly=True, help="A case of the opener's own system."
    )
    has_own_amount = fields.Boolean(readonly=True)
    own_amount = fields.Float(
        string="Amount by the opener", digits=(16, 4), readonly=True, help="Net. What the opener would pay."
    )
    disputed_amount = fields.Float(
        digits=(16, 4), readonly=True, help="Net. What the session was to cost when it was disputed."
    )
    agreed_amount = fields.Float(digits=(16, 4), readonly=True, help="Net. What both sides settled for.")
    currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    source = fields.Selection(
        [
            ("portal", "Portal"),
            ("sheet", "Spreadsheet"),
            ("api", "API"),
            ("office", "Back office"),
        ],
        string="Raised through",
        required=True,
        readonly=True,
        default="office",
    )
    opened_at = fields.Datetime(required=True, readonly=True)
    opened_by_id = fields.Many2one("res.partner", string="Opened by", readonly=True)
    since = fields.Datetime(string="In this state since", required=True, readonly=True)
    due_at = fields.Datetime(
        string="Act by", readonly=True, index=True, help="Until when whoever must act has time."
    )
    end_at = fields.Datetime(
        string="Ends", required=True, readonly=True, help="By then, silence decides against whoever must act."
    )
    answer = fields.Text(readonly=True, tracking=True, help="Why it was decided so; both sides read it.")
    answered_at = fields.Datetime(string="First answer", readonly=True)
    closed_at = fields.Datetime(readonly=True)
    closed_by_id = fields.Many2one("res.users", string="Decided by", readonly=True)
    is_by_silence = fields.Boolean(string="Decided by silence", readonly=True)
    credit_cdr_id = fields.Many2one("emsp.cdr", string="Credit CDR", readonly=True, index="btree_not_null")
    new_cdr_id = fields.Many2one("emsp.cdr", string="New CDR", readonly=True, index="btree_not_null")
    user_id = fields.Many2one("res.users", string="Responsible", tracking=True, index="btree_not_null")

    # the session, as lists show it
    ocpi_id = fields.Char(related="cdr_id.ocpi_id", string="CDR id")
    session_end_at = fields.Datetime(related="cdr_id.session_end_at")
    location_name = fields.Char(related="cdr_id.location_name")
    energy_kwh = fields.Float(related="cdr_id.energy_kwh", aggregator=None)
    cdr_state = fields.Selection(related="cdr_id.state", string="State of the CDR")
    explanation_html = fields.Html(related="cdr_id.explanation_html", sanitize=False)
    payload = fields.Text(related="cdr_id.payload")
    finding_ids = fields.One2many(related="cdr_id.finding_ids")

    _one_open = models.UniqueIndex(
        "(cdr_id) WHERE is_open", "This session is disputed already: there is one open dispute per CDR."
    )

    @api.depends("state", "direction")
    def _compute_turn(self):
        for dispute in self:
            dispute.is_open = dispute.state in OPEN_STATES
            actor = TURN.get(dispute.state)
            dispute.turn = actor and ("us" if dispute._is_ours(actor) else "partner")

    def _is_ours(self, actor):
        """Whether a party of the dispute (core.dispute) is we."""
        self.ensure_one()
        return actor == (OWNER if self.direction == "received" else OPENER)

    @api.depends("name", "cdr_id.ocpi_id")
    def _compute_display_name(self):
        for dispute in self:
            dispute.display_name = f"{dispute.name} ({dispute.cdr_id.ocpi_id})"

    def _compute_access_url(self):
        result = super()._compute_access_url()
        for dispute in self:
            dispute.access_url = f"/my/disputes/{dispute.id}"
        return result

    def _check_write(self, vals):
        if not vals.keys() <= EDITABLE:
            raise UserError(
                self.env._(
                    "Dispute %(dispute)s follows its course: answer it with the buttons.",
                    dispute=self[:1].name,
                )
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("A dispute is kept: both sides have seen it. Close it instead."))

    def action_view_cdr(self):
        self.ensure_one()
        return self.cdr_id.get_formview_action()

    def action_view_partner_disputes(self):
        """What this partner disputed before, and how it ended."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("emsp_clearing.emsp_dispute_action")
        domain = [("partner_id", "=", self.partner_id.id), ("id", "!=", self.id)]
        name = self.env._("Disputes of %(partner)s", partner=self.partner_id.name)
        return {**action, "name": name, "display_name": name, "domain": domain, "context": {}}

    def _is_closed(self):
        self.ensure_one()
        return self.state in CLOSED_STATES


def aware(instant):
    """A stored instant as core counts it."""
    return instant.replace(tzinfo=UTC)
