"""The whole chain by its public doors, each station checked by value.

The amounts are worked out by hand beside the sessions in script/support/story.py:

    Spree, month 2      9.95 + 6.45 + 20.74 + 17.86 = 55.00, VAT 0 % (reverse charge)
    Hexagone, month 1   13.80 + 9.20 = 23.00, with 20 % VAT 27.60
    Hexagone, month 2   8.73 + 14.88 + 4.15 = 27.76, VAT 5.552 -> 5.55, 33.31 in all
"""

import json
from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from types import SimpleNamespace

import pytest
from lxml import etree
from openpyxl import load_workbook
from pypdf import PdfReader
from support import story
from support.demo import HXM_MAIL, IBAN, SMO_MAIL
from support.ocpi_client import OcpiClient
from support.odoo_client import OdooError
from support.server import ROOT

PAIN_XSD = "odoo/addons/account_payment_sepa_credit_transfer/data/pain.001.001.09.xsd"
CII = {"ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"}
PAIN = {"p": "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"}


# --- The stations, each played once, in order ------------------------------------------


@pytest.fixture(scope="module")
def imported(demo):
    demo.connect()
    report = demo.import_first_month()
    demo.settle(demo.month.previous)
    return report


@pytest.fixture(scope="module")
def posted(demo, imported):
    return dict(demo.post_second_month())


@pytest.fixture(scope="module")
def in_control(demo, posted):
    """The two settlements of month 2 just before they lock."""
    demo.run_due(demo.month.cut_off)
    demo.run_due(demo.month.lock - timedelta(seconds=1))
    return {partner: demo.settlement(demo.month, partner) for partner in ("smo", "hxm")}


@pytest.fixture(scope="module")
def invoiced(demo, in_control):
    demo.run_due(demo.month.lock)
    settlements = {partner: demo.settlement(demo.month, partner) for partner in ("smo", "hxm")}
    return {partner: demo.invoice(settlement) for partner, settlement in settlements.items()}


@pytest.fixture(scope="module")
def mailed(demo, invoiced):
    """Attachments by partner and suffix."""
    smo, hxm = demo.receive_mail(SMO_MAIL), demo.receive_mail(HXM_MAIL, count=2)
    return {partner: {path.suffix: path for path in paths} for partner, paths in (("smo", smo), ("hxm", hxm))}


@pytest.fixture(scope="module")
def paid(demo, invoiced, mailed):
    statement = demo.bank_statement(invoiced["smo"], invoiced["hxm"])
    demo.import_statement(statement)
    return SimpleNamespace(statement=statement, again=demo.import_again(statement))


@pytest.fixture(scope="module")
def refunded(demo, paid):
    answer = demo.post_credit()
    demo.settle(demo.month.next)
    # The run of the next hour ends what was open until the credit was billed.
    demo.run_due(demo.month.next.lock + timedelta(hours=1))
    settlement = demo.settlement(demo.month.next, "smo")
    note = demo.invoice(settlement)
    return SimpleNamespace(answer=answer, settlement=settlement, note=note, transfer=demo.refund(note))


def cdrs(demo, *domain):
    fields = ["ocpi_id", "state", "amount_untaxed", "attach_reason", "contract_id", "explanation"]
    return demo.manager.search_read("emsp.cdr", list(domain), fields)


# --- CDRs in -------------------------------------------------------------------------------


def test_file_of_the_former_system_is_taken_and_its_bad_record_named(demo, imported):
    assert "2 new, 0 already known, 1 refused" in imported
    assert f"line 3 ({demo.run}-BROKEN): total_energy: expected a number, got 'a lot'" in imported
    [refused] = demo.manager.search_read(
        "emsp.ocpi.message", [["object_ocpi_id", "=", f"{demo.run}-BROKEN"]], ["path", "body", "is_refused"]
    )
    assert refused["path"] == "total_energy" and refused["is_refused"]
    assert json.loads(refused["body"])["total_energy"] == "a lot"


def test_first_month_is_billed_with_vat(demo, imported):
    move = demo.invoice(demo.settlement(demo.month.previous, "hxm"))
    assert (move["amount_untaxed"], move["amount_tax"], move["amount_total"]) == (23.00, 4.60, 27.60)


def test_new_cdr_is_answered_201_and_its_location_gives_it_back(demo, posted):
    for session in story.SECOND_MONTH:
        answer = posted[session.name]
        assert (answer.http_status, answer.status_code) == (201, 1000)
        assert demo.ocpi.get(answer.location).envelope["data"] == demo.payloads[session.name]


