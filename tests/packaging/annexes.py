"""An annex of two sessions, as the add-on writes it, and what was changed in it."""

import io
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from openpyxl import Workbook, load_workbook
from support.parts import load_parts

# The package can be imported from here on.
load_parts()

from emsp_parts.report.emsp_annex import (  # noqa: E402
    AnnexFiles,
    AnnexHeader,
    AnnexRow,
    AnnexSettlement,
    write_annex,
)

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
        settlement="CLR/000001",
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
    settlements=[
        AnnexSettlement(
            name="CLR/000001",
            contract="RC00001",
            date_first=date(2026, 10, 1),
            date_last=date(2026, 10, 31),
            time_zone="Europe/Paris",
            list_hash=LIST_HASH,
            sessions=2,
        )
    ],
    invoice_number="INV/2026/00012",
    invoice_date=date(2026, 11, 10),
    currency="EUR",
    precision=4,
    untaxed=Decimal("9.10"),
    tax=Decimal("0.00"),
    sessions=2,
    list_hash=LIST_HASH,
)


def build_annex(header, rows, **options):
    """:return: bytes of the workbook."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "annex.xlsx"
        write_annex(AnnexFiles(Path(folder), path), header, rows, **options)
        return path.read_bytes()


ANNEX = build_annex(HEADER, ROWS)


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


def plain_workbook():
    file = io.BytesIO()
    Workbook().save(file)
    return file.getvalue()
