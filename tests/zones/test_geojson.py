import math

import pytest

from zones.fault import ZoneFault
from zones.geojson import shape_from_geojson
from zones.geometry import ServiceArea

# A square about Chester Cross, and a smaller one inside it.
SQUARE = [[-2.90, 53.18], [-2.88, 53.18], [-2.88, 53.20], [-2.90, 53.20], [-2.90, 53.18]]
INNER = [[-2.895, 53.185], [-2.895, 53.195], [-2.885, 53.195], [-2.885, 53.185], [-2.895, 53.185]]
FAR = [[-2.70, 53.18], [-2.68, 53.18], [-2.68, 53.20], [-2.70, 53.18]]


def polygon(*rings):
    return {"type": "Polygon", "coordinates": list(rings)}


def multipolygon(*polygons):
    return {"type": "MultiPolygon", "coordinates": [list(rings) for rings in polygons]}


def test_a_square_is_taken_as_it_is():
    shape = shape_from_geojson(polygon(SQUARE))
    assert shape.bounds == (-2.90, 53.18, -2.88, 53.20)


def test_a_hole_is_cut_out():
    shape = shape_from_geojson(polygon(SQUARE, INNER))
    assert shape.area == pytest.approx(0.0004 - 0.0001)


def test_an_altitude_is_not_used():
    raised = [[*position, 30.0] for position in SQUARE]
    assert not shape_from_geojson(polygon(raised)).has_z


def test_a_ring_whose_ends_differ_by_rounding_alone_is_closed():
    ring = [*SQUARE[:-1], [-2.90 + 1e-13, 53.18]]
    assert shape_from_geojson(polygon(ring)).is_valid


def test_wards_that_share_a_boundary_are_one_zone():
    east = [[lon + 0.02, lat] for lon, lat in SQUARE]
    shape = shape_from_geojson(multipolygon([SQUARE], [east]))
    assert shape.is_valid
    assert shape.area == pytest.approx(0.0008)


def test_parts_that_lie_apart_stay_apart():
    shape = shape_from_geojson(multipolygon([SQUARE, INNER], [FAR]))
    assert shape.geom_type == "MultiPolygon"


