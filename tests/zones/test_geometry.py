import math

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from zones.fault import ZoneFault
from zones.geojson import shape_from_geojson
from zones.geometry import distance_m, grown, shrunk

EARTH = Geod(ellps="WGS84")
CHESTER = (-2.8918, 53.1905)
WELLINGTON = (174.7762, -41.2865)
STORNOWAY = (-6.3890, 58.2090)


@pytest.mark.parametrize(
    "centre",
    [
        pytest.param(CHESTER, id="Chester, on the national grid"),
        pytest.param(STORNOWAY, id="Stornoway, at the grid's edge"),
        pytest.param(WELLINGTON, id="Wellington, on a plane of its own"),
    ],
)
def test_a_circle_has_its_radius_on_the_ground(centre):
    circle = shape_from_geojson({"type": "Point", "coordinates": list(centre)}, radius_m=250)
    for lon, lat in circle.exterior.coords:
        _, _, metres = EARTH.inv(*centre, lon, lat)
        assert metres == pytest.approx(250, rel=0.0015)


def test_radius_and_buffer_of_a_point_add_up():
    point = {"type": "Point", "coordinates": list(CHESTER)}
    circle = shape_from_geojson(point, radius_m=100, buffer_m=50)
    assert -distance_m(*CHESTER, circle) == pytest.approx(150, rel=0.0015)


def test_a_road_is_a_strip_to_both_sides():
    road = {"type": "LineString", "coordinates": [[-2.90, 53.19], [-2.88, 53.19]]}
    strip = shape_from_geojson(road, buffer_m=30)
    assert distance_m(-2.89, 53.19, strip) == pytest.approx(-30, rel=0.0015)
    _, lat, _ = EARTH.fwd(-2.89, 53.19, 0, 40)
    assert distance_m(-2.89, lat, strip) == pytest.approx(10, abs=0.1)


def test_a_buffer_closes_a_small_hole_and_narrows_a_large_one():
    square = [[-2.92, 53.17], [-2.86, 53.17], [-2.86, 53.21], [-2.92, 53.21], [-2.92, 53.17]]
    hole = [[-2.91, 53.18], [-2.91, 53.19], [-2.90, 53.19], [-2.90, 53.18], [-2.91, 53.18]]
    slit = [[-2.88, 53.19], [-2.88, 53.1902], [-2.87, 53.1902], [-2.87, 53.19], [-2.88, 53.19]]
    zone = {"type": "Polygon", "coordinates": [square, hole, slit]}
    assert len(shape_from_geojson(zone).interiors) == 2
    assert len(shape_from_geojson(zone, buffer_m=50).interiors) == 1
    assert distance_m(-2.905, 53.185, shape_from_geojson(zone, buffer_m=50)) > 0


def test_a_long_straight_edge_is_grown_along_its_own_line():
    # Cardiff to Ipswich: on the grid the straight line of longitude and latitude is a bow.
    road = {"type": "LineString", "coordinates": [[-3.18, 51.48], [1.15, 52.06]]}
    strip = shape_from_geojson(road, buffer_m=100)
    assert distance_m(-1.015, 51.77, strip) == pytest.approx(-100, rel=0.02)


def test_no_growth_leaves_the_shape_alone():
    square = shapely.box(-2.9, 53.1, -2.8, 53.2)
    assert grown(square, 0) is square


def test_growth_over_the_date_line_is_refused():
    fiji = shapely.box(179.9, -17.0, 179.99, -16.9)
    with pytest.raises(ZoneFault, match="date line"):
        grown(fiji, 5_000)


def test_distance_is_negative_inside_zero_on_the_edge_and_positive_outside():
    square = shapely.box(-2.90, 53.18, -2.88, 53.20)
    assert distance_m(-2.89, 53.18, square) == pytest.approx(0, abs=1e-6)
    _, _, south = EARTH.inv(-2.89, 53.18, -2.89, 53.181)
    assert distance_m(-2.89, 53.181, square) == pytest.approx(-south, abs=0.01)
    assert distance_m(-2.89, 53.179, square) == pytest.approx(south, abs=0.01)


