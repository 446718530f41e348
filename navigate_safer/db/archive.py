"""The archive beside the database: where its files are, and the rows of days that are in it.

``reading_days`` is the truth about what is archived; the folder holds for each day and kind a
Parquet file and a manifest. A file that the table names and the folder lacks is never passed over.
"""

import shutil
from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import msgspec
from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import Session

from navigate_safer.db import parquet
from navigate_safer.db.base import Sessions
from navigate_safer.db.days import IN_FILES, day_of
from navigate_safer.db.packed import micros_of
from navigate_safer.db.parquet import ArchiveUnreadable
from navigate_safer.db.reading_rows import ReadingDayRow
from navigate_safer.db.reading_values import Columns

# Under this name a session carries the folder.
_FOLDER = "archive_folder"
MANIFEST = ".json"
_STATES = tuple(each.value for each in IN_FILES)


class Fault(msgspec.Struct, frozen=True):
    """One thing that is wrong with the archive; ``path`` is relative to its folder."""

    path: str
    what: str


class Verified(msgspec.Struct, frozen=True):
    """How many files there should be, and all that is wrong."""

    files: int
    faults: list[Fault]


def use_folder(sessions: Sessions, folder: Path) -> None:
    """Let the sessions know where the archive is."""
    sessions.configure(info={_FOLDER: folder})


def folder_for(database_url: str, name: str) -> Path:
    """The archive's folder: a relative name is beside the SQLite file, or in the work folder."""
    if database_url.startswith("sqlite:///"):
        return (Path(database_url.removeprefix("sqlite:///")).parent / name).absolute()
    return Path(name).absolute()


def folder_of(session: Session) -> Path:
    """The archive's folder. Raises ArchiveUnreadable where nobody has said."""
    folder = session.info.get(_FOLDER)
    if not isinstance(folder, Path):
        raise ArchiveUnreadable("the archive's folder is not set; see NAVIGATE_SAFER_ARCHIVE_DIR")
    return folder


def file_of(session: Session, row: ReadingDayRow) -> Path:
    """The file of an archived day."""
    return folder_of(session) / str(row.path)


def whole_file_of(session: Session, row: ReadingDayRow) -> Path:
    """The file of an archived day, unaltered. Raises ArchiveUnreadable where it is not."""
    file = file_of(session, row)
    parquet.expect(file, row.sha256)
    return file


def held_bytes(session: Session) -> int:
    """What the files of all archived days take."""
    return int(session.scalar(select(func.coalesce(func.sum(ReadingDayRow.bytes), 0))) or 0)


def disk(session: Session) -> tuple[int, int] | None:
    """(used, whole) bytes of the disk of the archive's folder; None before there is one."""
    try:
        found = shutil.disk_usage(folder_of(session))
    except (ArchiveUnreadable, OSError):
        return None
    return found.used, found.used + found.free


def _archived(from_day: bool, to_day: bool) -> Select[ReadingDayRow]:
    query = select(ReadingDayRow).where(ReadingDayRow.state.in_(_STATES))
    if from_day:
        query = query.where(ReadingDayRow.day >= bindparam("first"))
    if to_day:
        query = query.where(ReadingDayRow.day <= bindparam("last"))
    return query.order_by(ReadingDayRow.day)


# Put together once: every look at readings asks this, and hardly ever is there one.
_ARCHIVED = {
    (from_day, to_day): _archived(from_day, to_day)
    for from_day in (False, True)
    for to_day in (False, True)
}


def files_between(
    session: Session, begins: datetime | None, ends: datetime | None
) -> dict[str, list[Path]]:
    """The files of archived days that hold ``begins <= stored time < ends``, by kind."""
    query, asked = _ARCHIVED[begins is not None, ends is not None], dict[str, date]()
    if begins is not None:
        asked["first"] = day_of(begins)
    if ends is not None:
        asked["last"] = day_of(ends - timedelta(microseconds=1))
    files: dict[str, list[Path]] = {}
    for row in session.scalars(query, asked):
        files.setdefault(row.kind, []).append(file_of(session, row))
    return files


def make_private(folder: Path) -> None:
    """Make a folder, and those above it that are not there, for this account only, on disk."""
    if not folder.exists():
        make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        # A file is not safe while the name of a folder above it may be lost.
        parquet.flush_one(folder.parent)


def put_in_place(made: Path, target: Path, manifest: dict[str, object]) -> None:
    """Give a file its place and its manifest, and wait until both are on disk."""
    make_private(target.parent)
    note = made.with_suffix(MANIFEST)
    note.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
    parquet.flush(note)
    note.replace(target.with_suffix(MANIFEST))
    made.replace(target)
    parquet.flush(target)


def remove_others(folder: Path, kind: str, day: date, path: str | None) -> int:
    """Remove the files of one kind and day but the one named; how many that were."""
    removed = 0
    for file in (folder / kind / f"{day.year}").glob(f"{kind}-{day}-*.*"):
        if path is None or file.stem != Path(path).stem:
            file.unlink()
            removed += 1
    return removed


def together(stored: Sequence[Columns], archived: Collection[Columns]) -> list[Columns]:
    """Rows of both, each key once: for a moment a day's rows are in the table and in its file."""
    if not archived or not stored:
        return [*stored, *archived]
    known = {(row.device_id, micros_of(row.measured_at)) for row in stored}
    fresh = (row for row in archived if (row.device_id, micros_of(row.measured_at)) not in known)
    return [*stored, *fresh]


def verify(session: Session, step: Callable[[int, int], None] = lambda _n, _of: None) -> Verified:
    """Look at every file of the archive: there, unaltered, and nothing that no row names.

    ``step`` is told how many of how many files have been looked at.
    """
    folder = folder_of(session)
    rows = session.scalars(select(ReadingDayRow).where(ReadingDayRow.state.in_(_STATES))).all()
    faults = []
    for number, row in enumerate(rows):
        fault = _fault(folder, row)
        faults += [] if fault is None else [fault]
        step(number + 1, len(rows))
    named = {str(row.path) for row in rows}
    for file in sorted(folder.rglob("*.parquet")) if folder.exists() else []:
        path = str(file.relative_to(folder))
        if path not in named:
            faults.append(Fault(path, "no archived day names this file"))
    return Verified(len(rows), faults)


def _fault(folder: Path, row: ReadingDayRow) -> Fault | None:
    file = folder / str(row.path)
    if not file.exists():
        return Fault(str(row.path), "the file is missing; put it back from the backup")
    if parquet.sha256_of(file) != row.sha256:
        return Fault(str(row.path), "the file was altered; put it back from the backup")
    return None
