"""The hours of a zone, kept at hand: the same answers as the schedule itself."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zones.hours import Hours
from zones.interval import Interval
from zones.schedule import Day
from zones.schedule_entries import schedule_from_entries

DAYS = [day.value for day in Day]
NIGHTS = schedule_from_entries([{"days": DAYS, "start": "19:00", "end": "07:00"}])
NEVER = schedule_from_entries([{"days": ["sun"], "start": "01:10", "end": "01:20"}])
ALWAYS = schedule_from_entries([{"days": DAYS, "start": "00:00", "end": "24:00"}])
SEVERAL = schedule_from_entries(
    [
        {"days": ["sat", "sun"], "start": "01:30", "end": "03:00"},
        {"days": ["mon", "fri"], "start": "22:00", "end": "06:00"},
        {"days": ["tue"], "start": "06:00", "end": "06:00"},
        {"days": ["wed"], "start": "06:00", "end": "09:00"},
    ]
)
YEARS_S = (datetime(2028, 1, 1, tzinfo=UTC) - datetime(2026, 1, 1, tzinfo=UTC)).total_seconds()
instants = st.integers(0, int(YEARS_S)).map(
    lambda second: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
)


@settings(max_examples=100, deadline=None)
@given(
    schedule=st.sampled_from([NIGHTS, NEVER, ALWAYS, SEVERAL]),
    asked=st.lists(instants, min_size=1, max_size=5),
    step_s=st.integers(0, 40 * 86_400),
)
def test_hours_agree_with_the_schedule_wherever_they_are_asked(schedule, asked, step_s):
    hours = Hours(schedule)
    for moment in asked:
        assert hours.around(moment) == (schedule.covers(moment), schedule.next_change(moment))
        change = schedule.next_change(moment)
        for near in [] if change is None else [change, change - timedelta(microseconds=1)]:
            assert hours.around(near) == (schedule.covers(near), schedule.next_change(near))
        span = Interval(moment, moment + timedelta(seconds=step_s))
        assert hours.windows(span) == schedule.intervals(span.start, span.end)


@pytest.mark.parametrize(
    "moment", [datetime(2026, 3, 29, 1, 0, tzinfo=UTC), datetime(2026, 10, 25, 1, 0, tzinfo=UTC)]
)
def test_without_a_schedule_the_hours_are_always(moment):
    span = Interval(moment, moment + timedelta(hours=1))
    assert Hours(None).around(moment) == (True, None)
    assert Hours(None).windows(span) == (span,)
