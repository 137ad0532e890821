from datetime import date
from functools import partial
from threading import Thread

from odoo import SUPERUSER_ID, Command, api
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from .concurrency_common import ConcurrencyCommon

DAY = date(2026, 11, 10)


@tagged("post_install", "-at_install")
class TestNumbersOfTwoTransactions(ConcurrencyCommon):
    def setUp(self):
        super().setUp()
        with self._connect() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            ordinary = env["account.journal"].search(
                [("type", "=", "sale"), ("default_account_id", "!=", False)], limit=1
            )
            company = ordinary.company_id
            self.company_id = company.id
            self.journal_id = (
                env["account.journal"]
                .create(
                    {
                        "name": "Two at once",
                        "code": "TWO1",
                        "type": "sale",
                        "company_id": company.id,
                        "default_account_id": ordinary.default_account_id.id,
                        "restrict_mode_hash_table": True,
                    }
                )
                .id
            )
            # One each: invoices of the same partner already conflict in its rank as a customer.
            self.partner_ids = env["res.partner"].create([{"name": "Two at once"}] * 3).ids
            self.addCleanup(self._take_out)
            self.move_ids = [self._draft(env, partner).id for partner in self.partner_ids]
            self._commit(cr)

    def _draft(self, env, partner_id):
        return (
            env["account.move"]
            .with_company(self.company_id)
            .create(
                {
                    "move_type": "out_invoice",
                    "journal_id": self.journal_id,
                    "partner_id": partner_id,
                    "invoice_date": DAY,
                    "invoice_line_ids": [
                        Command.create({"name": "Charging", "price_unit": 10.0, "tax_ids": []})
                    ],
                }
            )
        )

    def _take_out(self):
        with self._connect() as cr:
            moves = SQL("SELECT id FROM account_move WHERE journal_id = %s", self.journal_id)
            cr.execute(SQL("DELETE FROM mail_message WHERE model = 'account.move' AND res_id IN (%s)", moves))
            cr.execute(SQL("DELETE FROM account_move_line WHERE journal_id = %s", self.journal_id))
            cr.execute(SQL("DELETE FROM account_move WHERE journal_id = %s", self.journal_id))
            cr.execute(SQL("DELETE FROM account_journal WHERE id = %s", self.journal_id))
            cr.execute("DELETE FROM mail_alias WHERE alias_name LIKE 'two-at-once%'")
            cr.execute(SQL("DELETE FROM res_partner WHERE id IN %s", tuple(self.partner_ids)))
            self._commit(cr)

    def _post(self, cr, move_id):
        move = api.Environment(cr, SUPERUSER_ID, {})["account.move"].browse(move_id)
        move._post(soft=False)
        return move.name

    def _integrity(self):
        with self._connect() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            # Not committed.
            env.user.group_ids += env.ref("account.group_account_user")
            company = env["res.company"].browse(self.company_id)
            results = company._check_hash_integrity()["results"]
            return [result for result in results if "Two at once" in result["journal_name"]]

    @mute_logger("odoo.sql_db")
    def test_two_invoices_posted_at_once_follow_each_other_without_a_gap(self):
        first, second, third = self.move_ids
        names, conflicts = [], []
        with self._connect() as cr:
            names.append(self._post(cr, first))
            post_second = partial(self._post, move_id=second)
            other = Thread(target=self._replayed, args=(post_second, names, conflicts))
            other.start()
            self._wait_until_blocked()
            self._commit(cr)
            other.join(timeout=60)
        self._replayed(partial(self._post, move_id=third), names, conflicts)
        self.assertEqual(names, ["TWO1/2026/00001", "TWO1/2026/00002", "TWO1/2026/00003"])
        [result] = self._integrity()
        self.assertEqual(result["status"], "verified")
        self.assertEqual(len(conflicts), 1)
        self.assertEqual((result["first_move_name"], result["last_move_name"]), (names[0], names[2]))

    @mute_logger("odoo.sql_db")
    def test_number_of_a_transaction_that_was_rolled_back_is_given_again(self):
        first, second, __ = self.move_ids
        with self._connect() as cr:
            self.assertEqual(self._post(cr, first), "TWO1/2026/00001")
            cr.rollback()
        names = []
        self._replayed(partial(self._post, move_id=second), names, [])
        self.assertEqual(names, ["TWO1/2026/00001"])
