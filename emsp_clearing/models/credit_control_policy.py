from datetime import timedelta

from odoo import api, fields, models

from ..core.interest import Terms
from ..core.money import from_float
from .emsp_interest_rate import REFERENCES


class CreditControlPolicy(models.Model):
    """Reminders of clearing documents, and what the law of a country lets us ask for late payment."""

    _inherit = "credit.control.policy"

    emsp_is_clearing = fields.Boolean(
        string="For clearing documents",
        help="Reminds of the invoices of roaming contracts, on whatever receivable account they are.",
    )
    emsp_country_ids = fields.Many2many(
        "res.country",
        "emsp_credit_control_policy_country_rel",
        string="Partners in",
        help="For contracts that name no policy. Empty: for partners in all other countries.",
    )
    emsp_interest_reference = fields.Selection(
        REFERENCES,
        string="Reference of interest",
        help="Of documents that print no rate. The rate that a document prints is the one that is claimed.",
    )
    emsp_interest_points = fields.Float(string="Points above the reference", digits=(6, 2))
    emsp_interest_floor = fields.Float(
        string="At least, times the French legal rate", digits=(6, 2), help="0: no such floor."
    )
    emsp_indemnity = fields.Float(
        string="Fixed sum for each invoice (EUR)",
        digits=(6, 2),
        help="For recovery costs, once for each invoice.",
    )
    emsp_legal_basis = fields.Char(string="Legal basis of the claim", translate=True)

    @api.model
    def _get_clearing_policies(self, company):
        return self.search([("emsp_is_clearing", "=", True), ("company_id", "in", (False, company.id))])

    def _choose_for(self, partner):
        """Of these, the one for the partner's country."""
        country = partner.commercial_partner_id.country_id
        named = self.filtered(lambda policy: country and country in policy.emsp_country_ids)
        return (named or self.filtered(lambda policy: not policy.emsp_country_ids))[:1]

    def _get_interest_terms(self, printed, rates):
        """:param printed: `emsp_interest_terms` of a document, or False. :param rates: emsp.interest.rate.

        :return: core.interest.Terms.
        """
        own = {
            "reference": self.emsp_interest_reference,
            "points": self.emsp_interest_points,
            "floor": self.emsp_interest_floor,
        }
        chosen = printed or own
        return Terms(
            rates[chosen["reference"]],
            from_float(chosen["points"], 2),
            rates["fr_legal"],
            from_float(chosen["floor"], 2),
        )

    def _move_lines_domain(self, credit_control_run):
        # EXTENDS account_credit_control: any receivable account; and a notice comes before the due date
        domain = super()._move_lines_domain(credit_control_run)
        if not self.emsp_is_clearing:
            return domain
        ahead = max(0, -min(self.level_ids.mapped("delay_days"), default=0))
        own = {
            "account_id": ("account_id.account_type", "=", "asset_receivable"),
            "date_maturity": ("date_maturity", "<=", credit_control_run.date + timedelta(days=ahead)),
        }
        return [own.get(term[0], term) for term in domain]

    def _get_move_lines_to_process(self, credit_control_run):
        # EXTENDS account_credit_control: clearing documents have the policy of their contract
        lines = super()._get_move_lines_to_process(credit_control_run)
        domain = [
            *self._move_lines_domain(credit_control_run),
            ("move_id.emsp_settlement_id", "!=", False),
            ("move_id.move_type", "=", "out_invoice"),
        ]
        clearing = lines.search(domain)
        policies = clearing.move_id._get_reminder_policies(credit_control_run.company_id)
        own = clearing.filtered(lambda line: policies[line.move_id] == self)
        return lines.filtered(lambda line: not line.move_id.emsp_settlement_id) | own

    def check_policy_against_account(self, account):
        # EXTENDS account_credit_control
        return self.emsp_is_clearing or super().check_policy_against_account(account)


class CreditControlPolicyLevel(models.Model):
    _inherit = "credit.control.policy.level"

    emsp_claims_interest = fields.Boolean(
        string="Asks for interest", help="Names late interest and the fixed sum for recovery costs."
    )

    def _get_level_move_lines(self, controlling_date, lines):
        # EXTENDS account_credit_control: a notice before the due date is not made up for afterwards; who
        # had none begins with the first reminder. Its SQL reads what was written in this transaction, too.
        self.env["credit.control.line"].flush_model()
        found = super()._get_level_move_lines(controlling_date, lines)
        if not self.policy_id.emsp_is_clearing:
            return found
        if self.delay_days < 0:
            return found.filtered(lambda line: line.date_maturity >= controlling_date)
        previous = self._previous_level()
        if not previous or previous.delay_days >= 0 or self.computation_mode != "net_days":
            return found
        last_due = controlling_date - timedelta(days=self.delay_days)
        return found | lines._without_reminder().filtered(lambda line: line.date_maturity <= last_due)
