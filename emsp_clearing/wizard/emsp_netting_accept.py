from odoo import fields, models


class EmspNettingAccept(models.TransientModel):
    """Write down what the partner said of a netting statement outside the portal."""

    _name = "emsp.netting.accept"
    _description = "Acceptance of a netting statement by the partner"

    netting_id = fields.Many2one("emsp.netting", required=True, readonly=True)
    partner_id = fields.Many2one(related="netting_id.partner_id")
    person_id = fields.Many2one(
        "res.partner", string="Accepted by", required=True, help="The person at the partner who accepted it."
    )
    proof = fields.Char(required=True, help="Such as: e-mail of 12 November, attached.")
    attachment_ids = fields.Many2many("ir.attachment", string="Files")

    def action_record(self):
        self.ensure_one()
        netting = self.netting_id
        netting.check_access("write")
        netting._accept_for_partner(self.person_id, self.proof)
        if self.attachment_ids:
            copies = self.attachment_ids.copy({"res_model": netting._name, "res_id": netting.id})
            netting.message_post(body=self.proof, attachment_ids=copies.ids, subtype_xmlid="mail.mt_note")
        return {"type": "ir.actions.act_window_close"}
