"""A small OCPI 2.2.1 client: what a CPO's system does when it pushes CDRs."""

import base64
import json
import uuid
from dataclasses import dataclass
from typing import Any

import requests

CDRS_PATH = "/ocpi/emsp/2.2.1/cdrs"


@dataclass(frozen=True)
class OcpiResponse:
    """An answer: HTTP status and headers, and the OCPI envelope as a dict; `text` as it came."""

    http_status: int
    headers: dict[str, str]
    envelope: dict[str, Any]
    text: str

    @property
    def status_code(self) -> int:
        return self.envelope["status_code"]

    @property
    def location(self) -> str | None:
        return self.headers.get("Location")

    @property
    def is_taken(self) -> bool:
        """Whether the CDR is stored at the other side now."""
        return self.http_status in (200, 201) and 1000 <= self.status_code < 2000


class OcpiClient:
    """Talks to one platform with one credentials token.

    :param base_url: of the platform, for example http://localhost:8069.
    :param token: as it was shown; it is sent Base64-encoded (OCPI 2.2.1, 4.1.2).
    :param timeout: seconds.
    """

    def __init__(self, base_url: str, token: str, timeout: float = 30) -> None:
        self.base_url = base_url.rstrip("/")
        self.timeout = timeout
        self.session = requests.Session()
        encoded = base64.b64encode(token.encode()).decode()
        self.session.headers["Authorization"] = f"Token {encoded}"

    def post_cdr(self, payload: dict[str, Any] | str | bytes) -> OcpiResponse:
        """Push one CDR. Text and bytes go out as they are."""
        body = json.dumps(payload) if isinstance(payload, dict) else payload
        data = body.encode() if isinstance(body, str) else body
        return self.request(
            "POST", self.base_url + CDRS_PATH, data=data, headers={"Content-Type": "application/json"}
        )

    def get(self, url: str) -> OcpiResponse:
        """:param url: absolute, as a Location, or a path of the platform."""
        return self.request("GET", url if "://" in url else self.base_url + url)

    def request(self, method: str, url: str, headers: dict | None = None, **options: Any) -> OcpiResponse:
        ids = {"X-Request-ID": str(uuid.uuid4()), "X-Correlation-ID": str(uuid.uuid4())}
        response = self.session.request(
            method, url, headers={**ids, **(headers or {})}, timeout=self.timeout, **options
        )
        try:
            envelope = response.json()
        except requests.JSONDecodeError:
            envelope = {}
        return OcpiResponse(
            http_status=response.status_code,
            headers=dict(response.headers),
            envelope=envelope,
            text=response.text,
        )
