from odoo import api, models


class EmspTokenRecheck(models.Model):
    """A token that comes after a CDR, or is blocked later, changes what the rules say."""

    _inherit = "emsp.token"

    @api.model_create_multi
    def create(self, vals_list):
        tokens = super().create(vals_list)
        tokens._recheck_cdrs()
        return tokens

    def write(self, vals):
        validity = {token: token.is_valid for token in self}
        done = super().write(vals)
        self.filtered(lambda token: token.is_valid != validity[token])._recheck_cdrs()
        return done

    def _recheck_cdrs(self):
        for token in self:
            domain = [
                ("token_uid", "=", token.ocpi_id),
                ("token_country_code", "=", token.ocpi_country_code.upper()),
                ("token_party_id", "=", token.ocpi_party_id.upper()),
            ]
            self.env["emsp.cdr"]._enqueue_recheck(token, domain)
