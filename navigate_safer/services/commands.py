"""What staff ask of a device, and what they are shown of it. Sending is in ``command_post``."""

import uuid
from datetime import datetime, timedelta
from enum import Enum

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.terms import DeviceKind
from devices.command import CommandKind, CommandState, StandingText
from navigate_safer.db import audit, commands, orders
from navigate_safer.db.alerting import AlertRow
from navigate_safer.db.audit import AuditRow
from navigate_safer.db.base import Sessions
from navigate_safer.db.commands import CommandHistoryRow, CommandLine, CommandRow, Way
from navigate_safer.db.people import DeviceRow, WearerRow
from navigate_safer.db.reading import reading
from navigate_safer.db.telemetry import HeartbeatRow
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.account import Act
from navigate_safer.people.days import day_of
from navigate_safer.services.casework import NotFound

LONGEST_REASON = 400
COUNTED_OVER = timedelta(hours=1)
SHOWN = 5
LOOK_WITHIN_S = 5.0
# The worker beats every 5 s; as for the others, a minute without is the bar.
WORKER_STALE = timedelta(seconds=60)
LOCATED = "position on demand"


class CommandPolicy(msgspec.Struct, frozen=True):
    """Limits of asking; settings of the installation, see there for their reasons."""

    lasts_s: int
    per_hour: int


class Asked(Enum):
    """What became of asking."""

    QUEUED = "queued"
    ALREADY = "already"
    NEEDS_REASON = "needs_reason"
    TOO_MANY = "too_many"
    NO_POSITIONS = "no_positions"


class Wanted(msgspec.Struct, frozen=True):
    """What somebody asks of a device. ``text`` only with kind message."""

    device: str
    kind: CommandKind
    text: StandingText | None = None
    reason: str = ""


class Panel(msgspec.Struct, frozen=True):
    """Commands of one wearer: the ways to the devices, and the newest commands.

    ``needs_reason`` when no alert is open that would be the reason to locate, or no order is in
    force; ``sender_up`` whether the worker that sends gives a sign of life.
    """

    ways: list[Way]
    lines: list[CommandLine]
    needs_reason: bool
    sender_up: bool


def ask(
    sessions: Sessions,
    scope: Scope,
    wearer_ref: str,
    wanted: Wanted,
    now: datetime,
    policy: CommandPolicy,
) -> Asked:
    """Queue a command; raises NotFound for a device that is not on this wearer now.

    While the same is being asked already nothing is added: a second press costs no battery.
    """
    with sessions.begin() as session:
        wearer, devices = _fitted(session, scope, wearer_ref)
        device = next((each for each in devices if each.ref == wanted.device), None)
        if device is None:
            raise NotFound
        if wanted.kind is CommandKind.LOCATE and device.kind != DeviceKind.LOCATION_TAG.value:
            return Asked.NO_POSITIONS
        # Two who ask at once are counted one after the other.
        session.refresh(device, with_for_update=True)
        recent = commands.issued_since(session, device.id, now - COUNTED_OVER)
        if any(_is_the_same(row, wanted) and row.expires_at > now for row in recent):
            return Asked.ALREADY
        if len(recent) >= policy.per_hour:
            return Asked.TOO_MANY
        alert = commands.live_alert(session, wearer.id)
        reason = wanted.reason.strip()[:LONGEST_REASON]
        if not reason and not wanted.kind.acts_on_wearer:
            reason = _reason_to_look(session, alert, now)
        if not reason:
            return Asked.NEEDS_REASON
        row = CommandRow(
            wearer_id=wearer.id,
            alert_id=None if alert is None else alert.id,
            staff_id=scope.staff_id,
            reason=reason,
        )
        _queue(session, row, device, wanted, now, policy)
        return Asked.QUEUED


def _reason_to_look(session: Session, alert: AlertRow | None, now: datetime) -> str:
    """The open alert, where there is one and his last order has not ended; else nothing."""
    if alert is None or alert.wearer_id is None:
        return ""
    is_enough = orders.is_in_force(session, alert.wearer_id, day_of(now))
    return f"open alert {alert.reference}" if is_enough else ""


