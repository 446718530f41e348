"""Queries about zones: who uses them, in which versions, and whether somebody may know of them."""

from datetime import datetime

import msgspec
from sqlalchemy import ForeignKey, Select, String, Text, exists, func, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from navigate_safer.db.base import Base, BigId, UTCDateTime
from navigate_safer.db.people import (
    ConditionRow,
    FittingRow,
    OrderRow,
    StaffRow,
    WearerRow,
    ZoneRow,
)
from navigate_safer.people.access import Permission, Scope


class ZoneRecordRow(Base):
    """Who made a version of a zone, when and why; those of a case file have none.

    ``area_id``: whose staff see a zone that no wearer has yet.
    """

    __tablename__ = "zone_records"

    zone_id: Mapped[int] = mapped_column(BigId, ForeignKey("zones.id"), primary_key=True)
    area_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("areas.id"))
    staff_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("staff.id"))
    actor: Mapped[str] = mapped_column(String(40))
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    reason: Mapped[str] = mapped_column(Text)


class ZoneLine(msgspec.Struct, frozen=True):
    """A zone in a list: its newest version, and how many wearers it is about now."""

    ref: str
    name: str
    kind: str
    version: int
    wearers: int


class VersionLine(msgspec.Struct, frozen=True):
    """One version of a zone, and who made it why; None where it came with a case file."""

    version: int
    name: str
    made_at: datetime | None
    who: str | None
    actor: str | None
    reason: str | None


class UserLine(msgspec.Struct, frozen=True):
    """A wearer whom a zone is about."""

    ref: str
    name: str
    clause: str
    kind: str


def newest(session: Session, scope: Scope | None) -> list[ZoneRow]:
    """The newest version of each zone that the scope may know of; None: of all."""
    latest = select(ZoneRow.ref, func.max(ZoneRow.version).label("version")).group_by(ZoneRow.ref)
    found = latest.subquery()
    query = select(ZoneRow).join(
        found, (ZoneRow.ref == found.c.ref) & (ZoneRow.version == found.c.version)
    )
    if scope is not None:
        scope.require(Permission.SEE_PLACES)
        query = query.where(ZoneRow.ref.in_(_refs_of(scope)))
    return list(session.scalars(query.order_by(ZoneRow.name, ZoneRow.ref)))


def _refs_of(scope: Scope) -> Select[str]:
    """References of the zones about a wearer of the scope's areas, or drawn for one of them."""
    used = (
        exists()
        .where(ConditionRow.zone_id == ZoneRow.id)
        .where(OrderRow.id == ConditionRow.order_id, WearerRow.id == OrderRow.wearer_id)
        .where(WearerRow.area_id.in_(scope.areas))
    )
    drawn = (
        exists()
        .where(ZoneRecordRow.zone_id == ZoneRow.id)
        .where(ZoneRecordRow.area_id.in_(scope.areas))
    )
    return select(ZoneRow.ref).where(or_(used, drawn))


def may_know_of(session: Session, scope: Scope, ref: str) -> bool:
    """Whether there is such a zone that the scope may know of."""
    scope.require(Permission.SEE_PLACES)
    return session.scalar(_refs_of(scope).where(ZoneRow.ref == ref).limit(1)) is not None


def versions(session: Session, ref: str) -> list[ZoneRow]:
    """Every version of a zone, the newest first."""
    query = select(ZoneRow).where(ZoneRow.ref == ref).order_by(ZoneRow.version.desc())
    return list(session.scalars(query))


def version_lines(session: Session, ref: str) -> list[VersionLine]:
    """The history of a zone, the newest version first."""
    query = (
        select(ZoneRow, ZoneRecordRow, StaffRow.name)
        .outerjoin(ZoneRecordRow, ZoneRecordRow.zone_id == ZoneRow.id)
        .outerjoin(StaffRow, StaffRow.id == ZoneRecordRow.staff_id)
        .where(ZoneRow.ref == ref)
        .order_by(ZoneRow.version.desc())
    )
    return [
        VersionLine(
            zone.version,
            zone.name,
            record.made_at if record is not None else None,
            who,
            record.actor if record is not None else None,
            record.reason if record is not None else None,
        )
        for zone, record, who in session.execute(query)
    ]


def conditions_at(session: Session, ref: str, now: datetime) -> list[ConditionRow]:
    """Conditions about any version of a zone that are in force at ``now`` or will be."""
    query = (
        select(ConditionRow)
        .join(ZoneRow, ZoneRow.id == ConditionRow.zone_id)
        .where(ZoneRow.ref == ref)
        .where(or_(ConditionRow.until_at.is_(None), ConditionRow.until_at > now))
        .order_by(ConditionRow.id)
    )
    return list(session.scalars(query))


def users(session: Session, scope: Scope, ref: str, now: datetime) -> tuple[list[UserLine], bool]:
    """Wearers of the scope's areas whom the zone is about, and whether there are others."""
    query = (
        select(WearerRow, ConditionRow)
        .join(OrderRow, OrderRow.wearer_id == WearerRow.id)
        .join(ConditionRow, ConditionRow.order_id == OrderRow.id)
        .where(ConditionRow.id.in_([row.id for row in conditions_at(session, ref, now)]))
        .order_by(WearerRow.ref)
    )
    found = session.execute(query).all()
    own = [
        UserLine(wearer.ref, wearer.name, condition.clause, condition.kind)
        for wearer, condition in found
        if wearer.area_id in scope.areas
    ]
    return own, len(own) < len(found)


def counts(session: Session, now: datetime) -> dict[str, int]:
    """By zone, how many wearers it is about now."""
    query = (
        select(ZoneRow.ref, func.count(OrderRow.wearer_id.distinct()))
        .join(ConditionRow, ConditionRow.zone_id == ZoneRow.id)
        .join(OrderRow, OrderRow.id == ConditionRow.order_id)
        .where(or_(ConditionRow.until_at.is_(None), ConditionRow.until_at > now))
        .group_by(ZoneRow.ref)
    )
    return dict(session.execute(query).all())


def fitted_devices(session: Session, order_ids: list[int]) -> list[FittingRow]:
    """The fittings that are open of the wearers of orders."""
    query = (
        select(FittingRow)
        .join(OrderRow, OrderRow.wearer_id == FittingRow.wearer_id)
        .where(OrderRow.id.in_(order_ids), FittingRow.removed_at.is_(None))
    )
    return list(session.scalars(query.distinct()))
