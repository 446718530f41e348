"""Measure storage: bytes a fix and the times of queries, hot, closed and archived.

Makes a PostgreSQL of its own, fills it in the order of arrival by binary COPY, and takes the days
through their life with the code that the scheduler runs.
"""

import random
import time
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import psycopg

from navigate_safer.db import archive, nearby, packed, partitions, postgresql_bulk, readings, schema
from navigate_safer.db.base import Sessions, make_engine, make_sessions
from navigate_safer.db.days import ONE_DAY, DayState, bounds, in_state
from navigate_safer.db.reading_rows import FixRow
from navigate_safer.demo import storage_load
from navigate_safer.demo.servers import DURABLE, PostgreSQL
from navigate_safer.demo.storage_load import DAYS, EVERY_S, TICKS_A_DAY, Region
from navigate_safer.services import archiving, storage
from navigate_safer.services.storage import Plan

FIRST_DAY = date(2026, 11, 16)
TICKS_AT_ONCE = 20
# As often as the scheduler keeps house.
TICKS_A_ROUND = 15 * 60 // EVERY_S // TICKS_AT_ONCE * TICKS_AT_ONCE
TIMES = 20
SEED = 7
# The bars of issue 3.
BARS = {"hot": 100.0, "closed": 70.0, "archived": 10.0}
DEVICE_DAY_BAR_MS, LAST_BAR_MS, NEAR_BAR_MS = 50.0, 100.0, 1_000.0
NEAR_RADIUS_M = 200.0

Progress = Callable[[str, float], None]


class Timing(msgspec.Struct, frozen=True):
    """Percentiles of one query, milliseconds, by nearest rank; ``bar_ms`` is what is asked."""

    query: str
    state: str
    p50_ms: float
    p95_ms: float
    bar_ms: float


class Result(msgspec.Struct, frozen=True):
    """The whole measurement; bytes a fix by state of the day."""

    fixes: int
    devices: int
    bytes_a_fix: dict[str, float]
    timings: list[Timing]
    seconds: dict[str, float]


def measure(fixes: int, database_url: str | None, progress: Progress) -> Result:
    """Fill, measure, close, measure, archive, measure. ``progress`` takes a step and its share."""
    with TemporaryDirectory(prefix="navigate-safer-storage-") as folder:
        if database_url is not None:
            return _Bench(fixes, database_url, Path(folder), progress).run()
        server = PostgreSQL(DURABLE)
        try:
            return _Bench(fixes, server.create("storage"), Path(folder), progress).run()
        finally:
            server.stop()


