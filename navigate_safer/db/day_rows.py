"""A day's rows out of the database into a file of comma-separated text, counted and summed."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Boolean, select, text
from sqlalchemy.orm import Session

from navigate_safer.db import parquet
from navigate_safer.db.base import Instant
from navigate_safer.db.days import bounds
from navigate_safer.db.packed import instant_of, micros_of
from navigate_safer.db.parquet import Sum
from navigate_safer.db.people import DeviceRow
from navigate_safer.db.reading_rows import ReadingTable

# So many rows go in one transaction, so that intake gets its turn in between.
SLICE_ROWS = 5_000


def export(session: Session, table: ReadingTable, day: date, target: Path) -> Sum:
    """Write every row of a day that the database holds; what was read, as the database sums it.

    On PostgreSQL the transaction must be repeatable read, so that both are of one moment.
    """
    if session.get_bind().dialect.name == "postgresql":
        return _copy_out(session, table, day, target)
    rows = checksum = 0
    with target.open("w", encoding="ascii", newline="\n") as out:
        for values in _sqlite_rows(session, table, day):
            line = ",".join("" if value is None else str(value) for value in values)
            out.write(line + "\n")
            rows, checksum = rows + 1, checksum + parquet.hash_of(line)
    return Sum(rows, str(checksum))


def _copy_out(session: Session, table: ReadingTable, day: date, target: Path) -> Sum:
    columns = ", ".join(_as_whole(each) for each in table.__table__.columns)
    begins, ends = (each.isoformat() for each in bounds(day))
    of_day = (
        f"from {table.__tablename__} where measured_at >= '{begins}' and measured_at < '{ends}'"
    )
    raw: Any = session.connection().connection.driver_connection
    statement = f"copy (select {columns} {of_day}) to stdout (format csv)"
    with raw.cursor() as cursor, cursor.copy(statement) as copy, target.open("wb") as out:
        for chunk in copy:
            out.write(chunk)
    line = ", ".join(f"coalesce(({_as_whole(each)})::text, '')" for each in table.__table__.columns)
    hashed = f"('x' || substr(md5(concat_ws(',', {line})), 1, 15))::bit(60)::bigint"
    query = f"select count(*), sum({hashed}) {of_day}"
    rows, checksum = session.connection().exec_driver_sql(query).one()
    return Sum(rows, str(checksum or 0))


def _as_whole(column: Any) -> str:  # noqa: ANN401 - a column of any type
    """A column on PostgreSQL as the file has it: times and booleans as whole numbers."""
    if isinstance(column.type, Instant):
        return f"(extract(epoch from {column.name}) * 1000000)::bigint"
    return f"{column.name}::integer" if isinstance(column.type, Boolean) else str(column.name)


def _sqlite_rows(session: Session, table: ReadingTable, day: date) -> Iterator[tuple[Any, ...]]:
    """Device by device, since SQLite has no other index than the key."""
    names = ", ".join(table.__table__.columns.keys())
    query = text(
        f"select {names} from {table.__tablename__} where device_id = :device "  # noqa: S608
        "and measured_at >= :begins and measured_at < :ends"
    )
    begins, ends = (micros_of(each) for each in bounds(day))
    for device in session.scalars(select(DeviceRow.id)):
        values = {"device": device, "begins": begins, "ends": ends}
        yield from (tuple(row) for row in session.execute(query, values))


def count(session: Session, table: ReadingTable, day: date) -> int:
    """How many rows of a day are in SQLite's table."""
    query = text(
        # Of a cross join SQLite keeps the order: device by device, by the key.
        f"select count(*) from devices d cross join {table.__tablename__} r "  # noqa: S608
        "on r.device_id = d.id and r.measured_at >= :begins and r.measured_at < :ends"
    )
    begins, ends = (micros_of(each) for each in bounds(day))
    return session.scalar(query, {"begins": begins, "ends": ends}) or 0


def days_of(session: Session, table: ReadingTable, before: date) -> set[date]:
    """Days before ``before`` of which SQLite's table has rows: from each device, day by day."""
    query = text(
        f"select min(measured_at) from {table.__tablename__} "  # noqa: S608
        "where device_id = :device and measured_at >= :begins"
    )
    found: set[date] = set()
    for device in session.scalars(select(DeviceRow.id)):
        begins = -(2**62)
        while True:
            first = session.scalar(query, {"device": device, "begins": begins})
            if first is None or (day := instant_of(first).date()) >= before:
                break
            found.add(day)
            begins = micros_of(bounds(day)[1])
    return found


def delete_keys(session: Session, table: ReadingTable, keys: list[tuple[int, int]]) -> None:
    """Delete rows of SQLite's table by device and stored time in microseconds."""
    statement = text(
        f"delete from {table.__tablename__} "  # noqa: S608 - our own name
        "where device_id = :device and measured_at = :at"
    )
    session.execute(statement, [{"device": device, "at": at} for device, at in keys])
