"""What the files of an annex are, for programs that take them: JSON."""

import hashlib
import json
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

from .emsp_annex import AnnexHeader

VERSION = 1


def file_digest(path: Path, name: str = "sha256") -> str:
    """Hex hash of a file, read piece by piece."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, name).hexdigest()


def manifest(header: AnnexHeader, net: Decimal, files: Iterable[tuple[str, Path]]) -> bytes:
    """:param net: sum of the rows. :param files: (name, where it is)."""
    content = {
        "version": VERSION,
        "invoice": header.invoice_number,
        "invoice_date": header.invoice_date.isoformat(),
        "settlements": [
            {"name": s.name, "list_hash": s.list_hash, "sessions": s.sessions} for s in header.settlements
        ],
        "list_hash": header.list_hash,
        "currency": header.currency,
        "rows": header.sessions,
        "net": f"{net:f}",
        "files": [
            {"name": name, "bytes": path.stat().st_size, "sha256": file_digest(path)} for name, path in files
        ],
    }
    return json.dumps(content, ensure_ascii=False, indent=2).encode() + b"\n"
