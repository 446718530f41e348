"""Fixes that cannot tell: they accuse nobody of an absence, and clear nobody either."""

import math
import random

import pytest
import shapely
from builders import INSIDE, START, TAG, at, condition, hours, minute
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.rules import place_probability
from alerts.rules.place_costs import sure_threshold, threshold
from alerts.rules.place_doubt import tells
from alerts.terms import ConditionKind, DeviceKind
from devices.readings import Fix, FixSource, Stamp, order_key
from zones.whereabouts import spot

RULE = place_probability.RULE
CURFEW, RESTRICTION = ConditionKind.CURFEW, ConditionKind.RESTRICTION_ZONE
EXCLUSION = ConditionKind.EXCLUSION_ZONE
STAY_IN = pytest.mark.parametrize("kind", [CURFEW, RESTRICTION])
SMALL = pytest.mark.parametrize("radius_m", [50.0, 75.0, 100.0])
EAST_M, NORTH_M = 66_830.0, 111_290.0
VAGUE = pytest.mark.parametrize(
    ("accuracy_m", "source"),
    [
        pytest.param(500.0, FixSource.GPS, id="five hundred metres"),
        pytest.param(500.0, FixSource.WIFI, id="five hundred metres by WiFi"),
        pytest.param(250.0, FixSource.WIFI, id="WiFi, two houses on"),
        pytest.param(800.0, FixSource.LBS, id="a cell"),
        pytest.param(0.0, FixSource.LBS, id="a cell that states nothing"),
        pytest.param(3_000.0, FixSource.LBS, id="a wide cell"),
        pytest.param(100_000.0, FixSource.GPS, id="absurd"),
    ],
)


def home(radius_m, kind=CURFEW, schedule=None):
    """A condition about a circle around INSIDE."""
    circle = shapely.Point(0, 0).buffer(radius_m, quad_segs=32)
    shape = shapely.transform(circle, lambda xy: xy / (EAST_M, NORTH_M) + INSIDE)
    return condition(kind, shape=shape, schedule=schedule)


def seen(moment, east_m=0.0, north_m=0.0, *, accuracy_m=10.0, source=FixSource.GPS):
    """A fix so many minutes after noon and metres from the middle of the circle."""
    stamp = Stamp(TAG, at(moment), None, at(moment))
    lon, lat = INSIDE[0] + east_m / EAST_M, INSIDE[1] + north_m / NORTH_M
    return Fix(stamp, lat, lon, accuracy_m, source)


def run(term, readings):
    """The state after the readings, and every finding, the newest of each episode."""
    state, found = RULE.initial(term, DeviceKind.LOCATION_TAG, START), {}
    for reading in sorted(readings, key=order_key):
        state, findings = RULE.step(state, reading, term)
        found.update((each.key, each) for each in findings)
    return state, list(found.values())


def judged(term, readings):
    return run(term, readings)[1]


def spans(found):
    return [
        (minute(each.started_at), None if each.ended_at is None else minute(each.ended_at))
        for each in found
    ]


@STAY_IN
@SMALL
@VAGUE
def test_a_first_fix_that_cannot_tell_is_no_absence(kind, radius_m, accuracy_m, source):
    term = home(radius_m, kind)
    state, found = run(term, [seen(0, accuracy_m=accuracy_m, source=source)])
    assert found == []
    assert not RULE.close(state, None, term)
    assert not RULE.close(state, at(5), term)


@STAY_IN
@SMALL
@VAGUE
def test_a_fix_of_the_network_after_a_silence_at_home_is_no_absence(
    kind, radius_m, accuracy_m, source
):
    night = [*[seen(n) for n in range(30)], seen(45, accuracy_m=accuracy_m, source=source)]
    assert judged(home(radius_m, kind), night) == []
    assert judged(home(radius_m, kind), [*night, *[seen(n) for n in range(46, 60)]]) == []


@STAY_IN
@SMALL
@VAGUE
@pytest.mark.parametrize("off_m", [0.0, 150.0, 0.6])
def test_a_whole_night_of_fixes_that_cannot_tell_is_no_absence(
    kind, radius_m, accuracy_m, source, off_m
):
    """At the house, beside it, or at random about it, as far as the radius says."""
    draws, night = random.Random(7), []
    for n in range(0, 480, 2):
        far, turn = off_m, 0.0
        if off_m < 1:
            far, turn = draws.uniform(0, off_m) * max(accuracy_m, 300.0), draws.uniform(0, 6.28)
        east_m, north_m = far * math.cos(turn), far * math.sin(turn)
        night.append(seen(n, east_m, north_m, accuracy_m=accuracy_m, source=source))
    assert judged(home(radius_m, kind), night) == []


