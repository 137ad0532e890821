"""script/verify-annex as an accountant uses it: the annex, the CDRs that were sent, hostile files."""

import io
import json
import random
import subprocess
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from support.parts import load_parts

load_parts()

from emsp_parts.report.emsp_annex import AnnexHeader, AnnexRow, build_annex  # noqa: E402
from emsp_parts.report.emsp_annex_guard import MAX_FILE_BYTES, MAX_ROWS, RefusedFile, check_archive  # noqa: E402
from emsp_parts.report.emsp_annex_reader import read_annex  # noqa: E402

ROOT = Path(__file__).parents[2]
PAYLOADS = [b'{"country_code":"FR","party_id":"RVR","id":"CDR-%d"}' % number for number in (1, 2)]
# Neither row has all four decimals of the list.
AMOUNTS = ("6.4012", "2.70")
LISTED = ("6.4012", "2.7000")


def hexadecimal(text):
    return sha256(text.encode()).hexdigest()


def row_of(number, before):
    """The annex' row of a payload, with a chain value over the one before it."""
    hash_ = sha256(PAYLOADS[number]).hexdigest()
    net = Decimal(AMOUNTS[number])
    return AnnexRow(
        ocpi_key=f"FR*RVR*CDR-{number + 1}",
        cdr=f"CDR-{number + 1}",
        session_id="S",
        start=datetime(2026, 10, 5, 8, 0, tzinfo=UTC),
        end=datetime(2026, 10, 5, 8, 30, tzinfo=UTC),
        time_zone="Europe/Paris",
        place="=Parking",
        address="",
        city="Lyon",
        country="FRA",
        evse_id="FR*RVR*E1",
        connector="1",
        power_type="AC_3_PHASE",
        token_uid="04A1B2C3",
        emaid="",
        energy_kwh=Decimal(10),
        duration_s=1800,
        parking_s=0,
        tariff="Grid",
        session_fee=net,
        energy=Decimal(0),
        time=Decimal(0),
        parking=Decimal(0),
        other=Decimal(0),
        net=net,
        tax_label="20%",
        tax=Decimal(0),
        payload_sha256=hash_,
        chain_index=number + 1,
        chain_before=before,
        chain_hash="1$" + hexadecimal(f"{before}\n{hash_}"),
    )


ROWS = [row_of(0, "")]
ROWS.append(row_of(1, ROWS[0].chain_hash))
LIST_HASH = hexadecimal(
    "".join(
        f"FR*RVR*CDR-{number}\t{sha256(payload).hexdigest()}\t{amount}\n"
        for number, (payload, amount) in enumerate(zip(PAYLOADS, LISTED, strict=True), 1)
    )
)
HEADER = AnnexHeader(
    company="CPO",
    company_vat="",
    partner="eMSP",
    partner_vat="",
    contract="RC00001",
    settlement="CLR/000001",
    date_first=date(2026, 10, 1),
    date_last=date(2026, 10, 31),
    time_zone="Europe/Paris",
    invoice_number="INV/2026/00012",
    invoice_date=date(2026, 11, 10),
    currency="EUR",
    precision=4,
    untaxed=Decimal("9.10"),
    tax=Decimal("0.00"),
    list_hash=LIST_HASH,
    chain_head=ROWS[-1].chain_hash,
)
ANNEX = build_annex(HEADER, ROWS)


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


def changed(change):
    """The annex after `change(workbook)`, saved as spreadsheet programs do: with its names."""
    workbook = load_workbook(io.BytesIO(ANNEX))
    change(workbook)
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


def cell(workbook, name, line=2):
    sheet, cells = next(iter(workbook.defined_names[name].destinations))
    return workbook[sheet][cells.replace("$", "").partition(":")[0]].offset(line - 2)


def set_cell(name, value, line=2):
    def change(workbook):
        cell(workbook, name, line).value = value

    return change


# --- The annex -----------------------------------------------------------------------------------


