"""Rules over the whole menu: one route for each thing, victims' places stay theirs, and waits."""

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import combinations
from statistics import median
from typing import TypeVar

import msgspec

from navigate_safer.people.menu import Intervention, Request, RequestState, Timing

T = TypeVar("T")


class Double(msgspec.Struct, frozen=True):
    """Two entries that do the same for the same people by different routes."""

    one: Intervention
    other: Intervention


def doubles(entries: Sequence[Intervention]) -> list[Double]:
    """Every such pair: the same need, and somebody who would be eligible for both."""
    return [
        Double(one, other)
        for one, other in combinations(entries, 2)
        if one.need is other.need
        and _same(one.route) != _same(other.route)
        and _for_both(one, other)
    ]


def _for_both(one: Intervention, other: Intervention) -> bool:
    places = (
        one.places_perpetrators and other.places_perpetrators,
        one.places_victims and other.places_victims,
    )
    ours, theirs = set(map(_same, one.localities)), set(map(_same, other.localities))
    return (
        any(places)
        and bool(set(one.bands) & set(other.bands))
        and _meets(set(one.motivation), set(other.motivation))
        and _meets(ours, theirs)
    )


def _meets(one: set[T], other: set[T]) -> bool:
    """Whether two conditions let somebody through both; an empty one lets everybody through."""
    return not one or not other or bool(one & other)


def _same(words: str) -> str:
    return " ".join(words.split()).casefold()


def may_stand_beside(entry: Intervention, others: Iterable[Intervention]) -> str:
    """Why an entry may not be put on the menu beside the others; empty when it may."""
    for each in others:
        if _same(each.code) == _same(entry.code) or _same(each.name) == _same(entry.name):
            return (
                f"{each.name} is on the menu already, commissioned through {each.route}. "
                "An intervention has one commissioning route: change that entry instead."
            )
    return ""


def may_become(before: Intervention, after: Intervention) -> str:
    """Why an entry may not be changed so; empty when it may."""
    if (
        after.places_victims < before.places_victims
        and after.places_perpetrators > before.places_perpetrators
    ):
        return (
            "Places of victims may not become places of perpetrators. Where money is short, adult "
            "and child victims come first."
        )
    return ""


def depends_on_itself(entry: Intervention, others: Iterable[Intervention]) -> bool:
    """Whether what is to be completed first leads back to the entry itself."""
    after = {each.code: each.after for each in others} | {entry.code: entry.after}
    reached: set[str] = set()
    ahead = list(entry.after)
    while ahead:
        code = ahead.pop()
        if code == entry.code:
            return True
        if code not in reached:
            reached.add(code)
            ahead.extend(after.get(code, ()))
    return False


class Wait(msgspec.Struct, frozen=True):
    """Days from decision to first session of one locality, and who still waits there."""

    locality: str
    started: int
    median_days: float | None
    longest_days: int | None
    waiting: int
    longest_waiting_days: int | None


def waits(requests: Iterable[tuple[RequestState, Request]], today: date) -> list[Wait]:
    """By locality, those first where the median is longest."""
    started: dict[str, list[int]] = {}
    waiting: dict[str, list[int]] = {}
    for state, each in requests:
        if each.first_session_on is not None:
            days = (each.first_session_on - each.asked_on).days
            started.setdefault(each.locality, []).append(days)
        elif state.live:
            waiting.setdefault(each.locality, []).append((today - each.asked_on).days)
    found = [
        Wait(
            locality,
            len(started.get(locality, [])),
            median(started[locality]) if locality in started else None,
            max(started.get(locality, []), default=None),
            len(waiting.get(locality, [])),
            max(waiting.get(locality, []), default=None),
        )
        for locality in sorted(started.keys() | waiting.keys())
    ]
    return sorted(found, key=lambda each: -(each.median_days or 0))


def preventive_share(requests: Iterable[Intervention]) -> float | None:
    """Share of what was asked for that is preventive, 0 to 1; None when nothing was."""
    asked = [each.timing for each in requests]
    return asked.count(Timing.PREVENTIVE) / len(asked) if asked else None
