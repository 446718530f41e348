"""Holds on readings: what a court or an inquiry needs is kept, whatever the retention says."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, Text, or_, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from navigate_safer.db.base import Base, BigId, UTCDateTime


class ReadingHoldRow(Base):
    """One hold, in force until it is lifted; never deleted.

    On one wearer, or on everybody where ``wearer_id`` is None; on the days from ``from_day`` to
    ``to_day`` (UTC, both included), None being without that bound.
    """

    __tablename__ = "reading_holds"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    wearer_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("wearers.id"))
    from_day: Mapped[date | None] = mapped_column(Date)
    to_day: Mapped[date | None] = mapped_column(Date)
    why: Mapped[str] = mapped_column(Text)
    placed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    lifted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    why_lifted: Mapped[str | None] = mapped_column(Text)


def wait_for_none(session: Session) -> None:
    """Let no hold be placed until this transaction ends; on SQLite nobody else writes anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("lock table reading_holds in share mode"))


def over(session: Session, day: date) -> Sequence[ReadingHoldRow]:
    """The holds in force that keep readings of a day."""
    query = select(ReadingHoldRow).where(
        ReadingHoldRow.lifted_at.is_(None),
        or_(ReadingHoldRow.from_day.is_(None), ReadingHoldRow.from_day <= day),
        or_(ReadingHoldRow.to_day.is_(None), ReadingHoldRow.to_day >= day),
    )
    return session.scalars(query.order_by(ReadingHoldRow.id)).all()


def every(session: Session) -> Sequence[ReadingHoldRow]:
    """Every hold there is and was, oldest first."""
    return session.scalars(select(ReadingHoldRow).order_by(ReadingHoldRow.id)).all()
