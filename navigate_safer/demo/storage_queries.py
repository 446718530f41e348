"""The questions of `bench storage`, and how long their answers take."""

import random
import time
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import partial

import msgspec

from navigate_safer.db import nearby, readings
from navigate_safer.db.base import Sessions
from navigate_safer.db.days import bounds
from navigate_safer.db.reading_rows import FixRow
from navigate_safer.demo.storage_load import TICKS_A_DAY, Region

TIMES, TIMES_COLD = 20, 5
SEED = 7
# The bars of issue 3.
DEVICE_DAY_BAR_MS, LAST_BAR_MS, NEAR_BAR_MS = 50.0, 100.0, 1_000.0
NEAR_RADIUS_M = 200.0
WINDOWS_MIN = {5: "5 min", 60: "1 h", 720: "12 h"}

Progress = Callable[[str, float], None]


class Timing(msgspec.Struct, frozen=True):
    """The best of one query and percentiles by nearest rank, milliseconds; ``bar_ms`` is asked.

    On a busy machine the best says more about the query, the median about the machine. ``state``
    is of the days asked about. A bar of None: nothing is asked, it is only told.
    """

    query: str
    state: str
    best_ms: float
    p50_ms: float
    p95_ms: float
    bar_ms: float | None


class Questions:
    """What is asked of one database that was filled from ``region`` with ``days``."""

    def __init__(
        self, sessions: Sessions, region: Region, days: Sequence[date], progress: Progress
    ) -> None:
        self._sessions, self._region, self._days = sessions, region, days
        self._progress = progress
        self._draw = random.Random(SEED)
        self.timings: list[Timing] = []

    def ask(self, state: str) -> None:
        """Ask everything twenty times, each time of another device, day, place or window."""
        bar_ms = DEVICE_DAY_BAR_MS
        self._time("one device and day", state, bar_ms, partial(self._device_day, self._days))
        self._time("last position of everybody", state, LAST_BAR_MS, self._last)
        for minutes, name in WINDOWS_MIN.items():
            step = partial(self._near, timedelta(minutes=minutes))
            self._time(f"near a place within {name}", state, NEAR_BAR_MS, step)

    def ask_of_day(self, state: str, day: date) -> None:
        """Ask for one device's fixes of this day."""
        step = partial(self._device_day, [day])
        self._time("one device and day", state, DEVICE_DAY_BAR_MS, step)

    def ask_cold(self, state: str, day: date, forget: Callable[[], object]) -> None:
        """Ask for one device's fixes of a day that is on the disk alone: ``forget`` sees to that.

        A bar is for a service that has run for a while; this is the first look after a restart.
        """
        step = partial(self._device_day, [day])
        found = []
        for number in range(TIMES_COLD):
            forget()
            # What is read of the catalogues once for each connection is not the question here.
            with self._sessions() as session:
                begins, ends = bounds(day)
                readings.rows_between(session, (FixRow,), 0, begins, ends)
            found.append(_milliseconds(step))
            self._progress(f"one device and day, {state}", (number + 1) / TIMES_COLD)
        self._note("one device and day", state, None, found)

    def _time(self, query: str, state: str, bar_ms: float, ask: Callable[[], int]) -> None:
        # The first one fills the caches of plans and pages, as the first of a day would.
        ask()
        found = []
        for number in range(TIMES):
            found.append(_milliseconds(ask))
            self._progress(f"{query}, {state}", (number + 1) / TIMES)
        self._note(query, state, bar_ms, found)

    def _note(self, query: str, state: str, bar_ms: float | None, found: list[float]) -> None:
        p50, p95 = (_percentile(found, share) for share in (50, 95))
        self.timings.append(Timing(query, state, min(found), p50, p95, bar_ms))

    def _device_day(self, among: Sequence[date]) -> int:
        device_id = self._draw.choice(self._region.device_id.tolist())
        begins, ends = bounds(self._draw.choice(among))
        with self._sessions() as session:
            rows = readings.rows_between(session, (FixRow,), device_id, begins, ends)[FixRow]
        assert len(rows) == TICKS_A_DAY
        return len(rows)

    def _last(self) -> int:
        with self._sessions() as session:
            found = nearby.last_positions(session)
        assert len(found) == len(self._region.device_id)
        return len(found)

    def _near(self, window: timedelta) -> int:
        lat, lon = self._region.home(self._draw.randrange(len(self._region.device_id)))
        span_s = len(self._days) * 86_400 - window.total_seconds()
        from_at = bounds(self._days[0])[0] + timedelta(seconds=self._draw.uniform(0, span_s))
        with self._sessions() as session:
            args = (lon, lat, NEAR_RADIUS_M, from_at, from_at + window)
            return len(nearby.near(session, *args))


def _milliseconds(ask: Callable[[], int]) -> float:
    began = time.perf_counter()
    ask()
    return (time.perf_counter() - began) * 1000


def _percentile(values: Sequence[float], share: int) -> float:
    ordered = sorted(values)
    return ordered[-(-len(ordered) * share // 100) - 1]
