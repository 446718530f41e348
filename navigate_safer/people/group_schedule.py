"""When a group meets: once a week from its first day, and never on a bank holiday."""

from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, time, timedelta

from navigate_safer.people.days import LONDON, end_of
from navigate_safer.people.working_days import working_day_after
from zones.bank_holidays import is_bank_holiday

_WEEK = timedelta(days=7)
# So many weeks in a row without a meeting are a mistake in the breaks and no schedule.
_LONGEST_GAP_WEEKS = 26


class NoSuchDay(Exception):
    """The breaks leave no day to meet on; the message says where."""


def weekly(first: date, count: int, breaks: Collection[date] = ()) -> list[date]:
    """The days of ``count`` meetings: the weekday of ``first``, without bank holidays and breaks.

    Raises :class:`NoSuchDay` when half a year in a row is taken out.
    """
    found: list[date] = []
    days = _weeks(first)
    skipped = 0
    while len(found) < count:
        day = next(days)
        if is_bank_holiday(day) or day in breaks:
            skipped += 1
            if skipped > _LONGEST_GAP_WEEKS:
                raise NoSuchDay(f"no day to meet on in the half year before {day.isoformat()}")
            continue
        skipped = 0
        found.append(day)
    return found


def _weeks(first: date) -> Iterator[date]:
    day = first
    while True:
        yield day
        day += _WEEK


def instant(day: date, at: time) -> datetime:
    """A time of day in London on a day, as an instant (UTC)."""
    return datetime.combine(day, at, LONDON).astimezone(UTC)


def due_after_working_days(day: date, count: int) -> datetime:
    """The end of the ``count``-th working day after a day, as an instant."""
    return end_of(working_day_after(day, count))


def overlap(start: datetime, minutes: int, other: datetime, other_minutes: int) -> bool:
    """Whether two meetings share any time."""
    end = start + timedelta(minutes=minutes)
    other_end = other + timedelta(minutes=other_minutes)
    return start < other_end and other < end
