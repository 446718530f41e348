"""What a comparison can find, against the reference's figures and against simulation."""

import math

import numpy as np
import pytest

from navigate_safer.outcomes.before_after import Totals, compare
from navigate_safer.outcomes.power import Design, power, smallest_fall, smallest_fall_of


@pytest.mark.parametrize(
    ("events", "dispersion", "chance"),
    [
        pytest.param(16, 1, 0.14, id="domestic reconvictions of 156 people"),
        pytest.param(44, 1, 0.39, id="any reconvictions"),
        pytest.param(100, 1, 0.75, id="100 events"),
        pytest.param(265, 1, 0.99, id="265 arrests"),
        pytest.param(265, 4, 0.60, id="265 arrests at dispersion 4"),
        pytest.param(265, 6, 0.44, id="265 arrests at dispersion 6"),
    ],
)
def test_the_chance_to_find_a_fall_of_35_per_cent(events, dispersion, chance):
    assert power(Design(events, 1, dispersion), 0.65) == pytest.approx(chance, abs=0.01)


@pytest.mark.parametrize(("dispersion", "fall"), [(1, 0.23), (4, 0.44)])
def test_the_smallest_fall_that_265_arrests_show(dispersion, fall):
    assert smallest_fall(Design(265, 1, dispersion)) == pytest.approx(fall, abs=0.005)


def test_with_few_events_no_fall_can_be_found():
    assert smallest_fall(Design(1)) is None


@pytest.mark.parametrize("time_ratio", [0.5, 1.0, 3.0])
def test_the_power_is_how_often_the_exact_interval_leaves_out_one(time_ratio):
    draw = np.random.default_rng(2)
    found = 0
    for _ in range(4_000):
        before, after = draw.poisson(40), draw.poisson(40 * time_ratio * 0.6)
        low, high = compare(Totals(int(before), 1, int(after), time_ratio)).exact_ci95
        found += low > 1 or (high is not None and high < 1)
    assert power(Design(40, time_ratio), 0.6) == pytest.approx(found / 4_000, abs=0.025)


def test_without_a_true_change_the_test_errs_in_at_most_one_of_twenty():
    for events in (5, 50, 500):
        assert power(Design(events), 1.0) <= 0.05


def test_the_exact_sum_and_the_normal_agree_where_they_meet():
    exact, normal = power(Design(1_500), 0.93), power(Design(1_600), 0.93)
    assert exact < normal
    assert normal - exact < 0.05


def test_the_smallest_fall_from_an_error_is_that_from_the_counts_which_have_it():
    fall = smallest_fall(Design(265, 1, 4))
    error = math.sqrt(4 * (1 / 265 + 1 / (265 * (1 - fall))))
    assert smallest_fall_of(error) == pytest.approx(fall, abs=1e-6)