@pytest.mark.parametrize(
    ("geometry", "message"),
    [
        pytest.param(
            polygon([[-2.9, 53.1], [-2.8, 53.2], [-2.8, 53.1], [-2.9, 53.2], [-2.9, 53.1]]),
            "ring 1 at lon -2.850000, lat 53.150000: crosses itself",
            id="a bow tie, with the place where it crosses",
        ),
        pytest.param(
            polygon(
                SQUARE,
                [
                    [-2.89, 53.19],
                    [-2.885, 53.195],
                    [-2.885, 53.19],
                    [-2.89, 53.195],
                    [-2.89, 53.19],
                ],
            ),
            "ring 2 at lon -2.887500, lat 53.192500: crosses itself",
            id="a hole that crosses itself",
        ),
        pytest.param(
            polygon(
                [[-2.9, 53.1], [-2.5, 53.1], [-2.5, 53.5], [-2.7, 53.1], [-2.9, 53.5], [-2.9, 53.1]]
            ),
            "ring 1 at lon -2.700000, lat 53.100000: touches itself",
            id="a ring that touches itself",
        ),
        pytest.param(
            polygon(SQUARE, FAR), "has a hole outside its outer ring", id="a hole somewhere else"
        ),
        pytest.param(
            multipolygon(
                [SQUARE], [[[-2.9, 53.1], [-2.8, 53.2], [-2.8, 53.1], [-2.9, 53.2], [-2.9, 53.1]]]
            ),
            "ring 1 of polygon 2 at lon -2.85",
            id="the second polygon is at fault",
        ),
        pytest.param(polygon(SQUARE[:-1]), "ring 1: is not closed", id="not closed"),
        pytest.param(polygon([SQUARE[0], SQUARE[1], SQUARE[0]]), "at least 4", id="too few points"),
        pytest.param(
            polygon([[-2.9, 53.1], [-2.8, 53.2], [-2.6, 53.4], [-2.9, 53.1]]),
            "ring 1: has no area",
            id="points on a line",
        ),
        pytest.param(polygon([SQUARE[0]] * 4), "ring 1: has no area", id="one point four times"),
        pytest.param(polygon([]), "ring 1: is empty", id="an empty ring"),
        pytest.param(polygon(), "has no ring", id="no ring"),
        pytest.param(multipolygon(), "has no polygon", id="no polygon"),
        pytest.param(polygon(SQUARE, SQUARE), "polygon", id="a hole as large as the zone"),
        pytest.param(
            polygon([SQUARE[0], [math.nan, 53.18], *SQUARE[2:]]), "ring 1, vertex 2", id="nan"
        ),
        pytest.param(
            polygon([SQUARE[0], [math.inf, 53.18], *SQUARE[2:]]), "ring 1, vertex 2", id="infinite"
        ),
        pytest.param(
            polygon([SQUARE[0], [10**400, 53.18], *SQUARE[2:]]), "ring 1, vertex 2", id="too long"
        ),
        pytest.param(
            polygon([SQUARE[0], SQUARE[1], [181, 53.2], SQUARE[0]]),
            "ring 1, vertex 3: longitude 181",
            id="longitude outside the earth",
        ),
        pytest.param(
            polygon([SQUARE[0], SQUARE[1], [-2.88, -91.5], SQUARE[0]]),
            "ring 1, vertex 3: latitude -91.5",
            id="latitude outside the earth",
        ),
        pytest.param(
            polygon([SQUARE[0], ["-2.88", 53.18], *SQUARE[2:]]), "not a number", id="text"
        ),
        pytest.param(
            polygon([SQUARE[0], [True, 53.18], *SQUARE[2:]]), "not a number", id="true or false"
        ),
        pytest.param(
            polygon([SQUARE[0], [-2.88], *SQUARE[2:]]), "ring 1, vertex 2: has 1", id="one number"
        ),
        pytest.param(polygon("SQUARE"), "ring 1: must be a list", id="a text for a ring"),
        pytest.param({"type": "Polygon"}, "must be a list of rings", id="no coordinates"),
        pytest.param({"type": "GeometryCollection"}, "'GeometryCollection'", id="wrong type"),
        pytest.param({}, "type None", id="no type"),
        pytest.param(None, "is missing", id="no geometry"),
        pytest.param(
            {"type": "Point", "coordinates": [-2.89, 53.19]}, "radius_m above 0", id="bare point"
        ),
        pytest.param(
            {"type": "LineString", "coordinates": SQUARE[:2]}, "buffer_m above 0", id="bare line"
        ),
        pytest.param(
            {"type": "LineString", "coordinates": [SQUARE[0], SQUARE[0]]},
            "2 different points",
            id="a line without length",
        ),
    ],
)
def test_a_faulty_shape_is_refused_with_the_place_of_the_fault(geometry, message):
    with pytest.raises(ZoneFault) as raised:
        shape_from_geojson(geometry)
    assert message in str(raised.value)


@pytest.mark.parametrize("bad", [-1, math.nan, math.inf, 1e6, 10**400, "10", True, None])
def test_a_buffer_must_be_a_sensible_number_of_metres(bad):
    with pytest.raises(ZoneFault, match="buffer_m"):
        shape_from_geojson(polygon(SQUARE), buffer_m=bad)


def test_a_radius_belongs_to_a_point():
    with pytest.raises(ZoneFault, match="radius_m: is for a Point"):
        shape_from_geojson(polygon(SQUARE), radius_m=50)


def test_latitude_before_longitude_is_noticed():
    swapped = [[lat, lon] for lon, lat in SQUARE]
    with pytest.raises(ZoneFault, match="GeoJSON puts longitude first"):
        shape_from_geojson(polygon(swapped))
    with pytest.raises(ZoneFault, match="latitude and longitude exchanged"):
        shape_from_geojson({"type": "Point", "coordinates": [53.19, -2.89]}, radius_m=100)


def test_the_service_area_can_be_another_or_none():
    swapped = [[lat, lon] for lon, lat in SQUARE]
    assert shape_from_geojson(polygon(swapped), service_area=None).is_valid
    perth = ServiceArea("Perth", 115.6, -32.5, 116.3, -31.4)
    assert shape_from_geojson(polygon(swapped), service_area=perth).is_valid
    kampala = ServiceArea("Kampala", 32.4, 0.1, 32.8, 0.5)
    ring = [[0.3, 32.5], [0.4, 32.5], [0.4, 32.6], [0.3, 32.5]]
    with pytest.raises(ZoneFault, match="would lie in Kampala"):
        shape_from_geojson(polygon(ring), service_area=kampala)
