from odoo import fields, models
from odoo.exceptions import UserError


class EmspOcpiConnectionRegister(models.TransientModel):
    """Takes what the partner sent: its versions URL and a token. The token is kept encrypted, and only
    until it was used."""

    _name = "emsp.ocpi.connection.register"
    _description = "Registration with an OCPI partner"

    connection_id = fields.Many2one("emsp.ocpi.connection", required=True, ondelete="cascade")
    versions_url = fields.Char(string="Partner's versions URL", required=True)
    token = fields.Char(
        string="Partner's token", compute="_compute_token", inverse="_inverse_token", help="In clear."
    )
    token_encrypted = fields.Char(groups=fields.NO_ACCESS)
    is_static = fields.Boolean(
        string="Without a handshake",
        help="The partner does not register: its token is kept as it is. Type in its endpoints yourself.",
    )

    def _compute_token(self):
        # Once typed in, nobody sees it again.
        self.token = False

    def _inverse_token(self):
        for wizard in self.filtered("token"):
            # sudo: nobody may read or write what is encrypted
            wizard.sudo().token_encrypted = wizard.connection_id._encrypt(wizard.token.strip())

    def action_register(self):
        self.ensure_one()
        url, token = self.versions_url.strip(), self._take_token()
        if self.is_static:
            self.connection_id._keep_static_peer(url, token)
        else:
            self.connection_id._register_with_peer(url, token)
        return {"type": "ir.actions.act_window_close"}

    def _take_token(self):
        # sudo: it goes to the partner it came from, and nowhere else
        token = self.connection_id._decrypt(self.sudo().token_encrypted)
        if not token:
            raise UserError(self.env._("Type in the token that the partner gave you."))
        return token
