"""Orders, clauses and zones as the rules need them: a fitting with its conditions."""

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.finding import Severity
from alerts.terms import Condition, ConditionKind, DeviceKind, Fitting, Limits
from navigate_safer.db.exceptions import permissions_of
from navigate_safer.db.people import (
    ConditionRow,
    DeviceRow,
    FittingRow,
    OrderRow,
    ZoneRow,
)
from zones.authorised import Authorised
from zones.feature import read_feature
from zones.zone import Zone

LOCAL = ZoneInfo("Europe/London")


def zone_of(row: ZoneRow) -> Zone:
    """The zone of a row. Zones never change, so that each is built once per process."""
    geometry = msgspec.json.encode(row.geometry)
    return _zone(row.id, row.ref, row.version, geometry, msgspec.json.encode(properties_of(row)))


def properties_of(row: ZoneRow) -> dict[str, object]:
    """What a zone file would say of the zone, but for its id and name."""
    written: dict[str, object] = {"kind": row.kind, **(row.properties or {})}
    if row.buffer_m:
        written["buffer_m"] = row.buffer_m
    if row.schedule is not None:
        written["schedule"] = row.schedule
    return {**written, "timezone": row.timezone}


@lru_cache(maxsize=20_000)
def _zone(_row_id: int, ref: str, version: int, geometry: bytes, properties: bytes) -> Zone:
    written = msgspec.json.decode(properties)
    return read_feature(ref, msgspec.json.decode(geometry), written, version).zone


def _condition(
    row: ConditionRow,
    order: OrderRow,
    zone: Zone | None,
    permissions: Mapping[str, tuple[Authorised, ...]],
) -> Condition:
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
        permissions=permissions.get(row.ref, ()) if zone is not None else (),
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


def _load(session: Session, row: FittingRow) -> FittingOf:
    device = session.get_one(DeviceRow, row.device_id)
    conditions = session.execute(
        select(ConditionRow, OrderRow, ZoneRow)
        .join(OrderRow, ConditionRow.order_id == OrderRow.id)
        .outerjoin(ZoneRow, ConditionRow.zone_id == ZoneRow.id)
        .where(OrderRow.wearer_id == row.wearer_id)
        .order_by(ConditionRow.id)
    ).all()
    allowed = permissions_of(session, {row.ref for row, _, zone in conditions if zone is not None})
    terms = tuple(
        _condition(condition, order, None if zone is None else zone_of(zone), allowed)
        for condition, order, zone in conditions
    )
    return _fitting(row, device, terms)


def fittings_by_id(
    session: Session, fitting_ids: Collection[int], zones: dict[int, Zone]
) -> dict[int, FittingOf]:
    """Many fittings in four queries; ``zones`` holds those of this database built before."""
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
    about_places = (each for pairs in clauses.values() for each, _ in pairs if each.zone_id)
    allowed = permissions_of(session, {each.ref for each in about_places})
    terms = {
        wearer_id: tuple(
            _condition(each, order, None if each.zone_id is None else zones[each.zone_id], allowed)
            for each, order in pairs
        )
        for wearer_id, pairs in clauses.items()
    }
    return {row.id: _fitting(row, device, terms.get(row.wearer_id, ())) for row, device in rows}


def _fitting(row: FittingRow, device: DeviceRow, terms: tuple[Condition, ...]) -> FittingOf:
    kind = DeviceKind(device.kind)
    fitting = Fitting(row.id, kind, row.fitted_at, row.removed_at, terms)
    return FittingOf(fitting, row.wearer_id, row.device_id, device.ref)
