"""Days of readings as Parquet files: written, read back, compared, looked into. No database here.

A file holds one UTC day of one kind, sorted by device and stored time, with the columns of the
table; ``measured_at`` is microseconds since 1970 with the variant, a boolean is 0 or 1.
"""

import contextlib
import hashlib
import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import BigInteger, Boolean, SmallInteger, String

from navigate_safer.db.base import Instant
from navigate_safer.db.device_rows import made
from navigate_safer.db.packed import instant_of, micros_of
from navigate_safer.db.place_box import PlaceBox
from navigate_safer.db.reading_rows import ReadingTable
from navigate_safer.db.reading_values import Columns

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Small groups, so that one device's day is read without its neighbours'; smaller ones cost
# bytes (measured: 5 % more than groups twice as large).
ROWS_IN_GROUP = 61_440
# Version 2 writes differences of neighbouring rows in few bits: 7.1 bytes a fix instead of 11.5
# (measured); stronger zstd gains nothing on top.
ENCODING = "compression zstd, parquet_version V2"
# What one sorting may take of a machine that has intake to do.
MEMORY, THREADS = "1GB", 2
_CHUNK_BYTES = 1 << 20


class ArchiveUnreadable(Exception):
    """A file of the archive is missing or is not what was written; says which and what to do."""


class Sum(msgspec.Struct, frozen=True):
    """Rows, and a sum over a hash of each that does not depend on their order."""

    rows: int
    checksum: str


def columns(table: ReadingTable) -> dict[str, str]:
    """Name and DuckDB type of each column of a file."""
    return {each.name: _type(each.type) for each in table.__table__.columns}


def _type(kind: object) -> str:
    if isinstance(kind, BigInteger | Instant):
        return "BIGINT"
    if isinstance(kind, SmallInteger | Boolean):
        return "SMALLINT"
    return "VARCHAR" if isinstance(kind, String) else "INTEGER"


def hash_of(line: str) -> int:
    """The hash of a row written as comma-separated text: 60 bits of MD5, as SQL computes it too.

    It finds what a fault of a disk or a program does, not what a forger does: the file as a whole
    has its SHA-256 for that.
    """
    return int(hashlib.md5(line.encode(), usedforsecurity=False).hexdigest()[:15], 16)


def write(table: ReadingTable, rows_file: Path, earlier: Path | None, target: Path) -> Sum:
    """Sort rows of comma-separated text, and those of an earlier file, into a new file on disk.

    Reads the file back and compares. Raises ArchiveUnreadable where it is not what was given.
    """
    with _own_connection(target.parent, f"{target.name} could not be written") as duck:
        duck.execute(f"create view fresh as select * from {_csv(table, rows_file)}")
        duck.execute("create view source as select * from fresh")
        if earlier is not None:
            # What is in both is there once: an archiving that was killed is only done again.
            duck.execute(
                "create or replace view source as select * from fresh union all "
                f"select * from {_parquet(earlier)} e where not exists (select 1 from fresh f "
                "where f.device_id = e.device_id and f.measured_at = e.measured_at)"
            )
        duck.execute(
            f"copy (select * from source order by device_id, measured_at) to {_quoted(target)} "
            f"(format parquet, {ENCODING}, row_group_size {ROWS_IN_GROUP})"
        )
        flush(target)
        given = _sum(duck, table, "source")
        if _sum(duck, table, _parquet(target)) != given:
            raise ArchiveUnreadable(f"{target.name} does not hold what was written; the disk?")
        return given


def sum_of_rows(table: ReadingTable, rows_file: Path) -> Sum:
    """The sum of rows of comma-separated text as they are read from the disk."""
    with _own_connection(rows_file.parent, f"{rows_file.name} could not be read") as duck:
        return _sum(duck, table, _csv(table, rows_file))


def sum_of_file(table: ReadingTable, file: Path) -> Sum:
    """The sum of a file of the archive."""
    with _own_connection(file.parent, _unreadable([file])) as duck:
        return _sum(duck, table, _parquet(file))


