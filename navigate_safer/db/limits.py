"""How far the database is from every limit that would stop it, and how fast it gets there.

A vendor's service stopped in 49 states when a table passed 2^31 rows. So the ids that are handed
out, the transaction ids of PostgreSQL, the disk and the partitions made ahead are all measured
against their ends. A pace needs two samples: :func:`sample` is called every hour, and what was
never sampled has no forecast rather than a wrong one.
"""

import shutil
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from sqlalchemy import BigInteger, String, delete, inspect, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from navigate_safer.db import archive
from navigate_safer.db.base import Base, UTCDateTime

# A week holds the weekly rhythm of a caseload; older samples say nothing about today's pace.
PACE_SPAN = timedelta(days=7)
# Two samples closer together than this say more about the last minute than about a day.
SHORTEST_SPAN = timedelta(minutes=30)
DAY_S = 86_400.0
# PostgreSQL refuses new transactions some three million before the end of its 32-bit ids
# (its manual, "Preventing Transaction ID Wraparound Failures").
TRANSACTION_IDS = 2**31 - 3_000_000
LARGEST = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}
GIGABYTE = 1_000_000_000
# How the limits that are days made ahead are called: their end is always a fortnight away.
PARTITIONS_OF = "partitions of "
ARCHIVE_DISK = "disk of the archive"


class GrowthRow(Base):
    """A figure that only grows, as it was at ``at``."""

    __tablename__ = "growth_samples"

    name: Mapped[str] = mapped_column(String(120), primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime, primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger)


class Limit(msgspec.Struct, frozen=True):
    """One end: how much is used of how much. ``days`` is None while the pace is not known."""

    name: str
    used: float
    most: float
    days: float | None

    @property
    def is_made_ahead(self) -> bool:
        """Whether it moves on by itself, being made ahead each day: then it is near by design."""
        return self.name.startswith(PARTITIONS_OF)

    @property
    def sort_key(self) -> tuple[float, float]:
        """The nearest first; what has no forecast yet by how much of it is used."""
        share = self.used / self.most if self.most else 0.0
        return (float("inf") if self.days is None else self.days, -share)


class Partitions(msgspec.Struct, frozen=True):
    """Range partitions of one table: how many days ahead they reach, and whether any row missed."""

    table: str
    days_ahead: float
    in_default: int


def used(session: Session) -> dict[str, tuple[int, int]]:
    """Name of each growing figure, with what is used and the most there can be."""
    found = _ids_postgresql(session) if _is_postgresql(session) else _ids_sqlite(session)
    if _is_postgresql(session):
        found["transaction_ids"] = _transaction_ids(session)
    return found


def sample(session: Session, now: datetime) -> None:
    """Note every figure, and forget samples past :data:`PACE_SPAN`."""
    session.execute(delete(GrowthRow).where(GrowthRow.at < now - PACE_SPAN))
    values = {name: value for name, (value, _) in used(session).items()}
    values["disk"] = size_bytes(session)
    values[ARCHIVE_DISK] = archive.held_bytes(session)
    if _is_postgresql(session):
        # Their age falls at each vacuum; the pace is that of the ids handed out.
        values["transaction_ids"] = session.scalar(
            text("select pg_current_xact_id()::text::bigint")
        )
    for name, value in values.items():
        session.merge(GrowthRow(name=name, at=now, value=value))


def paces(session: Session, now: datetime) -> dict[str, float]:
    """Growth of each figure a day, from the oldest sample to the newest."""
    rows: dict[str, list[tuple[datetime, int]]] = {}
    query = select(GrowthRow).where(GrowthRow.at > now - PACE_SPAN).order_by(GrowthRow.at)
    for row in session.scalars(query):
        rows.setdefault(row.name, []).append((row.at, row.value))
    found = {}
    for name, samples in rows.items():
        (first_at, first), (last_at, last) = samples[0], samples[-1]
        if last_at - first_at >= SHORTEST_SPAN:
            found[name] = max(0, last - first) / ((last_at - first_at).total_seconds() / DAY_S)
    return found


def limits(
    session: Session,
    now: datetime,
    disk_bytes: int = 0,
    parts: Sequence[Partitions] | None = None,
) -> list[Limit]:
    """Every limit; ``disk_bytes`` is the size of the database's disk where it cannot be read.

    ``parts`` are the partitions where the caller has read them already.
    """
    pace = paces(session, now)
    found = [
        Limit(name, value, most, _days(most - value, pace.get(name)))
        for name, (value, most) in used(session).items()
    ]
    disk = _disk(session, disk_bytes)
    if disk is not None:
        taken, whole = disk
        found.append(Limit("disk", taken, whole, _days(whole - taken, pace.get("disk"))))
    kept = archive.disk(session)
    if kept is not None:
        taken, whole = kept
        days = _days(whole - taken, pace.get(ARCHIVE_DISK))
        found.append(Limit(ARCHIVE_DISK, taken, whole, days))
    found += [
        Limit(f"{PARTITIONS_OF}{each.table}", 0, each.days_ahead, each.days_ahead)
        for each in (partitions(session, now) if parts is None else parts)
    ]
    return found


