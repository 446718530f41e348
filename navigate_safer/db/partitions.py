"""Day partitions of the reading tables on PostgreSQL: made, guarded, sorted, exchanged, dropped.

A partition holds one UTC day of one table and is ``days.<table>_<yyyymmdd>``. While it is hot it
has the key (device, time) as a unique index. Closed, it is sorted by the key and has block range
indexes only, which is a third smaller and reads one device's day from a few neighbouring pages.
While it is hot it may be in pieces: see :mod:`navigate_safer.db.pieces`. What belongs to no
partition is in ``days.<table>_rest``, so that nothing is ever refused.

No change of the tables waits longer for its locks than :data:`LOCK_TIMEOUT_MS`: behind a change
that waits for a long reader, intake would wait too. Whoever calls tries again later.
"""

import re
from collections.abc import Callable
from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from navigate_safer.db.days import bounds, lock_day
from navigate_safer.db.parquet import Sum
from navigate_safer.db.reading_rows import ReadingTable

LOCK_TIMEOUT_MS = 100
SCHEMA = "days"
# Pages for each entry of a block range index. Arrival order is time order, so coarse is enough
# while a day is hot; sorted by device, four pages are two hours of one device at a fix per 15 s.
HOT_PAGES, DEVICE_PAGES, PLACE_PAGES = 32, 8, 4
SORT_MEMORY = "256MB"
# Nothing in a day's partition is ever updated: vacuum only has to freeze, and does so in shares.
VACUUM = (
    "autovacuum_vacuum_insert_threshold = 1000000, autovacuum_vacuum_insert_scale_factor = 0.2, "
    "autovacuum_analyze_threshold = 100000, autovacuum_analyze_scale_factor = 0.2"
)
_NAME = re.compile(r"_(\d{4})(\d\d)(\d\d)$")


def name_of(table: ReadingTable, day: date) -> str:
    """The partition's name with its schema."""
    return f"{SCHEMA}.{table.__tablename__}_{day:%Y%m%d}"


def was_locked(fault: OperationalError) -> bool:
    """Whether a step failed only because somebody was at work on the table: try again later."""
    # lock_not_available and deadlock_detected
    return getattr(fault.orig, "sqlstate", None) in ("55P03", "40P01")


def was_full(fault: OperationalError) -> bool:
    """Whether a step failed only because the database's disk has no room for it."""
    return getattr(fault.orig, "sqlstate", None) == "53100"


def be_brief(session: Session) -> None:
    """Give up on a lock after a moment, in this transaction."""
    run(session, f"set local lock_timeout = {LOCK_TIMEOUT_MS}")


def made_days(session: Session, table: ReadingTable) -> set[date]:
    """Days that have a partition."""
    query = text(
        "select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid "
        "where i.inhparent = cast(:parent as regclass)"
    )
    names = session.scalars(query, {"parent": table.__tablename__})
    found = (_NAME.search(name) for name in names)
    return {date(*map(int, match.groups())) for match in found if match}


def days_in_rest(session: Session, table: ReadingTable) -> dict[date, int]:
    """Days of readings that have no partition, with how many there are."""
    query = (
        "select (measured_at at time zone 'UTC')::date, count(*) "
        f"from {_rest(table)} group by 1 order by 1"
    )
    return {day: count for day, count in session.execute(text(query))}  # noqa: C416


def make_whole(session: Session, table: ReadingTable, day: date) -> None:
    """Make the table of a hot day in one piece, not yet a partition."""
    name = name_of(table, day)
    run(session, f"create table {name} (like {table.__tablename__})")
    make_hot(session, name)


def make_hot(session: Session, name: str) -> None:
    """Give a table what it needs while readings come: the key, and times by block range."""
    add_key(session, name)
    run(session, f"create index on {name} using brin (measured_at) "
                 f"with (pages_per_range = {HOT_PAGES}, autosummarize = on)")  # fmt: skip
    run(session, f"alter table {name} set ({VACUUM})")


