"""When each step of an alert happened, for the measurement of latency."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from navigate_safer.db.alerting import AlertRow, EpisodeRow, TextAttemptRow, TextRow
from navigate_safer.db.people import DeviceRow, FittingRow
from navigate_safer.db.reading_rows import FixRow
from navigate_safer.db.telemetry import IngestBatchRow

CENTISECOND = timedelta(milliseconds=10)


class Steps(msgspec.Struct, frozen=True):
    """The instants of one breach that one published fix made.

    ``sent_at`` is the fix's measured time, which the measured devices take as they publish: a row
    keeps the sending to the second only, and the receipt to 10 ms. ``committed_at`` is after the
    commit of the intake; ``claimed_at`` is when the sender, another process, read the committed
    alert's text; ``handed_at`` is after the sender's call returned, ``body`` what was sent.
    """

    device: str
    body: str
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
        select(
            DeviceRow.ref,
            DeviceRow.id.label("device_id"),
            EpisodeRow.started_at,
            AlertRow.opened_at,
            claimed.c.at.label("claimed_at"),
            TextRow.handed_at,
            TextRow.body,
        )
        .join(FittingRow, FittingRow.device_id == DeviceRow.id)
        .join(EpisodeRow, EpisodeRow.fitting_id == FittingRow.id)
        .join(AlertRow, AlertRow.episode_id == EpisodeRow.id)
        .join(TextRow, (TextRow.alert_id == AlertRow.id) & (TextRow.step == 0))
        .join(claimed, claimed.c.text_id == TextRow.id)
        .where(DeviceRow.ref.startswith(prefix), TextRow.handed_at.is_not(None))
    )
    batches = session.execute(
        select(IngestBatchRow.received_at, IngestBatchRow.committed_at)
        .where(IngestBatchRow.committed_at.is_not(None))
        .order_by(IngestBatchRow.received_at)
    ).all()
    found = [_steps_of(session, row, batches) for row in session.execute(query).all()]
    return [each for each in found if each is not None]


def _steps_of(session: Session, row: Any, batches: Sequence[Any]) -> Steps | None:  # noqa: ANN401
    """The steps of one alert, with the batch that its fix was stored in: the last before it."""
    fix = session.get(FixRow, (row.device_id, row.started_at))
    if fix is None:
        return None
    # The row keeps its receipt to the centisecond, rounded down.
    known_by = fix.received_at + CENTISECOND
    held = [batch.committed_at for batch in batches if batch.received_at < known_by]
    if not held:
        return None
    return Steps(
        row.ref,
        row.body,
        fix.taken_at,
        fix.received_at,
        held[-1],
        row.opened_at,
        row.claimed_at,
        row.handed_at,
    )
