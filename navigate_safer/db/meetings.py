"""Wearers who were together: information for whoever manages them, not a breach."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Float, ForeignKey, UniqueConstraint, delete, func, or_, select
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from navigate_safer.db.base import Base, BigId, UTCDateTime
from navigate_safer.db.people import WearerRow
from navigate_safer.people.access import Permission, Scope

_AT_ONCE = 500


class MeetingRow(Base):
    """Two wearers together; the first has the lower id. ``probability`` that they ever were."""

    __tablename__ = "meetings"
    __table_args__ = (UniqueConstraint("first_id", "second_id", "started_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    first_id: Mapped[int] = mapped_column(BigId, ForeignKey("wearers.id"))
    second_id: Mapped[int] = mapped_column(BigId, ForeignKey("wearers.id"), index=True)
    started_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    ended_at: Mapped[datetime] = mapped_column(UTCDateTime)
    probability: Mapped[float] = mapped_column(Float)
    found_at: Mapped[datetime] = mapped_column(UTCDateTime)


class MeetingMarkRow(Base):
    """A stretch in which meetings are to be looked for again; without an end until the next look.

    Added by intake for readings that come late, and by each look for the next one; no look changes
    one, so that nobody waits for anybody.
    """

    __tablename__ = "meeting_marks"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    from_at: Mapped[datetime] = mapped_column(UTCDateTime)
    to_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class MeetingLine(msgspec.Struct, frozen=True):
    """With whom a wearer was together, when, and how likely."""

    ref: str
    name: str
    started_at: datetime
    ended_at: datetime
    probability: float


def forget_between(session: Session, from_at: datetime, to_at: datetime) -> None:
    """Drop what was found to have begun in a stretch that is looked at again."""
    row = MeetingRow
    session.execute(delete(row).where(row.started_at >= from_at, row.started_at < to_at))


def last_end(session: Session, from_at: datetime, to_at: datetime) -> datetime | None:
    """When the last of the meetings that began in a stretch ended."""
    row = MeetingRow
    query = select(func.max(row.ended_at)).where(row.started_at >= from_at, row.started_at < to_at)
    return session.scalar(query)


def marks(session: Session) -> list[MeetingMarkRow]:
    """Everything that is to be looked at again."""
    return list(session.scalars(select(MeetingMarkRow).order_by(MeetingMarkRow.id)))


def mark(session: Session, from_at: datetime, to_at: datetime | None) -> None:
    """Have a stretch looked at again."""
    session.add(MeetingMarkRow(from_at=from_at, to_at=to_at))


def drop_marks(session: Session, ids: Sequence[int]) -> None:
    """Forget marks that were looked after, and no other that came meanwhile."""
    for begin in range(0, len(ids), _AT_ONCE):
        part = ids[begin : begin + _AT_ONCE]
        session.execute(delete(MeetingMarkRow).where(MeetingMarkRow.id.in_(part)))


def of_wearer(session: Session, scope: Scope, wearer_id: int, since: datetime) -> list[MeetingLine]:
    """Meetings of a wearer with others of the scope's areas, the newest first."""
    scope.require(Permission.SEE_PLACES)
    other = aliased(WearerRow)
    row = MeetingRow
    either = or_(
        (row.first_id == wearer_id) & (other.id == row.second_id),
        (row.second_id == wearer_id) & (other.id == row.first_id),
    )
    query = (
        select(other.ref, other.name, row.started_at, row.ended_at, row.probability)
        .join(other, either)
        .where(row.ended_at >= since, other.area_id.in_(scope.areas))
        .order_by(row.started_at.desc(), other.ref)
    )
    return [MeetingLine(*found) for found in session.execute(query)]
