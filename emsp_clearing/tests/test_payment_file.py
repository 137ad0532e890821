import hashlib
from datetime import date
from decimal import Decimal

from freezegun import freeze_time
from lxml import etree
from xsdata.formats.dataclass.parsers import XmlParser

from odoo.exceptions import UserError, ValidationError
from odoo.tests import new_test_user, tagged

from odoo.addons.account.tools import is_valid_structured_reference_iso

from ..core.iso20022.rules import check
from .payment_common import CPO_IBAN, CREDITOR_ID, PARTNER_IBAN, READERS, PaymentCommon

RF = "RF18539007547034"


@freeze_time("2026-11-23 08:00:00")
@tagged("post_install", "-at_install")
class TestPaymentFile(PaymentCommon):
    def test_transfer_is_read_back_by_another_program_to_the_cent(self):
        self._bill("BILL/2026/00501", 1000.25)
        content = self._make_file(self._propose())
        message = XmlParser().from_bytes(content, READERS["pain.001.001.09"].Document).cstmr_cdt_trf_initn
        self.assertEqual((message.grp_hdr.nb_of_txs, message.grp_hdr.ctrl_sum), ("1", Decimal("1000.25")))
        [batch] = message.pmt_inf
        [payment] = batch.cdt_trf_tx_inf
        self.assertEqual(payment.pmt_id.end_to_end_id, "BILL/2026/00501")
        self.assertEqual(payment.cdtr_acct.id.iban, CPO_IBAN)
        self.assertEqual(payment.amt.instd_amt.value, Decimal("1000.25"))

    def test_both_kinds_of_transfer_stand_in_one_file(self):
        due = self._bill("BILL/2026/00502", 1000.25).invoice_date_due
        self._create_document("RINV/2026/00502", 84.5, due=due, move_type="out_refund")
        order = self._propose()
        self.assertEqual(len(order), 1)
        content = self._make_file(order)
        version, message = self._read(content)
        self.assertEqual(version, "pain.001.001.09")
        # 84.50 + 1000.25
        self.assertEqual(message["GrpHdr"]["CtrlSum"], Decimal("1084.75"))
        self.assertEqual(message["GrpHdr"]["NbOfTxs"], "2")
        [batch] = message["PmtInf"]
        self.assertEqual(batch["ReqdExctnDt"]["Dt"], "2026-11-24")
        payments = {each["PmtId"]["EndToEndId"]: each for each in batch["CdtTrfTxInf"]}
        self.assertEqual(set(payments), {"BILL/2026/00502", "RINV/2026/00502"})
        bill, refund = payments["BILL/2026/00502"], payments["RINV/2026/00502"]
        self.assertEqual(bill["Amt"]["InstdAmt"], {"@Ccy": "EUR", "$": Decimal("1000.25")})
        self.assertEqual(refund["Amt"]["InstdAmt"], {"@Ccy": "EUR", "$": Decimal("84.50")})
        self.assertEqual(refund["CdtrAcct"]["Id"]["IBAN"], PARTNER_IBAN)
        self.assertEqual(
            bill["Cdtr"]["PstlAdr"],
            {
                "StrtNm": "Keizersgracht",
                "BldgNb": "12",
                "PstCd": "1015 CS",
                "TwnNm": "Amsterdam",
                "Ctry": "NL",
            },
        )

    def test_collection_is_valid_in_the_new_and_in_the_old_format(self):
        for number, version in enumerate(("pain.008.001.08", "pain.008.001.02"), start=503):
            self.env.ref("account_payment_sepa_direct_debit.sepa_direct_debit").pain_version = version
            self._collectable(f"INV/2026/00{number}", 119.0, due=date(2026, 11, number - 490))
            found, message = self._read(self._make_file(self._propose()))
            self.assertEqual(found, version)
            [batch] = message["PmtInf"]
            [payment] = batch["DrctDbtTxInf"]
            self.assertEqual(batch["PmtTpInf"]["LclInstrm"]["Cd"], "B2B")
            self.assertEqual(batch["PmtTpInf"]["SeqTp"], "RCUR")
            # Monday the 23rd and two days of banks.
            self.assertEqual(batch["ReqdColltnDt"], "2026-11-25")
            self.assertEqual(batch["CdtrSchmeId"]["Id"]["PrvtId"]["Othr"][0]["Id"], CREDITOR_ID)
            self.assertEqual(payment["InstdAmt"], {"@Ccy": "EUR", "$": Decimal("119.00")})
            self.assertEqual(payment["PmtId"]["EndToEndId"], f"INV/2026/00{number}")
            mandate = payment["DrctDbtTx"]["MndtRltdInf"]
            self.assertEqual((mandate["MndtId"], mandate["DtOfSgntr"]), ("MANDATE-7", "2026-01-05"))

    def test_one_off_core_mandate_is_collected_by_once(self):
        self.mandate.write({"format": "sepa_core", "type": "oneoff"})
        self._collectable("INV/2026/00520", 119.0)
        order = self._propose()
        version, message = self._read(self._release(order))
        self.assertEqual(version, "pain.008.001.08")
        [batch] = message["PmtInf"]
        [payment] = batch["DrctDbtTxInf"]
        kind = batch["PmtTpInf"]
        self.assertEqual((kind["LclInstrm"]["Cd"], kind["SeqTp"]), ("CORE", "OOFF"))
        self.assertEqual(batch["ReqdColltnDt"], "2026-11-25")
        self.assertEqual(payment["DrctDbtTx"]["MndtRltdInf"]["MndtId"], "MANDATE-7")
        self.assertEqual(payment["InstdAmt"]["$"], Decimal("119.00"))
        self.assertEqual(payment["DbtrAcct"]["Id"]["IBAN"], PARTNER_IBAN)
        self.assertEqual(self.mandate.state, "expired")
        # The next invoice is not collected by it.
        later = self._collectable("INV/2026/00521", 50.0, due=date(2026, 11, 25))
        self.assertFalse(
            self._propose().payment_line_ids.filtered(lambda line: line.move_line_id.move_id == later)
        )

    def test_transfer_in_the_old_format_is_made_on_demand(self):
        self.env.ref(
            "account_payment_sepa_credit_transfer.sepa_credit_transfer"
        ).pain_version = "pain.001.001.03"
        self._bill("BILL/2026/00505", 7.0)
        version, message = self._read(self._make_file(self._propose()))
        self.assertEqual((version, message["GrpHdr"]["CtrlSum"]), ("pain.001.001.03", Decimal("7.00")))
        self.assertEqual(message["PmtInf"][0]["ReqdExctnDt"], "2026-11-24")

    def test_hostile_names_are_written_in_the_set_and_cut(self):
        for name, written in (
            ("Größe & Söhne <b>", "Grosse + Sohne .b."),
            ("Ευφόρτιση ΑΕ 🚗", "Euphortise AE"),
            ("Charging " * 20, ("Charging " * 20)[:70].strip()),
        ):
            self.cpo_account.acc_holder_name = name
            order = self._order_of_bill(f"BILL/2026/{abs(hash(name)) % 10**6:06}")
            __, message = self._read(self._make_file(order))
            self.assertEqual(message["PmtInf"][0]["CdtTrfTxInf"][0]["Cdtr"]["Nm"], written)

    def test_name_without_a_letter_of_the_set_is_refused_with_its_field(self):
        self.cpo_account.acc_holder_name = "🚗🚗"
        order = self._order_of_bill("BILL/2026/00507")
        with self.assertRaisesRegex(UserError, "Creditor Name “🚗🚗” cannot be written"):
            self._make_file(order)

    def test_legal_account_holder_is_sent_and_not_the_trade_name(self):
        self.cpo_account.acc_holder_name = "Stichting Gamma Beheer"
        self.cpo_contract.payee_bank_id = self.cpo_account
        self.assertEqual(self.cpo_contract.payee_holder, "Stichting Gamma Beheer")
        __, message = self._read(self._make_file(self._order_of_bill("BILL/2026/00508")))
        payee = message["PmtInf"][0]["CdtTrfTxInf"][0]["Cdtr"]["Nm"]
        self.assertEqual(payee, "Stichting Gamma Beheer")

    def test_number_beyond_35_characters_is_not_cut_but_left_to_the_orders_id(self):
        number = "BILL/ROAMING/NETHERLANDS/2026/11/000001"
        order = self._order_of_bill(number)
        __, message = self._read(self._make_file(order))
        payment = message["PmtInf"][0]["CdtTrfTxInf"][0]
        self.assertEqual(payment["PmtId"]["EndToEndId"], order.payment_ids.memo)
        self.assertEqual(payment["PmtId"]["EndToEndId"], payment["PmtId"]["InstrId"])
        self.assertIn(number, payment["RmtInf"]["Ustrd"][0])

    def test_slashes_at_the_ends_and_in_a_row_leave_the_end_to_end_id(self):
        order = self._order_of_bill("/BILL//2026/000009")
        __, message = self._read(self._make_file(order))
        [payment] = message["PmtInf"][0]["CdtTrfTxInf"]
        self.assertEqual(payment["PmtId"]["EndToEndId"], "BILL/2026/000009")
        self.assertEqual(order.payment_ids.emsp_end_to_end_id, "BILL/2026/000009")

    def test_structured_reference_of_a_bill_is_sent_as_such(self):
        self.assertTrue(is_valid_structured_reference_iso(RF))
        order = self._order_of_bill("BILL/2026/00510", payment_reference="RF18 5390 0754 7034")
        __, message = self._read(self._make_file(order))
        remittance = message["PmtInf"][0]["CdtTrfTxInf"][0]["RmtInf"]
        self.assertEqual(remittance["Strd"][0]["CdtrRefInf"]["Ref"], RF)
        self.assertNotIn("Ustrd", remittance)

    def test_address_beyond_the_eea_needs_its_town(self):
        self.cpo.write({"country_id": self.env.ref("base.ch").id, "city": False})
        order = self._order_of_bill("BILL/2026/00511")
        with self.assertRaisesRegex(UserError, "Gamma Laadpalen BV: .* its town or its country is missing"):
            order.draft2open()

    def test_account_and_bank_are_checked_before_the_file(self):
        order = self._order_of_bill("BILL/2026/00512")
        bank = self.env["res.bank"].create({"name": "Bank of nowhere", "bic": "ABNAXX2A"})
        self.cpo_account.bank_id = bank
        with self.assertRaisesRegex(UserError, "Gamma Laadpalen BV: ABNAXX2A is not a valid BIC"):
            order.draft2open()

    def test_account_that_is_no_iban_is_told_before_the_file(self):
        order = self._order_of_bill("BILL/2026/00522")
        order.payment_line_ids.partner_bank_id = self._create_account("0417164300", self.cpo)
        with self.assertRaisesRegex(
            UserError, "Gamma Laadpalen BV: the account number .* is not a valid IBAN"
        ):
            order.draft2open()

    def test_amount_above_the_scheme_is_refused(self):
        order = self._order_of_bill("BILL/2026/00513", amount=1000000000.0)
        with self.assertRaisesRegex(UserError, "not between 0.01 and 999,999,999.99"):
            order.draft2open()

    def test_every_file_passes_the_rules_and_breaking_one_is_told(self):
        content = self._make_file(self._order_of_bill("BILL/2026/00514"))
        document = etree.fromstring(content)
        self.assertEqual(check(document), [])
        self.assertFalse(document.xpath("//*[local-name() = 'AdrLine']"))
        args = {"pain_xsd_file": "account_payment_sepa_credit_transfer/data/pain.001.001.09.xsd"}
        spoilt = content.replace(b"Gamma Laadpalen BV", "Gämma".encode())
        with self.assertRaisesRegex(UserError, "characters that banks do not take"):
            self.orders._validate_xml(spoilt, args)

    def test_message_id_is_never_used_again(self):
        order = self._order_of_bill("BILL/2026/00515")
        first = self._read(self._make_file(order))[1]
        order.action_cancel()
        order.cancel2draft()
        second = self._read(self._make_file(order))[1]
        files = order.emsp_file_ids.sorted("id")
        ids = [first["GrpHdr"]["MsgId"], second["GrpHdr"]["MsgId"]]
        self.assertEqual(files.mapped("message_id"), ids)
        self.assertEqual(len(set(ids)), 2)
        self.assertEqual(files.mapped("state"), ["dropped", "generated"])
        self.assertNotEqual(first["PmtInf"][0]["PmtInfId"], second["PmtInf"][0]["PmtInfId"])

    def test_file_is_kept_with_its_hash_and_cannot_be_changed(self):
        order = self._order_of_bill("BILL/2026/00516")
        content = self._release(order)
        file = order.emsp_file_ids
        digest = hashlib.sha256(content).hexdigest()
        self.assertEqual((file.sha256, file.state), (digest, "released"))
        self.assertEqual(file.released_by_id, self.env.user)
        self.assertTrue(any(digest in (body or "") for body in order.message_ids.mapped("body")))
        with self.assertRaisesRegex(UserError, "not edited"):
            file.with_user(self.env.user).sudo(False).write({"sha256": "0"})
        with self.assertRaisesRegex(UserError, "not deleted"):
            file.sudo().unlink()

    def test_file_that_was_changed_is_not_released(self):
        order = self._order_of_bill("BILL/2026/00517")
        self._make_file(order)
        order.payment_file_id.raw = order.payment_file_id.raw.replace(b"Gamma", b"Hacke")
        with self.assertRaisesRegex(UserError, "is not the one that was made"):
            order.generated2uploaded()

    def test_second_person_releases_where_the_company_asks_for_one(self):
        self.company.emsp_four_eyes = True
        order = self._order_of_bill("BILL/2026/00518")
        self._make_file(order)
        with self.assertRaisesRegex(UserError, "another person has to release it"):
            order.generated2uploaded()
        second = new_test_user(
            self.env,
            login="second_person",
            groups="base.group_user,account.group_account_user,"
            "account_payment_batch_oca.group_account_payment,account.group_validate_bank_account",
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )
        order.with_user(second).generated2uploaded()
        self.assertEqual(order.state, "uploaded")
        self.assertEqual(order.emsp_file_ids.sudo().released_by_id, second)

    def test_item_that_was_paid_meanwhile_is_not_released(self):
        order = self._order_of_bill("BILL/2026/00519")
        self._make_file(order)
        bill = order.payment_line_ids.move_line_id.move_id
        self._settle_by_entry(bill, 6.0)
        with self.assertRaisesRegex(UserError, "only 1.00"):
            order.generated2uploaded()

    def test_warning_for_the_verification_of_one_payee(self):
        order = self._order_of_bill("BILL/2026/00520")
        self.assertTrue(order.emsp_has_one_payment)
        self._bill("BILL/2026/00521", 3.0)
        self._propose()
        self.assertFalse(order.emsp_has_one_payment)

    def test_contract_pays_to_an_account_of_its_partner_only(self):
        with self.assertRaisesRegex(ValidationError, "have to be those of"):
            self.cpo_contract.payee_bank_id = self.account

    def _order_of_bill(self, name, amount=7.0, **vals):
        self._bill(name, amount, **vals)
        return self._propose()

    def _settle_by_entry(self, bill, amount):
        """Part of the bill is settled in the books, as by a netting."""
        payable = bill.line_ids.filtered(lambda line: line.account_id.account_type == "liability_payable")
        entry = self.env["account.move"].create(
            {
                "move_type": "entry",
                "journal_id": self.company_data["default_journal_misc"].id,
                "date": "2026-11-20",
                "line_ids": [
                    (
                        0,
                        0,
                        {"account_id": payable.account_id.id, "partner_id": self.cpo.id, "debit": amount},
                    ),
                    (
                        0,
                        0,
                        {
                            "account_id": self.company_data["default_account_revenue"].id,
                            "credit": amount,
                        },
                    ),
                ],
            }
        )
        entry.action_post()
        (payable | entry.line_ids.filtered("debit")).reconcile()
