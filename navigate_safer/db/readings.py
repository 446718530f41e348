"""The queries of intake and of judgement over stored readings."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, func, insert, literal, select, tuple_
from sqlalchemy.orm import Session

from devices.quality import Doubt
from devices.readings import Reading, content
from navigate_safer.db import archive, days, device_rows, packed, parquet
from navigate_safer.db.reading_rows import READING_TABLES, ReadingTable
from navigate_safer.db.reading_values import TABLES, Columns, columns_of, reading_of

Key = tuple[int, datetime]
Content = tuple[float | int | str, ...]
Wanted = tuple[int, Reading, Doubt]
# Rows looked up in one statement; SQLite takes 32,766 parameters, two of them a key.
_KEYS_AT_ONCE = 500


class Stored:
    """How many of a batch were new and how many were there already."""

    def __init__(self) -> None:
        self.new: list[tuple[int, Reading]] = []
        self.repeated = 0


def store(session: Session, readings: Iterable[Wanted]) -> Stored:
    """Insert readings given with their device's id; a repeat changes nothing.

    Raises IntegrityError where another transaction stored the same key meanwhile, or where a day
    was closed meanwhile: the caller rolls back and does the batch again. Raises ArchiveUnreadable
    for readings of an archived day whose file is not there to compare them with.
    """
    stored = Stored()
    by_table: dict[ReadingTable, list[Wanted]] = {}
    for device_id, reading, doubt in readings:
        by_table.setdefault(TABLES[type(reading)], []).append((device_id, reading, doubt))
    # In one order, so that two workers that meet on closed days wait and do not deadlock.
    for table in (each for each in READING_TABLES if each in by_table):
        wanted = by_table[table]
        past = days.states(session, table, {_day(reading) for _, reading, _ in wanted})
        hot = [each for each in wanted if _day(each[1]) not in past]
        _insert(session, table, _new_rows(hot, _known_contents(session, table, hot), stored))
        for day in sorted(past):
            late = [each for each in wanted if _day(each[1]) == day]
            _store_late(session, table, day, late, stored)
    return stored


def _store_late(
    session: Session, table: ReadingTable, day: date, wanted: Sequence[Wanted], stored: Stored
) -> None:
    """Into a day that has no unique index any more: looked for first, by one at a time."""
    days.lock_day(session, table, day)
    rows = _new_rows(wanted, _known_in_day(session, table, wanted), stored)
    if rows:
        days.allow_late(session, allowed=True)
        _insert(session, table, rows)
        days.allow_late(session, allowed=False)
        days.came_late(session, table, day, len(rows))


def _day(reading: Reading) -> date:
    return days.day_of(reading.stamp.measured_at)


def _insert(session: Session, table: ReadingTable, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        # Not through the ORM, which takes as long again to look at each row.
        session.connection().execute(insert(table), rows)


def _new_rows(
    wanted: Sequence[Wanted], known: dict[Key, list[Content]], stored: Stored
) -> list[dict[str, Any]]:
    rows = []
    for device_id, reading, doubt in wanted:
        contents = known.setdefault((device_id, reading.stamp.measured_at), [])
        if content(reading) in contents:
            stored.repeated += 1
            continue
        rows.append(columns_of(device_id, reading, doubt, len(contents)))
        contents.append(content(reading))
        stored.new.append((device_id, reading))
    return rows


def _known_in_day(
    session: Session, table: ReadingTable, wanted: Sequence[Wanted]
) -> dict[Key, list[Content]]:
    """What is stored for each measured time, found device by device over the span it needs."""
    times: dict[int, list[datetime]] = {}
    for device_id, reading, _ in wanted:
        times.setdefault(device_id, []).append(reading.stamp.measured_at)
    known: dict[Key, list[Content]] = {}
    for device_id, ats in times.items():
        ends = packed.after_bound(max(ats))
        for row in rows_between(session, (table,), device_id, min(ats), ends)[table]:
            key = (device_id, packed.on_millisecond(row.measured_at))
            known.setdefault(key, []).append(content(reading_of(table, "", row)))
    return known


def _known_contents(
    session: Session, table: ReadingTable, wanted: Sequence[Wanted]
) -> dict[Key, list[Content]]:
    """What is stored for each measured time, in the order of the variants.

    Variants have no gap, so the next is only looked for where there was one before: hardly ever.
    """
    known: dict[Key, list[Content]] = {}
    left = sorted({(device_id, each.stamp.measured_at) for device_id, each, _ in wanted})
    variant = 0
    while left:
        found = []
        for begin in range(0, len(left), _KEYS_AT_ONCE):
            part = left[begin : begin + _KEYS_AT_ONCE]
            stored = [(device_id, packed.with_variant(at, variant)) for device_id, at in part]
            columns, ats = tuple_(table.device_id, table.measured_at), [at for _, at in stored]
            # The span as well, so that a server need not look into each day for each key.
            span = table.measured_at.between(min(ats), max(ats))
            for row in session.execute(select(table.__table__).where(columns.in_(stored), span)):
                key = (row.device_id, packed.on_millisecond(row.measured_at))
                known.setdefault(key, []).append(content(reading_of(table, "", row)))
                found.append(key)
        left, variant = sorted(found), variant + 1
    return known


def between(
    session: Session,
    device_id: int,
    device: str,
    after: datetime | None,
    until: datetime | None,
    *,
    from_at: datetime | None = None,
) -> list[Reading]:
    """Readings of a device with ``after < measured_at < until`` (and not before ``from_at``)."""
    begins = [packed.from_bound(from_at)] if from_at is not None else []
    begins += [packed.after_bound(after)] if after is not None else []
    ends = None if until is None else packed.from_bound(until)
    rows = rows_between(session, READING_TABLES, device_id, max(begins, default=None), ends)
    return [reading_of(table, device, row) for table in rows for row in rows[table]]


def rows_between(
    session: Session,
    tables: Sequence[ReadingTable],
    device_id: int,
    begins: datetime | None,
    ends: datetime | None,
) -> dict[ReadingTable, list[Columns]]:
    """Rows of one device with ``begins <= stored time < ends``, of any age, in no order.

    Raises ArchiveUnreadable where an archived day among them cannot be read.
    """
    found = {table: device_rows.rows(session, table, device_id, begins, ends) for table in tables}
    # The archive after the table: a day that moves between the two looks is found twice, not never.
    files = archive.files_between(session, begins, ends)
    for table in tables:
        kept = files.get(table.__tablename__, [])
        archived = parquet.rows_of(table, kept, device_id, begins, ends)
        found[table] = archive.together(found[table], archived)
    return found


def _from(table: ReadingTable) -> ColumnElement[bool]:
    begins = bindparam("begins", type_=table.measured_at.type)
    return and_(table.device_id == bindparam("device"), table.measured_at >= begins)


# All tables in one, and put together once: the monitor asks both for each device that it judges.
_EARLIEST = select(
    *(
        select(func.min(table.measured_at)).where(_from(table)).scalar_subquery()
        for table in READING_TABLES
    )
)
_HOW_MANY = select(
    sum(
        (
            select(func.count())
            .select_from(
                select(table.device_id).where(_from(table)).limit(bindparam("enough")).subquery()
            )
            .scalar_subquery()
            for table in READING_TABLES
        ),
        start=literal(0),
    )
)


def first_from(session: Session, device_id: int, from_at: datetime) -> datetime | None:
    """The earliest measured time of a device at or after an instant, in archived days too."""
    begins = packed.from_bound(from_at)
    asked = {"device": device_id, "begins": begins}
    found = list[datetime | None](session.connection().execute(_EARLIEST, asked).one())
    # The archive after the tables, day by day: the first that has one has the earliest.
    files = archive.files_between(session, begins, None)
    for table in READING_TABLES:
        for file in files.get(table.__tablename__, []):
            rows = parquet.rows_of(table, [file], device_id, begins, None)
            if rows:
                found.append(min(row.measured_at for row in rows))
                break
    return min((packed.on_millisecond(at) for at in found if at is not None), default=None)


def more_than(session: Session, device_id: int, from_at: datetime, most: int) -> bool:
    """Whether a device has more readings than ``most`` measured from ``from_at`` on.

    Looks at no more of them than it needs, and at none that are archived.
    """
    asked = {"device": device_id, "begins": packed.from_bound(from_at), "enough": most + 1}
    return int(session.connection().execute(_HOW_MANY, asked).scalar_one()) > most
