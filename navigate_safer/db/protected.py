"""Devices of protected persons, and the conditions that keep a wearer away from one.

No query about a wearer reads these tables, and none of them gives out where such a device is: its
fixes go into the judgement of distance and nowhere else.
"""

from datetime import datetime

import msgspec
from sqlalchemy import Float, ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from alerts.terms import ConditionKind, DeviceKind
from navigate_safer.db.base import Base, BigId, UTCDateTime
from navigate_safer.db.people import ConditionRow, DeviceRow, FittingRow, OrderRow


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
