"""Exclusion zones, curfews and restriction zones by geometry: the baseline, run by itself."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
import shapely
from builders import (
    INSIDE,
    OUTSIDE,
    START,
    TAG,
    battery,
    condition,
    event,
    fix,
    fixes,
    hours,
    sample,
    spans,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.finding import FindingKind
from alerts.rules import place
from alerts.terms import ConditionKind, DeviceKind
from devices.readings import Fix, Stamp, order_key
from zones.track import SHORTEST_STAY, Track, TrackPoint

EXCLUSION, CURFEW = ConditionKind.EXCLUSION_ZONE, ConditionKind.CURFEW
BREACH = {
    ConditionKind.EXCLUSION_ZONE: FindingKind.EXCLUSION_BREACH,
    ConditionKind.CURFEW: FindingKind.CURFEW_BREACH,
    ConditionKind.RESTRICTION_ZONE: FindingKind.RESTRICTION_BREACH,
}
# From OUTSIDE to INSIDE in four minutes: the edge is crossed after three of them.
WALK_IN = [*fixes(0, 6), fix(10, INSIDE), *fixes(11, 20, INSIDE)]
WALK_OUT = [*fixes(0, 6, INSIDE), fix(10, OUTSIDE), *fixes(11, 20)]


def judged(term, readings):
    """What the rule finds, reading by reading, with its state stored in between."""
    rule, found = place.RULE, {}
    state = rule.initial(term, DeviceKind.LOCATION_TAG, START)
    for reading in sorted(readings, key=order_key):
        if isinstance(reading, Fix):
            state, findings = rule.step(state, reading, term)
            found.update((each.key, each) for each in findings)
            stored = msgspec.json.encode(msgspec.to_builtins(state))
            state = msgspec.convert(msgspec.json.decode(stored), rule.state_type, strict=False)
    return found


def found_by(kind, readings, **terms):
    return spans(judged(condition(kind, **terms), readings), BREACH[kind])


@pytest.mark.parametrize(
    ("kind", "schedule", "readings", "expected"),
    [
        pytest.param(EXCLUSION, None, fixes(0, 20), [], id="stays away from the zone"),
        pytest.param(EXCLUSION, None, WALK_IN, [(9, None)], id="walks into the zone: the crossing"),
        pytest.param(
            EXCLUSION, None, [*WALK_IN, fix(24, OUTSIDE)], [(9, 21)], id="in and out again"
        ),
        pytest.param(
            EXCLUSION,
            None,
            [fix(0, OUTSIDE), fix(4, (-2.87, 53.19))],
            [(1.5, 2.5)],
            id="drives through between two fixes",
        ),
        pytest.param(
            EXCLUSION, None, [fix(0, INSIDE)], [(0, None)], id="first heard of inside the zone"
        ),
        pytest.param(
            EXCLUSION,
            None,
            [fix(0, (-2.895, 53.19)), fix(1, (-2.895, 53.191))],
            [(0, None)],
            id="walks along the boundary, which is inside",
        ),
        pytest.param(
            EXCLUSION,
            None,
            [fix(0, (-2.905, 53.195)), fix(2, (-2.885, 53.205)), fix(4, (-2.885, 53.215))],
            [],
            id="passes the corner without touching it",
        ),
        pytest.param(
            EXCLUSION,
            hours("fri", "12:10", "12:30"),
            fixes(0, 20, INSIDE),
            [(10, None)],
            id="already inside when the hours begin",
        ),
        pytest.param(
            EXCLUSION,
            hours("fri", "12:10", "12:15"),
            fixes(0, 20, INSIDE),
            [(10, 15)],
            id="still inside when the hours end",
        ),
        pytest.param(
            EXCLUSION, hours("sat", "12:00", "13:00"), WALK_IN, [], id="inside on a free day"
        ),
        pytest.param(CURFEW, None, WALK_OUT, [(7, None)], id="leaves the curfew address"),
        pytest.param(CURFEW, None, WALK_IN, [(0, 9)], id="comes home late"),
        pytest.param(
            CURFEW,
            hours("fri", "12:10", "12:30"),
            WALK_OUT,
            [(10, None)],
            id="not yet home when the curfew begins",
        ),
        pytest.param(
            CURFEW, hours("fri", "12:00", "12:06"), WALK_OUT, [], id="leaves after the curfew"
        ),
        pytest.param(
            ConditionKind.RESTRICTION_ZONE,
            None,
            WALK_OUT,
            [(7, None)],
            id="leaves the restriction zone",
        ),
    ],
)
def test_what_a_wearer_does_and_what_is_found(kind, schedule, readings, expected):
    assert found_by(kind, readings, schedule=schedule) == expected


def test_the_start_of_the_hours_is_found_at_the_next_fix():
    schedule = hours("fri", "12:10", "12:30")
    before = fixes(0.5, 9.5, INSIDE)
    assert found_by(EXCLUSION, before, schedule=schedule) == []
    assert found_by(EXCLUSION, [*before, fix(10.5, INSIDE)], schedule=schedule) == [(10, None)]


def test_two_windows_that_meet_are_one_breach():
    schedule = hours("fri", "12:00", "12:10") + hours("fri", "12:10", "12:30")
    assert found_by(EXCLUSION, fixes(0, 20, INSIDE), schedule=schedule) == [(0, None)]


@pytest.mark.parametrize(
    ("gap_min", "expected"),
    [
        pytest.param(10, [(0, None)], id="ten minutes are still one breach"),
        pytest.param(10.01, [(0, 5), (15.01, None)], id="a longer gap is unknown and ends it"),
    ],
)
def test_a_gap_in_coverage(gap_min, expected):
    readings = [*fixes(0, 5, INSIDE), *fixes(5 + gap_min, 25 + gap_min, INSIDE)]
    assert found_by(EXCLUSION, readings) == expected


def test_the_condition_may_set_its_own_gap():
    readings = [fix(0, INSIDE), fix(3, INSIDE)]
    assert found_by(EXCLUSION, readings, max_gap_s=60) == [(0, 0), (3, None)]


def test_a_gap_hides_a_departure_and_a_return_from_a_curfew():
    readings = [*fixes(0, 5, INSIDE), *fixes(50, 55, INSIDE)]
    assert found_by(CURFEW, readings) == []


def test_back_outside_after_a_gap_the_breach_ended_where_it_was_last_seen():
    assert found_by(EXCLUSION, [*fixes(0, 5, INSIDE), fix(50, OUTSIDE)]) == [(0, 5)]


@pytest.mark.parametrize(
    ("east_by", "expected"),
    [
        pytest.param(0, [], id="touches the corner in one point"),
        pytest.param(0.000_000_1, [], id="cuts it for a third of a millisecond"),
        pytest.param(0.000_001, [(0.49995, 0.5)], id="cuts it for three milliseconds"),
    ],
)
def test_a_corner_cut_for_less_than_a_millisecond_is_not_a_breach(east_by, expected):
    start, end = (-2.905 + east_by, 53.185), (-2.885 + east_by, 53.205)
    found = found_by(EXCLUSION, [fix(0, start), fix(1, end)])
    assert [(pytest.approx(a, abs=1e-6), pytest.approx(b, abs=1e-6)) for a, b in found] == expected


def test_other_readings_between_two_fixes_change_nothing():
    others = [battery(5, 80), event(8, "locate_now"), sample(9, 0.0)]
    assert found_by(EXCLUSION, [*WALK_IN, *others]) == found_by(EXCLUSION, WALK_IN)


def test_two_fixes_of_one_time_are_judged_one_after_the_other():
    outside_then_inside = [fix(0, OUTSIDE), fix(0, INSIDE), fix(1, INSIDE)]
    assert found_by(EXCLUSION, outside_then_inside) == [(0, None)]
    assert found_by(EXCLUSION, outside_then_inside[::-1]) == [(0, None)]


def test_a_finding_names_rule_clause_zone_and_evidence():
    term = condition(EXCLUSION, version=3, clause="2(a)(i)")
    (found,) = judged(term, WALK_IN).values()
    assert (found.condition_id, found.condition_version, found.clause) == (1, 3, "2(a)(i)")
    assert (found.rule, found.rule_version) == (place.RULE.name, place.RULE.version)
    assert found.severity is term.severity
    assert found.evidence == {
        "zone": "Z-1",
        "zone_version": 1,
        "zone_kind": "exclusion",
        "fixes_in_breach": 11,
        "last_accuracy_m": 10.0,
        "max_gap_s": 600,
    }


def test_evidence_holds_no_coordinate():
    (found,) = judged(condition(EXCLUSION), WALK_IN).values()
    written = msgspec.json.encode(found).decode()
    assert not [part for part in ("53.1", "2.89", "2.91") if part in written]


def test_a_condition_about_a_place_without_a_zone_fails_loudly():
    broken = msgspec.structs.replace(condition(EXCLUSION), zone=None)
    with pytest.raises(ValueError, match="condition 1 is about a place and has no zone"):
        judged(broken, [fix(0)])


def test_the_rule_holds_all_of_the_last_fix_that_a_better_rule_would_need():
    term = condition(EXCLUSION)
    state = place.RULE.initial(term, DeviceKind.LOCATION_TAG, START)
    state, _ = place.RULE.step(state, fix(0, INSIDE, accuracy_m=55.5), term)
    assert state.presence.last.accuracy_m == 55.5


# Coarse places, so that fixes lie on edges and corners, and crossings fall on eighths of a second.
places = st.tuples(
    st.integers(0, 8).map(lambda n: round(-2.93 + n * 0.01, 2)),
    st.integers(0, 8).map(lambda n: round(53.15 + n * 0.01, 2)),
)
BOX = shapely.box(-2.90, 53.18, -2.88, 53.20)
YARD = shapely.box(-2.92, 53.16, -2.86, 53.22) - BOX
tracks = st.lists(
    st.tuples(st.integers(0, 90 * 60), places), min_size=1, max_size=30, unique_by=lambda it: it[0]
)
SCHEDULES = [
    None,
    hours("fri", "12:20", "12:50"),
    hours("fri", "12:20", "12:50")
    + hours("fri", "13:00", "13:01")
    + hours("fri", "12:50", "12:55"),
    hours("sat", "12:20", "12:50"),
]
terms = st.builds(
    condition,
    kind=st.sampled_from([kind for kind in ConditionKind if kind.needs_zone]),
    schedule=st.sampled_from(SCHEDULES),
    shape=st.sampled_from([BOX, YARD]),
)


@settings(max_examples=200, deadline=None)
@given(rows=tracks, term=terms)
def test_fix_by_fix_finds_what_the_whole_track_shows(rows, term):
    rows = sorted(rows)
    points = [TrackPoint(START + timedelta(seconds=s), lat, lon, 5.0) for s, (lon, lat) in rows]
    gap = timedelta(seconds=term.limits.max_gap_s)
    whole = [(each.start, each.end) for each in Track(points, gap).judge(term.zone).violations]
    track = [Fix(Stamp(TAG, each.at, None, each.at), each.lat, each.lon, 5.0) for each in points]
    last = points[-1].at
    # What still goes on has lasted to the newest fix; a sighting of no length is not in the other.
    found = [(each.started_at, each.ended_at or last) for each in judged(term, track).values()]
    ended = sorted(each for each in found if each[1] - each[0] >= SHORTEST_STAY)
    assert ended == whole


@settings(max_examples=60, deadline=None)
@given(rows=tracks, term=terms)
def test_an_open_finding_means_that_the_last_fix_is_in_breach(rows, term):
    rows = sorted(rows)
    readings = [fix(seconds / 60, place) for seconds, place in rows]
    found = judged(term, readings).values()
    going_on = [each for each in found if each.ended_at is None]
    assert len(going_on) <= 1
    zone, (lon, lat) = term.zone, rows[-1][1]
    counts = zone.schedule is None or zone.schedule.covers(readings[-1].stamp.measured_at)
    on_edge = shapely.Point(lon, lat).distance(zone.shape.boundary) < 1e-9
    if counts and not on_edge:
        in_breach = zone.outline.covers(lon, lat) == zone.kind.forbids_inside
        assert bool(going_on) == in_breach


def test_the_night_the_clocks_go_back_has_thirteen_hours_of_curfew():
    away = [
        Fix(Stamp(TAG, moment, None, moment), 53.19, -2.91, 10.0)
        for moment in (
            datetime(2026, 10, 24, 17, 0, tzinfo=UTC) + timedelta(minutes=5 * n)
            for n in range(16 * 12)
        )
    ]
    term = condition(CURFEW, schedule=hours("sat", "19:00", "07:00"))
    (found,) = judged(term, away).values()
    assert found.started_at == datetime(2026, 10, 24, 18, 0, tzinfo=UTC)
    assert found.ended_at == datetime(2026, 10, 25, 7, 0, tzinfo=UTC)
