"""Calendar months, with the two conventions for a day that the other month does not have."""

from calendar import monthrange
from datetime import date, timedelta

MONTHS_A_YEAR = 12


def add_months(day: date, months: int) -> date:
    """The same day so many months later, or earlier; at most the last day of that month.

    31 August + 18 months is 28 February. This is the convention of the follow-up of re-offending.
    """
    year, month = divmod(day.year * MONTHS_A_YEAR + day.month - 1 + months, MONTHS_A_YEAR)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def last_day_of_months_beginning_with(day: date, months: int) -> date:
    """The last day of a period of so many months whose first day is ``day``.

    The period ends the day before the same day of the month; where that month has no such day, it
    ends with the month: twelve months that begin on 29 February 2024 end on 28 February 2025.
    """
    later = add_months(day, months)
    return later - timedelta(days=1) if later.day == day.day else later
