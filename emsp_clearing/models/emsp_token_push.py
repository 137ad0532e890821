from odoo import api, models
from odoo.exceptions import UserError

from .emsp_ocpi_push import Told
from .emsp_ocpi_traffic import quoted
from .emsp_token import DEFAULT_TYPE, TOLD_FIELDS


class EmspTokenPush(models.Model):
    """CPOs are told of our own tokens, and of each change."""

    _inherit = "emsp.token"

    @api.model_create_multi
    def create(self, vals_list):
        tokens = super().create(vals_list)
        tokens._queue_push()
        return tokens

    def write(self, vals):
        done = super().write(vals)
        if vals.keys() & TOLD_FIELDS:
            self._queue_push()
        return done

    @api.ondelete(at_uninstall=False)
    def _unlink_except_told(self):
        # sudo: whether partners know it does not hang on the user's rights
        told = (
            self.env["emsp.ocpi.push"]
            .sudo()
            .search([("model", "=", self._name), ("res_id", "in", self.ids)], limit=1)
        )
        if told:
            raise UserError(
                self.env._(
                    "Token %(token)s was sent to partners, who would still take it. Let it be no longer "
                    "valid instead.",
                    token=self.browse(told.res_id).ocpi_id,
                )
            )

    def _queue_push(self):
        """Queue our own tokens for each partner that is told of them."""
        told = []
        own = self.filtered(lambda token: not token.connection_id)
        for company in own.company_id:
            connections = self.env["emsp.ocpi.connection"]._pushing("tokens", company)
            if connections:
                tokens = own.filtered(lambda token, c=company: token.company_id == c)
                told += [token._tell(connection) for token in tokens for connection in connections]
        self.env["emsp.ocpi.push"]._queue(told)

    def _tell(self, connection):
        path = quoted(self.ocpi_country_code.upper(), self.ocpi_party_id.upper(), self.ocpi_id)
        if self.token_type != DEFAULT_TYPE:
            path += f"?type={self.token_type}"
        return Told(connection, "tokens", "PUT", self, self.ocpi_key, path, self._payload_in("2.2.1"))
