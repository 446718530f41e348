"""The clocks of law and practice, against a count minute by minute, and on days that were."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navigate_safer.people.days import LONDON, day_of
from navigate_safer.people.notices import Notice, alarm_now, due_of
from navigate_safer.people.working_days import (
    after_hours,
    hours_gone,
    is_left_out,
    is_working,
    last_day,
    months_after,
    working_day_after,
)

MINUTE = timedelta(minutes=1)
# About both changes of the clocks, Easter, and two Christmases that fall on other days of the week.
STARTS = st.sampled_from(
    [
        datetime(2026, 3, 25, tzinfo=UTC),
        datetime(2026, 10, 21, tzinfo=UTC),
        datetime(2026, 4, 1, tzinfo=UTC),
        datetime(2026, 12, 20, tzinfo=UTC),
        datetime(2027, 12, 22, tzinfo=UTC),
    ]
).flatmap(lambda first: st.integers(0, 9 * 24 * 60).map(lambda n: first + n * MINUTE))


def london(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=LONDON).astimezone(UTC)


def counted_by_minutes(start: datetime, hours: int) -> datetime:
    """The plain way: a minute counts when the day in London that it is of counts."""
    left, at = hours * 60, start
    while left:
        left -= not is_left_out(day_of(at))
        at += MINUTE
    return at


@settings(max_examples=40, deadline=None)
@given(STARTS, st.integers(1, 48))
def test_a_period_of_hours_is_what_the_minutes_say(start: datetime, hours: int) -> None:
    ends = after_hours(start, hours, leave_out=True)
    assert ends == counted_by_minutes(start, hours)
    assert hours_gone(start, ends, leave_out=True) == pytest.approx(hours)


@settings(max_examples=100, deadline=None)
@given(STARTS, st.floats(0, 100), st.floats(0, 100))
def test_more_hours_never_end_earlier(start: datetime, one: float, other: float) -> None:
    less, more = sorted((one, other))
    first = after_hours(start, less, leave_out=True)
    assert first <= after_hours(start, more, leave_out=True)
    assert first >= after_hours(start, less, leave_out=False)


@pytest.mark.parametrize(
    ("given_at", "heard_by"),
    [
        # A Monday noon: two days later.
        (london(2026, 11, 23, 12, 0), london(2026, 11, 25, 12, 0)),
        # A Friday evening: the Sunday does not count.
        (london(2026, 11, 20, 18, 0), london(2026, 11, 23, 18, 0)),
        # The clocks go forward on the Sunday that is left out: the wall clock stays the same.
        (london(2026, 3, 28, 9, 30), london(2026, 3, 31, 9, 30)),
        (london(2026, 10, 24, 9, 30), london(2026, 10, 27, 9, 30)),
        # Maundy Thursday: Good Friday, Easter Sunday and Easter Monday are left out.
        (london(2026, 4, 2, 15, 0), london(2026, 4, 7, 15, 0)),
        # Christmas Eve 2026 is a Thursday. Boxing Day is a bank holiday by the Act, on the Saturday
        # too, and so is the Monday that was proclaimed for it.
        (london(2026, 12, 24, 10, 0), london(2026, 12, 30, 10, 0)),
        # The same days of the week in 2020.
        (london(2020, 12, 24, 10, 0), london(2020, 12, 30, 10, 0)),
        # Given on Boxing Day itself, a Saturday: the first hour is the first of Tuesday.
        (london(2026, 12, 26, 14, 0), london(2026, 12, 31, 0, 0)),
        # In 2021 they were a Saturday and a Sunday, kept on Monday and Tuesday: four days go.
        (london(2021, 12, 24, 10, 0), london(2021, 12, 30, 10, 0)),
        # Given on a Sunday: the first hour is the first of Monday.
        (london(2026, 11, 22, 14, 0), london(2026, 11, 25, 0, 0)),
        # Christmas Day on a Saturday is no bank holiday, and is left out by its name.
        (london(2027, 12, 24, 0, 0), london(2027, 12, 30, 0, 0)),
    ],
)
def test_a_notice_is_heard_within_48_hours_that_count(
    given_at: datetime, heard_by: datetime
) -> None:
    notice = Notice("dapn", given_at, "Inspector 1234")
    assert notice.ends_at == heard_by
    assert notice.gone(heard_by) == pytest.approx(48)


def test_a_notice_reminds_at_24_and_at_40_hours_and_at_its_end() -> None:
    notice = Notice("dvpn", london(2026, 11, 23, 12, 0), "Superintendent 77")
    at = []
    for seen in ((), (24.0,), (24.0, 40.0)):
        waiting = Notice(notice.kind, notice.given_at, notice.given_by, seen)
        due = due_of(waiting, None)
        assert due is not None
        at.append((alarm_now(waiting), due.at))
    assert at == [
        (24.0, london(2026, 11, 24, 12, 0)),
        (40.0, london(2026, 11, 25, 4, 0)),
        (48.0, london(2026, 11, 25, 12, 0)),
    ]
    assert due_of(Notice("dvpn", notice.given_at, "", outcome="Order made"), None) is None


@settings(max_examples=100, deadline=None)
@given(st.dates(date(2024, 1, 1), date(2032, 12, 31)), st.integers(1, 30))
def test_so_many_working_days_lie_between(day: date, count: int) -> None:
    last = working_day_after(day, count)
    between = [day + timedelta(days=n) for n in range(1, (last - day).days + 1)]
    assert sum(is_working(each) for each in between) == count
    assert is_working(last)


def test_days_that_begin_with_a_day_count_it() -> None:
    saturday = date(2026, 11, 21)
    assert last_day(saturday, 3, leave_out=False) == date(2026, 11, 23)
    assert last_day(saturday, 3, leave_out=True) == date(2026, 11, 24)
    assert last_day(date(2026, 11, 22), 1, leave_out=True) == date(2026, 11, 23)


def test_a_month_later_is_never_another_month() -> None:
    assert months_after(date(2026, 1, 31), 1) == date(2026, 2, 28)
    assert months_after(date(2024, 2, 29), 12) == date(2025, 2, 28)
    assert months_after(date(2026, 11, 22), -12) == date(2025, 11, 22)


@pytest.mark.parametrize(
    ("year", "left_out", "working"),
    [
        # 25 December on a Friday, 26 December on a Saturday: Monday is kept for it.
        (2020, {25, 26, 27, 28}, {24, 29, 30, 31}),
        (2026, {25, 26, 27, 28}, {24, 29, 30, 31}),
        # On a Saturday and a Sunday: Monday and Tuesday are kept for them.
        (2021, {25, 26, 27, 28}, {24, 29, 30, 31}),
        (2027, {25, 26, 27, 28}, {24, 29, 30, 31}),
        # On a Sunday and a Monday: Tuesday is kept for Christmas Day.
        (2022, {25, 26, 27}, {28, 29, 30}),
        # On days in the week: the weekend after is an ordinary one, whose Saturday counts.
        (2025, {25, 26, 28}, {24, 29, 30, 31}),
    ],
)
def test_at_christmas_hours_stand_still_on_every_bank_holiday_and_work_goes_on_after_them(
    year: int, left_out: set[int], working: set[int]
) -> None:
    days = [date(year, 12, day) for day in range(24, 32)]
    assert {day.day for day in days if is_left_out(day)} == left_out
    assert {day.day for day in days if is_working(day)} == working
