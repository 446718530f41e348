"""Put what was refused through intake again, corrected or as it was, or set it aside.

A message goes the same way as if it came from the broker, with its own topic and the time at which
it was first received. Its original is always kept; who did what and why is kept beside it and in
the log.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from devices.codec import decode
from devices.quality import QualityLimits
from navigate_safer.db import audit, refusals
from navigate_safer.db.base import Sessions
from navigate_safer.db.people import DeviceRow, GatewayRow
from navigate_safer.db.quarantine import Handling, QuarantineActRow, QuarantineGroupRow
from navigate_safer.db.reading import reading
from navigate_safer.db.refusals import Entry, EntryLine, ReasonLine, Wanted
from navigate_safer.db.telemetry import QuarantineRow
from navigate_safer.people.access import Forbidden, Permission, Scope
from navigate_safer.people.account import Act
from navigate_safer.services import ingest
from navigate_safer.services.casework import NotFound
from navigate_safer.services.ingest import Message

# Messages of one press of the button: some 100 ms of intake's time, so that it is never noticed.
SLICE = 100
LONGEST_REASON = 1_000
LOOK_WITHIN_S = 5.0
# Longer topics are cut when they are stored, so that nobody knows any more where they led.
LONGEST_TOPIC = 300
NOT_KEPT = "The message was not kept whole, so that it cannot be tried again."


class CannotRepair(Exception):
    """The message cannot be taken; each line says what is wrong, quoting none of it."""

    def __init__(self, *faults: str) -> None:
        super().__init__("; ".join(faults))
        self.faults = list(faults)


class Tried(msgspec.Struct, frozen=True):
    """What trying again came to. ``last_id`` is where the next slice begins."""

    messages: int
    taken: int
    refused: int
    last_id: int | None
    left: int


class _Case(msgspec.Struct):
    """A message to be tried, and how often each of its entries had been refused before."""

    message: Message
    times: dict[int, int]


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
            _log(session, scope, Act.CONSULTATION, "quarantined message", entry_id, now)
        return found


def try_again(
    sessions: Sessions, scope: Scope, entry_id: int, now: datetime, limits: QualityLimits
) -> Tried:
    """Put one message through intake as it is. Raises :class:`CannotRepair`, NotFound."""
    scope.require(Permission.REPAIR_TELEMETRY)
    with sessions.begin() as session:
        row = _row(session, entry_id)
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
        query = query.where(QuarantineRow.id > after_id).order_by(QuarantineRow.id).limit(SLICE)
        rows = list(session.scalars(query))
        cases: dict[str, _Case] = {}
        for row in rows:
            key = row.message_hash or row.fingerprint
            case = None if key in cases else _case(session, row)
            if case is not None:
                cases[key] = case
    last_id = rows[-1].id if len(rows) == SLICE else None
    tried = _replay(sessions, scope, list(cases.values()), now, limits, last_id=last_id, left=0)
    with sessions.begin() as session:
        left = refusals.count(session, scope, waits)
    return msgspec.structs.replace(tried, left=left)


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
        row = _row(session, entry_id)
        # Who corrects a position must be one who may see it.
        if not refusals.may_see_payload(session, scope, row):
            raise Forbidden("may not see the places of this device")
        message = Message(row.topic, payload, row.received_at or row.first_at)
        _check(session, message, limits)
    result = ingest.store_batch(sessions, [message], now, limits)
    text = f"{result.stored} stored, {result.repeated} known already, {result.refused} refused"
    with sessions.begin() as session:
        row = _row(session, entry_id)
        if not result.refused:
            for each in refusals.same_message(session, row):
                _deal_with(session, each, Handling.CORRECTED)
        row.tried_at = now
        _note(session, scope, row, "correct", why, text, now, payload)
    return Tried(1, int(not result.refused), result.refused, None, 0)


def set_aside(sessions: Sessions, scope: Scope, entry_id: int, why: str, now: datetime) -> None:
    """Say that a message will not be repaired, and why. Raises :class:`NotFound`."""
    scope.require(Permission.REPAIR_TELEMETRY)
    with sessions.begin() as session:
        row = _row(session, entry_id)
        _deal_with(session, row, Handling.SET_ASIDE)
        _note(session, scope, row, "set_aside", why, "set aside", now)


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
    ingest.store_batch(sessions, [case.message for case in cases], now, limits)
    taken = 0
    with sessions.begin() as session:
        for case in cases:
            rows = session.scalars(select(QuarantineRow).where(QuarantineRow.id.in_(case.times)))
            # What intake refused again has been counted up again.
            again = [_after_trying(session, scope, row, case.times[row.id], now) for row in rows]
            taken += not any(again)
    return Tried(len(cases), taken, len(cases) - taken, last_id, left)


def _after_trying(
    session: Session, scope: Scope, row: QuarantineRow, times: int, now: datetime
) -> bool:
    row.tried_at = now
    refused = row.times > times
    if not refused:
        _deal_with(session, row, Handling.REPLAYED)
    text = "refused again" if refused else "taken"
    _note(session, scope, row, "try_again", "", text, now)
    return refused


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
    return _Case(message, {each.id: each.times for each in waiting})


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


def _deal_with(session: Session, row: QuarantineRow, handling: Handling) -> None:
    """Change the state; only what waits counts towards the most that is kept."""
    if row.state == Handling.WAITING.value and handling is not Handling.WAITING:
        group = session.get(QuarantineGroupRow, (row.reason, row.gateway), with_for_update=True)
        if group is not None:
            group.kept = max(0, group.kept - 1)
            group.kept_bytes = max(0, group.kept_bytes - len(row.payload))
    row.state = handling.value


def _row(session: Session, entry_id: int) -> QuarantineRow:
    row = session.get(QuarantineRow, entry_id, with_for_update=True)
    if row is None:
        raise NotFound
    return row


def _note(
    session: Session,
    scope: Scope,
    row: QuarantineRow,
    act: str,
    why: str,
    result: str,
    now: datetime,
    payload: bytes | None = None,
) -> None:
    session.add(
        QuarantineActRow(
            quarantine_id=row.id,
            at=now,
            staff_id=scope.staff_id,
            act=act,
            why=why.strip()[:LONGEST_REASON],
            payload=payload,
            result=result,
        )
    )
    _log(session, scope, Act.ALTERATION, f"quarantine: {act}", row.id, now)


def _log(session: Session, scope: Scope, act: Act, what: str, entry_id: int, now: datetime) -> None:
    audit.record(
        session, act, what, at=now, actor="staff", staff_id=scope.staff_id,
        subject_kind="quarantine", subject_id=entry_id,
    )  # fmt: skip
