"""How a reading is packed into the integers of a row, and back without a loss.

A fix is 40 bytes of columns, because a region's tags write half a billion of them a day. What is
packed is on a grid: measured times in milliseconds, the rest as the functions say. All arithmetic
is rounds down unless a function says otherwise, so that a vectorised version can
agree to the bit.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from devices.quality import Doubt
from devices.readings import FixSource, accuracy_on_grid

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
MILLISECOND = timedelta(milliseconds=1)
CENTISECOND_US = 10_000
SECOND_US = 1_000_000
# As many different contents for one measured time as there are microseconds in its millisecond.
MOST_VARIANTS = 1_000
NOTHING = -1

INT16_MAX = 2**15 - 1
INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1
# Delays of sending up to 4.6 hours are exact to the second; beyond, minutes reach 11 days.
EXACT_S = 16_384
NOT_SENT = -(2**15)

_SOURCE_BITS, _DOUBT_BITS, _SATELLITE_BITS = 3, 8, 8
_DOUBT_AT = _SOURCE_BITS
_SATELLITES_AT = _DOUBT_AT + _DOUBT_BITS
_HDOP_AT = _SATELLITES_AT + _SATELLITE_BITS
NO_SATELLITES, NO_HDOP = 255, 8_191


class BadPacking(ValueError):
    """A value that has no place in the row; says which and what its range is."""


def micros_of(at: datetime) -> int:
    """Microseconds since 1970 of an aware time."""
    return (at - EPOCH) // MICROSECOND


def instant_of(micros: int) -> datetime:
    """The aware UTC time of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=micros)


def with_variant(measured_at: datetime, variant: int) -> datetime:
    """What is stored for the ``variant``-th content (0 the first) measured at one millisecond."""
    if not 0 <= variant < MOST_VARIANTS:
        text = f"a device gave more than {MOST_VARIANTS} contents for one measured time"
        raise BadPacking(text)
    return on_millisecond(measured_at) + timedelta(microseconds=variant)


def variant_of(stored_at: datetime) -> int:
    """Which content for its measured time a stored row holds; 0 for the first."""
    return stored_at.microsecond % MOST_VARIANTS


def on_millisecond(at: datetime) -> datetime:
    """The time without what is below its millisecond: the measured time of a stored one."""
    return at.replace(microsecond=at.microsecond // MOST_VARIANTS * MOST_VARIANTS)


def from_bound(at: datetime) -> datetime:
    """The bound on what is stored that parts what was measured before ``at`` from the rest."""
    floor = on_millisecond(at)
    return floor if floor == at else floor + MILLISECOND


def after_bound(at: datetime) -> datetime:
    """The bound that parts what was measured up to ``at``, ``at`` too, from what came after."""
    return on_millisecond(at) + MILLISECOND


def pack_received(measured_at: datetime, received_at: datetime) -> int:
    """Centiseconds from measuring to receipt, rounded down; negative where a clock ran ahead.

    Held to 32 bits, 248 days, five times as long as anything that is accepted.
    """
    delay_cs = (received_at - on_millisecond(measured_at)) // MICROSECOND // CENTISECOND_US
    return min(max(delay_cs, INT32_MIN), INT32_MAX)


def unpack_received(measured_at: datetime, received_cs: int) -> datetime:
    """When it was received, to the centisecond."""
    return on_millisecond(measured_at) + timedelta(microseconds=received_cs * CENTISECOND_US)


def pack_sent(received_at: datetime, sent_at: datetime | None) -> int:
    """Seconds from sending to receipt, the nearest (a half to the even one).

    More than 16,384 s either way is 16,384 and the whole minutes beyond it, up to 16,383 of them.
    """
    if sent_at is None:
        return NOT_SENT
    delay_s = round((received_at - sent_at) // MICROSECOND / SECOND_US)
    size = abs(delay_s)
    if size > EXACT_S:
        size = min(EXACT_S + (size - EXACT_S) // 60, INT16_MAX)
    return size if delay_s >= 0 else -size


def unpack_sent(received_at: datetime, sent_s: int) -> datetime | None:
    """When it was sent, as exactly as :func:`pack_sent` kept it."""
    if sent_s == NOT_SENT:
        return None
    size = abs(sent_s)
    delay_s = size if size <= EXACT_S else EXACT_S + (size - EXACT_S) * 60
    return received_at - timedelta(seconds=delay_s if sent_s >= 0 else -delay_s)


def pack_accuracy(accuracy_m: float) -> int:
    """A radius as 16 bits: decimetres, or below zero tens of metres where it is too wide."""
    on_grid = accuracy_on_grid(accuracy_m)
    decimetres = round(on_grid * 10)
    return decimetres if decimetres <= INT16_MAX else -round(on_grid / 10)


def unpack_accuracy(accuracy: int) -> float:
    """The radius in metres."""
    return accuracy / 10 if accuracy >= 0 else float(-accuracy * 10)


def pack_tenths(value: float | None) -> int:
    """A value of zero or more in tenths; -1 for none."""
    return NOTHING if value is None else round(value * 10)


def unpack_tenths(tenths: int) -> float | None:
    """The value of its tenths."""
    return None if tenths == NOTHING else tenths / 10


class Quality(NamedTuple):
    """What is known of how good a position is; ``hdop`` to a tenth."""

    source: FixSource
    doubts: Doubt
    satellites: int | None
    hdop: float | None


def pack_quality(quality: Quality) -> int:
    """One signed 32-bit integer; from its low bits: source 3, doubts 8, satellites 8, hdop 13."""
    satellites = NO_SATELLITES if quality.satellites is None else quality.satellites
    hdop = NO_HDOP if quality.hdop is None else round(quality.hdop * 10)
    doubts = int(quality.doubts)
    _fits("satellites", satellites, NO_SATELLITES)
    _fits("hdop in tenths", hdop, NO_HDOP)
    _fits("doubts", doubts, 2**_DOUBT_BITS - 1)
    unsigned = (
        int(quality.source) | doubts << _DOUBT_AT | satellites << _SATELLITES_AT | hdop << _HDOP_AT
    )
    return unsigned if unsigned <= INT32_MAX else unsigned - 2**32


def unpack_quality(packed: int) -> Quality:
    """What :func:`pack_quality` put in."""
    unsigned = packed % 2**32
    satellites = unsigned >> _SATELLITES_AT & NO_SATELLITES
    hdop = unsigned >> _HDOP_AT
    return Quality(
        FixSource(unsigned & 2**_SOURCE_BITS - 1),
        Doubt(unsigned >> _DOUBT_AT & 2**_DOUBT_BITS - 1),
        None if satellites == NO_SATELLITES else satellites,
        None if hdop == NO_HDOP else hdop / 10,
    )


def _fits(name: str, value: int, most: int) -> None:
    if not 0 <= value <= most:
        raise BadPacking(f"{name} must be from 0 to {most}")
