"""Status reports of banks, and lines by which payments come back."""

import pytest
from emsp_core.iso20022.returns import is_return, return_reason
from emsp_core.iso20022.status import (
    BatchStatus,
    Reason,
    Status,
    TransactionStatus,
    read_status_report,
)
from emsp_core.money import D
from emsp_core.setoff import after_set_off
from lxml import etree

REPORT = """<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.{version}"><CstmrPmtStsRpt>
<GrpHdr><MsgId>BANK-77</MsgId><CreDtTm>2026-11-24T09:00:00</CreDtTm></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>PAY0001-000001</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>
<GrpSts>PART</GrpSts></OrgnlGrpInfAndSts>
<OrgnlPmtInfAndSts><OrgnlPmtInfId>PAY0001/LOT1</OrgnlPmtInfId><!-- one of two -->
<TxInfAndSts><OrgnlInstrId>PAY0001/LOT1/1</OrgnlInstrId><OrgnlEndToEndId>NOTPROVIDED</OrgnlEndToEndId>
<TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>Account  closed</AddtlInf>
<AddtlInf>2026-10-01</AddtlInf></StsRsnInf></TxInfAndSts>
<TxInfAndSts><OrgnlEndToEndId>RINV/2</OrgnlEndToEndId><TxSts>ACSC</TxSts></TxInfAndSts>
</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"""


@pytest.mark.parametrize("version", ["03", "10"])
def test_a_report_is_read_at_its_three_levels(version):
    report = read_status_report(etree.fromstring(REPORT.format(version=version)))
    assert (report.message_id, report.original_id) == ("BANK-77", "PAY0001-000001")
    assert report.status == Status("PART")
    reason = Reason("AC04", "Account closed 2026-10-01")
    assert report.batches == (
        BatchStatus(
            "PAY0001/LOT1",
            Status(""),
            (
                TransactionStatus("PAY0001/LOT1/1", "", Status("RJCT", (reason,))),
                TransactionStatus("", "RINV/2", Status("ACSC")),
            ),
        ),
    )


@pytest.mark.parametrize(
    "text",
    [
        "<Document/>",
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"/>',
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.03"><CstmrPmtStsRpt/></Document>',
    ],
)
def test_what_is_no_report_is_refused(text):
    with pytest.raises(ValueError, match="expected"):
        read_status_report(etree.fromstring(text))


@pytest.mark.parametrize(
    ("bank_code", "reason", "text"),
    [
        ("PMNT/RDDT/UPDD", "", ""),
        ("PMNT-ICDT-RRTN", "", ""),
        ("109", "", ""),
        ("", "AC04", ""),
        ("", "", "Rücklastschrift INV/2026/00001"),
        ("", "", "RUECKLASTSCHRIFT MS03"),
        ("", "", "RETOURE"),
        ("", "", "PRELEVEMENT IMPAYÉ 12,00"),
    ],
)
def test_what_comes_back_is_known_by_codes_and_words(bank_code, reason, text):
    assert is_return(bank_code, reason, [text])


@pytest.mark.parametrize(
    ("bank_code", "text"), [("PMNT/RCDT/ESCT", "Invoice INV/2026/00001"), ("166", "Returning customer Ltd")]
)
def test_an_ordinary_payment_does_not_come_back(bank_code, text):
    assert not is_return(bank_code, "", [text])


def test_the_reason_is_a_code_where_there_is_one():
    assert return_reason("AM04 insufficient funds", []) == "AM04"
    assert return_reason("", ["RETOURE md01"]) == "MD01"
    assert return_reason("no reason", []) == "no reason"


def test_the_oldest_claims_are_set_off_first():
    # 100 and 50 and 20 less 120: the first is gone, of the second 30 is left, the third is whole.
    amounts = [D("100"), D("50.00"), D("20")]
    assert after_set_off(amounts, D("120")) == [D("0"), D("30.00"), D("20")]
    assert after_set_off(amounts, D("500")) == [D("0")] * 3
    with pytest.raises(ValueError, match="expected amounts"):
        after_set_off([D("-1")], D("0"))
