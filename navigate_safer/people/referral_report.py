"""What came in, quarter by quarter: sources, decisions, hours to each, and what is open."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from statistics import median

import msgspec

from navigate_safer.people.days import day_of
from navigate_safer.people.referrals import Answered, Outcome, Referral

Quarter = tuple[int, int]


class Line(msgspec.Struct, frozen=True):
    """One referral as the report needs it; ``person`` is the same for referrals of one person."""

    person: str
    received_at: datetime
    decide_by: datetime
    referral: Referral


class Counted(msgspec.Struct, frozen=True):
    """A quarter. Received and people by receipt, decisions by the day of the decision.

    ``median_h`` is None where nothing was decided. ``people`` are different people: their number is
    below ``received`` where somebody was referred twice.
    """

    name: str
    received: int
    people: int
    decided: int
    in_time: int
    median_h: float | None
    outcomes: dict[str, int]
    inappropriate: int
    repeat: int
    serial: int
    alcohol: int
    same_sex: int

    @property
    def diverted(self) -> int:
        """Referrals that went elsewhere."""
        return self.outcomes.get(Outcome.DIVERTED.value, 0)


class Report(msgspec.Struct, frozen=True):
    """The quarters, the newest first; sources with their number over all of them."""

    quarters: list[Counted]
    sources: list[tuple[str, int]]
    open: int
    overdue: int
    longest_open_h: float | None

    @property
    def diverted_change(self) -> int | None:
        """How many more were diverted in the newest full quarter than in the one before it."""
        full = self.quarters[1:]
        return full[0].diverted - full[1].diverted if len(full) > 1 else None


def quarter_of(at: datetime) -> Quarter:
    """Year and quarter (1 to 4) of the day in London."""
    day = day_of(at)
    return day.year, (day.month + 2) // 3


def before(quarter: Quarter) -> Quarter:
    """The quarter before."""
    year, number = quarter
    return (year - 1, 4) if number == 1 else (year, number - 1)


def first_day(quarter: Quarter) -> date:
    """The day a quarter begins."""
    return date(quarter[0], 3 * quarter[1] - 2, 1)


def report(lines: Sequence[Line], now: datetime, *, quarters: int = 5) -> Report:
    """The quarter that runs and those before it."""
    shown = [quarter_of(now)]
    while len(shown) < quarters:
        shown.append(before(shown[-1]))
    counted = [_counted(lines, each) for each in shown]
    within = [each for each in lines if quarter_of(each.received_at) in shown]
    sources = Counter(each.referral.source for each in within)
    waiting = [each for each in lines if not _decided(each)]
    ages = [_hours(now - each.received_at) for each in waiting]
    return Report(
        quarters=counted,
        sources=sorted(sources.items(), key=lambda each: (-each[1], each[0])),
        open=len(waiting),
        overdue=sum(each.decide_by < now for each in waiting),
        longest_open_h=max(ages, default=None),
    )


def _counted(lines: Iterable[Line], quarter: Quarter) -> Counted:
    lines = list(lines)
    received = [each for each in lines if quarter_of(each.received_at) == quarter]
    decided = [(each, at) for each in lines if (at := _decided(each)) and quarter_of(at) == quarter]
    decisions = [d for each, _ in decided if (d := each.referral.decision) is not None]
    hours = [_hours(at - each.received_at) for each, at in decided]
    return Counted(
        name=f"{quarter[0]} Q{quarter[1]}",
        received=len(received),
        people=len({each.person for each in received}),
        decided=len(decided),
        in_time=sum(at <= each.decide_by for each, at in decided),
        median_h=median(hours) if hours else None,
        outcomes=dict(Counter(each.outcome.value for each in decisions)),
        inappropriate=sum(
            each.diversion is not None and each.diversion.inappropriate for each in decisions
        ),
        repeat=sum(each.repeat for each in decisions),
        serial=sum(each.serial for each in decisions),
        alcohol=sum(each.referral.facts.alcohol is Answered.YES for each in received),
        same_sex=sum(each.referral.facts.same_sex is Answered.YES for each in received),
    )


def _decided(line: Line) -> datetime | None:
    made = line.referral.decision
    return made.at if made is not None and made.outcome.final else None


def _hours(length: timedelta) -> float:
    return length / timedelta(hours=1)
