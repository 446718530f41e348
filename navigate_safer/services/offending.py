"""Take in records of offending: from a case file, or from a CSV file; all or none."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from navigate_safer import csv_input
from navigate_safer.csv_input import BadInput
from navigate_safer.db import audit
from navigate_safer.db import offending as stored
from navigate_safer.db.base import Sessions
from navigate_safer.db.offending import FIELDS, OffendingRow, ReferenceRow
from navigate_safer.db.people import WearerRow
from navigate_safer.outcomes.reading import as_type
from navigate_safer.outcomes.refusal import BadOutcomeInput
from navigate_safer.people import outcome_framework
from navigate_safer.people.account import Act
from navigate_safer.people.casefile import CaseFile
from navigate_safer.people.offending import BadRecord, HarmTable, OffendingEntry, Population, check
from navigate_safer.people.outcome_framework import Supplied
from navigate_safer.services.case_entries import CaseFileFault

REQUIRED = ("ref", "wearer", "kind", "on", "source", "as_at")
OPTIONAL = tuple(each for each in OffendingEntry.__struct_fields__ if each not in REQUIRED)
HARM_TABLE, POPULATION, FRAMEWORK = "harm_table", "population", "framework"
_AT_ONCE = 500


class Taken(msgspec.Struct, frozen=True):
    """How many entries were new, changed, known already, and older than what is known."""

    added: int
    changed: int
    unchanged: int
    older: int


def read_csv(content: bytes, name: str) -> list[OffendingEntry]:
    """The entries of a CSV file; raises BadInput with the line of the first fault."""
    made = []
    for where, fields in csv_input.rows(content, name, REQUIRED, OPTIONAL, key="ref"):
        known = {column: fields[column] for column in (*REQUIRED, *OPTIONAL) if fields.get(column)}
        try:
            made.append(as_type(known, OffendingEntry))
        except BadOutcomeInput as fault:
            raise BadInput(f"{where}: {fault}") from None
    return made


def import_entries(
    sessions: Sessions, entries: Sequence[OffendingEntry], now: datetime, *, dry_run: bool = False
) -> Taken:
    """Store the entries in one transaction; again changes nothing. Raises :class:`BadRecord`."""
    with sessions() as session, session.begin() as transaction:
        taken = take(session, entries, now)
        if dry_run:
            transaction.rollback()
        return taken


def register(session: Session, case_file: CaseFile, now: datetime) -> None:
    """The entries and tables of harm of a case file; raises :class:`CaseFileFault`."""
    try:
        take(session, case_file.offending, now)
    except BadRecord as fault:
        raise CaseFileFault(str(fault)) from None
    for table in case_file.harm_tables:
        _load(session, HARM_TABLE, table, now)
    for population in case_file.populations:
        _load(session, POPULATION, population, now)
    for supplied in case_file.framework_figures:
        try:
            outcome_framework.check(supplied)
        except ValueError as fault:
            where = f"framework_figures {supplied.version}"
            raise CaseFileFault(f"{where}: {fault}") from None
        _load(session, FRAMEWORK, supplied, now)


def _load(
    session: Session, kind: str, given: HarmTable | Population | Supplied, now: datetime
) -> None:
    row = ReferenceRow
    where = row.kind == kind, row.version == given.version
    if session.scalar(select(row).where(*where)) is not None:
        raise CaseFileFault(f"{kind}: version {given.version} is loaded already")
    body = msgspec.to_builtins(given)
    session.add(
        row(kind=kind, version=given.version, source=given.source, body=body, loaded_at=now)
    )
    session.flush()


def take(session: Session, entries: Sequence[OffendingEntry], now: datetime) -> Taken:
    """Add what is new and supersede what has changed, in the caller's transaction."""
    people = _people(session, entries)
    known: dict[str, OffendingRow] = {}
    refs = [each.ref for each in entries]
    for start in range(0, len(refs), _AT_ONCE):
        known |= stored.current(session, refs[start : start + _AT_ONCE])
    counts = {"added": 0, "changed": 0, "unchanged": 0, "older": 0}
    touched: dict[int, int] = {}
    seen: set[str] = set()
    for entry in entries:
        if entry.ref in seen:
            raise BadRecord(f"entry {entry.ref}: is given twice; keep one")
        seen.add(entry.ref)
        person = people[entry.wearer]
        check(entry, person.born_on)
        what = _store(session, entry, person, known.get(entry.ref), now)
        counts[what] += 1
        if what in ("added", "changed"):
            touched[person.id] = touched.get(person.id, 0) + 1
    for wearer_id, count in touched.items():
        audit.record(
            session,
            Act.COLLECTION,
            "offending records taken in",
            at=now,
            actor="command line",
            subject_kind="wearer",
            subject_id=wearer_id,
            detail={"entries": count},
        )
    return Taken(**counts)


def _people(session: Session, entries: Sequence[OffendingEntry]) -> dict[str, WearerRow]:
    known = {row.ref: row for row in session.scalars(select(WearerRow))}
    for entry in entries:
        if entry.wearer not in known:
            raise BadRecord(f"entry {entry.ref}: there is no wearer {entry.wearer}; register first")
    return known


def _store(
    session: Session,
    entry: OffendingEntry,
    person: WearerRow,
    known: OffendingRow | None,
    now: datetime,
) -> str:
    if known is not None:
        if known.wearer_id == person.id and entry_of(known, entry.wearer) == entry:
            return "unchanged"
        if entry.as_at < known.as_at:
            return "older"
        if entry.as_at == known.as_at:
            raise BadRecord(
                f"entry {entry.ref}: is known as of {known.as_at} with other content; give the "
                f"corrected entry a later as_at"
            )
        known.superseded_at = now
    # Dates stay dates; the words of the enumerations are stored.
    values = msgspec.to_builtins(
        {name: getattr(entry, name) for name in FIELDS}, builtin_types=(type(entry.on),)
    )
    row = OffendingRow(
        **values,
        wearer_id=person.id,
        version=1 if known is None else known.version + 1,
        received_at=now,
    )
    session.add(row)
    return "added" if known is None else "changed"


def entry_of(row: OffendingRow, wearer: str) -> OffendingEntry:
    """The entry that a row was made from."""
    values = {name: getattr(row, name) for name in FIELDS}
    return msgspec.convert(values | {"wearer": wearer}, OffendingEntry)
