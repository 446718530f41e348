"""Readings to the columns of their rows and back.

The integers of the rows are the grid of :mod:`devices.codec`, so what was measured comes back to
the last bit; the times of sending and receiving come back on the grid of
:mod:`navigate_safer.db.packed`, and the sender's message number not at all.
"""

from typing import Any, Protocol

from devices.quality import Doubt
from devices.readings import (
    AlcoholSample,
    BatteryLevel,
    DeviceEvent,
    EventState,
    Fix,
    Reading,
    Stamp,
)
from navigate_safer.db import packed
from navigate_safer.db.packed import Quality
from navigate_safer.db.reading_rows import (
    AlcoholRow,
    BatteryRow,
    DeviceEventRow,
    FixRow,
    ReadingTable,
)

TABLES: dict[type[Any], ReadingTable] = {
    Fix: FixRow,
    AlcoholSample: AlcoholRow,
    DeviceEvent: DeviceEventRow,
    BatteryLevel: BatteryRow,
}


class Columns(Protocol):
    """A row of a reading table: of the ORM, of a plain select, or of an archive."""

    def __getattr__(self, name: str) -> Any: ...  # noqa: ANN401


def columns_of(device_id: int, reading: Reading, doubts: Doubt, variant: int) -> dict[str, Any]:
    """The row of a reading. Raises BadPacking for a value that has no place in it."""
    stamp = reading.stamp
    columns = {
        "device_id": device_id,
        "measured_at": packed.with_variant(stamp.measured_at, variant),
        "received_cs": packed.pack_received(stamp.measured_at, stamp.received_at),
        "sent_s": packed.pack_sent(stamp.received_at, stamp.sent_at),
    }
    if isinstance(reading, Fix):
        return columns | _of_fix(reading, doubts)
    return columns | {"doubts": int(doubts)} | _of_other(reading)


def _of_fix(fix: Fix, doubts: Doubt) -> dict[str, int]:
    return {
        "lat_e7": round(fix.lat * 1e7),
        "lon_e7": round(fix.lon * 1e7),
        "quality": packed.pack_quality(Quality(fix.source, doubts, fix.satellites, fix.hdop)),
        "accuracy": packed.pack_accuracy(fix.accuracy_m),
        "speed_dkmh": packed.pack_tenths(fix.speed_kmh),
        "heading_ddeg": packed.pack_tenths(fix.heading_deg),
    }


def _of_other(reading: AlcoholSample | DeviceEvent | BatteryLevel) -> dict[str, Any]:
    match reading:
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


def reading_of(table: ReadingTable, device: str, row: Columns) -> Reading:
    """The reading that a row of ``table`` holds; ``device`` is the name it gets."""
    stamp = _stamp(device, row)
    if table is FixRow:
        quality = packed.unpack_quality(row.quality)
        return Fix(
            stamp,
            row.lat_e7 / 1e7,
            row.lon_e7 / 1e7,
            packed.unpack_accuracy(row.accuracy),
            quality.source,
            packed.unpack_tenths(row.speed_dkmh),
            packed.unpack_tenths(row.heading_ddeg),
            quality.satellites,
            quality.hdop,
        )
    if table is AlcoholRow:
        return AlcoholSample(
            stamp,
            row.tac_ug_dl / 1e6,
            _unscaled(row.ir_mv, 1000),
            _unscaled(row.skin_temp_centi_c, 100),
        )
    if table is DeviceEventRow:
        return DeviceEvent(stamp, row.code, EventState(row.state))
    return BatteryLevel(stamp, row.permille / 10, row.charging)


def _stamp(device: str, row: Columns) -> Stamp:
    measured_at = packed.on_millisecond(row.measured_at)
    received_at = packed.unpack_received(measured_at, row.received_cs)
    return Stamp(device, measured_at, packed.unpack_sent(received_at, row.sent_s), received_at)


def _scaled(value: float | None, factor: int) -> int | None:
    return None if value is None else round(value * factor)


def _unscaled(value: int | None, factor: int) -> float | None:
    return None if value is None else value / factor
