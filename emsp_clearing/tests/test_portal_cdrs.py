from datetime import datetime

from odoo.tests import tagged
from odoo.tools import SQL

from .common import cdr_payload
from .portal_common import PortalCommon
from .settlement_common import CUT_OFF, credit_of


@tagged("post_install", "-at_install")
class TestPortalCdrs(PortalCommon):
    """Four CDRs: 6.40 at Bellecour, 12.00 with a finding at the station, its credit, and a late one."""

    def setUp(self):
        super().setUp()
        plain = cdr_payload(1, start=datetime(2026, 10, 5, 8, 0))
        odd = cdr_payload(2, start=datetime(2026, 10, 6, 8, 0), minutes=60, energy=20.5)
        odd["cdr_location"].update(name="Gare Part-Dieu", city="Lyon")
        odd["cdr_token"].update(uid="CARD-TWO", contract_id="DE-SMO-C00000002-X")
        odd["total_cost"] = {"excl_vat": 99.0}
        # Ends at 23:30 UTC: the next day in Paris.
        late = cdr_payload(3, start=datetime(2026, 10, 7, 23, 0))
        self.cdrs = self._receive(plain, odd, late)
        # Locked, so that its credit is a line of its own and does not neutralise it.
        self.cdrs[1]._store({"state": "locked"})
        self.cdrs |= self._receive(credit_of(odd))
        self.plain, self.odd, self.late, self.credit = self.cdrs.sorted("id")
        self.late._store({"is_late": True})

    def test_list_is_newest_first_and_sums_the_whole_selection(self):
        page = self._page("/my/cdrs")
        self.assertEqual(self._listed(), ["CDR-3", "CDR-C", "CDR-2", "CDR-1"])
        # 6.40 + 12.00 - 12.00 + 6.40, and 10 + 20.5 - 20.5 + 10 kWh
        self.assertEqual(self._figures(page), ["4", "20.000 kWh", "12.80 EUR"])

    def test_search_looks_in_all_that_names_a_session(self):
        for text, expected in (
            ("cdr-1", ["CDR-1"]),
            ("S-3", ["CDR-3"]),
            ("part-dieu", ["CDR-C", "CDR-2"]),
            ("E1001*1", ["CDR-1"]),
            ("CARD-TWO", ["CDR-C", "CDR-2"]),
            ("C00000002", ["CDR-C", "CDR-2"]),
            ("%2541", []),
            ("nothing", []),
        ):
            with self.subTest(text=text):
                self.assertEqual(self._listed(f"?search={text}"), expected)
        self.assertEqual(self._open("/my/cdrs?search=a%00b").status_code, 200)

    def test_state_filter(self):
        self.plain._store({"state": "disputed"})
        self.late._store({"state": "void"})
        self.assertEqual(self._listed("?state=disputed"), ["CDR-1"])
        self.assertEqual(self._listed("?state=void"), ["CDR-3"])
        self.assertEqual(self._listed("?state=open"), ["CDR-C"])
        self.assertEqual(self._listed("?state=locked"), ["CDR-2"])
        self.assertEqual(self._listed("?state=invoiced"), [])
        self.assertEqual(len(self._listed("?state=quarantine")), 4)

    def test_marks_can_be_combined(self):
        self.assertIn("CDR-2", self._listed("?finding=1"))
        self.assertNotIn("CDR-1", self._listed("?finding=1"))
        self.assertEqual(self._listed("?late=1"), ["CDR-3"])
        self.assertEqual(self._listed("?credit=1"), ["CDR-C"])
        self.assertEqual(self._listed("?credit=1&late=1"), [])

    def test_period_goes_by_days_of_the_contract(self):
        self.assertEqual(self._listed("?date_from=2026-10-08"), ["CDR-3"])
        self.assertEqual(self._listed("?date_from=2026-10-06&date_to=2026-10-07"), ["CDR-C", "CDR-2"])
        self.assertEqual(self._listed("?date_to=2026-10-05"), ["CDR-1"])
        for nonsense in ("2026-13-01", "0001-01-01", "9999-12-31", "x"):
            self.assertEqual(len(self._listed(f"?date_from={nonsense}&date_to={nonsense}")), 4)

    def test_settlement_filter(self):
        settlement = self._settlement()
        expected = ["CDR-3", "CDR-C", "CDR-1"]
        self.assertEqual(self._listed(f"?settlement={settlement.id}"), expected)
        self._run_due(CUT_OFF)
        self.assertEqual(settlement.cdr_ids, self.cdrs - self.odd)
        self.assertEqual(self._listed(f"?settlement={settlement.id}"), expected)
        self.assertEqual(self._listed(f"?settlement={settlement.id + 1000}"), [])
        foreign = self.env["emsp.settlement"].search([("partner_id", "=", self.stranger_partner.id)])
        self.assertTrue(foreign)
        for each in foreign:
            self.assertEqual(self._listed(f"?settlement={each.id}"), [])

    def test_sorting(self):
        for key, expected in (
            ("oldest", ["CDR-1", "CDR-2", "CDR-C", "CDR-3"]),
            ("amount", ["CDR-2", "CDR-3", "CDR-1", "CDR-C"]),
            ("energy", ["CDR-2", "CDR-3", "CDR-1", "CDR-C"]),
            ("cdr", ["CDR-1", "CDR-2", "CDR-3", "CDR-C"]),
            ("nonsense", ["CDR-3", "CDR-C", "CDR-2", "CDR-1"]),
        ):
            with self.subTest(sorting=key):
                self.assertEqual(self._listed(f"?sortby={key}"), expected)

    def test_groups_have_the_totals_of_the_whole_selection(self):
        for key, expected in (
            (
                "day",
                [
                    "2026-10-08 1 session, 10.000 kWh, 6.40 EUR",
                    "2026-10-06 2 sessions, 0.000 kWh, 0.00 EUR",
                    "2026-10-05 1 session, 10.000 kWh, 6.40 EUR",
                ],
            ),
            (
                "place",
                [
                    "Gare Part-Dieu 2 sessions, 0.000 kWh, 0.00 EUR",
                    "Parking Bellecour 2 sessions, 20.000 kWh, 12.80 EUR",
                ],
            ),
            (
                "charger",
                [
                    "FR*RVR*E1001*1 1 session, 10.000 kWh, 6.40 EUR",
                    "FR*RVR*E2*1 2 sessions, 0.000 kWh, 0.00 EUR",
                    "FR*RVR*E3*1 1 session, 10.000 kWh, 6.40 EUR",
                ],
            ),
            (
                "token",
                [
                    "04A1B2C3D4E5F6 1 session, 10.000 kWh, 6.40 EUR",
                    "04A1B2C3D4E5F6-3 1 session, 10.000 kWh, 6.40 EUR",
                    "CARD-TWO 2 sessions, 0.000 kWh, 0.00 EUR",
                ],
            ),
        ):
            page = self._page(f"/my/cdrs?groupby={key}")
            rows = page.xpath("//tr[contains(@class, 'o_emsp_group')]")
            with self.subTest(group=key):
                self.assertEqual([" ".join(row.text_content().split()) for row in rows], expected)

    def test_withdrawn_sessions_are_shown_and_not_counted(self):
        self.late._store({"state": "void"})
        page = self._page("/my/cdrs?groupby=day")
        self.assertEqual(self._figures(page), ["3", "10.000 kWh", "6.40 EUR"])
        text = " ".join(page.text_content().split())
        self.assertIn("1 withdrawn session is not counted: 10.000 kWh, 6.40 EUR", text)
        self.assertEqual(self._listed()[0], "CDR-3")

    def test_group_of_what_is_empty(self):
        self.cdrs._store({"location_name": False})
        [row] = self._page("/my/cdrs?groupby=place").xpath("//tr[contains(@class, 'o_emsp_group')]")
        self.assertEqual(" ".join(row.text_content().split()), "– 4 sessions, 20.000 kWh, 12.80 EUR")

    def test_each_currency_has_a_sum_of_its_own(self):
        dollar = self.env.ref("base.USD")
        self.late._store({"currency_id": dollar.id})
        page = self._page("/my/cdrs")
        blocks = [" ".join(block.text_content().split()) for block in page.xpath("//dl")]
        self.assertEqual(
            blocks,
            [
                "Sessions 3 Energy 10.000 kWh Net amount 6.40 EUR",
                "Sessions 1 Energy 10.000 kWh Net amount 6.40 USD",
            ],
        )

    def test_pages_keep_what_was_asked_for(self):
        self._copy(self.plain, 100)
        page = self._page("/my/cdrs?search=CDR&groupby=place&late=")
        self.assertEqual(len(page.xpath("//tr[contains(@class, 'emsp_cdr_row')]")), 50)
        [second] = page.xpath("//a[contains(@class, 'page-link') and text() = '2']/@href")
        self.assertEqual(second, "/my/cdrs/page/2?search=CDR&groupby=place")
        last = second.replace("page/2", "page/3")
        self.assertEqual(len(self._page(last).xpath("//tr[contains(@class, 'emsp_cdr_row')]")), 4)
        self.assertEqual(self._open(f"/my/cdrs/page/{10**30}").status_code, 200)

    def test_number_of_queries_does_not_hang_on_the_number_of_cdrs(self):
        self._copy(self.odd, 6)
        few = self._count_queries()
        self._copy(self.odd, 190, first=1000)
        self.assertEqual(self._count_queries(), few)

    def _count_queries(self):
        """SQL queries of the second look at the list, with findings on each row."""
        self._page("/my/cdrs?groupby=place")
        before = self.cr.sql_log_count
        self.assertTrue(self.url_open("/my/cdrs?groupby=place").ok)
        return self.cr.sql_log_count - before

    def _copy(self, cdr, count, first=100):
        """As many CDRs like it, findings included, as the database makes them."""
        cdr.flush_recordset()
        fields = [
            name
            for name, field in cdr._fields.items()
            if field.store and field.column_type and name not in ("id", "ocpi_id", "ocpi_key", "chain_index")
        ]
        self.cr.execute(
            SQL(
                """INSERT INTO emsp_cdr (%(columns)s, ocpi_id, ocpi_key, chain_index)
                   SELECT %(columns)s, 'CDR-N' || number, 'N' || number, 0
                     FROM emsp_cdr, generate_series(%(first)s, %(last)s) number WHERE id = %(cdr)s""",
                columns=SQL(", ").join(map(SQL.identifier, fields)),
                first=first,
                last=first + count - 1,
                cdr=cdr.id,
            )
        )
        self.cr.execute(
            """INSERT INTO emsp_cdr_finding
                      (cdr_id, company_id, contract_id, partner_id, code, severity, found_at)
               SELECT id, company_id, contract_id, partner_id, 'unpriced', 'note', received_at
                 FROM emsp_cdr WHERE ocpi_key LIKE 'N%%'
                  AND id NOT IN (SELECT cdr_id FROM emsp_cdr_finding)"""
        )
        self.env.invalidate_all()
