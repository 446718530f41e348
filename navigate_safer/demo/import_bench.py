"""Measure the import of a vendor's export: rows a second, CPU a row, and whether memory is flat.

Writes a month of one vendor's positions as CSV, in order of time as exports are, imports half of
it, begins again as after a kill, and imports the rest.
"""

import contextlib
import platform
import random
import resource
import sqlite3
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import psycopg

from devices.quality import QualityLimits
from devices.vendor_mapping import preset
from navigate_safer.db import archive, schema
from navigate_safer.db.base import Sessions, make_engine, make_sessions
from navigate_safer.demo.servers import DURABLE, PostgreSQL
from navigate_safer.services import storage
from navigate_safer.services.import_source import open_source
from navigate_safer.services.importing import Importer, Wish

DEVICES = 200
NOW = datetime(2026, 11, 22, tzinfo=UTC)
MONTH = timedelta(days=30)
# Old enough to be a month, young enough for partitions that are there.
BEGINS = NOW - timedelta(days=40)
SEED = 11
_HEADING = "device,at,lat,lon,accuracy_m,source\n"

Progress = Callable[[str, float], None]


class ImportResult(msgspec.Struct, frozen=True):
    """One import; memory is the most that this process had in use, in MB."""

    database: str
    python: str
    rows: int
    stored: int
    seconds: float
    cpu_us_a_row: float
    memory_mb_at_tenth: float
    memory_mb: float
    resumed_at_row: int


def measure(rows: int, database: str, progress: Progress) -> ImportResult:
    """Import so many rows into a throw-away ``sqlite`` or ``postgresql``."""
    with TemporaryDirectory(prefix="navigate-safer-import-") as name, _made(database, name) as url:
        file = Path(name) / "export.csv"
        _write(file, rows, lambda share: progress("writing the export", share))
        return _import(url, file, rows, lambda share: progress(f"importing, {database}", share))


@contextlib.contextmanager
def _made(database: str, folder: str) -> Iterator[str]:
    if database == "sqlite":
        yield f"sqlite:///{folder}/import.sqlite"
        return
    server = PostgreSQL(DURABLE)
    try:
        yield server.create("import")
    finally:
        server.stop()


def _write(file: Path, rows: int, progress: Callable[[float], None]) -> None:
    """Every device at each of equal steps through the month."""
    draw = random.Random(SEED)
    steps = -(-rows // DEVICES)
    with file.open("w", encoding="ascii") as out:
        out.write(_HEADING)
        for number in range(rows):
            at = BEGINS + MONTH * (number // DEVICES) / steps
            lat, lon = 53.1 + 0.2 * draw.random(), -2.9 + 0.4 * draw.random()
            out.write(
                f"{_ref(number % DEVICES)},{at:%Y-%m-%dT%H:%M:%S.%f}Z,{lat:.6f},"
                f"{lon:.6f},{draw.randint(3, 30)},gps\n"
            )
            if number % 100_000 == 0:
                progress(number / rows)
    progress(1.0)


def _import(url: str, file: Path, rows: int, progress: Callable[[float], None]) -> ImportResult:
    engine = make_engine(url)
    sessions: Sessions = make_sessions(engine)
    archive.use_folder(sessions, file.parent / "archive")
    schema.upgrade(engine)
    _register(url)
    storage.make_days(sessions, NOW, storage.Plan())
    began, cpu = time.perf_counter(), time.process_time()
    resumed_at, at_tenth = 0, 0.0
    # Twice, as after a kill: the second takes up where the first left off.
    for most in (rows // 2, rows):
        source = open_source(file, preset("navigate-safer"), None)
        wish = Wish(BEGINS.date())
        importer = Importer(sessions, source, wish, lambda: NOW, QualityLimits())
        resumed_at = importer.progress.lines if importer.progress.resumed else resumed_at
        for done in importer.run():
            progress(done.lines / (rows + 1))
            if not at_tenth and done.lines >= rows / 10:
                at_tenth = _memory_mb()
            if most < rows and done.lines >= most:
                break
    spent = time.perf_counter() - began
    cpu_us = (time.process_time() - cpu) / rows * 1e6
    stored = importer.progress.stored
    engine.dispose()
    name = f"SQLite {sqlite3.sqlite_version}" if url.startswith("sqlite") else "PostgreSQL"
    figures = (rows, stored, spent, cpu_us, at_tenth, _memory_mb(), resumed_at)
    return ImportResult(name, platform.python_version(), *figures)


def _register(url: str) -> None:
    """The gateway and its devices, which an import does not make up."""
    gateway = "insert into gateways (id, ref, name) values (1, 'BENCH', 'bench')"
    device = (
        "insert into devices (ref, model, kind, gateway_id) values ({}, 'bench', 'location', 1)"
    )
    refs = [(_ref(number),) for number in range(DEVICES)]
    if url.startswith("sqlite"):
        with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file, file:
            file.execute(gateway)
            file.executemany(device.format("?"), refs)
        return
    with psycopg.connect(url.replace("postgresql+psycopg", "postgresql")) as connection:
        connection.execute(gateway)
        connection.cursor().executemany(device.format("%s"), refs)


def _ref(number: int) -> str:
    return f"BENCH-{number}"


def _memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
