"""What must hold at every instant if a breach is to reach somebody; counted, never listed.

The invariants are those of the alerting reference, section 3.5, as far as a query can see them.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from alerts.lifecycle import AlertState
from navigate_safer.db.alerting import (
    NOBODY_TO_TELL,
    TELL_FAILED,
    AlertHistoryRow,
    AlertRow,
    EpisodeRow,
    TextRow,
)

# A tick runs every second; one that is five seconds late has stopped (reference, section 3.5).
STEP_OVERDUE = timedelta(seconds=5)
# Somebody is told in the transaction that opens an alert. Where nobody could be, it is tried again
# each half minute; after one more try it is a fault, told within the minute that is the project's
# bar. Policy of this project, version 1.
UNTOLD_AFTER = timedelta(seconds=45)

_IN_VAIN = (NOBODY_TO_TELL, TELL_FAILED)
# After these an alert is told from the beginning, or is held, or need not be told.
_ANEW = ("reopen", "expire", "silenced", "grouped", "joined", "withdraw")
_JOINED, _PARTED = ("joined",), ("parted",)


def broken(
    session: Session, now: datetime, overdue_after: timedelta = STEP_OVERDUE
) -> dict[str, int]:
    """How many rows break each invariant; only those that are broken.

    ``overdue_after`` differs only where the service's clock runs faster than its ticks.
    """
    late, untold_since = now - overdue_after, now - max(UNTOLD_AFTER, overdue_after)
    counted = {
        "an unanswered alert has an overdue step": _count(session, *_overdue(late)),
        "an open alert was never told and nothing holds it": _count(
            session, *_untold(untold_since)
        ),
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


def untold(session: Session, now: datetime, *apart: ColumnElement[bool]) -> int:
    """How many open alerts have to be told, and nobody is; ``apart`` narrows them down."""
    return _count(session, *_untold(now - UNTOLD_AFTER), *apart)


def _untold(late: datetime) -> list[object]:
    """Open, for an officer's telephone, not held and not over, and told to nobody.

    That is: nobody was ever told and no tick will, or the ticks have found nobody since ``late``.
    """
    never = ~exists().where(TextRow.alert_id == AlertRow.id)
    over = exists().where(
        EpisodeRow.id == AlertRow.episode_id,
        or_(EpisodeRow.ended_at.is_not(None), EpisodeRow.withdrawn),
    )
    given_up = and_(AlertRow.next_step_at.is_(None), never, ~over, ~_last_of(_JOINED, _PARTED))
    in_vain = and_(
        AlertRow.next_step_at.is_not(None), _last_of(_IN_VAIN, _ANEW, late=late, untold=True)
    )
    return [
        AlertRow.state == AlertState.OPEN.value,
        AlertRow.severity != "low",
        or_(given_up, in_vain),
    ]


def _last_of(
    moves: Sequence[str],
    until: Sequence[str],
    *,
    late: datetime | None = None,
    untold: bool = False,
) -> ColumnElement[bool]:
    """Whether one of ``moves`` is in an alert's history with none of ``until`` after it.

    With ``late`` it was before that; ``untold``: and nobody was told since.
    """
    made, later = aliased(AlertHistoryRow), aliased(AlertHistoryRow)
    found = [
        made.alert_id == AlertRow.id,
        made.move.in_(moves),
        ~exists().where(later.alert_id == made.alert_id, later.id > made.id, later.move.in_(until)),
    ]
    if late is not None:
        found.append(made.at < late)
    if untold:
        told = exists().where(TextRow.alert_id == made.alert_id, TextRow.created_at >= made.at)
        found.append(~told)
    return exists().where(*found)


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
