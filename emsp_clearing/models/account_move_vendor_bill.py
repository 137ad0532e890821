from odoo import api, fields, models
from odoo.exceptions import ValidationError

from .account_move import SETTLEMENT_READERS

BILL_TYPES = ("in_invoice", "in_refund")


class AccountMoveVendorBill(models.Model):
    """The bill by which a CPO charges the sessions of a settlement; an accountant says which."""

    _inherit = "account.move"

    emsp_vendor_settlement_ids = fields.Many2many(
        "emsp.settlement",
        "emsp_settlement_vendor_bill_rel",
        "move_id",
        "settlement_id",
        string="Billed by the CPO",
        copy=False,
        check_company=True,
        groups=SETTLEMENT_READERS,
        help="Locked settlements of the CPO whose sessions this bill charges. From its accounting date on "
        "they are no accrued cost any more.",
    )

    @api.constrains("emsp_vendor_settlement_ids", "move_type", "partner_id")
    def _check_emsp_vendor_settlements(self):
        for move in self:
            # sudo: who books bills may have no rights on settlements
            for settlement_sudo in move.sudo().emsp_vendor_settlement_ids:
                problem = move._vendor_settlement_problem(settlement_sudo)
                if problem:
                    raise ValidationError(problem)

    def _vendor_settlement_problem(self, settlement_sudo):
        contract_sudo, vendor = settlement_sudo.contract_id, self.commercial_partner_id
        is_of_vendor = contract_sudo.partner_role == "cpo" and (
            contract_sudo.partner_id.commercial_partner_id == vendor
        )
        if not is_of_vendor or self.move_type not in BILL_TYPES:
            return self.env._(
                "Settlement %(settlement)s is not one that %(partner)s bills: choose settlements of this "
                "CPO, on a vendor bill.",
                settlement=settlement_sudo.name,
                partner=vendor.display_name,
            )
        if settlement_sudo.state in ("collecting", "control"):
            return self.env._(
                "Settlement %(settlement)s is not locked yet: its sessions may still change.",
                settlement=settlement_sudo.name,
            )
        return None


class EmspSettlementVendorBill(models.Model):
    _inherit = "emsp.settlement"

    vendor_bill_ids = fields.Many2many(
        "account.move",
        "emsp_settlement_vendor_bill_rel",
        "settlement_id",
        "move_id",
        string="Vendor bills",
        readonly=True,
        copy=False,
        help="Of the CPO; linked on the bill.",
    )
