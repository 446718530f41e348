"""Early warning: who is on the way to a zone to keep out of, and who only lives beside it."""

import random

import msgspec
import pytest
from builders import INSIDE, OUTSIDE, START, at, condition, fitting, fix, fixes, hours, minute
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.finding import FindingKind, Severity
from alerts.judge import States, judge, pairs
from alerts.rules import place_approach
from alerts.terms import ConditionKind, DeviceKind, Limits
from zones.authorised import Authorised
from zones.ring import Ring
from zones.timetable import Dates

RULE, KIND = place_approach.RULE, FindingKind.EXCLUSION_APPROACH
EXCLUSION = ConditionKind.EXCLUSION_ZONE
EAST_M, NORTH_M = 66_830.0, 111_290.0


def beside(east_m, north_m=0.0):
    """A place so far from the middle of the square's western edge, positive inside."""
    return (-2.895 + east_m / EAST_M, 53.19 + north_m / NORTH_M)


def warned(readings, **terms):
    terms.setdefault("approach_s", 600.0)
    term = condition(EXCLUSION, **terms)
    state, found = RULE.initial(term, DeviceKind.LOCATION_TAG, START), {}
    for each in readings:
        state, findings = RULE.step(state, each, term)
        found.update((one.key, one) for one in findings)
    return list(found.values())


def walking(from_m, step_m, count, north_m=0.0):
    return [fix(n, beside(from_m + step_m * n, north_m)) for n in range(count)]


def test_who_walks_straight_at_the_zone_is_warned_of_minutes_before():
    (found,) = warned(walking(-900.0, 80.0, 16))
    assert found.kind is FindingKind.EXCLUSION_APPROACH
    assert found.severity is Severity.LOW
    # The edge is reached after eleven minutes and a quarter.
    assert minute(found.started_at) <= 5
    assert found.ended_at is not None
    assert minute(found.ended_at) == 12


def found_by_the_service(readings, **changed):
    """Warnings of the approach that a tag's fitting finds, the parts of the zone taken together."""
    term = msgspec.structs.replace(condition(EXCLUSION, approach_s=600.0), **changed)
    outcome = judge(fitting(term), States(), readings)
    return [each for each in outcome.findings.values() if each.kind is KIND]


def test_who_comes_to_a_zone_in_which_an_officer_allows_to_be_is_not_warned_of():
    allowed = Authorised("1", Dates(at(-60), at(600)))
    assert found_by_the_service(walking(-900.0, 80.0, 16))
    assert found_by_the_service(walking(-900.0, 80.0, 16), permissions=(allowed,)) == []


def test_the_way_to_a_ring_about_the_zone_is_not_warned_of_beside_the_zone_itself():
    zone = condition(EXCLUSION).zone
    ringed = msgspec.structs.replace(zone, rings=(Ring(300.0, "low"), Ring(1_500.0, "low")))
    plain = found_by_the_service(walking(-3000.0, 80.0, 45))
    assert len(plain) == 1
    assert found_by_the_service(walking(-3000.0, 80.0, 45), zone=ringed) == plain


def test_who_drives_at_it_is_warned_of_further_off_than_who_walks():
    (on_foot,) = warned(walking(-3000.0, 80.0, 45))
    (driving,) = warned(walking(-9000.0, 600.0, 18))
    assert driving.evidence["edge_m"] > 2 * on_foot.evidence["edge_m"]


@pytest.mark.parametrize(
    "readings",
    [
        pytest.param(walking(-200.0, -80.0, 12), id="walks away"),
        pytest.param(
            [fix(n, beside(-600.0, -1500.0 + 80.0 * n)) for n in range(40)], id="walks past"
        ),
        pytest.param([fix(n, beside(-60.0)) for n in range(60)], id="sits next door"),
        pytest.param(fixes(0, 30, INSIDE), id="is inside, which is a breach"),
        pytest.param([fix(0, OUTSIDE)], id="was heard once"),
    ],
)
def test_of_whom_nobody_is_warned(readings):
    assert warned(readings, approach_percent=25.0) == []


