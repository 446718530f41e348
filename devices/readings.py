"""Values a device measured, each with its three times.

Every number is already on the grid the database keeps (see :mod:`devices.codec`), so a reading
judged as it arrives and the same reading judged again from the table are equal to the last bit.
"""

from datetime import datetime
from enum import Enum, IntEnum
from typing import assert_never

import msgspec


class FixSource(IntEnum):
    """How a position was found; numbers are the Ministry's geolocation mechanisms."""

    GPS = 1
    RF = 4
    LBS = 5
    WIFI = 6


class EventState(Enum):
    """Whether an event with a duration begins or ends; ``NONE`` for an instant."""

    START = "start"
    END = "end"
    NONE = "none"


class Stamp(msgspec.Struct, frozen=True, gc=False):
    """Who measured and when; all times aware, UTC.

    ``measured_at`` is the device's clock, ``sent_at`` the gateway's (None when the format has
    none), ``received_at`` ours. ``seq`` is the sender's message number.
    """

    device: str
    measured_at: datetime
    sent_at: datetime | None
    received_at: datetime
    seq: int | None = None


class Fix(msgspec.Struct, frozen=True, gc=False):
    """A position: degrees EPSG:4326; ``accuracy_m`` is the radius that holds the truth 95 %."""

    stamp: Stamp
    lat: float
    lon: float
    accuracy_m: float
    source: FixSource = FixSource.GPS
    speed_kmh: float | None = None
    heading_deg: float | None = None
    satellites: int | None = None
    hdop: float | None = None


class AlcoholSample(msgspec.Struct, frozen=True, gc=False):
    """Transdermal alcohol in g/dl, reflected infrared in volts, skin temperature in °C."""

    stamp: Stamp
    tac_g_dl: float
    ir_v: float | None = None
    skin_temp_c: float | None = None


class DeviceEvent(msgspec.Struct, frozen=True, gc=False):
    """Something the device itself noticed, such as ``strap_tamper``."""

    stamp: Stamp
    code: str
    state: EventState = EventState.NONE


class BatteryLevel(msgspec.Struct, frozen=True, gc=False):
    """Charge in percent, and whether the charger is connected (None: the device cannot tell)."""

    stamp: Stamp
    percent: float
    charging: bool | None = None


# Up to so many decimetres a radius is kept to the decimetre, beyond that to ten metres.
FINEST_ACCURACY_DM = 32_767
WIDEST_ACCURACY_M = 327_670.0


def accuracy_on_grid(accuracy_m: float) -> float:
    """The radius as the database keeps it: 0.1 m up to 3,276.7 m, beyond that 10 m.

    Rounds to the nearest, a half to the even one; wider than 327,670 m is 327,670 m.
    """
    decimetres = round(accuracy_m * 10)
    if decimetres <= FINEST_ACCURACY_DM:
        return decimetres / 10
    return min(round(decimetres / 100) * 10.0, WIDEST_ACCURACY_M)


type_names = {Fix: "fix", AlcoholSample: "alcohol", DeviceEvent: "event", BatteryLevel: "battery"}
Reading = Fix | AlcoholSample | DeviceEvent | BatteryLevel


def kind_of(reading: Reading) -> str:
    """The reading's kind as the message names it: fix, alcohol, event or battery."""
    return type_names[type(reading)]


def content(reading: Reading) -> tuple[float | int | str, ...]:
    """What was measured, apart from the stamp, as one comparable tuple.

    Two readings of one device, kind and time with equal content are the same reading.
    """
    match reading:
        case Fix():
            return (
                reading.lat,
                reading.lon,
                reading.accuracy_m,
                int(reading.source),
                *_or_minus_one(
                    reading.speed_kmh, reading.heading_deg, reading.satellites, reading.hdop
                ),
            )
        case AlcoholSample():
            # Temperature may be below zero, so an absent one sorts as absolute zero would.
            absent_temp = -273.15 if reading.skin_temp_c is None else reading.skin_temp_c
            return (reading.tac_g_dl, *_or_minus_one(reading.ir_v), absent_temp)
        case DeviceEvent():
            return (reading.code, reading.state.value)
        case BatteryLevel():
            charging = -1 if reading.charging is None else int(reading.charging)
            return (reading.percent, charging)
        case _:
            assert_never(reading)


def _or_minus_one(*values: float | int | None) -> tuple[float | int, ...]:
    return tuple(-1 if value is None else value for value in values)


_KIND_ORDER = {"event": 0, "battery": 1, "alcohol": 2, "fix": 3}


def order_key(reading: Reading) -> tuple[datetime, int, tuple[float | int | str, ...]]:
    """Sort key of judgement: measured time, then kind, then content; never order of arrival.

    Two orders of arrival of one set of readings must give one result, so ties are broken by
    what was measured and by nothing else.
    """
    return (reading.stamp.measured_at, _KIND_ORDER[kind_of(reading)], content(reading))
