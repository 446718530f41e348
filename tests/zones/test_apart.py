"""How likely two devices were near each other: held against Monte Carlo, and over time."""

import math
import random
from datetime import timedelta

import pytest
from builders import INSIDE, at
from hypothesis import given, settings
from hypothesis import strategies as st

from zones.apart import Moment, Path, moments, stretches, within
from zones.fix_error import SCALE_PER_RADIUS
from zones.interval import Interval
from zones.whereabouts import Spot

GAP = timedelta(minutes=10)
SPAN = Interval(at(-100), at(100))
EAST_M, NORTH_M = 66_830.0, 111_290.0


def spot(minute, east_m=0.0, north_m=0.0, radius_m=10.0):
    lon, lat = INSIDE[0] + east_m / EAST_M, INSIDE[1] + north_m / NORTH_M
    return Spot(at(minute), lat, lon, radius_m, radius_m)


def path(*spots):
    return Path(spots, GAP)


def seen(one, other, distance_m=100.0):
    return {each.at: each.probability for each in moments(one, other, SPAN, distance_m)}


def drawn(generator, radius_m):
    """An error of the model: a Student t of four degrees in the plane."""
    scale = radius_m * SCALE_PER_RADIUS
    spread = math.sqrt(4 / generator.gammavariate(2.0, 2.0)) * scale
    return generator.gauss(0, spread), generator.gauss(0, spread)


@pytest.mark.parametrize("radius_m", [10.0, 60.0, 400.0])
@pytest.mark.parametrize("off_m", [0.0, 40.0, 99.0, 100.0, 130.0, 400.0])
def test_the_share_of_a_disc_is_that_of_a_monte_carlo_draw(off_m, radius_m):
    generator = random.Random(7)
    draws = 40_000
    inside = 0
    for _ in range(draws):
        x, y = drawn(generator, radius_m)
        inside += math.hypot(x + off_m, y) <= 100
    assert within(off_m, radius_m, 100.0) == pytest.approx(inside / draws, abs=0.01)


@pytest.mark.parametrize(
    ("one_m", "other_m", "off_m"),
    [(10.0, 10.0, 90.0), (10.0, 80.0, 120.0), (50.0, 50.0, 0.0), (60.0, 90.0, 150.0)],
)
def test_both_errors_count(one_m, other_m, off_m):
    generator = random.Random(11)
    draws = 40_000
    inside = 0
    for _ in range(draws):
        (ax, ay), (bx, by) = drawn(generator, one_m), drawn(generator, other_m)
        inside += math.hypot(off_m + ax - bx, ay - by) <= 100
    stated = within(off_m, math.hypot(one_m, other_m), 100.0)
    # The difference of two such errors is nearly one of them: that is what 0.02 allows.
    assert stated == pytest.approx(inside / draws, abs=0.02)


def test_a_large_circle_is_as_good_as_straight():
    # The way of reckoning changes at an error of 372 m; the answer does not.
    for off_m in (3_000.0, 3_900.0, 4_000.0, 4_400.0):
        summed, straight = within(off_m, 374.0, 4_000.0), within(off_m, 371.0, 4_000.0)
        assert summed == pytest.approx(straight, abs=0.02)
    assert within(4_000.0, 20.0, 4_000.0) == pytest.approx(0.5, abs=0.01)


def test_times_are_aligned_between_fixes():
    # She stands still; he walks by and is beside her half a minute after each of his fixes.
    her = path(*[spot(n) for n in range(-5, 6)])
    him = path(*[spot(n + 0.5, 100.0 * n) for n in range(-5, 5)])
    probability = seen(him, her, 80.0)
    assert probability[at(0)] > 0.9, "between his fixes of 50 m before and 50 m after"
    assert probability[at(-3)] < 0.01


def test_a_pass_between_two_fixes_is_seen_where_they_come_nearest():
    her = path(spot(0), spot(1))
    him = path(spot(0, -400.0), spot(1, 400.0))
    probability = seen(him, her)
    assert probability[at(0)] < 0.001
    assert max(probability.values()) > 0.4


def test_who_has_not_been_heard_of_for_ten_minutes_is_not_known():
    her = path(spot(0), spot(20))
    him = path(*[spot(n) for n in range(21)])
    probability = seen(him, her)
    assert probability[at(0)] > 0.99
    assert probability[at(10)] is None
    assert probability[at(20)] > 0.99


def test_after_the_newest_fix_the_place_grows_vague_and_then_unknown():
    her = path(spot(0))
    him = path(*[spot(n / 2) for n in range(8)])
    probability = seen(him, her)
    assert probability[at(0)] > 0.99
    assert 0.3 < probability[at(1)] < probability[at(0.5)] < probability[at(0)]
    assert probability[at(3)] is None


def moment(minute, probability):
    return Moment(at(minute), probability)


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        pytest.param([0.1, 0.5, 0.9, 0.2, 0.05], [(1, 4, 0.9)], id="hysteresis"),
        pytest.param([0.9, 0.9], [(0, None, 0.9)], id="going on"),
        pytest.param([0.9, None, 0.9, 0.0], [(0, 0, 0.9), (2, 3, 0.9)], id="not known between"),
        pytest.param([0.2, 0.25, 0.1], [], id="never likely enough"),
    ],
)
def test_stretches(given_, expected):
    listed = [moment(n, probability) for n, probability in enumerate(given_)]
    made = stretches(listed, 0.3, 0.09, GAP)
    assert [(each.start, each.end, each.probability) for each in made] == [
        (at(start), None if end is None else at(end), probability)
        for start, end, probability in expected
    ]


SPOT = st.builds(
    spot,
    st.integers(0, 30),
    st.floats(-300, 300),
    st.floats(-300, 300),
    st.sampled_from([10.0, 40.0, 300.0]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(SPOT, max_size=8), st.lists(SPOT, max_size=8), st.randoms())
def test_the_answer_depends_on_the_set_of_fixes_and_not_on_their_order(his, hers, shuffled):
    told = moments(path(*his), path(*hers), SPAN, 100.0)
    mixed_his, mixed_hers = [*his, *his[:2]], [*hers, *hers[:1]]
    shuffled.shuffle(mixed_his)
    shuffled.shuffle(mixed_hers)
    assert moments(path(*mixed_his), path(*mixed_hers), SPAN, 100.0) == told
    assert all(each.probability is None or 0 <= each.probability <= 1.0001 for each in told)


@given(st.floats(0, 2_000), st.floats(10, 1_000), st.floats(1, 1_000))
def test_the_share_of_a_disc_is_a_probability_that_falls_with_distance(off_m, radius_m, distance_m):
    near, far = (within(each, radius_m, distance_m) for each in (off_m, off_m + 25))
    assert 0 <= far <= near + 1e-6 <= 1 + 1e-5
