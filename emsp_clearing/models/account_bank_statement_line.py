from odoo import api, fields, models
from odoo.tools import split_every

from ..core.matching import MatchIndex, decide

# Bank lines made at once: what Odoo does for each grows with the number of those made together.
CREATED_AT_ONCE = 200


class AccountBankStatementLine(models.Model):
    """Match payments to what they are for, never by a guess.

    account_reconcile_oca takes a payment whose whole label occurs in an invoice number ("/" and
    "2026" occur in all of them), validates over-payments, and works differently while tests run. Its
    invoice matching is therefore replaced here; its reconcile models and its screen stay.

    Candidates, booking and sentences have files of their own; `core.matching` decides.
    """

    _inherit = "account.bank.statement.line"

    emsp_creditor_reference = fields.Char(
        string="Creditor reference", readonly=True, copy=False, help="ISO 20022: RmtInf/Strd/CdtrRefInf/Ref"
    )
    emsp_end_to_end_id = fields.Char(
        string="End-to-end id", readonly=True, copy=False, help="ISO 20022: Refs/EndToEndId"
    )
    emsp_match_state = fields.Selection(
        [("auto", "Matched by itself"), ("proposed", "Proposed"), ("person", "For a person")],
        string="Matching",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="What the matching did with the line. Proposed: several documents, or one that does not quite "
        "fit. For a person: nothing fits.",
    )
    emsp_match_reason = fields.Char(
        string="Matching reason",
        readonly=True,
        copy=False,
        help="Why the line was matched, or why it is left to a person.",
    )
    emsp_match_candidates = fields.Html(string="What it may be for", readonly=True, copy=False)

    @api.model_create_multi
    def create(self, vals_list):
        """EXTENDS account_reconcile_oca: payers by their bank account, then the matching, in batches."""
        self._complete_partners(vals_list)
        quick = self.with_context(skip_retrieve_partner=True)
        ids = []
        for chunk in split_every(CREATED_AT_ONCE, vals_list, list):
            ids += super(AccountBankStatementLine, quick).create(chunk).ids
        lines = self.browse(ids)
        lines._match_open_lines()
        return lines

    def action_undo_reconciliation(self):
        """EXTENDS account: what was matched by itself and is undone waits for a person."""
        result = super().action_undo_reconciliation()
        self.filtered("emsp_match_state").write({"emsp_match_state": "person", "emsp_match_reason": False})
        return result

    def _auto_reconcile(self):
        """OVERRIDE account_reconcile_oca: its create() calls this, but not while tests run.

        Our create() does the work in either case, so nothing is left to do here.
        """

    def _do_auto_reconcile_invoices(self):
        """OVERRIDE account_reconcile_oca: no invoice is taken or proposed by likeness of its number."""
        return self, self.browse()

    def _match_open_lines(self):
        """Reconcile the lines whose purpose is certain, and record what needs a person.

        What is open is read once for a company, and no line costs more because there are more of them.
        """
        facts = []
        for company, lines in self._lines_to_match().grouped("company_id").items():
            found = lines._match_in_company()
            facts += found if self._has_contracts(company) else []
        self.env["emsp.exception"]._open_all(facts)

    def _lines_to_match(self):
        """The lines that are for the matching; who handles some of them otherwise takes them out."""
        return self._read_at_once().filtered(
            lambda line: not line.is_reconciled and not line.currency_id.is_zero(line.amount)
        )

    @api.model
    def _has_contracts(self, company):
        """Whether the company clears at all: the others of the database need no exception journal."""
        # sudo: an accountant imports bank files without rights on contracts.
        return bool(self.env["emsp.contract"].sudo().search_count([("company_id", "=", company.id)], limit=1))

    def _match_in_company(self):
        """:return: list of the facts (vals of emsp.exception) that a person must know."""
        documents = self._open_documents()
        payments = self._payments()
        decided = []
        paid = self._make_indexes(documents.values())
        credits = self._make_indexes(one for one in documents.values() if one.is_credit_note)
        for is_inbound, lines in self.grouped(lambda line: line.amount > 0).items():
            for line in lines:
                there, opposite = paid[is_inbound], paid[not is_inbound]
                decision = decide(payments[line.id], there, credits[not is_inbound], opposite)
                decided.append((line, decision))
                if decision.kind == "match":
                    for index in (*paid.values(), *credits.values()):
                        self._take(index, documents, decision)
        return self._carry_out(decided, documents)

    @api.model
    def _make_indexes(self, documents):
        """:return: dict True: MatchIndex of what money in pays, False: of what money out pays."""
        documents = list(documents)
        return {
            is_inbound: MatchIndex(one.item for one in documents if one.is_inbound == is_inbound)
            for is_inbound in (True, False)
        }

    @api.model
    def _take(self, index, documents, decision):
        """What a payment of the batch pays is gone for the next one, by itself and as a part of an order."""
        for one in decision.allocations:
            for key in documents[one.key].overlaps:
                if index.open_amount(key):
                    index.take(key, index.open_amount(key))
            if index.open_amount(one.key):
                index.take(one.key, abs(one.amount + one.write_off))

    def _carry_out(self, decided, documents):
        """:param decided: list of (line, Decision). :return: list of facts."""
        sure = [each for each in decided if each[1].kind == "match"]
        booked, refused = self._book_all(sure, documents)
        facts = self._tell_booked(booked, documents)
        open_ones = [each for each in decided if each[1].kind != "match"]
        return facts + self._tell_open(self._apply_rules(open_ones), refused, documents)

    def _apply_rules(self, open_ones):
        """Let the reconcile models of the company book what names no document. :return: what they leave."""
        anonymous = self.browse([line.id for line, decision in open_ones if decision.is_anonymous])
        rules = self.env["account.reconcile.model"]._get_rules(anonymous)
        for line in anonymous.filtered(lambda line: line.id in rules):
            # Its own prefetch: the reconcile screen computes its data for all prefetched lines.
            line.with_prefetch()._do_auto_reconcile(True)
            if line.is_reconciled:
                rule = self.env["account.reconcile.model"].browse(rules[line.id][0])
                line.write(
                    {
                        "emsp_match_state": "auto",
                        "emsp_match_reason": self.env._("The rule %s applies.", rule.name),
                    }
                )
        return [(line, decision) for line, decision in open_ones if not line.is_reconciled]
