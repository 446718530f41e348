"""Positions and alcohol readings for maps, charts and the tables beside them."""

from datetime import datetime
from typing import TypeVar

import msgspec
from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from navigate_safer.db.people import FittingRow, WearerRow
from navigate_safer.db.telemetry import AlcoholRow, FixRow
from navigate_safer.people.access import Permission, Scope

RowT = TypeVar("RowT", FixRow, AlcoholRow)


class Point(msgspec.Struct, frozen=True):
    """One position for a map or its table; degrees, metres, km/h."""

    at: datetime
    lat: float
    lon: float
    accuracy_m: float
    source: int
    speed_kmh: float | None


class Sample(msgspec.Struct, frozen=True):
    """One alcohol reading for a chart; g/dl, °C, volts."""

    at: datetime
    tac_g_dl: float
    skin_temp_c: float | None
    ir_v: float | None


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
    query = _worn(select(FixRow), FixRow, scope, wearer_id, from_at, to_at)
    if device_id is not None:
        query = query.where(FixRow.device_id == device_id)
    points = [
        Point(
            row.measured_at,
            row.lat_e7 / 1e7,
            row.lon_e7 / 1e7,
            row.accuracy_dm / 10,
            row.source,
            None if row.speed_dkmh is None else row.speed_dkmh / 10,
        )
        for row in session.scalars(query)
    ]
    step = -(-len(points) // most) if points else 1
    # Thinned from the newest back, so that where he is now is always among them.
    return points[::-1][::step][::-1]


def samples(
    session: Session, scope: Scope, wearer_id: int, from_at: datetime, to_at: datetime
) -> list[Sample]:
    """Alcohol readings of a wearer in order of measured time, by the same rule."""
    scope.require(Permission.SEE_ALCOHOL)
    query = _worn(select(AlcoholRow), AlcoholRow, scope, wearer_id, from_at, to_at)
    return [
        Sample(
            row.measured_at,
            row.tac_ug_dl / 1e6,
            None if row.skin_temp_centi_c is None else row.skin_temp_centi_c / 100,
            None if row.ir_mv is None else row.ir_mv / 1000,
        )
        for row in session.scalars(query)
    ]


def _worn(
    query: Select[RowT],
    table: type[FixRow] | type[AlcoholRow],
    scope: Scope,
    wearer_id: int,
    from_at: datetime,
    to_at: datetime,
) -> Select[RowT]:
    off = FittingRow.removed_at
    return (
        query.join(FittingRow, FittingRow.device_id == table.device_id)
        .join(WearerRow, WearerRow.id == FittingRow.wearer_id)
        .where(
            WearerRow.id == wearer_id,
            WearerRow.area_id.in_(scope.areas),
            FittingRow.fitted_at <= table.measured_at,
            or_(off.is_(None), off > table.measured_at),
            table.measured_at >= from_at,
            table.measured_at <= to_at,
        )
        .order_by(table.measured_at, table.variant)
    )
