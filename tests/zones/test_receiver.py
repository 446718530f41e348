"""What a tag's own fixes show of its errors: their scale, and how often they are gross."""

import math
import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zones import receiver as receivers
from zones.belief import Sight, advance, begin
from zones.fix_error import SIGMA_PER_RADIUS
from zones.receiver import LEAST_FACTOR, MOST_FACTOR, UNKNOWN, Receiver, learn, rested

RADIUS_M = 20.0


def shown(path, gap_s=60.0, receiver=UNKNOWN):
    """What is learnt from positions a minute apart, each with a radius of 20 m."""
    belief, last = None, None
    for x_m, y_m in path:
        now = Sight(x_m, y_m, RADIUS_M * receiver.factor)
        if belief is None:
            belief = begin(now, 0.9, 3_600.0)
        else:
            before = belief
            belief, turn = advance(before, last, now, gap_s, receiver.gross_share(gap_s))
            receiver = learn(receiver, before, belief, turn, now, gap_s)
        last = now
    return receiver


def at_one_place(seed, count, times, lasts_min=5.0):
    """A still tag whose errors are so many times those it reports, and drift."""
    draws, x, y = random.Random(seed), 0.0, 0.0
    keeps = math.exp(-1 / lasts_min)
    sigma = times * RADIUS_M * SIGMA_PER_RADIUS
    for _ in range(count):
        x = keeps * x + math.sqrt(1 - keeps**2) * draws.gauss(0, sigma)
        y = keeps * y + math.sqrt(1 - keeps**2) * draws.gauss(0, sigma)
        yield x, y


@pytest.mark.parametrize("seed", range(3))
def test_a_receiver_that_reports_too_small_a_radius_gives_itself_away(seed):
    honest = shown(at_one_place(seed, 400, 1.0)).factor
    twice = shown(at_one_place(seed, 400, 2.0)).factor
    assert honest < 1.3
    assert twice > 1.3 * honest


@pytest.mark.parametrize("seed", range(3))
def test_a_receiver_that_reports_too_large_a_radius_is_believed_to_be_better(seed):
    assert shown(at_one_place(seed, 400, 0.5)).factor < 0.9


def test_who_walks_teaches_nothing_of_the_receiver():
    walk = [(80.0 * n, 0.0) for n in range(60)]
    assert shown(walk).factor == pytest.approx(1.0, abs=0.1)


def test_after_a_day_in_calm_little_is_left_of_what_was_shown():
    bad = shown(at_one_place(1, 400, 2.5))
    assert rested(bad, 86_400.0).factor == pytest.approx(1.0, abs=0.02)


def leaping(times):
    """Ten hours at home with so many leaps of 150 m, one fix each."""
    leaps = {60 + 40 * n for n in range(times)}
    return [(150.0, 0.0) if minute in leaps else (0.0, 0.0) for minute in range(600)]


def test_leaps_that_turn_out_to_be_errors_are_counted_and_quiet_hours_too():
    often, never = shown(leaping(12)), shown(leaping(0))
    assert often.leaps > 8 * never.leaps
    assert never.leaps_an_hour < UNKNOWN.leaps_an_hour
    assert rested(often, 36_000.0).leaps_an_hour < often.leaps_an_hour
    assert often.gross_share(60.0) > never.gross_share(60.0)


def test_a_stay_that_has_just_begun_is_no_proof_of_a_good_receiver():
    """Its first fixes share their error with the place that they are measured from."""
    quarters = [shown(at_one_place(seed, 15, 1.0, lasts_min=10.0)).factor for seed in range(100)]
    assert 0.97 < sum(quarters) / len(quarters) < 1.1


def test_honest_receivers_are_taken_for_honest_ones_after_a_night():
    assert 0.85 < mean_of_nights(1.0) < 1.25


def test_a_receiver_that_errs_twice_as_much_as_it_says_is_found_out_in_a_night():
    assert 1.6 < mean_of_nights(2.0) < 2.5


def mean_of_nights(times):
    """The factor after five hours at one place with a drift of ten minutes, on average."""
    nights = [shown(at_one_place(seed, 300, times, lasts_min=10.0)).factor for seed in range(20)]
    return sum(nights) / len(nights)


def test_fixes_close_together_say_little_more_than_one():
    dense = shown(at_one_place(2, 200, 2.0, lasts_min=40.0), gap_s=5.0)
    assert dense.fixes < 10


@settings(max_examples=100, deadline=None)
@given(
    path=st.lists(st.tuples(st.floats(-5e4, 5e4), st.floats(-5e4, 5e4)), min_size=2, max_size=30),
    gap_s=st.floats(1e-3, 600),
)
def test_whatever_comes_it_stays_within_bounds_and_survives_being_stored(path, gap_s):
    found = shown(path, gap_s)
    assert LEAST_FACTOR <= found.factor <= MOST_FACTOR
    assert 0 < found.gross_share(gap_s) <= receivers.MOST_SHARE
    assert min(found.squares, found.fixes, found.leaps, found.watched_h) >= 0
    assert msgspec.json.decode(msgspec.json.encode(found), type=Receiver) == found
