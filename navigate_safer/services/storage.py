"""The life of a day of readings: made ahead, sorted when it is over, archived when it is old.

Each step is one transaction, and a step that was cut off by anything is undone or done again by
the next run. One run at a time: see :func:`alone`.
"""

import contextlib
import fcntl
from collections.abc import Callable, Iterator
from datetime import date, datetime
from functools import partial

import msgspec
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from navigate_safer.db import archive, days, loose, partitions, pieces
from navigate_safer.db.base import Sessions
from navigate_safer.db.days import ONE_DAY, DayState
from navigate_safer.db.reading_rows import READING_TABLES, FixRow, ReadingTable
from navigate_safer.services.storage_trouble import StorageFault, Trouble

# Any constant: two schedulers of one PostgreSQL database do not keep house at once.
_KEEPER = 8_415_370_021
# An exchange that meets a long reader is tried so often, so far apart, before the next run.
TRIES, BETWEEN_TRIES_S = 10, 1.0
# A closed day is sorted again when a hundredth of it came late, or a day after the last change.
RESORT_SHARE = 100


class Plan(msgspec.Struct, frozen=True):
    """When a day moves on, in days; each a setting but ``past_days``. Version 1.

    - ``ahead_days``: partitions are there so long before they are needed: a fortnight in which
      nobody need notice that no scheduler runs. This project's own.
    - ``past_days``: how old a reading may be that intake accepts (``devices.quality``).
    - ``close_after_days``: most of what comes late comes within two days, from tags that were out
      of coverage. This project's own.
    - ``archive_after_days``: above ``past_days``, so that an archived day gets no reading.
    - ``keep_days``: six years from the end of the wearer's last order. The field survey (section
      on retention) found six years reported for the immigration scheme and the code of practice
      for criminal cases unseen, and advises it as a default that can be changed.
    """

    ahead_days: int = 14
    past_days: int = 45
    close_after_days: int = 2
    archive_after_days: int = 60
    keep_days: int = 2_192


Wait = Callable[[float], object]


