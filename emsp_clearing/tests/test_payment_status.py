from base64 import b64encode

from freezegun import freeze_time
from pyiso20022.pain import pain_002_001_03, pain_002_001_10
from xsdata.formats.dataclass.parsers import XmlParser

from odoo.exceptions import UserError
from odoo.tests import tagged

from .payment_common import PaymentCommon

READERS = {"03": pain_002_001_03, "10": pain_002_001_10}


@freeze_time("2026-11-23 08:00:00")
@tagged("post_install", "-at_install")
class TestPaymentStatus(PaymentCommon):
    def setUp(self):
        super().setUp()
        self.first = self._bill("BILL/2026/00701", 100.0)
        self.second = self._bill("BILL/2026/00702", 50.0)
        self.order = self._propose()
        self._release(self.order)
        self.payments = self.order.payment_ids.sorted("amount", reverse=True)

    def test_rejected_transfer_opens_its_bill_with_the_reason(self):
        for version in ("10", "03"):
            with self.subTest(version=version):
                report = self._report(self._transaction(self.payments[0], "RJCT", "AC04"), version=version)
                self._read_report(report)
                self.assertEqual(self.payments[0].state, "rejected")
                self.assertEqual(self.payments[1].state, "in_process")
                line = self.payments[0].payment_line_ids
                self.assertEqual(line.emsp_outcome, "rejected")
                self.assertEqual(line.emsp_reason, "AC04 - the account is closed")
                self.assertEqual(self.first.payment_state, "not_paid")
                self.assertEqual(self.second.payment_state, "in_payment")
                fact = self._exceptions("returned")
                self.assertEqual((fact.move_id, fact.amount), (self.first, 100.0))
                self.assertIn("AC04 - the account is closed", fact.name)
                self.assertEqual(self.order.emsp_file_ids.state, "partly_rejected")

    def test_reading_twice_changes_nothing(self):
        report = self._report(self._transaction(self.payments[0], "RJCT", "AC04"))
        self._read_report(report)
        before = len(self.order.message_ids)
        __, rejected = self.orders._read_status_report(report, self.company)
        self.assertFalse(rejected)
        self.assertEqual(len(self.order.message_ids), before)
        self.assertEqual(len(self._exceptions("returned")), 1)

    def test_rejected_item_is_proposed_again_once_a_person_has_closed_the_exception(self):
        self._read_report(self._report(self._transaction(self.payments[0], "RJCT", "AC04")))
        self.assertFalse(self._propose())
        fact = self._exceptions("returned")
        fact.close_reason = "New account of the CPO"
        fact.action_close()
        order = self._propose()
        self.assertEqual(order.payment_line_ids.move_line_id.move_id, self.first)
        self.assertEqual(order.payment_line_ids.amount_currency, 100.0)
        content = self._release(order)
        self.assertEqual(self._read(content)[1]["GrpHdr"]["NbOfTxs"], "1")

    def test_rejected_message_opens_every_item(self):
        self._read_report(self._report("", group="RJCT", reason="FF01"))
        self.assertEqual(set(self.payments.mapped("state")), {"rejected"})
        self.assertEqual((self.first | self.second).mapped("payment_state"), ["not_paid", "not_paid"])
        self.assertEqual(len(self._exceptions("returned")), 2)
        self.assertEqual(self.order.emsp_file_ids.state, "rejected")

    def test_rejected_batch_opens_every_item_of_it(self):
        lot = self.order.payment_lot_ids
        self._read_report(self._report("", batch=(lot.name, "RJCT")))
        self.assertEqual(set(self.payments.mapped("state")), {"rejected"})

    def test_what_the_bank_accepts_stays_on_its_way(self):
        for code in ("ACCP", "ACSP", "PDNG", "ACSC"):
            self._read_report(self._report(self._transaction(self.payments[0], code), group="PART"))
            self.assertEqual(self.payments[0].emsp_bank_status, code)
            self.assertEqual(self.payments[0].state, "in_process")
        self.assertEqual(self.order.emsp_file_ids.state, "under_way")
        self.assertFalse(self._exceptions("returned"))

    def test_transaction_that_no_file_holds_is_told(self):
        transaction = (
            "<TxInfAndSts><OrgnlEndToEndId>STRANGE-1</OrgnlEndToEndId><TxSts>RJCT</TxSts></TxInfAndSts>"
        )
        self._read_report(self._report(transaction))
        self.assertIn("STRANGE-1", self._exceptions("bank_answer").name)
        self.assertEqual(set(self.payments.mapped("state")), {"in_process"})

    def test_ids_that_contradict_each_other_are_told(self):
        transaction = self._transaction(self.payments[0], "RJCT", "AC04").replace(
            self.payments[0].emsp_end_to_end_id, self.payments[1].emsp_end_to_end_id
        )
        self._read_report(self._report(transaction))
        self.assertEqual(set(self.payments.mapped("state")), {"in_process"})
        self.assertTrue(self._exceptions("bank_answer"))

    def test_message_that_was_never_made_is_told(self):
        self._read_report(self._report("", group="RJCT", message_id="ELSEWHERE-1"))
        self.assertIn("ELSEWHERE-1", self._exceptions("bank_answer").name)

    def test_answer_to_a_file_that_was_not_released_is_refused(self):
        self._bill("BILL/2026/00710", 5.0)
        order = self._propose()
        self._make_file(order)
        with self.assertRaisesRegex(UserError, "was not released here"):
            self._read_report(self._report("", group="ACCP", message_id=order.emsp_message_id))

    def test_what_is_no_report_is_refused(self):
        entity = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
        for content in (b"nothing", entity, self.order.payment_file_id.raw):
            with self.subTest(content=content[:20]), self.assertRaisesRegex(UserError, "no status report"):
                self._read_report(content)

    def test_other_name_of_the_payee_is_noted_on_the_order(self):
        self._read_report(self._report(self._transaction(self.payments[0], "RVNM"), group="RVCM"))
        bodies = " ".join(body or "" for body in self.order.message_ids.mapped("body"))
        self.assertIn("does not confirm that", bodies)

    def test_rejected_collection_opens_its_invoice(self):
        invoice = self._collectable("INV/2026/00711", 119.0)
        order = self._propose().filtered(lambda each: each.payment_type == "inbound")
        self._release(order)
        report = self._report(
            self._transaction(order.payment_ids, "RJCT", "MD01"), message_id=order.emsp_message_id
        )
        self._read_report(report)
        self.assertEqual(invoice.payment_state, "not_paid")
        self.assertIn("MD01 - there is no valid mandate", self._exceptions("returned").name)

    def _read_report(self, report):
        wizard = self.env["emsp.payment.status.import"].create(
            {"content": b64encode(report), "filename": "status.xml", "company_id": self.company.id}
        )
        return wizard.action_read()

    def _transaction(self, payment, status, reason=""):
        why = f"<StsRsnInf><Rsn><Cd>{reason}</Cd></Rsn></StsRsnInf>" if reason else ""
        return (
            f"<TxInfAndSts><OrgnlInstrId>{payment.memo}</OrgnlInstrId>"
            f"<OrgnlEndToEndId>{payment.emsp_end_to_end_id}</OrgnlEndToEndId>"
            f"<TxSts>{status}</TxSts>{why}</TxInfAndSts>"
        )

    def _report(self, transactions, group="", reason="", batch=None, message_id=None, version="10"):
        """A status report, valid for a program of others."""
        name, batch_status = batch or (self.order.payment_lot_ids.name, "")
        why = f"<StsRsnInf><Rsn><Cd>{reason}</Cd></Rsn></StsRsnInf>" if reason else ""
        text = f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.{version}"><CstmrPmtStsRpt>
<GrpHdr><MsgId>BANK-1</MsgId><CreDtTm>2026-11-23T09:00:00</CreDtTm></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>{message_id or self.order.emsp_message_id}</OrgnlMsgId>
<OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>
{f"<GrpSts>{group}</GrpSts>" if group else ""}{why}</OrgnlGrpInfAndSts>
<OrgnlPmtInfAndSts><OrgnlPmtInfId>{name}</OrgnlPmtInfId>
{f"<PmtInfSts>{batch_status}</PmtInfSts>" if batch_status else ""}{transactions}</OrgnlPmtInfAndSts>
</CstmrPmtStsRpt></Document>"""
        XmlParser().from_string(text, READERS[version].Document)
        return text.encode()
