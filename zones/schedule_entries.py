"""Hours as zone files write them, to :mod:`zones.schedule`; a fault names its entry."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, time
from typing import Any

from zones.fault import ZoneFault
from zones.schedule import DEFAULT_TIMEZONE, Day, FirstNight, Schedule, Window

_WALL_TIME = re.compile(r"([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?")


def schedule_from_entries(entries: object, timezone: str = DEFAULT_TIMEZONE) -> Schedule:
    """Read the zone file's form, ``[{"days": ["mon"], "start": "19:00", "end": "07:00"}]``.

    The day ``hol`` stands for bank holidays, and ``{"days": ["hol"], "hours": "none"}`` for bank
    holidays on which the zone does not count.

    Raises :class:`ZoneFault` that names the entry, counted from 1.
    """
    if not isinstance(entries, Sequence) or isinstance(entries, str | bytes):
        raise ZoneFault("schedule", 'must be a list of {"days", "start", "end"}')
    if not entries:
        raise ZoneFault("schedule", "is an empty list; leave it out for a zone that always counts")
    windows = tuple(
        _window(entry, f"schedule entry {number}") for number, entry in enumerate(entries, start=1)
    )
    if all(window.none for window in windows):
        raise ZoneFault("schedule", "has no hours on any day; give at least one window")
    for number, window in enumerate(windows, start=1):
        _refuse_contradiction(window, windows, f"schedule entry {number}")
    return Schedule(windows, timezone)


def _refuse_contradiction(window: Window, windows: Sequence[Window], where: str) -> None:
    if window.none:
        for other in windows:
            if not other.none and set(window.days) & set(other.days):
                raise ZoneFault(where, "says that a day has no hours, and another gives it some")


def first_night_from_entry(entry: object) -> FirstNight:
    """Read ``{"date": "2026-11-20", "start": "15:30", "end": "07:00"}``."""
    where = "first_night"
    if not isinstance(entry, Mapping):
        raise ZoneFault(where, 'must be an object with "date", "start" and "end"')
    _check_keys(entry, ("date", "start", "end"), where)
    text = entry["date"]
    try:
        on = date.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        on = None
    if on is None:
        raise ZoneFault(where, f"{text!r} is not a date such as 2026-11-20")
    return FirstNight(
        on, _wall_time(entry["start"], f"{where}, start"), _wall_time(entry["end"], f"{where}, end")
    )


def _check_keys(entry: Mapping[Any, Any], wanted: Sequence[str], where: str) -> None:
    for key in wanted:
        if key not in entry:
            raise ZoneFault(where, f"has no {key!r}")
    unknown = sorted(str(key) for key in entry if key not in wanted)
    if unknown:
        known = f"{', '.join(wanted[:-1])} and {wanted[-1]} are known"
        raise ZoneFault(where, f"has an unknown key {unknown[0]!r}; {known}")


def _window(entry: object, where: str) -> Window:
    if not isinstance(entry, Mapping):
        raise ZoneFault(where, 'must be an object with "days", "start" and "end"')
    if "hours" in entry:
        _check_keys(entry, ("days", "hours"), where)
        if entry["hours"] != "none":
            raise ZoneFault(where, 'hours may only be "none"; otherwise give start and end')
        return Window(_days(entry["days"], where), time(), time(), none=True)
    _check_keys(entry, ("days", "start", "end"), where)
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
