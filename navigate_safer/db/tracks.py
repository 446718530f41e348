"""Positions and alcohol readings for maps, charts and the tables beside them."""

from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.terms import DeviceKind
from devices.quality import Doubt
from devices.readings import Fix
from navigate_safer.db import packed
from navigate_safer.db.people import DeviceRow, FittingRow, WearerRow
from navigate_safer.db.reading_rows import AlcoholRow, BatteryRow, FixRow, ReadingTable
from navigate_safer.db.reading_values import Columns, reading_of
from navigate_safer.db.readings import rows_between
from navigate_safer.people.access import Permission, Scope


class Point(msgspec.Struct, frozen=True):
    """One position for a map or its table; degrees, metres, km/h."""

    at: datetime
    lat: float
    lon: float
    accuracy_m: float
    source: int
    speed_kmh: float | None
    doubts: int = 0


class Sample(msgspec.Struct, frozen=True):
    """One alcohol reading for a chart; g/dl, °C, volts."""

    at: datetime
    tac_g_dl: float
    skin_temp_c: float | None
    ir_v: float | None


class Charge(msgspec.Struct, frozen=True):
    """The battery of an alcohol monitor at one time; percent."""

    at: datetime
    percent: float
    charging: bool


def trail(
    session: Session,
    scope: Scope,
    wearer_id: int,
    from_at: datetime,
    to_at: datetime,
    most: int,
    *,
    device_id: int | None = None,
) -> list[Point]:
    """Positions of a wearer in order of measured time, thinned evenly to at most ``most``.

    Only those from while the device was on this wearer, who is in the scope's areas: what a tag
    measured on somebody else is not this wearer's. ``device_id`` keeps to one device.
    """
    scope.require(Permission.SEE_PLACES)
    points = [
        Point(
            packed.on_millisecond(row.measured_at),
            row.lat_e7 / 1e7,
            row.lon_e7 / 1e7,
            packed.unpack_accuracy(row.accuracy),
            int(packed.unpack_quality(row.quality).source),
            packed.unpack_tenths(row.speed_dkmh),
            int(packed.unpack_quality(row.quality).doubts),
        )
        for row in _worn(session, FixRow, scope, wearer_id, (from_at, to_at), device_id)
    ]
    step = -(-len(points) // most) if points else 1
    # Thinned from the newest back, so that where he is now is always among them.
    return points[::-1][::step][::-1]


def fixes(
    session: Session,
    scope: Scope,
    wearer_id: int,
    from_at: datetime,
    to_at: datetime,
    *,
    device_id: int | None = None,
) -> list[tuple[Fix, Doubt]]:
    """Every position of a wearer as judgement reads it, with its doubts; by the same rule."""
    scope.require(Permission.SEE_PLACES)
    found = []
    for row in _worn(session, FixRow, scope, wearer_id, (from_at, to_at), device_id):
        fix = reading_of(FixRow, str(row.device_id), row)
        assert isinstance(fix, Fix)
        found.append((fix, packed.unpack_quality(row.quality).doubts))
    return found


def samples(
    session: Session, scope: Scope, wearer_id: int, from_at: datetime, to_at: datetime
) -> list[Sample]:
    """Alcohol readings of a wearer in order of measured time, by the same rule."""
    scope.require(Permission.SEE_ALCOHOL)
    return [
        Sample(
            packed.on_millisecond(row.measured_at),
            row.tac_ug_dl / 1e6,
            None if row.skin_temp_centi_c is None else row.skin_temp_centi_c / 100,
            None if row.ir_mv is None else row.ir_mv / 1000,
        )
        for row in _worn(session, AlcoholRow, scope, wearer_id, (from_at, to_at), None)
    ]


def charges(
    session: Session, scope: Scope, wearer_id: int, from_at: datetime, to_at: datetime
) -> list[Charge]:
    """Batteries of the wearer's alcohol monitors in order of measured time, by the same rule."""
    scope.require(Permission.SEE_ALCOHOL)
    monitor, span = DeviceKind.ALCOHOL_MONITOR, (from_at, to_at)
    return [
        Charge(packed.on_millisecond(row.measured_at), row.permille / 10, bool(row.charging))
        for row in _worn(session, BatteryRow, scope, wearer_id, span, None, monitor)
    ]


def _worn(
    session: Session,
    table: ReadingTable,
    scope: Scope,
    wearer_id: int,
    span: tuple[datetime, datetime],
    device_id: int | None,
    kind: DeviceKind | None = None,
) -> list[Columns]:
    """Rows of each fitting's share of the span, both ends in it, in order of measured time."""
    from_at, to_at = span
    worn = (
        select(FittingRow)
        .join(WearerRow, WearerRow.id == FittingRow.wearer_id)
        .where(WearerRow.id == wearer_id, WearerRow.area_id.in_(scope.areas))
    )
    if device_id is not None:
        worn = worn.where(FittingRow.device_id == device_id)
    if kind is not None:
        devices = select(DeviceRow.id).where(DeviceRow.kind == kind.value)
        worn = worn.where(FittingRow.device_id.in_(devices))
    found: list[Columns] = []
    for fitting in session.scalars(worn):
        begins = packed.from_bound(max(from_at, fitting.fitted_at))
        ends = packed.after_bound(to_at)
        if fitting.removed_at is not None:
            ends = min(ends, packed.from_bound(fitting.removed_at))
        if begins < ends:
            rows = rows_between(session, (table,), fitting.device_id, begins, ends)
            found += rows[table]
    return sorted(found, key=lambda row: row.measured_at)
