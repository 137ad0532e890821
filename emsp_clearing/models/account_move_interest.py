from odoo import fields, models

DIRECT_DEBIT = "sepa_direct_debit"


class AccountMoveInterest(models.Model):
    """The interest that a document was posted with is the one that is claimed."""

    _inherit = "account.move"

    emsp_interest_terms = fields.Json(
        string="Interest terms as posted", copy=False, readonly=True, help="Of the mention that was printed."
    )

    def _post(self, soft=True):
        # EXTENDS account: as the mentions themselves, see _get_legal_notes
        posted = super()._post(soft)
        for move in posted.filtered(lambda move: move._is_clearing_document()):
            move.emsp_interest_terms = move._prepare_interest_terms()
        return posted

    def _prepare_interest_terms(self):
        """:return: {"reference", "points", "floor"} of the sentence that is printed, or False."""
        # sudo: as in _prepare_legal_notes
        mentions = self.env["emsp.legal.mention"].sudo()._of(self.company_id).filtered("active")
        printed = mentions._apply_to(self._get_mention_case()).filtered(
            lambda mention: mention.kind == "late_interest" and mention.interest_reference
        )[:1]
        if not printed:
            return False
        return {
            "reference": printed.interest_reference,
            "points": printed.interest_rate,
            "floor": printed.interest_floor,
        }

    def _is_collected(self):
        """Whether we take the money ourselves, by direct debit."""
        # sudo: who reminds needs no rights on contracts
        contracts = self.sudo().emsp_settlement_ids.contract_id
        by_contract = set(contracts.mapped("payment_way")) == {"debit"}
        return by_contract or self.preferred_payment_method_line_id.code == DIRECT_DEBIT

    def _get_reminder_policies(self, company):
        """:return: dict move -> credit.control.policy: that of the invoice, its contract, the partner, or the
        partner's country."""
        policies = self.env["credit.control.policy"]._get_clearing_policies(company)
        found = {}
        # sudo: as above; and the policy on the invoice is for few
        for move in self.sudo():
            contract, partner = move.emsp_settlement_id.contract_id, move.commercial_partner_id
            chosen = move.credit_policy_id or contract.reminder_policy_id or partner.credit_policy_id
            found[move] = (chosen or policies._choose_for(partner)).with_env(self.env)
        return found

    def _get_reminder_hold(self, day):
        """:return: words about a hold of reminders on the partner or its contract, or ""."""
        # sudo: as above
        move = self.sudo()
        return move.commercial_partner_id._get_reminder_hold(
            day
        ) or move.emsp_settlement_ids.contract_id._get_reminder_hold(day)
