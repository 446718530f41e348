"""Authorised exceptions: what an officer has allowed under a condition, by whom and until when."""

from collections.abc import Collection
from datetime import datetime
from functools import lru_cache

import msgspec
from sqlalchemy import JSON, Float, ForeignKey, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from navigate_safer.db.among import Keyed
from navigate_safer.db.base import Base, BigId, UTCDateTime
from zones.authorised import Authorised
from zones.feature import permission


class ExceptionRow(Base):
    """One exception. It is never changed but for its end: who took it back, when and why.

    ``condition_ref`` is that of every version of the condition. ``corridor`` is GeoJSON.
    """

    __tablename__ = "authorised_exceptions"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    condition_ref: Mapped[str] = mapped_column(String(64), index=True)
    wearer_id: Mapped[int] = mapped_column(BigId, ForeignKey("wearers.id"), index=True)
    from_at: Mapped[datetime] = mapped_column(UTCDateTime)
    until_at: Mapped[datetime] = mapped_column(UTCDateTime)
    schedule: Mapped[list[dict[str, object]] | None] = mapped_column(JSON(none_as_null=True))
    corridor: Mapped[dict[str, object] | None] = mapped_column(JSON(none_as_null=True))
    corridor_m: Mapped[float] = mapped_column(Float, default=0.0)
    reason: Mapped[str] = mapped_column(Text)
    staff_id: Mapped[int] = mapped_column(BigId, ForeignKey("staff.id"))
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    revoked_by: Mapped[int | None] = mapped_column(BigId, ForeignKey("staff.id"))
    revoke_reason: Mapped[str | None] = mapped_column(Text)

    @property
    def ends_at(self) -> datetime:
        """When it ends, or ended because it was taken back."""
        return self.until_at if self.revoked_at is None else min(self.until_at, self.revoked_at)


_UNDER = Keyed(
    lambda among: (
        select(ExceptionRow.__table__)
        .where(among(ExceptionRow.condition_ref, "conditions"))
        .order_by(ExceptionRow.id)
    )
)


def permissions_of(
    session: Session, condition_refs: Collection[str]
) -> dict[str, tuple[Authorised, ...]]:
    """What has been allowed under conditions, in the order in which it was allowed."""
    if not condition_refs:
        return {}
    session.flush()
    found: dict[str, tuple[Authorised, ...]] = {}
    for row in _UNDER.ask(session.connection(), conditions=list(condition_refs)):
        # Nothing is allowed after the event: what was judged before stays as it was judged.
        from_at = max(row.from_at, row.made_at)
        ends_at = row.until_at if row.revoked_at is None else min(row.until_at, row.revoked_at)
        if ends_at > from_at:
            one = _permission(
                row.id,
                from_at,
                ends_at,
                msgspec.json.encode(row.schedule),
                msgspec.json.encode(row.corridor),
                row.corridor_m,
            )
            found[row.condition_ref] = (*found.get(row.condition_ref, ()), one)
    return found


@lru_cache(maxsize=4_096)
def _permission(
    row_id: int,
    from_at: datetime,
    ends_at: datetime,
    schedule: bytes,
    corridor: bytes,
    corridor_m: float,
) -> Authorised:
    return permission(
        str(row_id),
        from_at,
        ends_at,
        f"exception {row_id}",
        schedule=msgspec.json.decode(schedule),
        corridor=msgspec.json.decode(corridor),
        corridor_m=corridor_m,
    )
