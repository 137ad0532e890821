"""What the verification of an annex found, in words for people."""

from ..core.verify import Status
from .emsp_annex_cells import Language
from .emsp_annex_guard import PUBLIC, Limits


def status_text(language: Language, status: Status) -> str:
    return {
        Status.MATCHES: language._("Matches"),
        Status.CHANGED: language._("Does not match"),
        Status.MISSING: language._("No CDR at hand"),
    }[status]


def row_text(language: Language, reason: str) -> str:
    """Why a row does not match, by the code of `core.verify`."""
    return {
        "amount": language._("The net amount is no number with at most four decimals."),
        "row_hash": language._("Key, SHA-256 of the CDR or net amount are not those that were listed."),
        "chain": language._("Its link of the CDR chain does not hold."),
        "repeated": language._("It is listed more than once."),
        "payload_changed": language._("The CDR at hand is not the one that was received."),
        "payload_missing": language._("The CDR is not among those at hand."),
        "not_held": language._("It does not match what we hold."),
    }[reason]


def list_text(language: Language, problem: str) -> str:
    """What is wrong with the list as a whole, by the code of `core.verify`."""
    return {
        "list_hash": language._("The rows do not add up to the SHA-256 of the list that the file states."),
        "printed_hash": language._("The SHA-256 of the list is not the one that you entered."),
        "count": language._("The number of rows is not the number of sessions that the summary states."),
        "total": language._("The net amounts do not sum to the total below them."),
        "settlements": language._(
            "What the summary says of a settlement is not what its sessions add up to, or not its list."
        ),
        "chain_head": language._("The head of the CDR chain is not that of the last CDR listed."),
        "other_invoice": language._(
            "This list is that of another invoice or settlement than the file names."
        ),
        "not_issued": language._("No invoice that we issued has this list."),
    }[problem]


def refusal_text(language: Language, code: str, limits: Limits = PUBLIC) -> str:
    """Why a file was not read, by the code of `RefusedFile`."""
    size = str(limits.file_bytes // 1024**2)
    return {
        "no_file": language._("Choose the session annex of an invoice, a spreadsheet (.xlsx)."),
        "too_large": language._("The file is larger than %(size)s MB. Choose the annex itself.", size=size),
        "not_spreadsheet": language._("The file is no spreadsheet (.xlsx) that can be read."),
        "unsafe": language._("The file unfolds further than a session annex does, and was not read."),
        "too_many_rows": language._("The file has more than %(rows)s rows.", rows=str(limits.rows)),
        "no_annex": language._(
            "The file is no session annex, or its named cells were lost. Choose it as it was sent."
        ),
        "list_hash": language._(
            "The SHA-256 has 64 digits from 0 to 9 and a to f. Leave it empty otherwise."
        ),
        "busy": language._("Another annex is being verified. Try again in a few seconds."),
    }[code]
