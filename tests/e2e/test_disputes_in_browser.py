"""An argument in a real browser: a partner finds what is wrong among ten thousand sessions and disputes it
by hand and by a spreadsheet; an operator settles it in bulk; the next invoice shows it, to the cent."""

import io
import json
import shutil
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook
from playwright.sync_api import expect, sync_playwright

ZONE = ZoneInfo("Europe/Paris")
COUNT = 10_000
# 10 kWh at 0.42 and 0.50 for the session.
NET = 4.70
# What the partner would pay: 5 kWh.
OWN = "2.60"
# Not the usual five seconds: other tests use the machine, too.
expect.set_options(timeout=60_000)
WRONG_PLACE = "Gare de Perrache"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class Week:
    """The last week whose window is open now, by the contract's clock: its list closed on a Wednesday."""

    def __init__(self, now):
        today = now.astimezone(ZONE).date()
        self.closed = today - timedelta(days=(today.weekday() - 2) % 7)
        self.first = self.closed - timedelta(days=9)

    def at(self, days, hours=0):
        """:return: aware UTC, so long after the local midnight of the week's Monday."""
        midnight = datetime.combine(self.first + timedelta(days=days), time(), ZONE)
        return (midnight + timedelta(hours=hours)).astimezone(UTC)


def cdr(run, number, start):
    """10 kWh in half an hour, at a charger and with a card of its own."""
    end = start + timedelta(minutes=30)
    text, energy = "%Y-%m-%dT%H:%M:%SZ", {"type": "ENERGY", "volume": 10.0}
    place = WRONG_PLACE if number in (17, 4711, 9998) else f"Parking {number % 50}"
    return {
        "country_code": "FR",
        "party_id": "RVR",
        "id": f"{run}-{number}",
        "start_date_time": start.strftime(text),
        "end_date_time": end.strftime(text),
        "session_id": f"{run}-S{number}",
        "cdr_token": {
            "country_code": "DE",
            "party_id": "SMO",
            "uid": f"04{number:08X}",
            "type": "RFID",
            "contract_id": f"DE-SMO-C{number:08}-5",
        },
        "auth_method": "WHITELIST",
        "cdr_location": {
            "id": f"LOC{number % 50}",
            "name": place,
            "address": "Place Bellecour",
            "city": "Lyon",
            "postal_code": "69002",
            "country": "FRA",
            "coordinates": {"latitude": "45.757800", "longitude": "4.832000"},
            "evse_uid": f"E{number}",
            "evse_id": f"FR*RVR*E{number}",
            "connector_id": "1",
            "connector_standard": "IEC_62196_T2",
            "connector_format": "SOCKET",
            "connector_power_type": "AC_3_PHASE",
        },
        "currency": "EUR",
        "charging_periods": [{"start_date_time": start.strftime(text), "dimensions": [energy]}],
        "total_cost": {"excl_vat": NET},
        "total_energy": 10.0,
        "total_time": 0.5,
        "last_updated": end.strftime(text),
    }


@pytest.fixture(scope="module")
def week(demo):
    """A week of ten thousand sessions, listed, in the partner's window."""
    week = Week(demo.now)
    contract = demo.admin.ref("emsp_clearing.emsp_contract_smo_demo")
    demo.manager.call("emsp.contract", "write", [contract], {"frequency": "weekly"})
    demo.run_due(week.at(1))
    path = demo.results / "week.jsonl"
    lines = (
        json.dumps(cdr(demo.run, number, week.at(0, 1) + timedelta(seconds=40 * number)))
        for number in range(COUNT)
    )
    path.write_text("\n".join(lines))
    received = week.at(6).strftime("%Y-%m-%dT%H:%M:%SZ")
    demo.server.command("emsp", "import", "--connection", "FR*RVR", "--received-at", received, str(path))
    demo.admin.wait_for_jobs(400)
    demo.run_due(week.at(9))
    return week


@pytest.fixture(scope="module")
def browser():
    executable = next(filter(None, map(shutil.which, BROWSERS)))
    with sync_playwright() as playwright:
        # Root, as in a container, has no sandbox.
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield browser
        browser.close()


def log_in(browser, demo, login):
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.set_default_timeout(60_000)
    page.goto(f"{demo.server.url}/web/login")
    page.fill("input[name=login]", login)
    page.fill("input[name=password]", login)
    page.click("button[type=submit]")
    page.wait_for_url(lambda url: "/web/login" not in url)
    return page


def settlement_of(demo, week, weeks_later=0):
    first = week.first + timedelta(weeks=weeks_later)
    names = [
        "id",
        "name",
        "state",
        "cdr_count",
        "amount_untaxed",
        "disputed_count",
        "disputed_amount",
        "move_id",
    ]
    contract = demo.admin.ref("emsp_clearing.emsp_contract_smo_demo")
    domain = [["contract_id", "=", contract], ["date_first", "=", str(first)]]
    [row] = demo.manager.search_read("emsp.settlement", domain, names)
    return row


