"""Clocks of law and practice: working days, and hours and days that leave some days out.

Days are days of London, so that an hour belongs to the day that it has there, through both changes
of the clocks; hours are hours that pass. Bank holidays are those of England and Wales
(:mod:`zones.bank_holidays`: exact to its table's version, and by rule for the years after it).
"""

from datetime import UTC, date, datetime, timedelta

from navigate_safer.outcomes.hearing import end_outside
from navigate_safer.people.days import LONDON, day_of, start_of
from zones.bank_holidays import is_bank_holiday

_DAY = timedelta(days=1)
_SATURDAY, _SUNDAY = 5, 6
# Both by their name, on any day of the week. Lists of bank holidays name only the Monday that was
# proclaimed for a Boxing Day on a Saturday; the Saturday is one as well, by Schedule 1 to the
# Banking and Financial Dealings Act 1971 ("26th December, if it be not a Sunday").
_CHRISTMAS_AND_BOXING_DAY = ((12, 25), (12, 26))


def is_working(day: date) -> bool:
    """Whether a day is from Monday to Friday and no bank holiday."""
    return day.weekday() < _SATURDAY and not is_bank_holiday(day)


def working_day_after(day: date, count: int) -> date:
    """The working day that is so many after a day, which itself does not count."""
    while count > 0:
        day += _DAY
        count -= is_working(day)
    return day


def working_day_by(day: date) -> date:
    """The day itself, or the last working day before it."""
    while not is_working(day):
        day -= _DAY
    return day


def is_left_out(day: date) -> bool:
    """Whether a statutory period of hours leaves the day out.

    Sundays, Christmas Day, Good Friday and bank holidays: section 29(3) of the Domestic Abuse Act
    2021, and section 27(4) of the Crime and Security Act 2010, which mean those of the Act of 1971.
    """
    by_name = (day.month, day.day) in _CHRISTMAS_AND_BOXING_DAY
    return day.weekday() == _SUNDAY or by_name or is_bank_holiday(day)


def after_hours(start: datetime, hours: float, *, leave_out: bool) -> datetime:
    """The instant at which so many hours have passed; with ``leave_out`` those days stand still."""
    span = timedelta(hours=hours)
    if not leave_out:
        return start.astimezone(UTC) + span
    # The clocks change on Sundays, which are left out: an hour of the wall is an hour that passes.
    wall = start.astimezone(LONDON).replace(tzinfo=None)
    return end_outside(wall, span, is_left_out).replace(tzinfo=LONDON).astimezone(UTC)


def hours_gone(start: datetime, until: datetime, *, leave_out: bool) -> float:
    """How many hours of such a period have passed; 0 before its start."""
    at, gone = start.astimezone(UTC), timedelta()
    if not leave_out:
        return max((until - at) / timedelta(hours=1), 0.0)
    while at < until:
        day = day_of(at)
        ends = min(start_of(day + _DAY), until)
        if not is_left_out(day):
            gone += ends - at
        at = ends
    return gone / timedelta(hours=1)


def last_day(first: date, count: int, *, leave_out: bool) -> date:
    """The last day of a period of so many days that begins with a day, which counts."""
    day = first
    while True:
        count -= not (leave_out and is_left_out(day))
        if count <= 0:
            return day
        day += _DAY


def months_after(day: date, months: int) -> date:
    """The same day of a later month, or that month's last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return min(date(year, month + 1, 1) + timedelta(days=day.day - 1), following - _DAY)
