"""The sessions of the annex as a Parquet file: exact decimals, instants in UTC, for data platforms."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from .emsp_annex_columns import Column, Kind

# Rows in memory at a time, and in a row group of the file.
BATCH = 10_000
TYPES = {
    Kind.TEXT: pa.string(),
    Kind.OWN: pa.string(),
    Kind.INTEGER: pa.int64(),
    Kind.SECONDS: pa.int64(),
    Kind.LOCAL: pa.timestamp("ms"),
    Kind.INSTANT: pa.timestamp("ms", tz="UTC"),
}


# Digits before the decimal point.
WHOLE_DIGITS = 14


class ParquetFile:
    """Rows are added, then it is closed."""

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        self._schema = pa.schema([(column.key, type_of(column)) for column in columns])
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")
        self._rows: list[Sequence[object]] = []

    def add(self, values: Sequence[object]) -> None:
        """One row, by column."""
        self._rows.append(values)
        if len(self._rows) == BATCH:
            self._flush()

    def close(self) -> None:
        if self._rows:
            self._flush()
        self._writer.close()

    def _flush(self) -> None:
        cells = zip(*self._rows, strict=True)
        arrays = [
            pa.array(values, type=field.type) for values, field in zip(cells, self._schema, strict=True)
        ]
        self._writer.write_batch(pa.record_batch(arrays, schema=self._schema))
        self._rows.clear()


def type_of(column: Column) -> pa.DataType:
    if column.kind is Kind.DECIMAL:
        return pa.decimal128(WHOLE_DIGITS + column.digits, column.digits)
    return TYPES[column.kind]