def vibrate(
    session: Session,
    device: DeviceRow,
    row: CommandRow,
    now: datetime,
    policy: CommandPolicy,
) -> bool:
    """Queue a vibration that a policy asks for, in the caller's transaction.

    ``row`` names the wearer, the alert, the reason, and the supervisor whose policy it is. False,
    with nothing queued, where the device has had its most, or is being asked already.
    """
    wanted = Wanted(device.ref, CommandKind.VIBRATE)
    session.refresh(device, with_for_update=True)
    recent = commands.issued_since(session, device.id, now - COUNTED_OVER)
    if any(_is_the_same(each, wanted) and each.expires_at > now for each in recent):
        return False
    if len(recent) >= policy.per_hour:
        return False
    _queue(session, row, device, wanted, now, policy)
    return True


def _fitted(session: Session, scope: Scope, wearer_ref: str) -> tuple[WearerRow, list[DeviceRow]]:
    try:
        return commands.fitted(session, scope, wearer_ref)
    except LookupError:
        raise NotFound from None


def _is_the_same(row: CommandRow, wanted: Wanted) -> bool:
    text = None if wanted.text is None else wanted.text.value
    live = CommandState(row.state).live
    return live and row.kind == wanted.kind.value and row.standing_text == text


def _queue(
    session: Session,
    row: CommandRow,
    device: DeviceRow,
    wanted: Wanted,
    now: datetime,
    policy: CommandPolicy,
) -> None:
    row.name = uuid.uuid4().hex
    row.device_id = device.id
    row.kind = wanted.kind.value
    row.standing_text = None if wanted.text is None else wanted.text.value
    # The device keeps milliseconds; a fix of this very moment must not count as earlier.
    row.issued_at = now.replace(microsecond=now.microsecond // 1000 * 1000)
    row.expires_at = row.issued_at + timedelta(seconds=policy.lasts_s)
    row.state, row.due_at, row.tries = CommandState.QUEUED.value, now, 0
    session.add(row)
    session.flush()
    note(session, row, now, "ask")
    audit.record(
        session,
        Act.ALTERATION if wanted.kind.acts_on_wearer else Act.COLLECTION,
        f"command: {row.kind}",
        at=now,
        actor="staff",
        staff_id=row.staff_id,
        subject_kind="wearer",
        subject_id=row.wearer_id,
        detail={"command": row.id, "device": device.id},
    )


def note(
    session: Session,
    row: CommandRow,
    at: datetime,
    move: str,
    *,
    gateway: str | None = None,
    reason: str | None = None,
) -> None:
    """Add to a command's history, in the caller's transaction."""
    session.add(
        CommandHistoryRow(
            command_id=row.id, at=at, move=move, state=row.state, gateway=gateway, reason=reason
        )
    )


def see_panel(
    sessions: Sessions, scope: Scope, wearer_ref: str, now: datetime, wall_now: datetime
) -> Panel:
    """Commands of one wearer; raises NotFound.

    The first sight of an answer is a consultation of its own; a refresh of the same is not.
    """
    scope.require(Permission.COMMAND_DEVICES)
    with reading(sessions, within_s=LOOK_WITHIN_S) as session:
        panel, new = _panel(session, scope, wearer_ref, now, wall_now)
        if not new:
            # Nothing to write: the page asks every two seconds while somebody waits.
            return panel
    with sessions.begin() as session:
        panel, new = _panel(session, scope, wearer_ref, now, wall_now)
        for command_id in new:
            audit.record(
                session,
                Act.CONSULTATION,
                LOCATED,
                at=now,
                actor="staff",
                staff_id=scope.staff_id,
                subject_kind="command",
                subject_id=command_id,
            )
        return panel


def _panel(
    session: Session, scope: Scope, wearer_ref: str, now: datetime, wall_now: datetime
) -> tuple[Panel, list[int]]:
    """What is shown, and the commands whose answer this person has not seen yet."""
    wearer, devices = _fitted(session, scope, wearer_ref)
    lines = commands.lines(session, wearer.id, SHOWN)
    answered = [line.command_id for line in lines if line.answer_at is not None]
    seen = select(AuditRow.subject_id).where(
        AuditRow.subject_kind == "command",
        AuditRow.subject_id.in_(answered),
        AuditRow.staff_id == scope.staff_id,
    )
    known = set(session.scalars(seen)) if answered else set()
    beat = session.get(HeartbeatRow, ("commands", ""))
    live = commands.live_alert(session, wearer.id)
    panel = Panel(
        ways=commands.ways(session, devices, now),
        lines=lines,
        needs_reason=not _reason_to_look(session, live, now),
        sender_up=beat is not None and beat.fault is None and wall_now - beat.at < WORKER_STALE,
    )
    return panel, [each for each in answered if each not in known]
