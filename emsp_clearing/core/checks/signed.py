"""Whether the meter signed what the CDR says (OCPI 2.2.1, 10.4.7)."""

from collections.abc import Mapping, Sequence
from typing import Any

from . import ocmf
from .case import Case
from .findings import Finding, NotEvaluated, Outcome, kwh
from .ocmf import OcmfError, Record
from .values import NoParams

RULE = "signed_data"
PATH = "signed_data"


def signed_data(case: Case, _: NoParams) -> Outcome:
    """Every signature, and the energy between the first and the last reading, to one displayed digit.

    By the registered key of the meter, else by the one that came along. Without signed data there is
    nothing to verify.
    """
    sent = case.cdr.signed_data
    if not sent:
        return ()
    texts = _texts(sent)
    if not texts:
        return NotEvaluated("signed_format_unsupported")
    try:
        records = {path: ocmf.read_record(text) for path, text in texts.items()}
    except OcmfError as error:
        return (Finding(RULE, "signed_data_unreadable", PATH, None, str(error.params["got"])),)
    if any(record.algorithm.lower() not in ocmf.ALGORITHMS for record in records.values()):
        return NotEvaluated("signature_algorithm_unsupported")
    return _of_signatures(case, records)


def meter_key(case: Case, _: NoParams) -> Sequence[Finding]:
    """Signed values that no registered key vouches for: whoever wrote them can have sent the key too."""
    sent = case.cdr.signed_data
    if not sent or case.facts.meter_key or not _sent_key(sent) or not _texts(sent):
        return ()
    return (Finding("meter_key", "key_not_registered", "signed_data.public_key", None, case.cdr.meter_id),)


def signed_data_required(case: Case, _: NoParams) -> Sequence[Finding]:
    """For partners that agreed on signed values."""
    if case.cdr.signed_data:
        return ()
    return (Finding("signed_data_required", "signed_data_absent", PATH),)


def _of_signatures(case: Case, records: Mapping[str, Record]) -> Outcome:
    text = case.facts.meter_key or _sent_key(case.cdr.signed_data or {})
    if not text:
        return NotEvaluated("key_missing")
    try:
        key = ocmf.read_key(text)
    except OcmfError:
        return NotEvaluated("key_unreadable")
    for path, record in records.items():
        if not record.is_signed_by(key):
            return (Finding(RULE, "signature_invalid", path),)
    return _of_energy(case, list(records.values()))


def _of_energy(case: Case, records: Sequence[Record]) -> Outcome:
    """A meter has registers with and without the losses of the cable: one of them is what was charged."""
    pairs = ocmf.charged(records)
    if not pairs:
        return NotEvaluated("signed_energy_missing")
    total, differs = case.cdr.total_energy, []
    for register, (begin, end) in pairs.items():
        if not (begin.is_usable and end.is_usable):
            return (Finding(RULE, "signed_reading_unusable", PATH, None, register or None),)
        signed, digit = end.energy_kwh - begin.energy_kwh, max(begin.digit, end.digit)
        if abs(signed - total) <= digit:
            return ()
        differs.append((signed, digit))
    signed, digit = differs[0]
    return (Finding(RULE, "signed_energy_mismatch", "total_energy", kwh(signed), kwh(total), kwh(digit)),)


def _texts(sent: Mapping[str, Any]) -> Mapping[str, str]:
    """The OCMF texts by their paths; one that is repeated, once."""
    texts: dict[str, str] = {}
    values = sent.get("signed_values")
    for index, value in enumerate(values if isinstance(values, (list, tuple)) else ()):
        members = value if isinstance(value, dict) else {}
        text = ocmf.find_text(members.get("signed_data"), members.get("plain_data"))
        if text and text not in texts.values():
            texts[f"signed_data.signed_values[{index}]"] = text
    return texts


def _sent_key(sent: Mapping[str, Any]) -> str | None:
    key = sent.get("public_key")
    return key if isinstance(key, str) and key.strip() else None