class _Bench:
    def __init__(self, fixes: int, url: str, folder: Path, progress: Progress) -> None:
        self.devices = max(1, round(fixes / (DAYS * TICKS_A_DAY)))
        self.fixes = self.devices * DAYS * TICKS_A_DAY
        self.region = Region(self.devices)
        self.engine = make_engine(url)
        self.sessions: Sessions = make_sessions(self.engine)
        self.raw_url = url.replace("postgresql+psycopg", "postgresql")
        archive.use_folder(self.sessions, folder / "archive")
        self.progress = progress
        self.days = [FIRST_DAY + ONE_DAY * number for number in range(DAYS)]
        self.now = bounds(self.days[-1])[1] + ONE_DAY * 100
        self.draw = random.Random(SEED)
        self.timings: list[Timing] = []
        self.seconds: dict[str, float] = {}

    def run(self) -> Result:
        schema.upgrade(self.engine)
        plan = Plan(ahead_days=1, past_days=DAYS)
        storage.make_days(self.sessions, bounds(self.days[-1])[0], plan)
        self._timed("fill", self._fill)
        self._timed("vacuum", lambda: self._raw("vacuum (freeze, analyze)"))
        sizes = {"hot": self._table_bytes()}
        self._ask("hot")
        self._timed("close", self._close)
        self._raw("vacuum (freeze, analyze)")
        sizes["closed"] = self._table_bytes()
        self._ask("closed")
        self._timed("archive", self._archive)
        sizes["archived"] = self._archive_bytes()
        self._ask("archived")
        self.engine.dispose()
        each = {state: size / self.fixes for state, size in sizes.items()}
        return Result(self.fixes, self.devices, each, self.timings, self.seconds)

    def _timed(self, name: str, step: Callable[[], object]) -> None:
        began = time.perf_counter()
        step()
        self.seconds[name] = time.perf_counter() - began

    def _raw(self, statement: str) -> None:
        with psycopg.connect(self.raw_url, autocommit=True) as connection:
            connection.execute(statement)

    def _fill(self) -> None:
        begins_us = packed.micros_of(bounds(FIRST_DAY)[0])
        ticks = self.region.ticks(begins_us, DAYS * TICKS_A_DAY)
        with psycopg.connect(self.raw_url) as connection:
            self._register(connection)
            for number in range(0, DAYS * TICKS_A_DAY, TICKS_AT_ONCE):
                parts = [next(ticks) for _ in range(TICKS_AT_ONCE)]
                postgresql_bulk.copy_fixes(connection, storage_load.joined(parts))
                connection.commit()
                self.progress("filling", (number + TICKS_AT_ONCE) / (DAYS * TICKS_A_DAY))
                if number % TICKS_A_ROUND == 0:
                    storage.pack(self.sessions)
            self._last_positions(connection)

    def _register(self, connection: psycopg.Connection) -> None:
        numbers = "from generate_series(1, %s) n"
        connection.execute(
            "insert into devices (id, ref, model, kind) "
            f"select n, 'BENCH-' || n, 'bench', 'location' {numbers}",
            (self.devices,),
        )
        begins = bounds(FIRST_DAY)[0]
        connection.execute(
            "insert into device_latest (device_id, measured_at, received_at) "
            f"select n, %s, %s {numbers}",
            (begins, begins, self.devices),
        )
        connection.commit()

    def _last_positions(self, connection: psycopg.Connection) -> None:
        connection.execute(
            "update device_latest d set measured_at = f.measured_at, received_at = f.measured_at, "
            "fix_at = f.measured_at, position_at = f.measured_at, lat_e7 = f.lat_e7, "
            "lon_e7 = f.lon_e7, accuracy = f.accuracy, fix_quality = f.quality from ("
            "select distinct on (device_id) * from fixes where measured_at >= %s "
            "order by device_id, measured_at desc) f where f.device_id = d.device_id",
            (bounds(self.days[-1])[1] - timedelta(minutes=1),),
        )
        connection.commit()
        connection.execute("analyze device_latest")

    def _close(self) -> None:
        for number, day in enumerate(self.days):
            if not storage.close_day(self.sessions, FixRow, day, self.now, time.sleep):
                raise RuntimeError("somebody else is at work in the benchmark's database")
            self.progress("closing", (number + 1) / DAYS)

    def _archive(self) -> None:
        for number, day in enumerate(self.days):
            if not archiving.archive_day(self.sessions, FixRow, day, self.now):
                raise RuntimeError("somebody else is at work in the benchmark's database")
            self.progress("archiving", (number + 1) / DAYS)

    def _table_bytes(self) -> int:
        with self.sessions() as session:
            return sum(partitions.bytes_of(session, FixRow, day) for day in self.days)

    def _archive_bytes(self) -> int:
        with self.sessions() as session:
            return sum(row.bytes or 0 for row in in_state(session, FixRow, DayState.ARCHIVED))

    def _ask(self, state: str) -> None:
        self._time("one device and day", state, DEVICE_DAY_BAR_MS, self._device_day)
        self._time("last position of everybody", state, LAST_BAR_MS, self._last)
        for minutes, name in ((5, "5 min"), (60, "1 h"), (720, "12 h")):
            window = timedelta(minutes=minutes)
            query = f"near a place within {name}"
            self._time(query, state, NEAR_BAR_MS, partial(self._near, window))

    def _time(self, query: str, state: str, bar_ms: float, ask: Callable[[], int]) -> None:
        # The first one fills the caches of plans and pages, as the first of a day would.
        ask()
        found = []
        for number in range(TIMES):
            began = time.perf_counter()
            ask()
            found.append((time.perf_counter() - began) * 1000)
            self.progress(f"{query}, {state}", (number + 1) / TIMES)
        p50, p95 = (_percentile(found, share) for share in (50, 95))
        self.timings.append(Timing(query, state, p50, p95, bar_ms))

    def _device_day(self) -> int:
        device_id = self.draw.randint(1, self.devices)
        begins, ends = bounds(self.draw.choice(self.days))
        with self.sessions() as session:
            rows = readings.rows_between(session, (FixRow,), device_id, begins, ends)[FixRow]
        assert len(rows) == TICKS_A_DAY
        return len(rows)

    def _last(self) -> int:
        with self.sessions() as session:
            found = nearby.last_positions(session)
        assert len(found) == self.devices
        return len(found)

    def _near(self, window: timedelta) -> int:
        lat, lon = self.region.home(self.draw.randrange(self.devices))
        span_s = DAYS * 86_400 - window.total_seconds()
        from_at = bounds(FIRST_DAY)[0] + timedelta(seconds=self.draw.uniform(0, span_s))
        with self.sessions() as session:
            args = (lon, lat, NEAR_RADIUS_M, from_at, from_at + window)
            return len(nearby.near(session, *args))


def _percentile(values: Sequence[float], share: int) -> float:
    ordered = sorted(values)
    return ordered[-(-len(ordered) * share // 100) - 1]
