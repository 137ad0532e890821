from odoo import api, fields, models

from ..models.dialogs import dialog


class EmspWebhookSecret(models.AbstractModel):
    """Shows a new secret once. Abstract: there is no table in which the clear text could stay."""

    _name = "emsp.webhook.secret"
    _description = "New secret of a webhook"

    # Without it the form's onchange does not return the secret.
    id = fields.Id()
    secret = fields.Char(readonly=True)

    @api.model
    def _show(self, name, secret):
        """:return: action of the dialog. The secret is in its context only: neither the dialog nor the
        database keeps it."""
        title = self.env._("Secret of %(webhook)s", webhook=name)
        return dialog(self.browse(), title, context={"default_secret": secret})
