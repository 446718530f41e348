import itertools
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zones.fault import ZoneFault
from zones.interval import Interval, measure
from zones.schedule import WEEK, Day, Schedule, Window
from zones.schedule_entries import schedule_from_entries

EVERY_DAY = [day.value for day in Day]
CURFEW = schedule_from_entries([{"days": EVERY_DAY, "start": "19:00", "end": "07:00"}])


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def written(pieces: tuple[Interval, ...]) -> list[tuple[str, str]]:
    return [(piece.start.strftime("%d %H:%M"), piece.end.strftime("%d %H:%M")) for piece in pieces]


@pytest.mark.parametrize(
    ("from_at", "to_at", "expected"),
    [
        pytest.param(
            "2026-01-14T12:00",
            "2026-01-15T12:00",
            [("14 19:00", "15 07:00")],
            id="a winter night is in UTC as on the wall",
        ),
        pytest.param(
            "2026-07-14T12:00",
            "2026-07-15T12:00",
            [("14 18:00", "15 06:00")],
            id="a summer night is an hour earlier in UTC",
        ),
        pytest.param(
            "2026-03-28T12:00",
            "2026-03-29T12:00",
            [("28 19:00", "29 06:00")],
            id="the night the clocks go forward has 11 hours",
        ),
        pytest.param(
            "2026-10-24T12:00",
            "2026-10-25T12:00",
            [("24 18:00", "25 07:00")],
            id="the night the clocks go back has 13 hours",
        ),
        pytest.param(
            "2028-02-28T12:00",
            "2028-03-01T12:00",
            [("28 19:00", "29 07:00"), ("29 19:00", "01 07:00")],
            id="29 February has its own night",
        ),
        pytest.param(
            "2026-01-14T20:00",
            "2026-01-14T21:00",
            [("14 20:00", "14 21:00")],
            id="clipped to what was asked",
        ),
    ],
)
def test_a_curfew_from_seven_to_seven(from_at, to_at, expected):
    assert written(CURFEW.intervals(utc(from_at), utc(to_at))) == expected


def test_a_friday_night_belongs_to_friday_and_runs_into_saturday():
    schedule = schedule_from_entries([{"days": ["fri"], "start": "22:00", "end": "02:00"}])
    # 16 January 2026 is a Friday.
    week = schedule.intervals(utc("2026-01-12T00:00"), utc("2026-01-19T00:00"))
    assert written(week) == [("16 22:00", "17 02:00")]
    assert schedule.covers(utc("2026-01-17T01:59"))
    assert not schedule.covers(utc("2026-01-16T01:00"))


def test_equal_start_and_end_mean_24_hours():
    schedule = schedule_from_entries([{"days": ["sat"], "start": "08:00", "end": "08:00"}])
    week = schedule.intervals(utc("2026-01-12T00:00"), utc("2026-01-19T00:00"))
    assert written(week) == [("17 08:00", "18 08:00")]


def test_24_hours_of_the_wall_clock_are_23_or_25_when_the_clocks_change():
    saturdays = schedule_from_entries([{"days": ["sat"], "start": "12:00", "end": "12:00"}])
    spring = saturdays.intervals(utc("2026-03-27T00:00"), utc("2026-03-31T00:00"))
    autumn = saturdays.intervals(utc("2026-10-23T00:00"), utc("2026-10-27T00:00"))
    assert measure(spring) == timedelta(hours=23)
    assert measure(autumn) == timedelta(hours=25)


@pytest.mark.parametrize(
    ("start", "end", "on", "expected"),
    [
        pytest.param(
            "01:15",
            "01:45",
            "2026-03-29",
            [("29 01:15", "29 01:45")],
            id="hours the spring change skips are read with the offset before it",
        ),
        pytest.param(
            "01:30",
            "02:00",
            "2026-03-29",
            [],
            id="a window that the skipped hour turns inside out has no length",
        ),
        pytest.param(
            "00:30",
            "01:30",
            "2026-10-25",
            [("24 23:30", "25 00:30")],
            id="a repeated wall time is its first occurrence",
        ),
    ],
)
def test_wall_times_within_a_clock_change(start, end, on, expected):
    schedule = schedule_from_entries([{"days": ["sun"], "start": start, "end": end}])
    noon = utc(f"{on}T12:00")
    assert written(schedule.intervals(noon - timedelta(days=1), noon)) == expected


