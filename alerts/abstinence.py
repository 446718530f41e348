"""Days under a condition about alcohol: kept, broken, for review or unknown, and how many of each.

A day is broken where the rule confirmed drinking, and for review where alcohol was measured that it
did not confirm. It was kept only where readings vouch for all of it: what was not measured, could
not be measured or cannot be told is unknown, and a day with any of it is no day kept.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import Enum

import msgspec

from alerts.alcohol.verdict import Verdict
from alerts.compliance import Account, account, day_of
from alerts.finding import FindingKind
from alerts.terms import Condition
from zones.interval import Interval, Intervals, subtraction, union

# While these last a monitor that is worn measures nothing that can be relied on.
BLINDING = frozenset(
    {FindingKind.CONTACT_SUSPECT, FindingKind.CONTACT_LOST, FindingKind.SENSOR_FAULT}
)


class DayState(Enum):
    """What is said of one whole day; in order of what weighs most."""

    BREACH = "breach"
    REVIEW = "review"
    UNKNOWN = "unknown"
    COMPLIANT = "compliant"


class Measured(msgspec.Struct, frozen=True):
    """An episode of a wearer as it is stored; ``verdict`` of alcohol that was measured."""

    kind: FindingKind
    time: Interval
    verdict: Verdict | None = None


def account_of(scheduled: Intervals, known: Intervals, measured: Iterable[Measured]) -> Account:
    """The four parts of the scheduled time; ``known`` is the time between readings.

    Confirmed drinking stays a breach whatever covered the monitor: it was seen through it. Of the
    rest, what is undetermined or was measured by a monitor that may have been covered is unknown.
    """
    measured = list(measured)
    broken = _time(each for each in measured if each.kind is FindingKind.ALCOHOL_CONFIRMED)
    early = [each for each in measured if each.kind is FindingKind.ALCOHOL_THRESHOLD]
    open_ = _time(each for each in early if each.verdict is not Verdict.UNDETERMINED)
    untold = _time(each for each in early if each.verdict is Verdict.UNDETERMINED)
    blind = _time(each for each in measured if each.kind in BLINDING)
    seen = subtraction(known, union(untold, blind))
    return account(scheduled, seen, broken, doubtful=subtraction(open_, untold))


def _time(measured: Iterable[Measured]) -> Intervals:
    return union(each.time for each in measured)


def state_of(day: Account) -> DayState | None:
    """What is said of a day; None where the condition did not count on it."""
    if not day.scheduled:
        return None
    if day.breach:
        return DayState.BREACH
    if day.review:
        return DayState.REVIEW
    return DayState.UNKNOWN if day.unknown else DayState.COMPLIANT


class Tally(msgspec.Struct, frozen=True):
    """Days counted by what is said of them."""

    compliant: int = 0
    breach: int = 0
    review: int = 0
    unknown: int = 0

    @property
    def days(self) -> int:
        """All of them."""
        return self.compliant + self.breach + self.review + self.unknown


def tally(states: Iterable[DayState]) -> Tally:
    """Count days."""
    counted = Counter(each.value for each in states)
    return Tally(**counted)


def worst(states: Iterable[DayState]) -> DayState:
    """What is said of a day under several conditions: what weighs most."""
    order = list(DayState)
    return min(states, key=order.index)


class Progress(msgspec.Struct, frozen=True):
    """Which day of the condition it is, from 1; ``of`` None where it has no end."""

    day: int
    of: int | None


def progress(condition: Condition, now: datetime) -> Progress | None:
    """Where the condition stands in its days, local ones, part days counted; None: not yet begun.

    After its end it stands at its last day.
    """
    if now < condition.from_at:
        return None
    first = day_of(condition.from_at)
    last = None
    if condition.until_at is not None:
        # The end itself is no longer in force: one at midnight ends with the day before.
        last = max(first, day_of(condition.until_at - timedelta(microseconds=1)))
    today = day_of(now) if last is None else min(day_of(now), last)
    whole = None if last is None else (last - first).days + 1
    return Progress((today - first).days + 1, whole)
