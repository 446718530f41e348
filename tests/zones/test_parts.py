"""Rings, corridors and permissions: a zone taken apart, and light shapes of heavy ones."""

import math
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import shapely
from builders import SQUARE, START, zone
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.finding import Severity
from zones.authorised import Authorised
from zones.fault import ZoneFault
from zones.feature import instant, permissions_from_entries
from zones.geometry import area_m2, distance_m
from zones.interval import Interval, measure, union
from zones.parts import Role, parts_of
from zones.ring import SEVERITIES, Ring, rings_from_entries
from zones.simplified import BOUNDS_M, MANY_VERTICES, inner_radius_m, simplified
from zones.timetable import Dates
from zones.zone import Zone, ZoneKind, zone_from_feature

HOUR = timedelta(hours=1)
ROAD = shapely.box(-2.92, 53.189, -2.87, 53.191)
POINT = {"type": "Point", "coordinates": [-2.89, 53.19]}


def allowed(ref: str, first: float, last: float, corridor=None) -> Authorised:
    return Authorised(ref, Dates(START + first * HOUR, START + last * HOUR), corridor)


def ringed(kind=ZoneKind.EXCLUSION, *metres: float) -> Zone:
    rings = tuple(Ring(each, "low") for each in metres)
    return Zone("Z-1", kind, SQUARE, rings=rings)


def test_a_plain_zone_is_its_own_only_part():
    plain = zone()
    [part] = parts_of(plain)
    assert part.zone is plain
    assert (part.role, part.name) == (Role.BREACH, "")


def test_a_ring_of_an_exclusion_zone_is_as_far_outside_as_it_says():
    _, ring = parts_of(ringed(ZoneKind.EXCLUSION, 300))
    corner = shapely.Point(*SQUARE.exterior.coords[0])
    assert ring.role is Role.WARNING
    assert distance_m(corner.x, corner.y, ring.zone.shape) == pytest.approx(-300, rel=0.01)


def test_a_ring_of_a_restriction_zone_is_within_it():
    _, ring = parts_of(ringed(ZoneKind.RESTRICTION, 100))
    west, south, *_ = ring.zone.shape.bounds
    assert SQUARE.contains(ring.zone.shape)
    assert distance_m(west, south, SQUARE) == pytest.approx(-100, rel=0.01)


def test_rings_are_counted_from_the_nearest():
    parts = parts_of(ringed(ZoneKind.EXCLUSION, 100, 500))
    assert [(each.number, each.ring.metres) for each in parts[1:]] == [(1, 100), (2, 500)]


def test_shapes_of_parts_are_made_once():
    one = ringed(ZoneKind.EXCLUSION, 100)
    first, second = parts_of(one)[1].zone, parts_of(one)[1].zone
    assert first.chance is second.chance


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        pytest.param("near", "must be a list", id="a text"),
        pytest.param([{}], "ring entry 1, m", id="nothing in it"),
        pytest.param([{"m": 0, "severity": "low"}], "warns of nothing", id="at the edge"),
        pytest.param([{"m": -1, "severity": "low"}], "not between 0", id="within"),
        pytest.param([{"m": 9, "severity": "loud"}], "'loud' is not known", id="loud"),
        pytest.param([{"m": 9, "severity": "low", "x": 1}], "unknown key 'x'", id="a key"),
        pytest.param([{"m": n, "severity": "low"} for n in (1, 2, 3, 4)], "at most 3", id="four"),
        pytest.param([{"m": 9, "severity": "low"}] * 2, "two rings at one", id="twice"),
    ],
)
def test_faulty_rings_are_refused(entries, message):
    with pytest.raises(ZoneFault, match=message):
        rings_from_entries(entries)


def test_a_ring_without_room_in_a_zone_to_stay_in_is_refused():
    rings = [{"m": 200, "severity": "low"}]
    with pytest.raises(ZoneFault, match="warn later"):
        zone_from_feature(
            zone_id="Z", kind="restriction", geometry=POINT, radius_m=150, rings=rings
        )


def test_an_address_has_no_ring_and_an_exclusion_zone_no_tolerance():
    rings = [{"m": 200, "severity": "low"}]
    with pytest.raises(ZoneFault, match="an address has none"):
        zone_from_feature(zone_id="Z", kind="inclusion", geometry=POINT, radius_m=50, rings=rings)
    with pytest.raises(ZoneFault, match="place to stay in"):
        zone_from_feature(
            zone_id="Z", kind="exclusion", geometry=POINT, radius_m=50, tolerance_m=20
        )


def test_the_tolerance_of_an_address_is_garden_and_drift_beyond_its_radius():
    strict = zone_from_feature(zone_id="Z", kind="inclusion", geometry=POINT, radius_m=30)
    kind = zone_from_feature(
        zone_id="Z", kind="inclusion", geometry=POINT, radius_m=30, tolerance_m=20
    )
    assert strict.area_m2 == pytest.approx(math.pi * 30**2, rel=0.01)
    assert kind.area_m2 == pytest.approx(math.pi * 50**2, rel=0.01)


def test_the_severities_of_rings_are_those_of_findings():
    assert [each.value for each in Severity] == list(SEVERITIES)


# --- what is allowed ----------------------------------------------------------------------------


def test_along_a_corridor_only_the_way_is_taken_out_of_an_exclusion_zone():
    parts = parts_of(zone(), [allowed("1", 0, 2, ROAD)])
    by_name = {each.name: each for each in parts}
    assert set(by_name) == {"", "beside-1", "excused-1"}
    beside, along = by_name["beside-1"].zone, by_name["excused-1"].zone
    assert not beside.shape.contains(shapely.Point(-2.89, 53.19))
    assert along.shape.area + beside.shape.area == pytest.approx(SQUARE.area)
    assert not by_name[""].zone.hours.around(START + HOUR)[0]


