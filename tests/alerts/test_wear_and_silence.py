"""The care of the tag: strap and case, battery, and a device that is not heard."""

from datetime import timedelta

import pytest
from builders import (
    START,
    at,
    battery,
    condition,
    event,
    fitting,
    fix,
    fixes,
    sample,
    spans,
)
from fakes import BatchJudge

from alerts.finding import FindingKind, Severity
from alerts.judge import States, judge
from alerts.rules import battery as battery_rule
from alerts.rules import silence, wear
from alerts.terms import ConditionKind, DeviceKind
from devices.readings import EventState

TAG_CARE = ConditionKind.TAG_CARE
TAMPER, SILENCE = FindingKind.STRAP_TAMPER, FindingKind.SILENCE
LOW, CRITICAL = FindingKind.BATTERY_LOW, FindingKind.BATTERY_CRITICAL
BEGINS, ENDS, AT_ONCE = EventState.START, EventState.END, EventState.NONE


def tag(**terms):
    return fitting(condition(TAG_CARE, **terms))


def found_by(kind, readings, **terms):
    return spans(judge(tag(**terms), States(), readings).findings, kind)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        pytest.param([event(5, state=BEGINS)], [(5, None)], id="the strap is cut"),
        pytest.param(
            [event(5, state=BEGINS), event(9, state=ENDS)], [(5, 9)], id="and fastened again"
        ),
        pytest.param(
            [event(5, state=BEGINS), event(7, state=BEGINS), event(9, state=ENDS)],
            [(5, 9)],
            id="told twice: one tamper from the first",
        ),
        pytest.param([event(5, state=ENDS)], [], id="an end without a beginning"),
        pytest.param([event(5, state=AT_ONCE)], [(5, None)], id="an instant: its end is not known"),
        pytest.param(
            [
                event(5, "case_open", BEGINS),
                event(6, "strap_cut", BEGINS),
                event(9, "case_open", ENDS),
            ],
            [(5, 9), (6, None)],
            id="case and strap are two",
        ),
        pytest.param(
            [event(5, "strap_cut", BEGINS), event(9, "strap_tamper", ENDS)],
            [(5, None)],
            id="one code does not end another",
        ),
        pytest.param([event(5, "locate_now", BEGINS)], [], id="an event that is no tamper"),
        pytest.param(
            [event(5, state=BEGINS), event(9, state=ENDS), event(20, state=BEGINS)],
            [(5, 9), (20, None)],
            id="again later",
        ),
    ],
)
def test_strap_and_case(events, expected):
    assert found_by(TAMPER, events) == expected


@pytest.mark.parametrize("code", sorted(wear.TAMPER_CODES))
def test_every_tamper_code_is_found_and_named(code):
    (found,) = judge(tag(clause="9"), States(), [event(5, code)]).findings.values()
    assert (found.kind, found.clause, found.evidence) == (TAMPER, "9", {"event_code": code})
    assert (found.rule, found.rule_version) == (wear.RULE.name, wear.RULE.version)


def test_two_tampers_that_begin_at_once_are_over_when_both_are():
    both = [event(5, "strap_cut"), event(5, "case_open")]
    assert found_by(TAMPER, [*both, event(9, "case_open", ENDS)]) == [(5, None)]
    ends = [event(9, "case_open", ENDS), event(12, "strap_cut", ENDS)]
    assert found_by(TAMPER, [*both, *ends]) == [(5, 12)]


@pytest.mark.parametrize(
    ("levels", "low", "critical"),
    [
        pytest.param([(0, 80), (60, 21)], [], [], id="above a fifth"),
        pytest.param([(0, 21), (60, 20)], [(60, None)], [], id="down to a fifth"),
        pytest.param(
            [(0, 20), (60, 5)], [(0, None)], [(60, None)], id="down to the last 5 percent"
        ),
        pytest.param([(0, 3)], [(0, None)], [(0, None)], id="first heard of almost empty"),
        pytest.param(
            [(0, 20), (60, 21), (120, 19), (180, 29.9)],
            [(0, None)],
            [],
            id="trembles about a fifth: one finding",
        ),
        pytest.param([(0, 4), (60, 30)], [(0, 60)], [(0, 60)], id="30 percent clears both"),
        pytest.param(
            [(0, 15), (60, 90), (120, 15)], [(0, 60), (120, None)], [], id="low, charged, low again"
        ),
    ],
)
def test_battery(levels, low, critical):
    readings = [battery(minute, percent) for minute, percent in levels]
    assert found_by(LOW, readings) == low
    assert found_by(CRITICAL, readings) == critical


def test_the_charger_ends_a_low_battery_at_once():
    readings = [battery(0, 4), battery(10, 6, charging=True), battery(20, 8, charging=True)]
    assert found_by(LOW, readings) == found_by(CRITICAL, readings) == [(0, 10)]


def test_taken_off_the_charger_too_early_it_is_low_again():
    readings = [battery(0, 4), battery(10, 6, charging=True), battery(20, 6, charging=False)]
    assert found_by(LOW, readings) == [(0, 10), (20, None)]
    assert found_by(CRITICAL, readings) == [(0, 10)]


