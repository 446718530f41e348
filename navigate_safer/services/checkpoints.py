"""Checkpoints: the rules' states as they stood where each hour of readings began.

Late data is judged again from the checkpoint before it, so it costs at most an hour of judging
on top of its own length.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from alerts.judge import States
from devices.readings import Reading
from navigate_safer.db.telemetry import CheckpointRow

EVERY = timedelta(hours=1)


def hour_of(at: datetime) -> int:
    """Which hour of readings an instant belongs to."""
    return int(at.timestamp() // EVERY.total_seconds())


def by_hour(ordered: Sequence[Reading]) -> Iterable[list[Reading]]:
    """Readings in order of time, an hour at a time."""
    part: list[Reading] = []
    if not ordered:
        return
    for reading in ordered:
        if part and _hour(reading) != _hour(part[0]):
            yield part
            part = []
        part.append(reading)
    yield part


def _hour(reading: Reading) -> int:
    return hour_of(reading.stamp.measured_at)


def before(session: Session, fitting_id: int, earliest_at: datetime) -> States:
    """The states before a late reading."""
    row = session.scalar(
        select(CheckpointRow)
        .where(CheckpointRow.fitting_id == fitting_id, CheckpointRow.at < earliest_at)
        .order_by(CheckpointRow.at.desc())
        .limit(1)
    )
    return States() if row is None else msgspec.convert(row.states, States)


def drop_from(session: Session, fitting_id: int, earliest_at: datetime) -> None:
    """Drop the checkpoints that a late reading makes untrue."""
    session.execute(
        delete(CheckpointRow).where(
            CheckpointRow.fitting_id == fitting_id, CheckpointRow.at >= earliest_at
        )
    )