def disputes(demo):
    return demo.manager.search_read("emsp.dispute", [], ["state", "reason", "own_amount", "source"])


def test_partner_disputes_three_that_it_searched_for(demo, week, browser):
    assert settlement_of(demo, week)["cdr_count"] == COUNT
    page = log_in(browser, demo, "partner")
    page.goto(f"{demo.server.url}/my/cdrs")
    page.fill("input[name=search]", "perrache")
    page.press("input[name=search]", "Enter")
    rows = page.locator("tr.emsp_cdr_row")
    expect(rows).to_have_count(3)
    for row in rows.all():
        row.locator("input[name=cdr_ids]").check()
    page.click("button:has-text('Dispute the chosen sessions')")
    page.select_option("select[name=reason]", "energy")
    page.fill("textarea[name=explanation]", "The display stopped at 5 kWh; see the photos.")
    for amount in page.locator("input[name^=own_amount_]").all():
        amount.fill(OWN)
    page.click("main button[type=submit]")
    page.wait_for_url("**/my/disputes**")
    opened = disputes(demo)
    assert [(row["state"], row["reason"], row["own_amount"]) for row in opened] == [
        ("opened", "energy", 2.6)
    ] * 3
    settlement = settlement_of(demo, week)
    # 9,997 x 4.70 and 3 x 4.70
    assert (settlement["cdr_count"], settlement["amount_untaxed"]) == (9_997, 46_985.9)
    assert (settlement["disputed_count"], settlement["disputed_amount"]) == (3, 14.1)


def test_partner_disputes_forty_more_by_a_spreadsheet(demo, week, browser):
    settlement = settlement_of(demo, week)
    address = f"{demo.server.url}/my/settlements/{settlement['id']}/dispute-sheet"
    page = log_in(browser, demo, "partner")
    content = page.request.get(f"{address}.xlsx", timeout=120_000).body()
    filled = fill_in(content, range(1000, 1040), demo.run)
    page.goto(address)
    page.set_input_files("input[type=file]", {"name": "disputes.xlsx", "mimeType": "", "buffer": filled})
    page.click("main form:has(input[type=file]) button[type=submit]")
    page.click("main form:has(input[name=rows]) button[type=submit]")
    page.wait_for_url("**/my/disputes**")
    by_sheet = [row for row in disputes(demo) if row["source"] == "sheet"]
    assert [(row["state"], row["reason"], row["own_amount"]) for row in by_sheet] == [
        ("opened", "price", 2.6)
    ] * 40


def fill_in(content, numbers, run):
    """Write a reason and an amount beside the CDRs with these numbers. :return: the workbook's bytes."""
    book = load_workbook(io.BytesIO(content))
    wanted = {f"{run}-{number}" for number in numbers}
    filled = 0
    for sheet in book:
        heads = {}
        for row in sheet.iter_rows():
            texts = {cell.column: cell.value for cell in row if isinstance(cell.value, str)}
            if "Dispute reason" in texts.values():
                # The amount's head names the currency.
                heads = {text.partition(" (")[0]: column for column, text in texts.items()}
            elif heads and wanted & set(texts.values()):
                sheet.cell(row[0].row, heads["Dispute reason"], "price")
                sheet.cell(row[0].row, heads["Comment"], "Your offer was 0.21 per kWh.")
                sheet.cell(row[0].row, heads["Own amount"], float(OWN))
                filled += 1
    assert filled == len(wanted)
    output = io.BytesIO()
    book.save(output)
    return output.getvalue()


def test_operator_settles_all_of_them_at_once(demo, week, browser):
    page = log_in(browser, demo, "operator")
    page.goto(f"{demo.server.url}/odoo/emsp-disputes")
    expect(page.locator(".o_data_row")).to_have_count(43)
    page.click("thead .o_list_record_selector input")
    page.click(".o_control_panel button:has-text('Correct')")
    page.fill(".modal div[name=words] textarea", "Agreed: half of it.")
    page.click(".modal footer button.btn-primary")
    expect(page.locator(".modal")).to_have_count(0)
    demo.admin.wait_for_jobs(300)
    assert {row["state"] for row in disputes(demo)} == {"corrected"}


def test_invoices_show_the_result_to_the_cent(demo, week):
    demo.run_due(week.at(16))
    first = settlement_of(demo, week)
    # 10,000 - 43 = 9,957 sessions of 4.70
    assert demo.invoice(first)["amount_untaxed"] == 46_797.9
    assert (first["cdr_count"], first["disputed_count"]) == (9_957, 0)
    demo.run_due(week.at(23))
    second = settlement_of(demo, week, weeks_later=1)
    # 43 sessions of 2.60
    assert (second["cdr_count"], demo.invoice(second)["amount_untaxed"]) == (43, 111.8)
