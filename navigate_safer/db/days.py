"""How far each day of each reading table has come, and the lock under which it moves on."""

import zlib
from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from navigate_safer.db.reading_rows import ReadingDayRow, ReadingTable

ONE_DAY = timedelta(days=1)


class DayState(Enum):
    """Where a day stands. A day without a row is hot: it takes readings and has its key.

    ``CLOSING`` and ``CLOSED`` days (PostgreSQL only) take a reading only after it was looked for;
    ``ARCHIVED`` days are in Parquet; while ``EMPTYING`` (SQLite only) their rows are still being
    deleted from the table too. Of ``ERASED`` days only the row is left.
    """

    CLOSING = "closing"
    CLOSED = "closed"
    EMPTYING = "emptying"
    ARCHIVED = "archived"
    ERASED = "erased"


def day_of(at: datetime) -> date:
    """The UTC day that a time belongs to."""
    return at.astimezone(UTC).date()


def bounds(day: date) -> tuple[datetime, datetime]:
    """Where a day begins, and where the next does."""
    begins = datetime.combine(day, time(), UTC)
    return begins, begins + ONE_DAY


IN_FILES = (DayState.EMPTYING, DayState.ARCHIVED)


def closed_days(session: Session, kind: str | None = None) -> set[date]:
    """Days whose readings must go through ``readings.store``: a plain insert would be refused.

    Of all kinds unless one, such as ``fixes``, is named. May be kept at hand: a day that closes
    meanwhile refuses a plain insert as a unique index would.
    """
    query = select(ReadingDayRow.day)
    if kind is not None:
        query = query.where(ReadingDayRow.kind == kind)
    return set(session.scalars(query.distinct()))


def states(session: Session, table: ReadingTable, days: Collection[date]) -> dict[date, DayState]:
    """The state of those of the days that are no longer hot."""
    rows = session.execute(
        select(ReadingDayRow.day, ReadingDayRow.state).where(
            ReadingDayRow.kind == table.__tablename__, ReadingDayRow.day.in_(days)
        )
    )
    return {day: DayState(state) for day, state in rows}


def get(session: Session, table: ReadingTable, day: date) -> ReadingDayRow | None:
    """The row of one day, as it is now in the database."""
    key = (day, table.__tablename__)
    return session.get(ReadingDayRow, key, populate_existing=True)


def put(
    session: Session, table: ReadingTable, day: date, state: DayState, now: datetime
) -> ReadingDayRow:
    """Set the state of a day."""
    row = get(session, table, day)
    if row is None:
        row = ReadingDayRow(day=day, kind=table.__tablename__, late_rows=0)
        session.add(row)
    row.state, row.changed_at = state.value, now
    return row


def in_state(session: Session, table: ReadingTable, *wanted: DayState) -> list[ReadingDayRow]:
    """Rows of days in one of the states, the oldest day first."""
    query = (
        select(ReadingDayRow)
        .where(
            ReadingDayRow.kind == table.__tablename__,
            ReadingDayRow.state.in_([each.value for each in wanted]),
        )
        .order_by(ReadingDayRow.day)
    )
    return list(session.scalars(query))


def came_late(session: Session, table: ReadingTable, day: date, rows: int) -> None:
    """Note that readings were added to a day after it was closed: it must be sorted again."""
    session.execute(
        update(ReadingDayRow)
        .where(ReadingDayRow.day == day, ReadingDayRow.kind == table.__tablename__)
        .values(late_rows=ReadingDayRow.late_rows + rows)
    )


def lock_day(session: Session, table: ReadingTable, day: date) -> None:
    """Until the end of the transaction nobody else adds to this day or moves it on.

    On SQLite every transaction that writes has the whole file to itself already.
    """
    if session.get_bind().dialect.name == "postgresql":
        kind = zlib.crc32(table.__tablename__.encode()) - 2**31
        key = {"kind": kind, "day": day.toordinal()}
        session.execute(text("select pg_advisory_xact_lock(:kind, :day)"), key)


def allow_late(session: Session, *, allowed: bool) -> None:
    """Let this transaction add to closed days: it has looked for what it adds."""
    if session.get_bind().dialect.name == "postgresql":
        value = "yes" if allowed else ""
        session.execute(text("select set_config('navigate_safer.checked', :v, true)"), {"v": value})
