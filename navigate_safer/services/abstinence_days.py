"""What is stored of a wearer's alcohol and wearing, for the days of a condition about alcohol."""

from collections.abc import Collection
from datetime import date, datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from alerts.abstinence import BLINDING, DayState, Measured, Tally, state_of, tally, worst
from alerts.alcohol.verdict import Verdict
from alerts.compliance import Account, day_of, day_span
from alerts.finding import FindingKind
from alerts.terms import Condition, ConditionKind
from navigate_safer.db import compliance as stored
from navigate_safer.db.alerting import EpisodeRow
from navigate_safer.db.compliance import ComplianceDayRow
from navigate_safer.db.people import ConditionRow
from zones.interval import Interval

ALCOHOL = frozenset({ConditionKind.ALCOHOL_ABSTINENCE, ConditionKind.ALCOHOL_LEVEL})
_DRINKING = (FindingKind.ALCOHOL_THRESHOLD, FindingKind.ALCOHOL_CONFIRMED)


def measured(
    session: Session, wearer_id: int, condition: Condition, through: datetime
) -> list[Measured]:
    """Alcohol found under the condition, and when the monitor may not have measured.

    What goes on was last seen ``through``; what was withdrawn is not there.
    """
    row = EpisodeRow
    ours = (row.condition_id == condition.condition_id) & row.kind.in_(
        [each.value for each in _DRINKING]
    )
    query = select(row).where(
        row.wearer_id == wearer_id,
        row.withdrawn.is_(False),
        row.started_at <= through,
        or_(ours, row.kind.in_([each.value for each in BLINDING])),
    )
    found = []
    for each in session.scalars(query):
        ends = max(each.started_at, each.ended_at or through)
        found.append(
            Measured(FindingKind(each.kind), Interval(each.started_at, ends), _verdict(each))
        )
    return found


def _verdict(row: EpisodeRow) -> Verdict | None:
    said = row.evidence.get("verdict")
    return Verdict(said) if isinstance(said, str) else None


def account_of_row(row: ComplianceDayRow) -> Account:
    """A stored day."""
    parts = (row.scheduled_s, row.compliant_s, row.breach_s, row.unknown_s, 0, row.review_s)
    return Account(*(timedelta(seconds=part) for part in parts))


def tally_of_condition(
    session: Session, condition: Condition, fresh: Collection[ComplianceDayRow], now: datetime
) -> Tally:
    """The full days of the condition so far; one that was never worked out is unknown."""
    last = day_of(now) - timedelta(days=1)
    rows = [*stored.of_condition(session, condition.condition_id, last), *fresh]
    said = {row.day: state_of(account_of_row(row)) for row in rows}
    day, states = day_of(condition.from_at), list[DayState]()
    ends = last if condition.until_at is None else min(last, day_of(condition.until_at))
    while day <= ends:
        if condition.until_at is None or day_span(day).start < condition.until_at:
            state = said.get(day, DayState.UNKNOWN)
            states += [] if state is None else [state]
        day += timedelta(days=1)
    return tally(states)


def tallies(
    session: Session, wearer_ids: Collection[int], first: date, last: date
) -> dict[int, Tally]:
    """Days of each wearer who has a condition about alcohol, several on one day taken together."""
    row = ComplianceDayRow
    query = (
        select(row)
        .join(ConditionRow, ConditionRow.id == row.condition_id)
        .where(
            row.wearer_id.in_(wearer_ids),
            row.day.between(first, last),
            ConditionRow.kind.in_([each.value for each in ALCOHOL]),
        )
    )
    said: dict[int, dict[date, list[DayState]]] = {}
    for each in session.scalars(query):
        state = state_of(account_of_row(each))
        if state is not None:
            said.setdefault(each.wearer_id, {}).setdefault(each.day, []).append(state)
    return {
        wearer: tally(worst(states) for states in days.values()) for wearer, days in said.items()
    }
