"""When something counts, put together of weekly hours, dates, and what is taken out of them.

Every instant is either in a timetable or not: a start belongs to it, an end does not. All answers
are in UTC; the parts know their own wall clocks.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, time

import msgspec

from zones.interval import Interval, Intervals, intersection, subtraction, union
from zones.schedule import DEFAULT_TIMEZONE, WEEK, Schedule, Window

# Changes of the parts that are looked at for one change of the whole: more than three years of a
# schedule with two windows a day. Past it there is none in any time that matters.
_MOST_CHANGES = 5_000


class Dates(msgspec.Struct, frozen=True):
    """From one aware instant up to before another; None is open.

    Raises ValueError where the end is not after the start.
    """

    from_at: datetime | None = None
    until_at: datetime | None = None

    def __post_init__(self) -> None:
        if self.from_at is not None and self.until_at is not None and self.until_at <= self.from_at:
            raise ValueError(f"it ends at {self.until_at}, not after its start at {self.from_at}")

    def intervals(self, from_at: datetime, to_at: datetime) -> Intervals:
        """What of the stretch lies within the dates."""
        start = from_at if self.from_at is None else max(from_at, self.from_at)
        end = to_at if self.until_at is None else min(to_at, self.until_at)
        # An instant alone is asked about only by a stretch of no length.
        if start > end or (start == end and not (from_at == to_at and self.covers(start))):
            return ()
        return (Interval(start.astimezone(UTC), end.astimezone(UTC)),)

    def covers(self, at: datetime) -> bool:
        """Whether the instant lies within the dates."""
        begun = self.from_at is None or self.from_at <= at
        return begun and (self.until_at is None or at < self.until_at)

    def next_change(self, at: datetime) -> datetime | None:
        """The first instant after ``at`` at which the answer is another."""
        ahead = [each for each in (self.from_at, self.until_at) if each is not None and each > at]
        return min(ahead, default=None)


class Combined(msgspec.Struct, frozen=True):
    """In all of ``within`` and in none of ``without``; with no ``within``, always but for those."""

    within: "tuple[Timetable, ...]" = ()
    without: "tuple[Timetable, ...]" = ()

    def intervals(self, from_at: datetime, to_at: datetime) -> Intervals:
        """The stretches between two aware instants that count: merged, UTC."""
        kept: Intervals = (Interval(from_at.astimezone(UTC), to_at.astimezone(UTC)),)
        for each in self.within:
            kept = intersection(kept, each.intervals(from_at, to_at))
        return subtraction(kept, union(*(each.intervals(from_at, to_at) for each in self.without)))

    def covers(self, at: datetime) -> bool:
        """Whether the instant counts."""
        inside = all(each.covers(at) for each in self.within)
        return inside and not any(each.covers(at) for each in self.without)

    def next_change(self, at: datetime) -> datetime | None:
        """The first instant after ``at`` that switches it on or off; None if it never changes."""
        now, moment = self.covers(at), at
        for _ in range(_MOST_CHANGES):
            change = self._step(moment)
            if change is None:
                return None
            if self.covers(change) != now:
                return change
            moment = change
        return None

    def _step(self, at: datetime) -> datetime | None:
        """The next instant at which the whole may change."""
        off = [each for each in self.within if not each.covers(at)]
        if off:
            # It stays off until every part that is off has been on again.
            begins = [each.next_change(at) for each in off]
            known = [each for each in begins if each is not None]
            return max(known) if len(known) == len(begins) else None
        on = [each for each in self.without if each.covers(at)]
        if on:
            ends = [each.next_change(at) for each in on]
            known = [each for each in ends if each is not None]
            return max(known) if len(known) == len(ends) else None
        ahead = [each.next_change(at) for each in (*self.within, *self.without)]
        return min((each for each in ahead if each is not None), default=None)


Timetable = Schedule | Dates | Combined

_ALL_DAY = Window(WEEK, time(), time())


def always(timezone: str = DEFAULT_TIMEZONE) -> Schedule:
    """Every minute, as weekly hours of a time zone."""
    return Schedule((_ALL_DAY,), timezone)


def combined(parts: Iterable[Timetable], without: Iterable[Timetable] = ()) -> Timetable | None:
    """The parts together in their simplest form; None means always."""
    within, removed = tuple(parts), tuple(without)
    if not within and not removed:
        return None
    if len(within) == 1 and not removed:
        return within[0]
    return Combined(within, removed)
