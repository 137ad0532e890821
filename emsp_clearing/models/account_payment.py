from odoo import models


class AccountPayment(models.Model):
    _inherit = "account.payment"

    def _generate_payment_identification_block(self, parent_node, gen_args):
        """EXTENDS account_payment_sepa_base: the end-to-end id is the document's number.

        It travels with the transfer to the payee and comes back on a return. A transfer for several
        documents keeps the order's own id; the instruction id is the order's in either case.
        """
        result = super()._generate_payment_identification_block(parent_node, gen_args)
        document = self.payment_line_ids.move_line_id.move_id
        if len(document) == 1 and document.name:
            parent_node.PmtId.EndToEndId = self.env["account.payment.order"]._prepare_field(
                "End to End Identification", document.name, 35, gen_args
            )
        return result
