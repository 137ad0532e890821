"""script/verify-annex as an accountant uses it: the annex, the CDRs that were sent, bad files."""

import json
import subprocess
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from annexes import (
    ANNEX,
    HEADER,
    LIST_HASH,
    PAYLOADS,
    ROWS,
    build_annex,
    changed,
    hexadecimal,
    plain_workbook,
    set_cell,
)

ROOT = Path(__file__).parents[2]


def run(*arguments):
    command = [str(ROOT / "script" / "verify-annex"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def write(tmp_path):
    """Writes bytes and gives the path."""

    def write_file(content, name="annex.xlsx"):
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    return write_file


# --- The annex -----------------------------------------------------------------------------------


def test_annex_that_holds_is_told_row_by_row(write):
    done = run(write(ANNEX))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "row 2      FR*RVR*CDR-1        6.4012  Matches.",
        "row 3      FR*RVR*CDR-2        2.7000  Matches.",
        "",
        "CLR/000001, invoice INV/2026/00012",
        f"SHA-256 of the list: {LIST_HASH}",
        "2 rows match, 0 do not.",
        "The annex holds.",
    ]


def test_changed_amount_is_named_and_ends_with_1(write):
    done = run(write(changed(set_cell("EMSP_AMOUNT", 6.4013))))
    assert done.returncode == 1
    assert done.stdout.startswith(
        "row 2      FR*RVR*CDR-1        6.4013  Does not match. Key, SHA-256 of the CDR or net"
    )
    assert "The rows do not add up to the SHA-256 of the list" in done.stdout
    assert "1 rows match, 1 do not.\nThe annex does not hold." in done.stdout


def test_json_is_one_object(write):
    found = json.loads(run(write(changed(set_cell("EMSP_LIST_HASH", "0" * 64))), "--json").stdout)
    assert (found["holds"], found["problems"]) == (False, ["list_hash"])
    assert found["list_hash"] == {"stated": "0" * 64, "computed": LIST_HASH}
    assert [row["status"] for row in found["rows"]] == ["matches", "matches"]


def test_payloads_are_hashed_byte_for_byte(write):
    annex = write(ANNEX)
    assert run(annex, "--payloads", write(b"\n".join(PAYLOADS), "p.jsonl")).returncode == 0
    blank = b"\n".join([PAYLOADS[0].replace(b":", b": ", 1), PAYLOADS[1]])
    done = run(annex, "--payloads", write(blank, "p.jsonl"))
    assert done.returncode == 1
    assert (
        "FR*RVR*CDR-1        6.4012  Does not match. The CDR at hand is not the one that was received."
        in done.stdout
    )
    done = run(annex, "--payloads", write(PAYLOADS[0], "p.jsonl"))
    assert "FR*RVR*CDR-2        2.7000  No CDR at hand." in done.stdout


def test_payload_of_several_lines_is_given_as_text(write):
    payload = json.dumps(json.loads(PAYLOADS[0]), indent=2)
    hash_ = hexadecimal(payload)
    row = replace(ROWS[0], payload_sha256=hash_, chain_hash="1$" + hexadecimal(f"\n{hash_}"))
    header = replace(
        HEADER,
        untaxed=Decimal("6.40"),
        list_hash=hexadecimal(f"FR*RVR*CDR-1\t{hash_}\t6.4012\n"),
        sessions=1,
    )
    lines = write(json.dumps({"payload": payload}).encode(), "p.jsonl")
    done = run(write(build_annex(header, [row])), "--payloads", lines)
    assert done.returncode == 0, done.stdout


def test_hash_on_the_invoice_is_compared(write):
    annex = write(ANNEX)
    assert run(annex, "--list-hash", LIST_HASH.upper()).returncode == 0
    done = run(annex, "--list-hash", "0" * 64)
    assert (done.returncode, "not the one that you entered" in done.stdout) == (1, True)
    assert run(annex, "--list-hash", "12").returncode == 2


def test_rows_may_be_sorted_and_moved(write):
    def swap(workbook):
        sheet = workbook["Sessions"]
        for above, below in zip(sheet[2], sheet[3], strict=True):
            above.value, below.value = below.value, above.value

    assert run(write(changed(swap))).returncode == 0


def test_row_that_was_added_below_the_names_is_read(write):
    def add(workbook):
        sheet = workbook["Sessions"]
        sheet.append([each.value for each in sheet[3]])

    found = json.loads(run(write(changed(add)), "--json").stdout)
    assert [row["reasons"] for row in found["rows"]] == [[], ["repeated"], ["repeated"]]
    assert {"list_hash", "count"} <= set(found["problems"])


@pytest.mark.parametrize("content", [b"%PDF-1.7", plain_workbook()], ids=["another format", "another sheet"])
def test_unreadable_file_ends_with_2_and_one_line(write, content):
    done = run(write(content))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


def test_missing_file_ends_with_2():
    done = run("/nowhere/annex.xlsx")
    assert (done.returncode, done.stderr) == (2, "/nowhere/annex.xlsx: No such file or directory\n")
