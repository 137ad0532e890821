import psycopg2.errors

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError, UserError

from .dialogs import dialog

# The others are errors.
WARNINGS = ("unmatched", "gap", "late", "cdr_conflict", "cdr_missing")


class EmspException(models.Model):
    """A fact about money, documents or CDRs that waits for a person; the journal of them is one screen.

    While it is open, a fact is there once, whoever reports it and however often: `kind` and `fact_key`
    name it ("account.move:12"). It closes by itself when the fact is gone, or by a person with a reason.
    """

    _name = "emsp.exception"
    _description = "Clearing exception"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _check_company_auto = True
    _order = "state desc, date desc, id desc"

    name = fields.Char(string="What", required=True, readonly=True)
    suggestion = fields.Char(string="What to do", readonly=True)
    kind = fields.Selection(
        [
            ("gap", "Short payment"),
            ("late", "Late payment"),
            ("unmatched", "Unmatched payment"),
            ("returned", "Returned payment"),
            ("sending_failed", "Sending failed"),
            ("annex_mismatch", "Annex differs"),
            ("cdr_missing", "CDR missing"),
            ("cdr_conflict", "CDR changed"),
            ("push_failed", "Partner not told"),
            ("blocked", "Settlement blocked"),
        ],
        required=True,
        readonly=True,
        index=True,
    )
    severity = fields.Selection(
        [("note", "Note"), ("warning", "Warning"), ("error", "Error")],
        required=True,
        readonly=True,
        default="error",
    )
    fact_key = fields.Char(required=True, readonly=True, copy=False)
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, default=lambda self: self.env.company, index=True
    )
    partner_id = fields.Many2one("res.partner", readonly=True, check_company=True, index="btree_not_null")
    contract_id = fields.Many2one("emsp.contract", readonly=True, check_company=True)
    settlement_id = fields.Many2one(
        "emsp.settlement", readonly=True, check_company=True, index="btree_not_null"
    )
    move_id = fields.Many2one(
        "account.move",
        string="Invoice",
        readonly=True,
        check_company=True,
        ondelete="cascade",
        index="btree_not_null",
    )
    statement_line_id = fields.Many2one(
        "account.bank.statement.line",
        string="Bank line",
        readonly=True,
        check_company=True,
        ondelete="cascade",
        index="btree_not_null",
    )
    currency_id = fields.Many2one(
        "res.currency", required=True, readonly=True, default=lambda self: self.env.company.currency_id
    )
    amount = fields.Monetary(readonly=True, help="What is at stake: open, missing or not allocated.")
    date = fields.Date(
        string="Since",
        required=True,
        readonly=True,
        default=fields.Date.context_today,
        help="Due date, booking date, or the day the fact was met.",
    )
    opened_at = fields.Datetime(string="Met at", required=True, readonly=True, default=fields.Datetime.now)
    user_id = fields.Many2one("res.users", string="Owner", tracking=True, index="btree_not_null")
    state = fields.Selection(
        [("open", "Open"), ("closed", "Closed")],
        compute="_compute_state",
        store=True,
        index=True,
        tracking=True,
    )
    closed_at = fields.Datetime(compute="_compute_state", store=True)
    close_reason = fields.Char(tracking=True, help="Why a person closed it. Empty: the fact is gone.")

    _open_once = models.UniqueIndex("(kind, fact_key) WHERE state = 'open'")

    @api.depends("move_id.amount_residual", "move_id.state", "statement_line_id.is_reconciled")
    def _compute_state(self):
        """Follow the books, by whatever way they change; what is closed stays closed."""
        for exception in self:
            if exception.state == "closed":
                exception.state, exception.closed_at = "closed", exception.closed_at
            elif exception._is_settled():
                exception.state, exception.closed_at = "closed", fields.Datetime.now()
            else:
                exception.state, exception.closed_at = "open", False

    def _is_settled(self):
        """Whether the books no longer show the fact. What they do not tell of is closed by who opened it."""
        self.ensure_one()
        if self.kind in ("gap", "late"):
            return self.move_id.state != "posted" or self.currency_id.is_zero(self.move_id.amount_residual)
        return self.kind == "unmatched" and self.statement_line_id.is_reconciled

    def action_open_move(self):
        self.ensure_one()
        return self.move_id.get_formview_action()

    def action_open_statement_line(self):
        """The bank line in the reconcile screen."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account_reconcile_oca.action_bank_statement_line_reconcile_all"
        )
        return {
            **action,
            "name": self.env._("Bank line"),
            "domain": [("id", "=", self.statement_line_id.id)],
            "context": {"view_ref": "account_reconcile_oca.bank_statement_line_form_reconcile_view"},
        }

    def action_match_again(self):
        """Try the payment again: its invoice may have been posted after the bank file came."""
        self.statement_line_id._match_open_lines()
        return True

    def action_ask_close(self):
        """A dialog that asks for the reason."""
        self.ensure_one()
        view = self.env.ref("emsp_clearing.emsp_exception_view_form_close")
        return dialog(self, self.env._("Close the exception"), view.id)

    def action_close(self):
        for exception in self:
            if not (exception.close_reason or "").strip():
                raise UserError(
                    self.env._(
                        "Write why you close “%(exception)s”: the fact is still there.",
                        exception=exception.name,
                    )
                )
        self._set_closed(fields.Datetime.now())
        return {"type": "ir.actions.act_window_close"}

    def _set_closed(self, as_of):
        """:param as_of: naive UTC."""
        self.filtered(lambda exception: exception.state == "open").write(
            {"state": "closed", "closed_at": as_of}
        )

    @api.model
    def _open(self, kind, fact_key, **vals):
        """Record one fact; see `_open_all`."""
        return self._open_all([{"kind": kind, "fact_key": fact_key, **vals}])

    @api.model
    def _close(self, kind, fact_key, as_of):
        """Close the fact if it is open; as_of is naive UTC. Kinds and keys may also be lists of them."""
        kinds = [kind] if isinstance(kind, str) else [*kind]
        keys = [fact_key] if isinstance(fact_key, str) else [*fact_key]
        # sudo: a fact ends whoever ends it; rights on the journal are for people who read and close.
        self.sudo().search(
            [("kind", "in", kinds), ("fact_key", "in", keys), ("state", "=", "open")]
        )._set_closed(as_of)

    @api.model
    def _open_all(self, facts):
        """Record facts; one that is open already is brought up to date, never doubled.

        One search and one create for the batch. Company, partner, contract, currency and owner come
        from the linked settlement, invoice or bank line unless the fact names them.

        :param facts: list of vals with `kind`, `fact_key`, `name`; the rest optional.
        :return: the open exceptions of these facts.
        :raise ConcurrencyError: when another transaction opens the same fact at this moment; the
            framework then runs the request again and finds it.
        """
        # sudo: facts are recorded whoever meets them (cron, bank import, OCPI); see _close.
        journal = self.sudo()
        by_key = {(fact["kind"], fact["fact_key"]): fact for fact in facts}
        known = {
            (exception.kind, exception.fact_key): exception
            for exception in journal.search(
                [("fact_key", "in", [key for __, key in by_key]), ("state", "=", "open")]
            )
        }
        for key, fact in by_key.items():
            if key in known:
                known[key]._refresh_fact(fact)
        new = [fact for key, fact in by_key.items() if key not in known]
        found = journal.browse([known[key].id for key in by_key if key in known])
        return self.browse((found | journal._create_facts(new)).ids)

    def _create_facts(self, facts):
        # The chatter of a new exception would only repeat its name.
        quiet = self.with_context(tracking_disable=True, mail_create_nolog=True, mail_create_nosubscribe=True)
        try:
            with self.env.cr.savepoint():
                return quiet.create(quiet._complete_facts(facts))
        except psycopg2.errors.UniqueViolation as error:
            raise ConcurrencyError("A clearing exception was opened by two transactions at once") from error

    def _refresh_fact(self, fact):
        """Write what differs, so that a daily run over old facts writes nothing."""
        vals = {}
        for name, value in fact.items():
            convert = self._fields[name].convert_to_cache
            if name != "opened_at" and convert(value, self) != convert(self[name], self):
                vals[name] = value
        if vals:
            self.write(vals)

    @api.model
    def _complete_facts(self, facts):
        """Fill in what the linked records know."""
        moves = self.env["account.move"].browse([fact["move_id"] for fact in facts if fact.get("move_id")])
        lines = self.env["account.bank.statement.line"].browse(
            [fact["statement_line_id"] for fact in facts if fact.get("statement_line_id")]
        )
        settlements = self.env["emsp.settlement"]
        severities = self._severity_by_kind()
        completed = []
        for fact in facts:
            move = moves.browse(fact.get("move_id") or ()).with_prefetch(moves.ids)
            line = lines.browse(fact.get("statement_line_id") or ()).with_prefetch(lines.ids)
            settlement = settlements.browse(fact.get("settlement_id") or ()) or move.emsp_settlement_id
            defaults = self._prepare_linked_vals(settlement, move, line)
            defaults["severity"] = severities.get(fact["kind"])
            defaults["suggestion"] = self._in_language_of(settlement.company_id)._usual_remedy(fact["kind"])
            if fact.get("opened_at"):
                defaults["date"] = fact["opened_at"].date()
            completed.append({**{name: value for name, value in defaults.items() if value}, **fact})
        return completed

    @api.model
    def _prepare_linked_vals(self, settlement, move, line):
        contract = settlement.contract_id
        return {
            "company_id": (settlement or move or line).company_id.id,
            "partner_id": (contract.partner_id or move.commercial_partner_id or line.partner_id).id,
            "contract_id": contract.id,
            "settlement_id": settlement.id,
            "currency_id": (move or line or settlement).currency_id.id,
            "user_id": contract.user_id.id,
        }

    @api.model
    def _severity_by_kind(self):
        """Extension point: dict kind -> severity of a fact that does not say so; an error if not named."""
        return dict.fromkeys(WARNINGS, "warning")

    @api.model
    def _usual_remedy(self, kind):
        """Extension point: what to do about a fact that brings no advice of its own, or None."""
        texts = {
            "sending_failed": self.env._("Check the invoicing contact's e-mail address, then send again."),
            "blocked": self.env._("Remove the cause. The next run takes the settlement up again."),
            "cdr_conflict": self.env._(
                "Ask the sender which one is right. A stored CDR is corrected by a credit CDR and a new one."
            ),
            "push_failed": self.env._(
                "Open OCPI > Outbox, remove the cause that is told there, and repeat what was not sent."
            ),
            "annex_mismatch": self.env._("Compare the annex with the invoice before anything is sent."),
        }
        return texts.get(kind)

    @api.model
    def _in_language_of(self, company):
        """Sentences of the journal are stored, and so written in one language: the company's."""
        return self.with_context(lang=company.partner_id.lang or self.env.lang)
