from odoo import api, fields, models
from odoo.exceptions import ValidationError


class EmspContractSending(models.Model):
    """How the documents of a contract reach the partner, as it stands when they leave."""

    _inherit = "emsp.contract"

    sending_by = fields.Selection(
        [
            ("mail", "Mail with the documents"),
            ("portal", "Portal, with a notice by mail"),
            ("both", "Mail with the documents and a link to the portal"),
            ("upload", "Upload only"),
        ],
        string="Send by",
        required=True,
        default="mail",
        help="The documents lie in the portal in every case. Uploads come on top of a mail.",
    )
    mail_to_ids = fields.Many2many(
        "res.partner",
        "emsp_contract_mail_to_rel",
        string="To",
        help="Empty: the partner's invoicing contact.",
    )
    mail_cc_ids = fields.Many2many("res.partner", "emsp_contract_mail_cc_rel", string="Copy to")
    mail_lang = fields.Selection(
        selection="_get_mail_langs", string="Language of mails", help="Empty: that of the receiver."
    )
    delivery_target_ids = fields.Many2many(
        "emsp.delivery.target",
        string="Upload to",
        check_company=True,
        domain="[('company_id', '=', company_id)]",
    )

    @api.model
    def _get_mail_langs(self):
        return self.env["res.lang"].get_installed()

    @api.constrains("sending_by", "delivery_target_ids")
    def _check_has_target(self):
        for contract in self:
            if contract.sending_by == "upload" and not contract.delivery_target_ids:
                raise ValidationError(
                    self.env._(
                        "Contract %(contract)s sends by upload only: say where to.",
                        contract=contract.display_name,
                    )
                )
