import base64

from odoo import api, models
from odoo.exceptions import UserError


class AccountStatementImportNotification(models.TransientModel):
    """CAMT.054 among the bank's files: kept as advices, never booked beside the statement."""

    _inherit = "account.statement.import"

    def import_file_button(self):
        content = base64.b64decode(self.statement_file)
        if self.env["emsp.remittance.advice"]._is_notification(content):
            return self._load_notification(content, self.statement_filename or "")
        return super().import_file_button()

    def _parse_file(self, data_file):
        if self.env["emsp.remittance.advice"]._is_notification(data_file):
            raise UserError(
                self.env._(
                    "The file holds a notification (CAMT.054). It books nothing: the statement does. "
                    "Load it by itself; it tells what the batch entries of the statement are made of."
                )
            )
        return super()._parse_file(data_file)

    @api.model
    def _load_notification(self, content, filename):
        """:return: action that shows the new advices; their payments are matched if they are there."""
        self._check_well_formed(content)
        advices = self.env["emsp.remittance.advice"]._load_notification(content)
        if not advices:
            raise UserError(
                self.env._(
                    "Nothing new in %s: its entries are loaded already, are booked in detail, or go out.",
                    filename,
                )
            )
        # sudo: who may import bank files may load their details.
        advices.sudo()._find_payment().sudo(False)._match_open_lines()
        if advices.has_access("read"):
            return advices._action_open()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._("The details of %s batch entries are kept.", len(advices)),
            },
        }
