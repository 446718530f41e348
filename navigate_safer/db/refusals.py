"""What is in quarantine, as the pages show it. A payload may hold positions: see :func:`entry`."""

import json
import re
from datetime import datetime

import msgspec
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from alerts.terms import DeviceKind
from navigate_safer.db.people import AreaRow, DeviceRow, FittingRow, StaffRow, WearerRow
from navigate_safer.db.quarantine import (
    IMPORT_TOPIC,
    Handling,
    QuarantineActRow,
    QuarantineGroupRow,
)
from navigate_safer.db.telemetry import QuarantineRow
from navigate_safer.people.access import Permission, Scope

LINES_ON_A_PAGE = 50
# The keys under which our own format and the Ministry's feed name a device, wherever they stand:
# what is refused is often no JSON, or a list of records of several devices.
_NAMED = re.compile(r'"device(?:_id)?"\s*:\s*(?:("(?:[^"\\]|\\.){1,400}")|([0-9]{1,64}))')


class Wanted(msgspec.Struct, frozen=True):
    """Which entries; None is any."""

    reason: str | None = None
    gateway: str | None = None
    device: str | None = None
    state: Handling | None = Handling.WAITING


class ReasonLine(msgspec.Struct, frozen=True):
    """Everything that was refused for one reason; ``sample_id`` is the newest entry that waits."""

    reason: str
    times: int
    first_at: datetime
    last_at: datetime
    waiting: int
    sample_id: int | None
    explanation: str | None


class EntryLine(msgspec.Struct, frozen=True):
    """One refusal, without its payload: that may hold positions."""

    entry_id: int
    first_at: datetime
    last_at: datetime
    times: int
    reason: str
    explanation: str
    gateway: str
    device: str | None
    payload_bytes: int
    state: str


class ActLine(msgspec.Struct, frozen=True):
    """What somebody did with an entry."""

    at: datetime
    by: str
    act: str
    why: str | None
    payload: bytes | None
    result: str


class Entry(msgspec.Struct, frozen=True):
    """One refusal with all there is about it.

    ``payload`` is None where it was not kept whole, and where whoever asks may not see it; then
    ``hidden`` is true.
    """

    line: EntryLine
    topic: str
    reading_index: int | None
    received_at: datetime
    payload: bytes | None
    hidden: bool
    acts: list[ActLine]


def by_reason(session: Session, scope: Scope) -> list[ReasonLine]:
    """Every reason that there has been, the commonest first."""
    scope.require(Permission.SEE_OPERATIONS)
    group = QuarantineGroupRow
    total = func.sum(group.times)
    query = (
        select(group.reason, total, func.min(group.first_at), func.max(group.last_at))
        .group_by(group.reason)
        .order_by(total.desc(), group.reason)
    )
    waiting = _waiting(session)
    lines = []
    for reason, times, first_at, last_at in session.execute(query):
        count, sample_id = waiting.get(reason, (0, None))
        sample = None if sample_id is None else session.get(QuarantineRow, sample_id)
        text = None if sample is None else sample.explanation
        lines.append(ReasonLine(reason, int(times), first_at, last_at, count, sample_id, text))
    return lines


def _waiting(session: Session) -> dict[str, tuple[int, int]]:
    query = (
        select(QuarantineRow.reason, func.count(), func.max(QuarantineRow.id))
        .where(QuarantineRow.state == Handling.WAITING.value)
        .group_by(QuarantineRow.reason)
    )
    return {reason: (int(count), newest) for reason, count, newest in session.execute(query)}


def narrowed(query: Select[QuarantineRow], wanted: Wanted) -> Select[QuarantineRow]:
    """The query for those entries only."""
    for column, value in (
        (QuarantineRow.reason, wanted.reason),
        (QuarantineRow.gateway, wanted.gateway),
        (QuarantineRow.device, wanted.device),
        (QuarantineRow.state, None if wanted.state is None else wanted.state.value),
    ):
        if value is not None:
            query = query.where(column == value)
    return query


def lines(
    session: Session, scope: Scope, wanted: Wanted, before_id: int | None = None
) -> list[EntryLine]:
    """A page of entries, the newest first, from below ``before_id``."""
    scope.require(Permission.SEE_OPERATIONS)
    query = narrowed(select(QuarantineRow), wanted).order_by(QuarantineRow.id.desc())
    if before_id is not None:
        query = query.where(QuarantineRow.id < before_id)
    return [_line(row) for row in session.scalars(query.limit(LINES_ON_A_PAGE))]


