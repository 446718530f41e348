import math
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from zones.interval import Interval
from zones.path import Outline

START = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)
MINUTE = Interval(START, START + timedelta(seconds=60))

# A zone from (1, 1) to (3, 3), in degrees so that a leg from 0 to 4 is in it from 15 s to 45 s.
SQUARE = shapely.box(1, 1, 3, 3)
WITH_HOLE = shapely.box(0, 0, 6, 6) - shapely.box(2, 2, 4, 4)
DIAMOND = shapely.Polygon([(2, 0), (4, 2), (2, 4), (0, 2)])
TWO_PARTS = shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(2, 0, 3, 1)])
# A comb: three teeth upward from a bar.
COMB = shapely.Polygon(
    [(0, 0), (5, 0), (5, 3), (4, 3), (4, 1), (3, 1), (3, 3), (2, 3), (2, 1), (1, 1), (1, 3), (0, 3)]
)


def seconds(shape, path):
    (lon0, lat0), (lon1, lat1) = path
    found = Outline(shape).inside(MINUTE, lon0, lat0, lon1, lat1)
    return [
        ((piece.start - START).total_seconds(), (piece.end - START).total_seconds())
        for piece in found
    ]


@pytest.mark.parametrize(
    ("shape", "path", "expected"),
    [
        pytest.param(SQUARE, [(0, 2), (4, 2)], [(15, 45)], id="straight through"),
        pytest.param(SQUARE, [(0, 2), (2, 2)], [(30, 60)], id="in and stays"),
        pytest.param(SQUARE, [(2, 2), (2, 5)], [(0, 20)], id="out"),
        pytest.param(SQUARE, [(1.5, 2), (2.5, 2)], [(0, 60)], id="inside all the time"),
        pytest.param(SQUARE, [(2, 2), (2, 2)], [(0, 60)], id="still, inside"),
        pytest.param(SQUARE, [(0, 0), (0, 0)], [], id="still, outside"),
        pytest.param(SQUARE, [(1, 2), (1, 2)], [(0, 60)], id="still, on the boundary"),
        pytest.param(SQUARE, [(0, 3.5), (3.5, 7)], [], id="past a corner, bounds apart"),
        pytest.param(SQUARE, [(0, 2.5), (1.5, 4)], [], id="past a corner, bounds overlap"),
        pytest.param(SQUARE, [(0, 1), (4, 1)], [(15, 45)], id="along an edge"),
        pytest.param(SQUARE, [(1, 0), (1, 4)], [(15, 45)], id="along another edge"),
        pytest.param(SQUARE, [(1.5, 1), (2.5, 1)], [(0, 60)], id="within an edge"),
        pytest.param(SQUARE, [(0, 2), (2, 0)], [(30, 30)], id="touches a corner"),
        pytest.param(SQUARE, [(0, 0), (4, 4)], [(15, 45)], id="in by one corner, out by another"),
        pytest.param(SQUARE, [(0, 2), (1, 2)], [(60, 60)], id="arrives at the boundary"),
        pytest.param(SQUARE, [(1, 2), (0, 2)], [(0, 0)], id="leaves from the boundary"),
        pytest.param(SQUARE, [(1, 2), (2, 2)], [(0, 60)], id="goes in from the boundary"),
        pytest.param(SQUARE, [(2, 2), (3, 2)], [(0, 60)], id="stays up to the boundary"),
        pytest.param(WITH_HOLE, [(-1, 3), (7, 3)], [(7.5, 22.5), (37.5, 52.5)], id="over a hole"),
        pytest.param(WITH_HOLE, [(2.5, 3), (3.5, 3)], [], id="all in the hole"),
        pytest.param(WITH_HOLE, [(1, 2), (5, 2)], [(0, 60)], id="along the edge of the hole"),
        pytest.param(
            WITH_HOLE, [(3, 4), (3, 2)], [(0, 0), (60, 60)], id="from edge to edge of the hole"
        ),
        pytest.param(DIAMOND, [(0, 0), (0, 4)], [(30, 30)], id="touches a sharp corner"),
        pytest.param(DIAMOND, [(0, 2), (4, 2)], [(0, 60)], id="from corner to corner"),
        pytest.param(DIAMOND, [(1, -1), (4, 2)], [(20, 60)], id="along a slanting edge"),
        pytest.param(
            TWO_PARTS, [(-1, 0.5), (4, 0.5)], [(12, 24), (36, 48)], id="two parts, a gap between"
        ),
        pytest.param(
            TWO_PARTS, [(-1, 1), (4, 1)], [(12, 24), (36, 48)], id="along the edges of both parts"
        ),
        pytest.param(
            COMB, [(0, 2), (5, 2)], [(0, 12), (24, 36), (48, 60)], id="through three teeth"
        ),
        pytest.param(
            COMB, [(-1, 3), (5, 3)], [(10, 20), (30, 40), (50, 60)], id="along three teeth"
        ),
        pytest.param(COMB, [(0, 1), (5, 1)], [(0, 60)], id="along the feet of the teeth"),
    ],
)
def test_when_the_path_is_inside(shape, path, expected):
    assert seconds(shape, path) == expected
    # The way back is the same way, and takes as long.
    mirrored = [(60 - end, 60 - start) for start, end in reversed(expected)]
    assert seconds(shape, path[::-1]) == mirrored


