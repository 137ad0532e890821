"""The session annex of an invoice, against writing as many bare rows; its growth in time and memory."""

import io
import tracemalloc
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from _bench import environment, figure, paired
from openpyxl import Workbook

FEW, MANY = 500, 5000


def main():
    with environment() as env:
        from odoo.addons.emsp_clearing.report import emsp_annex

        def rows(count):
            return [make_row(emsp_annex.AnnexRow, number) for number in range(count)]

        def annex(made):
            with TemporaryDirectory() as folder:
                files = emsp_annex.AnnexFiles(Path(folder), Path(folder) / "annex.xlsx")
                emsp_annex.write_annex(files, make_header(emsp_annex, len(made)), made, language=env)

        few, many = rows(FEW), rows(MANY)
        value, baseline = paired(lambda: annex(few), lambda: bare(few), 5)
        # Formats, two time zones a row and the control sheet, on a writer of its own.
        figure("annex", value / FEW * 1e3, "ms", baseline / FEW * 1e3, bar=5)
        value, baseline = paired(lambda: annex(many), lambda: annex(few), 3)
        # Linear would be 10.
        figure("annex_of_ten_times_the_sessions", value, "s", baseline, bar=12)
        figure("memory_of_ten_times_the_sessions", peak(annex, many), "MB", peak(annex, few), bar=5)


def make_row(row_type, number):
    start = datetime(2026, 10, 1, tzinfo=UTC) + timedelta(minutes=number)
    return row_type(
        ocpi_key=f"FR*RVR*CDR-{number}",
        cdr=f"CDR-{number}",
        session_id=f"S-{number}",
        start=start,
        end=start + timedelta(minutes=45),
        time_zone="Europe/Paris",
        place=f"Place {number % 30}",
        address="Place Bellecour",
        city="Lyon",
        country="FRA",
        evse_id="FR*RVR*E1001*1",
        connector="1",
        power_type="AC_3_PHASE",
        token_uid="04A1B2C3D4E5F6",
        emaid="DE-SMO-C00012345-6",
        energy_kwh=Decimal("10.0000"),
        duration_s=2700,
        parking_s=0,
        tariff="Europe",
        session_fee=Decimal("1.00"),
        energy=Decimal("3.90"),
        time=Decimal("2.25"),
        parking=Decimal(0),
        other=Decimal(0),
        net=Decimal("7.15"),
        tax=Decimal("1.43"),
        tax_label="20%",
        payload_sha256="0" * 64,
        chain_index=number + 1,
        chain_before="1$" + "0" * 64,
        chain_hash="1$" + "0" * 64,
        is_credit=False,
        late_from="",
    )


def make_header(annex, count):
    return annex.AnnexHeader(
        company="CPO",
        company_vat="FR23334175221",
        partner="eMSP",
        partner_vat="DE136695976",
        settlements=[
            annex.AnnexSettlement(
                name="CLR/000001",
                contract="RC00001",
                date_first=date(2026, 10, 1),
                date_last=date(2026, 10, 31),
                time_zone="Europe/Paris",
                list_hash="0" * 64,
                sessions=count,
            )
        ],
        invoice_number="INV/2026/00001",
        invoice_date=date(2026, 11, 10),
        currency="EUR",
        precision=2,
        untaxed=Decimal("7.15") * count,
        tax=Decimal("1.43") * count,
        sessions=count,
        list_hash="0" * 64,
    )


def bare(rows):
    """As many rows and columns, without format or meaning."""
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet()
    for number, __ in enumerate(rows):
        sheet.append([number] * 40)
    workbook.save(io.BytesIO())


def peak(annex, rows):
    """Megabytes at the highest, without the rows themselves."""
    tracemalloc.start()
    annex(rows)
    highest = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return highest / 1e6


main()
