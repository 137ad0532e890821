"""The command line of the annex verification; `script/verify-annex` says how it is called."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from .parts import load_parts

# The package can be imported from here on.
load_parts()

from emsp_parts.core.errors import CoreError  # noqa: E402
from emsp_parts.core.ocpi.record_file import read_records  # noqa: E402
from emsp_parts.core.verify import Status, verify_list  # noqa: E402
from emsp_parts.report.emsp_annex_cells import English  # noqa: E402
from emsp_parts.report.emsp_annex_guard import OWN_MACHINE, RefusedFile  # noqa: E402
from emsp_parts.report.emsp_annex_reader import SHA256, read_annex  # noqa: E402
from emsp_parts.report.emsp_annex_verdict import list_text, refusal_text, row_text, status_text  # noqa: E402

MATCH, MISMATCH, UNREADABLE = 0, 1, 2
# Of a file of payloads, unpacked: 50 000 CDRs of 20 kB.
MAX_PAYLOAD_BYTES = 1024**3


class InputError(Exception):
    """Input that cannot be read, in one line."""


def main(arguments: list[str]) -> int:
    """:return: the exit status."""
    options = parse_arguments(arguments)
    try:
        found = verify_file(options)
    except InputError as error:
        print(error, file=sys.stderr)
        return UNREADABLE
    if options.json:
        print(json.dumps(found.to_json(), indent=2))
    else:
        print("\n".join(lines(found, with_payloads=bool(options.payloads))))
    return MATCH if found.holds else MISMATCH


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="script/verify-annex", description="Verify a session annex.")
    parser.add_argument("annex", metavar="FILE.xlsx", help="the session annex of an invoice")
    parser.add_argument("--payloads", metavar="FILE.jsonl", help="the CDRs as they were sent, one in a line")
    parser.add_argument("--list-hash", metavar="HEX", default="", help="as printed on the invoice")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    return parser.parse_args(arguments)


def verify_file(options: argparse.Namespace) -> Any:
    """:return: Verification. :raise InputError:"""
    printed = options.list_hash.strip().lower()
    if printed and not SHA256.fullmatch(printed):
        raise InputError(f"--list-hash: {refusal_text(English, 'list_hash')}")
    try:
        stated = read_annex(read(options.annex, OWN_MACHINE.file_bytes), OWN_MACHINE)
    except RefusedFile as refusal:
        raise InputError(f"{options.annex}: {refusal_text(English, refusal.code, OWN_MACHINE)}") from None
    payloads = read_payloads(options.payloads) if options.payloads else None
    return verify_list(stated, payloads, printed)


def read(path: str, limit: int) -> bytes:
    """At most one byte more than `limit`, so that a larger file is told. :raise InputError:"""
    try:
        with Path(path).open("rb") as file:
            return file.read(limit + 1)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None


def read_payloads(path: str) -> list[bytes]:
    """:raise InputError: when there is no such file, or it is too large."""
    try:
        records = list(read_records(read(path, MAX_PAYLOAD_BYTES), MAX_PAYLOAD_BYTES))
    except CoreError as error:
        raise InputError(f"{path}: {error}") from None
    return [unwrap(record.raw) for record in records]


def unwrap(raw: bytes) -> bytes:
    """The text inside of {"payload": "<text>"}; any other line is the payload itself."""
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return raw
    if isinstance(found, dict) and isinstance(found.get("payload"), str):
        return found["payload"].encode()
    return raw


def lines(found: Any, *, with_payloads: bool) -> list[str]:
    """For people: each row, what is wrong with the list, and a summary."""
    width = max((len(row.key) for row in found.rows), default=0)
    # The sheet is told where there are several.
    several = any(row.sheet > 1 for row in found.rows)
    text = []
    for row in found.rows:
        reasons = " ".join(row_text(English, reason) for reason in row.reasons)
        status = status_text(English, row.status)
        sheet = f"sheet {row.sheet} " if several else ""
        amount = row.amount or "-"
        line = f"{sheet}row {row.place:<6} {row.key:<{width}}  {amount:>12}  {status}. {reasons}"
        text.append(line.rstrip())
    wrong = [row for row in found.rows if row.status is not Status.MATCHES]
    text += ["", f"{found.stated.settlement}, invoice {found.stated.invoice}"]
    text += [f"SHA-256 of the list: {found.list_hash}"]
    text += [list_text(English, problem) for problem in found.problems]
    if with_payloads:
        text.append(f"Payloads that the annex does not list: {len(found.unlisted)}")
    text.append(f"{len(found.rows) - len(wrong)} rows match, {len(wrong)} do not.")
    text.append("The annex holds." if found.holds else "The annex does not hold.")
    return text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
