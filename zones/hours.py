"""Whether a schedule is on at an instant and until when, fast: the changes of some weeks are kept.

The answers are those of :mod:`zones.timetable`; only the work is saved.
"""

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from zones.interval import Interval, Intervals
from zones.timetable import Timetable

# Weeks of changes computed at once. Readings come a few hours at a time.
_AHEAD = timedelta(days=28)
_BEHIND = timedelta(days=14)


class Hours:
    """The hours of one zone; ``schedule`` None means always.

    Holds the stretch of time it was last asked about, which changes no answer.
    """

    def __init__(self, schedule: Timetable | None) -> None:
        self._schedule = schedule
        self._from = self._to = datetime.min.replace(tzinfo=UTC)
        self._changes: list[datetime] = []
        self._beyond: datetime | None = None
        self._on_first = False

    def around(self, at: datetime) -> tuple[bool, datetime | None]:
        """Whether the hours count at an aware instant, and the first change after it, if any."""
        if self._schedule is None:
            return True, None
        if not self._from <= at < self._to:
            self._keep(at)
        number = bisect_right(self._changes, at)
        on = self._on_first ^ bool(number % 2)
        return on, self._changes[number] if number < len(self._changes) else self._beyond

    def windows(self, span: Interval) -> Intervals:
        """When the hours count within ``span``."""
        if self._schedule is None:
            return (span,)
        on, until = self.around(span.start)
        if until is None or until > span.end:
            return (span,) if on else ()
        return self._schedule.intervals(span.start, span.end)

    def _keep(self, at: datetime) -> None:
        assert self._schedule is not None
        start = at - min(_BEHIND, at - datetime.min.replace(tzinfo=UTC))
        end = at + min(_AHEAD, datetime.max.replace(tzinfo=UTC) - at)
        changes: list[datetime] = []
        change = self._schedule.next_change(start)
        while change is not None and change < end:
            changes.append(change)
            change = self._schedule.next_change(change)
        self._changes, self._beyond = changes, change
        self._on_first = self._schedule.covers(start)
        self._from, self._to = start, end


@lru_cache(maxsize=4_096)
def hours_of(schedule: Timetable | None) -> Hours:
    """The hours of a schedule, one for all the zones that keep it."""
    return Hours(schedule)
