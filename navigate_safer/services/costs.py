"""The book of costs and benefits: see it as of a moment, change an entry as a new version."""

import re
from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from navigate_safer.db import audit
from navigate_safer.db import costs as stored
from navigate_safer.db.base import Sessions
from navigate_safer.db.costs import CostEntryRow, Version
from navigate_safer.db.reading import reading
from navigate_safer.outcomes.reading import as_type
from navigate_safer.outcomes.refusal import BadOutcomeInput
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.account import Act
from navigate_safer.people.casefile import CaseFile
from navigate_safer.people.cost_book import REF, TYPES, Book, Entry, Kind
from navigate_safer.people.cost_checks import BadEntry, check
from navigate_safer.people.cost_seeds import SHIPPED
from navigate_safer.services.case_entries import CaseFileFault
from navigate_safer.services.casework import NotFound

LONGEST_READING_S = 10.0
LONGEST_REASON = 1_000
ASSUMPTIONS = Kind.ASSUMPTIONS.value
# What an entry is called in an address before it has a name.
NEW = "new"


class EntryPage(msgspec.Struct, frozen=True):
    """One entry with its versions; ``entry`` None where it is new or was taken out."""

    kind: Kind
    ref: str
    entry: Entry | None
    versions: list[Version]
    book: Book


def see_book(sessions: Sessions, scope: Scope, known: datetime) -> Book:
    """The book as of a moment; raises Forbidden."""
    scope.require(Permission.SEE_OUTCOMES)
    with reading(sessions, within_s=LONGEST_READING_S) as session:
        return stored.book_at(session, known)


def see_entry(
    sessions: Sessions, scope: Scope, kind: Kind, ref: str | None, now: datetime
) -> EntryPage:
    """One entry and its versions, without ``ref`` a new one; raises Forbidden, NotFound."""
    scope.require(Permission.SEE_OUTCOMES)
    with reading(sessions, within_s=LONGEST_READING_S) as session:
        book = stored.book_at(session, now)
        versions = [] if ref is None else stored.versions(session, kind, ref)
    entry = None if ref is None else book.of(kind).get(ref)
    unknown = ref is not None and entry is None and not versions
    if unknown or (ref is None and kind is Kind.ASSUMPTIONS):
        raise NotFound
    return EntryPage(kind, ref or "", entry, versions, book)


def save(
    sessions: Sessions,
    scope: Scope,
    kind: Kind,
    ref: str,
    entry: Entry,
    reason: str,
    replaces: int | None,
    now: datetime,
) -> None:
    """Keep a new version of an entry, a new entry where ``replaces`` is None.

    ``replaces`` is the number of the version that the form was made from, 0 for what is shipped.
    Raises :class:`BadEntry`, NotFound, Forbidden.
    """
    scope.require(Permission.EDIT_OUTCOME_BASIS)
    if kind is Kind.ASSUMPTIONS and ref != ASSUMPTIONS:
        raise NotFound
    if not re.fullmatch(REF, ref) or len(ref) > 64 or ref == NEW:
        raise BadEntry("ref", "Enter a short name of small letters, digits and -, such as arrests")
    _write(sessions, scope, kind, ref, entry, reason, replaces, now)


def remove(
    sessions: Sessions,
    scope: Scope,
    kind: Kind,
    ref: str,
    reason: str,
    replaces: int,
    now: datetime,
) -> None:
    """Take an entry out of force; its versions stay. Raises BadEntry, NotFound, Forbidden."""
    scope.require(Permission.EDIT_OUTCOME_BASIS)
    if kind is Kind.ASSUMPTIONS:
        raise BadEntry("reason", "The assumptions cannot be taken out: change them")
    _write(sessions, scope, kind, ref, None, reason, replaces, now)


def _write(
    sessions: Sessions,
    scope: Scope,
    kind: Kind,
    ref: str,
    entry: Entry | None,
    reason: str,
    replaces: int | None,
    now: datetime,
) -> None:
    if not reason.strip():
        raise BadEntry("reason", "Enter why: it is kept with your name")
    try:
        with sessions.begin() as session:
            book = stored.book_at(session, now)
            known = book.of(kind).get(ref)
            newest = _newest(session, kind, ref)
            if known is None and (entry is None or (replaces is not None and not newest)):
                raise NotFound
            _refuse_overtaken(newest, replaces, exists=known is not None)
            if entry is None:
                _refuse_in_use(book, kind, ref)
            else:
                check(book.having(kind, ref, entry), ref, entry)
            held = entry or known
            row = _row(kind, ref, newest + 1, held, reason, scope.staff_id, now)
            row.removed = entry is None
            session.add(row)
            _log(session, scope, row, now)
    except IntegrityError:
        raise BadEntry("reason", OVERTAKEN) from None


def _log(session: Session, scope: Scope, row: CostEntryRow, now: datetime) -> None:
    audit.record(
        session,
        Act.ALTERATION,
        "cost entry removed" if row.removed else "cost entry",
        at=now,
        actor="staff",
        staff_id=scope.staff_id,
        subject_kind="costs",
        detail={"kind": row.kind, "entry": row.ref, "version": row.version},
    )


OVERTAKEN = "Somebody has changed this since you opened it: open it again and look"


def _newest(session: Session, kind: Kind, ref: str) -> int:
    row = CostEntryRow
    query = select(row.version).where(row.kind == kind.value, row.ref == ref)
    return session.scalar(query.order_by(row.version.desc()).limit(1)) or 0


def _refuse_overtaken(newest: int, replaces: int | None, *, exists: bool) -> None:
    if replaces is None and exists:
        raise BadEntry("ref", "There is an entry of this name: choose another, or change it")
    if replaces is not None and replaces != newest:
        raise BadEntry("reason", OVERTAKEN)


def _refuse_in_use(book: Book, kind: Kind, ref: str) -> None:
    if kind is not Kind.UNIT_COST:
        return
    users = [key for key, line in book.benefits.items() if line.unit_cost == ref]
    users += [key for key, unit in book.unit_costs.items() if ref in (*unit.holds, *unit.excludes)]
    if users:
        raise BadEntry("reason", f"It is used by {', '.join(users)}: change these first")


def _row(
    kind: Kind,
    ref: str,
    version: int,
    body: Entry | None,
    reason: str,
    staff_id: int | None,
    now: datetime,
) -> CostEntryRow:
    return CostEntryRow(
        kind=kind.value,
        ref=ref,
        version=version,
        body=msgspec.to_builtins(body),
        removed=False,
        reason=reason.strip()[:LONGEST_REASON],
        made_by=staff_id,
        made_at=now,
    )


def register(session: Session, case_file: CaseFile, now: datetime) -> None:
    """The entries of a case file, in its transaction; raises :class:`CaseFileFault`."""
    book = stored.book_at(session, now) if case_file.costs else SHIPPED
    for given in case_file.costs:
        where = f"costs {given.kind.value} {given.ref}"
        ref = ASSUMPTIONS if given.kind is Kind.ASSUMPTIONS else given.ref
        try:
            entry: Entry = as_type(given.body, TYPES[given.kind])
            book = book.having(given.kind, ref, entry)
            check(book, ref, entry)
        except (BadOutcomeInput, BadEntry) as fault:
            raise CaseFileFault(f"{where}: {fault}") from None
        version = _newest(session, given.kind, ref) + 1
        session.add(_row(given.kind, ref, version, entry, given.reason, None, now))
        session.flush()
