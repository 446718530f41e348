"""Old days out of the database into the archive.

A day's file is on disk, read back and compared before the transaction that makes it the truth and
drops the rows; a run that was killed leaves a file that no row names, which the next run removes.
"""

import shutil
from collections.abc import Callable
from datetime import date, datetime
from functools import partial
from pathlib import Path

import msgspec
from sqlalchemy.orm import Session

from navigate_safer.db import archive, day_rows, days, parquet, partitions
from navigate_safer.db.archive import Verified
from navigate_safer.db.base import READ_ONLY, Sessions
from navigate_safer.db.days import ONE_DAY, DayState
from navigate_safer.db.parquet import Sum
from navigate_safer.db.reading_rows import READING_TABLES, ReadingTable
from navigate_safer.services.storage import Plan, attempt, on_postgresql
from navigate_safer.services.storage_trouble import StorageFault, Trouble

# What is being made is here until it is whole.
WORK = ".work"


class Changed(Exception):
    """Readings came while the day was written out; it is done again by the next run."""


class Written(msgspec.Struct, frozen=True):
    """A file of the archive; ``path`` is relative to its folder."""

    path: str
    sum: Sum
    bytes: int
    sha256: str


def archive_next(sessions: Sessions, now: datetime, plan: Plan, trouble: Trouble) -> date | None:
    """Archive the oldest day that is due; None when none is, or it is in use.

    A day whose files are not what they should be is noted in ``trouble`` and passed over. Raises
    OSError where the folder cannot be written.
    """
    before = days.day_of(now) - ONE_DAY * plan.archive_after_days
    for table in READING_TABLES:
        while (day := _to_archive(sessions, table, before, trouble)) is not None:
            with trouble.of_day(table, day):
                if archive_day(sessions, table, day, now):
                    return day
            if not trouble.has(table, day):
                break
    return None


def _to_archive(
    sessions: Sessions, table: ReadingTable, before: date, trouble: Trouble
) -> date | None:
    with sessions.begin() as session:
        due = [day for day in _due(session, table, before) if day < before]
    return min((day for day in due if not trouble.has(table, day)), default=None)


def _due(session: Session, table: ReadingTable, before: date) -> set[date]:
    if session.get_bind().dialect.name == "postgresql":
        due = {row.day for row in days.in_state(session, table, DayState.CLOSED)}
    else:
        due = day_rows.days_of(session, table, before)
        # Late rows of an archived day are counted; the others there are only being deleted.
        due -= set(days.states(session, table, due))
        due |= {row.day for row in days.in_state(session, table, DayState.EMPTYING)}
    late = {row.day for row in days.in_state(session, table, DayState.ARCHIVED) if row.late_rows}
    return due | late


def archive_day(sessions: Sessions, table: ReadingTable, day: date, now: datetime) -> bool:
    """Move a day to the archive; False where it changed meanwhile or is in use.

    Raises StorageFault or ArchiveUnreadable where a file does not hold what it should; the rows
    are still in the database then.
    """
    with sessions.begin() as session:
        row = days.get(session, table, day)
        emptying = row is not None and row.state == DayState.EMPTYING.value
    if not emptying:
        exported = export_day(sessions, table, day)
        try:
            step = partial(settle, table=table, day=day, now=now, exported=exported)
            if not attempt(sessions, step):
                return False
        except Changed:
            return False
    if not on_postgresql(sessions):
        _empty(sessions, table, day, now)
    tidy_day(sessions, table, day)
    return True


class Exported(msgspec.Struct, frozen=True):
    """What was written of a day, and what the database held of it at that moment."""

    held: Sum
    late_rows: int
    written: Written | None


def export_day(sessions: Sessions, table: ReadingTable, day: date) -> Exported:
    """Write a day's rows to a file of the archive; nothing in the database changes by it."""
    with sessions() as session:
        folder = archive.folder_of(session)
        work = folder / WORK
        archive.make_private(work)
        rows_file = work / f"{table.__tablename__}-{day}.csv"
        # On SQLite nobody who writes must wait for it: a day of a fleet takes seconds.
        options: dict[str, object] = {READ_ONLY: True}
        if session.get_bind().dialect.name == "postgresql":
            options["isolation_level"] = "REPEATABLE READ"
        session.connection(execution_options=options)
        row = days.get(session, table, day)
        late_rows = 0 if row is None else row.late_rows
        # Damage in it would be given a new, good hash: it is looked for before it is copied.
        earlier = archive.whole_file_of(session, row) if row is not None and row.path else None
        held = day_rows.export(session, table, day, rows_file)
    try:
        if not held.rows and earlier is None:
            return Exported(held, late_rows, None)
        return Exported(held, late_rows, write_file(table, day, folder, rows_file, earlier, held))
    finally:
        rows_file.unlink(missing_ok=True)