def test_repeated_cdr_is_answered_like_the_first_one_and_stored_once(demo, posted):
    first, again = posted["M2-SMO-1"], posted["the same CDR again"]
    assert (again.http_status, again.status_code, again.location) == (200, 1000, first.location)
    assert len(cdrs(demo, ["ocpi_id", "=", f"{demo.run}-M2-SMO-1"])) == 1


def test_same_id_with_other_content_is_refused_and_changes_nothing(demo, posted):
    answer = posted["the same id, other content"]
    assert answer.status_code == 2001 and not answer.is_taken
    assert f"{demo.run}-M2-SMO-1" in answer.envelope["status_message"]
    [cdr] = cdrs(demo, ["ocpi_id", "=", f"{demo.run}-M2-SMO-1"])
    assert cdr["amount_untaxed"] == 9.95


def test_bad_payload_is_refused_by_the_name_of_its_field(demo, posted):
    answer = posted["no total_cost"]
    assert (answer.http_status, answer.status_code) == (400, 2001)
    assert answer.envelope["status_message"].startswith("total_cost:")
    assert not cdrs(demo, ["ocpi_id", "=", f"{demo.run}-NOCOST"])


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"id": "\xff"}', b"null"])
def test_what_is_no_cdr_is_refused_without_a_traceback(posted, demo, body):
    answer = demo.ocpi.post_cdr(body)
    assert (answer.http_status, answer.status_code) == (400, 2001)
    assert "Traceback" not in answer.text


def test_unknown_token_gets_401(posted, server, demo):
    answer = OcpiClient(server.url, "no such token").post_cdr(demo.payloads["M2-SMO-1"])
    assert answer.http_status == 401
    assert "data" not in answer.envelope


def test_cdr_of_a_party_without_contract_is_kept_and_waits(demo, posted):
    assert posted["a party without contract"].http_status == 201
    [cdr] = cdrs(demo, ["ocpi_id", "=", f"{demo.run}-M2-XYZ-1"])
    assert (cdr["state"], cdr["attach_reason"], cdr["contract_id"]) == ("received", "no_contract", False)


def test_each_session_costs_what_its_contract_says(demo, posted):
    found = {cdr["ocpi_id"]: cdr for cdr in cdrs(demo, ["ocpi_id", "like", f"{demo.run}-M2-%"])}
    for session in story.SECOND_MONTH:
        cdr = found[f"{demo.run}-{session.name}"]
        assert f"{cdr['amount_untaxed']:.2f}" == session.net, session.name
        exact = sum(Decimal(segment["amount"]) for segment in cdr["explanation"]["segments"])
        assert abs(exact - Decimal(session.net)) <= Decimal("0.005"), session.name


# --- Control window, lock, invoice ----------------------------------------------------------


def test_list_is_complete_and_open_until_the_last_second_of_its_window(demo, in_control):
    assert (in_control["smo"]["state"], in_control["smo"]["cdr_count"]) == ("control", 4)
    assert (in_control["hxm"]["state"], in_control["hxm"]["cdr_count"]) == ("control", 3)
    assert f"{in_control['smo']['energy_kwh']:.2f}" == "88.09"  # 22.5 + 10.35 + 48.2 + 7.04
    assert not in_control["smo"]["move_id"]


def test_locked_list_becomes_one_posted_invoice(demo, in_control, invoiced):
    smo, hxm = invoiced["smo"], invoiced["hxm"]
    assert (smo["amount_untaxed"], smo["amount_tax"], smo["amount_total"]) == (55.00, 0.00, 55.00)
    assert (hxm["amount_untaxed"], hxm["amount_tax"], hxm["amount_total"]) == (27.76, 5.55, 33.31)
    assert {smo["state"], hxm["state"]} == {"posted"}
    day = demo.month.lock.astimezone(story.ZONE).date()
    assert smo["invoice_date"] == str(day)
    assert smo["invoice_date_due"] == str(day + timedelta(days=30))
    lines = {line["emsp_unit"]: line for line in invoice_lines(demo, smo)}
    # 4 x 0.50; 88.09 kWh x 0.42 = 36.9978; 200 min x 0.08
    assert {unit: line["price_subtotal"] for unit, line in lines.items()} == {
        "session": 2.00,
        "kwh": 37.00,
        "minute": 16.00,
    }
    assert (lines["kwh"]["emsp_quantity"], lines["kwh"]["emsp_unit_price"]) == (88.09, 0.42)


