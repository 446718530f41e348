"""Questions of who was near a place: asked by whom, for what purpose, of which place and window."""

from datetime import datetime

from sqlalchemy import Float, ForeignKey, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from navigate_safer.db.base import Base, BigId, UTCDateTime
from navigate_safer.people.access import Permission, Scope


class PlaceQuestionRow(Base):
    """One question. The answer is worked out anew at each look, from what is stored then.

    ``name`` is what its address says: not a number that could be counted up.
    """

    __tablename__ = "place_questions"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(32), unique=True)
    staff_id: Mapped[int] = mapped_column(BigId, ForeignKey("staff.id"), index=True)
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    purpose: Mapped[str] = mapped_column(String(40))
    reference: Mapped[str] = mapped_column(String(64))
    lat: Mapped[float] = mapped_column(Float)
    lon: Mapped[float] = mapped_column(Float)
    radius_m: Mapped[float] = mapped_column(Float)
    from_at: Mapped[datetime] = mapped_column(UTCDateTime)
    to_at: Mapped[datetime] = mapped_column(UTCDateTime)


def own(session: Session, scope: Scope, name: str) -> PlaceQuestionRow | None:
    """A question of whoever asks for it; those of others are like none."""
    scope.require(Permission.SEE_PLACES)
    row = PlaceQuestionRow
    return session.scalar(select(row).where(row.name == name, row.staff_id == scope.staff_id))
