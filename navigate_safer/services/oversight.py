"""What supervisors, auditors and administrators look at: the service itself and its log."""

from datetime import datetime

import msgspec

from navigate_safer.db import audit, limits, operations, refusals, service_alerts
from navigate_safer.db.alerts_of_nobody import Line
from navigate_safer.db.base import Sessions
from navigate_safer.db.limits import GIGABYTE, Limit
from navigate_safer.db.operations import AuditLine, GatewayLine, UnassignedLine, WorkerLine
from navigate_safer.db.reading import reading
from navigate_safer.db.refusals import ReasonLine
from navigate_safer.db.service_alerts import ServiceAlertDetail
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.account import Act
from navigate_safer.services import heartbeats
from navigate_safer.services.casework import NotFound
from navigate_safer.services.gateway_minutes import SHOWN

LOOK_WITHIN_S = 5.0


class Operations(msgspec.Struct, frozen=True):
    """The state of the service."""

    workers: list[WorkerLine]
    gateways: list[GatewayLine]
    reasons: list[ReasonLine]
    limits: list[Limit]
    unassigned: list[UnassignedLine]
    unjudged_devices: int
    alerts: list[Line]
    minutes_from: datetime


def see_operations(
    sessions: Sessions, scope: Scope, now: datetime, wall_now: datetime, disk_gb: int = 0
) -> Operations:
    """Workers, gateways, quarantine, limits and unassigned readings; no case data."""
    with reading(sessions, within_s=LOOK_WITHIN_S) as session:
        return Operations(
            workers=operations.workers(session, wall_now),
            gateways=operations.gateways(session, scope, now - SHOWN),
            reasons=refusals.by_reason(session, scope),
            limits=limits.limits(session, now, disk_gb * GIGABYTE),
            unassigned=operations.unassigned(session, scope),
            unjudged_devices=operations.unjudged(session),
            alerts=service_alerts.live(session, scope),
            minutes_from=now - SHOWN,
        )


def see_service_alert(sessions: Sessions, scope: Scope, reference: str) -> ServiceAlertDetail:
    """One alert about the service; raises :class:`NotFound`. It holds no case data."""
    scope.require(Permission.MEND_SERVICE)
    with reading(sessions, within_s=LOOK_WITHIN_S) as session:
        detail = service_alerts.detail(session, scope, reference)
        if detail is None:
            raise NotFound
        return detail


def live_service_alerts(sessions: Sessions, scope: Scope) -> list[Line]:
    """Those that nobody has resolved, for who may answer them; for others none."""
    with reading(sessions, within_s=LOOK_WITHIN_S) as session:
        return service_alerts.live(session, scope)


def is_about_service(sessions: Sessions, reference: str) -> bool:
    """Whether the reference of a text leads to a page about the service."""
    with reading(sessions, within_s=LOOK_WITHIN_S) as session:
        return service_alerts.is_about_service(session, reference)


def see_audit(
    sessions: Sessions,
    scope: Scope,
    before_id: int | None,
    now: datetime,
    act: Act | None = None,
) -> list[AuditLine]:
    """A page of the log; reading it is itself logged."""
    with sessions.begin() as session:
        lines = operations.audit_lines(session, scope, before_id, act)
        audit.record(
            session,
            Act.CONSULTATION,
            "audit log",
            at=now,
            actor="staff",
            staff_id=scope.staff_id,
            subject_kind="audit",
            detail={"entries": len(lines)},
        )
        return lines


def is_empty(sessions: Sessions) -> bool:
    """Whether nothing has been registered yet."""
    with sessions.begin() as session:
        return operations.is_empty(session)


def newest_reading(sessions: Sessions) -> datetime | None:
    """The latest measured time of any device."""
    return max(newest_by_device(sessions).values(), default=None)


def newest_by_device(sessions: Sessions) -> dict[str, datetime]:
    """The latest measured time of each device that has been heard."""
    with sessions.begin() as session:
        return operations.newest_by_device(session)


def feed_is_connected(sessions: Sessions, since: datetime) -> bool:
    """Whether intake says, after ``since``, that its subscription is up."""
    return heartbeats.is_connected(sessions, "ingest", since)
