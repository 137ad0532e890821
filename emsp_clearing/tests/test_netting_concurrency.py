from datetime import date

from odoo import SUPERUSER_ID, api
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import SQL

from .concurrency_common import ConcurrencyCommon


@tagged("post_install", "-at_install")
class TestTwoAcceptAtOnce(ConcurrencyCommon):
    def setUp(self):
        super().setUp()
        with self._connect() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            partner = env["res.partner"].create({"name": "Two at once", "is_company": True})
            vals = {
                "name": "Two at once",
                "partner_id": partner.id,
                "state": "active",
                "is_netting_agreed": True,
                "netting_date": date(2026, 1, 1),
                "netting_reference": "7.3",
            }
            contracts = env["emsp.contract"].create(
                [{**vals, "partner_role": role} for role in ("emsp", "cpo")]
            )
            netting = env["emsp.netting"].create(
                {"partner_id": partner.id, "date_first": date(2026, 10, 1), "date_last": date(2026, 10, 31)}
            )
            netting._update_state("sent")
            self.partner_id, self.contract_ids, self.netting_id = partner.id, contracts.ids, netting.id
            self.addCleanup(self._take_out)
            self._commit(cr)

    def _take_out(self):
        with self._connect() as cr:
            for model, ids in (
                ("emsp.netting", [self.netting_id]),
                ("emsp.contract", self.contract_ids),
                ("res.partner", [self.partner_id]),
            ):
                table = self.env[model]._table
                for about in ("mail_message", "mail_activity", "mail_followers"):
                    column = "model" if about == "mail_message" else "res_model"
                    cr.execute(
                        SQL(
                            "DELETE FROM %s WHERE %s = %s AND res_id IN %s",
                            SQL.identifier(about),
                            SQL.identifier(column),
                            model,
                            tuple(ids),
                        )
                    )
                cr.execute(SQL("DELETE FROM %s WHERE id IN %s", SQL.identifier(table), tuple(ids)))
            self._commit(cr)

    def _netting(self, cr):
        return api.Environment(cr, SUPERUSER_ID, {})["emsp.netting"].browse(self.netting_id)

    def test_second_of_two_is_told_and_finds_the_first_ones_acceptance(self):
        with self._connect() as first, self._connect() as second:
            self._netting(first).action_accept()
            with self.assertRaisesRegex(UserError, "Somebody else works on this netting statement"):
                self._netting(second)._accept_for_partner(self._netting(second).partner_id)
            second.rollback()
            self._commit(first)
            late = self._netting(second)
            late._accept_for_partner(late.partner_id)
            self.assertEqual(late.state, "accepted")
            self.assertTrue(late.our_acceptance_id)
            self.assertTrue(late.their_acceptance_id)
            second.rollback()

    def test_acceptance_on_an_older_view_of_the_statement_is_replayed(self):
        conflicts, states = [], []

        def accept(cr):
            if not conflicts:
                with self._connect() as other:
                    self._netting(other).action_accept()
                    self._commit(other)
            netting = self._netting(cr)
            netting._accept_for_partner(netting.partner_id)
            cr.flush()
            return netting.state

        self._replayed(accept, states, conflicts)
        self.assertEqual((len(conflicts), states), (1, ["accepted"]))