@STAY_IN
@VAGUE
def test_after_an_evening_at_home_a_night_of_the_network_alone_is_no_absence(
    kind, accuracy_m, source
):
    evening = [seen(n) for n in range(120)]
    night = [seen(n, 100.0, accuracy_m=accuracy_m, source=source) for n in range(120, 600, 2)]
    assert judged(home(100.0, kind), [*evening, *night]) == []


@SMALL
@VAGUE
def test_vague_fixes_at_home_as_the_hours_begin_are_no_absence(radius_m, accuracy_m, source):
    term = home(radius_m, schedule=hours("fri", "12:10", "13:00"))
    evening = [seen(n, accuracy_m=accuracy_m, source=source) for n in range(30)]
    assert judged(term, evening) == []
    between = [
        seen(9, accuracy_m=accuracy_m, source=source),
        seen(11, accuracy_m=accuracy_m, source=source),
    ]
    short = home(radius_m, schedule=hours("fri", "12:10", "12:11"))
    assert judged(short, between) == []


@STAY_IN
@pytest.mark.parametrize(
    ("accuracy_m", "source"),
    [
        pytest.param(8.0, FixSource.GPS, id="a good fix"),
        pytest.param(500.0, FixSource.GPS, id="a vague one far away"),
        pytest.param(1_500.0, FixSource.LBS, id="a cell of another town"),
    ],
)
def test_whoever_is_elsewhere_by_the_first_fix_is_told_of_at_once(kind, accuracy_m, source):
    away = seen(0, 10_000.0, accuracy_m=accuracy_m, source=source)
    assert spans(judged(home(100.0, kind), [away])) == [(0, None)]
    evening = [seen(n) for n in range(20)]
    later = seen(50, 10_000.0, accuracy_m=accuracy_m, source=source)
    assert spans(judged(home(100.0, kind), [*evening, later])) == [(50, None)]


def test_an_absence_is_told_from_the_first_fix_that_can_tell():
    vague = [seen(n, accuracy_m=500.0) for n in range(5)]
    away = [seen(n, 400.0) for n in range(5, 9)]
    assert spans(judged(home(100.0), [*vague, *away])) == [(5, None)]


def test_an_absence_ends_where_it_was_last_seen_when_only_vague_fixes_follow_a_silence():
    away = [seen(n, 900.0) for n in range(10)]
    vague = [seen(n, accuracy_m=700.0) for n in range(25, 60)]
    assert spans(judged(home(100.0), [*away, *vague])) == [(0, 9)]


@pytest.mark.parametrize("home_first", [False, True])
def test_a_night_of_cells_that_err_as_they_say_is_no_absence(home_first):
    """One in twenty is further off than its radius."""
    draws, sigma_m = random.Random(3), 1.5 * 500.0 / 2.45
    evening = [seen(n) for n in range(30)] if home_first else []
    night = [
        seen(n, draws.gauss(0, sigma_m), draws.gauss(0, sigma_m), accuracy_m=500.0,
             source=FixSource.LBS)
        for n in range(30, 330)
    ]  # fmt: skip
    assert judged(home(100.0), [*evening, *night]) == []


def test_a_stay_inside_ends_where_it_was_last_seen_when_what_follows_says_nothing():
    inside = [seen(n) for n in range(10)]
    absurd = [seen(n, accuracy_m=100_000.0) for n in range(12, 60)]
    assert spans(judged(home(400.0, EXCLUSION), [*inside, *absurd])) == [(0, 9)]


def test_a_stay_inside_ends_with_the_hours_when_what_follows_says_nothing():
    hours_of = home(400.0, EXCLUSION, hours("fri", "11:00", "12:12"))
    readings = [*[seen(n) for n in range(10)], seen(13, accuracy_m=100_000.0)]
    assert spans(judged(hours_of, readings)) == [(0, 12)]


def doubtful(moment, east_m=150.0):
    """Good enough for a circle of 100 m, and more likely out than in."""
    return seen(moment, east_m, accuracy_m=100.0)


