"""Signs of life of the workers, and what they say of the feed."""

from datetime import datetime, timedelta

from sqlalchemy import Delete, Select, delete, select
from sqlalchemy.exc import IntegrityError

from navigate_safer.db.base import Sessions
from navigate_safer.db.telemetry import HeartbeatRow

# After our own feed was down the broker still holds messages; tags are not called silent until
# these could arrive. A feed that keeps breaking is shown as degraded, not as 156 silent tags.
CATCH_UP = timedelta(seconds=60)
FEED_STALE = timedelta(seconds=60)
# A process that ended leaves its last sign of life to be seen; another start clears those this old.
LONG_GONE = timedelta(minutes=10)
LONGEST_INSTANCE = 64


def feed_is_up(sessions: Sessions, now: datetime) -> bool:
    """Whether the absence of readings means much.

    Intake has been connected for a while, and nothing has waited for it at the broker: after an
    hour without the database the broker holds an hour of readings, and nobody was silent.
    """
    with sessions.begin() as session:
        return any(
            now - beat.at <= FEED_STALE
            and beat.connected_since is not None
            and now - beat.connected_since >= CATCH_UP
            and beat.caught_up_since is not None
            and now - beat.caught_up_since >= CATCH_UP
            # Each process of intake takes every message: one that keeps up is enough.
            for beat in session.scalars(_of("ingest"))
        )


def is_connected(sessions: Sessions, worker: str, since: datetime) -> bool:
    """Whether a process of the worker says, after ``since``, that its subscription is up."""
    with sessions.begin() as session:
        return any(
            beat.connected_since is not None and beat.connected_since >= since
            for beat in session.scalars(_of(worker))
        )


def _of(worker: str) -> Select[HeartbeatRow]:
    return select(HeartbeatRow).where(HeartbeatRow.worker == worker)


def beat(
    sessions: Sessions,
    worker: str,
    now: datetime,
    *,
    instance: str = "",
    connected_since: datetime | None = None,
    caught_up_since: datetime | None = None,
    behind: bool = False,
    fault: str | None = None,
    waiting: int | None = None,
    oldest_waiting_s: float | None = None,
    note: str | None = None,
) -> None:
    """Write a worker's sign of life. Two threads of one worker may write the first at once.

    Where there may be several processes of a worker, each names itself by its ``instance``.
    All but the fault are intake's: see :class:`HeartbeatRow`. What is not ``behind`` and does not
    say since when has kept up since it was connected.
    """
    for first_try in (True, False):
        try:
            with sessions.begin() as session:
                row = session.get(HeartbeatRow, (worker, instance))
                if row is None:
                    row = HeartbeatRow(worker=worker, instance=instance, at=now)
                    session.add(row)
                    session.execute(_long_gone(worker, now))
                row.at, row.connected_since, row.fault = now, connected_since, fault
                row.caught_up_since = None if behind else caught_up_since or connected_since
                row.waiting, row.oldest_waiting_s, row.note = waiting, oldest_waiting_s, note
            return
        except IntegrityError:
            if not first_try:
                raise


def _long_gone(worker: str, now: datetime) -> Delete:
    return delete(HeartbeatRow).where(
        HeartbeatRow.worker == worker, HeartbeatRow.at < now - LONG_GONE
    )
