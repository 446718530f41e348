"""Measure storage: bytes a fix and the times of queries, hot, closed and archived.

Makes a PostgreSQL of its own, fills it in the order of arrival by binary COPY, and takes the days
through their life with the code that the scheduler runs, as often as it runs it. The same with an
SQLite file of a tenth of the size.
"""

import os
import platform
import sqlite3
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import psycopg

from navigate_safer.db import archive, packed, partitions, postgresql_bulk, schema, sqlite_bulk
from navigate_safer.db.base import Sessions, make_engine, make_sessions
from navigate_safer.db.days import ONE_DAY, DayState, bounds, in_state
from navigate_safer.db.packed_fixes import PackedFixes
from navigate_safer.db.reading_rows import FixRow
from navigate_safer.demo import storage_load
from navigate_safer.demo.server_process import forget_pages
from navigate_safer.demo.servers import DURABLE, PostgreSQL
from navigate_safer.demo.storage_load import DAYS, EVERY_S, TICKS_A_DAY, Region
from navigate_safer.demo.storage_queries import Progress, Questions, Timing
from navigate_safer.services import archiving, sorting, storage
from navigate_safer.services.storage import Plan

FIRST_DAY = date(2026, 11, 16)
TICKS_AT_ONCE = 20
# As often as the scheduler keeps house.
TICKS_A_ROUND = 15 * 60 // EVERY_S
# The scheduler closes days every hour; a vacuum of ten million rows takes minutes.
CLOSING_TRIES, BETWEEN_CLOSINGS_S = 30, 10.0
# The bars of issue 3, bytes a fix.
BARS = {"hot": 100.0, "closed": 70.0, "archived": 10.0}


class Result(msgspec.Struct, frozen=True):
    """The whole measurement of one database; bytes a fix by state of the day.

    ``load`` is what else the machine had to do: its mean number of runnable programs, at most.
    """

    database: str
    python: str
    fixes: int
    devices: int
    bytes_a_fix: dict[str, float]
    timings: list[Timing]
    seconds: dict[str, float]
    load: float


def met(result: Result) -> bool:
    """Whether every bar is met, by the median."""
    sizes = all(size <= BARS[state] for state, size in result.bytes_a_fix.items())
    return sizes and all(
        each.bar_ms is None or each.p50_ms <= each.bar_ms for each in result.timings
    )


def measure(fixes: int, database_url: str | None, progress: Progress) -> Result:
    """Fill, measure, close, measure, archive, measure. ``progress`` takes a step and its share."""
    with TemporaryDirectory(prefix="navigate-safer-storage-") as name:
        folder = Path(name)
        if database_url is not None:
            return _OnPostgreSQL(fixes, database_url, folder, progress, None).run()
        server = PostgreSQL(DURABLE)
        try:
            return _OnPostgreSQL(fixes, server.create("storage"), folder, progress, server).run()
        finally:
            server.stop()


def measure_sqlite(fixes: int, progress: Progress) -> Result:
    """The same with a file; a day is hot until it is archived."""
    with TemporaryDirectory(prefix="navigate-safer-storage-") as name:
        return _OnSqlite(fixes, Path(name), progress).run()


class _Bench:
    def __init__(self, fixes: int, url: str, folder: Path, progress: Progress) -> None:
        self.devices = max(1, round(fixes / (DAYS * TICKS_A_DAY)))
        self.fixes = self.devices * DAYS * TICKS_A_DAY
        self.region = Region(self.devices)
        self.engine = make_engine(url)
        self.sessions: Sessions = make_sessions(self.engine)
        self.folder = folder
        archive.use_folder(self.sessions, folder / "archive")
        self.progress = progress
        self.days = [FIRST_DAY + ONE_DAY * number for number in range(DAYS)]
        self.now = bounds(self.days[-1])[1] + ONE_DAY * 100
        self.questions = Questions(self.sessions, self.region, self.days, progress)
        self.sizes: dict[str, int] = {}
        self.seconds: dict[str, float] = {}
        self.load = 0.0

    def result(self, database: str) -> Result:
        self.engine.dispose()
        each = {state: size / self.fixes for state, size in self.sizes.items()}
        timings, python = self.questions.timings, platform.python_version()
        numbers = (self.fixes, self.devices, each, timings, self.seconds, self.load)
        return Result(database, python, *numbers)

    def timed(self, name: str, step: Callable[[], object]) -> None:
        began = time.perf_counter()
        step()
        self.seconds[name] = time.perf_counter() - began
        self.load = max(self.load, os.getloadavg()[0])

    def fill(self, store: Callable[[PackedFixes], object]) -> None:
        begins_us = packed.micros_of(bounds(FIRST_DAY)[0])
        ticks, whole = self.region.ticks(begins_us, DAYS * TICKS_A_DAY), DAYS * TICKS_A_DAY
        for number in range(0, whole, TICKS_AT_ONCE):
            store(storage_load.joined([next(ticks) for _ in range(TICKS_AT_ONCE)]))
            self.progress(f"filling, {type(self).__name__[3:]}", (number + TICKS_AT_ONCE) / whole)
            if (number + TICKS_AT_ONCE) % TICKS_A_ROUND == 0:
                self.keep_house(number + TICKS_AT_ONCE)

    def keep_house(self, ticks: int) -> None:
        """What the scheduler does while the days are hot."""

    def archive_days(self) -> None:
        for number, day in enumerate(self.days):
            if not archiving.archive_day(self.sessions, FixRow, day, self.now):
                raise RuntimeError("somebody else is at work in the benchmark's database")
            self.progress(f"archiving, {type(self).__name__[3:]}", (number + 1) / DAYS)

    def archive_bytes(self) -> int:
        with self.sessions() as session:
            return sum(row.bytes or 0 for row in in_state(session, FixRow, DayState.ARCHIVED))


