from odoo import models
from odoo.exceptions import UserError

FEC_WIZARD = "l10n_fr.fec.export.wizard"


class EmspLedgerExportFec(models.Model):
    """The French FEC, made by Odoo's localisation where it is installed.

    It is always of the whole period, so its items are not marked and not left out.
    """

    _inherit = "emsp.ledger.export"

    def _export_to(self, file):
        if self.kind != "fec":
            return super()._export_to(file)
        if FEC_WIZARD not in self.env:
            raise UserError(
                self.env._(
                    "The FEC is made by Odoo's French localisation. Install it (France - Accounting) first."
                )
            )
        if self.journal_ids:
            raise UserError(self.env._("A FEC holds all journals: empty the list of journals."))
        wizards = self.env[FEC_WIZARD].with_company(self.company_id)
        answer = wizards.create(
            {
                "date_from": self.date_first,
                "date_to": self.date_last,
                "export_type": "official",
                "test_file": not self.is_final,
            }
        ).generate_fec()
        file.write(answer["file_content"])
        [(count, debit, credit)] = self.env["account.move.line"]._read_group(
            self._items_domain(), aggregates=["__count", "debit:sum", "credit:sum"]
        )
        return {
            "file_name": answer["file_name"],
            "item_count": count,
            "amount_debit": debit,
            "amount_credit": credit,
        }
