from odoo.http import request

from odoo.addons.account_payment.controllers.portal import PortalAccount

from .portal import ClearingPortal


class ClearingPayment(PortalAccount):
    """Invoices of clearing are paid by whoever of the partner is logged in."""

    def _get_overdue_invoices_domain(self, partner_id=None):
        """EXTENDS account: the invoices go to the partner or its invoicing contact, and a colleague of theirs
        pays. Those of one addressee, company and currency, which Odoo pays together: the longest overdue's.
        """
        domain = super()._get_overdue_invoices_domain(partner_id)
        moves = request.env["account.move"]
        if partner_id or request.env.user._is_public() or not moves.has_access("read"):
            return domain
        own = request.env.user.partner_id
        theirs = [
            ("partner_id", "child_of", own.commercial_partner_id.id) if leaf[0] == "partner_id" else leaf
            for leaf in domain
        ]
        first = moves.search(theirs, order="invoice_date_due, id", limit=1)
        if not first:
            return domain
        return [
            *(leaf for leaf in theirs if leaf[0] != "partner_id"),
            ("partner_id", "=", first.partner_id.id),
            ("company_id", "=", first.company_id.id),
            ("currency_id", "=", first.currency_id.id),
        ]

    def _overdue_invoices_get_page_view_values(self, overdue_invoices, **kwargs):
        """EXTENDS account_payment: it asks for the whole totals, also where a part is paid already."""
        values = super()._overdue_invoices_get_page_view_values(overdue_invoices, **kwargs)
        if "payment" in values:
            values["amount"] = values["payment"]["amount"] = sum(overdue_invoices.mapped("amount_residual"))
        return values


class SettlementPayment(ClearingPortal):
    """What of a settlement is to be paid, and how."""

    def _prepare_settlement_values(self, settlement, **kwargs):
        values = super()._prepare_settlement_values(settlement, **kwargs)
        return {**values, "payments": settlement._portal_payments()}
