"""Who was near a place in a window: ruled in, ruled out, or nobody can tell."""

from datetime import timedelta

import msgspec
import pytest
from builders import INSIDE, OUTSIDE, START, at, fix, fixes
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.vicinity import FASTEST_M_S, RULED_IN, RULED_OUT, Circle, Verdict
from zones.fault import ZoneFault
from zones.interval import Interval

WINDOW = Interval(at(0), at(60))
ALWAYS = Interval(at(-10_000), at(10_000))
# The place is INSIDE, 1,337 m east of OUTSIDE; BESIDE is 110 m north of it.
BESIDE = (INSIDE[0], INSIDE[1] + 110 / 111_290)
CREWE = (-2.4413, 53.0988)


def asked(readings, *, window=WINDOW, worn=ALWAYS, radius_m=100.0):
    return Circle(*INSIDE, radius_m, max_gap_s=600.0).judge(readings, window, worn)


def test_who_was_there_with_a_fix_a_minute_is_ruled_in():
    found = asked([*fixes(-20, 20), *fixes(25, 40, INSIDE), *fixes(45, 80)])
    assert found.verdict is Verdict.IN
    assert found.probability > 0.999
    assert found.known == 1.0
    assert found.nearest_m < 1
    assert found.nearest_at == at(25)
    (stay,) = found.stays
    assert at(20) < stay.start < at(26)
    assert at(39) < stay.end < at(46)


def test_who_passed_through_between_two_fixes_is_not_ruled_out():
    # A minute from 1.3 km west of the place to 1.3 km east of it, through the middle.
    east = (2 * INSIDE[0] - OUTSIDE[0], INSIDE[1])
    found = asked([*fixes(-20, 20), *fixes(21, 80, east)], radius_m=400)
    assert found.verdict is not Verdict.OUT
    assert found.probability > RULED_OUT


def test_who_was_elsewhere_all_the_time_is_ruled_out():
    found = asked(fixes(-20, 80))
    assert found.verdict is Verdict.OUT
    assert found.probability == 0
    assert found.nearest_m == pytest.approx(1_337, abs=5)
    assert found.stays == ()


def test_who_may_have_been_there_by_rough_fixes_cannot_be_told():
    found = asked([fix(n, BESIDE, accuracy_m=200) for n in range(-20, 81)])
    assert found.verdict is Verdict.CANNOT_TELL
    assert RULED_OUT < found.probability < RULED_IN


@pytest.mark.parametrize(
    ("accuracy_m", "east_m"),
    [(150.0, 150.0), (700.0, 0.0), (700.0, 500.0), (1_000.0, 0.0), (1_000.0, 900.0),
     (100_000.0, 0.0), (100_000.0, 30_000.0)],
)  # fmt: skip
def test_rough_fixes_that_reach_the_place_rule_nobody_out(accuracy_m, east_m):
    """Most of such a fix lies outside of the circle wherever the wearer was."""
    there = (INSIDE[0] + east_m / 66_830, INSIDE[1])
    found = asked([fix(n, there, accuracy_m=accuracy_m) for n in range(-20, 81)])
    assert found.verdict is Verdict.CANNOT_TELL
    assert found.known == 0
    assert found.open == WINDOW.length


def test_rough_fixes_that_do_not_reach_the_place_rule_out():
    found = asked([fix(n, CREWE, accuracy_m=1_000.0) for n in range(-20, 81)])
    assert found.verdict is Verdict.OUT
    assert found.known == 1


def test_a_rough_fix_now_and_then_among_good_ones_elsewhere_changes_nothing():
    readings = [fix(n, accuracy_m=1_500.0 if n % 5 == 0 else 10.0) for n in range(-21, 82)]
    found = asked(readings)
    assert found.verdict is Verdict.OUT
    assert found.known == 1


def test_half_an_hour_of_rough_fixes_is_a_gap_like_any_other():
    rough = [fix(n, accuracy_m=1_500.0) for n in range(11, 40)]
    near = asked([*fixes(-20, 10), *rough, *fixes(40, 80)])
    assert near.verdict is Verdict.CANNOT_TELL
    assert near.known == pytest.approx(0.5)
    # Thirty kilometres off nobody comes and goes in the twelve minutes of a short one.
    rough = [fix(n, CREWE, accuracy_m=40_000.0) for n in range(11, 22)]
    far = asked([*fixes(-20, 10, CREWE), *rough, *fixes(22, 80, CREWE)])
    assert far.verdict is Verdict.OUT


