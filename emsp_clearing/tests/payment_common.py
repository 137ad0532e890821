from datetime import date, datetime

from lxml import etree
from pyiso20022.pain import pain_001_001_03, pain_001_001_09, pain_008_001_02
from xmlschema import XMLSchema
from xsdata.formats.dataclass.parsers import XmlParser

from odoo.tools import file_path

from .bank_common import BankCommon

# A Monday.
TODAY = date(2026, 11, 23)
PARTNER_IBAN = "DE89370400440532013000"
CPO_IBAN = "NL91ABNA0417164300"
CREDITOR_ID = "FR72ZZZ123456"
XSD = {
    "pain.001.001.03": "account_payment_sepa_credit_transfer",
    "pain.001.001.09": "account_payment_sepa_credit_transfer",
    "pain.008.001.02": "account_payment_sepa_direct_debit",
    "pain.008.001.08": "account_payment_sepa_direct_debit",
}
# By others, made from the schemas of ISO 20022; it has no pain.008.001.08.
READERS = {
    "pain.001.001.03": pain_001_001_03,
    "pain.001.001.09": pain_001_001_09,
    "pain.008.001.02": pain_008_001_02,
}


class PaymentCommon(BankCommon):
    """An eMSP that is refunded or collected from, a CPO whose bills are paid, and their accounts."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.user.group_ids += cls.env.ref("account_payment_batch_oca.group_account_payment")
        cls.env.user.group_ids += cls.env.ref("account.group_validate_bank_account")
        cls.company.sepa_creditor_identifier = CREDITOR_ID
        cls.account = cls._create_account(PARTNER_IBAN, cls.partner)
        cls.contract.write({"state": "active", "collection_days": 5})
        cls.mandate = cls.env["account.banking.mandate"].create(
            {
                "partner_id": cls.partner.id,
                "partner_bank_id": cls.account.id,
                "company_id": cls.company.id,
                "format": "sepa_b2b",
                "type": "recurrent",
                "signature_date": date(2026, 1, 5),
                "unique_mandate_reference": "MANDATE-7",
                "state": "valid",
            }
        )
        cls.cpo = cls.env["res.partner"].create(
            {
                "name": "Gamma Laadpalen BV",
                "is_company": True,
                "street": "Keizersgracht 12",
                "zip": "1015 CS",
                "city": "Amsterdam",
                "country_id": cls.env.ref("base.nl").id,
            }
        )
        cls.cpo_account = cls._create_account(CPO_IBAN, cls.cpo)
        cls.cpo_contract = cls.env["emsp.contract"].create(
            {
                "name": "Roaming Gamma",
                "partner_id": cls.cpo.id,
                "partner_role": "cpo",
                "company_id": cls.company.id,
                "currency_id": cls.env.ref("base.EUR").id,
                "time_zone": "Europe/Paris",
                "state": "active",
            }
        )
        cls.orders = cls.env["account.payment.order"].with_company(cls.company)

    @classmethod
    def _bill(cls, name, amount, due=date(2026, 11, 24), **vals):
        return cls._create_document(
            name, amount, due, move_type=vals.pop("move_type", "in_invoice"), partner_id=cls.cpo.id, **vals
        )

    @classmethod
    def _collectable(cls, name, amount, due=date(2026, 11, 24), sent_at=datetime(2026, 11, 12, 9)):
        """An invoice of a contract with direct debit; sent_at (naive UTC) is its hand-over, None without."""
        cls.contract.payment_way = "debit"
        move = cls._create_settlement_invoice(name, amount, due)
        if sent_at:
            cls._hand_over(move, sent_at)
        return move

    @classmethod
    def _hand_over(cls, move, sent_at):
        # sudo: deliveries are the system's.
        cls.env["emsp.settlement.delivery"].sudo().create(
            {"move_id": move.id, "channel": "mail", "state": "handed_over", "handed_over_at": sent_at}
        )

    def _propose(self, today=TODAY):
        return self.orders._propose(self.company, today)

    def _make_file(self, order):
        """Confirm the order and make its file. :return: the file's bytes."""
        order.draft2open()
        order.open2generated()
        return order.payment_file_id.raw

    def _release(self, order):
        content = self._make_file(order)
        order.generated2uploaded()
        return content

    def _read(self, content):
        """Validate and read by programs of others.

        :return: (format, the message as nested dicts of names of ISO 20022)
        """
        version = etree.fromstring(content).nsmap[None].rpartition(":")[2]
        schema = XMLSchema(file_path(f"{XSD[version]}/data/{version}.xsd"))
        read = schema.to_dict(content.decode(), namespaces={"": f"urn:iso:std:iso:20022:tech:xsd:{version}"})
        if version in READERS:
            XmlParser().from_bytes(content, READERS[version].Document)
        [message] = [value for name, value in read.items() if not name.startswith("@")]
        return version, message
