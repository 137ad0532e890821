"""What reading from partners and sending to them have in common: turns, waiting, whose a failure is."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import quote

from odoo.addons.queue_job.exception import RetryableJobError

from .emsp_ocpi_client import OcpiClient
from .emsp_ocpi_client_errors import OcpiClientError

# First keys of advisory locks; the second one is a record's id.
PULL_LOCK = 0x656D706C
PUSH_LOCK = 0x656D7075
BUSY_RETRY_S = 10
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=6)
# Nothing goes to a partner that cannot be reached for as long, at most, whatever the wait of one message.
LONGEST_SILENCE = timedelta(minutes=5)
# After so many the wait is the longest one.
MOST_DOUBLINGS = 12
# Faults of the way to the partner, or of the partner as a whole: no message would fare better.
UNREACHABLE_KINDS = ("connection", "timeout", "tls", "no_token", "bad_token")
UNREACHABLE_HTTP = (401, 429, 502, 503, 504)


class TrafficClient(OcpiClient):
    """A client whose errors tell how long the partner wants to be left alone."""

    def _read_envelope(self, exchange, response):
        try:
            return super()._read_envelope(exchange, response)
        except OcpiClientError as error:
            error.retry_after = response.headers.get("Retry-After")
            raise


def take_turn(env, lock, record_id):
    """Of two jobs of a record the second one is put off; the lock goes with the transaction.

    :raise RetryableJobError: another job is at it.
    """
    env.cr.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [lock, record_id])
    if not env.cr.fetchone()[0]:
        reason = env._("Another job is at work on the same.")
        raise RetryableJobError(reason, seconds=BUSY_RETRY_S, ignore_retry=True)


def wait_after(attempts):
    """Exponential: one minute after the first attempt, then twice as long each time.

    :return: timedelta.
    """
    doublings = min(max(attempts - 1, 0), MOST_DOUBLINGS)
    return min(FIRST_WAIT * 2**doublings, LONGEST_WAIT)


def asked_wait(error, as_of):
    """How long the partner asks us to wait (RFC 9110, 10.2.3), at most `LONGEST_WAIT`.

    :param OcpiClientError error: of a `TrafficClient`.
    :param datetime as_of: naive UTC.
    :return: timedelta, or None where it does not ask or cannot be understood.
    """
    text = (getattr(error, "retry_after", None) or "").strip()
    if not text:
        return None
    if text.isdecimal():
        # More digits than a timedelta has room for are still "long".
        wait = timedelta(seconds=int(text[:9]))
    else:
        try:
            wait = parsedate_to_datetime(text).astimezone(UTC) - as_of.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            return None
    return min(max(wait, timedelta(seconds=1)), LONGEST_WAIT)


def is_unreachable(error):
    """Whether other messages to the partner would fail as well."""
    return (
        error.kind in UNREACHABLE_KINDS
        or error.kind.startswith("address_")
        or (error.kind == "http" and error.http_status in UNREACHABLE_HTTP)
    )


def is_refusal(error):
    """Whether the partner has judged the message: sending it again as it is would change nothing."""
    if error.kind == "ocpi":
        return 2000 <= (error.ocpi_status or 0) < 3000
    if error.kind != "http" or is_unreachable(error):
        return False
    return 400 <= error.http_status < 500 and error.http_status != 408


def ocpi_instant(instant):
    """A naive UTC instant as OCPI writes it (OCPI 2.2.1, 17.2)."""
    return instant.replace(microsecond=0).isoformat() + "Z"


def job_eta(instant):
    """Of a job that is to start at `instant` (naive UTC); None for at once."""
    return instant if instant and instant > datetime.now(UTC).replace(tzinfo=None) else None


def quoted(*parts):
    """Parts of a path that may hold any character."""
    return "/".join(quote(part, safe="") for part in parts)
