from odoo import fields, models

from ..core.iso20022.text import ID_LENGTH, sepa_id


class AccountPayment(models.Model):
    _inherit = "account.payment"

    emsp_end_to_end_id = fields.Char(
        string="End-to-end id",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="As it stands in the payment file: by it the bank names the payment when it comes back.",
    )
    emsp_bank_status = fields.Char(
        string="Status by the bank", readonly=True, copy=False, help="ISO 20022 code of its status report."
    )
    emsp_reason = fields.Char(string="Why it came back", readonly=True, copy=False)

    def _generate_payment_identification_block(self, parent_node, gen_args):
        """EXTENDS account_payment_sepa_base: the end-to-end id is the document's number.

        It travels with the payment to the other side and comes back on a return. A payment of several
        documents, and one whose number is too long, keep the order's own id: a number cut short may be that
        of another document. The instruction id is the order's in either case.
        """
        result = super()._generate_payment_identification_block(parent_node, gen_args)
        document = self.payment_line_ids.move_line_id.move_id
        number = sepa_id(document.name or "") if len(document) == 1 else ""
        if 0 < len(number) <= ID_LENGTH:
            parent_node.PmtId.EndToEndId = number
        self.emsp_end_to_end_id = str(parent_node.PmtId.EndToEndId)
        return result
