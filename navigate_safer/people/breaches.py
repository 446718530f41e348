"""A breach: failures that an officer has referred, the pack, and who signs its statement."""

from datetime import datetime

import msgspec

from navigate_safer.people.access import Permission
from navigate_safer.people.days import day_of, end_of
from navigate_safer.people.order_rules import of_kind
from navigate_safer.people.records import Due, RecordKind
from navigate_safer.people.working_days import working_day_after

PACK_DUE, SIGNED, CLOSED = "pack_due", "signed", "closed"


class Signature(msgspec.Struct, frozen=True):
    """Who signed the statement, and when."""

    by: str
    at: datetime


class Breach(msgspec.Struct, frozen=True):
    """Failures under one order that went to an enforcement officer.

    ``failed_at`` is when the newest of them happened: the clock of the pack begins with it.
    """

    order_ref: str
    order_kind: str
    failure_refs: tuple[str, ...]
    failed_at: datetime
    why: str
    referred_to: str
    referred_by: str
    statement: str = ""
    signed: Signature | None = None
    outcome: str = ""


BREACH = RecordKind(
    "breach", "Breach", "BR", Breach, Permission.SEE_CASEWORK, Permission.MANAGE_CASES
)


def state_of(breach: Breach) -> str:
    """How far it has come."""
    if breach.outcome:
        return CLOSED
    return PACK_DUE if breach.signed is None else SIGNED


def pack_by(breach: Breach) -> datetime:
    """When the pack has to be ready: the end of a working day after the newest failure."""
    days = of_kind(breach.order_kind).pack_working_days
    return end_of(working_day_after(day_of(breach.failed_at), days))


def due_of(breach: Breach, who: int | None) -> Due | None:
    """The pack, until somebody has signed it."""
    if state_of(breach) != PACK_DUE:
        return None
    return Due(pack_by(breach), "Prepare the breach pack and sign its statement", who)