def test_windows_that_meet_become_one_stretch():
    schedule = schedule_from_entries(
        [
            {"days": ["mon"], "start": "08:00", "end": "12:00"},
            {"days": ["mon"], "start": "12:00", "end": "24:00"},
            {"days": ["tue"], "start": "00:00", "end": "06:00"},
        ]
    )
    week = schedule.intervals(utc("2026-01-12T00:00"), utc("2026-01-19T00:00"))
    assert written(week) == [("12 08:00", "13 06:00")]


def test_another_time_zone_decides_by_its_own_wall():
    schedule = schedule_from_entries(
        [{"days": ["mon"], "start": "09:00", "end": "10:00"}], "Pacific/Auckland"
    )
    # Monday 09:00 in Auckland in January is Sunday 20:00 UTC.
    week = schedule.intervals(utc("2026-01-10T00:00"), utc("2026-01-16T00:00"))
    assert written(week) == [("11 20:00", "11 21:00")]


def test_the_next_change_is_the_end_of_the_hours_and_then_their_start():
    assert CURFEW.next_change(utc("2026-01-14T20:00")) == utc("2026-01-15T07:00")
    assert CURFEW.next_change(utc("2026-01-15T07:00")) == utc("2026-01-15T19:00")
    once_a_week = schedule_from_entries([{"days": ["mon"], "start": "09:00", "end": "10:00"}])
    assert once_a_week.next_change(utc("2026-01-12T10:00")) == utc("2026-01-19T09:00")


def test_hours_that_never_change_have_no_next_change():
    always = schedule_from_entries([{"days": EVERY_DAY, "start": "01:30", "end": "01:30"}])
    assert always.next_change(utc("2026-03-28T12:00")) is None
    assert Schedule(()).next_change(utc("2026-03-28T12:00")) is None


def test_a_naive_time_is_refused():
    with pytest.raises(ValueError, match="no time zone"):
        CURFEW.covers(datetime(2026, 1, 1))  # noqa: DTZ001 - the naive time is what is tested


def test_a_schedule_survives_json():
    assert msgspec.json.decode(msgspec.json.encode(CURFEW), type=Schedule) == CURFEW


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        pytest.param([], "leave it out", id="an empty list"),
        pytest.param(["mon"], "schedule entry 1: must be an object", id="not an object"),
        pytest.param(
            [{"days": ["mon"], "start": "19:00"}], "schedule entry 1: has no 'end'", id="no end"
        ),
        pytest.param(
            [
                {"days": ["mon"], "start": "19:00", "end": "20:00"},
                {"days": ["monday"], "start": "19:00", "end": "20:00"},
            ],
            "schedule entry 2: 'monday' is not a day; use mon, tue",
            id="a day by its long name",
        ),
        pytest.param(
            [{"days": [], "start": "19:00", "end": "20:00"}], "at least one day", id="no days"
        ),
        pytest.param(
            [{"days": [["mon"]], "start": "19:00", "end": "20:00"}], "not a day", id="a list as day"
        ),
        pytest.param(
            [{"days": ["mon"], "start": "7pm", "end": "20:00"}],
            "schedule entry 1, start: '7pm' is not a time of day",
            id="words for a time",
        ),
        pytest.param(
            [{"days": ["mon"], "start": "19:00", "end": "25:00"}],
            "schedule entry 1, end: '25:00'",
            id="an hour too late",
        ),
        pytest.param(
            [{"days": ["mon"], "start": "24:00", "end": "01:00"}],
            "entry 1, start",
            id="start at 24",
        ),
        pytest.param(
            [{"days": ["mon"], "start": 19, "end": "20:00"}], "entry 1, start: 19", id="a number"
        ),
        pytest.param(
            [{"days": ["mon"], "start": "19:00", "end": "20:00", "weeks": 2}],
            "unknown key 'weeks'",
            id="an unknown key",
        ),
    ],
)
def test_a_faulty_schedule_names_its_entry(entries, message):
    with pytest.raises(ZoneFault, match="schedule") as raised:
        schedule_from_entries(entries)
    assert message in str(raised.value)


