"""The custom module of findings: its object, described for programs of others."""

from datetime import datetime

from .types import Payload


class FindingCdr(Payload, kw_only=True):
    """The CDR that a finding is about."""

    country_code: str
    party_id: str
    id: str


class Finding(Payload, kw_only=True):
    """What quality control found about a CDR. Values are texts: numbers, instants and codes alike."""

    id: str
    cdr: FindingCdr
    cdr_state: str
    rule: str | None = None
    code: str
    severity: str
    message: str
    path: str | None = None
    expected: str | None = None
    found: str | None = None
    tolerance: str | None = None
    superseded: bool
    last_updated: datetime
