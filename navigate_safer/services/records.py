"""Write and read case records; within the caller's transaction, with the log in it.

The pages' services open the transaction, so that several records of one step are kept together or
not at all.
"""

import secrets
from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from navigate_safer.db import audit, case_records, caseload
from navigate_safer.db.base import Sessions
from navigate_safer.db.case_records import CaseRecordRow, Found
from navigate_safer.db.people import AreaRow, WearerRow
from navigate_safer.people.access import Scope
from navigate_safer.people.account import Act
from navigate_safer.people.records import LONGEST_LINE, BodyT, Due, Record, RecordKind
from navigate_safer.services.casework import NotFound

# Without letters and digits that are taken for one another.
_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 7
LONGEST_REASON = 1_000


class Stale(Exception):
    """Somebody else has changed the record since it was read; ``newest`` is what they wrote."""

    def __init__(self, newest: Record[Any]) -> None:
        super().__init__(f"{newest.made_by} changed it in between")
        self.newest = newest


class SlotTaken(Exception):
    """There is one current record of this already, and there may be one."""


class About(msgspec.Struct, frozen=True):
    """Whom or what a record is about: a wearer, or an area and nobody in it.

    ``subject`` is the reference of what else it belongs to, by which it can be listed.
    """

    area_id: int
    wearer_id: int | None = None
    subject: str | None = None


def about(session: Session, scope: Scope, ref: str) -> tuple[About, WearerRow]:
    """One wearer of the scope; raises :class:`NotFound`."""
    person = caseload.person(session, scope, ref)
    row = None if person is None else session.get(WearerRow, person.wearer_id)
    if row is None:
        raise NotFound
    return About(row.area_id, row.id), row


def areas(sessions: Sessions, scope: Scope) -> dict[int, str]:
    """Names of the areas of whoever asks, by id."""
    with sessions() as session:
        query = select(AreaRow.id, AreaRow.name).where(AreaRow.id.in_(scope.areas))
        return dict(session.execute(query.order_by(AreaRow.name)).all())


def add(
    session: Session,
    scope: Scope,
    kind: RecordKind[BodyT],
    of: About,
    body: BodyT,
    *,
    now: datetime,
    at: datetime | None = None,
    state: str = "open",
    slot: str | None = None,
    due: Due | None = None,
    reason: str = "",
) -> Record[BodyT]:
    """A new record. Raises Forbidden, NotFound (another's area) and :class:`SlotTaken`."""
    scope.require(kind.write)
    if of.area_id not in scope.areas:
        raise NotFound
    ref = f"{kind.prefix}-{''.join(secrets.choice(_LETTERS) for _ in range(_LENGTH))}"
    row = CaseRecordRow(kind=kind.name, ref=ref, version=1, area_id=of.area_id)
    row.wearer_id, row.subject, row.at = of.wearer_id, of.subject, at or now
    return _store(session, scope, kind, row, body, state, slot, due, reason, now)


def change(
    session: Session,
    scope: Scope,
    kind: RecordKind[BodyT],
    ref: str,
    body: BodyT,
    *,
    replaces: int,
    now: datetime,
    at: datetime | None = None,
    state: str | None = None,
    slot: str | None = None,
    due: Due | None = None,
    reason: str = "",
    of: About | None = None,
) -> Record[BodyT]:
    """A new version of what was read as version ``replaces``.

    ``state``, ``at`` and ``of`` (whom it is about) stay as they are unless given; ``slot`` and
    ``due`` are those of the new version, so that leaving them out ends them. Raises :class:`Stale`
    when another version has come in between, and Forbidden, NotFound and :class:`SlotTaken`.
    """
    scope.require(kind.write)
    found = case_records.newest(session, scope, kind, ref, held=True)
    # Who has waited for another's change finds nothing: the version that was waited for is over.
    found = found or case_records.newest(session, scope, kind, ref)
    if found is None:
        raise NotFound
    old = found[0]
    if old.version != replaces:
        raise Stale(read(kind, found))
    old.superseded_at = now
    session.flush()
    row = CaseRecordRow(kind=kind.name, ref=ref, version=old.version + 1, area_id=old.area_id)
    row.wearer_id = old.wearer_id if of is None else of.wearer_id
    row.subject, row.at = old.subject, at or old.at
    return _store(session, scope, kind, row, body, state or old.state, slot, due, reason, now)


