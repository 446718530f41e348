"""Devices of protected persons, and the conditions that keep a wearer away from one.

No query about a wearer reads these tables, and none of them gives out where such a device is: its
fixes go into the judgement of distance and nowhere else.
"""

from datetime import datetime

import msgspec
from sqlalchemy import Float, ForeignKey, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from alerts.terms import ConditionKind, DeviceKind, Limits
from navigate_safer.db.base import Base, BigId, UTCDateTime
from navigate_safer.db.people import (
    ConditionRow,
    DeviceRow,
    FittingRow,
    OrderRow,
    VictimRow,
    WearerRow,
)
from navigate_safer.db.telemetry import DeviceLatestRow


class VictimFittingRow(Base):
    """Which device a protected person carries, and when."""

    __tablename__ = "victim_fittings"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    device_id: Mapped[int] = mapped_column(BigId, ForeignKey("devices.id"), index=True)
    victim_id: Mapped[int] = mapped_column(BigId, ForeignKey("victims.id"), index=True)
    fitted_at: Mapped[datetime] = mapped_column(UTCDateTime)
    removed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class KeepAwayRow(Base):
    """From whom a condition of distance keeps the wearer away."""

    __tablename__ = "keep_away"

    condition_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("conditions.id"), primary_key=True, autoincrement=False
    )
    victim_id: Mapped[int] = mapped_column(BigId, ForeignKey("victims.id"), index=True)
    within_m: Mapped[float] = mapped_column(Float)


class Carried(msgspec.Struct, frozen=True):
    """A device while one person had it; ``to_at`` None: still."""

    device_id: int
    device: str
    from_at: datetime
    to_at: datetime | None


class Pair(msgspec.Struct, frozen=True):
    """A condition of distance with whom it is about."""

    condition_id: int
    wearer_id: int
    victim_id: int
    within_m: float


class Guarded(msgspec.Struct, frozen=True):
    """A device that a protected person has, and when it was heard; nothing of where.

    ``limits`` are of the conditions of distance about her that are in force, the earliest since
    ``in_force_at``. ``heard`` are the newest measured time and the newest receipt.
    """

    fitting_id: int
    area_id: int
    fitted_at: datetime
    in_force_at: datetime
    limits: tuple[Limits, ...]
    heard: tuple[datetime, datetime] | None


def guarded(session: Session, now: datetime) -> list[Guarded]:
    """Devices of protected persons whom a condition of distance in force keeps somebody from."""
    row, latest = VictimFittingRow, DeviceLatestRow
    query = (
        select(row, VictimRow.area_id, ConditionRow, latest.measured_at, latest.received_at)
        .join(VictimRow, VictimRow.id == row.victim_id)
        .join(KeepAwayRow, KeepAwayRow.victim_id == row.victim_id)
        .join(ConditionRow, ConditionRow.id == KeepAwayRow.condition_id)
        .outerjoin(latest, latest.device_id == row.device_id)
        .where(
            row.fitted_at <= now,
            or_(row.removed_at.is_(None), row.removed_at > now),
            ConditionRow.kind == ConditionKind.DISTANCE.value,
            ConditionRow.from_at <= now,
            or_(ConditionRow.until_at.is_(None), ConditionRow.until_at > now),
        )
        .order_by(row.id, ConditionRow.from_at)
    )
    found: dict[int, Guarded] = {}
    for fitting, area_id, condition, measured_at, received_at in session.execute(query):
        limits = msgspec.convert(condition.limits, Limits)
        known = found.get(fitting.id)
        if known is None:
            heard = None if measured_at is None else (measured_at, received_at)
            found[fitting.id] = Guarded(
                *(fitting.id, area_id, fitting.fitted_at, condition.from_at, (limits,), heard)
            )
        else:
            limits_of = (*known.limits, limits)
            found[fitting.id] = msgspec.structs.replace(known, limits=limits_of)
    return list(found.values())


class KeepsAway(msgspec.Struct, frozen=True):
    """Who must keep away from the person who has a device, by case file reference."""

    victim_ref: str
    wearer_refs: list[str]


def about_fitting(session: Session, fitting_id: int, now: datetime) -> KeepsAway | None:
    """Whose device it is, and who must keep away from her now."""
    victim = session.execute(
        select(VictimRow.id, VictimRow.ref)
        .join(VictimFittingRow, VictimFittingRow.victim_id == VictimRow.id)
        .where(VictimFittingRow.id == fitting_id)
    ).one_or_none()
    if victim is None:
        return None
    wearers = (
        select(WearerRow.ref)
        .join(OrderRow, OrderRow.wearer_id == WearerRow.id)
        .join(ConditionRow, ConditionRow.order_id == OrderRow.id)
        .join(KeepAwayRow, KeepAwayRow.condition_id == ConditionRow.id)
        .where(
            KeepAwayRow.victim_id == victim.id,
            ConditionRow.from_at <= now,
            or_(ConditionRow.until_at.is_(None), ConditionRow.until_at > now),
        )
        .distinct()
        .order_by(WearerRow.ref)
    )
    return KeepsAway(victim.ref, list(session.scalars(wearers)))


def pairs_of(session: Session, device_id: int) -> list[Pair]:
    """Every condition of distance that readings of this device can bear on, in order of id."""
    wearers = select(FittingRow.wearer_id).where(FittingRow.device_id == device_id)
    victims = select(VictimFittingRow.victim_id).where(VictimFittingRow.device_id == device_id)
    query = (
        select(ConditionRow.id, OrderRow.wearer_id, KeepAwayRow.victim_id, KeepAwayRow.within_m)
        .join(OrderRow, OrderRow.id == ConditionRow.order_id)
        .join(KeepAwayRow, KeepAwayRow.condition_id == ConditionRow.id)
        .where(
            ConditionRow.kind == ConditionKind.DISTANCE.value,
            OrderRow.wearer_id.in_(wearers) | KeepAwayRow.victim_id.in_(victims),
        )
        .order_by(ConditionRow.id)
    )
    return [Pair(*row) for row in session.execute(query)]


def carried_by_victim(session: Session, victim_id: int) -> list[Carried]:
    """Devices that a protected person has or had."""
    row = VictimFittingRow
    query = (
        select(row.device_id, DeviceRow.ref, row.fitted_at, row.removed_at)
        .join(DeviceRow, DeviceRow.id == row.device_id)
        .where(row.victim_id == victim_id)
        .order_by(row.fitted_at)
    )
    return [Carried(*found) for found in session.execute(query)]


def worn_by(session: Session, wearer_id: int) -> list[tuple[int, Carried]]:
    """Location tags that a wearer has or had, each with its fitting's id."""
    query = (
        select(FittingRow, DeviceRow.ref)
        .join(DeviceRow, DeviceRow.id == FittingRow.device_id)
        .where(FittingRow.wearer_id == wearer_id, DeviceRow.kind == DeviceKind.LOCATION_TAG.value)
        .order_by(FittingRow.fitted_at)
    )
    return [
        (row.id, Carried(row.device_id, ref, row.fitted_at, row.removed_at))
        for row, ref in session.execute(query)
    ]