def test_times_are_rounded_to_the_microsecond():
    shape = shapely.box(1, -1, 2, 1)
    assert seconds(shape, [(0, 0), (3, 0)]) == [(20, 40)]
    assert seconds(shape, [(0, 0), (7, 0)]) == [(round(60 / 7, 6), round(120 / 7, 6))]


def test_a_fix_in_decimals_on_a_slanting_edge_is_on_the_boundary():
    # The edge runs from one corner of Chester to another; a tenth of the way along it is a
    # decimal that binary numbers cannot hold.
    outline = Outline(shapely.Polygon([(-2.9, 53.1), (-2.7, 53.3), (-2.9, 53.3)]))
    for tenth in range(11):
        lon = float(Fraction(-29, 10) + Fraction(2 * tenth, 100))
        lat = float(Fraction(531, 10) + Fraction(2 * tenth, 100))
        assert outline.covers(lon, lat)
    assert not outline.covers(-2.8, 53.199_999_999)
    assert outline.inside(MINUTE, -2.86, 53.14, -2.74, 53.26) == (MINUTE,)


def test_a_slow_walk_crosses_when_it_crosses():
    outline = Outline(shapely.box(-2.89, 53.18, -2.88, 53.20))
    day = Interval(START, START + timedelta(days=1))
    # Eleven centimetres a day.
    (inside,) = outline.inside(day, -2.890001, 53.19, -2.889999, 53.19)
    assert inside.end == day.end
    assert abs(inside.start - (START + timedelta(hours=12))) < timedelta(seconds=0.01)


def test_a_vertex_given_twice_does_no_harm():
    square = shapely.Polygon([(1, 1), (3, 1), (3, 1), (3, 3), (1, 3), (1, 1), (1, 1)])
    assert seconds(square, [(0, 0), (4, 4)]) == [(15, 45)]


def test_a_shape_without_inside_is_refused():
    with pytest.raises(TypeError, match="not LineString"):
        Outline(shapely.LineString([(0, 0), (1, 1)]))


def star(radii):
    turn = 2 * math.pi / len(radii)
    corners = [(r * math.cos(k * turn), r * math.sin(k * turn)) for k, r in enumerate(radii)]
    return shapely.Polygon(corners)


stars = st.lists(st.floats(0.2, 1.0), min_size=3, max_size=14).map(star)
rings = st.lists(st.floats(0.5, 1.0), min_size=8, max_size=12).map(
    lambda radii: star(radii) - star([r * 0.4 for r in radii])
)
coarse = st.integers(-4, 4).map(lambda quarter: quarter / 4)
fine = st.floats(-1.5, 1.5, allow_subnormal=False)
points = st.tuples(coarse, coarse) | st.tuples(fine, fine)


