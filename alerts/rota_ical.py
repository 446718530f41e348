"""Rotas as iCalendar files (RFC 5545): duties out, dated duties in.

A file that comes in is somebody else's: what it says is read with limits, times without a zone are
the rota's own local times, and a whole day is a day on the wall of its place.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import icalendar
import msgspec
import recurring_ical_events

from alerts.rota import Duty

PRODUCT = "-//Navigate Safer//rota//EN"
# A duty calendar of a quarter of people has some dozens; a rule that repeats each second has none.
MOST_DUTIES = 500
LONGEST_AHEAD = timedelta(days=184)
_REFUSED_RULES = frozenset({"SECONDLY", "MINUTELY", "HOURLY"})
_REFUSED_PARTS = ("BYHOUR", "BYMINUTE", "BYSECOND")


class CalendarFault(ValueError):
    """A calendar that cannot be read; the message says which event, and what to change."""


class DatedDuty(msgspec.Struct, frozen=True):
    """One event of a calendar: who, from when to when (UTC), and the event's own identity."""

    who: str
    email: str | None
    from_at: datetime
    until_at: datetime
    source: str


def write(name: str, ref: str, duties: Iterable[Duty], who: Mapping[int, str], at: datetime) -> str:
    """A calendar of the duties, ``who`` by staff id; a gap is an event of its own."""
    made = icalendar.Calendar()
    made.add("prodid", PRODUCT)
    made.add("version", "2.0")
    made.add("x-wr-calname", name)
    for duty in duties:
        event = icalendar.Event()
        event.add("uid", f"{ref}-{duty.start:%Y%m%dT%H%M%S}@navigate-safer")
        event.add("dtstamp", at.astimezone(UTC))
        event.add("dtstart", duty.start.astimezone(UTC))
        event.add("dtend", duty.end.astimezone(UTC))
        person = None if duty.staff_id is None else who.get(duty.staff_id)
        event.add("summary", person or "NOBODY: gap in the rota")
        made.add_component(event)
    text: bytes = made.to_ical()
    return text.decode("utf-8")


def read(text: bytes, timezone: str, from_at: datetime) -> list[DatedDuty]:
    """The duties of a calendar from an instant on, repeated ones one by one, in order of time.

    What ended before ``from_at`` or begins later than :data:`LONGEST_AHEAD` after it is left out.
    Raises :class:`CalendarFault`.
    """
    try:
        calendar = icalendar.Calendar.from_ical(text)
    except (ValueError, KeyError, IndexError, UnicodeDecodeError):
        raise CalendarFault("This is not an iCalendar file: export one as .ics") from None
    if not isinstance(calendar, icalendar.Calendar):
        raise CalendarFault("This is not an iCalendar file: export one as .ics")
    for number, event in enumerate(calendar.walk("VEVENT"), start=1):
        _refuse_too_much(event, number)
    try:
        events = recurring_ical_events.of(calendar).between(from_at, from_at + LONGEST_AHEAD)
    except Exception:
        raise CalendarFault("A rule of repetition cannot be read: write single duties") from None
    if len(events) > MOST_DUTIES:
        raise CalendarFault(f"It has {len(events)} duties; bring in {MOST_DUTIES} at most")
    zone = ZoneInfo(timezone)
    found = [_duty(event, number, zone) for number, event in enumerate(events, start=1)]
    return sorted(found, key=lambda each: (each.from_at, each.source))


def _refuse_too_much(event: icalendar.Component, number: int) -> None:
    rules = event.get("RRULE", [])
    for rule in rules if isinstance(rules, list) else [rules]:
        often = {str(each).upper() for each in rule.get("FREQ", [])} & _REFUSED_RULES
        if often or any(part in rule for part in _REFUSED_PARTS):
            what = f"Event {number} repeats more than daily"
            raise CalendarFault(f"{what}: write its duties one by one")


def _duty(event: icalendar.Component, number: int, zone: ZoneInfo) -> DatedDuty:
    who = " ".join(str(event.get("SUMMARY", "")).split())
    start, end = event.get("DTSTART"), event.get("DTEND")
    if start is None or end is None:
        raise CalendarFault(f"Event {number} ({who[:60]}) has no start or no end: give it both")
    from_at, until_at = _instant(start.dt, zone), _instant(end.dt, zone)
    if until_at <= from_at:
        raise CalendarFault(f"Event {number} ({who[:60]}) ends before it starts")
    attendee = event.get("ATTENDEE")
    first = attendee[0] if isinstance(attendee, list) and attendee else attendee
    email = None
    if first is not None and str(first).lower().startswith("mailto:"):
        email = str(first)[len("mailto:") :].strip().lower()
    source = f"ical:{str(event.get('UID', ''))[:200]}:{from_at:%Y%m%dT%H%M%SZ}"
    return DatedDuty(who, email, from_at, until_at, source)


def _instant(value: object, zone: ZoneInfo) -> datetime:
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)
    if isinstance(value, date):
        return datetime.combine(value, time(), zone).astimezone(UTC)
    raise CalendarFault("A duty has a start or an end that is no time")
