"""Place and lift holds on readings; each is in the audit log, and none is ever deleted."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from navigate_safer.db import audit, holds
from navigate_safer.db.base import Sessions
from navigate_safer.db.holds import ReadingHoldRow
from navigate_safer.db.people import WearerRow
from navigate_safer.people.account import Act


class CannotHold(Exception):
    """The hold cannot be placed or lifted; the message says why and what to do."""


def place(
    sessions: Sessions,
    wearer: str | None,
    days: tuple[date | None, date | None],
    why: str,
    now: datetime,
) -> int:
    """Keep readings of a wearer, or of everybody, on the days from the first to the second.

    UTC days, both included, None without that bound. The number of the hold; raises CannotHold.
    """
    from_day, to_day = days
    if not why.strip():
        raise CannotHold("say why, as the court or the inquiry named it")
    if wearer is None and from_day is None and to_day is None:
        raise CannotHold("name a wearer or a day: a hold on everything for ever is no hold")
    if from_day is not None and to_day is not None and to_day < from_day:
        raise CannotHold("the last day is before the first")
    with sessions.begin() as session:
        wearer_id = None
        if wearer is not None:
            wearer_id = session.scalar(select(WearerRow.id).where(WearerRow.ref == wearer))
            if wearer_id is None:
                raise CannotHold(f"no wearer {wearer} is registered")
        row = ReadingHoldRow(
            wearer_id=wearer_id, from_day=from_day, to_day=to_day, why=why.strip(), placed_at=now
        )
        session.add(row)
        session.flush()
        _log(session, row, "hold on readings placed", now)
        return row.id


def lift(sessions: Sessions, hold_id: int, why: str, now: datetime) -> None:
    """End a hold; raises CannotHold."""
    if not why.strip():
        raise CannotHold("say why it is lifted, and who decided it")
    with sessions.begin() as session:
        row = session.get(ReadingHoldRow, hold_id)
        if row is None or row.lifted_at is not None:
            raise CannotHold(f"there is no hold {hold_id} in force")
        row.lifted_at, row.why_lifted = now, why.strip()
        _log(session, row, "hold on readings lifted", now)


def every(sessions: Sessions) -> Sequence[tuple[ReadingHoldRow, str | None]]:
    """Every hold with the reference of its wearer, oldest first."""
    with sessions() as session:
        refs = dict(session.execute(select(WearerRow.id, WearerRow.ref)).all())
        return [
            (row, None if row.wearer_id is None else refs[row.wearer_id])
            for row in holds.every(session)
        ]


def _log(session: Session, row: ReadingHoldRow, what: str, now: datetime) -> None:
    audit.record(
        session,
        Act.ALTERATION,
        what,
        at=now,
        actor="command line",
        subject_kind="hold" if row.wearer_id is None else "wearer",
        subject_id=row.id if row.wearer_id is None else row.wearer_id,
        detail={"hold": row.id},
    )
