from datetime import datetime, timedelta

from freezegun import freeze_time

from odoo.tests import tagged

from .common import cdr_payload
from .portal_common import PortalCommon
from .settlement_common import CUT_OFF, LOCK


@tagged("post_install", "-at_install")
class TestPortalSettlements(PortalCommon):
    def _text(self, page):
        return " ".join(page.text_content().split())

    def _home(self):
        """:return: (text of the page, the counters that its script asks for)"""
        text = self._text(self._page("/my"))
        counters = self.make_jsonrpc_request(
            "/my/counters",
            {"counters": ["emsp_control_count", "emsp_settlement_count", "emsp_cdr_count"]},
        )
        return text, counters

    def test_home_says_what_waits_and_until_when(self):
        self._receive(cdr_payload())
        text, counters = self._home()
        self.assertNotIn("Open until", text)
        self.assertEqual(counters, {"emsp_control_count": 0, "emsp_settlement_count": 1, "emsp_cdr_count": 1})
        self._run_due(CUT_OFF)
        text, counters = self._home()
        self.assertIn("Open until 2026-11-10 00:00 Europe/Paris (2026-11-09 23:00 UTC)", text)
        self.assertEqual(counters["emsp_control_count"], 1)

    def test_countdown_is_that_of_the_next_deadline(self):
        self._receive(cdr_payload())
        settlement = self._settlement()
        for now, expected in (
            (CUT_OFF - timedelta(days=3, hours=4, minutes=5), "control opens in 3 days 4 h"),
            (CUT_OFF - timedelta(days=1, hours=1), "control opens in 1 day 1 h"),
            (CUT_OFF + timedelta(minutes=1), "control opens in 0 h 0 min"),
        ):
            self.assertEqual(settlement._portal_countdown(now), expected)
        self._run_due(CUT_OFF)
        self.assertEqual(settlement._portal_countdown(LOCK - timedelta(minutes=61)), "closes in 1 h 1 min")
        self._run_due(LOCK)
        self.assertEqual(settlement._portal_countdown(LOCK), "")

    def test_list_shows_period_totals_and_the_exact_instant(self):
        self._receive(cdr_payload(1), cdr_payload(2, minutes=60, energy=20.5))
        self._run_due(CUT_OFF)
        with freeze_time(LOCK - timedelta(days=2, hours=5)):
            page = self._page("/my/settlements?filterby=control")
        [row] = page.xpath("//tbody/tr")
        text = self._text(row)
        # 1.00 + 3.90 + 1.50 and 1.00 + 20.5 * 0.39 + 60 * 0.05 = 6.40 and 12.00 (11.995 rounded up)
        for part in (
            "2026-10-01 – 2026-10-31",
            "In control",
            "closes in 2 days 5 h",
            "2026-11-10 00:00 Europe/Paris (+01:00)",
            "2026-11-09 23:00 UTC",
            "30.500",
            "18.40 EUR",
        ):
            self.assertIn(part, text)
        self.assertIn("no settlements", self._text(self._page("/my/settlements?filterby=closed")))

    def test_unknown_sort_and_filter_count_as_none(self):
        page = self._page("/my/settlements?filterby=nonsense&sortby=1;drop")
        self.assertEqual(len(page.xpath("//tbody/tr")), 1)

    def test_page_shows_deadlines_components_and_places(self):
        elsewhere = cdr_payload(2, minutes=60, energy=20.5)
        elsewhere["cdr_location"].update(name="Gare", city="Lyon")
        self._receive(cdr_payload(1), elsewhere)
        self._run_due(CUT_OFF)
        settlement = self._settlement()
        text = self._text(self._page(f"/my/settlements/{settlement.id}"))
        for part in (
            "Cut-off: list closes, control opens 2026-11-03 00:00 Europe/Paris (+01:00) 2026-11-02 23:00 UTC",
            "Lock: control closes 2026-11-10 00:00 Europe/Paris (+01:00) 2026-11-09 23:00 UTC",
            "Invoice date 2026-11-10",
            # 10 and 20.5 kWh at 0.39, 30 and 60 minutes at 0.05, twice 1.00; the half cent that
            # rounding adds is spread over the components of its session.
            "Energy 2 30.50 kWh",
            "Charging time 2 90.00 min 4.50",
            "Session 2 2.00",
            "Gare, Lyon 1 20.500 12.00",
            "Parking Bellecour, Lyon 1 10.000 6.40",
        ):
            self.assertIn(part, text)
        self.assertNotIn("Invoice (PDF)", text)
        components = settlement._portal_components()
        self.assertAlmostEqual(sum(amount for *__, amount in components), 18.40)

    def test_page_while_collecting_counts_what_would_be_listed(self):
        self._receive(cdr_payload())
        settlement = self._settlement()
        settlement._refresh_totals()
        page = self._page(f"/my/settlements/{settlement.id}")
        self.assertEqual(self._figures(page), ["1", "10.000 kWh", "6.40 EUR"])
        self.assertIn("Energy 1 10.00 kWh 3.90", self._text(page))

    def test_page_after_the_lock_gives_the_list_hash_and_the_documents(self):
        settlement = self._settle(cdr_payload())
        page = self._page(f"/my/settlements/{settlement.id}")
        self.assertIn(settlement.list_hash, self._text(page))
        self.assertTrue(page.xpath(f"//a[@href='/my/settlements/{settlement.id}/annex']"))
        self.assertTrue(page.xpath(f"//a[@href='/my/cdrs?settlement={settlement.id}']"))


