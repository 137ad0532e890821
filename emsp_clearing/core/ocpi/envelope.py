"""OCPI answers: the closed set of status codes, the envelope, and refusals."""

from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any, Final

from .types import format_date_time


class StatusCode(IntEnum):
    """What became of a request (OCPI 2.2.1, chapter 5). Codes are read by their first digit."""

    SUCCESS = 1000
    CLIENT_ERROR = 2000
    INVALID_PARAMETERS = 2001
    NOT_ENOUGH_INFORMATION = 2002
    UNKNOWN_LOCATION = 2003
    UNKNOWN_TOKEN = 2004
    SERVER_ERROR = 3000
    CLIENT_API_UNUSABLE = 3001
    UNSUPPORTED_VERSION = 3002
    NO_MATCHING_ENDPOINTS = 3003
    HUB_ERROR = 4000
    UNKNOWN_RECEIVER = 4001
    FORWARDING_TIMEOUT = 4002
    CONNECTION_PROBLEM = 4003

    @property
    def meaning(self) -> str:
        """The code in plain English, for `status_message`."""
        return _MEANINGS[self]


_MEANINGS: Final = {
    StatusCode.SUCCESS: "Success",
    StatusCode.CLIENT_ERROR: "The request cannot be processed",
    StatusCode.INVALID_PARAMETERS: "Invalid or missing parameters",
    StatusCode.NOT_ENOUGH_INFORMATION: "Not enough information",
    StatusCode.UNKNOWN_LOCATION: "Unknown location",
    StatusCode.UNKNOWN_TOKEN: "Unknown token",
    StatusCode.SERVER_ERROR: "The server could not process the request",
    StatusCode.CLIENT_API_UNUSABLE: "The client's API cannot be used",
    StatusCode.UNSUPPORTED_VERSION: "Unsupported version",
    StatusCode.NO_MATCHING_ENDPOINTS: "No matching endpoints, or expected ones are missing",
    StatusCode.HUB_ERROR: "Generic hub error",
    StatusCode.UNKNOWN_RECEIVER: "Unknown receiver",
    StatusCode.FORWARDING_TIMEOUT: "The forwarded request timed out",
    StatusCode.CONNECTION_PROBLEM: "The receiving party is not connected",
}


class Problem(StrEnum):
    """Why a request is refused; `answer_to` says how."""

    INVALID_PAYLOAD = "invalid_payload"
    CONFLICT = "conflict"
    UNAUTHORIZED = "unauthorized"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    TOO_LARGE = "too_large"
    REFUSED = "refused"
    FAILED = "failed"


_ANSWERS: Final = {
    Problem.INVALID_PAYLOAD: (400, StatusCode.INVALID_PARAMETERS),
    Problem.CONFLICT: (200, StatusCode.INVALID_PARAMETERS),
    Problem.UNAUTHORIZED: (401, StatusCode.CLIENT_ERROR),
    Problem.NOT_FOUND: (404, StatusCode.CLIENT_ERROR),
    Problem.METHOD_NOT_ALLOWED: (405, StatusCode.CLIENT_ERROR),
    Problem.TOO_LARGE: (413, StatusCode.CLIENT_ERROR),
    Problem.REFUSED: (200, StatusCode.CLIENT_ERROR),
    Problem.FAILED: (500, StatusCode.SERVER_ERROR),
}


class _Absent:
    """Type of ABSENT: no `data` at all, which is not `null`."""


ABSENT: Final = _Absent()


def answer_to(problem: Problem) -> tuple[int, StatusCode]:
    """:return: HTTP status and OCPI status of a refusal (OCPI 2.2.1, chapter 5).

    HTTP tells what kept a request from being looked at: no right, no such resource or method. A
    problem of its content stands in the OCPI status alone, except a body that cannot be taken: a
    peer that looks at HTTP only would believe it stored.
    """
    return _ANSWERS[problem]


def envelope(
    status: StatusCode,
    data: Any = ABSENT,
    message: str | None = None,
    *,
    timestamp: datetime,
) -> dict[str, Any]:
    """The object every OCPI answer is (OCPI 2.2.1, 4.1.7).

    :param data: a list, an object or a text; left out on errors and where the text names none.
    :param message: in English, for the peer's developers; by default what an error's code means.
    :param timestamp: when the answer is made; without a zone it is UTC.
    """
    body: dict[str, Any] = {} if data is ABSENT else {"data": data}
    body["status_code"] = int(status)
    if message is None and status is not StatusCode.SUCCESS:
        message = status.meaning
    if message:
        body["status_message"] = message
    body["timestamp"] = format_date_time(timestamp)
    return body
