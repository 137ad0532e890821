from odoo import api, models


class AccountMoveSendMail(models.AbstractModel):
    """Mails of settlement documents: to whom the contract says, in its language, through the mail queue."""

    _inherit = "account.move.send"

    @api.model
    def _get_default_mail_partner_ids(self, move, mail_template, mail_lang):
        # EXTENDS account
        if move._settlements():
            return move._sending_partners()
        return super()._get_default_mail_partner_ids(move, mail_template, mail_lang)

    @api.model
    def _get_default_mail_lang(self, move, mail_template):
        # EXTENDS account
        lang = super()._get_default_mail_lang(move, mail_template)
        return move._sending_lang() if move._settlements() else lang

    @api.model
    def _get_mail_params(self, move, move_data):
        # EXTENDS account
        params = super()._get_mail_params(move, move_data)
        if self.env.context.get("emsp_package", {}).get("mode", "attached") != "attached":
            params["attachments"] = []
        return params

    @api.model
    def _send_mail(self, move, mail_template, **kwargs):
        # EXTENDS account: the mail is committed before SMTP is spoken to, so that a crash between
        # the two cannot send it twice; the mail queue sends it.
        if not move._settlements():
            return super()._send_mail(move, mail_template, **kwargs)
        # sudo: deliveries are the system's
        delivery = (
            self.env["emsp.settlement.delivery"].sudo().browse(self.env.context.get("emsp_delivery_id"))
        )
        delivery = delivery if delivery.id else move._delivery_by_hand()
        own = move.with_context(mail_notify_force_send=False, emsp_delivery_id=delivery.id)
        result = super()._send_mail(own, mail_template, **kwargs)
        delivery._note_composed()
        self.env["mail.mail"]._trigger_queue()
        return result