def test_a_night_next_door_with_drifting_fixes_warns_of_nothing():
    draws, x, y, night = random.Random(4), 0.0, 0.0, []
    for n in range(600):
        x, y = 0.9 * x + draws.gauss(0, 4), 0.9 * y + draws.gauss(0, 4)
        night.append(fix(n, beside(-80.0 + x, y), accuracy_m=20.0))
    assert warned(night) == []


def test_who_turns_back_ends_the_warning():
    there = walking(-900.0, 80.0, 8)
    back = [fix(8 + n, beside(-340.0 - 80.0 * n)) for n in range(8)]
    (found,) = warned([*there, *back])
    assert found.ended_at is not None
    assert minute(found.ended_at) < 14


def test_a_gap_in_coverage_ends_the_warning_where_it_was_last_seen():
    readings = walking(-900.0, 80.0, 8)
    (found,) = warned([*readings, fix(40, beside(-900.0))])
    assert minute(found.ended_at) == 7


@pytest.mark.parametrize(
    ("schedule", "count"),
    [
        pytest.param(hours("fri", "12:15", "13:00"), 1, id="the hours begin on the way"),
        pytest.param(hours("sat", "12:00", "13:00"), 0, id="on a free day"),
    ],
)
def test_the_hours_of_the_zone_count(schedule, count):
    assert len(warned(walking(-900.0, 80.0, 11), schedule=schedule)) == count


def test_nobody_is_warned_unless_the_order_asks_for_it():
    assert RULE not in [rule for _, rule in pairs(fitting(condition(EXCLUSION)))]
    asked = fitting(condition(EXCLUSION, approach_s=600.0))
    found = judge(asked, States(), walking(-900.0, 80.0, 11)).findings.values()
    assert FindingKind.EXCLUSION_APPROACH in {each.kind for each in found}


def test_the_evidence_says_why_and_holds_no_coordinate():
    (found,) = warned(walking(-900.0, 80.0, 11))
    evidence = found.evidence
    assert evidence["speed_kmh"] == pytest.approx(4.8, abs=0.2)
    assert evidence["eta_s"] <= evidence["within_s"] == 600.0
    assert evidence["probability"] >= evidence["threshold"] == 0.1
    written = msgspec.json.encode(found).decode()
    assert not [part for part in ("53.1", "2.89", "2.90") if part in written]


@pytest.mark.parametrize(
    "limits", [{"approach_s": -1.0}, {"approach_s": 1e6}, {"approach_percent": 0.0}]
)
def test_limits_that_mean_nothing_are_refused(limits):
    with pytest.raises(ValueError, match="approach_"):
        Limits(**limits)


def test_the_clause_ends_the_warning():
    term = condition(EXCLUSION, approach_s=600.0)
    state = RULE.initial(term, DeviceKind.LOCATION_TAG, START)
    for each in walking(-900.0, 80.0, 8):
        state, _ = RULE.step(state, each, term)
    assert [minute(each.ended_at) for each in RULE.close(state, at(9), term)] == [9]
    assert [minute(each.ended_at) for each in RULE.close(state, at(60), term)] == [7]
    assert [each.ended_at for each in RULE.close(state, None, term)] == [None]


@settings(max_examples=60, deadline=None)
@given(
    moves=st.lists(
        st.tuples(st.integers(0, 900), st.floats(-900, 300), st.floats(-500, 500)),
        min_size=1,
        max_size=20,
    ),
    kept=st.integers(0, 20),
)
def test_a_state_that_was_stored_goes_on_bit_for_bit(moves, kept):
    term, second = condition(EXCLUSION, approach_s=300.0), 0
    state = RULE.initial(term, DeviceKind.LOCATION_TAG, START)
    for n, (gap_s, east_m, north_m) in enumerate(moves):
        second += gap_s
        if n == kept:
            stored = msgspec.json.encode(msgspec.to_builtins(state))
            read = msgspec.convert(msgspec.json.decode(stored), RULE.state_type, strict=False)
            assert read == state
            state = read
        state, found = RULE.step(state, fix(second / 60, beside(east_m, north_m)), term)
        assert all(0 < each.evidence["probability"] <= 1 for each in found)
