import io
from base64 import b64decode
from datetime import date, datetime

from openpyxl import load_workbook
from psycopg2.errors import UniqueViolation

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..core.dispute import OPENER
from .common import cdr_payload
from .dispute_common import DisputeCommon
from .settlement_common import CUT_OFF, LOCK, credit_of, priced

OCTOBER, NOVEMBER = date(2026, 10, 31), date(2026, 11, 30)
# The closing of October is done on the 5th of November.
CLOSING = datetime(2026, 11, 5, 9, 0)
# What comes in October of then is held.
JUNE = datetime(2026, 6, 5, 8, 0)


class AccrualCommon(DisputeCommon):
    """One session costs 6.40 (10 kWh), 10.30 (20 kWh) or 14.20 (30 kWh)."""

    def _accrual(self, day=OCTOBER, known_at=CLOSING, **vals):
        return self.env["emsp.accrual"].create(
            {"company_id": self.company.id, "date": day, "known_at": known_at, **vals}
        )

    def _line(self, accrual, contract=None):
        return accrual.line_ids.filtered(lambda line: line.contract_id == (contract or self.contract))

    def _figures(self, accrual):
        line = self._line(accrual)
        names = ("unbilled", "disputed", "late", "credited", "accrued", "held")
        return tuple(line[f"amount_{name}"] for name in names)


