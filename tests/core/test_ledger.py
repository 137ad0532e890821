"""Journal items as text: formats, and nothing that a spreadsheet would execute."""

from datetime import date

import pytest
from emsp_core.ledger import Format, to_text, writer
from emsp_core.money import D


def test_row_in_the_french_way() -> None:
    line = writer(Format(";", ",", "dmy_slashes"))
    assert line(["VTE", date(2026, 10, 9), "Énergie; nuit", D("-1234.5"), 12, None, False]) == (
        'VTE;09/10/2026;"Énergie; nuit";-1234,50;12;;\r\n'
    )


def test_row_in_the_english_way() -> None:
    line = writer(Format(",", ".", "iso"))
    assert line([date(2026, 10, 9), 'say "x"', D("0.125")]) == '2026-10-09,"say ""x""",0.125\r\n'


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_text_never_becomes_a_formula(text: str) -> None:
    assert to_text(text, Format()).startswith("'")


def test_amount_below_zero_stays_an_amount() -> None:
    assert to_text(D("-0.10"), Format()) == "-0,10"


def test_line_break_stays_within_the_row() -> None:
    assert to_text("first\r\nsecond", Format()) == "first second"
