"""Quiet boxes: nothing that matters can be on the other side."""

import math

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from zones.chance import Chance
from zones.plane import plane_at
from zones.quiet import DOUBT, LEVELS_M, Quiet

PLANE = plane_at(-2.89, 53.19)


def degrees(shape_m):
    return shapely.transform(
        shape_m, lambda xy: xy / (PLANE.east_m, PLANE.north_m) + (PLANE.lon, PLANE.lat)
    )


CIRCLE = degrees(shapely.Point(0, 0).buffer(100))
ESTATE = degrees(shapely.box(-900, -400, 900, 400) - shapely.box(-200, -100, 0, 100))
TWO = degrees(
    shapely.MultiPolygon([shapely.box(-600, -60, -300, 90), shapely.box(90, -90, 700, 200)])
)
SHAPES = [CIRCLE, ESTATE, TWO]
QUIETS = {
    (n, inside): (Chance(shape), Quiet(shape, Chance(shape).plane, inside))
    for n, shape in enumerate(SHAPES)
    for inside in (False, True)
}


@settings(max_examples=300, deadline=None)
@given(
    which=st.sampled_from(sorted(QUIETS)),
    x_m=st.floats(-1500, 1500),
    y_m=st.floats(-1500, 1500),
    radius_m=st.floats(10, 300),
    shares=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_anywhere_in_a_box_the_other_side_is_out_of_reach(which, x_m, y_m, radius_m, shares):
    chance, quiet = QUIETS[which]
    found = quiet.find(x_m, y_m, radius_m)
    if found is None:
        return
    west, south, east, north = quiet.boxes(found[0])[found[1]]
    assert west < x_m < east
    assert south < y_m < north
    widest = quiet.radius_m(found[0])
    assert radius_m <= widest
    west, south = max(west, -5000.0), max(south, -5000.0)
    east, north = min(east, 5000.0), min(north, 5000.0)
    place = (west + shares[0] * (east - west), south + shares[1] * (north - south), widest)
    (inside,) = chance.inside([place])
    other_side = 1 - inside if which[1] else inside
    assert other_side <= DOUBT + 1e-6


@pytest.mark.parametrize(
    ("which", "place", "radius_m", "calm"),
    [
        pytest.param((0, True), (70.0, 0.0), 12.0, True, id="30 m inside a curfew, fixes of 10 m"),
        pytest.param((0, True), (70.0, 0.0), 60.0, False, id="the same with fixes of 50 m"),
        pytest.param((0, True), (95.0, 0.0), 12.0, False, id="5 m inside"),
        pytest.param((0, True), (0.0, 0.0), 24.0, True, id="in the middle, fixes of 20 m"),
        pytest.param((0, False), (150.0, 0.0), 12.0, True, id="50 m outside an exclusion zone"),
        pytest.param((0, False), (110.0, 0.0), 12.0, False, id="10 m outside"),
        pytest.param((0, False), (0.0, 0.0), 12.0, False, id="inside an exclusion zone"),
        pytest.param((0, False), (5000.0, 0.0), 600.0, True, id="5 km away by a cell of 600 m"),
        pytest.param((1, True), (-100.0, 0.0), 12.0, False, id="in the hole of an estate"),
    ],
)
def test_where_it_is_quiet(which, place, radius_m, calm):
    assert (QUIETS[which][1].find(*place, radius_m) is not None) is calm


def test_far_away_the_box_is_kilometres_and_takes_fixes_of_the_network():
    _, quiet = QUIETS[0, False]
    level, number = quiet.find(5000.0, 0.0, 12.0)
    assert quiet.radius_m(level) > 1000
    west, south, east, north = quiet.boxes(level)[number]
    assert 5000.0 - west > 1000
    assert math.isinf(east)
    assert quiet.box_degrees(level, number)[1:] == (-90.0, 180.0, 90.0)
    assert (south, north) == (-math.inf, math.inf)


def test_levels_rise():
    assert list(LEVELS_M) == sorted(set(LEVELS_M))