def test_distance_within_a_hole_is_to_the_edge_of_the_hole():
    ring = shapely.box(-2.92, 53.16, -2.86, 53.22) - shapely.box(-2.90, 53.18, -2.88, 53.20)
    _, _, metres = EARTH.inv(-2.89, 53.20, -2.89, 53.195)
    assert distance_m(-2.89, 53.195, ring) == pytest.approx(metres, abs=0.01)


@given(
    bearing=st.floats(0, 360),
    metres=st.floats(1, 30_000),
    centre=st.sampled_from([CHESTER, WELLINGTON, STORNOWAY]),
)
def test_distance_to_a_small_shape_is_the_distance_on_the_earth(bearing, metres, centre):
    lon, lat, _ = EARTH.fwd(*centre, bearing, metres)
    tiny = shapely.Point(*centre).buffer(1e-9)
    assert distance_m(lon, lat, tiny) == pytest.approx(metres, abs=0.01, rel=1e-5)


@given(
    metres=st.floats(0.5, 2_000),
    corners=st.lists(
        st.tuples(st.floats(-2.95, -2.85), st.floats(53.15, 53.25)), min_size=3, max_size=7
    ),
)
def test_the_edge_of_a_grown_shape_is_as_far_away_as_it_grew(metres, corners):
    shape = shapely.MultiPoint(corners).convex_hull
    if shape.geom_type != "Polygon" or shape.area < 1e-6:
        return
    wide = grown(shape, metres)
    assert wide.covers(shape)
    for lon, lat in list(wide.exterior.coords)[::5]:
        assert distance_m(lon, lat, shape) == pytest.approx(metres, rel=0.003, abs=0.2)
    assert math.isfinite(wide.area)


def rough_coast(corners: int) -> shapely.Polygon:
    """A round island of some three kilometres with a lake in it; both shores tremble by 5 m."""
    draw = np.random.default_rng(5)
    shores = []
    for radius_m, number in ((3_000.0, corners), (1_000.0, corners // 3)):
        angle = np.linspace(0, 2 * math.pi, number, endpoint=False)
        far_m = radius_m + draw.normal(0, 5, number)
        east = far_m * np.cos(angle) / (111_320 * math.cos(math.radians(CHESTER[1])))
        north = far_m * np.sin(angle) / 111_320
        shores.append(np.column_stack([CHESTER[0] + east, CHESTER[1] + north]))
    return shapely.Polygon(shores[0], [shores[1]])


def rough_road(corners: int) -> shapely.LineString:
    return shapely.LineString(rough_coast(corners).exterior.coords[: corners - 1])


@pytest.mark.parametrize("shape", [rough_coast(2_400), rough_road(2_400)], ids=["coast", "road"])
def test_a_shape_of_many_corners_grows_by_what_was_asked_for_on_every_side(shape):
    wide = grown(shape, 40)
    assert wide.is_valid
    draw = np.random.default_rng(6)
    for lon, lat in draw.uniform(-1, 1, (400, 2)) * (0.05, 0.03) + CHESTER:
        off_m = distance_m(lon, lat, shape)
        # The grid's metres are up to 0.12 % off the ground's.
        if abs(off_m - 40) > 0.2:
            assert shapely.contains_xy(wide, lon, lat) == (off_m < 40), off_m
    # Near the line, where it matters.
    for lon, lat in shapely.get_coordinates(wide)[::97]:
        assert distance_m(lon, lat, shape) == pytest.approx(40, abs=0.2)


def test_a_shape_of_many_corners_shrinks_by_what_was_asked_for_on_every_side():
    shape = rough_coast(2_400)
    core = shrunk(shape, 40)
    assert core.is_valid
    for lon, lat in shapely.get_coordinates(core)[::53]:
        assert distance_m(lon, lat, shape) == pytest.approx(-40, abs=0.2)
    assert shapely.covers(shape, core)
