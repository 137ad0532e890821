"""The life cycles as sets of (from, to) pairs. Nothing leaves void, invoiced (CDR) and settled."""

from collections.abc import Set

from .errors import LifecycleError

Transitions = Set[tuple[str, str]]

CDR_TRANSITIONS: Transitions = frozenset(
    {
        ("received", "quarantine"),
        ("received", "open"),
        ("received", "void"),
        ("quarantine", "open"),
        ("quarantine", "void"),
        ("open", "disputed"),
        ("open", "quarantine"),
        ("open", "locked"),
        ("open", "void"),
        ("disputed", "open"),
        ("disputed", "void"),
        ("locked", "invoiced"),
    }
)

SETTLEMENT_TRANSITIONS: Transitions = frozenset(
    {
        ("collecting", "control"),
        ("control", "locked"),
        ("locked", "invoiced"),
        # Nothing to bill.
        ("locked", "settled"),
        ("invoiced", "sent"),
        # Paid before it was sent.
        ("invoiced", "settled"),
        ("sent", "settled"),
    }
)

# Of a document to a partner over one channel; what was handed over can only come back.
DELIVERY_TRANSITIONS: Transitions = frozenset(
    {
        ("queued", "handed_over"),
        ("queued", "failed"),
        ("failed", "queued"),
        ("failed", "handed_over"),
        ("handed_over", "bounced"),
    }
)

# Of a netting statement. What both accepted can still be taken back; what is settled is only undone.
NETTING_TRANSITIONS: Transitions = frozenset(
    {
        ("draft", "sent"),
        ("draft", "cancelled"),
        ("sent", "draft"),
        ("sent", "accepted"),
        ("sent", "cancelled"),
        ("accepted", "draft"),
        ("accepted", "settled"),
        ("accepted", "cancelled"),
        ("settled", "cancelled"),
    }
)

# Of a ledger export: a run is never opened again.
LEDGER_EXPORT_TRANSITIONS: Transitions = frozenset({("draft", "done")})


def check(transitions: Transitions, old: str, new: str) -> bool:
    """Whether something changes; the same state again is allowed and changes nothing.

    :raise LifecycleError: when the step is not in `transitions`; it names the states that are.
    """
    if old == new:
        return False
    if (old, new) not in transitions:
        allowed = ", ".join(sorted(target for source, target in transitions if source == old))
        expected = f"one of {allowed} after {old}" if allowed else f"nothing after {old}"
        raise LifecycleError("transition", "state", expected=expected, got=new)
    return True
