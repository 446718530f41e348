"""When each step of an alert happened, for the measurement of latency."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from navigate_safer.db.alerting import AlertRow, EpisodeRow, TextAttemptRow, TextRow
from navigate_safer.db.people import DeviceRow, FittingRow
from navigate_safer.db.telemetry import FixRow, IngestBatchRow


class Steps(msgspec.Struct, frozen=True):
    """The instants of one breach that one published fix made.

    ``committed_at`` is after the commit of the intake; ``claimed_at`` is when the sender, another
    process, read the committed alert's text; ``handed_at`` is after the sender's call returned.
    """

    device: str
    sent_at: datetime
    received_at: datetime
    committed_at: datetime
    opened_at: datetime
    claimed_at: datetime
    handed_at: datetime


def steps(session: Session, prefix: str) -> list[Steps]:
    """The steps of every alert of devices whose name begins with ``prefix``."""
    claimed = (
        select(TextAttemptRow.text_id, func.min(TextAttemptRow.claimed_at).label("at"))
        .group_by(TextAttemptRow.text_id)
        .subquery()
    )
    query = (
        select(DeviceRow.ref, FixRow, AlertRow.opened_at, claimed.c.at, TextRow.handed_at)
        .join(FittingRow, FittingRow.device_id == DeviceRow.id)
        .join(EpisodeRow, EpisodeRow.fitting_id == FittingRow.id)
        .join(AlertRow, AlertRow.episode_id == EpisodeRow.id)
        .join(TextRow, (TextRow.alert_id == AlertRow.id) & (TextRow.step == 0))
        .join(claimed, claimed.c.text_id == TextRow.id)
        .join(
            FixRow,
            (FixRow.device_id == DeviceRow.id) & (FixRow.measured_at == EpisodeRow.started_at),
        )
        .where(DeviceRow.ref.startswith(prefix), TextRow.handed_at.is_not(None))
    )
    batches = session.execute(
        select(IngestBatchRow.received_at, IngestBatchRow.committed_at)
        .where(IngestBatchRow.committed_at.is_not(None))
        .order_by(IngestBatchRow.received_at)
    ).all()
    return _with_commits(session.execute(query), batches)


def _with_commits(rows: Iterable[Any], batches: Sequence[Any]) -> list[Steps]:
    """Each alert with the batch that its fix was stored in: the last that began before it came."""
    found = []
    for device, fix, opened_at, claimed_at, handed_at in rows:
        held = [batch.committed_at for batch in batches if batch.received_at <= fix.received_at]
        if held and fix.sent_at is not None:
            found.append(
                Steps(
                    device,
                    fix.sent_at,
                    fix.received_at,
                    held[-1],
                    opened_at,
                    claimed_at,
                    handed_at,
                )
            )
    return found