@pytest.mark.parametrize("name", ["Europe/Cheshire", "", "../etc", "Europe", "BST+01:00"])
def test_an_unknown_time_zone_is_refused(name):
    with pytest.raises(ZoneFault, match="timezone"):
        Schedule((), name)


windows = st.builds(
    Window,
    days=st.sets(st.sampled_from(WEEK), min_size=1).map(lambda days: tuple(sorted(days, key=str))),
    start=st.times().map(lambda at: at.replace(microsecond=0)),
    end=st.times().map(lambda at: at.replace(microsecond=0)),
)
schedules = st.builds(
    Schedule,
    windows=st.lists(windows, max_size=4).map(tuple),
    timezone=st.sampled_from(["Europe/London", "America/St_Johns", "Pacific/Apia", "UTC"]),
)
# About a clock change of London, or the day that Apia left out.
instants = st.sampled_from(
    [
        utc("2026-03-29T01:00"),
        utc("2026-10-25T01:00"),
        utc("2011-12-30T10:00"),
        utc("2028-02-29T12:00"),
    ]
).flatmap(
    lambda change: st.integers(-10 * 86_400, 10 * 86_400).map(
        lambda seconds: change + timedelta(seconds=seconds)
    )
)


@given(schedule=schedules, at=instants, reach=st.integers(1, 20 * 86_400))
def test_intervals_and_covers_agree_about_every_instant(schedule, at, reach):
    span = Interval(at - timedelta(seconds=reach), at + timedelta(seconds=reach))
    pieces = schedule.intervals(span.start, span.end)
    assert any(piece.holds(at) for piece in pieces) == schedule.covers(at)
    for before, after in itertools.pairwise(pieces):
        assert before.end < after.start
    for piece in pieces:
        assert span.start <= piece.start < piece.end <= span.end
        assert schedule.covers(piece.start)
        assert piece.end == span.end or not schedule.covers(piece.end)


@given(schedule=schedules, at=instants)
def test_nothing_changes_before_the_next_change(schedule, at):
    now = schedule.covers(at)
    change = schedule.next_change(at)
    if change is None:
        assert all(schedule.covers(at + timedelta(hours=hour)) == now for hour in range(24 * 8))
        return
    assert change > at
    assert schedule.covers(change) != now
    assert schedule.covers(change - timedelta(microseconds=1)) == now


def on_the_wall(schedule: Schedule, minute: datetime) -> bool:
    """The order read by somebody with a wall clock, away from clock changes."""
    local = minute.astimezone(ZoneInfo(schedule.timezone))
    today = WEEK[local.weekday()]
    yesterday = WEEK[local.weekday() - 1]
    now = local.time()
    return any(
        (today in w.days and now >= w.start and (w.end <= w.start or now < w.end))
        or (yesterday in w.days and w.end <= w.start and now < w.end)
        for w in schedule.windows
    )


@given(schedule=schedules, minute=st.integers(0, 7 * 24 * 60))
def test_away_from_clock_changes_the_wall_clock_decides(schedule, minute):
    at = utc("2026-01-12T00:00") + timedelta(minutes=minute)
    assert schedule.covers(at) == on_the_wall(schedule, at)


def test_the_days_of_a_window_are_read_whatever_their_case_and_order():
    schedule = schedule_from_entries([{"days": ["Tue", "MON"], "start": "09:00", "end": "10:30"}])
    assert schedule.windows == (Window((Day.MON, Day.TUE), time(9), time(10, 30)),)