def _line(row: QuarantineRow) -> EntryLine:
    return EntryLine(
        row.id, row.first_at, row.last_at, row.times, row.reason, row.explanation,
        row.gateway, row.device, row.payload_bytes, row.state,
    )  # fmt: skip


def count(session: Session, scope: Scope, wanted: Wanted) -> int:
    """How many entries there are."""
    scope.require(Permission.SEE_OPERATIONS)
    query = narrowed(select(QuarantineRow), wanted).subquery()
    return session.scalar(select(func.count()).select_from(query)) or 0


def entry(session: Session, scope: Scope, entry_id: int) -> Entry | None:
    """One entry; its payload only for those who may see the places of its wearer."""
    scope.require(Permission.SEE_OPERATIONS)
    row = session.get(QuarantineRow, entry_id)
    if row is None:
        return None
    may_see = may_see_payload(session, scope, row)
    return Entry(
        line=_line(row),
        topic=row.topic,
        reading_index=row.reading_index,
        received_at=row.received_at or row.first_at,
        payload=whole_payload(session, row) if may_see else None,
        hidden=not may_see,
        acts=_acts(session, scope, row.id, may_see=may_see),
    )


def may_see_payload(session: Session, scope: Scope, row: QuarantineRow) -> bool:
    """Whether positions may be seen, and no device named was on anybody of another area.

    Where it cannot be told on whom each device named was, only who has every area may; and what a
    protected person's device sent, or may have sent, nobody may see.
    """
    if not scope.may(Permission.SEE_PLACES):
        return False
    named = _devices_named(session, row)
    hers = select(DeviceRow.id).where(DeviceRow.kind == DeviceKind.PROTECTED_PERSON.value)
    # A line of a file names its device in a column: where nobody could read it, it may be hers.
    is_anybodys = row.topic.startswith(IMPORT_TOPIC) and row.device is None
    if not is_anybodys:
        hers = hers.where(DeviceRow.ref.in_(named))
    if session.scalar(hers.limit(1)) is not None:
        return False
    if set(session.scalars(select(AreaRow.id))) <= set(scope.areas):
        return True
    worn = session.execute(
        select(DeviceRow.ref, WearerRow.area_id)
        .join(FittingRow, FittingRow.device_id == DeviceRow.id)
        .join(WearerRow, WearerRow.id == FittingRow.wearer_id)
        .where(DeviceRow.ref.in_(named))
    ).all()
    known, areas = {ref for ref, _ in worn}, {area for _, area in worn}
    return bool(named) and known == named and areas <= set(scope.areas)


def _devices_named(session: Session, row: QuarantineRow) -> set[str]:
    """The device of the topic, and every one that the whole message names."""
    payload = whole_payload(session, row) or row.payload
    text = payload.decode(json.detect_encoding(payload), "replace")
    named = {_plain(word) or number for word, number in _NAMED.findall(text)}
    return named if row.device is None else named | {row.device}


def _plain(word: str) -> str:
    """A JSON text without its quotes and escapes, by which a name may be written differently.

    What is no name of a device stays none; a zero or half a surrogate no database would look for.
    """
    try:
        name = str(json.loads(word)) if word else ""
    except ValueError:
        return repr(word)
    return name if name.isprintable() else repr(name)


def whole_payload(session: Session, row: QuarantineRow) -> bytes | None:
    """The message as it came; None when it was not kept, or not all of it."""
    if len(row.payload) == row.payload_bytes:
        return row.payload
    if row.message_hash is None:
        return None
    return session.scalar(
        select(QuarantineRow.payload)
        .where(
            QuarantineRow.message_hash == row.message_hash,
            func.length(QuarantineRow.payload) == row.payload_bytes,
        )
        .limit(1)
    )


def same_message(session: Session, row: QuarantineRow) -> list[QuarantineRow]:
    """Every entry of the same message, this one among them."""
    if row.message_hash is None:
        return [row]
    query = select(QuarantineRow).where(QuarantineRow.message_hash == row.message_hash)
    return list(session.scalars(query.order_by(QuarantineRow.id)))


def _acts(session: Session, scope: Scope, entry_id: int, *, may_see: bool) -> list[ActLine]:
    query = (
        select(QuarantineActRow, StaffRow.name)
        .join(StaffRow, StaffRow.id == QuarantineActRow.staff_id)
        .where(QuarantineActRow.quarantine_id == entry_id)
        .order_by(QuarantineActRow.id.desc())
    )
    return [
        ActLine(
            act.at,
            name,
            act.act,
            # Free text may say who and where, as the message does; one's own words are no news.
            act.why if may_see or act.staff_id == scope.staff_id else None,
            act.payload if may_see else None,
            act.result,
        )
        for act, name in session.execute(query)
    ]
