"""Bank holidays of England and Wales, from the statute and the proclamations that changed it.

The yearly days are those of Schedule 1 to the Banking and Financial Dealings Act 1971 with the
common-law holidays (Good Friday, Christmas Day), New Year's Day and the early May day as proclaimed
each year; a day that falls on a weekend is kept on the next weekday that is not one itself. What a
proclamation moved or added is in :data:`MOVED` and :data:`ADDED`, as published at
https://www.gov.uk/bank-holidays. A new proclamation is a new line here and a new version.
"""

from datetime import date, timedelta
from functools import lru_cache

TABLE_VERSION = "2026-11"

# The days are proclaimed in this form since 1978, the first year of the early May holiday.
FIRST_YEAR = 1978

# Proclaimed for one year on another day: VE Day 50 and 75, three Jubilees.
MOVED = {
    date(1995, 5, 1): date(1995, 5, 8),
    date(2002, 5, 27): date(2002, 6, 4),
    date(2012, 5, 28): date(2012, 6, 4),
    date(2020, 5, 4): date(2020, 5, 8),
    date(2022, 5, 30): date(2022, 6, 2),
}
# Proclaimed for one year: the wedding of 1981, the millennium, jubilees, the wedding of 2011, the
# state funeral of 2022, the coronation of 2023.
ADDED = frozenset(
    {
        date(1981, 7, 29),
        date(1999, 12, 31),
        date(2002, 6, 3),
        date(2011, 4, 29),
        date(2012, 6, 5),
        date(2022, 6, 3),
        date(2022, 9, 19),
        date(2023, 5, 8),
    }
)
_MONDAY, _SATURDAY = 0, 5


def is_bank_holiday(on: date) -> bool:
    """Whether the date is a bank holiday in England and Wales; False before 1978."""
    return on in of_year(on.year)


@lru_cache(maxsize=256)
def of_year(year: int) -> frozenset[date]:
    """Every bank holiday of a year."""
    if year < FIRST_YEAR:
        return frozenset()
    easter = _easter_sunday(year)
    usual = {
        _weekday_from(date(year, 1, 1)),
        easter - timedelta(days=2),
        easter + timedelta(days=1),
        _first_monday(date(year, 5, 1)),
        _first_monday(date(year, 5, 25)),
        _first_monday(date(year, 8, 25)),
        *_christmas(year),
    }
    moved = {MOVED.get(each, each) for each in usual}
    return frozenset(moved | {each for each in ADDED if each.year == year})


def _christmas(year: int) -> set[date]:
    """Christmas Day and Boxing Day, each on a weekday of its own."""
    christmas, boxing = date(year, 12, 25), date(year, 12, 26)
    if boxing.weekday() == _SATURDAY:
        return {christmas, date(year, 12, 28)}
    if christmas.weekday() == _SATURDAY:
        return {date(year, 12, 27), date(year, 12, 28)}
    if boxing.weekday() == _MONDAY:
        return {boxing, date(year, 12, 27)}
    return {christmas, boxing}


def _weekday_from(on: date) -> date:
    return on if on.weekday() < _SATURDAY else on + timedelta(days=7 - on.weekday())


def _first_monday(on: date) -> date:
    """The first Monday from a date on."""
    return on + timedelta(days=-on.weekday() % 7)


def _easter_sunday(year: int) -> date:
    """Easter by the Gregorian rule: the Sunday after the full moon from 21 March on.

    The full moon is the ecclesiastical one: the golden number gives the epact, corrected for the
    leap days that the calendar leaves out and for the drift of the lunar cycle.
    """
    century = year // 100
    epact = (15 - (13 + 8 * century) // 25 + century - century // 4 + 19 * (year % 19)) % 30
    # Two lunations of 29 days where the cycle would give 30.
    epact -= epact == 29 or (epact == 28 and year % 19 > 10)
    full_moon = date(year, 3, 21) + timedelta(days=epact)
    return full_moon + timedelta(days=7 - (full_moon.weekday() + 1) % 7)
