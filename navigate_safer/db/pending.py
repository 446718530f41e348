"""Whose readings wait to be judged: the next device in its turn."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Select, bindparam, func, or_, select
from sqlalchemy.orm import Session

from navigate_safer.db import arrivals
from navigate_safer.db.among import Among, Keyed
from navigate_safer.db.people import DeviceRow
from navigate_safer.db.telemetry import PendingRow

# Marks that a claim looks at, the oldest. When a whole region is heard again after an outage there
# are hundreds of thousands: to sort them all for each device took longer than to judge it, so that
# ever more came to wait.
MOST_MARKS_LOOKED_AT = 1_000


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


def wake(session: Session, device_id: int, marks: Sequence[PendingRow], now: datetime) -> bool:
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
    for mark in woken:
        mark.not_before = None
    return bool(woken)
