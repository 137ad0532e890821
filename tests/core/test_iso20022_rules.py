"""The rules of the EPC on whole files: a good one, and one fault at a time."""

import pytest
from emsp_core.iso20022.rules import Problem, check, is_bic, is_iban
from lxml import etree

TRANSFER = """<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"><CstmrCdtTrfInitn>
<GrpHdr><MsgId>PAY0001-000001</MsgId><NbOfTxs>2</NbOfTxs><CtrlSum>100.50</CtrlSum>
<InitgPty><Nm>Lyon Charge SAS</Nm></InitgPty></GrpHdr>
<PmtInf><PmtInfId>PAY0001/LOT1</PmtInfId><PmtMtd>TRF</PmtMtd><NbOfTxs>2</NbOfTxs><CtrlSum>100.50</CtrlSum>
<PmtTpInf><SvcLvl><Cd>SEPA</Cd></SvcLvl></PmtTpInf><ReqdExctnDt><Dt>2026-11-24</Dt></ReqdExctnDt>
<Dbtr><Nm>Lyon Charge SAS</Nm></Dbtr><DbtrAcct><Id><IBAN>FR7630006000011234567890189</IBAN></Id></DbtrAcct>
<DbtrAgt><FinInstnId><BICFI>AGRIFRPP</BICFI></FinInstnId></DbtrAgt><ChrgBr>SLEV</ChrgBr>
<CdtTrfTxInf><PmtId><InstrId>PAY0001/LOT1/1</InstrId><EndToEndId>RINV/2026/00001</EndToEndId></PmtId>
<Amt><InstdAmt Ccy="EUR">100.00</InstdAmt></Amt>
<Cdtr><Nm>Beta Laden GmbH</Nm><PstlAdr><TwnNm>Berlin</TwnNm><Ctry>DE</Ctry></PstlAdr></Cdtr>
<CdtrAcct><Id><IBAN>DE89370400440532013000</IBAN></Id></CdtrAcct>
<RmtInf><Ustrd>RINV/2026/00001</Ustrd></RmtInf></CdtTrfTxInf>
<CdtTrfTxInf><PmtId><InstrId>PAY0001/LOT1/2</InstrId><EndToEndId>BILL/2026/00001</EndToEndId></PmtId>
<Amt><InstdAmt Ccy="EUR">0.50</InstdAmt></Amt><Cdtr><Nm>Gamma BV</Nm></Cdtr>
<CdtrAcct><Id><IBAN>NL91ABNA0417164300</IBAN></Id></CdtrAcct>
<RmtInf><Strd><CdtrRefInf><Ref>RF18539007547034</Ref></CdtrRefInf></Strd></RmtInf></CdtTrfTxInf>
</PmtInf></CstmrCdtTrfInitn></Document>"""

DEBIT = """<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.008.001.08"><CstmrDrctDbtInitn>
<GrpHdr><MsgId>DEBIT0001-000002</MsgId><NbOfTxs>1</NbOfTxs><CtrlSum>12</CtrlSum></GrpHdr>
<PmtInf><PmtInfId>DEBIT0001/LOT1</PmtInfId><PmtMtd>DD</PmtMtd><NbOfTxs>1</NbOfTxs><CtrlSum>12.00</CtrlSum>
<PmtTpInf><SvcLvl><Cd>SEPA</Cd></SvcLvl><LclInstrm><Cd>B2B</Cd></LclInstrm><SeqTp>RCUR</SeqTp></PmtTpInf>
<ReqdColltnDt>2026-11-24</ReqdColltnDt><Cdtr><Nm>Lyon Charge SAS</Nm></Cdtr>
<CdtrAcct><Id><IBAN>FR7630006000011234567890189</IBAN></Id></CdtrAcct><ChrgBr>SLEV</ChrgBr>
<CdtrSchmeId><Id><PrvtId><Othr><Id>FR72ZZZ123456</Id></Othr></PrvtId></Id></CdtrSchmeId>
<DrctDbtTxInf><PmtId><InstrId>DEBIT0001/LOT1/1</InstrId><EndToEndId>INV/2026/00001</EndToEndId></PmtId>
<InstdAmt Ccy="EUR">12.00</InstdAmt><DrctDbtTx><MndtRltdInf><MndtId>M-1</MndtId>
<DtOfSgntr>2026-01-05</DtOfSgntr></MndtRltdInf></DrctDbtTx><Dbtr><Nm>Beta Laden GmbH</Nm></Dbtr>
<DbtrAcct><Id><IBAN>DE89370400440532013000</IBAN></Id></DbtrAcct></DrctDbtTxInf>
</PmtInf></CstmrDrctDbtInitn></Document>"""


