"""Reading an annex back: whatever the file holds, it is read or refused with a code."""

import io
import random
import zipfile
from decimal import Decimal

import pytest
from annexes import ANNEX, cell, changed, plain_workbook, set_cell
from emsp_parts.report.emsp_annex_guard import DETAILS_PER_SESSION, PUBLIC, RefusedFile, check_archive
from emsp_parts.report.emsp_annex_reader import read_annex


def test_amount_without_any_evidence_is_a_row_that_does_not_match():
    def add(workbook):
        sheet = workbook["Sessions"]
        sheet.cell(9, cell(workbook, "EMSP_AMOUNT").column, 5)

    stated = read_annex(changed(add))
    assert [(row.place, row.key) for row in stated.rows] == [
        (2, "FR*RVR*CDR-1"),
        (3, "FR*RVR*CDR-2"),
        (4, ""),
    ]


@pytest.mark.parametrize("value", ["=6.4012", "6.4012", True, 6.40123, 1e300, None])
def test_only_a_number_of_four_decimals_is_an_amount(value):
    assert read_annex(changed(set_cell("EMSP_AMOUNT", value))).rows[0].amount is None


def test_noise_of_a_spreadsheet_program_is_no_change():
    row = read_annex(changed(set_cell("EMSP_AMOUNT", 6.401200000000001))).rows[0]
    assert row.amount == Decimal("6.4012")


def test_text_that_steers_a_terminal_is_left_out():
    row = read_annex(changed(set_cell("EMSP_KEY", "FR\u009b31m\u202eX"))).rows[0]
    assert row.key == "FR31mX"


# --- Files that are no annex ---------------------------------------------------------------------


def archive(**parts):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in parts.items():
            target.writestr(name.replace("__", "/") + ".xml", content)
    return file.getvalue()


def sheet(rows):
    return b"<worksheet><sheetData>" + rows + b"</sheetData></worksheet>"


BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>'
HOSTILE = [
    pytest.param(b"", "not_spreadsheet", id="empty file"),
    pytest.param(b"%PDF-1.7", "not_spreadsheet", id="another format"),
    pytest.param(ANNEX[: len(ANNEX) // 2], "not_spreadsheet", id="half a file"),
    pytest.param(archive(a=b"<a>"), "not_spreadsheet", id="XML that is not closed"),
    pytest.param(archive(a=b"<a/>"), "not_spreadsheet", id="an archive of something else"),
    pytest.param(b"0" * (PUBLIC.file_bytes + 1), "too_large", id="a large file"),
    pytest.param(archive(a=b" " * 310 * 1024**2), "unsafe", id="a ZIP bomb"),
    pytest.param(archive(a=BOMB), "unsafe", id="an entity bomb"),
    pytest.param(archive(a=BOMB.decode().encode("utf-16")), "unsafe", id="an entity bomb in UTF-16"),
    pytest.param(archive(a=b"<a>" + b"<b/>" * 200_000 + b"</a>"), "unsafe", id="many elements"),
    pytest.param(archive(a=sheet(b"<row>" + b"<c/>" * 5000 + b"</row>")), "unsafe", id="a long row"),
    pytest.param(
        archive(a=sheet(b"<row/>" * (PUBLIC.rows * DETAILS_PER_SESSION + 50))),
        "too_many_rows",
        id="many rows",
    ),
    pytest.param(archive(**{f"a{n}": b"<a/>" for n in range(300)}), "unsafe", id="many parts"),
    pytest.param(plain_workbook(), "no_annex", id="another spreadsheet"),
]


@pytest.mark.parametrize(("content", "code"), HOSTILE)
def test_hostile_file_is_refused(content, code):
    with pytest.raises(RefusedFile) as refusal:
        read_annex(content)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("EMSP_KEY", "'Nowhere'!$A$2:$A$3"),
        ("EMSP_KEY", "'Summary'!$A$2:$A$3"),
        ("EMSP_KEY", "'Sessions'!$XFD$2:$XFD$3"),
        ("EMSP_KEY", "#REF!"),
        # It would leave out the row above.
        ("EMSP_KEY", "'Sessions'!$AJ$3:$AJ$3"),
        ("EMSP_KEY", "'Sessions'!$AJ'Sessions'!$A$1:$AN$3"),
        ("EMSP_KEY", "'Ses:$AK$3"),
        ("EMSP_COUNT", "1+1"),
        ("EMSP_KEY", "'Sessions'!$A:$A"),
    ],
)
def test_name_that_leads_elsewhere_is_no_annex(name, target):
    def change(workbook):
        workbook.defined_names[name].attr_text = target

    with pytest.raises(RefusedFile):
        read_annex(changed(change))


def test_damaged_parts_are_refused_or_read_but_never_raise_another_error():
    """Bytes of the workbook's parts are changed at random, the archive around them stays sound."""
    dice = random.Random(7)
    with zipfile.ZipFile(io.BytesIO(ANNEX)) as source:
        parts = {info.filename: source.read(info) for info in source.infolist()}
    for _ in range(300):
        name = dice.choice(list(parts))
        content = bytearray(parts[name])
        for _ in range(dice.randint(1, 4)):
            content[dice.randrange(len(content))] = dice.choice(b"0A<>\"/=&'$!z9-")
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as target:
            for other, text in parts.items():
                target.writestr(other, bytes(content) if other == name else text)
        try:
            read_annex(file.getvalue())
        except RefusedFile:
            continue


def test_guard_lets_the_annex_itself_pass():
    check_archive(ANNEX)
