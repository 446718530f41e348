"""What alerts ask of officers: how many, how fast they are answered, at night, and for what.

Counted per rule, kind, zone, device model and area, so that what wakes people for nothing is seen
and mended at its cause. All times aware; days and nights are those of the wall in London.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import msgspec

from alerts.lifecycle import Outcome
from zones.schedule import DEFAULT_TIMEZONE

BUDGET_VERSION = "1"
# Two pages in a shift of twelve hours are what Google's SRE book (chapter 11) takes as the most
# that can be followed up well. Here it is the most that one rule may open in a day; a project
# policy until a supervisor's own figures say better.
MOST_A_DAY_PER_RULE = 4.0
# Night time without another agreement: Working Time Regulations 1998, regulation 2(1).
NIGHT_FROM, NIGHT_UNTIL = time(23), time(6)
_ZONE = ZoneInfo(DEFAULT_TIMEZONE)


class AlertFact(msgspec.Struct, frozen=True, kw_only=True):
    """One alert as far as its burden goes; None where it has not happened, or has no such thing."""

    opened_at: datetime
    acknowledged_at: datetime | None
    resolved_at: datetime | None
    outcome: str | None
    rule: str
    kind: str
    zone: str | None
    model: str
    area: str


class PageFact(msgspec.Struct, frozen=True):
    """One text or call to one officer."""

    staff_id: int
    at: datetime


class Spread(msgspec.Struct, frozen=True):
    """Minutes: the median and the ninth tenth, over ``count``; None without any."""

    count: int
    median: float | None
    p90: float | None


class Group(msgspec.Struct, frozen=True):
    """The alerts that share a rule, kind, zone, model or area; ``confirmed`` of ``judged``."""

    name: str
    alerts: int
    a_day: float
    acknowledge: Spread
    resolve: Spread
    confirmed: int
    judged: int
    over_budget: bool = False


class OfficerLoad(msgspec.Struct, frozen=True):
    """What one officer was sent: in all, a day of the span, on the worst day, at night."""

    staff_id: int
    pages: int
    a_day: float
    most_on_a_day: int
    at_night: int


def spread(minutes: Iterable[float]) -> Spread:
    """Median and p90 by the nearest rank: each is a time that somebody really waited."""
    ordered = sorted(minutes)
    if not ordered:
        return Spread(0, None, None)

    def rank(share: float) -> float:
        return ordered[math.ceil(share * len(ordered)) - 1]

    return Spread(len(ordered), rank(0.5), rank(0.9))


def group(name: str, facts: Sequence[AlertFact], days: float) -> Group:
    """One group's figures over a span of ``days``."""
    judged = [each for each in facts if each.outcome is not None]
    confirmed = sum(each.outcome == Outcome.BREACH_CONFIRMED.value for each in judged)
    return Group(
        name=name,
        alerts=len(facts),
        a_day=len(facts) / days,
        acknowledge=spread(_minutes(each.opened_at, each.acknowledged_at) for each in facts
                           if each.acknowledged_at is not None),
        resolve=spread(_minutes(each.opened_at, each.resolved_at) for each in facts
                       if each.resolved_at is not None),
        confirmed=confirmed,
        judged=len(judged),
    )  # fmt: skip


def _minutes(start: datetime, end: datetime | None) -> float:
    assert end is not None
    return (end - start).total_seconds() / 60


def groups(
    facts: Iterable[AlertFact], key: Callable[[AlertFact], str | None], days: float
) -> list[Group]:
    """The figures by a key, the largest group first; what has no such key is left out."""
    sorted_in: dict[str, list[AlertFact]] = {}
    for each in facts:
        name = key(each)
        if name is not None:
            sorted_in.setdefault(name, []).append(each)
    found = [group(name, inside, days) for name, inside in sorted_in.items()]
    return sorted(found, key=lambda each: (-each.alerts, each.name))


def by_rule(facts: Iterable[AlertFact], days: float) -> list[Group]:
    """The figures by rule, with a mark on each that is over its budget."""
    return [
        msgspec.structs.replace(each, over_budget=each.a_day > MOST_A_DAY_PER_RULE)
        for each in groups(facts, lambda fact: fact.rule, days)
    ]


def loads(pages: Iterable[PageFact], days: float) -> list[OfficerLoad]:
    """What each officer was sent, the most burdened first."""
    by_person: dict[int, list[datetime]] = {}
    for each in pages:
        by_person.setdefault(each.staff_id, []).append(each.at.astimezone(_ZONE))
    found = [
        OfficerLoad(
            staff_id=person,
            pages=len(times),
            a_day=len(times) / days,
            most_on_a_day=max(Counter(at.date() for at in times).values()),
            at_night=sum(is_night(at) for at in times),
        )
        for person, times in by_person.items()
    ]
    return sorted(found, key=lambda each: (-each.pages, each.staff_id))


def is_night(at: datetime) -> bool:
    """Whether an instant is in night time in London."""
    wall = at.astimezone(_ZONE).time()
    return wall >= NIGHT_FROM or wall < NIGHT_UNTIL


def a_day(facts: Iterable[AlertFact]) -> dict[date, int]:
    """Alerts opened on each day in London; days without any are not there."""
    return dict(Counter(each.opened_at.astimezone(_ZONE).date() for each in facts))