def invoice_lines(demo, move):
    return demo.accountant.search_read(
        "account.move.line",
        [["move_id.name", "=", move["name"]], ["display_type", "=", "product"]],
        ["emsp_unit", "emsp_quantity", "emsp_unit_price", "price_subtotal"],
    )


def test_running_the_day_again_bills_nothing_twice(demo, invoiced, mailed):
    before = demo.accountant.call("account.move", "search_count", [["emsp_settlement_id", "!=", False]])
    demo.run_due(demo.month.lock)
    after = demo.accountant.call("account.move", "search_count", [["emsp_settlement_id", "!=", False]])
    assert after == before
    assert len(demo.mailbox.wait_for(SMO_MAIL)) == 1


# --- Documents, as they arrive by mail ------------------------------------------------------


def test_one_mail_brings_invoice_annex_and_e_invoice(demo, invoiced, mailed):
    [message] = demo.mailbox.wait_for(SMO_MAIL)
    assert invoiced["smo"]["name"] in message["Subject"]
    assert set(mailed["smo"]) == {".pdf", ".xlsx", ".xml"}
    assert demo.settlement(demo.month, "smo")["sent_to"] == SMO_MAIL


def test_invoice_names_both_sides_the_sums_and_the_way_to_pay(invoiced, mailed):
    pages = PdfReader(mailed["smo"][".pdf"]).pages
    text = " ".join(" ".join(page.extract_text() for page in pages).split())
    for part in (
        f"Invoice number {invoiced['smo']['name']}",
        "Spree Mobility GmbH",
        "VAT: DE136695976",
        "VAT: FR23334175221",
        "IBAN FR76 3000 6000 0112 3456 7890 189",
        "BIC AGRIFRPP",
        "88.090 kWh 0.4200 Reverse charge 37.00 €",
        "Steuerschuldnerschaft des Leistungsempfängers",
        f"Page 1 of {len(pages)}",
    ):
        assert part in text, part


def test_annex_lists_the_sessions_and_adds_up_to_the_invoice(demo, invoiced, mailed):
    for partner, sessions in (("smo", 4), ("hxm", 3)):
        sheet = load_workbook(mailed[partner][".xlsx"])["Sessions"]
        header, *rows, total = sheet.iter_rows(values_only=True)
        column = {name: index for index, name in enumerate(header)}
        assert sheet.freeze_panes == "B2" and len(rows) == sessions
        for name, key in (("Net (EUR)", "untaxed"), ("Tax (EUR)", "tax"), ("Gross (EUR)", "total")):
            cents = [round(row[column[name]] * 100) for row in rows]
            assert sum(cents) == round(total[column[name]] * 100)
            assert sum(cents) == round(invoiced[partner][f"amount_{key}"] * 100), name
        tokens = [row[column["Token (masked)"]] for row in rows]
        assert all(token.startswith("****") and len(token.strip("*")) <= 4 for token in tokens)


def test_annex_shows_the_session_in_local_time(demo, mailed):
    sheet = load_workbook(mailed["smo"][".xlsx"])["Sessions"]
    header, first, *_ = sheet.iter_rows(values_only=True)
    row = dict(zip(header, first, strict=True))
    midnight = demo.month.start.astimezone(story.ZONE)
    assert row["Start (local)"] == midnight.replace(tzinfo=None)
    assert row["Offset at start"] == midnight.strftime("%z")[:3] + ":00"
    assert (row["kWh"], row["Duration (min)"], row["Place"]) == (22.5, 95, "Parking Bellecour")


def test_pdf_carries_the_e_invoice_with_the_same_sums(invoiced, mailed):
    embedded = PdfReader(mailed["smo"][".pdf"]).attachments["factur-x.xml"][0]
    assert embedded == mailed["smo"][".xml"].read_bytes()
    for partner, category in (("smo", "AE"), ("hxm", "S")):
        tree = etree.parse(BytesIO(mailed[partner][".xml"].read_bytes()))
        move = invoiced[partner]
        sums = "//ram:SpecifiedTradeSettlementHeaderMonetarySummation"
        assert one(tree, f"{sums}/ram:TaxBasisTotalAmount") == f"{move['amount_untaxed']:.2f}"
        assert one(tree, f"{sums}/ram:GrandTotalAmount") == f"{move['amount_total']:.2f}"
        header = "//ram:ApplicableHeaderTradeSettlement/ram:ApplicableTradeTax/ram:CategoryCode"
        assert one(tree, header) == category


