"""Queries about the service itself: what is degraded, what was refused. No case data."""

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from alerts.lifecycle import AlertState
from navigate_safer.db.alerting import AlertRow, TextRow
from navigate_safer.db.audit import AuditRow
from navigate_safer.db.people import AreaRow, DeviceRow, GatewayRow, StaffRow
from navigate_safer.db.telemetry import (
    DeviceLatestRow,
    HeartbeatRow,
    PendingRow,
    QuarantineRow,
    UnassignedRow,
)
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.account import Act

WORKERS = ("ingest", "monitor", "deliver", "schedule")
# A worker beats every 5 s; a minute without is the project's bar for telling somebody.
BEAT_STALE = timedelta(seconds=60)
# Readings that wait longer than this to be judged mean that judging has fallen behind.
UNJUDGED_STALE = timedelta(seconds=60)
TEXT_STALE = timedelta(seconds=60)
MOST_LINES = 200


class WorkerLine(msgspec.Struct, frozen=True):
    """One worker's sign of life."""

    worker: str
    at: datetime | None
    connected_since: datetime | None
    fault: str | None
    stale: bool


class RefusalLine(msgspec.Struct, frozen=True):
    """One quarantined message or reading, without its payload: that may hold positions."""

    first_at: datetime
    last_at: datetime
    times: int
    reason: str
    explanation: str
    gateway: str
    device: str | None
    payload_bytes: int


class UnassignedLine(msgspec.Struct, frozen=True):
    """Readings of a device that was on nobody."""

    device: str
    first_at: datetime
    last_at: datetime
    readings: int


class GatewayLine(msgspec.Struct, frozen=True):
    """A gateway and what it says of itself."""

    ref: str
    name: str
    online: bool | None
    status_at: datetime | None


class AuditLine(msgspec.Struct, frozen=True):
    """One entry of the log, as the auditor reads it."""

    entry_id: int
    at: datetime
    act: str
    what: str
    actor: str
    subject: str
    recipient: str | None


def degraded(session: Session, now: datetime, wall_now: datetime) -> list[str]:
    """What stands between a breach and an officer at this moment, in plain words.

    ``now`` is the service's clock, ``wall_now`` real time; they differ in a demonstration only.
    """
    found: list[str] = []
    for line in workers(session, wall_now):
        if line.stale:
            found.append(f"The {line.worker} worker gives no sign of life.")
        elif line.fault is not None:
            found.append(f"The {line.worker} worker reports a fault ({line.fault}).")
        elif line.worker == "ingest" and line.connected_since is None:
            found.append("Telemetry is not being received: no connection to the broker.")
    failing = session.scalar(
        select(func.count(PendingRow.device_id.distinct())).where(PendingRow.failures > 0)
    )
    if failing:
        found.append(f"{failing} device(s) cannot be judged: their readings are kept and waiting.")
    found += _texts(session, now)
    return found


def _texts(session: Session, now: datetime) -> list[str]:
    found = []
    stuck = session.scalar(
        select(func.count()).select_from(TextRow).where(TextRow.due_at < now - TEXT_STALE)
    )
    if stuck:
        found.append(f"{stuck} text(s) have been waiting for more than a minute.")
    refused = session.scalar(
        select(func.count())
        .select_from(TextRow)
        .join(AlertRow, AlertRow.id == TextRow.alert_id)
        .where(
            TextRow.fault.is_not(None),
            AlertRow.state == AlertState.OPEN.value,
        )
    )
    if refused:
        found.append(f"{refused} text(s) of open alerts did not reach an officer.")
    return found


def workers(session: Session, now: datetime) -> list[WorkerLine]:
    """Every worker, also those that have never run."""
    rows = {row.worker: row for row in session.scalars(select(HeartbeatRow))}
    return [_worker(name, rows.get(name), now) for name in WORKERS]


def _worker(name: str, row: HeartbeatRow | None, now: datetime) -> WorkerLine:
    if row is None:
        return WorkerLine(name, None, None, None, stale=True)
    return WorkerLine(name, row.at, row.connected_since, row.fault, now - row.at > BEAT_STALE)


def unjudged(session: Session) -> int:
    """How many devices have readings that wait to be judged."""
    return session.scalar(select(func.count(PendingRow.device_id.distinct()))) or 0


def refusals(session: Session, scope: Scope) -> list[RefusalLine]:
    """The newest refusals."""
    scope.require(Permission.SEE_OPERATIONS)
    query = select(QuarantineRow).order_by(QuarantineRow.last_at.desc()).limit(MOST_LINES)
    return [
        RefusalLine(
            row.first_at,
            row.last_at,
            row.times,
            row.reason,
            row.explanation,
            row.gateway,
            row.device,
            row.payload_bytes,
        )
        for row in session.scalars(query)
    ]


def refusal_counts(session: Session, scope: Scope) -> list[tuple[str, int]]:
    """How many refusals of each reason there have been."""
    scope.require(Permission.SEE_OPERATIONS)
    total = func.sum(QuarantineRow.times)
    query = (
        select(QuarantineRow.reason, total).group_by(QuarantineRow.reason).order_by(total.desc())
    )
    return [(reason, int(times)) for reason, times in session.execute(query)]


def unassigned(session: Session, scope: Scope) -> list[UnassignedLine]:
    """Readings that were kept and belong to nobody."""
    scope.require(Permission.SEE_OPERATIONS)
    query = (
        select(UnassignedRow, DeviceRow.ref)
        .join(DeviceRow, DeviceRow.id == UnassignedRow.device_id)
        .order_by(UnassignedRow.last_at.desc())
        .limit(MOST_LINES)
    )
    return [
        UnassignedLine(ref, row.first_at, row.last_at, row.readings)
        for row, ref in session.execute(query)
    ]


def gateways(session: Session, scope: Scope) -> list[GatewayLine]:
    """Every gateway."""
    scope.require(Permission.SEE_OPERATIONS)
    return [
        GatewayLine(row.ref, row.name, row.online, row.status_at)
        for row in session.scalars(select(GatewayRow).order_by(GatewayRow.ref))
    ]


def audit_lines(
    session: Session, scope: Scope, before_id: int | None, act: Act | None = None
) -> list[AuditLine]:
    """Entries of the log, newest first, from below ``before_id``; of one act, or of all."""
    scope.require(Permission.SEE_AUDIT)
    query = select(AuditRow).order_by(AuditRow.id.desc()).limit(MOST_LINES)
    if before_id is not None:
        query = query.where(AuditRow.id < before_id)
    if act is not None:
        query = query.where(AuditRow.act == act.value)
    staff = {row.id: row.ref for row in session.execute(select(StaffRow.id, StaffRow.ref))}
    return [
        AuditLine(
            row.id,
            row.at,
            row.act,
            row.what,
            staff.get(row.staff_id, row.actor) if row.staff_id is not None else row.actor,
            row.subject_kind if row.subject_id is None else f"{row.subject_kind} {row.subject_id}",
            None if row.recipient_id is None else staff.get(row.recipient_id),
        )
        for row in session.scalars(query)
    ]


def is_empty(session: Session) -> bool:
    """Whether nothing has been registered yet."""
    return session.scalar(select(func.count()).select_from(AreaRow)) == 0


def newest_by_device(session: Session) -> dict[str, datetime]:
    """The latest measured time of each device that has been heard."""
    query = select(DeviceRow.ref, DeviceLatestRow.measured_at).join(
        DeviceLatestRow, DeviceLatestRow.device_id == DeviceRow.id
    )
    return {row.ref: row.measured_at for row in session.execute(query)}
