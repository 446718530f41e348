from datetime import UTC, datetime, timedelta

import pytest

from zones.fault import ZoneFault
from zones.interval import Interval
from zones.schedule_entries import schedule_from_entries
from zones.zone import Zone, ZoneKind, zone_from_feature

SQUARE = {
    "type": "Polygon",
    "coordinates": [
        [[-2.90, 53.18], [-2.88, 53.18], [-2.88, 53.20], [-2.90, 53.20], [-2.90, 53.18]]
    ],
}
EVENINGS = [{"days": ["wed"], "start": "19:00", "end": "22:00"}]
# A Wednesday in winter, when wall time is UTC.
EVENING = datetime(2026, 1, 14, 18, 0, tzinfo=UTC)


def hours(start: float, end: float) -> Interval:
    return Interval(EVENING + timedelta(hours=start), EVENING + timedelta(hours=end))


def zone(kind: str, schedule: object = None) -> Zone:
    return zone_from_feature(zone_id="Z1", kind=kind, geometry=SQUARE, schedule=schedule)


def test_a_zone_keeps_what_it_was_made_from():
    made = zone_from_feature(
        zone_id="Z1",
        kind="inclusion",
        geometry=SQUARE,
        buffer_m=25,
        schedule=EVENINGS,
        version=3,
    )
    assert made.kind is ZoneKind.INCLUSION
    assert made.schedule == schedule_from_entries(EVENINGS)
    assert (made.zone_id, made.buffer_m, made.version) == ("Z1", 25.0, 3)
    assert made.outline is made.outline
    assert made.outline.covers(-2.8801, 53.19)


@pytest.mark.parametrize(
    ("kind", "schedule", "stays", "forbidden"),
    [
        pytest.param(
            "exclusion", None, [(1, 2)], [(1, 2)], id="exclusion always: the stay is forbidden"
        ),
        pytest.param(
            "exclusion", EVENINGS, [(0, 2)], [(1, 2)], id="exclusion: only from the window's start"
        ),
        pytest.param("exclusion", EVENINGS, [(4, 5)], [], id="exclusion: after hours is allowed"),
        pytest.param(
            "inclusion",
            EVENINGS,
            [(0, 2), (3, 6)],
            [(2, 3)],
            id="curfew: the hour out of the address is forbidden",
        ),
        pytest.param("inclusion", None, [], [(0, 6)], id="curfew always: never there"),
        pytest.param(
            "restriction", EVENINGS, [], [(1, 4)], id="restriction: outside for the whole window"
        ),
    ],
)
def test_what_a_zone_forbids(kind, schedule, stays, forbidden):
    seen = tuple(hours(*stay) for stay in stays)
    expected = tuple(hours(*piece) for piece in forbidden)
    assert zone(kind, schedule).forbidden(seen, hours(0, 6)) == expected


@pytest.mark.parametrize(
    ("sighted_at", "forbidden"),
    [
        pytest.param(1, True, id="as the window opens"),
        pytest.param(4, False, id="as the window closes"),
        pytest.param(0.5, False, id="before it"),
    ],
)
def test_one_fix_alone_is_judged_by_the_window_it_falls_in(sighted_at, forbidden):
    sighting = hours(sighted_at, sighted_at)
    found = zone("exclusion", EVENINGS).forbidden((sighting,), sighting)
    assert found == ((sighting,) if forbidden else ())


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        pytest.param({"kind": "forbidden"}, "kind: 'forbidden'", id="unknown kind"),
        pytest.param({"kind": []}, "kind: []", id="a list for a kind"),
        pytest.param({"geometry": None}, "geometry: is missing", id="no geometry"),
        pytest.param({"buffer_m": -5}, "buffer_m: -5", id="negative buffer"),
        pytest.param({"timezone": "Chester"}, "timezone: 'Chester'", id="unknown time zone"),
        pytest.param({"timezone": 1}, "timezone: 1", id="a number for a time zone"),
        pytest.param({"schedule": [{}]}, "schedule entry 1", id="faulty schedule"),
    ],
)
def test_a_faulty_feature_is_refused(changed, message):
    parts = {"zone_id": "Z1", "kind": "exclusion", "geometry": SQUARE} | changed
    with pytest.raises(ZoneFault) as raised:
        zone_from_feature(**parts)
    assert str(raised.value).startswith(message)
