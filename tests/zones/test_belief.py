"""Correlated fixes: what many of one drift are worth, and when a wearer has moved."""

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zones.belief import GROSS_SHARE, Belief, Sight, advance, begin

HOME = Sight(0.0, 0.0, 20.0)


def after(sights, gap_s=60.0, still=0.9, age_s=3600.0):
    """The belief after fixes a minute apart, and how the last came about."""
    belief, turn = begin(sights[0], still, age_s), None
    for last, now in pairwise(sights):
        belief, turn = advance(belief, last, now, gap_s)
    return belief, turn


def at_home(count):
    return [HOME] * count


def test_ten_equal_fixes_are_not_ten_witnesses():
    one = after(at_home(2))[0].radius_m
    ten = after(at_home(11))[0].radius_m
    assert ten > one / math.sqrt(10) * 2
    assert ten > 0.5 * HOME.radius_m


def test_hours_of_fixes_say_more_than_minutes_of_them():
    assert after(at_home(200))[0].radius_m < after(at_home(10))[0].radius_m


def test_fixes_further_apart_in_time_are_better_witnesses():
    assert after(at_home(10), gap_s=600.0)[0].radius_m < after(at_home(10), gap_s=15.0)[0].radius_m


def test_a_jump_away_and_back_leaves_no_trace():
    jump = Sight(250.0, 0.0, 20.0)
    in_doubt, _ = after([*at_home(20), jump])
    back, _ = after([*at_home(20), jump, HOME])
    assert in_doubt.still < 0.95
    assert back.still > 0.95
    assert math.hypot(back.x_m, back.y_m) < 5


def test_who_stays_away_is_believed_to_have_left_by_the_second_fix():
    away = [Sight(120.0, 0.0, 20.0), Sight(240.0, 10.0, 20.0)]
    belief, turn = after([*at_home(20), *away])
    assert belief.still < 0.25
    assert turn.left + turn.moved > 0.75


def test_who_settles_elsewhere_is_believed_to_be_there():
    belief, _ = after([*at_home(20), *[Sight(300.0, 0.0, 20.0)] * 5])
    assert belief.still > 0.8
    assert belief.x_m == pytest.approx(300.0, abs=10)
    assert belief.age_s < 3600


def test_a_walker_is_followed_at_once():
    walk = [Sight(80.0 * n, 0.0, 10.0) for n in range(10)]
    belief, turn = after(walk, still=0.5, age_s=0.0)
    assert belief.still < 0.02
    assert turn.moved > 0.9


def test_a_vague_fix_moves_nobody_who_is_still():
    belief, _ = after([*at_home(20), Sight(600.0, 0.0, 1500.0)])
    assert belief.still > 0.9
    assert math.hypot(belief.x_m, belief.y_m) < 5


def test_a_leap_that_nobody_can_make_is_doubted_and_named():
    belief, turn = after([*at_home(20), Sight(60_000.0, 0.0, 20.0)])
    assert turn.implausible
    assert belief.still > after([*at_home(20), Sight(3_000.0, 0.0, 20.0)])[0].still
    assert not after([*at_home(20), Sight(3_000.0, 0.0, 20.0)])[1].implausible


def test_after_one_gross_fix_another_is_no_surprise():
    jumped, _ = after([*at_home(20), Sight(150.0, 0.0, 20.0)])
    assert jumped.gross > 10 * GROSS_SHARE


sights = st.builds(
    Sight,
    st.floats(-5e4, 5e4),
    st.floats(-5e4, 5e4),
    st.floats(10, 3e4) | st.sampled_from([10.0, 12.0, 50.0]),
)


@settings(max_examples=300, deadline=None)
@given(
    path=st.lists(st.tuples(sights, st.floats(1e-3, 600)), min_size=1, max_size=20),
    still=st.floats(0.01, 0.99),
)
def test_whatever_comes_probabilities_add_up_and_nothing_grows_without_bound(path, still):
    last = path[0][0]
    belief = begin(last, still)
    for now, gap_s in path:
        belief, turn = advance(belief, last, now, gap_s)
        assert 0 <= belief.still <= 1 + 1e-12
        assert sum((turn.stayed, turn.left, turn.moved, turn.settled)) == pytest.approx(1)
        assert belief.var_m2 >= 1
        assert 0 <= belief.drift_var <= 1 + 1e-9
        assert all(math.isfinite(each) for each in astuple(belief))
        last = now


def astuple(belief):
    return [getattr(belief, name) for name in Belief.__struct_fields__]


@settings(max_examples=100, deadline=None)
@given(path=st.lists(sights, min_size=2, max_size=10), turned=st.floats(0, 2 * math.pi))
def test_no_direction_is_special(path, turned):
    cosine, sine = math.cos(turned), math.sin(turned)
    other = [
        Sight(s.x_m * cosine - s.y_m * sine, s.x_m * sine + s.y_m * cosine, s.radius_m)
        for s in path
    ]
    assert after(path)[0].still == pytest.approx(after(other)[0].still, abs=1e-6)
