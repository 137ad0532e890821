"""MT940 in the dialects of the banks; every file here is made by hand after the banks' descriptions."""

from datetime import date
from decimal import Decimal

import pytest
from emsp_core.bank_text import BankText, read_bank_text
from emsp_core.errors import StatementError
from emsp_core.mt940_statements import Entry, Statement, is_mt940, read_mt940

SWIFT = """{1:F01BNPAFRPPAXXX0000000000}{2:I940EMSPFRPPXXXXN}{4:
:20:STMT161126
:25:FR7630006000011234567890189
:28C:00221/001
:60F:C261113EUR1000,00
:61:2611161116C250,00NTRFINV/2026/00012//BNP261116001
:86:BETA LADEN GMBH SETTLEMENT OCTOBER
:61:2611161116D12,50NCHGNONREF//BNP261116002
:86:FEES
:62F:C261116EUR1237,50
-}
"""
GERMAN = """:20:STARTUMS
:25:10020030/1234567
:28C:5/1
:60F:C261113EUR2187,95
:61:2611161116CR1240,50NTRFKREF+//0724710345313905
:86:166?00SEPA-GUTSCHRIFT?109310?20EREF+RB-4711?21SVWZ+Rechnung INV/2026/000?2212 und IN
V/2026/00013?30COBADEFFXXX?31DE02100700009876543210?32BETA LADEN GMBH?33
 BERLIN
:61:2611161116DR415,25N109NONREF
:86:109?00SEPA-LS RUECKLASTSCHR.?20EREF+INV/2026/00014?21SVWZ+Ruecklastschrift RETURN: AC
04 KONTO AUFGELOEST?31DE02100700009876543210?32BETA LADEN GMBH?34901
:62F:C261116EUR3013,20
-
"""
ABN_AMRO = """ABNANL2A
940
ABNANL2A
:20:ABN AMRO BANK NV
:25:517852257
:28:19322/1
:60F:C261115EUR100,00
:61:2611161116C2310,N654NONREF
:86:/TRTP/SEPA OVERBOEKING/IBAN/NL83ABNA0412345678/BIC/ABNANL2A/NAME/
DELTA MOBILITY BV/REMI/FACTUUR INV/2026/00021/EREF/NOTPROVIDED
:61:2611161116C99,9N654NONREF
:86:SEPA OVERBOEKING                 IBAN: NL83ABNA0412345678
BIC: ABNANL2A                    NAAM: DELTA MOBILITY BV
OMSCHRIJVING: FACTUUR INV/2026/00022
:62F:C261116EUR2509,9
-
"""
ING = """:20:P261116000000001
:25:NL20INGB0001234567EUR
:28C:00000
:60F:C261115EUR0,00
:61:2611161116C564,35NTRFEREF//00000000001005
/TRCD/00100/
:86:/EREF/EV12341REP1231456T1234//CNTP/NL32INGB0000012345/INGBNL2A/IN
G BANK NV INZAKE WEB///REMI/USTD//INV/2026/00021/
:61:2611161116C100,00NTRFEREF//00000000001006
:86:/EREF/NOTPROVIDED//CNTP/NL32INGB0000012345/INGBNL2A/DELTA///REMI/STRD/CUR/RF74202600021/
:62F:C261116EUR664,35
:86:/SUM/2/2/0,00/664,35/
-
"""
RABOBANK = """:940:
:20:940S261116
:25:NL71RABO0123456789 EUR
:28C:26221
:60F:C261115EUR000000001000,00
:61:261116C000000000025,00N541EREF
NL83ABNA0412345678
:86:/EREF/RB-1/ORDP//NAME/DELTA MOBILITY BV/REMI/INV/2026/00022/ISDT/2026-11-16
:61:261116D000000000010,00N544NONREF
:86:/RTRN/MD06/BENM//NAME/DELTA MOBILITY BV/REMI/Refund
:62F:C261116EUR000000001015,00
"""
FRENCH = """:20:9400123456
:25:FR7630006000011234567890189
:28C:221
:60F:C261113EUR500,00
:61:2611161116C1785,40NTRFNONREF
:86:VIR SEPA RECU /DE RECHARGE ALPES SAS /MOTIF FACTURE INV/2026/00031
/REF RA-5571
:61:2611161116C12,00NTRFNONREF
:86:VIR RECHARGE ALPES SAS
:62F:C261116EUR2297,40
"""
TRIODOS = """:20:1308728725026/1
:25:TRIODOSBANK/0390123456
:28:1
:60F:C261113EUR100,00
:61:261116C15,70N000NONREF
:86:000>100987654321>20FACTUUR INV/2026/000>2122>310390123456>32DELTA
:62F:C261116EUR115,70
-
"""


