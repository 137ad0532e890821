from odoo import fields, models


class EmspWebhookSecret(models.AbstractModel):
    """Shows a new secret once. Abstract: there is no table in which the clear text could stay."""

    _name = "emsp.webhook.secret"
    _description = "New secret of a webhook"

    # Without it the form's onchange does not return the secret.
    id = fields.Id()
    secret = fields.Char(readonly=True)
