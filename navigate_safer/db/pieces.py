"""Pieces of a hot day of fixes on PostgreSQL, and how each is sorted as soon as it is over.

In the order of arrival a device's day lies on as many pages as it has fixes: 5,760 of them at one
in 15 s, which a disk takes half a second to find. So the days being written are in pieces of
:data:`PIECE_HOURS`, and a piece that is over is rewritten by device and time, with its key, which
then takes 28 bytes a fix instead of the 43 that thousands of devices writing in turn leave behind.
What comes later still goes straight into the piece, and its key still refuses a repeat.

While a piece is rewritten a trigger notes what comes meanwhile, so that the exchange has only that
to add, and nobody waits longer than :data:`navigate_safer.db.partitions.LOCK_TIMEOUT_MS` for it.
"""

import re
from datetime import UTC, date, datetime, time, timedelta

import msgspec
from sqlalchemy import text
from sqlalchemy.orm import Session

from navigate_safer.db import partitions
from navigate_safer.db.parquet import Sum
from navigate_safer.db.partitions import SCHEMA, name_of, run
from navigate_safer.db.reading_rows import FixRow, ReadingTable

# Each piece is one more table to look into; so many that of a day's fixes one in eight, and those
# of the last quarter of an hour before it was sorted, lie scattered.
PIECE_HOURS = 3
# Most of what a network holds back for a while has come by then.
SORT_AFTER = timedelta(minutes=15)
# A smaller piece is not worth it.
LEAST_BYTES = 1_000_000
# It is sorted again when it has grown by a fiftieth since: each late fix may split a full page of
# its key.
GROWN = 0.02
# More than this that came while it was sorted would hold intake up; it is sorted again later.
MOST_MEANWHILE = 20_000
_NAME = re.compile(r"_(\d{4})(\d\d)(\d\d)_(\d\d)$")
_SORTED = "sorted at "


class TooMuchCame(Exception):
    """More readings came while a piece was sorted than can be added in a moment."""


class Piece(msgspec.Struct, frozen=True):
    """A piece of a day: its table without the schema, and the span of its times."""

    table: str
    day: date
    begins: datetime

    @property
    def ends(self) -> datetime:
        """Where the next begins."""
        return self.begins + timedelta(hours=PIECE_HOURS)

    @property
    def name(self) -> str:
        """The table with its schema."""
        return f"{SCHEMA}.{self.table}"

    @property
    def copy(self) -> str:
        """The sorted one beside it."""
        return f"{self.name}_sorted"


def make_pieces(session: Session, table: ReadingTable, day: date) -> None:
    """Make the table of a hot day in pieces, not yet a partition."""
    name = name_of(table, day)
    run(session, f"create table {name} (like {table.__tablename__}) "
                 "partition by range (measured_at)")  # fmt: skip
    for piece in of_day(table, day):
        run(session, f"create table {piece.name} partition of {name} {_values(piece)}")
        partitions.make_hot(session, piece.name)


def of_day(table: ReadingTable, day: date) -> list[Piece]:
    """All pieces of a day, in order."""
    whole = name_of(table, day).removeprefix(f"{SCHEMA}.")
    return [
        Piece(f"{whole}_{hour:02}", day, datetime.combine(day, time(hour), UTC))
        for hour in range(0, 24, PIECE_HOURS)
    ]


def cut(session: Session, table: ReadingTable, day: date) -> bool:
    """Put pieces in the place of a whole partition that is still empty; whether it was.

    Raises OperationalError where a lock is not to be had at once.
    """
    name = name_of(table, day)
    kind = text("select relkind = 'r' from pg_class where oid = to_regclass(:name)")
    if not session.scalar(kind, {"name": name}) or _holds_any(session, name):
        return False
    partitions.be_brief(session)
    # The same lock as dropping it will take, so that nothing comes between.
    run(session, f"lock table {table.__tablename__} in access exclusive mode")
    if _holds_any(session, name):
        return False
    partitions.drop_day(session, table, day)
    partitions.make_day(session, table, day, make_pieces)
    return True


def _holds_any(session: Session, name: str) -> bool:
    return bool(session.scalar(text(f"select exists (select from {name})")))


_ALL = text(f"""
    select c.relname, pg_relation_size(c.oid), obj_description(c.oid, 'pg_class')
    from pg_inherits d
    join pg_class p on p.oid = d.inhrelid and p.relkind = 'p'
    join pg_inherits h on h.inhparent = p.oid
    join pg_class c on c.oid = h.inhrelid
    where d.inhparent = cast('{FixRow.__tablename__}' as regclass)
    order by 1
""")