def read(text: str, encoding: str = "utf-8") -> list[Statement]:
    content = text.encode(encoding)
    assert is_mt940(content)
    return read_mt940(content)


def entries(text: str) -> tuple[Entry, ...]:
    (statement,) = read(text)
    counted = statement.opening + sum(entry.amount for entry in statement.entries)
    assert counted == statement.closing
    return statement.entries


def test_swift_statement_with_its_envelope() -> None:
    (statement,) = read(SWIFT)
    assert (statement.account, statement.currency) == ("FR7630006000011234567890189", "EUR")
    assert (statement.number, statement.day) == ("00221/001", date(2026, 11, 16))
    paid, fee = entries(SWIFT)
    assert (paid.line, paid.amount, paid.reference) == (6, Decimal("250.00"), "INV/2026/00012")
    assert paid.text == BankText("BETA LADEN GMBH SETTLEMENT OCTOBER")
    assert (fee.amount, fee.reference, fee.bank_code) == (Decimal("-12.50"), "", "NCHG")


def test_german_sub_fields_are_joined_where_the_bank_broke_them() -> None:
    (statement,) = read(GERMAN)
    # As the IBAN has it: bank code, account in ten digits.
    assert statement.account == "100200300001234567"
    paid, returned = entries(GERMAN)
    assert paid.text.label == "Rechnung INV/2026/00012 und INV/2026/00013"
    assert paid.text.payer == "BETA LADEN GMBH BERLIN"
    assert (paid.text.account, paid.text.end_to_end_id) == ("DE02100700009876543210", "RB-4711")
    assert (paid.bank_code, paid.text.return_reason) == ("166", "")
    assert (returned.amount, returned.text.end_to_end_id) == (Decimal("-415.25"), "INV/2026/00014")
    assert (returned.bank_code, returned.text.return_reason) == ("109", "AC04")


def test_dutch_code_words_and_their_older_form() -> None:
    new, old = entries(ABN_AMRO)
    expected = BankText("FACTUUR INV/2026/00021", payer="DELTA MOBILITY BV", account="NL83ABNA0412345678")
    assert new.text == expected
    assert (old.text.label, old.text.payer) == ("FACTUUR INV/2026/00022", "DELTA MOBILITY BV")
    assert old.text.account == "NL83ABNA0412345678"


def test_ing_names_the_payer_in_one_word_and_sums_after_the_closing_balance() -> None:
    plain, structured = entries(ING)
    assert plain.text.payer == "ING BANK NV INZAKE WEB"
    assert plain.text.account == "NL32INGB0000012345"
    assert (plain.text.label, plain.text.end_to_end_id) == ("INV/2026/00021", "EV12341REP1231456T1234")
    assert (structured.text.creditor_reference, structured.text.end_to_end_id) == ("RF74202600021", "")
    assert "SUM" not in structured.note


def test_rabobank_gives_the_account_beside_the_entry_and_the_reason_of_a_return() -> None:
    paid, returned = entries(RABOBANK)
    assert paid.text == BankText("INV/2026/00022", "DELTA MOBILITY BV", "NL83ABNA0412345678", "RB-1")
    assert returned.text.return_reason == "MD06"


def test_french_code_words_stand_between_spaces() -> None:
    named, plain = entries(FRENCH)
    assert named.text == BankText(
        "FACTURE INV/2026/00031", payer="RECHARGE ALPES SAS", end_to_end_id="RA-5571"
    )
    assert plain.text == BankText("VIR RECHARGE ALPES SAS")


def test_german_sub_fields_with_another_sign() -> None:
    (entry,) = entries(TRIODOS)
    assert entry.text.label == "FACTUUR INV/2026/00022"


def test_a_slash_in_an_invoice_number_is_no_code_word() -> None:
    assert read_bank_text("INV/2026/00012 INV/2026/00013").label == "INV/2026/00012 INV/2026/00013"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "latin-1"])
def test_umlauts_in_any_of_the_usual_encodings(encoding: str) -> None:
    (statement,) = read(SWIFT.replace("FEES", "GEBÜHREN"), encoding)
    assert statement.entries[1].text.label == "GEBÜHREN"


