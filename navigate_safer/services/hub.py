"""The intelligence hub: what partners' data there is and how old, and one look-up of a person."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
from sqlalchemy import select

from navigate_safer import logs
from navigate_safer.db import audit, partners
from navigate_safer.db.base import Sessions
from navigate_safer.db.partners import Coverage, ImportLine, PartnerBadRow, PartnerEntryRow
from navigate_safer.db.people import AreaRow
from navigate_safer.people.access import Scope
from navigate_safer.people.account import Act
from navigate_safer.people.days import day_of, start_of
from navigate_safer.people.partners import (
    BY_REF,
    LOOK_UP,
    MAPPED,
    SOURCES,
    Handling,
    LookUp,
    Mapped,
    Purpose,
    Reliability,
    Source,
)
from navigate_safer.people.records import Record
from navigate_safer.services import partner_import, records, timeline
from navigate_safer.services.partner_files import MOST_BYTES, BadFile
from navigate_safer.services.partner_import import NotAgreed
from navigate_safer.services.timeline import Event, Timeline

MOST_BAD_ROWS_SHOWN = 200
TAKEN = (".csv", ".txt", ".json")


class SourceLine(msgspec.Struct, frozen=True):
    """A slot with what there is of it. ``stale``: older than the slot's own limit, or nothing."""

    source: Source
    coverage: Coverage
    age_days: int | None
    stale: bool


class HubPage(msgspec.Struct, frozen=True):
    """Every slot, the settings by area and source, and the newest imports."""

    lines: list[SourceLine]
    settings: dict[tuple[int, str], Record[Mapped]]
    imports: list[ImportLine]
    areas: dict[int, str]


class Answer(msgspec.Struct, frozen=True):
    """What one source has about a person. No entry is a miss, which is shown as one."""

    line: SourceLine
    entries: list[PartnerEntryRow]


class PersonAnswers(msgspec.Struct, frozen=True):
    """A look-up: the answers of all sources, or none as long as no purpose was given.

    ``timeline`` has them all by date, together with the person's own.
    """

    ref: str
    name: str
    answers: list[Answer] | None
    before: list[Record[LookUp]]
    timeline: Timeline | None = None


def see(sessions: Sessions, scope: Scope, now: datetime) -> HubPage:
    """The hub; raises Forbidden."""
    with sessions.begin() as session:
        lines = _lines(partners.coverage(session, scope), day_of(now))
        kept = records.listed(session, scope, MAPPED)
        imports = partners.imports(session, scope)
    settings = {(each.area_id, each.body.source): each for each in kept}
    return HubPage(lines, settings, imports, records.areas(sessions, scope))


def see_bad_rows(sessions: Sessions, scope: Scope, import_id: int) -> list[PartnerBadRow]:
    """The rows of an import that were kept out; raises Forbidden."""
    with sessions() as session:
        return partners.bad_rows(session, scope, import_id, MOST_BAD_ROWS_SHOWN)


def see_before(sessions: Sessions, scope: Scope, ref: str) -> PersonAnswers:
    """The page before a purpose is given: who looked this person up, and nothing of the answers."""
    with sessions() as session:
        of, wearer = records.about(session, scope, ref)
        before = records.listed(session, scope, LOOK_UP, wearer_id=of.wearer_id)
        return PersonAnswers(ref, wearer.name, None, before)


def look_up(
    sessions: Sessions, scope: Scope, ref: str, purpose: Purpose, note: str, now: datetime
) -> PersonAnswers:
    """What every source has about a person, and the record of why it was asked.

    Alerts and records are among it as far as the role may see them.

    Raises Forbidden and NotFound.
    """
    with sessions.begin() as session:
        of, wearer = records.about(session, scope, ref)
        entries = partners.of_person(session, scope, wearer.id)
        lines = _lines(partners.coverage(session, scope), day_of(now))
        answers = [
            Answer(line, [each for each in entries if each.source == line.source.ref])
            for line in lines
        ]
        found = {each.line.source.ref: len(each.entries) for each in answers}
        records.add(session, scope, LOOK_UP, of, LookUp(purpose, note, found), now=now,
                    state=purpose.value)  # fmt: skip
        audit.record(
            session,
            Act.COMBINATION,
            "partners' records of a person",
            at=now,
            actor="staff",
            staff_id=scope.staff_id,
            subject_kind="wearer",
            subject_id=wearer.id,
            detail={"purpose": purpose.value, "entries": len(entries)},
        )
        records.consulted(session, scope, "timeline", now, wearer_id=wearer.id)
        before = records.listed(session, scope, LOOK_UP, wearer_id=of.wearer_id)
        events = [*timeline.gathered(session, scope, wearer.id), *map(_event, entries)]
        whole = timeline.newest(ref, wearer.name, events)
        return PersonAnswers(ref, wearer.name, answers, before, whole)


def _event(row: PartnerEntryRow) -> Event:
    grade = f"{Reliability(row.reliability).words}; {Handling(row.handling).words}"
    return Event(
        at=start_of(row.on),
        source=timeline.PARTNER,
        kind=row.kind,
        title=row.kind,
        state="",
        by=BY_REF[row.source].label,
        ref=row.ref,
        text=f"{row.what} ({grade})",
    )


def _lines(found: dict[str, Coverage], today: date) -> list[SourceLine]:
    made = []
    for source in SOURCES.sources:
        coverage = found.get(source.ref, Coverage(source.ref, None, 0, 0))
        age = None if coverage.as_at is None else (today - coverage.as_at).days
        stale = age is None or timedelta(days=age) > timedelta(days=source.stale_after_days)
        made.append(SourceLine(source, coverage, age, stale))
    return made


class Folder:
    """The folder into which partners' files are put: ``AREA/SOURCE/file``, by references."""

    def __init__(self, path: str) -> None:
        self._path = Path(path) if path else None
        # What was looked at already, by place, size and time: not to be read again each minute.
        self._seen: set[tuple[str, int, int]] = set()

    def tick(self, sessions: Sessions, now: datetime) -> int:
        """Take up new files, and read what waits; how many files were read to the end."""
        if self._path is not None:
            self._look_into(sessions, self._path, now)
        return partner_import.read_waiting(sessions, now)

    def _look_into(self, sessions: Sessions, folder: Path, now: datetime) -> None:
        with sessions() as session:
            areas = dict(session.execute(select(AreaRow.ref, AreaRow.id)).all())
        for path in sorted(folder.glob("*/*/*")):
            area_id, source = areas.get(path.parent.parent.name), path.parent.name
            if area_id is None or source not in BY_REF or path.suffix.lower() not in TAKEN:
                continue
            about = path.stat()
            found = str(path), about.st_size, about.st_mtime_ns
            if found not in self._seen and about.st_size <= MOST_BYTES:
                put_at = datetime.fromtimestamp(about.st_mtime, UTC)
                self._take(sessions, source, area_id, path, put_at, now)
                self._seen.add(found)

    def _take(
        self,
        sessions: Sessions,
        source: str,
        area_id: int,
        path: Path,
        put_at: datetime,
        now: datetime,
    ) -> None:
        log = logs.logger("partner import")
        try:
            content = path.read_bytes()
            partner_import.take_from_folder(
                sessions, source, area_id, path.name, content, put_at, now
            )
        except (BadFile, NotAgreed, OSError) as fault:
            # Without the file's name, which is the partner's and may hold anything.
            log.warning("extract not taken in", source=source, exception_type=type(fault).__name__)
