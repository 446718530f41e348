"""What lies in the database, as figures for Prometheus: one short look that takes no lock."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from navigate_safer import metrics
from navigate_safer.db import figures, limits
from navigate_safer.db.base import Sessions
from navigate_safer.db.limits import GIGABYTE
from navigate_safer.db.reading import DATABASE_FAULTS, reading
from navigate_safer.metrics import Family

# Prometheus itself gives up after ten seconds by default.
READ_WITHIN_S = 5.0


def sample_growth(sessions: Sessions, now: datetime) -> None:
    """Note how large everything is, so that its pace can be told; called every hour."""
    with sessions.begin() as session:
        limits.sample(session, now)


def of_database(
    sessions: Sessions, now: datetime, wall_now: datetime, disk_gb: int = 0
) -> list[Family]:
    """Every figure of the database; of one that is away only that it is."""
    gauge = metrics.gauge
    up = "Whether the database answered"
    try:
        with reading(sessions, within_s=READ_WITHIN_S) as session:
            found = [
                *_operations(session, now, wall_now),
                *_quarantine(session),
                *_limits(session, now, disk_gb),
            ]
    except DATABASE_FAULTS:
        return [gauge("database_up", up, [], [([], 0.0)])]
    return [gauge("database_up", up, [], [([], 1.0)]), *found]


def _operations(session: Session, now: datetime, wall_now: datetime) -> Iterator[Family]:
    facts = figures.facts(session, now, wall_now)
    one = _one
    yield one("pending_devices", "Devices with readings to be judged", facts.pending_devices)
    yield one("failing_devices", "Devices whose judgement failed", facts.failing_devices)
    since = facts.pending_since
    oldest_s = max(0.0, (now - since).total_seconds()) if since else 0.0
    yield one("pending_oldest_seconds", "Age of the oldest readings to be judged", oldest_s)
    yield one("texts_waiting", "Texts to be sent", facts.texts_waiting)
    yield one("texts_overdue", "Texts due for more than a minute", facts.texts_overdue)
    yield one("texts_not_delivered", "Failed texts of open alerts", facts.texts_refused)
    if facts.last_received_at is not None:
        age_s = max(0.0, (now - facts.last_received_at).total_seconds())
        yield one("feed_age_seconds", "Age of the newest message of any device", age_s)
    # Of several processes of one worker the newest: it is alive while any of them is.
    youngest = {}
    for line in sorted(facts.workers, key=lambda each: each.at or now):
        if line.at is not None:
            youngest[line.worker] = (wall_now - line.at).total_seconds()
    beats = [([worker], age_s) for worker, age_s in youngest.items()]
    yield metrics.gauge("heartbeat_age_seconds", "Age of sign of life", ["worker"], beats)
    intake = [line for line in facts.workers if line.worker == "ingest"]
    connected = any(line.connected_since is not None and not line.stale for line in intake)
    yield one("feed_connected", "Whether intake is connected to the broker", float(connected))
    failing = 0 if facts.storage is None else facts.storage.faults
    yield one("storage_faults", "Failures in the last round over old readings", failing)
    alerts = [([severity], count) for severity, count in figures.open_alerts(session).items()]
    yield metrics.gauge("alerts_open", "Open alerts", ["severity"], alerts)
    gateways = [([ref], float(bool(online))) for ref, online in figures.gateways(session).items()][
        : metrics.MOST_LABELS
    ]
    yield metrics.gauge("gateway_online", "Whether it says it is online", ["gateway"], gateways)


def _quarantine(session: Session) -> Iterator[Family]:
    found = figures.quarantine(session)
    times = [([reason], count) for reason, count in found.times.items()]
    waiting = [([reason], count) for reason, count in found.waiting.items()]
    yield metrics.gauge("quarantine_refusals", "Refusals ever counted", ["reason"], times)
    yield metrics.gauge("quarantine_waiting", "Entries that wait", ["reason"], waiting)
    yield _one("quarantine_kept_bytes", "Bytes of payloads that wait", found.kept_bytes)


def _limits(session: Session, now: datetime, disk_gb: int) -> Iterator[Family]:
    parts = limits.partitions(session, now)
    found = limits.limits(session, now, disk_gb * GIGABYTE, parts)
    days = [([each.name], each.days) for each in found if each.days is not None]
    yield metrics.gauge("limit_days", "Days until a limit at the present pace", ["limit"], days)
    shares = [([each.name], each.used / each.most) for each in found if each.most]
    yield metrics.gauge("limit_used_ratio", "Share of a limit that is used", ["limit"], shares)
    # Partitions have a figure of their own, and would hide every disk that has three weeks left.
    near = [each.days for each in found if each.days is not None and not each.is_made_ahead]
    least = min(near, default=float("inf"))
    yield _one("days_until_limit", "Days until the nearest limit", least)
    yield _one("database_bytes", "Size of the database", limits.size_bytes(session))
    ahead = [([each.table], each.days_ahead) for each in parts]
    missed = [([each.table], each.in_default) for each in parts]
    yield metrics.gauge("partition_days_ahead", "Days with a partition", ["table"], ahead)
    yield metrics.gauge("default_partition_rows", "Rows without a partition", ["table"], missed)


def _one(name: str, help_: str, value: Any) -> Family:  # noqa: ANN401 - int or float
    return metrics.gauge(name, help_, [], [([], float(value))])
