from odoo import api, models
from odoo.fields import Domain


class EmspNettingPortal(models.Model):
    """A statement as the partner meets it."""

    _inherit = "emsp.netting"

    @api.model
    def _get_portal_fields(self):
        return [
            *super()._get_portal_fields(),
            "name",
            "partner_id",
            "currency_id",
            "date_first",
            "date_last",
            "state",
            "line_ids",
            "amount_ours",
            "amount_theirs",
            "amount_cleared",
            "amount_balance",
            "direction",
            "date_due",
            "payment_reference",
            "our_acceptance_at",
            "their_acceptance_at",
            "settled_on",
        ]

    def _compute_access_url(self):
        result = super()._compute_access_url()
        for netting in self:
            netting.access_url = f"/my/netting/{netting.id}"
        return result

    @api.model
    def _waiting_domain(self):
        """Of the statements that wait for the partner."""
        return Domain("state", "=", "sent") & Domain("their_acceptance_at", "=", False)


class EmspNettingLinePortal(models.Model):
    _inherit = "emsp.netting.line"

    @api.model
    def _get_portal_fields(self):
        return [
            *super()._get_portal_fields(),
            "netting_id",
            "partner_id",
            "currency_id",
            "side",
            "document",
            "is_credit",
            "date",
            "date_due",
            "amount_total",
            "amount_open",
            "amount_cleared",
            "amount_left",
        ]
