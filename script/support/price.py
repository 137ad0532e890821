"""The command line of the tariff engine; `script/price` says how it is called."""

import argparse
import json
import sys
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from .core import load_core

# The package can be imported from here on.
load_core()

from emsp_core.errors import CoreError  # noqa: E402
from emsp_core.pricing.explanation import SUBTOTALS  # noqa: E402
from emsp_core.pricing.stream import CdrPricer, read_tariffs  # noqa: E402

# OCPI numbers have four decimals.
DIGITS = Decimal("0.0001")
PRECISION = 4
FIELDS = ("total_cost", *dict.fromkeys(SUBTOTALS[name] for name in sorted(SUBTOTALS)))
UNREADABLE, UNPRICEABLE = 2, 1
NULL = msgspec.Raw(b"null")


class Request(msgspec.Struct):
    """A line of the stream."""

    id: Any = None
    version: str = "2.2.1"
    cdr: msgspec.Raw = NULL
    tariff: msgspec.Raw = NULL
    timezone: str | None = None
    context: dict[str, Any] | None = None


class InputError(Exception):
    """Input that cannot be read, in one line."""


def main(arguments: list[str]) -> int:
    """:return: the exit status."""
    options = parse_arguments(arguments)
    if options.cdr == "-":
        for answer in answers(sys.stdin.buffer):
            print(json.dumps(answer), flush=True)
        return 0
    try:
        print(json.dumps(price_file(options), indent=2))
    except InputError as error:
        print(error, file=sys.stderr)
        return UNREADABLE
    except CoreError as error:
        print(f"{options.cdr}: {one_line(error)}", file=sys.stderr)
        return UNPRICEABLE if type(error).__name__ == "PricingError" else UNREADABLE
    return 0


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="script/price", description="Price CDRs by OCPI tariffs.")
    parser.add_argument("cdr", metavar="CDR.json", help="a file, or - for JSON lines on standard input")
    parser.add_argument("--tariff", metavar="T.json", help="instead of the CDR's own; may be a list")
    parser.add_argument("--version", default="2.2.1", help="OCPI version (default: %(default)s)")
    parser.add_argument("--timezone", help="IANA name; else the CDR's own, where it has one")
    parser.add_argument("--explain", action="store_true", help="with every segment and what priced it")
    return parser.parse_args(arguments)


def price_file(options: argparse.Namespace) -> dict[str, Any]:
    """:raise InputError: a file that is not there, or a tariff that cannot be read.
    :raise CoreError: a CDR that cannot be read or priced."""
    cdr = read(options.cdr)
    tariffs = read_tariffs(read(options.tariff)) if options.tariff else []
    pricer = CdrPricer(options.version, PRECISION)
    for tariff in tariffs:
        try:
            pricer.check_tariff(tariff)
        except CoreError as error:
            raise InputError(f"{options.tariff}: {one_line(error)}") from None
    result = pricer.explain(cdr, tariffs, time_zone=options.timezone)
    found = answer(json.loads(cdr).get("id"), result)
    return {**found, "explanation": result.to_json()} if options.explain else found


def read(path: str) -> bytes:
    """:raise InputError: when there is no such file."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None


def answers(lines: Iterable[bytes]) -> Iterable[dict[str, Any]]:
    """One for each line that is not blank; the stream goes on after a line that is no good."""
    decoder = msgspec.json.Decoder(Request)
    for line in lines:
        if not line.strip():
            continue
        try:
            request = decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            yield {"id": id_of(line), "error": f"line: {one_line(error)}"}
            continue
        try:
            yield price_line(request)
        except CoreError as error:
            yield {"id": request.id, "error": one_line(error)}


def price_line(request: Request) -> dict[str, Any]:
    """:raise CoreError: input that cannot be read or priced, with the place in the line."""
    pricer = pricer_of(request.version)
    tariff = bytes(request.tariff)
    tariffs = [] if tariff == b"null" else read_tariffs(tariff)
    for each in tariffs:
        with_path("tariff", pricer.check_tariff, each)
    expired = (request.context or {}).get("reservation_expired")
    if expired is not None and not isinstance(expired, bool):
        raise CoreError("invalid_field", "context.reservation_expired", expected="true or false", got=expired)
    result = with_path(
        "cdr",
        pricer.total,
        bytes(request.cdr),
        tariffs,
        time_zone=request.timezone,
        reservation_expired=expired,
    )
    return answer(request.id, result)


@cache
def pricer_of(version: str) -> CdrPricer:
    return CdrPricer(version, PRECISION)


def with_path(place, function, *arguments, **options):
    """Call a function; an error that it raises names the place in the line."""
    try:
        return function(*arguments, **options)
    except CoreError as error:
        error.path = f"{place}.{error.path}" if error.path else place
        raise


def answer(name: Any, result: Any) -> dict[str, Any]:
    """A result by the CDR's own names; a part that the tariff has no price for is null."""
    costs = {**result.subtotals, "total_cost": result.totals}
    return {
        "id": name,
        **{field: price(costs[field]) if field in costs else None for field in FIELDS},
        "findings": [{"code": note.code, "path": note.path, **note.params} for note in result.notes],
    }


def price(cost: Any) -> dict[str, str | None]:
    return {"excl_vat": text(cost.excl), "incl_vat": text(cost.incl)}


def text(amount: Decimal | None) -> str | None:
    """With two decimals, or as many more up to four as it takes."""
    if amount is None:
        return None
    whole, _, decimals = f"{amount.quantize(DIGITS, ROUND_HALF_UP) + 0:f}".partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"


def id_of(line: bytes) -> Any:
    """The id of a line that does not fit, as far as it is JSON."""
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found.get("id") if isinstance(found, dict) else None


def one_line(error: Exception) -> str:
    return " ".join(str(error).split())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
