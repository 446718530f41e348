"""By when a court must hear the application that follows a domestic abuse protection notice."""

from collections.abc import Callable, Collection
from datetime import date, datetime, time, timedelta

import msgspec

from navigate_safer.outcomes.policy import POLICY, Policy
from navigate_safer.outcomes.refusal import BadOutcomeInput, check_dates

SUNDAY = 6


class Notice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Local time at which the notice was given, as ``2025-06-10T09:30``; days to disregard."""

    given: str
    disregarded_dates: tuple[date, ...] = ()


class Deadline(msgspec.Struct, frozen=True):
    """Local time, to the minute."""

    latest_hearing: str


def hearing_deadline(notice: Notice, policy: Policy = POLICY) -> Deadline:
    """The end of the 48 hours in which the hearing must be held.

    Hours run by the local wall clock and do not run on Sundays and on the disregarded dates
    (Christmas Day, Good Friday and bank holidays, which the caller gives). The clocks change on
    Sundays only, so the change never moves a deadline. A period that ends with a day ends at 00:00
    of the next, even where that next day is disregarded; seconds are dropped, on the safe side.
    Source: Domestic Abuse Act 2021, section 29.

    Raises :class:`BadOutcomeInput` for a time that is none, or that has an offset.
    """
    given = _local(notice.given)
    check_dates([("given", given.date())])
    check_dates(
        (f"disregarded_dates[{number}]", day) for number, day in enumerate(notice.disregarded_dates)
    )
    latest = end_of_hours(given, timedelta(hours=policy.hearing_hours), notice.disregarded_dates)
    return Deadline(latest.strftime("%Y-%m-%dT%H:%M"))


def end_of_hours(start: datetime, hours: timedelta, disregarded: Collection[date]) -> datetime:
    """When so many hours have run since the naive local time, Sundays and given days left out."""
    out = frozenset(disregarded)
    return end_outside(start, hours, lambda day: day.weekday() == SUNDAY or day in out)


def end_outside(start: datetime, hours: timedelta, is_left_out: Callable[[date], bool]) -> datetime:
    """When so many hours have run since the naive local time; on days left out none runs."""
    at, left = start, hours
    while left > timedelta():
        midnight = datetime.combine(at.date() + timedelta(days=1), time())
        if is_left_out(at.date()):
            at = midnight
            continue
        run = min(left, midnight - at)
        at, left = at + run, left - run
    return at


def _local(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text) if "T" in text or " " in text else None
    except ValueError:
        at = None
    if at is None:
        raise BadOutcomeInput(f"given: {text!r} is not a local time such as 2025-06-10T09:30")
    if at.tzinfo is not None:
        raise BadOutcomeInput(
            f"given: {text!r} has an offset; give the wall-clock time, as 2025-06-10T09:30"
        )
    return at