def newest(session: Session, scope: Scope, kind: RecordKind[BodyT], ref: str) -> Record[BodyT]:
    """The current version; raises Forbidden and :class:`NotFound`."""
    found = case_records.newest(session, scope, kind, ref)
    if found is None:
        raise NotFound
    return read(kind, found)


def versions(
    session: Session, scope: Scope, kind: RecordKind[BodyT], ref: str
) -> list[Record[BodyT]]:
    """Every version, the newest first; raises Forbidden and :class:`NotFound`."""
    found = case_records.versions(session, scope, kind, ref)
    if not found:
        raise NotFound
    return [read(kind, each) for each in found]


def listed(
    session: Session,
    scope: Scope,
    kind: RecordKind[BodyT],
    *,
    wearer_id: int | None = None,
    subject: str | None = None,
    states: Collection[str] | None = None,
    limit: int | None = None,
) -> list[Record[BodyT]]:
    """Current records of a kind, the newest first; raises Forbidden."""
    found = case_records.listed(
        session, scope, kind, wearer_id=wearer_id, subject=subject, states=states, limit=limit
    )
    return [read(kind, each) for each in found]


def in_slot(
    session: Session, scope: Scope, kind: RecordKind[BodyT], slot: str
) -> Record[BodyT] | None:
    """The one current record of a slot; raises Forbidden."""
    found = case_records.in_slot(session, scope, kind, slot)
    return None if found is None else read(kind, found)


def in_slots(
    session: Session, scope: Scope, kind: RecordKind[BodyT], beginning: str
) -> list[Record[BodyT]]:
    """Current records whose slots begin so, the oldest first; raises Forbidden."""
    return [read(kind, each) for each in case_records.in_slots(session, scope, kind, beginning)]


def read(kind: RecordKind[BodyT], found: Found) -> Record[BodyT]:
    """A row as its record."""
    row, wearer_ref, author = found
    due = None if row.due_at is None else Due(row.due_at, row.due_what or "", row.due_who)
    return Record(
        record_id=row.id,
        kind=row.kind,
        ref=row.ref,
        version=row.version,
        wearer_id=row.wearer_id,
        wearer_ref=wearer_ref,
        area_id=row.area_id,
        subject=row.subject,
        state=row.state,
        at=row.at,
        due=due,
        body=msgspec.convert(row.body, kind.body),
        made_by=author,
        made_by_id=row.made_by,
        made_at=row.made_at,
        reason=row.reason,
        superseded_at=row.superseded_at,
    )


def consulted(
    session: Session,
    scope: Scope,
    what: str,
    now: datetime,
    *,
    wearer_id: int | None = None,
    detail: dict[str, object] | None = None,
) -> None:
    """Log a look at records; ``detail`` holds counts and references and nothing of a record."""
    kind = "wearer" if wearer_id is not None else "case records"
    audit.looked(session, scope, what, kind, wearer_id, now, detail)


def _store(
    session: Session,
    scope: Scope,
    kind: RecordKind[BodyT],
    row: CaseRecordRow,
    body: BodyT,
    state: str,
    slot: str | None,
    due: Due | None,
    reason: str,
    now: datetime,
) -> Record[BodyT]:
    row.body, row.state, row.slot = msgspec.to_builtins(body), state, slot
    row.made_by, row.made_at, row.reason = scope.staff_id, now, reason.strip()[:LONGEST_REASON]
    if due is not None:
        row.due_at, row.due_what, row.due_who = due.at, due.what[:LONGEST_LINE], due.who
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError as fault:
        if slot is None or "slot" not in str(fault.orig):
            raise
        raise SlotTaken(kind.label) from None
    audit.record(
        session,
        Act.COLLECTION if row.version == 1 else Act.ALTERATION,
        kind.label.lower(),
        at=now,
        actor="staff",
        staff_id=scope.staff_id,
        subject_kind="wearer" if row.wearer_id is not None else "case records",
        subject_id=row.wearer_id,
        detail={"record": row.ref, "version": row.version, "state": state},
    )
    found = case_records.newest(session, scope, kind, row.ref)
    assert found is not None, "whoever may write a record may see it"
    return read(kind, found)
