import numpy as np
import shapely
from hypothesis import given
from hypothesis import strategies as st

from zones.index import ZoneIndex
from zones.zone import Zone, ZoneKind


def box_zone(zone_id: str, lon: float, lat: float, size: float = 0.01) -> Zone:
    shape = shapely.box(lon, lat, lon + size, lat + size)
    return Zone(zone_id=zone_id, kind=ZoneKind.EXCLUSION, shape=shape)


SCHOOL = box_zone("school", -2.90, 53.18)
HOME = box_zone("home", -2.895, 53.185)
WORK = box_zone("work", -2.70, 53.30)
INDEX = ZoneIndex([WORK, SCHOOL, HOME])


def names(zones: tuple[Zone, ...]) -> list[str]:
    return [zone.zone_id for zone in zones]


def test_a_point_names_the_zones_it_could_be_in_and_no_far_one():
    assert names(INDEX.near_point(-2.893, 53.188)) == ["school", "home"]
    assert names(INDEX.near_point(-2.60, 53.0)) == []


def test_a_point_on_the_boundary_names_the_zone():
    assert names(INDEX.near_point(-2.90, 53.185)) == ["school"]


def test_a_leg_names_the_zones_on_its_way():
    assert names(INDEX.near_leg(-2.91, 53.19, -2.69, 53.31)) == ["work", "school", "home"]
    assert names(INDEX.near_leg(-2.91, 53.10, -2.69, 53.10)) == []


def test_a_device_that_stays_is_a_leg_too():
    assert names(INDEX.near_leg(-2.895, 53.18, -2.895, 53.18)) == ["school"]


def test_no_zones_means_none_is_near():
    assert ZoneIndex([]).near_point(0, 0) == ()


degrees = st.tuples(st.floats(-1, 1), st.floats(-1, 1))


@given(
    corners=st.lists(degrees, min_size=1, max_size=6),
    legs=st.lists(st.tuples(degrees, degrees), min_size=1, max_size=6),
)
def test_no_zone_is_missed_by_one_or_by_many(corners, legs):
    index = ZoneIndex([box_zone(str(n), x, y, 0.2) for n, (x, y) in enumerate(corners)])
    start, end = np.array([a for a, _ in legs]), np.array([b for _, b in legs])
    found_points = set(zip(*(a.tolist() for a in index.near_points(*start.T)), strict=True))
    found_legs = set(zip(*(a.tolist() for a in index.near_legs(*start.T, *end.T)), strict=True))
    for number, (a, b) in enumerate(legs):
        one_point, one_leg = names(index.near_point(*a)), names(index.near_leg(*a, *b))
        for place, zone in enumerate(index.zones):
            if zone.outline.covers(*a):
                assert zone.zone_id in one_point
                assert (number, place) in found_points
            if shapely.intersects(zone.shape, shapely.LineString([a, b])):
                assert zone.zone_id in one_leg
                assert (number, place) in found_legs


@given(
    rows=st.lists(
        st.tuples(st.floats(-2.95, -2.65), st.floats(53.15, 53.35), st.floats(5, 5000)),
        min_size=1,
        max_size=30,
    )
)
def test_chances_of_many_fixes_and_zones_are_those_of_each_pair(rows):
    lon, lat, radius_m = np.array(rows).T
    (fixes, zones), found = INDEX.chances(lon, lat, radius_m)
    named = dict(zip(zip(fixes.tolist(), zones.tolist(), strict=True), found, strict=True))
    for n, (x, y, radius) in enumerate(rows):
        for number, zone in enumerate(INDEX.zones):
            (alone,) = zone.chance.inside([(*zone.chance.plane.metres(x, y), radius)])
            assert abs(named.get((n, number), 0.0) - alone) < 1e-4


def test_a_fix_far_from_every_zone_makes_no_pair():
    (fixes, _), found = INDEX.chances(np.array([0.0]), np.array([51.0]), np.array([10.0]))
    assert len(fixes) == len(found) == 0
