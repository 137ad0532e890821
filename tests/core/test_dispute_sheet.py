"""Lists with reasons filled in: what is taken, what is refused, and files that mean harm."""

import zipfile
from decimal import Decimal
from io import BytesIO

import pytest
from emsp_core.dispute_sheet import (
    HEADS,
    LANGUAGES,
    MAX_DISPUTES,
    REASONS,
    SheetRow,
    head_of,
    read_sheet,
    reason_label,
)
from emsp_core.errors import SheetError
from emsp_core.table_file import MAX_FILE_BYTES, MAX_ROWS
from openpyxl import Workbook

FAR_ROW = b'<row r="1048576"><c r="A1048576"/></row>'
HEAD = ("CDR", "Net (EUR)", "Dispute reason", "Comment", "Own amount (EUR)")


def workbook(*rows, head=HEAD, above=()):
    book = Workbook()
    # The first sheet of the annex is a summary.
    book.active.append(["Summary"])
    sheet = book.create_sheet("Sessions")
    for row in (*above, head, *rows):
        sheet.append(row)
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def text(*lines, encoding="utf-8"):
    return "\r\n".join(lines).encode(encoding)


def refused(content):
    with pytest.raises(SheetError) as error:
        read_sheet(content)
    return error.value.code


def test_rows_with_a_reason_are_taken_and_the_others_left():
    sheet = read_sheet(
        workbook(
            ("CDR-1", 6.4, "energy", "The display said 8 kWh.", 5.62),
            ("CDR-2", 10.3, None, None, None),
            ("CDR-3", 6.4, "Wrong price", None, None),
            ("Total", 23.1, None, None, None),
        )
    )
    assert sheet.rows == (
        SheetRow(2, "CDR-1", "energy", "The display said 8 kWh.", Decimal("5.62"), None),
        SheetRow(4, "CDR-3", "price", "", None, None),
    )
    assert sheet.ignored == 2


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", sorted(REASONS))
def test_reason_is_read_by_code_and_by_label(reason, language):
    label = reason_label(reason, language)
    rows = read_sheet(
        workbook(("A", 1, label, "", None), ("B", 1, label.upper(), "", None), ("C", 1, reason, "", None))
    ).rows
    assert [row.reason for row in rows] == [reason] * 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_heads_of_every_language_are_known(language):
    head = [head_of(column, language) for column in HEADS]
    [row] = read_sheet(workbook(("CDR-1", "price", "Zu teuer", "1,5"), head=head)).rows
    assert row == SheetRow(2, "CDR-1", "price", "Zu teuer", Decimal("1.5"), None)


def test_title_above_the_heads_is_skipped():
    [row] = read_sheet(workbook(("CDR-1", 1, "price", "", None), above=[("October",), ()])).rows
    assert row.number == 4


def test_number_as_id_has_no_decimals():
    [row] = read_sheet(workbook((4711.0, 1, "price", 12.5, None))).rows
    assert (row.cdr, row.comment) == ("4711", "12.5")


@pytest.mark.parametrize(
    "row, problem",
    [
        ((None, 1, "price", None, None), "cdr_missing"),
        (("A", 1, None, "Too much.", None), "reason_missing"),
        (("A", 1, None, None, 3), "reason_missing"),
        (("A", 1, "because", None, None), "reason_unknown"),
        (("A", 1, "price", "x" * 4001, None), "comment_long"),
        (("A", 1, "price", None, "-1"), "amount"),
        (("A", 1, "price", None, "1.23456"), "amount"),
        (("A", 1, "price", None, "NaN"), "amount"),
        (("A", 1, "price", None, "1e3"), "amount"),
        (("A", 1, "price", None, "1.234,56"), "amount"),
    ],
)
def test_what_is_wrong_with_a_row_is_named(row, problem):
    assert [row.problem for row in read_sheet(workbook(row)).rows] == [problem]


def test_session_that_stands_twice_is_refused_the_second_time():
    rows = read_sheet(workbook(("A", 1, "price", "", None), ("a", 1, "energy", "", None))).rows
    assert [row.problem for row in rows] == [None, "twice"]


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_csv(delimiter, encoding):
    lines = (("CDR", "Dispute reason", "Comment"), ("CDR-1", "Énergie erronée", '"a ""b"""'))
    [row] = read_sheet(text(*map(delimiter.join, lines), encoding=encoding)).rows
    assert row == SheetRow(2, "CDR-1", "energy", 'a "b"', None, None)


def test_formula_is_not_calculated_and_stays_nothing():
    sheet = read_sheet(workbook(("A", 1, '=HYPERLINK("http://x")', None, None)))
    # Never opened in a spreadsheet, it has no value.
    assert sheet.rows == ()


def test_file_without_the_heads_says_so():
    assert refused(workbook(("A",), head=("CDR", "Net"))) == "no_heads"
    assert refused(b"CDR;Net\nA;1") == "no_heads"
    assert refused(b"") == "no_heads"


def test_file_that_is_none_is_unreadable():
    assert refused(b"PK\x03\x04 not a workbook") == "unreadable"
    assert refused(b"\x00\x01\x02") == "unreadable"
    assert refused(workbook(("A", 1, "price", "", None))[:-40]) == "unreadable"
    assert refused(b'CDR;Dispute reason\n"never closed;price') == "unreadable"


def test_limits():
    assert refused(b"x" * (MAX_FILE_BYTES + 1)) == "too_large"
    many = [f"CDR-{number};price" for number in range(MAX_DISPUTES + 1)]
    assert refused(text("CDR;Dispute reason", *many)) == "too_many_disputes"
    assert len(read_sheet(text("CDR;Dispute reason", *many[1:])).rows) == MAX_DISPUTES
    assert refused(text("CDR;Dispute reason", *["A;"] * (MAX_ROWS + 20))) == "too_many_rows"


def repacked(name, change):
    """A workbook with one part changed. :param change: bytes -> bytes."""
    source, target = BytesIO(workbook(("A", 1, "price", "", None))), BytesIO()
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            content = old.read(part)
            new.writestr(part, change(content) if part == name else content)
    return target.getvalue()


def test_archive_that_unfolds_too_far_is_refused_unread():
    assert refused(repacked("xl/styles.xml", lambda content: b" " * (101 * 1024 * 1024))) == "hostile"


def test_document_type_is_refused():
    bomb = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]>'
    assert refused(repacked("xl/worksheets/sheet2.xml", lambda content: bomb + content)) == "hostile"


def test_broken_part_is_unreadable():
    assert refused(repacked("xl/worksheets/sheet2.xml", lambda content: content[:-30])) == "unreadable"
    assert refused(repacked("xl/workbook.xml", lambda content: b"<a/>")) in ("unreadable", "no_heads")


def test_row_far_below_does_not_make_a_million():
    far = repacked(
        "xl/worksheets/sheet2.xml",
        lambda content: content.replace(
            b"</sheetData>", b'<row r="1048576"><c r="A1048576"/></row></sheetData>'
        ),
    )
    assert refused(far) == "too_many_rows"
