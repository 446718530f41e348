"""Queries about the service itself: what is degraded, what was refused. No case data."""

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from alerts.terms import DeviceKind
from navigate_safer.db import gateway_minutes
from navigate_safer.db.audit import AuditRow
from navigate_safer.db.gateway_minutes import Minute
from navigate_safer.db.people import AreaRow, DeviceRow, GatewayRow, StaffRow
from navigate_safer.db.telemetry import (
    DeviceLatestRow,
    HeartbeatRow,
    PendingRow,
    UnassignedRow,
)
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.account import Act

# Those between a breach and an officer.
WORKERS = ("ingest", "monitor", "deliver", "schedule")
# A worker beats every 5 s; half a minute without leaves time to tell somebody within the minute
# that is the project's bar.
BEAT_STALE = timedelta(seconds=30)
# Three beats: one that ended longer ago is not counted as another that is still at work.
NEWLY_HEARD = timedelta(seconds=15)
# Not a process: what the last round of keeping house over the readings came to is kept as its sign
# of life, with as many that wait as days and steps failed in it.
STORAGE = "storage"
MOST_LINES = 200


class WorkerLine(msgspec.Struct, frozen=True):
    """One worker's sign of life, or one process's of it; ``newly_heard``: seconds ago."""

    worker: str
    at: datetime | None
    connected_since: datetime | None
    fault: str | None
    stale: bool
    waiting: int | None = None
    oldest_waiting_s: float | None = None
    note: str | None = None
    instance: str = ""
    newly_heard: bool = False


class StorageLine(msgspec.Struct, frozen=True):
    """A round of keeping house over the readings: how much of it failed, and the last fault."""

    at: datetime
    faults: int
    last_fault: str | None


class UnassignedLine(msgspec.Struct, frozen=True):
    """Readings of a device that was on nobody."""

    device: str
    first_at: datetime
    last_at: datetime
    readings: int


class GatewayLine(msgspec.Struct, frozen=True):
    """A gateway, what it says of itself, and what it brought in each minute of the last hour."""

    ref: str
    name: str
    online: bool | None
    status_at: datetime | None
    minutes: list[Minute]

    @property
    def last_minute(self) -> Minute | None:
        """The newest minute in which it brought anything."""
        return self.minutes[-1] if self.minutes else None


class AuditLine(msgspec.Struct, frozen=True):
    """One entry of the log, as the auditor reads it."""

    entry_id: int
    at: datetime
    act: str
    what: str
    actor: str
    subject: str
    recipient: str | None


def workers(session: Session, now: datetime) -> list[WorkerLine]:
    """Every worker that a breach passes, also if it never ran, and every other that ever did.

    Of several processes of one worker those that are alive, or else the last that was.
    """
    rows: dict[str, list[HeartbeatRow]] = {}
    query = select(HeartbeatRow).where(HeartbeatRow.worker != STORAGE)
    for row in session.scalars(query.order_by(HeartbeatRow.instance)):
        rows.setdefault(row.worker, []).append(row)
    lines = []
    for name in (*WORKERS, *sorted(set(rows) - set(WORKERS))):
        known = rows.get(name, [])
        alive = [row for row in known if now - row.at <= BEAT_STALE]
        last = max(known, key=lambda row: row.at, default=None)
        lines += [_worker(name, row, now) for row in alive] or [_worker(name, last, now)]
    return lines


def _worker(name: str, row: HeartbeatRow | None, now: datetime) -> WorkerLine:
    if row is None:
        return WorkerLine(name, None, None, None, stale=True)
    stale = now - row.at > BEAT_STALE
    since, oldest_s = row.connected_since, row.oldest_waiting_s
    return WorkerLine(
        *(name, row.at, since, row.fault, stale, row.waiting, oldest_s, row.note),
        instance=row.instance,
        newly_heard=now - row.at <= NEWLY_HEARD,
    )


def storage(session: Session) -> StorageLine | None:
    """What the last round of keeping house came to; None before the first."""
    row = session.get(HeartbeatRow, (STORAGE, ""))
    return None if row is None else StorageLine(row.at, row.waiting or 0, row.fault)


def unjudged(session: Session) -> int:
    """How many devices have readings that wait to be judged."""
    return session.scalar(select(func.count(PendingRow.device_id.distinct()))) or 0


def unassigned(session: Session, scope: Scope) -> list[UnassignedLine]:
    """Readings that were kept and belong to nobody."""
    scope.require(Permission.SEE_OPERATIONS)
    query = (
        select(UnassignedRow, DeviceRow.ref)
        .join(DeviceRow, DeviceRow.id == UnassignedRow.device_id)
        # A protected person's device is on no wearer, and that is no fault.
        .where(DeviceRow.kind != DeviceKind.PROTECTED_PERSON.value)
        .order_by(UnassignedRow.last_at.desc())
        .limit(MOST_LINES)
    )
    return [
        UnassignedLine(ref, row.first_at, row.last_at, row.readings)
        for row, ref in session.execute(query)
    ]


def gateways(session: Session, scope: Scope, since: datetime) -> list[GatewayLine]:
    """Every gateway, with its minutes from an instant on."""
    scope.require(Permission.SEE_OPERATIONS)
    by_gateway: dict[str, list[Minute]] = {}
    for minute in gateway_minutes.since(session, since):
        by_gateway.setdefault(minute.gateway, []).append(minute)
    return [
        GatewayLine(row.ref, row.name, row.online, row.status_at, by_gateway.get(row.ref, []))
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
