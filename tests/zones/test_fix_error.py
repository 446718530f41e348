"""What a reported radius is taken to mean."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.readings import FixSource
from zones.fix_error import (
    ERRORS,
    SCALE_PER_RADIUS,
    SIGMA_PER_RADIUS,
    SPREAD_PER_RADIUS,
    radius_m,
    share_beyond,
    share_to_one_side,
)


@pytest.mark.parametrize(
    ("source", "reported", "effective"),
    [
        pytest.param(FixSource.GPS, 30.0, 36.0, id="satellites: a fifth is added"),
        pytest.param(FixSource.GPS, 2.0, 10.0, id="no receiver is better than the floor"),
        pytest.param(FixSource.GPS, 0.0, 50.0, id="zero means not stated"),
        pytest.param(FixSource.WIFI, 20.0, 75.0, id="WiFi has a floor of its own"),
        pytest.param(FixSource.LBS, 0.0, 600.0, id="a cell that does not say"),
        pytest.param(FixSource.LBS, 1000.0, 1500.0, id="a cell of a kilometre"),
        pytest.param(FixSource.RF, 5.0, 20.0, id="a beacon in the house"),
    ],
)
def test_the_effective_radius(source, reported, effective):
    assert radius_m(reported, source) == effective


@given(source=st.sampled_from(FixSource), reported=st.floats(0.001, 50_000))
def test_the_largest_report_for_a_radius_is_the_reverse(source, reported):
    error = ERRORS[source]
    largest = error.accuracy_m(error.radius_m(reported))
    assert largest >= reported * (1 - 1e-12)
    assert error.radius_m(largest) == pytest.approx(error.radius_m(reported))


def test_below_the_floor_no_report_is_good_enough():
    assert ERRORS[FixSource.LBS].accuracy_m(100.0) < 0


@given(st.floats(0, 1e4), st.floats(1, 1e3))
def test_less_is_further_away(distance_m, radius):
    assert share_beyond(distance_m, radius) >= share_beyond(distance_m + 1, radius)


def test_the_scales_hold_nineteen_in_twenty_within_the_radius():
    assert share_beyond(25.0, 25.0) == pytest.approx(0.05)
    assert math.exp(-0.5 / SIGMA_PER_RADIUS**2) == pytest.approx(0.05)
    assert pytest.approx(0.05) == (1 + 1 / (4 * SCALE_PER_RADIUS**2)) ** -2


def test_the_spread_is_the_standard_deviation_of_the_error_along_one_axis():
    step, beyond = 0.01, 400.0
    variance = sum(
        2 * x * step * 2 * (1 - share_to_one_side(x, 1.0))
        for x in (step * (n + 0.5) for n in range(int(beyond / step)))
    )
    assert math.sqrt(variance) == pytest.approx(SPREAD_PER_RADIUS, rel=1e-3)


def test_to_the_two_sides_of_a_line_it_adds_up():
    assert share_to_one_side(0.0, 10.0) == 0.5
    assert share_to_one_side(7.0, 10.0) + share_to_one_side(-7.0, 10.0) == pytest.approx(1.0)
    assert share_to_one_side(1e6, 10.0) == pytest.approx(1.0)
