"""Queries about those who are protected: only for those who may see them, of their own areas."""

from datetime import datetime

import msgspec
from sqlalchemy import ForeignKey, String, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from navigate_safer.db.base import Base, BigId, UTCDateTime
from navigate_safer.db.people import (
    AreaRow,
    ConditionRow,
    OrderRow,
    StaffRow,
    VictimRow,
    VictimWearerRow,
    WearerRow,
)
from navigate_safer.db.protected import KeepAwayRow
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.days import day_of


class VictimChangeRow(Base):
    """A change of the details of somebody protected: who, when and which, never what they were."""

    __tablename__ = "victim_changes"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    victim_id: Mapped[int] = mapped_column(BigId, ForeignKey("victims.id"), index=True)
    made_by: Mapped[int] = mapped_column(BigId, ForeignKey("staff.id"))
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    what: Mapped[str] = mapped_column(String(100))


class VictimLine(msgspec.Struct, frozen=True):
    """Somebody protected as the IDVA's list shows her; ``wearers`` are references."""

    victim_id: int
    ref: str
    name: str
    area_id: int
    area: str
    wearers: list[str]


class Victim(msgspec.Struct, frozen=True):
    """Everything that is kept about somebody protected. ``version`` counts its changes."""

    line: VictimLine
    address: str | None
    phone: str | None
    in_refuge: bool
    version: int
    changes: list[tuple[datetime, str, str]]


def listed(session: Session, scope: Scope, ref: str | None = None) -> list[VictimLine]:
    """Those of the scope's areas, by reference; or the one of a reference. Raises Forbidden."""
    scope.require(Permission.SEE_VICTIMS)
    query = (
        select(VictimRow, AreaRow.name)
        .join(AreaRow, AreaRow.id == VictimRow.area_id)
        .where(VictimRow.area_id.in_(scope.areas))
        .order_by(VictimRow.ref)
    )
    if ref is not None:
        query = query.where(VictimRow.ref == ref)
    found = session.execute(query).all()
    wearers = _wearers(session, [row.id for row, _ in found])
    return [
        VictimLine(row.id, row.ref, row.name, row.area_id, area, wearers.get(row.id, []))
        for row, area in found
    ]


def one(session: Session, scope: Scope, ref: str) -> Victim | None:
    """One of the scope's areas, or None. Raises Forbidden."""
    line = next(iter(listed(session, scope, ref)), None)
    if line is None:
        return None
    row = session.get_one(VictimRow, line.victim_id)
    change = VictimChangeRow
    query = (
        select(change.made_at, StaffRow.name, change.what)
        .join(StaffRow, StaffRow.id == change.made_by)
        .where(change.victim_id == row.id)
        .order_by(change.id.desc())
    )
    changes = [(at, who, what) for at, who, what in session.execute(query)]
    return Victim(line, row.address, row.phone, row.in_refuge, len(changes), changes)


def guards(session: Session, wearer_id: int) -> int:
    """How many are protected from a wearer: a number and nothing about any of them."""
    query = select(VictimWearerRow).where(VictimWearerRow.wearer_id == wearer_id)
    return len(session.scalars(query).all())


def refs(session: Session) -> set[str]:
    """Every reference, whatever the area: a new one must differ from all. For no page."""
    return set(session.scalars(select(VictimRow.ref)))


def kept_apart(session: Session, victim_id: int, wearer_id: int, at: datetime) -> bool:
    """Whether a condition of distance of the wearer names her that has not ended by then."""
    query = (
        select(ConditionRow.id)
        .join(KeepAwayRow, KeepAwayRow.condition_id == ConditionRow.id)
        .join(OrderRow, OrderRow.id == ConditionRow.order_id)
        .where(
            KeepAwayRow.victim_id == victim_id,
            OrderRow.wearer_id == wearer_id,
            or_(ConditionRow.until_at.is_(None), ConditionRow.until_at > at),
            or_(OrderRow.ends_on.is_(None), OrderRow.ends_on >= day_of(at)),
        )
    )
    return session.scalar(query.limit(1)) is not None


def _wearers(session: Session, victim_ids: list[int]) -> dict[int, list[str]]:
    query = (
        select(VictimWearerRow.victim_id, WearerRow.ref)
        .join(WearerRow, WearerRow.id == VictimWearerRow.wearer_id)
        .where(VictimWearerRow.victim_id.in_(victim_ids))
        .order_by(WearerRow.ref)
    )
    found: dict[int, list[str]] = {}
    for victim_id, ref in session.execute(query):
        found.setdefault(victim_id, []).append(ref)
    return found
