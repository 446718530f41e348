"""Orders, clauses and zones as the rules need them: a fitting with its conditions."""

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.finding import Severity
from alerts.terms import Condition, ConditionKind, DeviceKind, Fitting, Limits
from navigate_safer.db.people import (
    ConditionRow,
    DeviceRow,
    FittingRow,
    OrderRow,
    ZoneRow,
)
from zones.zone import Zone, zone_from_feature

LOCAL = ZoneInfo("Europe/London")


def zone_of(row: ZoneRow) -> Zone:
    """The zone of a row. Zones never change, so that each is built once per process."""
    return _zone(
        row.id,
        row.ref,
        row.version,
        row.kind,
        msgspec.json.encode(row.geometry),
        row.buffer_m,
        None if row.schedule is None else msgspec.json.encode(row.schedule),
        row.timezone,
    )


@lru_cache(maxsize=20_000)
def _zone(
    _row_id: int,
    ref: str,
    version: int,
    kind: str,
    geometry: bytes,
    buffer_m: float,
    schedule: bytes | None,
    timezone: str,
) -> Zone:
    return zone_from_feature(
        zone_id=ref,
        kind=kind,
        geometry=msgspec.json.decode(geometry),
        buffer_m=buffer_m,
        schedule=None if schedule is None else msgspec.json.decode(schedule),
        timezone=timezone,
        version=version,
    )


def _condition(row: ConditionRow, order: OrderRow, zone: Zone | None) -> Condition:
    until = [at for at in (row.until_at, _order_end(order)) if at is not None]
    return Condition(
        condition_id=row.id,
        version=row.version,
        clause=row.clause,
        kind=ConditionKind(row.kind),
        severity=Severity(row.severity),
        from_at=max(row.from_at, _local_midnight(order.starts_on)),
        until_at=min(until, default=None),
        limits=msgspec.convert(row.limits, Limits),
        zone=zone,
    )


def _order_end(order: OrderRow) -> datetime | None:
    """No rule without a live order: it ends with the end of its last day, local time."""
    if order.ends_on is None:
        return None
    return _local_midnight(order.ends_on + timedelta(days=1))


def _local_midnight(day: date) -> datetime:
    return datetime.combine(day, time(), LOCAL).astimezone(UTC)


class FittingOf(msgspec.Struct, frozen=True):
    """A fitting with whose it is and of which device."""

    fitting: Fitting
    wearer_id: int
    device_id: int
    device: str


def fittings_of_device(session: Session, device_id: int) -> list[FittingOf]:
    """Every fitting of a device, past ones too: late readings belong to them."""
    query = select(FittingRow).where(FittingRow.device_id == device_id)
    return [_load(session, row) for row in session.scalars(query.order_by(FittingRow.fitted_at))]


def fitting(session: Session, fitting_id: int) -> FittingOf:
    """One fitting."""
    return _load(session, session.get_one(FittingRow, fitting_id))


def condition(session: Session, condition_id: int) -> Condition:
    """One condition with its zone."""
    row, order, zone = session.execute(
        select(ConditionRow, OrderRow, ZoneRow)
        .join(OrderRow, ConditionRow.order_id == OrderRow.id)
        .outerjoin(ZoneRow, ConditionRow.zone_id == ZoneRow.id)
        .where(ConditionRow.id == condition_id)
    ).one()
    return _condition(row, order, None if zone is None else zone_of(zone))


def conditions_of_wearer(session: Session, wearer_id: int) -> tuple[Condition, ...]:
    """Every condition of a wearer, past ones too, in order of id."""
    conditions = session.execute(
        select(ConditionRow, OrderRow, ZoneRow)
        .join(OrderRow, ConditionRow.order_id == OrderRow.id)
        .outerjoin(ZoneRow, ConditionRow.zone_id == ZoneRow.id)
        .where(OrderRow.wearer_id == wearer_id)
        .order_by(ConditionRow.id)
    )
    return tuple(
        _condition(condition, order, None if zone is None else zone_of(zone))
        for condition, order, zone in conditions
    )


def _load(session: Session, row: FittingRow) -> FittingOf:
    device = session.get_one(DeviceRow, row.device_id)
    terms = conditions_of_wearer(session, row.wearer_id)
    return FittingOf(
        Fitting(row.id, DeviceKind(device.kind), row.fitted_at, row.removed_at, terms),
        row.wearer_id,
        row.device_id,
        device.ref,
    )


def fittings_by_id(
    session: Session, fitting_ids: Collection[int], zones: dict[int, Zone]
) -> dict[int, FittingOf]:
    """Many fittings in three queries; ``zones`` holds those of this database built before."""
    rows = session.execute(
        select(FittingRow, DeviceRow)
        .join(DeviceRow, FittingRow.device_id == DeviceRow.id)
        .where(FittingRow.id.in_(fitting_ids))
    ).all()
    clauses: dict[int, list[tuple[ConditionRow, OrderRow]]] = {}
    found = session.execute(
        select(ConditionRow, OrderRow)
        .join(OrderRow, ConditionRow.order_id == OrderRow.id)
        .where(OrderRow.wearer_id.in_([fitting.wearer_id for fitting, _ in rows]))
        .order_by(ConditionRow.id)
    )
    for condition, order in found:
        clauses.setdefault(order.wearer_id, []).append((condition, order))
    named = {each.zone_id for pairs in clauses.values() for each, _ in pairs}
    unknown = [each for each in named if each is not None and each not in zones]
    for zone in session.scalars(select(ZoneRow).where(ZoneRow.id.in_(unknown))):
        zones[zone.id] = zone_of(zone)
    return {
        fitting.id: FittingOf(
            Fitting(
                fitting.id,
                DeviceKind(device.kind),
                fitting.fitted_at,
                fitting.removed_at,
                tuple(
                    _condition(each, order, None if each.zone_id is None else zones[each.zone_id])
                    for each, order in clauses.get(fitting.wearer_id, [])
                ),
            ),
            fitting.wearer_id,
            device.id,
            device.ref,
        )
        for fitting, device in rows
    }
