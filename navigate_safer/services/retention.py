"""Readings that nobody may keep any longer: erased from the archive, and the erasure logged."""

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from navigate_safer.db import archive, audit, days, holds, parquet
from navigate_safer.db.base import Sessions
from navigate_safer.db.days import ONE_DAY, DayState
from navigate_safer.db.people import FittingRow, OrderRow
from navigate_safer.db.reading_rows import READING_TABLES, ReadingDayRow, ReadingTable
from navigate_safer.people.account import Act
from navigate_safer.services.archiving import WORK, Written, tidy_day, write_file
from navigate_safer.services.storage import Plan
from navigate_safer.services.storage_trouble import Trouble


def erase(sessions: Sessions, now: datetime, plan: Plan, trouble: Trouble) -> int:
    """Erase from every day older than ``keep_days`` what may no longer be kept.

    How many days and kinds lost something. Only archived days are looked at: every day is in the
    archive long before. Killed at any point it is finished by the next run. A day whose file is not
    what was written is noted in ``trouble`` and passed over.
    """
    before = days.day_of(now) - ONE_DAY * plan.keep_days
    erased = 0
    for table in READING_TABLES:
        with sessions.begin() as session:
            old = [
                row.day
                for row in days.in_state(session, table, DayState.ARCHIVED)
                if row.day < before and not row.late_rows
            ]
        for day in old:
            with trouble.of_day(table, day):
                erased += _erase(sessions, table, day, now, plan)
    return erased


def kept_devices(session: Session, day: date, now: datetime, plan: Plan) -> set[int]:
    """Devices whose readings of an old day must still be kept.

    Those that were that day on a wearer with an order that is open or ended less than
    ``keep_days`` ago, an order without an end being open, or on one of whom a hold keeps that day.
    """
    begins, ends = days.bounds(day)
    last_kept = days.day_of(now) - ONE_DAY * plan.keep_days
    query = (
        select(FittingRow.device_id)
        .join(OrderRow, OrderRow.wearer_id == FittingRow.wearer_id)
        .where(
            or_(OrderRow.ends_on.is_(None), OrderRow.ends_on >= last_kept),
            FittingRow.fitted_at < ends,
            or_(FittingRow.removed_at.is_(None), FittingRow.removed_at > begins),
        )
    )
    held = {hold.wearer_id for hold in holds.over(session, day)}
    on_held = select(FittingRow.device_id).where(
        FittingRow.wearer_id.in_({each for each in held if each is not None}),
        FittingRow.fitted_at < ends,
        or_(FittingRow.removed_at.is_(None), FittingRow.removed_at > begins),
    )
    return set(session.scalars(query.distinct())) | set(session.scalars(on_held.distinct()))


def is_held(session: Session, day: date) -> bool:
    """Whether a hold keeps everything of a day, also what was on nobody."""
    return any(hold.wearer_id is None for hold in holds.over(session, day))


def _erase(sessions: Sessions, table: ReadingTable, day: date, now: datetime, plan: Plan) -> bool:
    with sessions.begin() as session:
        row = days.get(session, table, day)
        assert row is not None
        if is_held(session, day):
            return False
        folder, file, sha256 = archive.folder_of(session), archive.file_of(session, row), row.sha256
        keep = kept_devices(session, day, now, plan)
    there = parquet.devices_in(file)
    if there <= keep:
        return False
    # Neither what is erased nor what is kept is decided by, or copied from, a damaged file.
    parquet.expect(file, sha256)
    written = None
    if there & keep:
        written = _without_others(table, day, folder, file, sorted(there & keep))
    with sessions.begin() as session:
        holds.wait_for_none(session)
        # A hold may have been placed while the copy was written: then all of it is kept.
        late = is_held(session, day) or kept_devices(session, day, now, plan) - keep
        if not late:
            _note(session, table, day, now, written)
    if late:
        if written is not None:
            (folder / written.path).unlink(missing_ok=True)
        return False
    tidy_day(sessions, table, day)
    return True


def _without_others(
    table: ReadingTable, day: date, folder: Path, file: Path, keep: Sequence[int]
) -> Written:
    rows_file = folder / WORK / f"{table.__tablename__}-{day}.csv"
    archive.make_private(rows_file.parent)
    try:
        held = parquet.write_rows(table, file, keep, rows_file)
        return write_file(table, day, folder, rows_file, None, held)
    finally:
        rows_file.unlink(missing_ok=True)


def _note(
    session: Session, table: ReadingTable, day: date, now: datetime, written: Written | None
) -> None:
    row = days.get(session, table, day)
    assert row is not None
    before = row.rows or 0
    if written is None:
        days.put(session, table, day, DayState.ERASED, now)
        row.rows, row.path, row.sha256, row.checksum, row.bytes = 0, None, None, None, None
    else:
        row.changed_at, row.rows, row.checksum = now, written.sum.rows, written.sum.checksum
        row.path, row.bytes, row.sha256 = written.path, written.bytes, written.sha256
    _log(session, row, before, now)


def _log(session: Session, row: ReadingDayRow, before: int, now: datetime) -> None:
    kept = row.rows or 0
    audit.record(
        session,
        Act.ERASURE,
        "readings past retention",
        at=now,
        actor="schedule",
        subject_kind="reading_day",
        detail={
            "kind": row.kind,
            "day": row.day.isoformat(),
            "erased": before - kept,
            "kept": kept,
        },
    )