def test_annex_that_holds_is_told_row_by_row(write):
    done = run(write(ANNEX))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "row 2      FR*RVR*CDR-1  Matches.",
        "row 3      FR*RVR*CDR-2  Matches.",
        "",
        "CLR/000001, invoice INV/2026/00012",
        f"SHA-256 of the list: {LIST_HASH}",
        "2 rows match, 0 do not.",
        "The annex holds.",
    ]


def test_changed_amount_is_named_and_ends_with_1(write):
    done = run(write(changed(set_cell("EMSP_AMOUNT", 6.4013))))
    assert done.returncode == 1
    assert done.stdout.startswith("row 2      FR*RVR*CDR-1  Was changed. Key, SHA-256 of the CDR or net")
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
    assert "FR*RVR*CDR-1  Was changed. The CDR at hand is not the one that was received." in done.stdout
    done = run(annex, "--payloads", write(PAYLOADS[0], "p.jsonl"))
    assert "FR*RVR*CDR-2  No CDR at hand." in done.stdout


def test_payload_of_several_lines_is_given_as_text(write):
    payload = json.dumps(json.loads(PAYLOADS[0]), indent=2)
    hash_ = hexadecimal(payload)
    row = replace(ROWS[0], payload_sha256=hash_, chain_hash="1$" + hexadecimal(f"\n{hash_}"))
    header = replace(
        HEADER,
        untaxed=Decimal("6.40"),
        list_hash=hexadecimal(f"FR*RVR*CDR-1\t{hash_}\t6.4012\n"),
        chain_head=row.chain_hash,
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


def plain_workbook():
    file = io.BytesIO()
    Workbook().save(file)
    return file.getvalue()


BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>'
HOSTILE = [
    pytest.param(b"", "not_spreadsheet", id="empty file"),
    pytest.param(b"%PDF-1.7", "not_spreadsheet", id="another format"),
    pytest.param(ANNEX[: len(ANNEX) // 2], "not_spreadsheet", id="half a file"),
    pytest.param(archive(a=b"<a>"), "not_spreadsheet", id="XML that is not closed"),
    pytest.param(archive(a=b"<a/>"), "not_spreadsheet", id="an archive of something else"),
    pytest.param(b"0" * (MAX_FILE_BYTES + 1), "too_large", id="a large file"),
    pytest.param(archive(a=b" " * 310 * 1024**2), "unsafe", id="a ZIP bomb"),
    pytest.param(archive(a=BOMB), "unsafe", id="an entity bomb"),
    pytest.param(archive(a=BOMB.decode().encode("utf-16")), "unsafe", id="an entity bomb in UTF-16"),
    pytest.param(archive(a=b"<a>" + b"<b/>" * 200_000 + b"</a>"), "unsafe", id="many elements"),
    pytest.param(archive(a=sheet(b"<row>" + b"<c/>" * 5000 + b"</row>")), "unsafe", id="a long row"),
    pytest.param(archive(a=sheet(b"<row/>" * (MAX_ROWS + 50))), "too_many_rows", id="many rows"),
    pytest.param(archive(**{f"a{n}": b"<a/>" for n in range(300)}), "unsafe", id="many parts"),
    pytest.param(plain_workbook(), "no_annex", id="another spreadsheet"),
]


@pytest.mark.parametrize(("content", "code"), HOSTILE)
def test_hostile_file_is_refused(content, code):
    with pytest.raises(RefusedFile) as refusal:
        read_annex(content)
    assert refusal.value.code == code


@pytest.mark.parametrize("content", [b"%PDF-1.7", plain_workbook()], ids=["another format", "another sheet"])
def test_unreadable_file_ends_with_2_and_one_line(write, content):
    done = run(write(content))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


def test_missing_file_ends_with_2():
    done = run("/nowhere/annex.xlsx")
    assert (done.returncode, done.stderr) == (2, "/nowhere/annex.xlsx: No such file or directory\n")


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("EMSP_KEY", "'Nowhere'!$A$2:$A$3"),
        ("EMSP_KEY", "'Summary'!$A$2:$A$3"),
        ("EMSP_KEY", "'Sessions'!$XFD$2:$XFD$3"),
        ("EMSP_KEY", "#REF!"),
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
