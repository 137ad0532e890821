from base64 import b64encode
from datetime import date, datetime, timedelta

from odoo import Command
from odoo.tools import file_open

from odoo.addons.account.tests.common import AccountTestInvoicingCommon

from .common import PreparedCompanyCommon

OWN_IBAN = "FR7630006000011234567890189"
PAYMENTS_FILE = "camt053_payments.xml"


class BankCommon(PreparedCompanyCommon):
    """A French CPO with a bank journal in EUR, a contract, and invoices without tax on demand."""

    @classmethod
    @AccountTestInvoicingCommon.setup_country("fr")
    def setUpClass(cls):
        super().setUpClass()
        cls.env.user.group_ids += cls.env.ref("emsp_clearing.emsp_clearing_group_manager")
        cls.company = cls.company_data["company"]
        cls.company.partner_id.write({"street": "12 bis rue de la Paix", "zip": "75002", "city": "Paris"})
        cls.journal = cls.company_data["default_journal_bank"]
        cls.journal.bank_account_id = cls._create_account(OWN_IBAN, cls.company.partner_id)
        cls.partner = cls.env["res.partner"].create(
            {
                "name": "Beta Laden GmbH",
                "is_company": True,
                "street": "Hauptstraße 40a",
                "street2": "Gebäude C",
                "zip": "10115",
                "city": "Berlin",
                "country_id": cls.env.ref("base.de").id,
            }
        )
        cls.contract = cls.env["emsp.contract"].create(
            {
                "name": "Roaming Beta",
                "partner_id": cls.partner.id,
                "company_id": cls.company.id,
                "currency_id": cls.env.ref("base.EUR").id,
                "time_zone": "Europe/Paris",
            }
        )

    @classmethod
    def _create_account(cls, iban, partner):
        return cls.env["res.partner.bank"].create(
            {"acc_number": iban, "partner_id": partner.id, "allow_out_payment": True}
        )

    @classmethod
    def _create_document(cls, name, amount, due=date(2026, 12, 10), move_type="out_invoice", **vals):
        """A posted document of `amount`, tax free, under the given number."""
        move = cls.env["account.move"].create(
            {
                "name": name,
                "move_type": move_type,
                "partner_id": cls.partner.id,
                "invoice_date": date(2026, 11, 10),
                "invoice_date_due": due,
                "invoice_payment_term_id": False,
                "invoice_line_ids": [
                    Command.create(
                        {"name": "Charging energy", "price_unit": amount, "tax_ids": [Command.clear()]}
                    )
                ],
                **vals,
            }
        )
        move.action_post()
        return move

    @classmethod
    def _create_settlement_invoice(cls, name, amount, due, time_zone="Europe/Paris"):
        """A posted invoice that bills a settlement of the contract; the due date tells the periods apart."""
        move = cls._create_document(name, amount, due)
        start = datetime.combine(due, datetime.min.time()) - timedelta(days=60)
        # sudo: settlements are made by the calendar run alone.
        settlement = (
            cls.env["emsp.settlement"]
            .sudo()
            .create(
                {
                    "name": f"CLR/{name}",
                    "contract_id": cls.contract.id,
                    "period_start": start,
                    "period_end": start + timedelta(days=30),
                    "date_first": start.date(),
                    "date_last": start.date() + timedelta(days=29),
                    "cut_off_at": start + timedelta(days=33),
                    "lock_at": start + timedelta(days=40),
                    "invoice_date": start.date() + timedelta(days=40),
                    "time_zone": time_zone,
                }
            )
        )
        move.sudo().emsp_settlement_ids = settlement
        return move

    @classmethod
    def _create_bank_line(cls, label, amount, **vals):
        return cls.env["account.bank.statement.line"].create(
            {
                "journal_id": cls.journal.id,
                "date": date(2026, 11, 16),
                "payment_ref": label,
                "amount": amount,
                **vals,
            }
        )

    @classmethod
    def _import(cls, filename, uploaded_as=None):
        """Upload a bank file as a person does. :return: the bank lines of its statements."""
        return cls._upload(cls._read_file(filename), uploaded_as or filename)

    @classmethod
    def _upload(cls, content, filename):
        wizard = cls.env["account.statement.import"].create(
            {"statement_file": cls._encoded(content), "statement_filename": filename}
        )
        return cls.env["account.bank.statement"].browse(wizard._import_file()["statement_ids"]).line_ids

    @staticmethod
    def _encoded(content):
        return b64encode(content)

    @classmethod
    def _read_file(cls, filename):
        with file_open(f"emsp_clearing/tests/files/{filename}", "rb") as file:
            return file.read()

    def _exceptions(self, kind, state="open"):
        return self.env["emsp.exception"].search(
            [("company_id", "=", self.company.id), ("kind", "=", kind), ("state", "=", state)]
        )
