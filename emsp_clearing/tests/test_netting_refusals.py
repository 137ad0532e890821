from datetime import date

from odoo.exceptions import UserError
from odoo.tests import tagged

from .netting_common import NettingCommon


@tagged("post_install", "-at_install")
class TestNettingRefusals(NettingCommon):
    """Each refusal names its reason."""

    def test_statement_without_documents_says_so(self):
        with self.assertRaisesRegex(UserError, "^NET.* lists no document: there is nothing to set off.$"):
            self._netting().action_send()

    def test_one_side_is_told_with_what_the_other_side_has_and_why_it_is_not_listed(self):
        self._document("out_invoice", "INV/71", 100.0)
        held = self._document("in_invoice", "BETA-71", 30.0)
        held.emsp_hold_reason = "The meter is doubted."
        blocked = self._document("in_invoice", "BETA-72", 20.0)
        blocked.payment_state = "blocked"
        with self.assertRaises(UserError) as refused:
            self._netting().action_send()
        self.assertEqual(
            str(refused.exception).split("\n")[1:],
            [
                "Open documents of the period that are not listed:",
                "- BETA-71: it is disputed or blocked: The meter is doubted.",
                "- BETA-72: it is disputed or blocked: its payment is blocked",
            ],
        )
        self.assertIn("one side only", str(refused.exception))

    def test_credit_notes_that_make_one_debtor_are_not_called_one_side(self):
        # Our invoice, and a credit note of the partner for what it billed too much: both are owed to us.
        self._document("out_invoice", "INV/73", 100.0)
        self._document("in_refund", "BETA-C73", 30.0)
        netting = self._netting()
        self.assertTrue(netting.our_line_ids and netting.their_line_ids)
        with self.assertRaisesRegex(UserError, "is owed by Beta Laden GmbH, credit notes counted"):
            netting.action_send()

    def test_credit_note_of_ours_and_a_bill_are_both_owed_to_the_partner(self):
        self._document("out_refund", "RINV/74", 30.0)
        self._document("in_invoice", "BETA-74", 100.0)
        with self.assertRaisesRegex(UserError, "is owed to Beta Laden GmbH"):
            self._netting().action_send()

    def test_document_on_another_statement_or_from_before_the_clause_is_told_so(self):
        self._document("out_invoice", "INV/75", 100.0, day=5)
        self._document("in_invoice", "BETA-75", 30.0)
        other = self._netting()
        self._document("out_invoice", "INV/76", 50.0)
        netting = self._netting()
        with self.assertRaisesRegex(UserError, f"- BETA-75: it is on {other.name}"):
            netting.action_send()
        other.unlink()
        self.contract.netting_date = date(2026, 10, 31)
        self.payable_contract.netting_date = date(2026, 10, 1)
        late = self._netting()
        with self.assertRaisesRegex(
            UserError, "- INV/75: it is of a contract without netting, or from before"
        ):
            late.action_send()

    def test_missing_clause_is_told_by_the_direction_of_its_contract(self):
        self.payable_contract.is_netting_agreed = False
        with self.assertRaisesRegex(UserError, "No contract by which it bills us says so.$"):
            self._netting()
        self.contract.is_netting_agreed = False
        with self.assertRaisesRegex(
            UserError, "by which we bill it says so. No contract by which it bills us"
        ):
            self._netting()
