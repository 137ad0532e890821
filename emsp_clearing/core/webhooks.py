"""Signing what webhooks are sent: the receiver sees that it came from here, and when."""

import hashlib
import hmac
from typing import Final

SCHEME: Final = "v1"


def sign(secret: str, timestamp: int, body: bytes) -> str:
    """The signature header: `t=1790000000,v1=<hex>`.

    HMAC-SHA256 over the timestamp as text, a full stop and the body, byte for byte.

    :param timestamp: of the attempt, seconds since 1970; signed too, so that nobody repeats it much later.
    """
    signed = str(timestamp).encode() + b"." + body
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return f"t={timestamp},{SCHEME}={digest}"