def test_a_corridor_of_a_curfew_widens_where_the_wearer_may_be():
    parts = parts_of(zone(ZoneKind.INCLUSION), [allowed("1", 0, 2, ROAD)])
    by_name = {each.name: each for each in parts}
    assert by_name["beside-1"].zone.shape.contains(shapely.Point(-2.91, 53.19))
    assert by_name["excused-1"].zone.kind is ZoneKind.EXCLUSION
    assert not by_name["excused-1"].zone.shape.contains(shapely.Point(-2.89, 53.19))


def test_a_corridor_that_misses_the_zone_excuses_nothing():
    far = shapely.box(-1.2, 52.1, -1.1, 52.2)
    names = [each.name for each in parts_of(zone(), [allowed("1", 0, 2, far)])]
    assert names == ["", "beside-1"]


spans = st.tuples(st.integers(0, 20), st.integers(1, 10), st.booleans())


@settings(max_examples=40, deadline=None)
@given(st.lists(spans, max_size=4))
def test_at_every_minute_one_part_at_most_forbids_and_somebody_answers_for_each(spans):
    permissions = [
        allowed(str(n), first, first + length, ROAD if way else None)
        for n, (first, length, way) in enumerate(spans)
    ]
    span = Interval(START, START + 40 * HOUR)
    parts = parts_of(zone(), permissions)
    breach = [each.zone.windows(span) for each in parts if each.role is Role.BREACH]
    free = [each.times for each in permissions if each.corridor is None]
    allowed_all = union(*(each.intervals(span.start, span.end) for each in free))
    # The breach parts share no minute, and with what is allowed everywhere they are the whole.
    assert measure(union(*breach)) == sum(map(measure, breach), timedelta())
    assert measure(union(*breach)) + measure(allowed_all) == span.length
    everywhere = [
        each.zone.windows(span)
        for each in parts
        if each.role is Role.EXCUSED and permissions[int(each.authorised)].corridor is None
    ]
    assert measure(union(*everywhere)) == sum(map(measure, everywhere), timedelta())
    assert measure(union(*everywhere)) == measure(allowed_all)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        pytest.param({}, "must be a list", id="an object"),
        pytest.param(["x"], "exception 1: must be", id="a text"),
        pytest.param([{"from": "2026-01-01"}], "nothing is allowed without an end", id="no end"),
        pytest.param(
            [{"from": "2026-01-02", "until": "2026-01-01"}], "not after from", id="ends before"
        ),
        pytest.param([{"from": "soon", "until": "2026-01-01"}], "not a date", id="soon"),
        pytest.param(
            [{"from": "2026-01-01T10:00", "until": "2026-01-02"}], "has no offset", id="naive"
        ),
        pytest.param(
            [{"from": "2026-01-01", "until": "2026-01-02", "who": "x"}], "unknown key 'who'",
            id="a key",
        ),
        pytest.param(
            [{"from": "2026-01-01", "until": "2026-01-02", "corridor": POINT}],
            "exception 1, corridor, geometry", id="a corridor without a width",
        ),
        pytest.param(
            [
                {"from": "2026-01-01", "until": on, "corridor": POINT, "corridor_m": 50}
                for on in ("2026-01-09", "2026-01-05")
            ],
            "exception 2: has a corridor while exception 1 has one; give one with both ways",
            id="two corridors at one time",
        ),
    ],
)  # fmt: skip
def test_faulty_exceptions_are_refused_with_their_number(entries, message):
    with pytest.raises(ZoneFault, match=message):
        permissions_from_entries(entries, "Europe/London")


def test_a_date_is_its_first_minute_and_where_it_ends_the_minute_after_its_last():
    london = ZoneInfo("Europe/London")
    assert instant("2026-07-01", "Europe/London", "from") == datetime(2026, 7, 1, tzinfo=london)
    ends = instant("2028-02-29", "Europe/London", "until", ends=True)
    assert ends == datetime(2028, 3, 1, tzinfo=london)


# --- many vertices ------------------------------------------------------------------------------


def coast(vertices: int, ripple_m: float) -> shapely.Polygon:
    """A round shape of about a kilometre whose line trembles."""
    angle = np.linspace(0, 2 * math.pi, vertices, endpoint=False)
    radius = 0.01 * (1 + ripple_m / 1_113 * np.sin(997 * angle))
    return shapely.Polygon(
        np.stack([-2.89 + 1.66 * radius * np.cos(angle), 53.19 + radius * np.sin(angle)], 1)
    )


def test_a_shape_of_a_hundred_thousand_vertices_is_judged_within_its_stated_bound():
    shape = coast(100_000, 0.4)
    light = simplified(shape)
    assert shapely.get_num_coordinates(light.shape) <= MANY_VERTICES
    assert 0 < light.bound_m <= BOUNDS_M[-1]
    rng = np.random.default_rng(7)
    for at in rng.integers(0, 100_000, 40).tolist():
        lon, lat = shape.exterior.coords[at]
        assert abs(distance_m(lon, lat, light.shape)) <= light.bound_m + 0.01


def test_a_shape_of_few_vertices_is_judged_as_it_is_drawn():
    assert simplified(SQUARE).shape is SQUARE
    assert simplified(SQUARE).bound_m == 0


def test_the_widest_circle_tells_a_sliver_from_a_street():
    sliver = shapely.box(-2.9, 53.19, -2.8, 53.19001)
    assert inner_radius_m(sliver) == pytest.approx(0.556, rel=0.02)
    assert inner_radius_m(SQUARE) == pytest.approx(334, rel=0.02)


def test_ground_is_measured_in_square_metres():
    assert area_m2(SQUARE) == pytest.approx(668.7 * 1112.9, rel=0.002)
