"""Put what was refused through intake again, corrected or as it was, or set it aside.

A message goes the same way as if it came from the broker, with its own topic and the time at which
it was first received. Its original is always kept; who did what and why is kept beside it and in
the log.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from devices.codec import decode
from devices.command import ACK
from devices.quality import QualityLimits
from navigate_safer.db import refusals
from navigate_safer.db.base import Sessions
from navigate_safer.db.people import DeviceRow, GatewayRow
from navigate_safer.db.quarantine import IMPORT_TOPIC, Handling, Refusal
from navigate_safer.db.reading import reading
from navigate_safer.db.refusals import Entry, EntryLine, ReasonLine, Wanted
from navigate_safer.db.telemetry import QuarantineRow
from navigate_safer.people.access import Forbidden, Permission, Scope
from navigate_safer.people.account import Act
from navigate_safer.services import ingest
from navigate_safer.services.casework import NotFound
from navigate_safer.services.entry_handling import deal_with, log, note, row_of
from navigate_safer.services.ingest import Message
from navigate_safer.services.quarantine import message_hash

# Messages of one press of the button: some 100 ms of intake's time, so that it is never noticed.
SLICE = 100
LOOK_WITHIN_S = 5.0
# Longer topics are cut when they are stored, so that nobody knows any more where they led.
LONGEST_TOPIC = 300
NOT_KEPT = "The message was not kept whole, so that it cannot be tried again."
IMPORTED = (
    "It is a line of an imported file: import the file again when what was wrong is put right. "
    "What is there already is not doubled."
)
# What never went through intake, which would only refuse it as of an unknown topic.
_ELSEWHERE = {
    IMPORT_TOPIC: IMPORTED,
    f"{ACK}/": "It is a device's word on a command, which comes too late now: set it aside.",
}
_IS_IMPORTED = QuarantineRow.topic.startswith(IMPORT_TOPIC, autoescape=True)
_IS_ELSEWHERE = or_(*(QuarantineRow.topic.startswith(p, autoescape=True) for p in _ELSEWHERE))


class CannotRepair(Exception):
    """The message cannot be taken; each line says what is wrong, quoting none of it."""

    def __init__(self, *faults: str) -> None:
        super().__init__("; ".join(faults))
        self.faults = list(faults)


class Tried(msgspec.Struct, frozen=True):
    """What trying again came to. ``last_id`` is where the next slice begins.

    ``left`` messages wait still; ``imported`` lines wait for their file to be imported again.
    """

    messages: int
    taken: int
    refused: int
    last_id: int | None
    left: int
    imported: int = 0


class _Case(msgspec.Struct):
    """A message to be tried, and the ids of its entries."""

    message: Message
    entries: list[int]


def see_reasons(sessions: Sessions, scope: Scope) -> list[ReasonLine]:
    """Everything that was refused, by reason."""
    with reading(sessions, within_s=LOOK_WITHIN_S) as session:
        return refusals.by_reason(session, scope)


def see_lines(
    sessions: Sessions, scope: Scope, wanted: Wanted, before_id: int | None
) -> tuple[list[EntryLine], int]:
    """A page of entries and how many there are in all; no payload."""
    with reading(sessions, within_s=LOOK_WITHIN_S) as session:
        found = refusals.lines(session, scope, wanted, before_id)
        return found, refusals.count(session, scope, wanted)


def see_entry(sessions: Sessions, scope: Scope, entry_id: int, now: datetime) -> Entry:
    """One entry; seeing its payload is logged. Raises :class:`NotFound`."""
    with sessions.begin() as session:
        found = refusals.entry(session, scope, entry_id)
        if found is None:
            raise NotFound
        if found.payload is not None:
            log(session, scope, Act.CONSULTATION, "quarantined message", entry_id, now)
        return found


def try_again(
    sessions: Sessions, scope: Scope, entry_id: int, now: datetime, limits: QualityLimits
) -> Tried:
    """Put one message through intake as it is. Raises :class:`CannotRepair`, NotFound."""
    scope.require(Permission.REPAIR_TELEMETRY)
    with sessions.begin() as session:
        row = _to_repair(session, entry_id)
        case = _case(session, row)
        if case is None:
            raise CannotRepair(NOT_KEPT)
    return _replay(sessions, scope, [case], now, limits, last_id=entry_id, left=0)


def try_slice(
    sessions: Sessions,
    scope: Scope,
    wanted: Wanted,
    after_id: int,
    now: datetime,
    limits: QualityLimits,
) -> Tried:
    """Put the next messages that wait through intake, the oldest first, from above ``after_id``."""
    scope.require(Permission.REPAIR_TELEMETRY)
    waits = msgspec.structs.replace(wanted, state=Handling.WAITING)
    with sessions.begin() as session:
        query = refusals.narrowed(select(QuarantineRow), waits)
        query = query.where(QuarantineRow.id > after_id, ~_IS_ELSEWHERE)
        rows = list(session.scalars(query.order_by(QuarantineRow.id).limit(SLICE)))
        cases: dict[str, _Case] = {}
        for row in rows:
            key = row.message_hash or row.fingerprint
            case = None if key in cases else _case(session, row)
            if case is not None:
                cases[key] = case
    last_id = rows[-1].id if len(rows) == SLICE else None
    tried = _replay(sessions, scope, list(cases.values()), now, limits, last_id=last_id, left=0)
    with sessions.begin() as session:
        waiting = refusals.narrowed(select(QuarantineRow), waits)
        left, imported = (
            session.scalar(select(func.count()).select_from(waiting.where(which).subquery())) or 0
            for which in (~_IS_ELSEWHERE, _IS_IMPORTED)
        )
    return msgspec.structs.replace(tried, left=left, imported=imported)


def correct(
    sessions: Sessions,
    scope: Scope,
    entry_id: int,
    payload: bytes,
    why: str,
    now: datetime,
    limits: QualityLimits,
) -> Tried:
    """Put a corrected message through intake. Raises :class:`CannotRepair`, NotFound, Forbidden."""
    scope.require(Permission.REPAIR_TELEMETRY)
    with sessions.begin() as session:
        row = _to_repair(session, entry_id)
        # Who corrects a position must be one who may see it.
        if not refusals.may_see_payload(session, scope, row):
            raise Forbidden("may not see the places of this device")
        message = Message(row.topic, payload, row.received_at or row.first_at)
        _check(session, message, limits)
    results = ingest.store_or_part(sessions, [message], now, limits, None)
    stored, repeated = sum(each.stored for each in results), sum(each.repeated for each in results)
    refused = sum(each.refused for each in results)
    text = f"{stored} stored, {repeated} known already, {refused} refused"
    with sessions.begin() as session:
        row = row_of(session, entry_id)
        if not refused:
            for each in refusals.same_message(session, row):
                deal_with(session, each, Handling.CORRECTED)
        row.tried_at = now
        note(session, scope, row, "correct", why, text, now, payload)
    return Tried(1, int(not refused), refused, None, 0)


def set_aside(sessions: Sessions, scope: Scope, entry_id: int, why: str, now: datetime) -> None:
    """Say that a message will not be repaired, and why. Raises :class:`NotFound`."""
    scope.require(Permission.REPAIR_TELEMETRY)
    with sessions.begin() as session:
        row = row_of(session, entry_id)
        deal_with(session, row, Handling.SET_ASIDE)
        note(session, scope, row, "set_aside", why, "set aside", now)


def _replay(
    sessions: Sessions,
    scope: Scope,
    cases: Sequence[_Case],
    now: datetime,
    limits: QualityLimits,
    *,
    last_id: int | None,
    left: int,
) -> Tried:
    if not cases:
        return Tried(0, 0, 0, last_id, left)
    # One that cannot be stored for good is found and refused, and its neighbours are taken.
    results = ingest.store_or_part(sessions, [case.message for case in cases], now, limits, None)
    refused: dict[str, list[Refusal]] = {}
    for result in results:
        for each in result.refusals:
            refused.setdefault(each.message_hash, []).append(each)
    taken = 0
    with sessions.begin() as session:
        for case in cases:
            again = refused.get(message_hash(case.message.topic, case.message.payload), [])
            for row in session.scalars(
                select(QuarantineRow).where(QuarantineRow.id.in_(case.entries))
            ):
                _after_trying(session, scope, row, again, now)
            taken += not again
    return Tried(len(cases), taken, len(cases) - taken, last_id, left)


def _after_trying(
    session: Session, scope: Scope, row: QuarantineRow, again: Sequence[Refusal], now: datetime
) -> None:
    """Judge an entry by what was refused of its own message this time, for whatever reason.

    The entry of another reason may not be kept, where there is no more room: so this one waits on.
    """
    row.tried_at = now
    mine = [each for each in again if _concerns(each, row)]
    if not mine:
        deal_with(session, row, Handling.REPLAYED)
        text = "taken"
    else:
        if row.state == Handling.REPLAYED.value:
            deal_with(session, row, Handling.WAITING)
        same = any(each.reason == row.reason for each in mine)
        text = "refused again" if same else f"refused for another reason: {mine[0].explanation}"
    note(session, scope, row, "try_again", "", text, now)


def _concerns(refusal: Refusal, row: QuarantineRow) -> bool:
    """Whether it is of the same reading, or one of them is of the whole message."""
    whole = refusal.reading_index is None or row.reading_index is None
    return whole or refusal.reading_index == row.reading_index


def _case(session: Session, row: QuarantineRow) -> _Case | None:
    payload = refusals.whole_payload(session, row)
    if payload is None or len(row.topic) >= LONGEST_TOPIC:
        return None
    waiting = [
        each
        for each in refusals.same_message(session, row)
        if each.state == Handling.WAITING.value or each.id == row.id
    ]
    message = Message(row.topic, payload, row.received_at or row.first_at)
    return _Case(message, [each.id for each in waiting])


def _check(session: Session, message: Message, limits: QualityLimits) -> None:
    """Refuse a correction that intake would refuse, so that it does not become an entry itself."""
    decoded = decode(message.topic, message.payload, message.received_at, limits)
    faults = [
        each.text if each.index is None else f"reading {each.index + 1}: {each.text}"
        for each in decoded.rejected
    ]
    gateway = session.scalar(select(GatewayRow).where(GatewayRow.ref == decoded.gateway))
    if not faults and decoded.online is None:
        device = session.scalar(select(DeviceRow).where(DeviceRow.ref == (decoded.device or "")))
        if gateway is None:
            faults.append("no gateway of this name is registered")
        if device is None:
            faults.append("no device of this name is registered")
        elif gateway is not None and device.gateway_id not in (None, gateway.id):
            faults.append("the device is registered to another gateway than the one that sent this")
        if not decoded.readings:
            faults.append("there is no reading in it")
    if faults:
        raise CannotRepair(*faults)


def is_imported(topic: str) -> bool:
    """Whether it is of a line of an imported file."""
    return topic.startswith(IMPORT_TOPIC)


def why_not(topic: str) -> str | None:
    """Why a message of this topic cannot be tried or corrected, and what to do; None if it can."""
    return next((why for prefix, why in _ELSEWHERE.items() if topic.startswith(prefix)), None)


def _to_repair(session: Session, entry_id: int) -> QuarantineRow:
    row = row_of(session, entry_id)
    if (why := why_not(row.topic)) is not None:
        raise CannotRepair(why)
    return row
