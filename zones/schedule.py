"""Weekly hours of a zone: local wall time kept as such, turned into UTC where it is used.

The order says "19:00 to 07:00", and the clock on the wall decides, so a night on which the clocks
change is an hour shorter or longer. A wall time that the spring change skips is read with the
offset of before the change (01:30 becomes 01:30 UTC, which the wall shows as 02:30); a wall time
that the autumn change repeats is its first occurrence (``fold=0`` of PEP 495). A window that ends
before it starts because of this has no length on that day.

Windows that name the day ``hol`` are the timetable of bank holidays (:mod:`zones.bank_holidays`,
England and Wales): where a schedule has any, its other windows do not start on a bank holiday. The
first night of an order may have hours of its own; nothing counts before them.
"""

from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

from zones.bank_holidays import is_bank_holiday
from zones.fault import ZoneFault
from zones.interval import Interval, Intervals, clipped, union

DEFAULT_TIMEZONE = "Europe/London"

# A local date is at most a day off the UTC date, and a window of the day before may still run.
_DAYS_BEFORE = 2
_DAYS_AFTER = 1
# One week holds every change of a weekly schedule; the second is for a window that the clock
# change swallows and for the night that runs past the end of the first.
_CHANGE_HORIZON = timedelta(days=16)
# With a timetable of bank holidays the next change may be that of the next Easter but one.
_HOLIDAY_HORIZON = timedelta(days=430)


class Day(Enum):
    """Days of the week as the zone file names them, Monday first, and any bank holiday."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"
    HOL = "hol"


WEEK = tuple(Day)[:7]


class Window(msgspec.Struct, frozen=True):
    """Hours on certain days, local wall time; they belong to the day on which they start.

    An ``end`` not after ``start`` is on the next day; equal ones mean 24 hours on the wall clock.
    ``none``: no hours at all on these days, which says of bank holidays that they are free.
    """

    days: tuple[Day, ...]
    start: time
    end: time
    none: bool = False

    def __post_init__(self) -> None:
        if not self.days:
            raise ZoneFault("schedule", "a window names no day; give at least one of mon to sun")
        if self.start.tzinfo is not None or self.end.tzinfo is not None:
            raise ZoneFault("schedule", "hours are local wall time and carry no offset")


class FirstNight(msgspec.Struct, frozen=True):
    """The hours that begin on the local date ``on`` instead of that day's windows."""

    on: date
    start: time
    end: time

    @property
    def window(self) -> Window:
        """The same as hours of a day."""
        return Window(tuple(Day), self.start, self.end)


class Schedule(msgspec.Struct, frozen=True):
    """When a zone counts: weekly windows in one time zone.

    Raises :class:`ZoneFault` for a time zone that is not in the IANA database. No windows means
    never; a zone that always counts has no schedule at all.
    """

    windows: tuple[Window, ...]
    timezone: str = DEFAULT_TIMEZONE
    first_night: FirstNight | None = None

    def __post_init__(self) -> None:
        zone_info(self.timezone)

    @property
    def keeps_bank_holidays(self) -> bool:
        """Whether bank holidays have a timetable of their own."""
        return any(Day.HOL in window.days for window in self.windows)

    def starting_on(self, on: date) -> tuple[Window, ...]:
        """The windows that start on a local date."""
        first = self.first_night
        if first is not None and on <= first.on:
            return (first.window,) if on == first.on else ()
        day = WEEK[on.weekday()]
        if self.keeps_bank_holidays and is_bank_holiday(on):
            day = Day.HOL
        return tuple(each for each in self.windows if day in each.days and not each.none)

    def intervals(self, from_at: datetime, to_at: datetime) -> Intervals:
        """The stretches between two aware instants in which the schedule is on: merged, UTC."""
        span = Interval(_utc(from_at), _utc(to_at))
        first = max(span.start.toordinal() - _DAYS_BEFORE, date.min.toordinal())
        last = min(span.end.toordinal() + _DAYS_AFTER, date.max.toordinal())
        days = (_on_day(self, ordinal) for ordinal in range(first, last + 1))
        return clipped(union(*days), span)

    def covers(self, at: datetime) -> bool:
        """Whether the schedule is on at this aware instant: from a start up to before its end."""
        moment = _utc(at)
        first = max(moment.toordinal() - _DAYS_BEFORE, date.min.toordinal())
        last = min(moment.toordinal() + _DAYS_AFTER, date.max.toordinal())
        return any(
            piece.holds(moment)
            for ordinal in range(first, last + 1)
            for piece in _on_day(self, ordinal)
        )

    def next_change(self, at: datetime) -> datetime | None:
        """The first instant after ``at`` that switches it on or off; None if it never changes."""
        moment = _utc(at)
        if self.first_night is not None:
            begins = datetime.combine(self.first_night.on, time(), UTC) - timedelta(
                days=_DAYS_AFTER
            )
            if moment < begins:
                return self._change_within(moment, begins - moment + _CHANGE_HORIZON)
        found = self._change_within(moment, _CHANGE_HORIZON)
        if found is None and self.keeps_bank_holidays:
            found = self._change_within(moment, _HOLIDAY_HORIZON)
        return found

    def _change_within(self, moment: datetime, length: timedelta) -> datetime | None:
        horizon = moment + min(length, datetime.max.replace(tzinfo=UTC) - moment)
        ahead = self.intervals(moment, horizon)
        if not ahead:
            return None
        if ahead[0].start > moment:
            return ahead[0].start
        return ahead[0].end if ahead[0].end < horizon else None


def _utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError(f"time {at} has no time zone; give an aware time")
    return at.astimezone(UTC)


@lru_cache(maxsize=64)
def zone_info(name: str) -> ZoneInfo:
    """The time zone of an IANA name; raises :class:`ZoneFault` where there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        what = f"{name!r} is not a time zone; use an IANA name such as {DEFAULT_TIMEZONE}"
        raise ZoneFault("timezone", what) from None


@lru_cache(maxsize=8192)
def _on_day(schedule: Schedule, ordinal: int) -> Intervals:
    """The windows that start on one local date, in UTC, as they come."""
    on = date.fromordinal(ordinal)
    zone = zone_info(schedule.timezone)
    pieces = []
    for window in schedule.starting_on(on):
        ends_on = on if window.end > window.start else on + timedelta(days=1)
        start = datetime.combine(on, window.start, zone).astimezone(UTC)
        end = datetime.combine(ends_on, window.end, zone).astimezone(UTC)
        if start < end:
            pieces.append(Interval(start, end))
    return tuple(pieces)
