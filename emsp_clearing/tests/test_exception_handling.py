from datetime import date, datetime, timedelta
from decimal import Decimal
from unittest.mock import patch

from odoo import Command, fields
from odoo.tests import new_test_user, tagged

from .bank_common import BankCommon
from .common import cdr_payload
from .settlement_common import CUT_OFF, LOCK, SettlementCommon, credit_of

AS_OF = datetime(2026, 12, 15, 6, 0)


@tagged("post_install", "-at_install")
class TestExceptionHandling(BankCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.today = fields.Date.context_today(cls.env["emsp.exception"])
        cls.owner = cls._create_user("owner", "emsp_clearing.emsp_clearing_group_operator")

    # -- age

    def test_age_is_told_in_days_and_bands_whose_edges_belong_to_the_younger_one(self):
        bands = {0: "00-02", 2: "00-02", 3: "03-07", 7: "03-07", 8: "08-30", 30: "08-30", 31: "31-"}
        facts = {days: self._create_fact(days) for days in bands}
        for days, band in bands.items():
            with self.subTest(days=days):
                self.assertEqual((facts[days].age_days, facts[days].age_band), (days, band))

    def test_age_is_searched_and_grouped_in_the_database_as_it_is_computed(self):
        facts = {days: self._create_fact(days, amount=10.0) for days in (0, 2, 3, 7, 8, 30, 31, 400)}
        journal, mine = self.env["emsp.exception"], [("id", "in", [fact.id for fact in facts.values()])]
        self.assertEqual(journal.search([*mine, ("age_days", ">", 7)]), self._sorted(facts, 8, 30, 31, 400))
        self.assertEqual(journal.search([*mine, ("age_days", "=", 7)]), facts[7])
        self.assertEqual(
            journal.search([*mine, ("age_band", "in", ("03-07", "31-"))]), self._sorted(facts, 3, 7, 31, 400)
        )
        groups = journal._read_group(mine, ["age_band"], ["__count", "amount_company:sum", "age_days:max"])
        self.assertEqual(
            groups,
            [("00-02", 2, 20.0, 2), ("03-07", 2, 20.0, 7), ("08-30", 2, 20.0, 30), ("31-", 2, 20.0, 400)],
        )
        shown = journal.fields_get(["age_band", "age_days"])
        self.assertTrue(shown["age_band"]["groupable"])

    def test_age_of_a_closed_fact_stands_still(self):
        fact = self._create_fact(40)
        fact._set_closed(datetime.combine(self.today - timedelta(days=35), datetime.min.time()))
        self.assertEqual((fact.age_days, fact.age_band), (5, "03-07"))
        self.assertEqual(
            self.env["emsp.exception"].search([("id", "=", fact.id), ("age_days", "=", 5)]), fact
        )

    def test_amounts_are_summed_in_the_company_currency_at_the_rate_of_their_day(self):
        dollar = self.env.ref("base.USD")
        dollar.active = True
        for day, rate in ((date(2026, 1, 1), 1.25), (date(2026, 3, 1), 2.0)):
            self.env["res.currency.rate"].create(
                {"name": day, "rate": rate, "currency_id": dollar.id, "company_id": self.company.id}
            )
        fact = self._create_fact(0, amount=100.0, currency_id=dollar.id, date=date(2026, 2, 1))
        self.assertEqual(fact.amount_company, 80.0)

    # -- kinds of other add-ons

    def test_severity_of_a_kind_is_an_error_where_nobody_says_otherwise(self):
        journal = self.env["emsp.exception"]
        self.assertEqual(self._create_fact(0, kind="returned").severity, "error")
        self.assertEqual(self._create_fact(0, kind="late").severity, "warning")
        self.assertIsNone(journal._usual_remedy("a kind that nobody knows"))

    # -- to-do

    def test_error_is_a_todo_of_its_owner_at_once_and_done_when_it_closes(self):
        fact = self._create_fact(0, kind="returned", user_id=self.owner.id)
        self.assertEqual(fact.activity_ids.user_id, self.owner)
        fact._set_closed(AS_OF)
        self._before_commit()
        self.assertFalse(fact.activity_ids)

    def test_warning_is_a_todo_after_the_days_of_the_company(self):
        fact = self._create_fact(0, user_id=self.owner.id, opened_at=datetime(2026, 12, 12, 7, 0))
        journal = self.env["emsp.exception"]
        journal._cron_schedule_todos(datetime(2026, 12, 15, 6, 59))
        self.assertFalse(fact.activity_ids)
        for __ in range(2):
            journal._cron_schedule_todos(datetime(2026, 12, 15, 7, 0))
        self.assertEqual(len(fact.activity_ids), 1)

    def test_todo_moves_with_the_owner(self):
        fact = self._create_fact(0, kind="returned", user_id=self.owner.id)
        other = self._create_user("other", "emsp_clearing.emsp_clearing_group_operator")
        fact.user_id = other
        self.assertEqual(fact.activity_ids.user_id, other)
        fact.user_id = False
        self.assertFalse(fact.activity_ids)

    def test_todo_is_done_when_the_books_close_the_fact(self):
        invoice = self._create_settlement_invoice("INV/2026/00701", 120.0, date(2026, 12, 10))
        journal = self.env["emsp.exception"]
        journal._update_late(datetime(2026, 12, 11, 6, 0))
        late = self._exceptions("late")
        late.user_id = self.owner
        journal._cron_schedule_todos(AS_OF)
        self.assertTrue(late.activity_ids)
        self._before_commit()
        invoice._reverse_moves([{"date": date(2026, 12, 12)}], cancel=True)
        self._before_commit()
        self.assertEqual(late.state, "closed")
        self.assertFalse(late.activity_ids)

    def test_owner_without_rights_on_the_journal_gets_no_todo(self):
        stranger = self._create_user("stranger", "base.group_user")
        self.assertFalse(self._create_fact(0, kind="returned", user_id=stranger.id).activity_ids)

    # -- digest

    def test_digest_counts_by_kind_and_tells_what_is_new(self):
        self.company.emsp_exception_digest_user_ids = self.owner
        self.company.emsp_exception_digest_at = datetime(2026, 12, 14, 6, 0)
        self._create_fact(0, amount=10.0, date=date(2026, 12, 1), opened_at=datetime(2026, 12, 2))
        self._create_fact(0, amount=5.5, date=date(2026, 12, 14), opened_at=datetime(2026, 12, 14, 8, 0))
        journal = self.env["emsp.exception"].with_context(lang="en_US")
        journal = journal.search([("company_id", "=", self.company.id)], order="opened_at desc")
        digest = journal._prepare_digest(self.company, self.company.emsp_exception_digest_at)
        self.assertEqual((digest["count"], digest["new"], digest["more"]), ("2", "1", 0))
        [row] = digest["kinds"]
        self.assertEqual((row["label"], row["count"], row["errors"]), ("Late payment", 2, 0))
        self.assertEqual((row["amount"].replace("\xa0", " "), row["oldest"]), ("15.50 €", "12/01/2026"))
        self.assertEqual([row["is_new"] for row in digest["rows"]], [True, False])

    def test_digest_is_mailed_in_the_language_of_its_reader(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.owner.lang = "fr_FR"
        self.company.emsp_exception_digest_user_ids = self.owner
        self._create_fact(0, opened_at=AS_OF - timedelta(hours=1), date=date(2026, 12, 14))
        self.assertEqual(self._mail_digest(AS_OF), self.owner)
        mail = self.env["mail.mail"].search([("email_to", "=", self.owner.email_formatted)])
        self.assertEqual(len(mail), 1)
        # The date as French readers write it.
        self.assertIn("14/12/2026", mail.body_html)

    def test_digest_is_not_mailed_when_nothing_is_open_or_nothing_changed(self):
        self.company.emsp_exception_digest_user_ids = self.owner
        self.assertFalse(self._mail_digest(AS_OF))
        self._create_fact(0, date=date(2026, 12, 14), opened_at=AS_OF - timedelta(hours=1))
        self.assertTrue(self._mail_digest(AS_OF))
        self.assertFalse(self._mail_digest(AS_OF + timedelta(days=1)))

    def test_digest_reminds_every_day_of_what_stays_too_long(self):
        self.company.emsp_exception_digest_user_ids = self.owner
        self._create_fact(0, date=date(2026, 12, 8), opened_at=datetime(2026, 12, 8, 6, 0))
        self.company.emsp_exception_digest_at = datetime(2026, 12, 8, 7, 0)
        self.assertFalse(self._mail_digest(datetime(2026, 12, 15, 6, 0)))
        self.assertTrue(self._mail_digest(datetime(2026, 12, 16, 6, 0)))

    def test_digest_goes_to_accountants_of_clearing_who_take_mails(self):
        both = "account.group_account_user,emsp_clearing.emsp_clearing_group_user"
        accountant = self._create_user("books", both)
        self._create_user("books.only", "account.group_account_user")
        silent = self._create_user("silent", both)
        silent.notification_type = "inbox"
        users = self.company._exception_digest_users()
        self.assertIn(accountant, users)
        self.assertFalse(users & (silent | self.owner))
        self.assertNotIn("books.only", users.mapped("login"))

    def _mail_digest(self, as_of):
        return self.env["emsp.exception"]._mail_digest(self.company, as_of)

    def _before_commit(self):
        """What is done before a commit."""
        self.env.flush_all()
        self.env.cr.flush()

    def _sorted(self, facts, *days):
        return self.env["emsp.exception"].search([("id", "in", [facts[day].id for day in days])])

    def _create_fact(self, days, kind="late", **vals):
        """An open fact that began so many days ago."""
        # A document that stays open: kinds of payments close by themselves.
        move = self._create_document(f"INV/2026/{self._number():05}", 100.0)
        vals = {
            "date": self.today - timedelta(days=days),
            "move_id": move.id,
            "company_id": self.company.id,
            "name": "It waits.",
            **vals,
        }
        return self.env["emsp.exception"]._open(kind, f"test:{move.id}", **vals)

    def _number(self):
        type(self).last_number = getattr(self, "last_number", 800) + 1
        return self.last_number

    @classmethod
    def _create_user(cls, login, groups):
        return new_test_user(
            cls.env,
            login=f"exception.{login}",
            groups=f"base.group_user,{groups}",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
            email=f"{login}@example.com",
            notification_type="email",
        )


@tagged("post_install", "-at_install")
class TestExceptionOfBilling(SettlementCommon):
    def test_invoice_that_differs_from_its_sessions_is_told_as_such_until_it_is_billed(self):
        self._receive(cdr_payload(1, total_cost={"excl_vat": 7.0}))
        self._run_due(CUT_OFF)
        with self._annex_that_differs():
            self._run_due(LOCK)
        settlement = self._settlement()
        self.assertEqual(self._open_kinds(settlement), ["annex_mismatch"])
        self.assertIn("cannot be posted", settlement.blocked_reason)
        self._run_due(LOCK + timedelta(hours=1))
        self.assertEqual(settlement.state, "invoiced")
        self.assertEqual(self._open_kinds(settlement), [])

    def test_session_taken_back_after_payment_is_told_until_its_credit_is_billed(self):
        payload = cdr_payload(1)
        self.contract.journal_id = self.company_data["default_journal_sale"]
        settlement = self._settle(payload)
        invoice = settlement.move_ids
        journal = self.env["emsp.exception"]
        self._receive(credit_of(payload), received_at=LOCK)
        journal._update_disputed_paid(LOCK)
        self.assertFalse(self._disputed_paid(), "the invoice is not paid yet")
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=invoice.ids
        ).create({})._create_payments()
        for __ in range(2):
            journal._update_disputed_paid(LOCK)
        fact = self._disputed_paid()
        self.assertEqual((len(fact), fact.amount, fact.move_id), (1, 6.4, invoice))
        self.assertEqual((fact.contract_id, fact.severity), (self.contract, "warning"))
        credit = self._cdrs().filtered("is_credit")
        credit.sudo()._void("Taken back by mistake.")
        journal._update_disputed_paid(LOCK)
        self.assertEqual(fact.state, "closed")

    def test_session_taken_back_of_an_invoice_that_was_only_credited_is_not_told_as_paid(self):
        payload = cdr_payload(1)
        self.contract.journal_id = self.company_data["default_journal_sale"]
        invoice = self._settle(payload).move_ids
        self._receive(credit_of(payload), received_at=LOCK)
        # 5.00 of 7.36: Odoo calls an invoice that is set off whole reversed.
        note = self.env["account.move"].create(
            {
                "move_type": "out_refund",
                "partner_id": invoice.partner_id.id,
                "invoice_date": invoice.invoice_date,
                "invoice_line_ids": [
                    Command.create({"name": "Allowance", "price_unit": 5.0, "tax_ids": [Command.clear()]})
                ],
            }
        )
        note.action_post()
        items = (invoice + note).line_ids.filtered(
            lambda item: item.account_id.account_type == "asset_receivable"
        )
        items.reconcile()
        self.assertEqual(invoice.payment_state, "partial")
        self.env["emsp.exception"]._update_disputed_paid(LOCK)
        self.assertFalse(self._disputed_paid())

    def _annex_that_differs(self):
        move = type(self.env["account.move"])
        return patch.object(move, "_sum_of_sessions", lambda move: Decimal("8.00"))

    def _open_kinds(self, settlement):
        found = self.env["emsp.exception"].search(
            [("settlement_id", "=", settlement.id), ("state", "=", "open")]
        )
        return found.mapped("kind")

    def _disputed_paid(self):
        return self.env["emsp.exception"].search(
            [("contract_id", "=", self.contract.id), ("kind", "=", "disputed_paid"), ("state", "=", "open")]
        )