def test_a_low_battery_is_for_the_board_and_a_critical_one_for_a_text():
    found = judge(tag(clause="9"), States(), [battery(0, 4)]).findings.values()
    by_kind = {each.kind: each for each in found}
    assert not by_kind[LOW].severity.texts_an_officer
    assert by_kind[CRITICAL].severity.texts_an_officer
    assert by_kind[LOW].evidence == {"percent": 4, "threshold_percent": 20.0}
    assert by_kind[CRITICAL].evidence == {"percent": 4, "threshold_percent": 5.0}
    assert {(each.rule, each.rule_version, each.clause) for each in found} == {
        (battery_rule.RULE.name, battery_rule.RULE.version, "9")
    }


def test_silence_is_armed_from_the_fitting_not_from_the_first_message():
    watched = BatchJudge(tag())
    assert watched.check_after is None
    watched.take([])
    assert watched.check_after == at(15)
    assert watched.tick(at(15)) == {}
    assert spans(watched.tick(at(15.01)), SILENCE) == [(0, None)]


def test_silence_is_armed_from_the_clause_when_that_begins_later():
    watched = BatchJudge(tag(from_at=at(60)))
    watched.take([])
    assert watched.check_after == at(75)
    assert watched.tick(at(59)) == watched.tick(at(70)) == {}
    assert spans(watched.tick(at(76)), SILENCE) == [(60, None)]


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        pytest.param(fixes(0, 60), [], id="a fix each minute"),
        pytest.param([fix(0), fix(15)], [], id="a quarter of an hour is the most"),
        pytest.param([fix(0), fix(15.01)], [(0, 15.01)], id="longer is silence, over when heard"),
        pytest.param([fix(0), battery(14, 80), event(28), fix(42)], [], id="any reading counts"),
        pytest.param([fix(0), fix(40), fix(80)], [(0, 40), (40, 80)], id="two silences"),
    ],
)
def test_silence_between_readings(readings, expected):
    assert found_by(SILENCE, readings) == expected


@pytest.mark.parametrize(
    ("kind", "quiet_for"),
    [
        pytest.param(DeviceKind.LOCATION_TAG, timedelta(minutes=15), id="a tag: 15 minutes"),
        pytest.param(DeviceKind.ALCOHOL_MONITOR, timedelta(hours=25), id="a monitor: 25 hours"),
    ],
)
def test_each_kind_of_device_has_its_own_deadline(kind, quiet_for):
    watched = BatchJudge(fitting(condition(TAG_CARE), device_kind=kind))
    watched.take([sample(0, 0.0)])
    assert watched.check_after == START + quiet_for
    assert watched.tick(START + quiet_for) == {}
    (found,) = watched.tick(START + quiet_for + timedelta(seconds=1)).values()
    assert found.evidence == {"deadline_s": int(quiet_for.total_seconds())}
    assert (found.severity, found.clause) == (Severity.MEDIUM, "4(b)")
    assert (found.rule, found.rule_version) == (silence.RULE.name, silence.RULE.version)


def test_a_clock_that_runs_ahead_buys_no_silence():
    watched = BatchJudge(tag())
    watched.take([fix(10), fix(10 + 12 * 60, late=-12 * 60 + 1)])
    # It claims to be from midnight, and it came at 12:11.
    assert watched.check_after == at(11 + 15)
    assert spans(watched.tick(at(27)), SILENCE) == [(11, None)]


def test_what_was_heard_already_is_not_unheard_by_a_clock_ahead():
    watched = BatchJudge(tag())
    # The second says 12:12 and came at 12:08.
    watched.take([fix(10), fix(12, late=-4)])
    assert watched.check_after == at(10 + 15)


def test_a_reading_sent_late_was_still_measured_in_time():
    buffered = [fix(minute, late=180 - minute) for minute in range(0, 180, 10)]
    assert found_by(SILENCE, buffered) == []


def test_a_tick_changes_no_state():
    watched = BatchJudge(tag())
    watched.take([fix(0)])
    before = watched.states
    for minute in (1, 20, 500):
        watched.tick(at(minute))
        assert watched.states == before


def test_silence_goes_on_in_every_tick_and_ends_with_the_next_reading():
    watched = BatchJudge(tag())
    watched.take([fix(0)])
    keys = {key for minute in (16, 30, 600) for key in watched.tick(at(minute))}
    assert len(keys) == 1
    assert spans(watched.take([fix(601)]), SILENCE) == [(0, 601)]
    assert watched.check_after == at(616)


def test_after_a_silence_is_found_it_need_not_be_looked_for_again():
    watched = BatchJudge(tag())
    watched.take([fix(0)])
    watched.tick(at(16))
    assert watched.check_after is None


def test_an_order_may_set_its_own_deadlines():
    assert found_by(SILENCE, [fix(0), fix(2)], silence_s=60) == [(0, 2)]
    own = {"battery_low_percent": 50, "battery_clear_percent": 60}
    assert found_by(LOW, [battery(0, 40)], **own) == [(0, None)]


@pytest.mark.parametrize(
    "levels",
    [
        pytest.param({"battery_low_percent": 50}, id="low at 50 and clear at 30"),
        pytest.param({"battery_low_percent": 30}, id="low and clear at 30"),
        pytest.param({"battery_critical_percent": 25}, id="critical above low"),
    ],
)
def test_battery_levels_out_of_order_are_refused(levels):
    with pytest.raises(ValueError, match="must rise"):
        condition(TAG_CARE, **levels)
