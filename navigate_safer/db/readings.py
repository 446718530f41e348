"""Readings to rows and back, and the queries of intake and of judgement.

The integers of the rows are the grid of :mod:`devices.codec`, so both ways are exact.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import func, insert, select, tuple_
from sqlalchemy.orm import Session

from devices.quality import Doubt
from devices.readings import (
    AlcoholSample,
    BatteryLevel,
    DeviceEvent,
    EventState,
    Fix,
    FixSource,
    Reading,
    Stamp,
    content,
)
from navigate_safer.db.telemetry import AlcoholRow, BatteryRow, DeviceEventRow, FixRow

Row = FixRow | AlcoholRow | DeviceEventRow | BatteryRow
TABLES: dict[type[Any], type[Any]] = {
    Fix: FixRow,
    AlcoholSample: AlcoholRow,
    DeviceEvent: DeviceEventRow,
    BatteryLevel: BatteryRow,
}
# Rows looked up in one statement; SQLite takes 32,766 parameters, two of them a key.
_KEYS_AT_ONCE = 500


def _scaled(value: float | None, factor: int) -> int | None:
    return None if value is None else round(value * factor)


def _unscaled(value: int | None, factor: int) -> float | None:
    return None if value is None else value / factor


def _columns(reading: Reading) -> dict[str, Any]:
    match reading:
        case Fix():
            return {
                "lat_e7": round(reading.lat * 1e7),
                "lon_e7": round(reading.lon * 1e7),
                "accuracy_dm": round(reading.accuracy_m * 10),
                "source": int(reading.source),
                "speed_dkmh": _scaled(reading.speed_kmh, 10),
                "heading_ddeg": _scaled(reading.heading_deg, 10),
                "satellites": reading.satellites,
                "hdop_tenths": _scaled(reading.hdop, 10),
            }
        case AlcoholSample():
            return {
                "tac_ug_dl": round(reading.tac_g_dl * 1e6),
                "ir_mv": _scaled(reading.ir_v, 1000),
                "skin_temp_centi_c": _scaled(reading.skin_temp_c, 100),
            }
        case DeviceEvent():
            return {"code": reading.code, "state": reading.state.value}
        case BatteryLevel():
            return {"permille": round(reading.percent * 10), "charging": reading.charging}


def from_row(device: str, row: Row) -> Reading:
    """The reading that a row holds."""
    stamp = Stamp(device, row.measured_at, row.sent_at, row.received_at, row.seq)
    match row:
        case FixRow():
            return Fix(
                stamp,
                row.lat_e7 / 1e7,
                row.lon_e7 / 1e7,
                row.accuracy_dm / 10,
                FixSource(row.source),
                _unscaled(row.speed_dkmh, 10),
                _unscaled(row.heading_ddeg, 10),
                row.satellites,
                _unscaled(row.hdop_tenths, 10),
            )
        case AlcoholRow():
            return AlcoholSample(
                stamp,
                row.tac_ug_dl / 1e6,
                _unscaled(row.ir_mv, 1000),
                _unscaled(row.skin_temp_centi_c, 100),
            )
        case DeviceEventRow():
            return DeviceEvent(stamp, row.code, EventState(row.state))
        case BatteryRow():
            return BatteryLevel(stamp, row.permille / 10, row.charging)


class Stored:
    """How many of a batch were new and how many were there already."""

    def __init__(self) -> None:
        self.new: list[tuple[int, Reading]] = []
        self.repeated = 0


def store(session: Session, readings: Iterable[tuple[int, Reading, Doubt]]) -> Stored:
    """Insert readings given with their device's id; a repeat changes nothing.

    Raises IntegrityError where another transaction stored the same key meanwhile: the caller
    rolls back and does the batch again.
    """
    stored = Stored()
    by_table: dict[type[Any], list[tuple[int, Reading, Doubt]]] = {}
    for device_id, reading, doubt in readings:
        by_table.setdefault(TABLES[type(reading)], []).append((device_id, reading, doubt))
    for table, wanted in by_table.items():
        _store_table(session, table, wanted, stored)
    return stored


def _store_table(
    session: Session,
    table: type[Any],
    wanted: Sequence[tuple[int, Reading, Doubt]],
    stored: Stored,
) -> None:
    known = _known_contents(
        session, table, {(device, each.stamp.measured_at) for device, each, _ in wanted}
    )
    rows = []
    for device_id, reading, doubt in wanted:
        contents = known.setdefault((device_id, reading.stamp.measured_at), [])
        if content(reading) in contents:
            stored.repeated += 1
            continue
        row = _columns(reading)
        row.update(
            device_id=device_id,
            measured_at=reading.stamp.measured_at,
            variant=len(contents),
            sent_at=reading.stamp.sent_at,
            received_at=reading.stamp.received_at,
            seq=reading.stamp.seq,
            doubts=int(doubt),
        )
        contents.append(content(reading))
        stored.new.append((device_id, reading))
        rows.append(row)
    if rows:
        session.execute(insert(table), rows)


def _known_contents(
    session: Session, table: type[Any], keys: set[tuple[int, datetime]]
) -> dict[tuple[int, datetime], list[Any]]:
    known: dict[tuple[int, datetime], list[Any]] = {}
    ordered = sorted(keys)
    for begin in range(0, len(ordered), _KEYS_AT_ONCE):
        part = ordered[begin : begin + _KEYS_AT_ONCE]
        query = (
            select(table)
            .where(tuple_(table.device_id, table.measured_at).in_(part))
            .order_by(table.variant)
        )
        for row in session.scalars(query):
            known.setdefault((row.device_id, row.measured_at), []).append(
                content(from_row("", row))
            )
    return known


def between(
    session: Session,
    device_id: int,
    device: str,
    after: datetime | None,
    until: datetime | None,
    *,
    from_at: datetime | None = None,
) -> list[Reading]:
    """Readings of a device with ``after < measured_at < until`` (and not before ``from_at``)."""
    found: list[Reading] = []
    for table in TABLES.values():
        query = select(table).where(table.device_id == device_id)
        if after is not None:
            query = query.where(table.measured_at > after)
        if from_at is not None:
            query = query.where(table.measured_at >= from_at)
        if until is not None:
            query = query.where(table.measured_at < until)
        rows = session.scalars(query.execution_options(yield_per=2_000))
        found.extend(from_row(device, cast(Row, row)) for row in rows)
    return found


def first_from(session: Session, device_id: int, from_at: datetime) -> datetime | None:
    """The earliest measured time of a device at or after an instant."""
    found = []
    for table in TABLES.values():
        query = select(func.min(table.measured_at)).where(
            table.device_id == device_id, table.measured_at >= from_at
        )
        found.append(session.scalar(query))
    return min((at for at in found if at is not None), default=None)
