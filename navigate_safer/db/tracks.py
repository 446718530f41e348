"""Positions and alcohol readings for maps, charts and the tables beside them."""

from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from navigate_safer.db.telemetry import AlcoholRow, FixRow
from navigate_safer.people.access import Permission, Scope


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
    device_ids: list[int],
    from_at: datetime,
    to_at: datetime,
    most: int,
) -> list[Point]:
    """Positions in order of measured time, thinned evenly to at most ``most``.

    The caller has made sure that the devices are those of a wearer in the scope, fitted then.
    """
    scope.require(Permission.SEE_PLACES)
    query = (
        select(FixRow)
        .where(
            FixRow.device_id.in_(device_ids),
            FixRow.measured_at >= from_at,
            FixRow.measured_at <= to_at,
        )
        .order_by(FixRow.measured_at, FixRow.variant)
    )
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
    session: Session, scope: Scope, device_ids: list[int], from_at: datetime, to_at: datetime
) -> list[Sample]:
    """Alcohol readings in order of measured time."""
    scope.require(Permission.SEE_ALCOHOL)
    query = (
        select(AlcoholRow)
        .where(
            AlcoholRow.device_id.in_(device_ids),
            AlcoholRow.measured_at >= from_at,
            AlcoholRow.measured_at <= to_at,
        )
        .order_by(AlcoholRow.measured_at, AlcoholRow.variant)
    )
    return [
        Sample(
            row.measured_at,
            row.tac_ug_dl / 1e6,
            None if row.skin_temp_centi_c is None else row.skin_temp_centi_c / 100,
            None if row.ir_mv is None else row.ir_mv / 1000,
        )
        for row in session.scalars(query)
    ]