def problems(text):
    return check(etree.fromstring(text))


def rules(text):
    return {problem.rule for problem in problems(text)}


@pytest.mark.parametrize("text", [TRANSFER, DEBIT])
def test_a_good_file_has_no_problem(text):
    assert problems(text) == []


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("Beta Laden GmbH", "Beta Läden GmbH", "charset"),
        ("Beta Laden GmbH", "B" * 71, "length"),
        (">RINV/2026/00001</EndToEndId>", ">/RINV/2026</EndToEndId>", "identifier"),
        (">RINV/2026/00001</EndToEndId>", ">RINV//2026</EndToEndId>", "identifier"),
        (">PAY0001/LOT1/2<", ">PAY0001/LOT1/1<", "identifier"),
        ("RF18539007547034", "R" * 36, "identifier"),
        ('Ccy="EUR">0.50', 'Ccy="USD">0.50', "currency"),
        ('Ccy="EUR">0.50', 'Ccy="EUR">0.501', "amount"),
        ('Ccy="EUR">0.50', 'Ccy="EUR">0.00', "amount"),
        ('Ccy="EUR">0.50', 'Ccy="EUR">1000000000.00', "amount"),
        ("<CtrlSum>100.50</CtrlSum>\n<InitgPty>", "<CtrlSum>100.51</CtrlSum>\n<InitgPty>", "sum"),
        ("<PmtMtd>TRF</PmtMtd><NbOfTxs>2", "<PmtMtd>TRF</PmtMtd><NbOfTxs>3", "count"),
        ("<TwnNm>Berlin</TwnNm>", "", "address"),
        ("<TwnNm>Berlin</TwnNm>", "<TwnNm>Berlin</TwnNm><AdrLine>Weg 1</AdrLine>", "address"),
        ("DE89370400440532013000", "DE88370400440532013000", "account"),
        ("AGRIFRPP", "AGRI99PP", "agent"),
        # A Saturday.
        ("2026-11-24", "2026-11-28", "date"),
        ("<ChrgBr>SLEV", "<ChrgBr>SHAR", "scheme"),
        ("RINV/2026/00001</Ustrd>", "R" * 141 + "</Ustrd>", "length"),
        ("<Ustrd>", "<Ustrd>More</Ustrd><Ustrd>", "remittance"),
    ],
)
def test_one_fault_in_a_transfer_breaks_one_rule(old, new, rule):
    assert old in TRANSFER
    assert rule in rules(TRANSFER.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("<Cd>B2B</Cd>", "<Cd>COR1</Cd>", "scheme"),
        ("<SeqTp>RCUR</SeqTp>", "", "scheme"),
        ("<MndtId>M-1</MndtId>", "", "mandate"),
        ("<Id>FR72ZZZ123456</Id>", "", "mandate"),
        ("<ReqdColltnDt>2026-11-24", "<ReqdColltnDt>2026-12-25", "date"),
        ("<CtrlSum>12</CtrlSum>", "<CtrlSum>twelve</CtrlSum>", "sum"),
    ],
)
def test_one_fault_in_a_collection_breaks_one_rule(old, new, rule):
    assert old in DEBIT
    assert rules(DEBIT.replace(old, new, 1)) == {rule}


def test_a_problem_says_where_it_is():
    [problem] = problems(TRANSFER.replace("Beta Laden", "Beta Läden"))
    path = "Document/CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf/Cdtr/Nm"
    assert problem == Problem("charset", path, "Beta Läden GmbH")


def test_check_digits_and_countries_of_accounts_and_banks():
    assert is_iban("DE89370400440532013000")
    assert not is_iban("DE88370400440532013000")
    assert not is_iban("DE8937040044053201300")
    assert not is_iban("XX89370400440532013000")
    assert is_bic("COBADEFFXXX")
    assert not is_bic("COBADE")
    assert not is_bic("COBA99FF")
