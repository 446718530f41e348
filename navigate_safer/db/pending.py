"""Whose readings wait to be judged: the next device in its turn, and its marks."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import NamedTuple

from sqlalchemy import Select, bindparam, delete, func, null, or_, select, update
from sqlalchemy.orm import Session

from navigate_safer.db import arrivals
from navigate_safer.db.among import Among, Keyed
from navigate_safer.db.people import DeviceRow
from navigate_safer.db.telemetry import TERMS, PendingRow

# Marks that a claim looks at, the oldest. When a whole region is heard again after an outage there
# are hundreds of thousands: to sort them all for each device took longer than to judge it, so that
# ever more came to wait.
MOST_MARKS_LOOKED_AT = 1_000
# Marks named in one statement: a device may have any number, and a statement not.
_MARKS_AT_ONCE = 10_000
FIRST_RETRY, LONGEST_RETRY = timedelta(seconds=5), timedelta(minutes=5)


class Mark(NamedTuple):
    """A pending mark, as its row has it."""

    id: int
    earliest_at: datetime
    marked_at: datetime | None
    failures: int
    not_before: datetime | None
    cause: str | None


def _oldest_free(among: Among) -> Select[int]:
    due = or_(PendingRow.not_before.is_(None), PendingRow.not_before <= bindparam("now"))
    marks = (
        select(PendingRow.device_id, PendingRow.id)
        .where(due, ~among(PendingRow.device_id, "at_work"))
        .order_by(PendingRow.id)
        .limit(MOST_MARKS_LOOKED_AT)
        .subquery()
    )
    oldest = (
        select(marks.c.device_id, func.min(marks.c.id).label("first"))
        .group_by(marks.c.device_id)
        .subquery()
    )
    return (
        select(DeviceRow.id)
        .join(oldest, oldest.c.device_id == DeviceRow.id)
        .order_by(oldest.c.first)
        .limit(1)
        # Not a full update lock: intake's foreign keys must not wait for judgement.
        .with_for_update(of=DeviceRow, skip_locked=True, key_share=True)
    )


# After an outage of a whole region as many may be at work as there are devices: as one array, since
# PostgreSQL takes 65,535 parameters and no more.
_CLAIM = Keyed(_oldest_free)


def claim(session: Session, now: datetime, at_work: Collection[int]) -> int | None:
    """Lock the device of the oldest pending mark that nobody else is at work on, if any.

    ``at_work`` are devices that are judged elsewhere in this process.
    """
    return _CLAIM.ask(session.connection(), now=now, at_work=list(at_work)).scalar()


_OF_DEVICE = (
    select(*(getattr(PendingRow, name) for name in Mark._fields))
    .where(PendingRow.device_id == bindparam("device"))
    .order_by(PendingRow.id)
)
_WAKE = Keyed(
    lambda among: update(PendingRow).where(among(PendingRow.id, "marks")).values(not_before=null())
)
_DROP = Keyed(lambda among: delete(PendingRow).where(among(PendingRow.id, "marks")))


def of_device(session: Session, device_id: int) -> list[Mark]:
    """Every mark of a device, the oldest first; not as objects, since there may be very many."""
    return [Mark(*row) for row in session.connection().execute(_OF_DEVICE, {"device": device_id})]


def drop(session: Session, marks: Sequence[Mark]) -> None:
    """Delete these marks, and none that intake has added meanwhile."""
    _each_part(session, _DROP, marks)


def _each_part(session: Session, statement: Keyed, marks: Sequence[Mark]) -> None:
    ids = iter([mark.id for mark in marks])
    while part := list(islice(ids, _MARKS_AT_ONCE)):
        statement.ask(session.connection(), marks=part)


def wake(session: Session, device_id: int, marks: Sequence[Mark], now: datetime) -> bool:
    """Make marks whose time has come like any other; whether there were any. The caller commits.

    While they waited intake went on judging the device, by rules that have not seen these readings:
    where it was calm must not hold from before they are judged. Commit it before judging, so that
    no batch waits for the judgement.
    """
    woken = [
        mark
        for mark in marks
        if mark.not_before is not None and mark.not_before <= now and not mark.failures
    ]
    if woken:
        arrivals.turn_on(session, device_id, wait=True)
        _each_part(session, _WAKE, woken)
    return bool(woken)


def put_off(session: Session, device_id: int, now: datetime, fault: str) -> None:
    """Try a device again later that could not be judged: one mark for all that it has.

    Each batch that brings something adds a mark, and to look at all of them at each try is what
    would keep the others waiting. Nothing is done where somebody else is at work on the device.
    """
    alone = {"key_share": True, "skip_locked": True}
    if session.get(DeviceRow, device_id, with_for_update=alone) is None:
        return
    marks = of_device(session, device_id)
    if not marks:
        return
    failures = max(mark.failures for mark in marks)
    session.connection().execute(
        update(PendingRow)
        .where(PendingRow.id == marks[0].id)
        .values(
            earliest_at=min(mark.earliest_at for mark in marks),
            marked_at=min((mark.marked_at for mark in marks if mark.marked_at), default=None),
            not_before=now + min(FIRST_RETRY * 2 ** min(failures, 10), LONGEST_RETRY),
            failures=failures + 1,
            fault=fault,
            cause=TERMS if any(mark.cause == TERMS for mark in marks) else None,
        )
    )
    drop(session, marks[1:])
