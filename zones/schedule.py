"""Weekly hours of a zone: local wall time kept as such, turned into UTC where it is used.

The order says "19:00 to 07:00", and the clock on the wall decides, so a night on which the clocks
change is an hour shorter or longer. A wall time that the spring change skips is read with the
offset of before the change (01:30 becomes 01:30 UTC, which the wall shows as 02:30); a wall time
that the autumn change repeats is its first occurrence (``fold=0`` of PEP 495). A window that ends
before it starts because of this has no length on that day.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

from zones.fault import ZoneFault
from zones.interval import Interval, Intervals, clipped, union

DEFAULT_TIMEZONE = "Europe/London"

# A local date is at most a day off the UTC date, and a window of the day before may still run.
_DAYS_BEFORE = 2
_DAYS_AFTER = 1
# One week holds every change of a weekly schedule; the second is for a window that the clock
# change swallows and for the night that runs past the end of the first.
_CHANGE_HORIZON = timedelta(days=16)

_WALL_TIME = re.compile(r"([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?")


class Day(Enum):
    """Days of the week as the zone file names them, Monday first."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


_WEEK = tuple(Day)


class Window(msgspec.Struct, frozen=True):
    """Hours on certain days, local wall time; they belong to the day on which they start.

    An ``end`` not after ``start`` is on the next day; equal ones mean 24 hours on the wall clock.
    """

    days: tuple[Day, ...]
    start: time
    end: time

    def __post_init__(self) -> None:
        if not self.days:
            raise ZoneFault("schedule", "a window names no day; give at least one of mon to sun")
        if self.start.tzinfo is not None or self.end.tzinfo is not None:
            raise ZoneFault("schedule", "hours are local wall time and carry no offset")


class Schedule(msgspec.Struct, frozen=True):
    """When a zone counts: weekly windows in one time zone.

    Raises :class:`ZoneFault` for a time zone that is not in the IANA database. No windows means
    never; a zone that always counts has no schedule at all.
    """

    windows: tuple[Window, ...]
    timezone: str = DEFAULT_TIMEZONE

    def __post_init__(self) -> None:
        _zone_info(self.timezone)

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
        horizon = moment + _CHANGE_HORIZON
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
def _zone_info(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        what = f"{name!r} is not a time zone; use an IANA name such as {DEFAULT_TIMEZONE}"
        raise ZoneFault("timezone", what) from None


@lru_cache(maxsize=8192)
def _on_day(schedule: Schedule, ordinal: int) -> Intervals:
    """The windows that start on one local date, in UTC, as they come."""
    on = date.fromordinal(ordinal)
    weekday = _WEEK[on.weekday()]
    zone = _zone_info(schedule.timezone)
    pieces = []
    for window in schedule.windows:
        if weekday not in window.days:
            continue
        ends_on = on if window.end > window.start else on + timedelta(days=1)
        start = datetime.combine(on, window.start, zone).astimezone(UTC)
        end = datetime.combine(ends_on, window.end, zone).astimezone(UTC)
        if start < end:
            pieces.append(Interval(start, end))
    return tuple(pieces)


def schedule_from_entries(entries: object, timezone: str = DEFAULT_TIMEZONE) -> Schedule:
    """Read the zone file's form, ``[{"days": ["mon"], "start": "19:00", "end": "07:00"}]``.

    Raises :class:`ZoneFault` that names the entry, counted from 1.
    """
    if not isinstance(entries, Sequence) or isinstance(entries, str | bytes):
        raise ZoneFault("schedule", 'must be a list of {"days", "start", "end"}')
    if not entries:
        raise ZoneFault("schedule", "is an empty list; leave it out for a zone that always counts")
    windows = tuple(
        _window(entry, f"schedule entry {number}") for number, entry in enumerate(entries, start=1)
    )
    return Schedule(windows, timezone)


def _window(entry: object, where: str) -> Window:
    if not isinstance(entry, Mapping):
        raise ZoneFault(where, 'must be an object with "days", "start" and "end"')
    for key in ("days", "start", "end"):
        if key not in entry:
            raise ZoneFault(where, f"has no {key!r}")
    unknown = sorted(str(key) for key in entry if key not in ("days", "start", "end"))
    if unknown:
        raise ZoneFault(where, f"has an unknown key {unknown[0]!r}; days, start and end are known")
    return Window(
        _days(entry["days"], where),
        _wall_time(entry["start"], f"{where}, start"),
        _wall_time(entry["end"], f"{where}, end"),
    )


def _days(names: object, where: str) -> tuple[Day, ...]:
    if not isinstance(names, Sequence) or isinstance(names, str | bytes) or not names:
        raise ZoneFault(where, 'days must be a list such as ["mon", "tue"] with at least one day')
    found = set()
    for name in names:
        try:
            found.add(Day(name.lower() if isinstance(name, str) else name))
        except ValueError:
            known = ", ".join(day.value for day in Day)
            raise ZoneFault(where, f"{name!r} is not a day; use {known}") from None
    return tuple(day for day in Day if day in found)


def _wall_time(text: object, where: str) -> time:
    match = _WALL_TIME.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ZoneFault(where, f"{text!r} is not a time of day; write HH:MM, such as 19:00")
    hour, minute, second = (int(part or 0) for part in match.groups())
    # Midnight at the end of a day is the midnight that begins the next, which is what an end not
    # after its start already means.
    if (hour, minute, second) == (24, 0, 0) and where.endswith("end"):
        return time(0)
    try:
        return time(hour, minute, second)
    except ValueError:
        raise ZoneFault(where, f"{text!r} is not a time of day; use 00:00 to 23:59") from None