def write_file(
    table: ReadingTable, day: date, folder: Path, rows_file: Path, earlier: Path | None, held: Sum
) -> Written:
    """Turn rows on disk, and those of an earlier file, into a file of the archive, and compare.

    ``held`` is what the rows must come to. Raises StorageFault or ArchiveUnreadable where
    something is not what it should be.
    """
    if parquet.sum_of_rows(table, rows_file) != held:
        raise StorageFault(f"{rows_file.name} does not hold what the database holds")
    made = rows_file.with_suffix(".parquet")
    made.unlink(missing_ok=True)
    total = parquet.write(table, rows_file, earlier, made)
    sha256, size = parquet.sha256_of(made), made.stat().st_size
    name = f"{table.__tablename__}-{day}-{sha256[:12]}.parquet"
    target = folder / table.__tablename__ / f"{day.year}" / name
    written = Written(str(target.relative_to(folder)), total, size, sha256)
    archive.put_in_place(made, target, _manifest(table, day, written))
    return written


def _manifest(table: ReadingTable, day: date, written: Written) -> dict[str, object]:
    return {
        "v": 1,
        "kind": table.__tablename__,
        "day": day.isoformat(),
        "file": Path(written.path).name,
        "rows": written.sum.rows,
        "checksum": written.sum.checksum,
        "bytes": written.bytes,
        "sha256": written.sha256,
        "columns": parquet.columns(table),
        "sorted_by": ["device_id", "measured_at"],
    }


def settle(
    session: Session, table: ReadingTable, day: date, now: datetime, exported: Exported
) -> None:
    """One transaction: the file is the truth, and the rows are gone or doomed.

    Raises Changed where readings of the day came since it was exported: nothing is dropped.
    """
    postgresql = session.get_bind().dialect.name == "postgresql"
    if postgresql:
        partitions.be_brief(session)
    days.lock_day(session, table, day)
    row = days.get(session, table, day)
    late_rows = 0 if row is None else row.late_rows
    # SQLite's hot days count nothing; but nobody else writes while this transaction lasts.
    same = postgresql or day_rows.count(session, table, day) == exported.held.rows
    if late_rows != exported.late_rows or not same:
        raise Changed
    written = exported.written
    if written is None:
        if row is not None:
            session.delete(row)
    else:
        state = DayState.ARCHIVED if postgresql else DayState.EMPTYING
        row = days.put(session, table, day, state, now)
        row.rows, row.checksum, row.late_rows = written.sum.rows, written.sum.checksum, 0
        row.path, row.bytes, row.sha256 = written.path, written.bytes, written.sha256
    if postgresql:
        partitions.empty_rest(session, table, day)
        if day in partitions.made_days(session, table):
            partitions.drop_day(session, table, day)


def _empty(sessions: Sessions, table: ReadingTable, day: date, now: datetime) -> None:
    """SQLite: delete what is in the file, key by key, in slices; what came later stays."""
    with sessions.begin() as session:
        row = days.get(session, table, day)
        if row is None or row.state != DayState.EMPTYING.value:
            return
        file, sha256 = archive.file_of(session, row), row.sha256
    # What is deleted is there only once more: in this file.
    parquet.expect(file, sha256)
    for keys in parquet.keys_of(file, day_rows.SLICE_ROWS):
        with sessions.begin() as session:
            day_rows.delete_keys(session, table, keys)
    with sessions.begin() as session:
        days.put(session, table, day, DayState.ARCHIVED, now)


def verify(sessions: Sessions, step: Callable[[int, int], None]) -> Verified:
    """Look at every file; see :func:`navigate_safer.db.archive.verify`."""
    with sessions() as session:
        session.connection(execution_options={READ_ONLY: True})
        return archive.verify(session, step)


def tidy(sessions: Sessions) -> int:
    """Remove what a run that was killed left behind; how many files that was.

    Call it only under :func:`navigate_safer.services.storage.alone`.
    """
    with sessions() as session:
        folder = archive.folder_of(session)
    removed = 0
    for left in (folder / WORK).glob("*"):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink()
        removed += 1
    for table in READING_TABLES:
        with sessions.begin() as session:
            known = days.in_state(session, table, *DayState)
        for row in known:
            removed += tidy_day(sessions, table, row.day)
    return removed


def tidy_day(sessions: Sessions, table: ReadingTable, day: date) -> int:
    """Remove the files of a day that its row does not name; only where there is a row."""
    with sessions.begin() as session:
        row = days.get(session, table, day)
        folder = archive.folder_of(session)
    if row is None or row.state not in (DayState.ARCHIVED.value, DayState.ERASED.value):
        return 0
    return archive.remove_others(folder, table.__tablename__, day, row.path)
