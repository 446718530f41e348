"""The state of the service in a few small queries: for health, for banners and for Prometheus."""

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from alerts.lifecycle import AlertState
from navigate_safer.db import invariants, operations
from navigate_safer.db.alerting import AlertRow, TextRow
from navigate_safer.db.operations import StorageLine, WorkerLine
from navigate_safer.db.people import FittingRow, GatewayRow
from navigate_safer.db.quarantine import Handling, QuarantineGroupRow
from navigate_safer.db.telemetry import IngestBatchRow, PendingRow, QuarantineRow

# A text that is due is handed over within a second; what is stuck is told within the minute that is
# the project's bar.
TEXT_STALE = timedelta(seconds=45)
# The part of the service that fails while an alert can be told to nobody.
TELLING = "telling"


class Facts(msgspec.Struct, frozen=True):
    """What there is to know about the monitoring itself. No case data."""

    workers: list[WorkerLine]
    last_received_at: datetime | None
    tags_fitted: bool
    pending_devices: int
    failing_devices: int
    pending_since: datetime | None
    texts_waiting: int
    texts_overdue: int
    texts_refused: int
    storage: StorageLine | None = None
    alerts_untold: int = 0


class QuarantineFigures(msgspec.Struct, frozen=True):
    """Refusals by reason, entries that wait by reason, and bytes kept."""

    times: dict[str, int]
    waiting: dict[str, int]
    kept_bytes: int


def facts(session: Session, now: datetime, wall_now: datetime) -> Facts:
    """Read them. ``now`` is the service's clock, ``wall_now`` real time."""
    device = PendingRow.device_id
    ready = PendingRow.not_before.is_(None) | (PendingRow.not_before <= now)
    pending, since = session.execute(
        select(func.count(device.distinct()), func.min(PendingRow.marked_at)).where(ready)
    ).one()
    failing = session.scalar(select(func.count(device.distinct())).where(PendingRow.failures > 0))
    waiting = session.scalar(
        select(func.count()).select_from(TextRow).where(TextRow.due_at.is_not(None))
    )
    overdue = session.scalar(
        select(func.count()).select_from(TextRow).where(TextRow.due_at < now - TEXT_STALE)
    )
    refused = session.scalar(
        select(func.count())
        .select_from(TextRow)
        .join(AlertRow, AlertRow.id == TextRow.alert_id)
        .where(TextRow.fault.is_not(None), AlertRow.state == AlertState.OPEN.value)
    )
    fitted = session.scalar(select(FittingRow.id).where(FittingRow.removed_at.is_(None)).limit(1))
    return Facts(
        workers=operations.workers(session, wall_now),
        last_received_at=session.scalar(select(func.max(IngestBatchRow.received_at))),
        tags_fitted=fitted is not None,
        pending_devices=pending or 0,
        failing_devices=failing or 0,
        pending_since=since,
        texts_waiting=waiting or 0,
        texts_overdue=overdue or 0,
        texts_refused=refused or 0,
        storage=operations.storage(session),
        # The alert that says so would keep itself going.
        alerts_untold=invariants.untold(session, now, AlertRow.part.is_distinct_from(TELLING)),
    )


def open_alerts(session: Session) -> dict[str, int]:
    """Open alerts by severity."""
    query = (
        select(AlertRow.severity, func.count())
        .where(AlertRow.state == AlertState.OPEN.value)
        .group_by(AlertRow.severity)
    )
    return {severity: int(count) for severity, count in session.execute(query)}


def gateways(session: Session) -> dict[str, bool | None]:
    """Whether each gateway says that it is online; None when it has said nothing."""
    rows = session.execute(select(GatewayRow.ref, GatewayRow.online))
    return {row.ref: row.online for row in rows}


def quarantine(session: Session) -> QuarantineFigures:
    """Counts of what was refused."""
    group = QuarantineGroupRow
    times = session.execute(select(group.reason, func.sum(group.times)).group_by(group.reason))
    waiting = session.execute(
        select(QuarantineRow.reason, func.count())
        .where(QuarantineRow.state == Handling.WAITING.value)
        .group_by(QuarantineRow.reason)
    )
    return QuarantineFigures(
        times={reason: int(count) for reason, count in times},
        waiting={reason: int(count) for reason, count in waiting},
        kept_bytes=session.scalar(select(func.coalesce(func.sum(group.kept_bytes), 0))) or 0,
    )