def add_key(session: Session, name: str) -> None:
    """Give a table its key, in full pages: each device's times go up, and PostgreSQL splits such
    pages at their end.
    """
    run(session, f"alter table {name} add primary key (device_id, measured_at) "
                 "with (fillfactor = 100)")  # fmt: skip


Make = Callable[[Session, ReadingTable, date], None]


def make_day(session: Session, table: ReadingTable, day: date, make: Make = make_whole) -> int:
    """Make a hot partition, with what of its day is in the rest; how many rows that were.

    Raises OperationalError (see :func:`was_locked`) where a lock is not to be had at once.
    """
    be_brief(session)
    name, rest = name_of(table, day), _rest(table)
    make(session, table, day)
    run(session, f"lock table {rest} in access exclusive mode")
    where = _between(day)
    run(session, f"insert into {name} select * from {rest} where {where}")
    moved = run(session, f"delete from {rest} where {where}")
    _attach(session, table, day)
    return moved


def guard(session: Session, table: ReadingTable, day: date) -> None:
    """From now on nothing gets into the day that was not looked for there first."""
    be_brief(session)
    name = name_of(table, day)
    _guard(session, name)
    # A vacuum that begins now would be in the way of the exchange, and vacuum what is to go.
    for leaf in leaves(session, name):
        run(session, f"alter table {leaf} set (autovacuum_enabled = off)")


def sort_copy(session: Session, table: ReadingTable, day: date) -> tuple[Sum, Sum]:
    """Make a sorted copy beside a day's partition; what each of the two holds.

    The session's transaction must be repeatable read, so that both are of one moment. What an
    earlier copy left behind is dropped.
    """
    name, copy = name_of(table, day), _copy(table, day)
    write_sorted(session, table, name, copy, bounds(day))
    run(session, f"create index on {copy} using brin (device_id) "
                 f"with (pages_per_range = {DEVICE_PAGES})")  # fmt: skip
    _guard(session, copy)
    run(session, f"analyze {copy}")
    return sum_of(session, name), sum_of(session, copy)


def write_sorted(
    session: Session,
    table: ReadingTable,
    name: str,
    copy: str,
    span: tuple[datetime, datetime],
) -> None:
    """Write what a table holds of a span into a new one, by device and time, without a key.

    With an index of places by block range. An earlier copy is dropped.
    """
    begins, ends = span
    run(session, f"set local work_mem = '{SORT_MEMORY}'")
    run(session, f"drop table if exists {copy}")
    run(session, f"create table {copy} as select * from {name} order by device_id, measured_at")
    required = [each.name for each in table.__table__.columns if not each.nullable]
    never_null = ", ".join(f"alter column {each} set not null" for each in required)
    check = f"check (measured_at >= '{begins.isoformat()}' and measured_at < '{ends.isoformat()}')"
    run(session, f"alter table {copy} set (autovacuum_enabled = off)")
    # With the check it can be attached without being read once more under a lock.
    run(session, f"alter table {copy} {never_null}, add constraint day {check}")
    place = ["measured_at", *(each for each in ("lat_e7", "lon_e7") if hasattr(table, each))]
    run(session, f"create index on {copy} using brin ({', '.join(place)}) "
                 f"with (pages_per_range = {PLACE_PAGES}, autosummarize = on)")  # fmt: skip