def sha256_of(file: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    found = hashlib.sha256()
    with file.open("rb") as handle:
        while chunk := handle.read(_CHUNK_BYTES):
            found.update(chunk)
    return found.hexdigest()


def expect(file: Path, sha256: str | None) -> None:
    """Raise ArchiveUnreadable unless a file is there and is the one that was written."""
    try:
        found = sha256_of(file)
    except OSError as fault:
        raise ArchiveUnreadable(_unreadable([file])) from fault
    if found != sha256:
        raise ArchiveUnreadable(
            f"{file.name} in the archive was altered: put it back from the backup; "
            "`navigate-safer archive verify` names all"
        )


def rows_of(
    table: ReadingTable,
    files: Sequence[Path],
    device_id: int,
    begins: datetime | None,
    ends: datetime | None,
) -> list[Columns]:
    """Rows of one device with ``begins <= stored time < ends``, in no order."""
    if not files:
        return []
    where, values = ["device_id = ?"], [device_id]
    for operator, bound in ((">=", begins), ("<", ends)):
        if bound is not None:
            where.append(f"measured_at {operator} ?")
            values.append(micros_of(bound))
    names = list(columns(table))
    query = f"select {', '.join(names)} from {_parquet(*files)} where {' and '.join(where)}"
    return made(table, _ask(files, query, values), instant_of)


def near(files: Sequence[Path], box: PlaceBox) -> list[tuple[int, float, datetime, int]]:
    """Device, squared metres, stored time and accuracy of each device's nearest position."""
    if not files:
        return []
    # Without the cast DuckDB would reckon in decimals, and run out of digits.
    east = f"((lon_e7 - {box.lon_e7}) * cast({box.lon_step_m!r} as double))"
    north = f"((lat_e7 - {box.lat_e7}) * cast({box.lat_step_m!r} as double))"
    squared = f"({east} * {east} + {north} * {north})"
    query = (
        f"select device_id, min({squared}), arg_min(measured_at, {squared}), "
        f"arg_min(accuracy, {squared}) from {_parquet(*files)} "
        f"where measured_at >= {micros_of(box.begins)} and measured_at < {micros_of(box.ends)} "
        f"and abs(lon_e7 - {box.lon_e7}) <= {box.half_lon_e7} "
        f"and abs(lat_e7 - {box.lat_e7}) <= {box.half_lat_e7} "
        f"and {squared} <= {box.radius_m**2!r} group by device_id"
    )
    found = _ask(files, query, [])
    return [(device, far, instant_of(at), accuracy) for device, far, at, accuracy in found]


def keys_of(file: Path, at_once: int) -> Any:  # noqa: ANN401
    """Device and stored time (microseconds) of every row of a file, in lists of ``at_once``."""
    with _own_connection(file.parent, _unreadable([file])) as duck:
        found = duck.execute(f"select device_id, measured_at from {_parquet(file)}")
        while part := found.fetchmany(at_once):
            yield part


@lru_cache(maxsize=16_384)
def devices_in(file: Path) -> frozenset[int]:
    """The devices that a file holds readings of. Raises ArchiveUnreadable.

    Asked again and again of days that an order keeps; a file never changes under its name.
    """
    with _own_connection(file.parent, _unreadable([file])) as duck:
        found = duck.execute(f"select distinct device_id from {_parquet(file)}").fetchall()
    return frozenset(device for (device,) in found)


def write_rows(table: ReadingTable, file: Path, devices: Sequence[int], target: Path) -> Sum:
    """Write the rows of some devices as comma-separated text; what they come to."""
    with _own_connection(target.parent, f"{target.name} could not be written") as duck:
        among = ", ".join(str(each) for each in devices)
        duck.execute(
            f"create view kept as select * from {_parquet(file)} where device_id in ({among})"
        )
        duck.execute(
            f"copy kept to {_quoted(target)} (format csv, header false, quote '', nullstr '')"
        )
        return _sum(duck, table, "kept")


def _ask(files: Sequence[Path], query: str, values: list[int]) -> list[tuple[Any, ...]]:
    cursor = _shared_connection().cursor()
    try:
        return cursor.execute(query, values).fetchall()
    except _errors() as fault:
        raise ArchiveUnreadable(_unreadable(files)) from fault
    finally:
        cursor.close()


def _sum(duck: "DuckDBPyConnection", table: ReadingTable, source: str) -> Sum:
    line = ", ".join(f"coalesce(cast({name} as varchar), '')" for name in columns(table))
    query = (
        f"select count(*), sum(cast('0x' || substr(md5(concat_ws(',', {line})), 1, 15) as bigint)) "
        f"from {source}"
    )
    row = duck.execute(query).fetchone()
    assert row is not None
    return Sum(row[0], str(row[1] or 0))


def _csv(table: ReadingTable, file: Path) -> str:
    types = ", ".join(f"'{name}': '{kind}'" for name, kind in columns(table).items())
    return (
        f"read_csv({_quoted(file)}, header = false, auto_detect = false, delim = ',', "
        f"quote = '', escape = '', nullstr = '', columns = {{{types}}})"
    )


def _parquet(*files: Path) -> str:
    return f"read_parquet([{', '.join(_quoted(each) for each in files)}])"


def _quoted(file: Path) -> str:
    return "'" + str(file).replace("'", "''") + "'"


def _unreadable(files: Sequence[Path]) -> str:
    missing = [each.name for each in files if not each.exists()]
    named = ", ".join(missing or [each.name for each in files])
    what = "is missing from the archive" if missing else "in the archive cannot be read"
    return f"{named} {what}: put it back from the backup; `navigate-safer archive verify` names all"


def flush(file: Path) -> None:
    """Wait until a file and its name in the folder are on disk."""
    for path in (file, file.parent):
        flush_one(path)


def flush_one(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def _own_connection(scratch: Path, failed: str) -> Iterator["DuckDBPyConnection"]:
    """A connection for one piece of work; what DuckDB refuses is ArchiveUnreadable, as ``failed``.

    Its own words may quote a value, so only their kind is passed on.
    """
    try:
        with _load().connect(config={"memory_limit": MEMORY, "threads": THREADS}) as duck:
            duck.execute(f"set temp_directory = {_quoted(scratch / '.scratch')}")
            yield duck
    except _errors() as fault:
        raise ArchiveUnreadable(f"{failed} ({type(fault).__name__})") from fault


@lru_cache(maxsize=1)
def _shared_connection() -> "DuckDBPyConnection":
    return _load().connect(config={"memory_limit": MEMORY, "threads": THREADS})  # type: ignore[no-any-return]


def _errors() -> type[Exception]:
    return _load().Error  # type: ignore[no-any-return]


def _load() -> Any:  # noqa: ANN401
    # 50 MB and half a second that a process without archived days to read never spends.
    import duckdb  # noqa: PLC0415

    return duckdb