def one(tree, path):
    [element] = tree.xpath(path, namespaces=CII)
    return element.text


# --- Bank in --------------------------------------------------------------------------------


def test_payment_is_matched_by_the_number_within_its_label(demo, paid):
    smo = demo.invoice(demo.settlement(demo.month, "smo"))
    assert (smo["payment_state"], smo["amount_residual"]) == ("paid", 0.0)
    demo.run_due(demo.month.lock + timedelta(days=13))
    assert demo.settlement(demo.month, "smo")["state"] == "settled"


def test_short_payment_leaves_its_gap_open(demo, paid):
    hxm = demo.invoice(demo.settlement(demo.month, "hxm"))
    assert (hxm["payment_state"], hxm["amount_residual"]) == ("partial", 5.00)
    [gap] = [row for row in demo.exceptions() if row["kind"] == "gap"]
    assert gap["amount"] == 5.00 and gap["move_id"][1].startswith(hxm["name"])


def test_same_statement_again_books_nothing(demo, paid):
    assert "already imported" in paid.again
    lines = demo.accountant.search_read(
        "account.bank.statement.line", [["statement_id", "!=", False]], ["amount"]
    )
    assert sorted(line["amount"] for line in lines) == [28.31, 55.00]


# --- Credit, refund, exceptions ---------------------------------------------------------------


def test_credit_cdr_of_an_invoiced_session_becomes_a_credit_note(demo, refunded):
    assert refunded.answer.http_status == 201
    assert refunded.settlement["amount_untaxed"] == -17.86
    assert (refunded.note["move_type"], refunded.note["amount_total"]) == ("out_refund", 17.86)


def test_refund_leaves_as_a_valid_transfer_file(refunded):
    [schema] = (ROOT / ".odoo/venv/lib").glob(f"python3*/site-packages/{PAIN_XSD}")
    tree = etree.parse(refunded.transfer)
    etree.XMLSchema(etree.parse(schema)).assertValid(tree)
    [amount] = tree.xpath("//p:CdtTrfTxInf/p:Amt/p:InstdAmt", namespaces=PAIN)
    assert (amount.text, amount.get("Ccy")) == ("17.86", "EUR")
    creditor = tree.findtext("//p:CdtTrfTxInf/p:CdtrAcct/p:Id/p:IBAN", namespaces=PAIN)
    assert creditor == "DE89370400440532013000"
    assert tree.findtext("//p:DbtrAcct/p:Id/p:IBAN", namespaces=PAIN) == IBAN
    assert refunded.note["name"] in tree.xpath("string(//p:CdtTrfTxInf/p:RmtInf)", namespaces=PAIN)


def test_exception_journal_shows_the_gap_the_late_invoice_and_the_changed_cdr(demo, refunded):
    first = demo.invoice(demo.settlement(demo.month.previous, "hxm"))
    # Which reference rates of late interest are missing depends on the day on which this test runs.
    rows = [row for row in demo.exceptions() if row["kind"] != "rate_missing"]
    found = {row["kind"]: row for row in rows}
    assert sorted(row["kind"] for row in rows) == ["cdr_conflict", "gap", "late"]
    assert found["late"]["move_id"][1].startswith(first["name"]) and found["late"]["amount"] == 27.60


def test_nothing_is_lost_and_nothing_billed_twice(demo, refunded):
    # 2 of the file, 7 posted, 1 credit; 1 has no contract
    assert demo.count_cdrs() == 11
    assert demo.count_cdrs(["state", "=", "invoiced"]) == 10
    moves = demo.accountant.search_read(
        "account.move", [["emsp_settlement_id", "!=", False]], ["amount_untaxed_signed"]
    )
    # 23.00 + 55.00 + 27.76 - 17.86
    assert round(sum(move["amount_untaxed_signed"] for move in moves), 2) == 87.90


# --- Rights ----------------------------------------------------------------------------------


def test_operator_cannot_change_what_was_billed(demo, server, database, refunded):
    operator = type(demo.accountant)(server.url, database, "operator", "operator")
    [cdr] = operator.search_read("emsp.cdr", [["ocpi_id", "=", f"{demo.run}-M2-SMO-1"]], ["id"])
    with pytest.raises(OdooError, match="cannot be changed"):
        operator.call("emsp.cdr", "write", [cdr["id"]], {"amount_untaxed": 0.0})
    with pytest.raises(OdooError, match="Private methods"):
        operator.call("emsp.cdr", "_store", [cdr["id"]], {"amount_untaxed": 0.0})
