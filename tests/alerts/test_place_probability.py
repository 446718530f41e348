"""Exclusion zones, curfews and restriction zones by probability, from fixes to findings."""

import math
import random
from datetime import timedelta

import msgspec
import pytest
import shapely
from builders import (
    INSIDE,
    OUTSIDE,
    START,
    TAG,
    at,
    battery,
    condition,
    event,
    fix,
    fixes,
    hours,
    minute,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.finding import FindingKind
from alerts.rules import place_probability
from alerts.rules.place_costs import end_threshold, threshold
from alerts.terms import ConditionKind, DeviceKind, Limits
from devices.readings import Fix, FixSource, Stamp, order_key

RULE = place_probability.RULE
EXCLUSION, CURFEW = ConditionKind.EXCLUSION_ZONE, ConditionKind.CURFEW
RESTRICTION = ConditionKind.RESTRICTION_ZONE
# From OUTSIDE to INSIDE in four minutes: the edge is crossed after three of them.
WALK_IN = [*fixes(0, 6), fix(10, INSIDE), *fixes(11, 20, INSIDE)]
WALK_OUT = [*fixes(0, 6, INSIDE), fix(10, OUTSIDE), *fixes(11, 20)]
# Metres in a degree at the builders' square, which is some 670 m by 1,110 m.
EAST_M, NORTH_M = 66_830.0, 111_290.0


def judged(term, readings):
    """Every finding of the rule over the readings, the newest of each episode."""
    state, found = RULE.initial(term, DeviceKind.LOCATION_TAG, START), {}
    for reading in sorted(readings, key=order_key):
        if isinstance(reading, Fix):
            state, findings = RULE.step(state, reading, term)
            found.update((each.key, each) for each in findings)
    return list(found.values())


def spans(found):
    return [
        (minute(each.started_at), None if each.ended_at is None else minute(each.ended_at))
        for each in found
    ]


def near(expected):
    """Crossings are found to within a couple of seconds."""
    return [
        tuple(None if each is None else pytest.approx(each, abs=0.05) for each in span)
        for span in expected
    ]


def beside(east_m, north_m=0.0):
    """A place so far from the middle of the square's western edge, positive inside."""
    return (-2.895 + east_m / EAST_M, 53.19 + north_m / NORTH_M)


@pytest.mark.parametrize(
    ("kind", "schedule", "readings", "expected"),
    [
        pytest.param(EXCLUSION, None, fixes(0, 20), [], id="stays away from the zone"),
        pytest.param(EXCLUSION, None, WALK_IN, [(9, None)], id="walks into the zone"),
        pytest.param(
            EXCLUSION, None, [*WALK_IN, fix(24, OUTSIDE)], [(9, 21)], id="in and out again"
        ),
        pytest.param(
            EXCLUSION,
            None,
            [fix(0, OUTSIDE), fix(4, (-2.87, 53.19))],
            [(1.53, 2.47)],
            id="drives through between two fixes",
        ),
        pytest.param(
            EXCLUSION, None, [fix(0, INSIDE)], [(0, None)], id="first heard of inside the zone"
        ),
        pytest.param(
            EXCLUSION,
            None,
            [fix(0, (-2.905, 53.195)), fix(2, (-2.885, 53.205)), fix(4, (-2.885, 53.215))],
            [],
            id="passes the corner",
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
            EXCLUSION,
            hours("fri", "12:10", "12:15"),
            fixes(0.5, 20.5, INSIDE),
            [(10, 15)],
            id="the hours begin and end between fixes",
        ),
        pytest.param(
            EXCLUSION,
            hours("fri", "12:09", "12:10") + hours("fri", "12:11", "12:12"),
            [fix(0, INSIDE), fix(8, INSIDE), fix(13, INSIDE), fix(14, INSIDE)],
            [(9, 10), (11, 12)],
            id="two windows between two fixes",
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
        pytest.param(RESTRICTION, None, WALK_OUT, [(7, None)], id="leaves the restriction zone"),
    ],
)
def test_what_a_wearer_does_and_what_is_found(kind, schedule, readings, expected):
    assert spans(judged(condition(kind, schedule=schedule), readings)) == near(expected)


def drift(seed, minutes, middle, sigma_m, lasts_min=10.0, radius_m=None):
    """Fixes of a still tag whose error drifts: a minute apart, honest about their radius."""
    draws, x, y = random.Random(seed), 0.0, 0.0
    keeps = math.exp(-1 / lasts_min)
    found = []
    for n in range(minutes):
        x = keeps * x + math.sqrt(1 - keeps**2) * draws.gauss(0, sigma_m)
        y = keeps * y + math.sqrt(1 - keeps**2) * draws.gauss(0, sigma_m)
        place = beside(middle + x, y)
        found.append(fix(n, place, accuracy_m=radius_m or 2.45 * sigma_m))
    return found


@pytest.mark.parametrize("seed", range(5))
def test_a_night_at_home_thirty_metres_inside_with_drifting_fixes_is_no_breach(seed):
    night = drift(seed, 600, middle=30.0, sigma_m=16.0)
    assert judged(condition(CURFEW), night) == []
    # The point itself is outside now and then, which is what others judge by.
    assert any(each.lon < -2.895 for each in night)


@pytest.mark.parametrize("seed", range(5))
def test_a_night_sixty_metres_beside_an_exclusion_zone_is_no_breach(seed):
    assert judged(condition(EXCLUSION), drift(seed, 600, middle=-60.0, sigma_m=12.0)) == []


def test_one_fix_that_leaps_over_the_street_and_back_is_no_absence():
    home, over_the_street = beside(60.0), beside(-60.0)
    readings = [*fixes(0, 20, home), fix(21, over_the_street), *fixes(22, 40, home)]
    assert judged(condition(CURFEW), readings) == []


def leap(count, gap_min=1.0):
    """Twenty minutes at home beside the zone, then so many fixes well inside it."""
    home, over_the_edge = beside(-80.0), beside(45.0)
    inside = [fix(20 + gap_min * n, over_the_edge, accuracy_m=20.0) for n in range(1, count + 1)]
    return [*[fix(n, home, accuracy_m=20.0) for n in range(21)], *inside]


def test_a_leap_in_doubt_waits_for_one_more_fix_and_is_then_told():
    assert judged(condition(EXCLUSION), leap(1)) == []
    (found,) = judged(condition(EXCLUSION), leap(2))
    assert minute(found.started_at) == pytest.approx(20.6, abs=0.4)


def test_a_leap_in_doubt_that_the_next_fix_denies_is_never_told():
    back = fix(22, beside(-80.0), accuracy_m=20.0)
    assert judged(condition(EXCLUSION), [*leap(1), back]) == []


def dense_leap(count):
    """At home beside the zone, a fix every 15 s; so many well inside it; and home again."""
    home, over_the_edge = beside(-80.0), beside(45.0)
    before = [fix(n / 4, home, accuracy_m=20.0) for n in range(81)]
    inside = [fix(20 + n / 4, over_the_edge, accuracy_m=20.0) for n in range(1, count + 1)]
    after = [fix(20 + (count + n) / 4, home, accuracy_m=20.0) for n in range(1, 9)]
    return before, inside, after


def test_of_fixes_close_together_a_leap_of_two_is_never_told_and_one_of_three_is():
    before, inside, after = dense_leap(2)
    assert judged(condition(EXCLUSION), [*before, *inside, *after]) == []
    before, inside, _ = dense_leap(3)
    (found,) = judged(condition(EXCLUSION), [*before, *inside])
    assert minute(found.started_at) == pytest.approx(20.2, abs=0.3)


def test_nobody_waits_for_a_fix_that_is_not_due_soon():
    assert judged(condition(EXCLUSION), leap(1, gap_min=3.0)) != []


def test_a_leap_in_doubt_after_which_nothing_is_heard_is_told_when_something_is():
    (found,) = judged(condition(EXCLUSION), [*leap(1), fix(60, OUTSIDE)])
    assert found.evidence["probability"] >= found.evidence["threshold"]


def test_a_leap_in_doubt_is_told_when_the_clause_ends():
    term = condition(EXCLUSION)
    state = RULE.initial(term, DeviceKind.LOCATION_TAG, START)
    for each in leap(1):
        state, _ = RULE.step(state, each, term)
    assert RULE.close(state, None, term) == ()
    assert len(RULE.close(state, at(22), term)) == 1


def test_who_is_on_the_way_there_is_told_of_at_once():
    walk = [fix(n, beside(-400.0 + 80.0 * n)) for n in range(6)]
    assert judged(condition(EXCLUSION), walk) != []


def test_who_really_leaves_is_found_with_the_start_set_back():
    walk = [fix(21 + n, beside(400.0 - 80.0 * n)) for n in range(12)]
    (found,) = judged(condition(CURFEW), [*fixes(0, 20, beside(400.0)), *walk])
    assert minute(found.started_at) == pytest.approx(26, abs=0.5)
    assert found.evidence["probability"] > 0.99


@pytest.mark.parametrize(
    ("gap_min", "expected"),
    [
        pytest.param(10, [(0, None)], id="ten minutes are still one breach"),
        pytest.param(10.01, [(0, 5), (15.01, None)], id="a longer gap is unknown and ends it"),
    ],
)
def test_a_gap_in_coverage(gap_min, expected):
    readings = [*fixes(0, 5, INSIDE), *fixes(5 + gap_min, 25 + gap_min, INSIDE)]
    assert spans(judged(condition(EXCLUSION), readings)) == expected


def test_a_gap_hides_a_departure_and_a_return_from_a_curfew():
    assert judged(condition(CURFEW), [*fixes(0, 5, INSIDE), *fixes(50, 55, INSIDE)]) == []


@pytest.mark.parametrize(
    ("accuracy_m", "source", "expected"),
    [
        pytest.param(10.0, FixSource.GPS, True, id="a good fix 40 m inside"),
        pytest.param(3_000.0, FixSource.LBS, False, id="a cell of three kilometres"),
        pytest.param(30_000.0, FixSource.LBS, False, id="a fix that says nothing"),
        pytest.param(20.0, FixSource.WIFI, True, id="WiFi"),
        pytest.param(0.0, FixSource.GPS, True, id="a radius of zero is one not stated"),
    ],
)
def test_a_first_fix_inside_is_believed_for_what_it_is_worth(accuracy_m, source, expected):
    lon, lat = beside(40.0)
    one = Fix(Stamp(TAG, START, None, START), lat, lon, accuracy_m, source)
    assert bool(judged(condition(EXCLUSION), [one])) is expected


def test_a_zero_radius_is_believed_less_than_a_stated_one():
    def probability(accuracy_m):
        (found,) = judged(condition(EXCLUSION), [fix(0, beside(15.0), accuracy_m=accuracy_m)])
        return found.evidence["probability"]

    assert probability(0.0) < probability(10.0)


def test_who_is_heard_by_the_beacon_at_home_is_at_home():
    """GPS drifts over the edge indoors; the beacon's short range says where the wearer is."""
    night = []
    for n in range(40):
        by_beacon = n % 4 == 0
        lon, lat = beside(25.0 if by_beacon else -25.0)
        source = FixSource.RF if by_beacon else FixSource.GPS
        night.append(
            Fix(Stamp(TAG, at(n), None, at(n)), lat, lon, 15.0 if by_beacon else 60.0, source)
        )
    assert judged(condition(CURFEW), night) == []
    alone = [each for each in night if each.source is FixSource.RF]
    assert judged(condition(CURFEW), alone) == []


def test_the_threshold_follows_from_the_costs():
    assert threshold(condition(EXCLUSION, exclusion_miss_cost=1.0)) == 0.5
    assert threshold(condition(EXCLUSION, exclusion_miss_cost=9.0)) == pytest.approx(0.1)
    assert threshold(condition(CURFEW, curfew_miss_cost=0.25)) == pytest.approx(0.8)
    assert threshold(condition(RESTRICTION, restriction_miss_cost=3.0)) == 0.25
    assert end_threshold(condition(EXCLUSION)) < threshold(condition(EXCLUSION))


@pytest.mark.parametrize("cost", [0.0, -1.0, math.inf, math.nan])
def test_a_cost_must_be_a_number_above_zero(cost):
    with pytest.raises(ValueError, match="cost of a miss"):
        Limits(exclusion_miss_cost=cost)


def test_a_dearer_miss_is_told_earlier():
    edge = [fix(n, beside(-4.0), accuracy_m=10.0) for n in range(5)]
    assert judged(condition(EXCLUSION, exclusion_miss_cost=1.0), edge) == []
    assert judged(condition(EXCLUSION, exclusion_miss_cost=20.0), edge) != []


def test_a_finding_names_rule_clause_zone_and_evidence():
    term = condition(EXCLUSION, version=3, clause="2(a)(i)")
    (found,) = judged(term, WALK_IN)
    assert (found.condition_id, found.condition_version, found.clause) == (1, 3, "2(a)(i)")
    assert (found.rule, found.rule_version) == (RULE.name, RULE.version)
    assert found.kind is FindingKind.EXCLUSION_BREACH
    evidence = found.evidence
    assert (evidence["zone"], evidence["zone_version"]) == ("Z-1", 1)
    assert evidence["probability"] > 0.99
    assert evidence["threshold"] == pytest.approx(1 / 3.5, abs=1e-4)
    assert evidence["miss_cost_false_alarms"] == 2.5
    assert evidence["fixes_in_breach"] == 11
    assert evidence["longest_gap_s"] == 240
    assert (evidence["error_model"], evidence["belief_model"]) == ("1", "3")
    assert evidence["receiver_model"] == "2"
    assert 0.75 <= evidence["error_factor"] <= 1.25


def test_evidence_shows_the_first_and_the_newest_fixes_and_no_coordinate():
    (found,) = judged(condition(EXCLUSION), [*WALK_IN, *fixes(21, 90, INSIDE)])
    shown = found.evidence["fixes"]
    assert len(shown) == 12
    assert [each["at"] for each in shown] == sorted(each["at"] for each in shown)
    assert shown[0]["at"] == "2026-11-20T12:10:00Z"
    assert shown[-1] == {
        "at": "2026-11-20T13:30:00Z", "probability": 1.0, "edge_m": -334.0, "accuracy_m": 10.0
    }  # fmt: skip
    written = msgspec.json.encode(found).decode()
    assert not [part for part in ("53.1", "2.89", "2.91") if part in written]


def test_a_leap_that_nobody_can_make_is_counted_among_the_evidence():
    leap = fix(21, (-2.0, 53.19))
    (found,) = judged(condition(EXCLUSION), [*fixes(0, 20, INSIDE), leap, fix(22, INSIDE)])
    assert found.evidence["implausible_fixes"] == 2
    assert spans([found]) == [(0, None)]


def test_other_readings_are_not_for_this_rule():
    others = [battery(5, 80), event(8, "locate_now")]
    assert not any(isinstance(each, RULE.reads) for each in others)


def test_a_condition_about_a_place_without_a_zone_is_refused():
    term = msgspec.structs.replace(condition(EXCLUSION), zone=None)
    with pytest.raises(ValueError, match="is about a place and has no zone"):
        judged(term, [fix(0)])


def test_the_clause_ends_where_the_breach_was_last_seen_after_a_gap():
    term = condition(EXCLUSION)
    state = RULE.initial(term, DeviceKind.LOCATION_TAG, START)
    for each in fixes(0, 5, INSIDE):
        state, _ = RULE.step(state, each, term)
    assert spans(RULE.close(state, at(9), term)) == [(0, 9)]
    assert spans(RULE.close(state, at(60), term)) == [(0, 5)]
    assert spans(RULE.close(state, None, term)) == [(0, None)]


def test_a_zone_that_is_drawn_anew_is_judged_by_its_new_outline():
    """The order's zone moves to where the wearer lives: what was at rest is so no longer."""
    state = RULE.initial(condition(EXCLUSION), DeviceKind.LOCATION_TAG, START)
    for each in fixes(0, 5, OUTSIDE):
        state, _ = RULE.step(state, each, condition(EXCLUSION))
    about = msgspec.structs.replace(
        condition(EXCLUSION).zone, shape=shapely.box(-2.915, 53.185, -2.905, 53.195), version=2
    )
    term = msgspec.structs.replace(condition(EXCLUSION), zone=about, version=2)
    assert RULE.calm(state, condition(EXCLUSION)) is not None
    assert RULE.calm(state, term) is None
    state, found = RULE.step(state, fix(6, OUTSIDE), term)
    assert len(found) == 1
    assert state.zone == ("Z-1", 2)


# --- Whole days, drawn ------------------------------------------------------------------------

BOX = shapely.box(-2.896, 53.186, -2.888, 53.191)
YARD = shapely.box(-2.90, 53.184, -2.884, 53.194) - BOX
PLACES = st.tuples(st.floats(-2.905, -2.88), st.floats(53.182, 53.196))
STEPS_S = st.sampled_from([0, 1, 15, 60, 60, 60, 180, 599, 600, 601, 4000])
SOURCES = st.sampled_from([FixSource.GPS, FixSource.GPS, FixSource.WIFI, FixSource.LBS])
RADII_M = st.sampled_from([0.0, 5.0, 10.0, 25.0, 80.0, 900.0, 50_000.0])
SCHEDULES = st.sampled_from([None, hours("fri", "12:05", "12:09") + hours("fri", "12:20", "12:50")])
TERMS = st.builds(
    condition,
    kind=st.sampled_from([EXCLUSION, CURFEW, RESTRICTION]),
    schedule=SCHEDULES,
    shape=st.sampled_from([BOX, YARD]),
)


@st.composite
def days(draw):
    second, lon, lat, found = 0, *draw(PLACES), []
    for step_s, moves, radius_m, source in draw(
        st.lists(st.tuples(STEPS_S, st.booleans(), RADII_M, SOURCES), min_size=1, max_size=30)
    ):
        second += step_s
        if moves:
            lon, lat = draw(PLACES)
        moment = START + timedelta(seconds=second)
        found.append(Fix(Stamp(TAG, moment, None, moment), lat, lon, radius_m, source))
    return sorted(found, key=order_key)


@settings(max_examples=200, deadline=None)
@given(day=days(), term=TERMS, data=st.data())
def test_a_state_that_was_stored_goes_on_bit_for_bit(day, term, data):
    kept = data.draw(st.integers(0, len(day)))
    state = RULE.initial(term, DeviceKind.LOCATION_TAG, START)
    for each in day[:kept]:
        state, _ = RULE.step(state, each, term)
    stored = msgspec.json.encode(msgspec.to_builtins(state))
    read = msgspec.convert(msgspec.json.decode(stored), RULE.state_type, strict=False)
    assert read == state
    for each in day[kept:]:
        state, findings = RULE.step(state, each, term)
        read, again = RULE.step(read, each, term)
        assert (read, again) == (state, findings)


@settings(max_examples=200, deadline=None)
@given(day=days(), term=TERMS)
def test_a_repeated_reading_changes_nothing(day, term):
    def outline(readings):
        return [(each.key, each.ended_at) for each in judged(term, readings)]

    once = [each for n, each in enumerate(day) if each not in day[:n]]
    assert outline([*once, *once]) == outline(once)


def test_a_breach_that_is_likeliest_as_the_hours_end_began_within_them():
    hours = [{"days": ["fri"], "start": "12:05", "end": "12:09"}]
    shape = shapely.box(-2.896, 53.186, -2.888, 53.191)
    near = (-2.890625, 53.1875)
    vague = [fix(n, near, accuracy_m=900.0) for n in (0, 9 + 59 / 60)]
    (found,) = judged(condition(EXCLUSION, schedule=hours, shape=shape), vague)
    assert (found.started_at, found.ended_at) == (at(9) - timedelta(seconds=1), at(9))


def test_a_fix_counts_as_seen_in_breach_only_where_that_is_likelier_than_not():
    # Through the zone between two fixes, neither of which shows it; then on foot, seen inside once.
    passed = judged(condition(EXCLUSION), [fix(0, OUTSIDE), fix(4, (-2.87, 53.19))])
    seen = judged(condition(EXCLUSION), [*fixes(0, 6), fix(10, INSIDE), fix(14), fix(18)])
    assert [each.evidence["fixes_in_breach"] for each in (*passed, *seen)] == [0, 1]


@settings(max_examples=200, deadline=None)
@given(day=days(), term=TERMS)
def test_episodes_lie_in_the_hours_in_order_and_state_a_probability(day, term):
    ended_at = None
    for each in judged(term, day):
        assert 0 <= each.evidence["probability"] <= 1
        assert all(0 <= shown["probability"] <= 1 for shown in each.evidence["fixes"])
        assert ended_at is None or each.started_at >= ended_at
        end = each.ended_at or day[-1].stamp.measured_at
        assert each.started_at <= end
        if term.zone.schedule is not None:
            (window,) = term.zone.schedule.intervals(
                each.started_at,
                each.started_at + (max(end - each.started_at, timedelta(microseconds=1))),
            )
            assert window.start == each.started_at
            assert window.end >= end
        ended_at = each.ended_at
