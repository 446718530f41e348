"""What must hold at every instant if a breach is to reach somebody; counted, never listed.

The invariants are those of the alerting reference, section 3.5, as far as a query can see them.
"""

from datetime import datetime, timedelta

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from alerts.lifecycle import AlertState
from navigate_safer.db.alerting import AlertRow, EpisodeRow, TextRow

# A tick runs every second; one that is five seconds late has stopped (reference, section 3.5).
STEP_OVERDUE = timedelta(seconds=5)


def broken(
    session: Session, now: datetime, overdue_after: timedelta = STEP_OVERDUE
) -> dict[str, int]:
    """How many rows break each invariant; only those that are broken.

    ``overdue_after`` differs only where the service's clock runs faster than its ticks.
    """
    late = now - overdue_after
    counted = {
        "an unanswered alert has an overdue step": _count(session, *_overdue(late)),
        "an open alert was never told and nothing holds it": _count(session, *_untold()),
        "an acknowledgement has expired and nobody is told": _count(session, *_expired(late)),
        "an episode has two alerts": _doubled(session),
        "a person was told twice of one step without a lost answer": _told_twice(session),
    }
    return {what: count for what, count in counted.items() if count}


def _count(session: Session, *conditions: object) -> int:
    query = select(func.count()).select_from(AlertRow)
    return session.scalar(query.where(*conditions)) or 0  # type: ignore[arg-type]


def _overdue(late: datetime) -> list[object]:
    return [AlertRow.state == AlertState.OPEN.value, AlertRow.next_step_at < late]


def _untold() -> list[object]:
    """Open, texts an officer, and neither told nor held nor over while it was held."""
    told = exists().where(TextRow.alert_id == AlertRow.id)
    over = exists().where(
        EpisodeRow.id == AlertRow.episode_id,
        or_(EpisodeRow.ended_at.is_not(None), EpisodeRow.withdrawn),
    )
    return [
        AlertRow.state == AlertState.OPEN.value,
        AlertRow.severity != "low",
        AlertRow.next_step_at.is_(None),
        ~told,
        ~over,
    ]


def _expired(late: datetime) -> list[object]:
    return [
        AlertRow.state == AlertState.ACKNOWLEDGED.value,
        AlertRow.acknowledgement_expires_at < late,
    ]


def _doubled(session: Session) -> int:
    twice = (
        select(AlertRow.episode_id)
        .where(AlertRow.episode_id.is_not(None))
        .group_by(AlertRow.episode_id)
        .having(func.count() > 1)
    )
    return session.scalar(select(func.count()).select_from(twice.subquery())) or 0


def _told_twice(session: Session) -> int:
    """The provider took two texts of one row: only a lost answer explains it, and is marked."""
    taken = (
        select(TextRow.alert_id)
        .where(TextRow.state == "accepted", TextRow.resent_after_unknown.is_(False))
        .group_by(TextRow.alert_id, TextRow.step, TextRow.staff_id, TextRow.channel)
        .having(func.count() > 1)
    )
    return session.scalar(select(func.count()).select_from(taken.subquery())) or 0
