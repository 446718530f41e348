"""Hours put together: dates, bank holidays, first night, exceptions; every minute counts once."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zones.fault import ZoneFault
from zones.interval import Interval, measure
from zones.schedule import WEEK, Day, FirstNight, Schedule, Window
from zones.schedule_entries import first_night_from_entry, schedule_from_entries
from zones.timetable import Combined, Dates, Timetable, always, combined
from zones.zone import ZoneTimes

LONDON = ZoneInfo("Europe/London")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
NIGHTS = Schedule((Window(WEEK, time(19), time(7)),))


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LONDON)


def hours(timetable: Timetable, first: str, last: str) -> float:
    span = wall(first), wall(last)
    return measure(timetable.intervals(*span)) / HOUR


# --- bank holidays ------------------------------------------------------------------------------

WORK = [{"days": ["mon", "tue", "wed", "thu", "fri"], "start": "09:00", "end": "17:00"}]
FREE_HOLIDAYS = schedule_from_entries([*WORK, {"days": ["hol"], "hours": "none"}])
OWN_HOLIDAYS = schedule_from_entries([*WORK, {"days": ["hol"], "start": "12:00", "end": "14:00"}])
PLAIN = schedule_from_entries(WORK)


@pytest.mark.parametrize(
    ("schedule", "easter_monday", "tuesday"),
    [
        pytest.param(PLAIN, 8, 8, id="no timetable of holidays: a Monday like others"),
        pytest.param(FREE_HOLIDAYS, 0, 8, id="none on holidays"),
        pytest.param(OWN_HOLIDAYS, 2, 8, id="hours of their own"),
    ],
)
def test_a_bank_holiday_has_its_own_timetable(schedule, easter_monday, tuesday):
    assert hours(schedule, "2026-04-06", "2026-04-07") == easter_monday
    assert hours(schedule, "2026-04-07", "2026-04-08") == tuesday


def test_the_night_that_began_before_a_holiday_runs_to_its_end():
    schedule = schedule_from_entries(
        [
            {"days": ["sun", "mon"], "start": "19:00", "end": "07:00"},
            {"days": ["hol"], "hours": "none"},
        ]
    )
    assert hours(schedule, "2026-04-06", "2026-04-07") == 7


def test_the_next_change_of_a_schedule_of_holidays_alone_is_months_away():
    schedule = schedule_from_entries([{"days": ["hol"], "start": "10:00", "end": "12:00"}])
    assert schedule.next_change(wall("2026-09-01")) == wall("2026-12-25T10:00")


# --- the first night ------------------------------------------------------------------------------


def test_the_first_night_has_its_own_hours_and_nothing_counts_before_it():
    night = FirstNight(date(2026, 11, 20), time(15, 30), time(7))
    schedule = Schedule(NIGHTS.windows, first_night=night)
    assert hours(schedule, "2026-11-19", "2026-11-20T15:30") == 0
    assert schedule.next_change(wall("2026-01-01")) == wall("2026-11-20T15:30")
    assert hours(schedule, "2026-11-20T15:30", "2026-11-21T12:00") == 15.5
    assert hours(schedule, "2026-11-21T12:00", "2026-11-22T12:00") == 12


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        pytest.param("soon", "must be an object", id="a text"),
        pytest.param({"date": "2026-11-20", "start": "15:00"}, "has no 'end'", id="no end"),
        pytest.param(
            {"date": "20/11/2026", "start": "15:00", "end": "07:00"}, "not a date", id="british"
        ),
        pytest.param(
            {"date": "2026-02-29", "start": "15:00", "end": "07:00"}, "not a date", id="29 February"
        ),
        pytest.param(
            {"date": "2026-11-20", "start": "25:00", "end": "07:00"}, "time of day", id="25:00"
        ),
    ],
)
def test_a_faulty_first_night_is_refused(entry, message):
    with pytest.raises(ZoneFault, match=message):
        first_night_from_entry(entry)


# --- clock changes and leap days -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("evening", "length"),
    [
        pytest.param("2026-03-28", 11, id="the night on which the clocks go forward"),
        pytest.param("2026-10-24", 13, id="the night on which they go back"),
        pytest.param("2028-02-28", 12, id="into 29 February"),
        pytest.param("2028-02-29", 12, id="from 29 February"),
        pytest.param("2027-02-28", 12, id="a year without one"),
    ],
)
@pytest.mark.parametrize("dated", [False, True], ids=["hours alone", "hours within dates"])
def test_a_night_is_as_long_as_the_clock_on_the_wall_makes_it(evening, length, dated):
    noon = wall(f"{evening}T12:00")
    timetable = Combined((NIGHTS, Dates(noon - HOUR))) if dated else NIGHTS
    assert measure(timetable.intervals(noon, noon + timedelta(days=1))) == length * HOUR


def test_a_zone_of_dates_alone_lasts_from_its_first_minute_to_its_last_over_a_clock_change():
    times = ZoneTimes(from_at=wall("2026-10-24"), until_at=wall("2026-10-26"))
    timetable = times.timetable()
    assert measure(timetable.intervals(wall("2026-10-01"), wall("2026-11-01"))) == 49 * HOUR


# --- every minute ---------------------------------------------------------------------------------

instants = st.integers(0, 4 * 365 * 24 * 3600).map(
    lambda second: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
)
times = st.times().map(lambda at: at.replace(microsecond=0))
windows = st.builds(
    Window, st.sets(st.sampled_from(Day), min_size=1).map(tuple), times, times, st.booleans()
)
nights = st.none() | st.builds(
    FirstNight, st.dates(date(2026, 1, 1), date(2027, 1, 1)), times, times
)
schedules = st.builds(
    Schedule, st.lists(windows, max_size=4).map(tuple), st.just("Europe/London"), nights
)
dates = (
    st.tuples(instants, instants)
    .filter(lambda two: two[0] != two[1])
    .map(lambda two: Dates(min(two), max(two)))
)
parts = st.lists(schedules | dates, max_size=3).map(tuple)
timetables = st.builds(Combined, parts, parts)


@settings(max_examples=60, deadline=None)
@given(timetables, instants)
def test_every_minute_of_a_day_is_in_or_out_and_both_answers_agree(timetable, at):
    start = at.replace(second=0, microsecond=0)
    span = start, start + timedelta(hours=26)
    pieces = timetable.intervals(*span)
    for number in range(26 * 60):
        minute = start + number * MINUTE
        assert any(each.holds(minute) for each in pieces) == timetable.covers(minute)


@settings(max_examples=60, deadline=None)
@given(timetables, instants)
def test_nothing_changes_before_the_next_change_and_something_does_then(timetable, at):
    change = timetable.next_change(at)
    end = at + timedelta(days=40) if change is None else min(change, at + timedelta(days=40))
    counted = measure(timetable.intervals(at, end))
    assert counted == (end - at if timetable.covers(at) else timedelta())
    if change is not None:
        assert timetable.covers(change) != timetable.covers(at)


@settings(max_examples=60, deadline=None)
@given(timetables, timetables, instants)
def test_what_is_allowed_and_what_is_not_share_no_minute_and_leave_none_out(zone, allowed, at):
    span = at, at + timedelta(days=3)
    breach = combined((zone,), (allowed,)).intervals(*span)
    excused = combined((zone, allowed)).intervals(*span)
    both = measure(breach) + measure(excused)
    assert both == measure(zone.intervals(*span))


def test_always_is_every_minute_of_a_year_with_both_clock_changes():
    span = wall("2026-01-01"), wall("2027-01-01")
    assert always().intervals(*span) == (
        Interval(span[0].astimezone(UTC), span[1].astimezone(UTC)),
    )
    assert always().next_change(span[0]) is None


def test_dates_that_end_before_they_begin_are_refused():
    with pytest.raises(ValueError, match="not after its start"):
        Dates(wall("2026-02-01"), wall("2026-02-01"))
    with pytest.raises(ZoneFault, match="not after from"):
        ZoneTimes(from_at=wall("2026-02-01"), until_at=wall("2026-01-01")).timetable()
