"""Signs of life of the workers, and what they say of the feed."""

from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError

from navigate_safer.db.base import Sessions
from navigate_safer.db.telemetry import HeartbeatRow

# After our own feed was down the broker still holds messages; tags are not called silent until
# these could arrive. A feed that keeps breaking is shown as degraded, not as 156 silent tags.
CATCH_UP = timedelta(seconds=60)
FEED_STALE = timedelta(seconds=60)


def feed_is_up(sessions: Sessions, now: datetime) -> bool:
    """Whether the absence of readings means much.

    Intake has been connected for a while, and nothing has waited for it at the broker: after an
    hour without the database the broker holds an hour of readings, and nobody was silent.
    """
    with sessions.begin() as session:
        beat = session.get(HeartbeatRow, "ingest")
        return (
            beat is not None
            and now - beat.at <= FEED_STALE
            and beat.connected_since is not None
            and now - beat.connected_since >= CATCH_UP
            and beat.caught_up_since is not None
            and now - beat.caught_up_since >= CATCH_UP
        )


def beat(
    sessions: Sessions,
    worker: str,
    now: datetime,
    *,
    connected_since: datetime | None = None,
    caught_up_since: datetime | None = None,
    behind: bool = False,
    fault: str | None = None,
    waiting: int | None = None,
    oldest_waiting_s: float | None = None,
    note: str | None = None,
) -> None:
    """Write a worker's sign of life. Two threads of one worker may write the first at once.

    All but the fault are intake's: see :class:`HeartbeatRow`. What is not ``behind`` and does not
    say since when has kept up since it was connected.
    """
    for first_try in (True, False):
        try:
            with sessions.begin() as session:
                row = session.get(HeartbeatRow, worker)
                if row is None:
                    row = HeartbeatRow(worker=worker, at=now)
                    session.add(row)
                row.at, row.connected_since, row.fault = now, connected_since, fault
                row.caught_up_since = None if behind else caught_up_since or connected_since
                row.waiting, row.oldest_waiting_s, row.note = waiting, oldest_waiting_s, note
            return
        except IntegrityError:
            if not first_try:
                raise