def test_an_absence_of_which_one_first_fix_speaks_waits_for_another():
    term = home(100.0)
    state, found = run(term, [doubtful(0)])
    assert threshold(term) < place_probability.probability(state, term) < sure_threshold(term)
    assert found == []
    assert RULE.close(state, None, term) == ()
    assert spans(judged(term, [doubtful(0), doubtful(1)])) == [(0, None)]
    assert spans(judged(term, [doubtful(0), seen(1, 300.0)])) == [(0, None)]


@pytest.mark.parametrize(
    "after",
    [
        pytest.param([seen(n) for n in range(1, 20)], id="the next is at home"),
        pytest.param([seen(n) for n in range(30, 50)], id="the next comes late, at home"),
        pytest.param([seen(1, accuracy_m=500.0)], id="the next cannot tell"),
        pytest.param([seen(30, accuracy_m=500.0)], id="the next comes late and cannot tell"),
    ],
)
def test_an_absence_of_which_one_first_fix_speaks_and_no_other_is_never_told(after):
    assert judged(home(100.0), [doubtful(0), *after]) == []
    evening = [seen(n) for n in range(-60, -30)]
    assert judged(home(100.0), [*evening, doubtful(0), *after]) == []


def test_an_entry_of_which_one_first_fix_speaks_is_told_at_once():
    """A missed entry can cost a life: of a zone to keep out of nobody waits."""
    assert spans(judged(home(100.0, EXCLUSION), [doubtful(0, 60.0)])) == [(0, None)]


@pytest.mark.parametrize(
    ("east_m", "accuracy_m", "kind", "expected"),
    [
        pytest.param(0.0, 10.0, CURFEW, True, id="at home by a good fix"),
        pytest.param(0.0, 140.0, CURFEW, True, id="at home, good enough to clear"),
        pytest.param(0.0, 150.0, CURFEW, False, id="at home, too vague to clear"),
        pytest.param(650.0, 150.0, CURFEW, True, id="the house is well beyond its radius"),
        pytest.param(630.0, 150.0, CURFEW, False, id="the house may be one of its errors"),
        pytest.param(0.0, 350.0, EXCLUSION, True, id="in the zone, good enough to be told of"),
        pytest.param(0.0, 370.0, EXCLUSION, False, id="in the zone, too vague to be told of"),
        pytest.param(1_450.0, 370.0, EXCLUSION, True, id="the zone is well beyond its radius"),
        pytest.param(0.0, 3_000.0, EXCLUSION, False, id="a wide cell about the zone"),
    ],
)
def test_which_fixes_can_tell_of_a_circle_of_a_hundred_metres(east_m, accuracy_m, kind, expected):
    assert tells(spot(seen(0, east_m, accuracy_m=accuracy_m)), home(100.0, kind)) is expected


def test_a_receiver_that_errs_more_than_it_says_must_say_less_to_tell():
    one, term = spot(seen(0, accuracy_m=100.0)), home(100.0)
    assert tells(one, term)
    assert not tells(one, term, factor=2.0)


DRAWN = st.tuples(
    st.integers(0, 90),
    st.sampled_from([0.0, 60.0, 150.0, 400.0, 5_000.0]),
    st.sampled_from([5.0, 60.0, 100.0, 500.0, 3_000.0, 100_000.0]),
    st.sampled_from([FixSource.GPS, FixSource.GPS, FixSource.WIFI, FixSource.LBS]),
)


@settings(max_examples=200, deadline=None)
@given(
    drawn=st.lists(DRAWN, min_size=1, max_size=25, unique_by=lambda each: each[0]),
    schedule=st.sampled_from([None, hours("fri", "12:20", "13:00")]),
    randomly=st.randoms(),
)
def test_order_repeats_and_fixes_that_say_nothing_change_no_finding(drawn, schedule, randomly):
    term = home(100.0, schedule=schedule)
    readings = [seen(when, far, accuracy_m=a, source=s) for when, far, a, s in drawn]
    outline = [(each.key, each.ended_at) for each in judged(term, readings)]
    mixed = [*readings, *readings[:5]]
    randomly.shuffle(mixed)
    assert [(each.key, each.ended_at) for each in judged(term, mixed)] == outline
    if schedule is None:
        worth = [each for each in readings if each.accuracy_m < 100_000.0]
        assert [each.key for each in judged(term, worth)] == [key for key, _ in outline]
