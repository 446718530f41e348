"""Calm envelopes: what intake may pass by unjudged, and the state that is left."""

import math
from datetime import timedelta

import msgspec
import pytest
from builders import INSIDE, START, TAG, at, condition, fix, fixes, hours
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from alerts.judge import RULES
from alerts.rules import place, place_probability, silence
from alerts.rules.calm import EVERYWHERE, Calm
from alerts.terms import ConditionKind, DeviceKind
from devices.readings import Fix, FixSource, Stamp

K = ConditionKind
ALL = {rule.name: rule for rule in (*RULES, place.RULE, place_probability.RULE)}
# Half the fixes fall about the square of the builders, half within a few of its widths.
LONGITUDES = st.floats(-2.897, -2.883) | st.floats(-2.93, -2.85)
LATITUDES = st.floats(53.183, 53.197) | st.floats(53.16, 53.22)
SCHEDULES = st.sampled_from([None, hours("fri", "12:20", "13:00"), hours("sat", "13:00", "14:30")])
GAPS_S = st.integers(1, 700) | st.sampled_from([0, 599, 600, 601, 899, 900, 901, 5000])
RADII_M = st.sampled_from([0.0, 3.0, 10.0, 10.0, 25.0, 80.0, 400.0, 3_000.0, 50_000.0])


def reading(second, lon, lat, accuracy_m=10.0, source=FixSource.GPS, late_s=2):
    moment = START + timedelta(seconds=second)
    return Fix(
        Stamp(TAG, moment, None, moment + timedelta(seconds=late_s)), lat, lon, accuracy_m, source
    )


@st.composite
def histories(draw):
    second, drawn = 0, []
    lon, lat = draw(LONGITUDES), draw(LATITUDES)
    for gap_s in draw(st.lists(GAPS_S, min_size=1, max_size=12)):
        second += gap_s
        if draw(st.booleans()):
            lon, lat = draw(LONGITUDES), draw(LATITUDES)
        drawn.append(
            reading(
                second,
                lon,
                lat,
                draw(RADII_M),
                draw(st.sampled_from(FixSource)),
                draw(st.sampled_from([0, 2, 2, 3000, -40])),
            )
        )
    return drawn


def within(draw, envelope, last):
    """A fix that the envelope covers, as likely at its edge as in its middle."""
    gap_s = min(envelope.max_gap_s, 4000)
    lon = st.floats(max(envelope.west, -2.95), min(envelope.east, -2.83))
    lat = st.floats(max(envelope.south, 53.14), min(envelope.north, 53.24))
    microseconds = draw(st.integers(1, int(gap_s * 1e6)) | st.just(int(gap_s * 1e6)))
    moment = last + timedelta(microseconds=microseconds)
    return Fix(
        Stamp(TAG, moment, None, moment + timedelta(seconds=draw(st.integers(0, 90)))),
        draw(lat | st.sampled_from([envelope.south, envelope.north])),
        draw(lon | st.sampled_from([envelope.west, envelope.east])),
        draw(st.floats(0, min(envelope.max_accuracy_m, 1000.0))),
        draw(st.sampled_from(sorted(envelope.sources))),
    )


@pytest.mark.parametrize("name", sorted(ALL))
@settings(max_examples=150, deadline=None)
@given(history=histories(), schedule=SCHEDULES, data=st.data())
def test_a_covered_fix_finds_nothing_and_leaves_the_state_at_rest(name, history, schedule, data):
    rule = ALL[name]
    kind = data.draw(st.sampled_from(sorted(rule.applies_to, key=lambda each: each.value)))
    term = condition(kind, schedule=schedule if kind.needs_zone else None)
    state = rule.initial(term, DeviceKind.LOCATION_TAG, START)
    for each in history if Fix in rule.reads else ():
        state, _ = rule.step(state, each, term)
    envelope, last = rule.calm(state, term), history[-1].stamp.measured_at
    for _ in range(4):
        if envelope is None:
            return
        covered = within(data.draw, envelope, last)
        assume(envelope.covers(covered, last))
        rested = rule.rest(state, covered, term)
        if Fix in rule.reads:
            assert rule.step(state, covered, term) == (rested, ())
        after = rule.calm(rested, term)
        assert after is not None
        assert after.contains(envelope)
        state, last = rested, covered.stamp.measured_at
        if data.draw(st.booleans()):
            envelope = after