def _days(left: float, pace: float | None) -> float | None:
    if left <= 0:
        return 0.0
    if pace is None:
        return None
    return left / pace if pace else float("inf")


def size_bytes(session: Session) -> int:
    """What the database takes on its disk."""
    if _is_postgresql(session):
        return session.scalar(text("select pg_database_size(current_database())")) or 0
    pages = session.scalar(text("pragma page_count")) or 0
    return int(pages * (session.scalar(text("pragma page_size")) or 0))


def _disk(session: Session, disk_bytes: int) -> tuple[int, int] | None:
    """(used, whole) bytes of the disk; None for a database elsewhere whose disk was not stated."""
    if disk_bytes:
        return size_bytes(session), disk_bytes
    if _is_postgresql(session):
        # Says nothing unless our account may read it; and then only on the database's own machine.
        query = "select setting from pg_settings where name = 'data_directory'"
        where = session.scalar(text(query))
    else:
        where = session.scalar(text("select file from pragma_database_list where name = 'main'"))
    try:
        found = shutil.disk_usage(Path(where).parent) if where else None
    except OSError:
        return None
    return None if found is None else (found.used, found.used + found.free)


# An id must fit its own column and every column that refers to it.
_IDS = text("""
    select s.relname, coalesce(q.last_value, 0), least(q.max_value, min(case t.typname
        when 'int2' then 32767 when 'int4' then 2147483647 else 9223372036854775807 end))
    from pg_class s
    join pg_namespace n on n.oid = s.relnamespace and n.nspname = current_schema()
    join pg_sequences q on q.schemaname = n.nspname and q.sequencename = s.relname
    join pg_depend d on d.objid = s.oid and d.deptype in ('a', 'i') and d.refobjsubid > 0
    left join pg_constraint c
        on c.contype = 'f' and c.confrelid = d.refobjid and d.refobjsubid = any (c.confkey)
    join pg_attribute a on (a.attrelid = d.refobjid and a.attnum = d.refobjsubid)
        or (a.attrelid = c.conrelid
            and a.attnum = c.conkey[array_position(c.confkey, d.refobjsubid::smallint)])
    join pg_type t on t.oid = a.atttypid
    where s.relkind = 'S' group by 1, 2, q.max_value
""")


def _ids_postgresql(session: Session) -> dict[str, tuple[int, int]]:
    return {name: (int(last), int(most)) for name, last, most in session.execute(_IDS)}


def _ids_sqlite(session: Session) -> dict[str, tuple[int, int]]:
    """SQLite's own ids and integers are 64 bits wide, whatever a column is called."""
    look = inspect(session.connection())
    found = {}
    for table in look.get_table_names():
        key = look.get_pk_constraint(table)["constrained_columns"]
        if key == ["id"] and str(look.get_columns(table)[0]["type"]) == "INTEGER":
            last = session.scalar(text(f'select max(id) from "{table}"'))  # noqa: S608 - our tables
            found[f"{table}_id_seq"] = (int(last or 0), LARGEST["bigint"])
    return found


def _transaction_ids(session: Session) -> tuple[int, int]:
    age = session.scalar(text("select max(age(datfrozenxid)) from pg_database"))
    return int(age or 0), TRANSACTION_IDS


# Hundreds of days are told apart by the server, which has them at hand: asked for one by one, 300
# of them took sixteen times as long.
_PARTITIONS = text(r"""
    select parent, max(cast(substring(bound from 'TO \(''(.*)''\)') as timestamptz)),
        max(part) filter (where bound = 'DEFAULT')
    from (
        select p.relname as parent, c.oid::regclass::text as part,
            pg_get_expr(c.relpartbound, c.oid) as bound
        from pg_partitioned_table t
        join pg_class p on p.oid = t.partrelid
        join pg_namespace n on n.oid = p.relnamespace and n.nspname = current_schema()
        join pg_inherits i on i.inhparent = p.oid
        join pg_class c on c.oid = i.inhrelid
        where t.partstrat = 'r'
    ) as bounds
    group by parent order by parent
""")


def partitions(session: Session, now: datetime) -> list[Partitions]:
    """Every table that is partitioned by time; none on SQLite."""
    if not _is_postgresql(session):
        return []
    return [
        Partitions(table, _ahead(end, now), 0 if rest is None else _rows_in(session, rest))
        for table, end, rest in session.execute(_PARTITIONS).all()
    ]


def _rows_in(session: Session, part: str) -> int:
    """How many rows a partition has, up to ten thousand."""
    query = f"select count(*) from (select 1 from {part} limit 10000) as any_row"  # noqa: S608
    return session.scalar(text(query)) or 0


def _ahead(end: datetime | None, now: datetime) -> float:
    return 0.0 if end is None else max(0.0, (end - now).total_seconds() / DAY_S)


def _is_postgresql(session: Session) -> bool:
    return session.connection().dialect.name == "postgresql"