@contextlib.contextmanager
def alone(sessions: Sessions) -> Iterator[bool]:
    """Whether this process may keep house now: only one may, and its end frees the place."""
    with sessions() as session:
        engine = session.get_bind()
        folder = archive.folder_of(session)
    assert isinstance(engine, Engine)
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            key = {"key": _KEEPER}
            got = bool(connection.scalar(text("select pg_try_advisory_lock(:key)"), key))
            try:
                yield got
            finally:
                if got:
                    connection.execute(text("select pg_advisory_unlock(:key)"), key)
        return
    archive.make_private(folder)
    with (folder / ".lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def make_days(sessions: Sessions, now: datetime, plan: Plan) -> int:
    """Make the partitions that intake will need, and those of readings that found none.

    From the oldest reading that is accepted to ``ahead_days`` ahead; how many were made. Today's
    and tomorrow's of fixes are in pieces. A day whose tables are in use is left for the next run.
    SQLite needs none.
    """
    if not on_postgresql(sessions):
        return 0
    today, made = days.day_of(now), 0
    # A clock may be a day ahead, and a reading accepted today is stored before tomorrow.
    wanted = [
        today + ONE_DAY * number
        for number in sorted(range(-plan.past_days - 1, plan.ahead_days + 1), key=abs)
    ]
    for table in READING_TABLES:
        with sessions.begin() as session:
            there = partitions.made_days(session, table)
            homeless = partitions.days_in_rest(session, table)
            past = days.states(session, table, {*wanted, *homeless})
        in_pieces = {today, today + ONE_DAY} if table is FixRow else set()
        for day in dict.fromkeys([*homeless, *wanted]):
            if day not in there and day not in past:
                make = pieces.make_pieces if day in in_pieces else partitions.make_whole
                step = partial(partitions.make_day, table=table, day=day, make=make)
                made += attempt(sessions, step)
        for day in sorted(in_pieces & there - past.keys()):
            attempt(sessions, partial(pieces.cut, table=table, day=day))
    return made


def pack(sessions: Sessions, least_bytes: int = loose.LEAST_BYTES) -> int:
    """Pack the indexes of hot days that are half empty; how many were."""
    if not on_postgresql(sessions):
        return 0
    attempt(sessions, _drop_left_over)
    with sessions() as session:
        engine = session.get_bind()
        names = loose.loose_indexes(session, least_bytes)
    assert isinstance(engine, Engine)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for name in names:
            loose.pack(connection, name)
    return len(names)


def _drop_left_over(session: Session) -> None:
    partitions.be_brief(session)
    loose.drop_left_over(session)


def attempt(sessions: Sessions, step: Callable[[Session], object]) -> bool:
    """Do a step in a transaction of its own; False where a lock was not to be had."""
    try:
        with sessions.begin() as session:
            step(session)
    except OperationalError as fault:
        if not partitions.was_locked(fault):
            raise
        return False
    return True


def close_next(
    sessions: Sessions, now: datetime, plan: Plan, wait: Wait, trouble: Trouble
) -> date | None:
    """Close, or sort again, the oldest day that is due; None when none is, or it is in use.

    A day whose copy is not what it should be is noted in ``trouble`` and passed over.
    """
    if not on_postgresql(sessions):
        return None
    for table in READING_TABLES:
        while (day := _to_close(sessions, table, now, plan, trouble)) is not None:
            with trouble.of_day(table, day):
                if close_day(sessions, table, day, now, wait):
                    return day
            if not trouble.has(table, day):
                break
    return None


def _to_close(
    sessions: Sessions, table: ReadingTable, now: datetime, plan: Plan, trouble: Trouble
) -> date | None:
    with sessions.begin() as session:
        due = _due_to_close(session, table, now, plan)
    return min((day for day in due if not trouble.has(table, day)), default=None)


def _due_to_close(session: Session, table: ReadingTable, now: datetime, plan: Plan) -> list[date]:
    over = days.day_of(now) - ONE_DAY * plan.close_after_days
    made = {day for day in partitions.made_days(session, table) if day < over}
    known = days.states(session, table, made)
    due = [day for day in made if known.get(day) in (None, DayState.CLOSING)]
    for row in days.in_state(session, table, DayState.CLOSED):
        many = row.late_rows * RESORT_SHARE >= (row.rows or 0)
        if row.late_rows and (many or now - row.changed_at >= ONE_DAY):
            due.append(row.day)
    return due


def close_day(
    sessions: Sessions, table: ReadingTable, day: date, now: datetime, wait: Wait
) -> bool:
    """Guard a day, sort it beside itself, put the sorted one in its place; False if in use."""
    if not attempt(sessions, lambda session: _guard(session, table, day, now)):
        return False
    late_rows = sort_day(sessions, table, day)
    for number in range(TRIES):
        if attempt(sessions, lambda session: _exchange(session, table, day, now, late_rows)):
            return True
        if number + 1 < TRIES:
            wait(BETWEEN_TRIES_S)
    attempt(sessions, lambda session: partitions.drop_copy(session, table, day))
    return False


def _guard(session: Session, table: ReadingTable, day: date, now: datetime) -> None:
    if days.get(session, table, day) is None:
        partitions.guard(session, table, day)
        days.put(session, table, day, DayState.CLOSING, now)


def sort_day(sessions: Sessions, table: ReadingTable, day: date) -> int:
    """Make the sorted copy; how many late rows had come when it was begun.

    Raises StorageFault where the copy is not what the day holds.
    """
    with sessions() as session:
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        row = days.get(session, table, day)
        late_rows = 0 if row is None else row.late_rows
        held, copied = partitions.sort_copy(session, table, day)
        if held != copied:
            raise StorageFault(f"{partitions.name_of(table, day)}: the sorted copy is not the same")
        session.commit()
        return late_rows


def _exchange(
    session: Session, table: ReadingTable, day: date, now: datetime, late_rows: int
) -> None:
    partitions.be_brief(session)
    days.lock_day(session, table, day)
    row = days.get(session, table, day)
    assert row is not None
    came = row.late_rows - late_rows
    rows = partitions.exchange(session, table, day, came_meanwhile=bool(came))
    days.put(session, table, day, DayState.CLOSED, now)
    row.rows, row.late_rows = rows, came


def on_postgresql(sessions: Sessions) -> bool:
    """Whether there are partitions."""
    with sessions() as session:
        return session.get_bind().dialect.name == "postgresql"