@tagged("post_install", "-at_install")
class TestAccrual(AccrualCommon):
    def test_sessions_that_ended_by_the_date_and_are_not_invoiced_are_unbilled(self):
        # October ends in Paris on the 31st at 23:00 UTC: the second session ends then, and is November's.
        self._receive(
            priced(1, 6.4),
            priced(2, 6.4, start=datetime(2026, 10, 31, 22, 29)),
            priced(3, 6.4, start=datetime(2026, 10, 31, 22, 30)),
            received_at=datetime(2026, 11, 1),
        )
        # 2 x 6.40
        self.assertEqual(self._figures(self._accrual()), (12.8, 0, 0, 0, 12.8, 0))

    def test_title_has_the_date_as_the_reader_writes_it(self):
        accrual = self._accrual()
        self.assertEqual(accrual.name, "Accruals at 10/31/2026")
        self.env["res.lang"]._activate_lang("en_GB")
        self.assertEqual(accrual.with_context(lang="en_GB").name, "Accruals at 31/10/2026")

    def test_each_contract_ends_the_day_in_its_own_time_zone(self):
        self.contract.time_zone = "America/New_York"
        self._receive(priced(3, 6.4, start=datetime(2026, 10, 31, 22, 30)), received_at=datetime(2026, 11, 1))
        self.assertEqual(self._figures(self._accrual())[0], 6.4)

    def test_invoice_of_the_next_month_leaves_the_session_in_this_ones_books(self):
        settlement = self._settle(cdr_payload())
        self.assertEqual(settlement.move_id.invoice_date, date(2026, 11, 10))
        after = datetime(2026, 12, 3)
        self.assertEqual(self._figures(self._accrual(OCTOBER, after))[0], 6.4)
        self.assertFalse(self._accrual(NOVEMBER, after).line_ids)

    def test_invoice_that_is_no_longer_posted_bills_nothing(self):
        self.contract.journal_id = self.company_data["default_journal_sale"]
        settlement = self._settle(cdr_payload())
        settlement.move_id.button_draft()
        self.assertEqual(self._figures(self._accrual(NOVEMBER, datetime(2026, 12, 3)))[0], 6.4)

    def test_cdr_that_came_after_the_date_belongs_to_the_books_of_its_session(self):
        self._receive(cdr_payload(), received_at=datetime(2026, 11, 2, 9, 0))
        self.assertEqual(self._figures(self._accrual())[0], 6.4)

    def test_cdr_that_was_not_known_yet_does_not_count(self):
        self._receive(cdr_payload(), received_at=datetime(2026, 11, 5, 9, 0, 1))
        self.assertFalse(self._accrual().line_ids)

    def test_held_cdrs_stand_apart_and_are_not_accrued(self):
        # More than 90 days old when it came: held, and it has a price.
        self._receive(cdr_payload(1, start=JUNE), priced(2, 10.3, energy=20.0))
        accrual = self._accrual()
        self.assertEqual(self._figures(accrual), (10.3, 0, 0, 0, 10.3, 6.4))
        line = self._line(accrual)
        self.assertEqual((line.cdr_count, line.held_count), (1, 1))

    def test_cdr_released_after_the_closing_was_held_at_it(self):
        cdr = self._receive(cdr_payload(1, start=JUNE))
        cdr._release(datetime(2026, 11, 6))
        self.assertEqual(self._figures(self._accrual()), (0, 0, 0, 0, 0, 6.4))
        # Visible on the 6th: after the list of October had closed.
        self.assertEqual(
            self._figures(self._accrual(date(2026, 11, 1), datetime(2026, 11, 7))), (0, 0, 6.4, 0, 6.4, 0)
        )

    def test_dispute_counts_while_it_was_open(self):
        __, (first, second) = self._in_control()
        dispute = self._dispute(first, at=datetime(2026, 11, 4, 12))
        dispute._step("withdrawn", OPENER, at=datetime(2026, 11, 5, 12))
        self.assertEqual(second.state, "open")
        # At 9:00 on the 5th it was open; a day before and a day later it was not.
        self.assertEqual(self._figures(self._accrual()), (10.3, 6.4, 0, 0, 16.7, 0))
        before = self._accrual(date(2026, 10, 30), datetime(2026, 11, 4, 9))
        self.assertEqual(self._figures(before), (16.7, 0, 0, 0, 16.7, 0))
        later = self._accrual(date(2026, 10, 29), datetime(2026, 11, 6, 9))
        self.assertEqual(self._figures(later), (16.7, 0, 0, 0, 16.7, 0))

    def test_session_that_missed_the_list_of_its_period_is_late(self):
        self._receive(cdr_payload(1))
        self._run_due(CUT_OFF)
        # A second after the cut-off; the first one is on the list that locks on the 10th.
        late = self._receive(priced(2, 10.3, energy=20.0), received_at=datetime(2026, 11, 2, 23, 0, 1))
        self.assertFalse(late.is_late)
        self.assertEqual(self._figures(self._accrual()), (6.4, 0, 10.3, 0, 16.7, 0))
        # When it is on November's list it is late all the same, and the only one left at its end.
        for as_of in (LOCK, datetime(2026, 12, 2, 23, 0)):
            self._run_due(as_of)
        self.assertTrue(late.is_late)
        self.assertEqual(
            self._figures(self._accrual(NOVEMBER, datetime(2026, 12, 3))), (0, 0, 10.3, 0, 10.3, 0)
        )
        # The closing of October counted again, as known then.
        self.assertEqual(
            self._figures(self._accrual(date(2026, 10, 30), CLOSING)), (6.4, 0, 10.3, 0, 16.7, 0)
        )

    def test_credit_of_a_locked_session_is_negative_until_it_is_billed(self):
        payload = cdr_payload(1)
        self._settle(payload)
        self._receive(credit_of(payload), received_at=datetime(2026, 11, 20))
        november = self._accrual(NOVEMBER, datetime(2026, 12, 3))
        # The original is on the invoice of 10 November; only its credit is left.
        self.assertEqual(self._figures(november), (0, 0, 0, -6.4, -6.4, 0))

    def test_list_that_sums_to_zero_leaves_nothing_behind(self):
        payload = cdr_payload(1)
        self._settle(payload)
        start = datetime(2026, 11, 10, 8, 0)
        self._receive(credit_of(payload), cdr_payload(5, start=start), received_at=datetime(2026, 11, 20))
        for as_of in (datetime(2026, 12, 2, 23, 0), datetime(2026, 12, 9, 23, 0)):
            self._run_due(as_of)
        november = self._settlement(11)
        self.assertEqual((november.state, november.move_id.id), ("settled", False))
        # Settled on 10 December: still in the books of November, gone from those of December.
        at = datetime(2027, 1, 4)
        self.assertEqual(self._figures(self._accrual(NOVEMBER, at)), (6.4, 0, 0, -6.4, 0, 0))
        self.assertFalse(self._accrual(date(2026, 12, 31), at).line_ids)

    def test_void_cdrs_are_in_no_column(self):
        self._receive(cdr_payload())._void("Test charge.")
        self.assertFalse(self._accrual().line_ids)

    def test_every_cdr_is_in_exactly_one_column(self):
        payloads = [
            priced(1, 6.4),
            priced(2, 10.3, energy=20.0),
            cdr_payload(3, start=JUNE),
        ]
        __, cdrs = self._in_control(*payloads)
        self._dispute(cdrs[0], at=datetime(2026, 11, 4))
        late = self._receive(priced(4, 14.2, energy=30.0), received_at=datetime(2026, 11, 3))
        self._dispute(late, at=datetime(2026, 11, 4))
        domains = self.env["emsp.cdr"]._accrual_domains(self.contract, OCTOBER, CLOSING)
        found = {column: self.env["emsp.cdr"].search(domain) for column, domain in domains.items()}
        self.assertEqual(sum(len(records) for records in found.values()), 4)
        self.assertEqual(self.env["emsp.cdr"].union(*found.values()), cdrs | late)
        # Late and disputed: disputed comes first.
        self.assertEqual(found["disputed"], cdrs[0] | late)
        line = self._line(self._accrual())
        # 6.40 + 10.30 + 14.20
        self.assertEqual(line.amount_accrued, 30.9)

    def test_figures_lead_to_their_sessions(self):
        held, billable = self._receive(cdr_payload(1, start=JUNE), priced(2, 10.3, energy=20.0))
        line = self._line(self._accrual())
        user = self._user("emsp_clearing.emsp_clearing_group_user")
        own = line.with_user(user).sudo(False)
        for column, expected in (("held", held), ("unbilled", billable), (None, billable)):
            action = own.with_context(column=column).action_view_cdrs()
            with self.subTest(column=column):
                cdrs = self.env["emsp.cdr"].with_user(user).sudo(False).search(action["domain"])
                self.assertEqual(cdrs.sudo(), expected.sudo())

    def test_figures_of_another_company_lead_nowhere(self):
        self._receive(cdr_payload())
        line = self._line(self._accrual())
        other = self.env["res.company"].create({"name": "Other CPO"})
        stranger = self._user("emsp_clearing.emsp_clearing_group_manager", other)
        cdrs = self.env["emsp.cdr"].with_user(stranger).sudo(False)
        self.assertFalse(cdrs.search([("accrual_slice", "in", [f"{line.id}:unbilled"])]))
        with self.assertRaises(AccessError):
            line.with_user(stranger).sudo(False).read(["amount_unbilled"])

    def test_number_of_queries_does_not_grow_with_contracts_and_cdrs(self):
        self._receive(*(cdr_payload(number) for number in range(1, 4)))
        counts = []
        accrual = self._accrual()
        # What is kept between requests is read once.
        accrual._prepare_lines()
        for batch in (1, 2):
            for number in range(batch * 10, batch * 10 + 5):
                partner = self.partner.copy({"name": f"Partner {number}"})
                contract = self._create_contract(partner, "DE", f"P{number}")
                token = {**cdr_payload()["cdr_token"], "party_id": f"P{number}"}
                self._receive(cdr_payload(number, cdr_token=token))
                self.assertTrue(self.env["emsp.cdr"].search_count([("contract_id", "=", contract.id)]))
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            accrual._prepare_lines()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[1], counts[0])

    def test_one_accrual_per_company_and_date(self):
        self._accrual()
        with mute_logger("odoo.sql_db"), self.assertRaises(UniqueViolation):
            self._accrual()

    def test_figures_are_counted_and_not_typed(self):
        self._receive(cdr_payload())
        line = self._line(self._accrual())
        with self.assertRaisesRegex(UserError, "are counted"):
            line.amount_unbilled = 1000.0
        with self.assertRaises(AccessError):
            line.with_user(self._user("emsp_clearing.emsp_clearing_group_manager")).sudo(False).unlink()

    def test_date_is_the_last_of_the_month_before(self):
        today = date.today()
        last = self.env["emsp.accrual"]._default_date()
        self.assertEqual((last.day >= 28, last < today.replace(day=1)), (True, True))
        self.assertEqual((today.replace(day=1) - last).days, 1)

    def test_spreadsheet_has_a_row_per_contract_and_the_totals(self):
        self._in_control()
        self._dispute(self._cdrs()[0], at=datetime(2026, 11, 4))
        accrual = self._accrual()
        sheet = load_workbook(io.BytesIO(b64decode(accrual.sheet))).active
        rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
        self.assertIn("Accruals of", rows[0][0])
        heads, line, total = rows[3], rows[4], rows[5]
        self.assertEqual(
            heads[5:11], ["Sessions", "Unbilled", "Disputed", "Late", "Credited after the lock", "To accrue"]
        )
        self.assertEqual(line[0], self.contract.display_name)
        self.assertEqual(line[5:11], [2, 10.3, 6.4, 0, 0, 16.7])
        self.assertEqual((total[0], total[5:11]), ("Total", [2, 10.3, 6.4, 0, 0, 16.7]))

    def _user(self, group, company=None):
        company = company or self.company
        return new_test_user(
            self.env,
            login=f"accrual_{group}_{company.id}",
            groups=f"base.group_user,{group}",
            company_id=company.id,
            company_ids=[(6, 0, company.ids)],
        )