def test_windows_and_old_line_ends() -> None:
    assert read(SWIFT.replace("\n", "\r\n"))[0].entries == read(SWIFT)[0].entries
    assert read(SWIFT.replace("\n", "\r"))[0].entries == read(SWIFT)[0].entries


def test_several_statements_are_read_in_their_order_with_their_lines() -> None:
    statements = read(SWIFT + GERMAN)
    assert [statement.line for statement in statements] == [2, 12]
    assert [entry.line for statement in statements for entry in statement.entries] == [6, 8, 16, 20]


# --- What is the same entry -------------------------------------------------------------------------


def test_entry_has_the_same_key_in_the_daily_and_in_the_monthly_file() -> None:
    monthly = SWIFT.replace(":28C:00221/001", ":28C:00011/001").replace(
        ":60F:C261113EUR1000,00",
        ":60F:C261031EUR900,00\n:61:2611021102C100,00NTRFNONREF\n:86:EARLIER",
    )
    daily_keys = [entry.key for entry in entries(SWIFT)]
    assert [entry.key for entry in entries(monthly)][1:] == daily_keys


def test_two_equal_entries_of_a_day_have_keys_of_their_own_in_one_file_and_in_two() -> None:
    twin = ":61:2611161116C25,00NTRFNONREF\n:86:PARKING\n"
    first = f":20:A\n:25:123\n:60F:C261116EUR0,00\n{twin}:62F:C261116EUR25,00\n"
    second = f":20:B\n:25:123\n:60F:C261116EUR25,00\n{twin}:62F:C261116EUR50,00\n"
    both = f":20:A\n:25:123\n:60F:C261116EUR0,00\n{twin}{twin}:62F:C261116EUR50,00\n"
    keys = [entries(first)[0].key, entries(second)[0].key]
    assert len(set(keys)) == 2
    assert [entry.key for entry in entries(both)] == keys


def test_entry_booked_taken_back_and_booked_again_has_three_keys() -> None:
    there = ":61:2611161116C25,00NTRFNONREF\n:86:PARKING\n"
    back = there.replace("C25", "D25")
    text = f":20:A\n:25:123\n:60F:C261116EUR0,00\n{there}{back}{there}:62F:C261116EUR25,00\n"
    assert len({entry.key for entry in entries(text)}) == 3


def test_reversed_credit_takes_money_out() -> None:
    text = ":20:A\n:25:123\n:60F:C261116EUR50,00\n:61:2611161116RC25,00NTRFNONREF\n:62F:C261116EUR25,00\n"
    (entry,) = entries(text)
    assert entry.amount == Decimal("-25.00")


# --- Broken files -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        (":61:2611161116D12,50NCHG", ":61:26xx161116D12,50NCHG", "unreadable", 8),
        (":61:2611161116D12,50NCHG", ":61:2613161116D12,50NCHG", "unreadable", 8),
        (":61:2611161116C250,00NTRFINV/2026/00012//BNP261116001", ":61:2611161116C250,00", "unreadable", 6),
        (":60F:C261113EUR1000,00\n", "", "opening_missing", 2),
        (":60F:C261113EUR1000,00", ":60F:C261113EURabc", "unreadable", 5),
        (":62F:C261116EUR1237,50\n-}\n", "", "closing_missing", 9),
        (":62F:C261116EUR", ":62F:C261116USD", "currencies_differ", 10),
        (":25:FR7630006000011234567890189", ":25:", "account_missing", 2),
    ],
)
def test_broken_file_is_refused_with_its_line(old: str, new: str, code: str, line: int) -> None:
    assert old in SWIFT
    with pytest.raises(StatementError) as caught:
        read(SWIFT.replace(old, new))
    assert (caught.value.code, caught.value.params["line"]) == (code, line)


def test_broken_second_statement_refuses_the_file() -> None:
    with pytest.raises(StatementError) as caught:
        read(SWIFT + GERMAN.replace(":62F:C261116EUR3013,20\n", ""))
    assert caught.value.code == "closing_missing"


@pytest.mark.parametrize("content", [b"", b"date;amount\n", b"<Document/>", b":20:only\n", b"PK\x03\x04"])
def test_other_files_are_not_taken_for_mt940(content: bytes) -> None:
    assert not is_mt940(content)
