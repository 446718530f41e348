"""Take commands to devices and answers back: claim by lease, commit, publish, record.

A command may be published twice (a kill between the two commits) and never not at all while it
lasts; a device does one ``id`` once. Every change is a guarded transition with its history.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from devices import command as wire
from devices.command import (
    ACK_MOVES,
    Acknowledgement,
    CommandKind,
    CommandMove,
    CommandState,
    StandingText,
)
from devices.mqtt_publish import Published
from devices.readings import Fix
from devices.rejection import Reason, Rejected
from navigate_safer.db import commands, readings
from navigate_safer.db.base import Sessions
from navigate_safer.db.commands import CommandHistoryRow, CommandRow
from navigate_safer.db.people import DeviceRow, GatewayRow
from navigate_safer.db.reading import reading
from navigate_safer.services.commands import note
from navigate_safer.services.quarantine import Quarantine

# A sender that died holds its command for this long: longer than it may take to connect with the
# one protocol and the other and then to wait for the broker's word, once, 15 s in all.
LEASE = timedelta(seconds=20)
LOOK_WITHIN_S = 5.0
# The broker itself does not answer: the other gateways are behind the same broker.
_NO_BROKER = (Published.NO_ANSWER, Published.NOT_CONNECTED)
FIRST_RETRY, LONGEST_RETRY = timedelta(seconds=1), timedelta(seconds=15)
# Why a command is not sent that waited while its device was taken off.
TAKEN_OFF = "taken_off"
# A fix measured in time may be on its way while the command expires.
ON_ITS_WAY = timedelta(seconds=5)
# The worst that publishing to several gateways came to, worst last.
_WORSE = (
    Published.NOBODY_LISTENS,
    Published.REFUSED,
    Published.NO_ANSWER,
    Published.NOT_CONNECTED,
)


class CommandPublisher(Protocol):
    """The way down: MQTT, or a recording in tests."""

    def publish(self, topic: str, payload: bytes, *, expires_in_s: int) -> Published:
        """Hand one message over; never raises."""


class Told(Protocol):
    """An acknowledgement as it came from the broker."""

    @property
    def topic(self) -> str: ...  # noqa: D102
    @property
    def payload(self) -> bytes: ...  # noqa: D102
    @property
    def received_at(self) -> datetime: ...  # noqa: D102


class Claim(msgspec.Struct, frozen=True):
    """A command that this process alone publishes until the lease ends."""

    command_id: int
    device: str
    gateways: list[str]
    payload: bytes
    expires_at: datetime


class Sent(msgspec.Struct, frozen=True):
    """What became of one claim; ``fault`` None when the broker has it."""

    command_id: int
    fault: str | None


def send_next(
    sessions: Sessions, publisher: CommandPublisher, clock: Callable[[], datetime]
) -> Sent | None:
    """Settle what has ended, and send the command that has waited longest; None when none is due.

    Where there is nothing to do nothing is locked: on SQLite each transaction takes the write lock.
    """
    with reading(sessions, within_s=LOOK_WITHIN_S) as session:
        if not commands.live(session):
            return None
    with sessions.begin() as session:
        now = clock()
        for row in commands.live(session):
            _settle(session, row, now)
        claim = _claim(session, now)
    if claim is None:
        return None
    return _record(sessions, claim, _publish(claim, publisher, clock), clock())


def _publish(
    claim: Claim, publisher: CommandPublisher, clock: Callable[[], datetime]
) -> dict[str, Published]:
    """To each gateway, with what is left of the command's time when it is its turn.

    A broker that does not answer is asked once and not once a gateway: that would outlast the
    lease, and another sender would begin anew.
    """
    results: dict[str, Published] = {}
    for gateway in claim.gateways:
        left_s = int((claim.expires_at - clock()).total_seconds())
        if left_s < 1:
            break
        topic = wire.topic(gateway, claim.device)
        results[gateway] = publisher.publish(topic, claim.payload, expires_in_s=left_s)
        if results[gateway] in _NO_BROKER:
            break
    return results


def _claim(session: Session, now: datetime) -> Claim | None:
    row = commands.next_due(session, now)
    if row is None:
        return None
    device = session.get_one(DeviceRow, row.device_id)
    row.due_at = now + LEASE
    row.tries += 1
    text = None if row.standing_text is None else StandingText(row.standing_text)
    kind = CommandKind(row.kind)
    payload = wire.command(row.name, kind, row.issued_at, row.expires_at, text)
    gateways = commands.targets(session, device)
    return Claim(row.id, device.ref, gateways, payload, row.expires_at)


def _record(sessions: Sessions, claim: Claim, results: dict[str, Published], now: datetime) -> Sent:
    taken = [gateway for gateway, each in results.items() if each is Published.ACCEPTED]
    with sessions.begin() as session:
        row = session.get_one(CommandRow, claim.command_id, with_for_update=True)
        if taken:
            row.due_at, row.fault = None, None
            for gateway in taken:
                move(session, row, CommandMove.SEND, now, gateway=gateway)
            return Sent(row.id, None)
        worst = max(results.values(), key=_WORSE.index, default=None)
        if worst is not None:
            row.fault = worst.value
        elif not claim.gateways:
            row.fault = "no_gateway"
        if CommandState(row.state).live:
            row.due_at = now + min(FIRST_RETRY * 2 ** min(row.tries - 1, 10), LONGEST_RETRY)
        else:
            row.due_at = None
        return Sent(row.id, row.fault)


def move(
    session: Session,
    row: CommandRow,
    what: CommandMove,
    at: datetime,
    *,
    gateway: str | None = None,
    reason: str | None = None,
) -> bool:
    """Make a guarded transition; False, changing nothing, where it is refused."""
    state = wire.after(CommandState(row.state), what)
    if state is None:
        return False
    row.state = state.value
    if state is not CommandState.QUEUED:
        row.due_at = None
    note(session, row, at, what.value, gateway=gateway, reason=reason)
    return True


def take_acks(sessions: Sessions, told: Sequence[Told], now: datetime) -> int:
    """Store acknowledgements in one transaction; how many changed a command.

    What cannot be read, or belongs to no command of this device, goes to quarantine.
    """
    quarantine, changed = Quarantine(), 0
    with sessions.begin() as session:
        for each in told:
            # The broker of the demonstration hands retained messages of every topic to whoever
            # subscribes; intake has its own copy of them.
            if not each.topic.startswith(f"{wire.ACK}/"):
                continue
            ack = wire.decode_ack(each.topic, each.payload)
            refusal = ack.rejected or _take(session, ack, each.received_at)
            if isinstance(refusal, Rejected):
                quarantine.add(each.topic, each.payload, ack.gateway, ack.device, refusal)
            elif refusal:
                changed += 1
        quarantine.write(session, now)
    return changed


def _take(session: Session, heard: Acknowledgement, received_at: datetime) -> Rejected | bool:
    assert heard.ack is not None
    row = commands.by_name(session, heard.ack.id)
    if row is None:
        return Rejected(Reason.INVALID, "there is no command of this id")
    refusal = _not_its_own(session, row, heard)
    if refusal is not None:
        return refusal
    what = ACK_MOVES[heard.ack.status]
    if what is CommandMove.ANSWER and row.kind == CommandKind.LOCATE.value:
        what = CommandMove.DELIVER  # a locate is answered by a fix, not by a word
    words = heard.ack.reason
    if move(session, row, what, received_at, gateway=heard.gateway, reason=words):
        return True
    return _note_late(session, row, what, received_at, heard.gateway)


def _not_its_own(session: Session, row: CommandRow, heard: Acknowledgement) -> Rejected | None:
    """Why the sender may not speak of this command; None where it may."""
    device = session.get_one(DeviceRow, row.device_id)
    if device.ref != heard.device:
        return Rejected(Reason.WRONG_TOPIC, "the command went to another device than the topic's")
    gateway = session.scalar(select(GatewayRow).where(GatewayRow.ref == heard.gateway))
    if gateway is None:
        return Rejected(Reason.UNKNOWN_GATEWAY, "no gateway of this name is registered")
    if device.gateway_id is not None and device.gateway_id != gateway.id:
        text = "the device is registered to another gateway than the one that sent this"
        return Rejected(Reason.WRONG_GATEWAY, text)
    return None


def _note_late(
    session: Session, row: CommandRow, what: CommandMove, at: datetime, gateway: str
) -> bool:
    """A device that answers after the end: kept once, and changes nothing."""
    if row.state != CommandState.EXPIRED.value:
        return False
    late = f"late_{what.value}"
    known = select(CommandHistoryRow.id).where(
        CommandHistoryRow.command_id == row.id, CommandHistoryRow.move == late
    )
    if session.scalar(known.limit(1)) is not None:
        return False
    note(session, row, at, late, gateway=gateway)
    return True


def settle(sessions: Sessions, now: datetime) -> int:
    """Find the fixes that answer, end what has expired; how many commands ended."""
    with sessions.begin() as session:
        return sum(_settle(session, row, now) for row in commands.live(session))


def _settle(session: Session, row: CommandRow, now: datetime) -> bool:
    off_at = commands.taken_off_at(session, row)
    if row.kind == CommandKind.LOCATE.value and _located(session, row, now, off_at):
        return True
    never_sent = row.state == CommandState.QUEUED.value
    if never_sent and off_at is not None and off_at <= now:
        # It may be on somebody else by now, of whom nothing was asked.
        row.fault = TAKEN_OFF
        return move(session, row, CommandMove.FAIL, now, reason=TAKEN_OFF)
    if now < row.expires_at + ON_ITS_WAY:
        return False
    what = CommandMove.FAIL if never_sent else CommandMove.EXPIRE
    return move(session, row, what, now, reason=row.fault)


def _located(session: Session, row: CommandRow, now: datetime, off_at: datetime | None) -> bool:
    """The first fix measured after the command was issued, and received after it too.

    The second keeps out a device whose clock runs ahead: it did not know of the command yet. From
    ``off_at`` on its fixes are another's.
    """
    since, until = row.issued_at, min(row.expires_at, off_at or row.expires_at)
    device = session.get_one(DeviceRow, row.device_id)
    found = readings.between(session, row.device_id, device.ref, None, until, from_at=since)
    fixes = [each for each in found if isinstance(each, Fix) and each.stamp.received_at >= since]
    if not fixes:
        return False
    first = min(fixes, key=lambda each: each.stamp.measured_at)
    if not move(session, row, CommandMove.ANSWER, now):
        return False
    row.answer_at, row.answer_accuracy_m = first.stamp.measured_at, first.accuracy_m
    return True
