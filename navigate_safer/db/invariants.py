"""What must hold at every instant if a breach is to reach somebody; counted, never listed.

The invariants are those of the alerting reference, section 3.5, as far as a query can see them and
the database does not enforce them itself: that an episode has one alert, and that a reading is
stored once, are unique keys.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from alerts.finding import FindingKind
from alerts.lifecycle import AlertState
from navigate_safer.db.alerting import (
    NOBODY_TO_TELL,
    TELL_FAILED,
    AlertHistoryRow,
    AlertRow,
    EpisodeRow,
    TextAttemptRow,
    TextRow,
)
from navigate_safer.db.seals import broken_tails

# A tick runs every second; one that is five seconds late has stopped (reference, section 3.5).
STEP_OVERDUE = timedelta(seconds=5)
# A text is tried within a second of its time; after so many times a late step (a minute at the
# usual pace) nobody tries it any more. Project policy.
LATE = 12
# How far back calls are compared: a resend that nobody meant comes within minutes, and the table of
# calls only grows.
CALLS_COMPARED = timedelta(days=1)
# One of these goes on at a time: its end comes before its next start, whatever the readings.
_ONE_AT_A_TIME = frozenset(
    {
        FindingKind.EXCLUSION_BREACH.value,
        FindingKind.CURFEW_BREACH.value,
        FindingKind.RESTRICTION_BREACH.value,
        FindingKind.DISTANCE_BREACH.value,
    }
)
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
        "a breach that goes on has two live alerts": _doubled(session),
        "a text was sent again after a provider had taken it": _sent_again(session, now),
        "a text is long due and nobody has tried it": _untried(session, now - LATE * overdue_after),
        "a text is called accepted and no call was made": _without_a_call(session),
        "the newest entries of a log are not what was sealed": broken_tails(session),
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
    """Two episodes of one stay, each with an alert that is not resolved: told twice, as two."""
    twice = (
        select(EpisodeRow.fitting_id)
        .join(AlertRow, AlertRow.episode_id == EpisodeRow.id)
        .where(
            AlertRow.state != AlertState.RESOLVED.value,
            EpisodeRow.ended_at.is_(None),
            EpisodeRow.withdrawn.is_(False),
            EpisodeRow.kind.in_(_ONE_AT_A_TIME),
        )
        .group_by(EpisodeRow.fitting_id, EpisodeRow.condition_id, EpisodeRow.kind)
        .having(func.count() > 1)
    )
    return session.scalar(select(func.count()).select_from(twice.subquery())) or 0


def _sent_again(session: Session, now: datetime) -> int:
    """Texts with a second call that was accepted, begun after one had been: nothing explains it.

    Two calls beside each other are no such thing. The later one looks for the text before it sends
    it, and what it then sends is marked as a resend after an unknown.
    """
    first, again = aliased(TextAttemptRow), aliased(TextAttemptRow)
    query = (
        select(func.count(again.text_id.distinct()))
        .join(first, first.text_id == again.text_id)
        .join(TextRow, TextRow.id == again.text_id)
        .where(
            again.finished_at > now - CALLS_COMPARED,
            again.outcome == "accepted",
            first.outcome == "accepted",
            again.claimed_at > first.finished_at,
            TextRow.resent_after_unknown.is_(False),
        )
    )
    return session.scalar(query) or 0


def _untried(session: Session, late: datetime) -> int:
    query = select(func.count()).select_from(TextRow).where(TextRow.due_at < late)
    return session.scalar(query) or 0


def _without_a_call(session: Session) -> int:
    """Texts of live alerts that count as taken, and of which no call is on record."""
    called = exists().where(TextAttemptRow.text_id == TextRow.id)
    query = (
        select(func.count())
        .select_from(TextRow)
        .join(AlertRow, AlertRow.id == TextRow.alert_id)
        .where(
            AlertRow.state != AlertState.RESOLVED.value,
            TextRow.state == "accepted",
            # What travels in another's text is called for with that.
            TextRow.bundle_id.is_(None),
            ~called,
        )
    )
    return session.scalar(query) or 0