def to_sort(session: Session, now: datetime, least_bytes: int = LEAST_BYTES) -> list[Piece]:
    """Pieces that are over and not sorted, or of which much came since; the oldest first."""
    found = []
    for table, size, note in session.execute(_ALL):
        match = _NAME.search(table)
        if match is None or size <= least_bytes:
            continue
        year, month, day, hour = map(int, match.groups())
        piece = Piece(table, date(year, month, day), datetime(year, month, day, hour, tzinfo=UTC))
        was = int(note.removeprefix(_SORTED)) if note and note.startswith(_SORTED) else 0
        if piece.ends + SORT_AFTER <= now and size > was * (1 + GROWN):
            found.append(piece)
    return found


def watch(session: Session, piece: Piece) -> None:
    """From the end of this transaction on, what comes into a piece is noted.

    Raises OperationalError where a lock is not to be had at once.
    """
    partitions.be_brief(session)
    # Waits for those who are writing into it: what they wrote is seen by whoever sorts next, and
    # so is what an earlier watch noted.
    run(session, f"create or replace trigger noted before insert on {piece.name} "
                 f"for each row execute function {SCHEMA}.note_arrival()")  # fmt: skip
    run(session, f"delete from {_came(piece)}")


def sort(session: Session, piece: Piece) -> tuple[Sum, Sum]:
    """Make a sorted copy beside a piece that is watched; what each of the two holds.

    The session's transaction must be repeatable read.
    """
    span = (piece.begins, piece.ends)
    partitions.write_sorted(session, FixRow, piece.name, piece.copy, span)
    partitions.add_key(session, piece.copy)
    run(session, f"analyze {piece.copy}")
    size = session.scalar(text(f"select pg_relation_size('{piece.copy}')"))
    run(session, f"comment on table {piece.copy} is '{_SORTED}{size}'")
    return partitions.sum_of(session, piece.name), partitions.sum_of(session, piece.copy)


def exchange(session: Session, piece: Piece, most_meanwhile: int = MOST_MEANWHILE) -> None:
    """Put the sorted copy, with what came meanwhile, in the place of the piece.

    Raises OperationalError where a lock is not to be had at once, and TooMuchCame.
    """
    partitions.be_brief(session)
    whole = name_of(FixRow, piece.day)
    # The day before its piece, as whoever inserts takes them.
    run(session, f"lock table only {whole} in access exclusive mode")
    run(session, f"lock table {piece.name} in access exclusive mode")
    came = _came(piece)
    if (session.scalar(text(f"select count(*) from {came}")) or 0) > most_meanwhile:
        raise TooMuchCame
    run(session, f"insert into {piece.copy} select p.* from {piece.name} p "
                 f"join (select distinct device_id, measured_at from {came}) c "
                 "using (device_id, measured_at) where not exists (select from "
                 f"{piece.copy} s where s.device_id = p.device_id "
                 "and s.measured_at = p.measured_at)")  # fmt: skip
    run(session, f"delete from {came}")
    run(session, f"alter table {whole} detach partition {piece.name}")
    run(session, f"drop table {piece.name}")
    run(session, f"alter table {piece.copy} rename to {piece.table}")
    run(session, f"alter table {whole} attach partition {piece.name} {_values(piece)}")
    run(session, f"alter table {piece.name} reset (autovacuum_enabled)")
    run(session, f"alter table {piece.name} set ({partitions.VACUUM})")


def drop_copy(session: Session, piece: Piece) -> None:
    """Drop a sorted copy that was not put into place, and note nothing any more."""
    partitions.be_brief(session)
    run(session, f"drop table if exists {piece.copy}")
    run(session, f"drop trigger if exists noted on {piece.name}")
    run(session, f"delete from {_came(piece)}")


_LEFT = text(f"""
    select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = '{SCHEMA}' and c.relkind = 'r'
      and c.relname ~ '_[0-9]{{8}}_[0-9]{{2}}_sorted$'
""")


def drop_left_over(session: Session) -> int:
    """Drop what a sorting that was cut off left behind; how many copies that were."""
    names = session.scalars(_LEFT).all()
    for name in names:
        run(session, f"drop table {SCHEMA}.{name}")
    run(session, f"delete from {SCHEMA}.came_meanwhile w "
                 "where not exists (select from pg_class c where c.oid = w.piece)")  # fmt: skip
    return len(names)


def _came(piece: Piece) -> str:
    return f"{SCHEMA}.came_meanwhile where piece = '{piece.name}'::regclass"


def _values(piece: Piece) -> str:
    return f"for values from ('{piece.begins.isoformat()}') to ('{piece.ends.isoformat()}')"
