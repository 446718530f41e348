"""P(inside): against draws from the same error model, and where the answer is plain."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from zones.chance import FAR_RADII, Chance
from zones.fix_error import SCALE_PER_RADIUS, share_beyond, share_to_one_side
from zones.plane import plane_at

PLANE = plane_at(-2.89, 53.19)


def degrees(shape_m):
    return shapely.transform(
        shape_m, lambda xy: xy / (PLANE.east_m, PLANE.north_m) + (PLANE.lon, PLANE.lat)
    )


SQUARE = shapely.box(-50, -50, 50, 50)
YARD = shapely.box(-200, -200, 200, 200) - shapely.box(-60, -60, 60, 60)
TWO_WARDS = shapely.MultiPolygon([shapely.box(-300, -20, -80, 90), shapely.box(40, -90, 60, 200)])
STAR = shapely.Polygon(
    [
        ((150 if n % 2 else 60) * math.cos(n * math.pi / 7), 150 * math.sin(n * math.pi / 7))
        for n in range(14)
    ]
)
NESTED = (shapely.box(-250, -250, 250, 250) - shapely.box(-150, -150, 150, 150)).union(
    shapely.box(-50, -50, 50, 50)
)
SLIVER = shapely.Polygon([(-300, 0), (300, 4), (300, 5)])
ROAD = shapely.LineString([(-900, -300), (-200, 50), (150, -80), (900, 400)]).buffer(12)
ISLANDS = shapely.union_all(
    [shapely.Point(120 * n, 60 * (n % 3)).buffer(20 + 6 * n) for n in range(-5, 6, 2)]
)
SHAPES = [SQUARE, YARD, TWO_WARDS, STAR, NESTED, SLIVER, ROAD, ISLANDS]


@st.composite
def drawn_shapes(draw):
    """Any outline: corners about a middle, bent in or not, with or without a hole of its form."""
    corners = draw(st.lists(st.floats(0.05, 1.0), min_size=3, max_size=24))
    far_m, squeezed = draw(st.floats(15, 600)), draw(st.floats(0.03, 1.0))
    turn = 2 * math.pi / len(corners)
    ring = [
        (far_m * share * math.cos(n * turn), far_m * squeezed * share * math.sin(n * turn))
        for n, share in enumerate(corners)
    ]
    shape = shapely.Polygon(ring)
    if draw(st.booleans()):
        shape = shape - shapely.transform(shape, lambda xy: xy * 0.5)
    return shape


# Draws of one fix's error, in units of its radius: the same for every example, 200,000 of them.
_SHARES = (np.arange(200_000) + 0.5) / 200_000
_DISTANCES = 2 * SCALE_PER_RADIUS * np.sqrt((1 - _SHARES) ** -0.5 - 1)
_ANGLES = np.arange(200_000) * math.pi * (3 - math.sqrt(5))
ERRORS = np.stack([_DISTANCES * np.cos(_ANGLES), _DISTANCES * np.sin(_ANGLES)], axis=1)


@settings(max_examples=120, deadline=None)
@given(
    shape=st.sampled_from(SHAPES) | drawn_shapes(),
    x_m=st.floats(-400, 400),
    y_m=st.floats(-400, 400),
    radius_m=st.floats(3, 2000),
)
def test_it_agrees_with_draws_from_the_error_model_within_a_hundredth(shape, x_m, y_m, radius_m):
    drawn = np.array([x_m, y_m]) + radius_m * ERRORS
    share = shapely.contains_xy(shape, drawn[:, 0], drawn[:, 1]).mean()
    chance = Chance(degrees(shape))
    lon, lat = PLANE.degrees(x_m, y_m)
    x, y = chance.plane.metres(lon, lat)
    (found,) = chance.inside([(x, y, radius_m)])
    assert found == pytest.approx(share, abs=0.01)
    (of_batch,) = chance.of_fixes(np.array([lon]), np.array([lat]), np.array([radius_m]))
    assert of_batch == pytest.approx(found, abs=1e-9)


def test_many_fixes_at_once_are_as_one_by_one():
    chance = Chance(degrees(STAR))
    places = [(7.0 * n - 300, 3.0 * n - 100, 5.0 + n) for n in range(100)]
    singly = [chance.inside([place])[0] for place in places]
    assert chance.inside(places) == pytest.approx(singly, abs=1e-9)
    lonlat = np.array([chance.plane.degrees(x, y) for x, y, _ in places])
    radii = np.array([radius for _, _, radius in places])
    assert chance.of_fixes(*lonlat.T, radii) == pytest.approx(singly, abs=1e-9)


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        pytest.param((0.0, 0.0, 0.5), 1.0, id="deep inside"),
        pytest.param((50.0, 0.0, 1.0), 0.5, id="on the middle of an edge"),
        pytest.param((50.0, 50.0, 1.0), 0.25, id="on a corner"),
        pytest.param((50.0 + 8 * FAR_RADII, 0.0, 8.0), 0.0, id="far outside"),
        pytest.param((0.0, 0.0, 1e6), 0.0, id="a radius of a thousand kilometres"),
    ],
)
def test_plain_answers(place, expected):
    assert Chance(degrees(SQUARE)).inside([place])[0] == pytest.approx(expected, abs=1e-3)


def test_to_one_side_of_a_long_straight_edge_it_is_the_share_to_one_side():
    half = Chance(degrees(shapely.box(-50_000, -50_000, 0, 50_000)))
    x0, _ = half.plane.metres(PLANE.lon, PLANE.lat)
    for offset_m in (-30.0, -10.0, 0.0, 10.0, 30.0):
        (found,) = half.inside([(x0 - offset_m, 0.0, 20.0)])
        assert found == pytest.approx(share_to_one_side(offset_m, 20.0), abs=1e-4)


def test_in_a_circle_about_the_fix_it_is_what_is_not_beyond():
    circle = Chance(degrees(shapely.Point(0, 0).buffer(40, quad_segs=200)))
    (found,) = circle.inside([(*circle.plane.metres(PLANE.lon, PLANE.lat), 40.0)])
    assert found == pytest.approx(0.95, abs=1e-3)
    assert share_beyond(40.0, 40.0) == pytest.approx(0.05)


@given(x_m=st.floats(-300, 300), y_m=st.floats(-300, 300), radius_m=st.floats(1, 500))
def test_a_shape_and_its_hole_add_up_to_the_whole(x_m, y_m, radius_m):
    hole = shapely.box(-60, -60, 60, 60)
    place = [(x_m, y_m, radius_m)]
    whole, yard, inner = (
        Chance(degrees(each)).inside(place)[0]
        for each in (shapely.box(-200, -200, 200, 200), YARD, hole)
    )
    assert yard + inner == pytest.approx(whole, abs=2e-4)


@pytest.mark.parametrize("vertices", [3, 100_000])
def test_any_number_of_vertices(vertices):
    turn = np.arange(vertices) * 2 * math.pi / vertices
    ring = np.stack([100 * np.cos(turn), 100 * np.sin(turn)], axis=1)
    chance = Chance(degrees(shapely.Polygon(ring)))
    (found,) = chance.inside([(0.0, 0.0, 5.0)])
    assert found == pytest.approx(1.0, abs=1e-3)


def test_a_sliver_holds_next_to_nothing():
    sliver = shapely.Polygon([(-100, 0), (100, 0), (0, 0.001)])
    assert Chance(degrees(sliver)).inside([(0.0, 0.0, 10.0)])[0] < 2e-4


@pytest.mark.parametrize(
    ("x_m", "metres"),
    [(0, -50), (45, -5), (60, 10), (150, 100)],
    ids=["middle", "in", "out", "far"],
)
def test_the_distance_to_the_edge_is_negative_inside(x_m, metres):
    chance = Chance(degrees(SQUARE))
    x, y = chance.plane.metres(*PLANE.degrees(x_m, 0))
    assert chance.edge_m(x, y) == pytest.approx(metres, abs=0.01)


@settings(max_examples=60, deadline=None)
@given(
    shape=st.sampled_from(SHAPES) | drawn_shapes(),
    x_m=st.floats(-700, 700),
    y_m=st.floats(-700, 700),
)
def test_the_distance_to_the_edge_of_any_shape_is_as_measured(shape, x_m, y_m):
    chance, point = Chance(degrees(shape)), shapely.Point(x_m, y_m)
    x, y = chance.plane.metres(*PLANE.degrees(x_m, y_m))
    metres = shape.boundary.distance(point)
    expected = -metres if shape.intersects(point) else metres
    assert chance.edge_m(x, y) == pytest.approx(expected, rel=2e-3, abs=0.05)
