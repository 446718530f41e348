"""Five days of a region's fixes in the order in which they would arrive, made up by the array.

Everybody has a home and a place to spend the day at, goes there in the morning and back in the
evening, and is seen with an error of some metres. Seeded, so
that two runs store the same.
"""

from collections.abc import Iterator

import numpy as np

from devices.columns import Floats
from devices.quality import Doubt
from devices.readings import FixSource
from navigate_safer.db.packed import Quality, pack_quality
from navigate_safer.db.packed_fixes import PackedFixes

EVERY_S = 15
TICKS_A_DAY = 86_400 // EVERY_S
DAYS = 5
# Cheshire West and Chester, roughly.
WEST, SOUTH, WIDE, HIGH = -3.05, 53.05, 0.65, 0.25
# Hours of the way there and back, and how good positions are: a sigma of five metres each way.
LEAVES_H, STAYS_H, ON_THE_WAY_H = 8.0, 9.0, 0.5
SIGMA_E7 = 5.0 / 111_200.0 * 1e7
SEED = 20_261_120


class Region:
    """So many devices, and where they are at each tick."""

    def __init__(self, devices: int) -> None:
        self._draw = np.random.default_rng(SEED)
        self.device_id = np.arange(1, devices + 1, dtype=np.int64)
        self._home, self._work = self._places(devices), self._places(devices)
        self._leaves_h = LEAVES_H + self._draw.normal(0, 0.7, devices)
        # A tag measures at its own moment of the fifteen seconds.
        self._phase_ms = self._draw.integers(0, EVERY_S * 1000, devices)
        self._order = np.argsort(self._phase_ms)
        self._quality = pack_quality(Quality(FixSource.GPS, Doubt.NONE, 9, 0.0))

    def _places(self, devices: int) -> tuple[Floats, Floats]:
        return (
            (SOUTH + HIGH * self._draw.random(devices)) * 1e7,
            (WEST + WIDE * self._draw.random(devices)) * 1e7,
        )

    def home(self, place: int) -> tuple[float, float]:
        """Latitude and longitude of the home of one device, by its place in the list."""
        lat_e7, lon_e7 = self._home
        return float(lat_e7[place]) / 1e7, float(lon_e7[place]) / 1e7

    def ticks(self, begins_us: int, count: int) -> Iterator[PackedFixes]:
        """The rows of each of ``count`` ticks from a midnight on, in the order of measuring."""
        for number in range(count):
            yield self._tick(begins_us, number)

    def _tick(self, begins_us: int, number: int) -> PackedFixes:
        size = len(self.device_id)
        hour = (number % TICKS_A_DAY) * EVERY_S / 3600
        away = _share_away(hour - self._leaves_h)
        lat, lon = (
            np.rint(home + (work - home) * away + self._draw.normal(0, SIGMA_E7, size))
            for home, work in zip(self._home, self._work, strict=True)
        )
        moving = (away > 0) & (away < 1)
        hdop = self._draw.integers(7, 25, size)
        rows = PackedFixes(
            device_id=self.device_id,
            measured_us=begins_us + number * EVERY_S * 1_000_000 + self._phase_ms * 1000,
            lat_e7=lat.astype(np.int64),
            lon_e7=lon.astype(np.int64),
            received_cs=self._draw.integers(80, 400, size),
            quality=self._quality | hdop << 19,
            accuracy=self._draw.integers(30, 300, size),
            speed_dkmh=np.where(moving, self._draw.integers(100, 900, size), 0),
            heading_ddeg=np.where(moving, self._draw.integers(0, 3_600, size), -1),
            sent_s=self._draw.integers(0, 3, size),
        )
        return rows.take(self._order)


def _share_away(since_leaving_h: Floats) -> Floats:
    """0 at home, 1 at work, between on the way."""
    there = np.clip(since_leaving_h / ON_THE_WAY_H, 0, 1)
    back = np.clip((since_leaving_h - STAYS_H) / ON_THE_WAY_H, 0, 1)
    away: Floats = there - back
    return away


def joined(parts: list[PackedFixes]) -> PackedFixes:
    """Several ticks as one batch."""
    names = PackedFixes.__struct_fields__
    return PackedFixes(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