@pytest.mark.parametrize(
    ("readings", "verdict"),
    [
        pytest.param([], Verdict.CANNOT_TELL, id="no fix at all"),
        pytest.param([*fixes(-20, 10), *fixes(40, 80)], Verdict.CANNOT_TELL,
                     id="silent for half an hour a mile away"),
        pytest.param([*fixes(-20, 10, CREWE), *fixes(22, 80, CREWE)], Verdict.OUT,
                     id="silent for twelve minutes thirty kilometres away"),
        pytest.param([*fixes(-20, 10, CREWE), *fixes(40, 80, CREWE)], Verdict.CANNOT_TELL,
                     id="silent for half an hour thirty kilometres away"),
        pytest.param(fixes(-20, 30), Verdict.CANNOT_TELL, id="silent to the end of the window"),
        pytest.param([*fixes(-20, 10), *fixes(40, 45, INSIDE), *fixes(50, 80)], Verdict.IN,
                     id="silent for a time, and there later"),
    ],
)  # fmt: skip
def test_silence_rules_nobody_out_who_could_have_been_there(readings, verdict):
    assert asked(readings).verdict is verdict


def test_before_the_tag_was_fitted_nothing_is_known():
    found = asked(fixes(-20, 80), worn=Interval(at(30), at(10_000)))
    assert found.verdict is Verdict.CANNOT_TELL
    assert found.known == 0.5
    assert found.open == timedelta(minutes=30)


def test_a_visit_outside_the_window_does_not_count():
    found = asked([*fixes(-30, -20, INSIDE), *fixes(-10, 80)])
    assert found.verdict is Verdict.OUT
    assert found.stays == ()


def test_a_place_that_is_none_is_refused():
    with pytest.raises(ZoneFault):
        Circle(200.0, 53.0, 100.0, 600.0)


PLACES = st.sampled_from([INSIDE, OUTSIDE, BESIDE, CREWE])
FIX = st.tuples(st.integers(-30, 90), PLACES, st.sampled_from([5.0, 30.0, 400.0]))


@settings(max_examples=80, deadline=None)
@given(st.lists(FIX, max_size=25, unique_by=lambda each: each[0]), st.randoms())
def test_the_answer_does_not_depend_on_the_order_and_open_time_is_unknown_time(drawn, random):
    readings = [fix(minute, place, accuracy_m=accuracy) for minute, place, accuracy in drawn]
    found = asked(readings)
    random.shuffle(readings)
    assert asked(readings) == found
    assert 0 <= found.probability <= 1
    assert found.open <= (1 - found.known) * WINDOW.length + timedelta(milliseconds=1)
    if found.verdict is Verdict.OUT:
        inside = [each for each in drawn if each[1] == INSIDE and 0 <= each[0] <= 60]
        assert all(accuracy == 400.0 for _, _, accuracy in inside)
        # Whoever was there all the time, by fixes however rough, is never ruled out.
        assert any(each[1] != INSIDE for each in drawn)


def test_the_quick_look_leaves_out_nobody_whom_the_rule_finds():
    class Thorough(Circle):
        def _is_near(self, _ordered, _distances):
            return True

    for east_m in range(0, 3_000, 150):
        place = (INSIDE[0] + east_m / 66_830, INSIDE[1])
        readings = [*fixes(-20, 20, place), *fixes(21, 80)]
        quick = asked(readings)
        thorough = Thorough(*INSIDE, 100.0, max_gap_s=600.0).judge(readings, WINDOW, ALWAYS)
        assert abs(quick.probability - thorough.probability) < 0.001
        assert msgspec.structs.replace(
            thorough, probability=0.0, stays=()
        ) == msgspec.structs.replace(quick, probability=0.0, stays=())


def test_the_fastest_is_faster_than_any_road_allows():
    assert FASTEST_M_S * 3.6 > 70 * 1.609
    assert START.tzinfo is not None
