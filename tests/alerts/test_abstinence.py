"""Days without alcohol: kept only where readings vouch for all of it, broken where confirmed."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from builders import at, condition
from hypothesis import given
from hypothesis import strategies as st

from alerts.abstinence import (
    BLINDING,
    DayState,
    Measured,
    Progress,
    Tally,
    account_of,
    progress,
    state_of,
    tally,
    worst,
)
from alerts.alcohol.verdict import Verdict
from alerts.finding import FindingKind
from alerts.terms import ConditionKind
from zones.interval import Interval, union

EARLY, CONFIRMED = FindingKind.ALCOHOL_THRESHOLD, FindingKind.ALCOHOL_CONFIRMED
DAY = (Interval(at(0), at(1_440)),)


def spans(*pairs):
    return union(Interval(at(start), at(end)) for start, end in pairs)


def early(start, end, verdict):
    return Measured(EARLY, Interval(at(start), at(end)), verdict)


def confirmed(start, end):
    return Measured(CONFIRMED, Interval(at(start), at(end)))


def covered(start, end, kind=FindingKind.CONTACT_SUSPECT):
    return Measured(kind, Interval(at(start), at(end)))


@pytest.mark.parametrize(
    ("known", "measured", "expected"),
    [
        pytest.param([(0, 1_440)], [], DayState.COMPLIANT, id="readings all day, no alcohol"),
        pytest.param([], [], DayState.UNKNOWN, id="no reading at all"),
        pytest.param([(0, 1_400)], [], DayState.UNKNOWN, id="forty minutes are missing"),
        pytest.param(
            [(0, 1_440)], [covered(60, 600)], DayState.UNKNOWN, id="covered through the night"
        ),
        pytest.param(
            [(0, 1_440)],
            [covered(0, 90, FindingKind.SENSOR_FAULT)],
            DayState.UNKNOWN,
            id="a sensor that has failed is no fault of his, and no day kept",
        ),
        pytest.param(
            [(0, 1_440)],
            [early(60, 300, Verdict.CONFIRMED), confirmed(60, 300)],
            DayState.BREACH,
            id="drinking confirmed",
        ),
        pytest.param(
            [(0, 1_440)],
            [early(60, 300, Verdict.REVIEW), confirmed(60, 300)],
            DayState.BREACH,
            id="confirmed, and something spilt later: it stays confirmed",
        ),
        pytest.param(
            [(0, 1_440)], [early(60, 90, Verdict.REVIEW)], DayState.REVIEW, id="rates of no body"
        ),
        pytest.param(
            [(0, 1_440)],
            [early(60, 90, Verdict.NOT_CONFIRMED)],
            DayState.REVIEW,
            id="not confirmed is never cleared",
        ),
        pytest.param(
            [(0, 1_440)],
            [early(60, 90, Verdict.UNDETERMINED)],
            DayState.UNKNOWN,
            id="cannot be told",
        ),
        pytest.param(
            [(0, 1_440)],
            [confirmed(60, 300), covered(60, 300)],
            DayState.BREACH,
            id="confirmed through a cover",
        ),
        pytest.param(
            [], [early(60, 60, None), confirmed(60, 300)], DayState.BREACH, id="nothing else known"
        ),
    ],
)
def test_what_is_said_of_a_day(known, measured, expected):
    assert state_of(account_of(DAY, spans(*known), measured)) is expected


def test_a_day_on_which_the_condition_did_not_count_is_not_a_day():
    assert state_of(account_of((), spans((0, 1_440)), [])) is None


@given(
    known=st.lists(st.tuples(st.integers(0, 700), st.integers(701, 1_440)), max_size=3),
    measured=st.lists(
        st.builds(
            Measured,
            st.sampled_from([EARLY, CONFIRMED, *sorted(BLINDING, key=lambda each: each.value)]),
            st.tuples(st.integers(-300, 700), st.integers(701, 1_900)).map(
                lambda pair: Interval(at(pair[0]), at(pair[1]))
            ),
            st.sampled_from([None, *Verdict]),
        ),
        max_size=5,
    ),
)
def test_the_four_parts_of_a_day_always_add_up_and_nothing_unmeasured_is_kept(known, measured):
    made = account_of(DAY, spans(*known), measured)
    parts = (made.compliant, made.breach, made.review, made.unknown)
    assert sum(parts, timedelta()) == made.scheduled == timedelta(days=1)
    assert min(parts) >= timedelta()
    assert made.compliant <= sum((each.length for each in spans(*known)), timedelta())
    if measured:
        assert state_of(made) is not DayState.COMPLIANT


def test_days_are_counted_and_two_conditions_make_one_day():
    said = [DayState.COMPLIANT, DayState.COMPLIANT, DayState.BREACH, DayState.UNKNOWN]
    assert tally(said) == Tally(compliant=2, breach=1, unknown=1)
    assert tally(said).days == 4
    assert worst([DayState.COMPLIANT, DayState.REVIEW, DayState.UNKNOWN]) is DayState.REVIEW


def london(day, hour):
    return datetime(2026, 3, day, hour, tzinfo=ZoneInfo("Europe/London"))


def no_alcohol(from_at, until_at):
    return condition(ConditionKind.ALCOHOL_ABSTINENCE, from_at=from_at, until_at=until_at)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (london(27, 9), None),
        (london(28, 0), Progress(1, 4)),
        # The night in which the clocks go forward has 23 hours and is one day.
        (london(29, 23), Progress(2, 4)),
        (london(31, 23), Progress(4, 4)),
    ],
)
def test_the_days_of_an_order_are_counted_on_the_calendar(now, expected):
    ends = datetime(2026, 4, 1, 0, tzinfo=ZoneInfo("Europe/London"))
    assert progress(no_alcohol(london(28, 0), ends), now) == expected
    # Long after its end it stands at its last day.
    assert progress(no_alcohol(london(28, 0), ends), ends + timedelta(days=9)) == Progress(4, 4)
    assert progress(no_alcohol(london(28, 0), None), london(30, 1)) == Progress(3, None)