@given(shape=stars | rings, start=points, end=points)
def test_dense_samples_of_the_path_agree(shape, start, end):
    assume(shape.is_valid)
    t = np.linspace(0, 1, 601)
    x, y = start[0] + (end[0] - start[0]) * t, start[1] + (end[1] - start[1]) * t
    # Samples nearer to an edge than rounding are left to the exact cases above.
    clear = shapely.distance(shape.boundary, shapely.points(x, y)) > 1e-5
    sampled = shapely.contains_xy(shape, x, y)
    pieces = Outline(shape).inside(MINUTE, *start, *end)
    for index in np.flatnonzero(clear).tolist():
        moment = START + timedelta(seconds=60) * float(t[index])
        told = any(piece.start <= moment <= piece.end for piece in pieces)
        assert told == sampled[index]


@given(shape=stars | rings, start=points, end=points)
def test_each_end_of_a_stretch_is_on_the_boundary_or_at_an_end_of_the_leg(shape, start, end):
    assume(shape.is_valid)
    for piece in Outline(shape).inside(MINUTE, *start, *end):
        for moment in (piece.start, piece.end):
            if moment in (MINUTE.start, MINUTE.end):
                continue
            t = (moment - START) / timedelta(seconds=60)
            x, y = start[0] + (end[0] - start[0]) * t, start[1] + (end[1] - start[1]) * t
            # Half a microsecond of a leg of at most four degrees.
            assert shape.boundary.distance(shapely.Point(x, y)) < 1e-7


@given(shape=stars, start=points, middle=st.floats(0.1, 0.9), end=points)
def test_an_extra_fix_on_the_way_changes_nothing(shape, start, middle, end):
    ticks = round(60_000_000 * middle)
    share = ticks / 60_000_000
    via = (start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share)
    at = START + timedelta(microseconds=ticks)
    outline = Outline(shape)
    whole = outline.inside(MINUTE, *start, *end)
    parts = (
        *outline.inside(Interval(MINUTE.start, at), *start, *via),
        *outline.inside(Interval(at, MINUTE.end), *via, *end),
    )
    total = sum((piece.length for piece in whole), timedelta())
    split = sum((piece.length for piece in parts), timedelta())
    grazing = outline.shape.boundary.intersection(shapely.LineString([start, end])).length > 0
    assert grazing or abs(total - split) < timedelta(milliseconds=1)


@given(shape=stars | rings, place=points)
def test_a_device_that_does_not_move_is_inside_all_the_time_or_never(shape, place):
    assume(shape.is_valid)
    outline = Outline(shape)
    pieces = outline.inside(MINUTE, *place, *place)
    assert pieces == ((MINUTE,) if outline.covers(*place) else ())


OUTLINES = [
    Outline(shapely.box(-2.90, 53.18, -2.88, 53.20)),
    Outline(shapely.box(-2.90, 53.18, -2.88, 53.20) - shapely.box(-2.895, 53.185, -2.885, 53.195)),
]
anywhere = st.tuples(st.floats(-2.93, -2.85), st.floats(53.16, 53.22))


@settings(max_examples=200, deadline=None)
@given(
    outline=st.sampled_from(OUTLINES),
    at=anywhere,
    shares=st.tuples(*[st.floats(0, 1) | st.sampled_from([0.0, 1.0])] * 4),
)
def test_a_leg_within_one_box_is_wholly_inside_or_wholly_outside(outline, at, shares):
    for find, expected in ((outline.inner_box, (MINUTE,)), (outline.clear_box, ())):
        box = find(*at)
        if box is None:
            continue
        west, south, east, north = box
        a, b, c, d = shares
        leg = (
            max(west, -4.0) * (1 - a) + min(east, -2.0) * a,
            max(south, 52.0) * (1 - b) + min(north, 54.0) * b,
            max(west, -4.0) * (1 - c) + min(east, -2.0) * c,
            max(south, 52.0) * (1 - d) + min(north, 54.0) * d,
        )
        if all(find(*place) == box for place in (leg[:2], leg[2:])):
            assert outline.inside(MINUTE, *leg) == expected
        assert west <= at[0] <= east
        assert south <= at[1] <= north


@given(outline=st.sampled_from(OUTLINES), at=anywhere)
def test_every_point_off_the_bounds_is_in_a_clear_box(outline, at):
    west, south, east, north = outline.shape.bounds
    off = not (west - 1e-9 <= at[0] <= east + 1e-9 and south - 1e-9 <= at[1] <= north + 1e-9)
    if off:
        assert outline.clear_box(*at) is not None