@tagged("post_install", "-at_install")
class TestPortalCdr(PortalCommon):
    def test_page_explains_the_price_and_proves_the_time(self):
        cdr = self._receive(cdr_payload(start=datetime(2026, 10, 24, 23, 30), minutes=120))
        text = " ".join(self._page(f"/my/cdrs/{cdr.id}").text_content().split())
        for part in (
            # The clock went back at 01:00 UTC in between.
            "Start 2026-10-25 01:30:00 +02:00 2026-10-24 23:30:00",
            "End 2026-10-25 02:30:00 +01:00 2026-10-25 01:30:00",
            "Time zone of the charger: Europe/Paris.",
            "Place Bellecour, Lyon, FRA",
            "DE*SMO*04A1B2C3D4E5F6",
            "1.00 per session",
            "0.39 per kWh",
            "0.05 per minute of charging",
            # 1.00 + 3.90 + 120 * 0.05
            "Net amount, rounded once 10.90 EUR",
            cdr.payload_sha256,
        ):
            self.assertIn(part, text)

    def test_chart_has_a_name_and_says_what_it_shows(self):
        payload = cdr_payload(energy=10.0)
        payload["charging_periods"] = [
            {
                "start_date_time": "2026-10-05T08:00:00Z",
                "dimensions": [{"type": "ENERGY", "volume": 8}, {"type": "TIME", "volume": 0.25}],
            },
            {
                "start_date_time": "2026-10-05T08:15:00Z",
                "dimensions": [{"type": "ENERGY", "volume": 2}, {"type": "TIME", "volume": 0.25}],
            },
        ]
        cdr = self._receive(payload)
        page = self._page(f"/my/cdrs/{cdr.id}")
        [svg] = page.xpath("//svg")
        self.assertEqual(svg.xpath("title/text()"), ["Energy over the charging periods"])
        text = " ".join(svg.xpath("desc")[0].text_content().split())
        self.assertEqual(text, "Rises from 0 kWh at 10:00 to 10.00 kWh at 10:30; charging periods: 2.")
        # Four fifths of the height in half of the width.
        self.assertEqual(cdr._portal_chart()["line"], "8.0,148.0 300.0,39.2 592.0,12.0")

    def test_cdr_without_energy_has_no_chart(self):
        cdr = self._receive(cdr_payload(energy=0.0))
        self.assertFalse(self._page(f"/my/cdrs/{cdr.id}").xpath("//svg"))

    def test_findings_are_told_in_words(self):
        cdr = self._receive(cdr_payload(total_cost={"excl_vat": 7.0}))
        self.assertTrue(cdr.finding_ids.message)
        page = self._page(f"/my/cdrs/{cdr.id}")
        self.assertEqual(
            page.xpath("//section[@aria-labelledby='emsp_findings']//li/text()"), [cdr.finding_ids.message]
        )

    def test_text_of_a_sender_stays_text(self):
        payload = cdr_payload()
        payload["cdr_location"]["name"] = "<script>alert(1)</script>"
        cdr = self._receive(payload)
        for url in ("/my/cdrs", f"/my/cdrs/{cdr.id}"):
            text = self._open(url).text
            self.assertNotIn("<script>alert(1)", text)
            self.assertIn("&lt;script&gt;alert(1)", text)

    def test_unknown_time_zone_is_told(self):
        cdr = self._receive(cdr_payload())
        cdr._store({"time_zone": "Mars/Olympus"})
        text = self._open(f"/my/cdrs/{cdr.id}").text
        self.assertIn("2026-10-05 08:00:00", text)

    def test_cdr_leads_to_its_neighbours_in_the_list(self):
        first, second = self._receive(cdr_payload(1), cdr_payload(2, start=datetime(2026, 10, 6)))
        self.assertEqual(self._listed(), ["CDR-2", "CDR-1"])
        text = self.url_open(f"/my/cdrs/{second.id}").text
        self.assertIn(f'href="/my/cdrs/{first.id}"', text)