def exchange(session: Session, table: ReadingTable, day: date, *, came_meanwhile: bool) -> int:
    """Put the sorted copy in the place of the partition; how many rows the day now has.

    ``came_meanwhile`` says that readings were added after the copy was begun: those are copied
    too. Raises OperationalError where a lock is not to be had at once.
    """
    be_brief(session)
    lock_day(session, table, day)
    parent, name, copy = table.__tablename__, name_of(table, day), _copy(table, day)
    if came_meanwhile:
        run(session, "set local navigate_safer.checked = 'yes'")
        run(session, f"insert into {copy} select * from {name} h where not exists "
                      f"(select from {copy} s where s.device_id = h.device_id "
                      "and s.measured_at = h.measured_at)")  # fmt: skip
    rows = count(session, table, day)
    if came_meanwhile and session.scalar(text(f"select count(*) from {copy}")) != rows:
        raise RuntimeError(f"the sorted copy of {name} does not hold what the day holds")
    run(session, f"lock table {parent} in access exclusive mode")
    run(session, f"alter table {parent} detach partition {name}")
    run(session, f"drop table {name}")
    run(session, f"alter table {copy} rename to {name.removeprefix(SCHEMA + '.')}")
    _attach(session, table, day)
    run(session, f"alter table {name} reset (autovacuum_enabled)")
    run(session, f"alter table {name} set ({VACUUM})")
    return rows


def drop_copy(session: Session, table: ReadingTable, day: date) -> None:
    """Drop a sorted copy that was not put into place."""
    run(session, f"drop table if exists {_copy(table, day)}")


def drop_day(session: Session, table: ReadingTable, day: date) -> None:
    """Drop a day's partition with everything in it."""
    be_brief(session)
    name = name_of(table, day)
    run(session, f"lock table {table.__tablename__} in access exclusive mode")
    run(session, f"alter table {table.__tablename__} detach partition {name}")
    run(session, f"drop table {name}")


def empty_rest(session: Session, table: ReadingTable, day: date) -> int:
    """Delete a day's readings from the rest; how many there were."""
    return run(session, f"delete from {_rest(table)} where {_between(day)}")


def count(session: Session, table: ReadingTable, day: date) -> int:
    """How many rows a day's partition has."""
    return session.scalar(text(f"select count(*) from {name_of(table, day)}")) or 0


def bytes_of(session: Session, table: ReadingTable, day: date) -> int:
    """Bytes on disk of a day's partition with its indexes."""
    query = text(
        "select sum(pg_total_relation_size(relid)) from pg_partition_tree(cast(:name as regclass))"
    )
    return int(session.scalar(query, {"name": name_of(table, day)}) or 0)


def leaves(session: Session, name: str) -> list[str]:
    """The tables that hold the rows of a partition: itself, or its pieces."""
    query = text(
        "select cast(relid as regclass)::text from pg_partition_tree(cast(:name as regclass)) "
        "where isleaf order by 1"
    )
    return list(session.scalars(query, {"name": name}))


def _attach(session: Session, table: ReadingTable, day: date) -> None:
    begins, ends = (each.isoformat() for each in bounds(day))
    run(session, f"alter table {table.__tablename__} attach partition {name_of(table, day)} "
                  f"for values from ('{begins}') to ('{ends}')")  # fmt: skip


def _guard(session: Session, name: str) -> None:
    run(session, f"create or replace trigger checked before insert on {name} "
                  f"for each row execute function {SCHEMA}.refuse_unchecked()")  # fmt: skip


def sum_of(session: Session, name: str) -> Sum:
    """Rows of a partition, and a sum over a hash of each that does not depend on their order."""
    query = f"select count(*), sum(hash_record_extended(r, 0)::numeric) from {name} r"
    rows, checksum = session.execute(text(query)).one()
    return Sum(rows, str(checksum or 0))


def _rest(table: ReadingTable) -> str:
    return f"{SCHEMA}.{table.__tablename__}_rest"


def _copy(table: ReadingTable, day: date) -> str:
    return f"{name_of(table, day)}_sorted"


def _between(day: date) -> str:
    begins, ends = bounds(day)
    return f"measured_at >= '{begins.isoformat()}' and measured_at < '{ends.isoformat()}'"


def run(session: Session, statement: str) -> int:
    """Run a statement made of our own names and nothing else; how many rows it touched."""
    return max(session.connection().exec_driver_sql(statement).rowcount, 0)