class _OnPostgreSQL(_Bench):
    def __init__(
        self, fixes: int, url: str, folder: Path, progress: Progress, server: PostgreSQL | None
    ) -> None:
        super().__init__(fixes, url, folder, progress)
        self.server = server
        self.raw_url = url.replace("postgresql+psycopg", "postgresql")
        self.plan = Plan(ahead_days=1, past_days=DAYS)

    def run(self) -> Result:
        schema.upgrade(self.engine)
        storage.make_days(self.sessions, bounds(FIRST_DAY)[0], self.plan)
        self.timed("fill", self._fill)
        self.timed("vacuum", lambda: self._raw("vacuum (freeze, analyze)"))
        self.sizes["hot"] = self._table_bytes()
        self._ask("hot")
        self.timed("close", self._close)
        self._raw("vacuum (freeze, analyze)")
        self.sizes["closed"] = self._table_bytes()
        self._ask("closed")
        self.timed("archive", self.archive_days)
        self.sizes["archived"] = self.archive_bytes()
        self._ask("archived")
        with psycopg.connect(self.raw_url) as connection:
            number = connection.info.server_version
        return self.result(f"PostgreSQL {number // 10_000}.{number % 10_000}")

    def _ask(self, state: str) -> None:
        self.questions.ask(state)
        if state == "hot":
            # Before the server forgets: after it they would be as cold as what is asked cold.
            self.questions.ask_of_day("hot, today", self.days[-1])
        if self.server is None:
            return
        self.questions.ask_cold(f"{state}, cold", self.days[1], self._forget)
        if state == "hot":
            self.questions.ask_cold(f"{state}, today, cold", self.days[-1], self._forget)

    def _forget(self) -> None:
        assert self.server is not None
        self._raw("checkpoint")
        self.server.restart_cold()
        # The pool asks a connection whether it lives only after a second of rest.
        self.engine.dispose()
        forget_pages(self.folder)

    def _raw(self, statement: str) -> None:
        with psycopg.connect(self.raw_url, autocommit=True) as connection:
            connection.execute(statement)

    def _fill(self) -> None:
        with psycopg.connect(self.raw_url) as connection:
            self._register(connection)

            def store(rows: PackedFixes) -> None:
                postgresql_bulk.copy_fixes(connection, rows)
                connection.commit()

            self.fill(store)
            self._last_positions(connection)

    def keep_house(self, ticks: int) -> None:
        now = bounds(FIRST_DAY)[0] + timedelta(seconds=ticks * EVERY_S)
        sorting.sort_pieces(self.sessions, now, time.sleep)
        if ticks % TICKS_A_DAY == 0:
            storage.make_days(self.sessions, now, self.plan)
            storage.pack(self.sessions)

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
            self._close_day(day)
            self.progress("closing", (number + 1) / DAYS)

    def _close_day(self, day: date) -> None:
        """As the scheduler does: where a vacuum is at the day, it comes again later."""
        for _ in range(CLOSING_TRIES):
            if storage.close_day(self.sessions, FixRow, day, self.now, time.sleep):
                return
            time.sleep(BETWEEN_CLOSINGS_S)
        raise RuntimeError("somebody else is at work in the benchmark's database")

    def _table_bytes(self) -> int:
        with self.sessions() as session:
            return sum(partitions.bytes_of(session, FixRow, day) for day in self.days)


class _OnSqlite(_Bench):
    def __init__(self, fixes: int, folder: Path, progress: Progress) -> None:
        self.file = folder / "storage.sqlite"
        super().__init__(fixes, f"sqlite:///{self.file}", folder, progress)

    def run(self) -> Result:
        schema.upgrade(self.engine)
        empty = self.file.stat().st_size
        self.timed("fill", self._fill)
        self.sizes["hot"] = self.file.stat().st_size - empty
        self.questions.ask("hot")
        self.timed("archive", self.archive_days)
        self.sizes["archived"] = self.archive_bytes()
        self.questions.ask("archived")
        return self.result(f"SQLite {sqlite3.sqlite_version}")

    def _fill(self) -> None:
        with sqlite3.connect(self.file) as connection:
            self._register(connection)

            def store(rows: PackedFixes) -> None:
                sqlite_bulk.insert_fixes(connection, rows)
                connection.commit()

            self.fill(store)
            connection.execute(
                "update device_latest set position_at = measured_at, (lat_e7, lon_e7, accuracy) = "
                "(select lat_e7, lon_e7, accuracy from fixes f where f.device_id = "
                "device_latest.device_id order by f.measured_at desc limit 1)"
            )
            connection.commit()
            connection.execute("pragma wal_checkpoint(truncate)")
        connection.close()

    def _register(self, connection: sqlite3.Connection) -> None:
        begins = bounds(FIRST_DAY)[0].strftime("%Y-%m-%d %H:%M:%S.%f")
        for number in self.region.device_id.tolist():
            connection.execute(
                "insert into devices (id, ref, model, kind) values (?, ?, 'bench', 'location')",
                (number, f"BENCH-{number}"),
            )
            connection.execute(
                "insert into device_latest (device_id, measured_at, received_at) values (?, ?, ?)",
                (number, begins, begins),
            )
        connection.commit()
