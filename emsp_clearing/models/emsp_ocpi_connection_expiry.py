from datetime import timedelta

from odoo import fields, models

from .emsp_state_mixin import Stored

DAYS_VALID = 14


class EmspOcpiConnectionExpiry(models.Model):
    """A registration token goes out by mail or telephone; one that nobody used must not live for ever."""

    _inherit = "emsp.ocpi.connection"

    pending_token_until = fields.Datetime(
        string="Registration token valid until",
        readonly=True,
        copy=False,
        help="After that it is refused; give the partner a new one.",
    )

    def action_give_token(self):
        """As before; the token is valid for as many days as the system parameter
        `emsp_clearing.registration_token_days` says."""
        action = super().action_give_token()
        # sudo: a system parameter that is no secret
        params = self.env["ir.config_parameter"].sudo()
        days = int(params.get_param("emsp_clearing.registration_token_days", DAYS_VALID))
        until = fields.Datetime.now() + timedelta(days=days)
        # sudo: the handshake alone writes it
        self.sudo().write(Stored(pending_token_until=until))
        action["context"]["default_valid_until"] = fields.Datetime.to_string(until)
        return action

    def write(self, vals):
        # A token of another kind takes the place: of a handshake under way, or none.
        if "pending_token_hash" in vals:
            vals = type(vals)({"pending_token_until": False, **vals})
        return super().write(vals)

    def _token_kind(self, token):
        kind = super()._token_kind(token)
        until = self.pending_token_until
        is_over = kind == "pending" and until and until <= fields.Datetime.now()
        return None if is_over else kind