def envelope_after(rule, term, readings):
    state = rule.initial(term, DeviceKind.LOCATION_TAG, START)
    for each in readings:
        state, _ = rule.step(state, each, term)
    return rule.calm(state, term)


@pytest.mark.parametrize(
    ("kind", "schedule", "readings", "calm"),
    [
        pytest.param(K.EXCLUSION_ZONE, None, fixes(0, 9), True, id="away from an exclusion zone"),
        pytest.param(K.EXCLUSION_ZONE, None, fixes(0, 9, INSIDE), False, id="inside it"),
        pytest.param(K.CURFEW, None, fixes(0, 9, INSIDE), True, id="at home in the curfew"),
        pytest.param(K.CURFEW, None, fixes(0, 9), False, id="away in the curfew"),
        pytest.param(
            K.CURFEW, hours("sat", "19:00", "07:00"), fixes(0, 9), True, id="before the curfew"
        ),
        pytest.param(K.EXCLUSION_ZONE, None, [], False, id="not heard of yet"),
    ],
)
def test_when_the_geometric_rule_is_calm(kind, schedule, readings, calm):
    found = envelope_after(place.RULE, condition(kind, schedule=schedule), readings)
    assert (found is not None) is calm


def test_before_the_hours_the_calm_is_everywhere_until_they_begin():
    term = condition(K.CURFEW, schedule=hours("fri", "12:30", "13:00"))
    found = envelope_after(place.RULE, term, fixes(0, 9))
    assert found == msgspec.structs.replace(EVERYWHERE, until=at(30))
    assert found.covers(fix(29.9, INSIDE), at(9))
    assert not found.covers(fix(30, INSIDE), at(9))


def test_in_the_hours_the_calm_ends_with_them():
    term = condition(K.CURFEW, schedule=hours("fri", "11:30", "13:00"))
    assert envelope_after(place.RULE, term, fixes(0, 9, INSIDE)).until == at(60)


def test_silence_is_calm_within_its_deadline():
    found = envelope_after(silence.RULE, condition(K.TAG_CARE), [fix(0)])
    assert found.covers(fix(15), at(0))
    assert not found.covers(fix(15.01), at(0))


def test_after_a_clock_that_runs_ahead_silence_is_not_calm():
    term = condition(K.TAG_CARE)
    assert envelope_after(silence.RULE, term, [fix(5, late=-2)]) is None
    assert envelope_after(silence.RULE, term, [fix(5, late=-2), fix(6)]) is not None


BOX = Calm(-3.0, 53.0, -2.0, 54.0, at(60), 600.0, 50.0, frozenset({FixSource.GPS}))


@pytest.mark.parametrize(
    ("candidate", "covered"),
    [
        pytest.param(reading(60, -2.5, 53.5), True, id="in the box"),
        pytest.param(reading(60, -3.0, 54.0), True, id="on its corner"),
        pytest.param(reading(60, -3.000001, 53.5), False, id="west of it"),
        pytest.param(reading(60, -2.5, 54.000001), False, id="north of it"),
        pytest.param(reading(600, -2.5, 53.5), True, id="at the largest gap"),
        pytest.param(reading(601, -2.5, 53.5), False, id="after it"),
        pytest.param(reading(0, -2.5, 53.5), False, id="a second fix of one time"),
        pytest.param(reading(60, -2.5, 53.5, 51.0), False, id="less accurate"),
        pytest.param(reading(60, -2.5, 53.5, 9.0, FixSource.LBS), False, id="from the network"),
        pytest.param(reading(60, -2.5, 53.5, late_s=-1), False, id="a clock that runs ahead"),
    ],
)
def test_what_an_envelope_covers(candidate, covered):
    assert BOX.covers(candidate, START) is covered


def test_two_envelopes_meet_in_what_both_cover():
    other = Calm(-2.5, 52.0, -1.0, 53.5, None, 300.0, math.inf)
    both = BOX.meet(other)
    assert both == Calm(-2.5, 53.0, -2.0, 53.5, at(60), 300.0, 50.0, frozenset({FixSource.GPS}))
    assert BOX.contains(both)
    assert other.contains(both)
    assert EVERYWHERE.meet(BOX) == BOX


def test_a_rule_that_reads_fixes_must_say_when_it_is_calm():
    with pytest.raises(ValueError, match="does not say when it is calm"):
        msgspec.structs.replace(place.RULE, calm=ALL["sobriety.episode"].calm)
