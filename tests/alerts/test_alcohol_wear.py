"""What infrared and temperature show: covered, taken off, in water, broken; and who is silent."""

from datetime import timedelta
from itertools import pairwise

import pytest
from alcohol_days import every
from builders import at, battery, condition, fitting, minute, sample, spans
from fakes import BatchJudge
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.alcohol.episode import episodes
from alerts.alcohol.outage import outages
from alerts.alcohol.rule_set import STANDARD
from alerts.alcohol.series import Sample
from alerts.alcohol.verdict import Verdict, verdict
from alerts.alcohol.wear import wear_spans
from alerts.alcohol.wear_rules import WEAR_RULES, Stage, WearKind
from alerts.finding import FindingKind, Severity
from alerts.judge import States, judge
from alerts.terms import ConditionKind, DeviceKind
from devices.readings import AlcoholSample, Stamp

SUSPECT, LOST = FindingKind.CONTACT_SUSPECT, FindingKind.CONTACT_LOST
FAULT, MISSED = FindingKind.SENSOR_FAULT, FindingKind.UPLOAD_MISSED


def worn(*changes, warm=33.0, cold=()):
    """A reading each half hour with infrared off its baseline by these shares; level 0."""
    return [
        Sample(at(30 * n), 0.0, 1.5 * (1 + change), 21.0 if n in cold else warm)
        for n, change in enumerate(changes)
    ]


def said(samples):
    return [(each.kind.value, each.stage.value, minute(each.start)) for each in wear_spans(samples)]


STILL = (0.0, 0.005, -0.005)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param([*STILL, *[0.119] * 20], [], id="inside the band all night"),
        pytest.param([*STILL, 0.4, 0.4, 0.4, 0.4, 0.0], [], id="an hour and a half is ordinary"),
        pytest.param([*STILL, *[0.4] * 5, 0.0], [("obstruction", "suspected", 90)],
                     id="two hours are suspect"),
        pytest.param([*STILL, *[-0.3] * 16, 0.0], [("obstruction", "suspected", 90)],
                     id="seven and a half are not confirmed"),
        pytest.param([*STILL, *[-0.3] * 17, 0.0], [("obstruction", "confirmed", 90)],
                     id="eight are"),
        pytest.param([*STILL, 0.3, 0.3, 0.3, 0.0, 0.3, 0.3, 0.3, 0.0], [],
                     id="contact seen in between: two short ones"),
        pytest.param([0.0, 0.0], [], id="no baseline yet"),
    ],
)  # fmt: skip
def test_infrared_out_of_its_band(changes, expected):
    assert said(worn(*changes)) == expected


def test_the_baseline_is_learned_again_in_small_steps():
    slowly = [0.01 * n for n in range(30)]
    assert said(worn(*STILL, *slowly)) == []


def test_without_infrared_nothing_is_said():
    assert wear_spans(every(30, *[0.0] * 20, temp_c=20.0)) == []


@pytest.mark.parametrize(
    ("changes", "cold", "expected"),
    [
        pytest.param([-0.8] * 3, {4}, [("water", "possible", 90)],
                     id="one cold reading is no removal"),
        pytest.param([-0.8] * 3, {4, 5}, [("removal", "suspected", 90)], id="two in a row are"),
        pytest.param([-0.8] * 6, {5, 6, 7, 8}, [("removal", "confirmed", 90)],
                     id="far off and cold for two hours"),
        pytest.param([-0.2] * 6, {5, 6, 7, 8}, [("removal", "suspected", 90)],
                     id="cold, and infrared not far off"),
        pytest.param([0.0] * 8, {3, 4, 5, 6, 7, 8}, [], id="a cold leg with contact kept"),
    ],
)  # fmt: skip
def test_removal_needs_infrared_and_cold(changes, cold, expected):
    assert said(worn(*STILL, *changes, 0.0, cold=cold)) == expected


def test_a_short_change_with_a_step_of_temperature_may_be_water_and_is_no_tamper():
    bath = [*worn(*STILL), Sample(at(90), 0.0, 1.1, 38.5), Sample(at(120), 0.0, 1.5, 34.0)]
    (span,) = wear_spans(bath)
    assert (span.kind, span.stage) == (WearKind.WATER, Stage.POSSIBLE)
    assert not span.kind.is_tamper
    assert not span.blinds


@pytest.mark.parametrize(
    "samples",
    [
        pytest.param(worn(*STILL, *[-1.0] * 20), id="infrared reads nothing"),
        pytest.param(every(30, *[0.03] * 9), id="one level for four hours"),
    ],
)
def test_a_fault_comes_before_blame(samples):
    (span,) = wear_spans(samples)
    assert (span.kind, span.stage) == (WearKind.SENSOR_FAULT, Stage.SUSPECTED)
    assert not span.kind.is_tamper


def test_a_level_that_falls_at_once_as_contact_changes_confirms_sooner():
    before = [Sample(at(30 * n), level, 1.5) for n, level in enumerate((0.0, 0.0, 0.01, 0.06))]
    after = [Sample(at(120 + 30 * n), 0.0, 2.2) for n in range(13)]
    (span,) = wear_spans([*before, *after])
    assert span.stage is Stage.CONFIRMED
    assert span.last - span.start == timedelta(seconds=WEAR_RULES.corroborated_s)


def test_nothing_is_known_across_a_gap():
    split = [*worn(*STILL, *[0.4] * 10), *[
        Sample(each.at + timedelta(hours=8), 0.0, 2.1) for each in worn(*STILL, *[0.4] * 10)[3:]
    ]]  # fmt: skip
    assert [stage for _, stage, _ in said(split)] == ["suspected", "suspected"]


@pytest.mark.parametrize(
    ("levels", "covered", "expected"),
    [
        pytest.param((0, 0, 0, 0.01, 0.06, 0.12), 18, Verdict.UNDETERMINED,
                     id="a run that is cut off by a confirmed obstruction"),
        pytest.param((0, 0, 0, 0.03), 6, Verdict.UNDETERMINED, id="one reading, then covered"),
        pytest.param((0, 0, 0, 0.03), 2, Verdict.NOT_CONFIRMED, id="then an ordinary change"),
    ],
)  # fmt: skip
def test_drinking_under_an_obstruction_is_never_cleared(levels, covered, expected):
    tail = (0.04, 0.03, 0.0) if len(levels) > 4 else (0.0,)
    open_ = [Sample(at(30 * n), level, 1.5) for n, level in enumerate(levels)]
    hidden = [
        Sample(at(30 * (len(levels) + n)), (*tail, *[0.0] * 30)[n], 2.2) for n in range(covered)
    ]
    last = [Sample(at(30 * (len(levels) + covered + n)), 0.0, 1.5) for n in range(3)]
    samples = [*open_, *hidden, *last]
    (episode,) = episodes(samples, STANDARD)
    assert verdict(episode, wear_spans(samples))[0] is expected


def series(*days):
    return [Sample(at(30 * n), 0.0) for day in days for n in range(48 * day, 48 * day + 48)]


def test_a_day_without_readings_is_told_and_others_who_were_silent_too_explain_it():
    gap = STANDARD.max_gap
    alone = outages({"A": series(0, 2), "B": series(0, 1, 2), "C": series(0, 1, 2)}, gap)
    ((mine, cause),) = ((each.device, each.likely_cause) for each in alone)
    assert (mine, cause) == ("A", "this device alone")
    both = outages({"A": series(0, 2), "B": series(0, 2), "C": series(0, 1, 2)}, gap)
    assert {each.device for each in both} == {"A", "B"}
    assert {each.likely_cause for each in both} == {"network: other devices were silent too"}
    (long,) = outages({"A": series(0, 3)}, gap)
    assert (long.stage, both[0].stage) == ("missed_48h", "missed_24h")
    assert long.likely_cause == "this device alone"


# The same under a condition ---------------------------------------------------------------------


def care(**terms):
    terms = {"severity": Severity.HIGH, **terms}
    worn_by = condition(ConditionKind.TAG_CARE, **terms)
    return fitting(worn_by, device_kind=DeviceKind.ALCOHOL_MONITOR)


def readings(samples):
    return [
        AlcoholSample(Stamp("MON-1", each.at, None, each.at), each.tac_g_dl, each.ir_v,
                      each.skin_temp_c)
        for each in samples
    ]  # fmt: skip


def test_suspect_early_for_the_board_and_confirmed_late_for_a_text():
    watched, told = BatchJudge(care()), []
    for reading in readings(worn(*STILL, *[0.5] * 17, 0.0)):
        kinds = {each.kind for each in watched.take([reading]).values()}
        told.append((SUSPECT in kinds, LOST in kinds))
    # The fifth reading out of band, then the seventeenth.
    assert told.index((True, False)) == 3 + 4
    assert told.index((True, True)) == 3 + 16
    assert spans(watched.found, SUSPECT) == spans(watched.found, LOST) == [(90, 600)]
    severity = {each.kind: each.severity for each in watched.found.values()}
    assert severity[SUSPECT] is Severity.LOW
    assert severity[LOST] is Severity.HIGH
    assert {each.evidence["alcohol"] for each in watched.found.values()} == {"undetermined"}


def test_a_failed_sensor_is_a_fault_for_the_board_and_no_tamper():
    found = judge(care(), States(), readings(worn(*STILL, *[-1.0] * 20))).findings
    assert {each.kind for each in found.values() if each.kind in (SUSPECT, LOST)} == set()
    assert spans(found, FAULT) == [(90, None)]


CHANGES = st.sampled_from([0.0, 0.0, 0.01, 0.4, -0.3, -0.8, -1.0])


@settings(max_examples=60, deadline=None)
@given(
    stretches=st.lists(st.tuples(CHANGES, st.integers(1, 20), st.booleans()), max_size=6),
    cuts=st.lists(st.integers(1, 60), max_size=4),
)
def test_what_is_found_does_not_depend_on_when_somebody_looks(stretches, cuts):
    changes = [*STILL, *(change for change, length, _ in stretches for _ in range(length))]
    cold, place = set(), len(STILL)
    for _, length, is_cold in stretches:
        cold |= set(range(place, place + length)) if is_cold else set()
        place += length
    night = readings(worn(*changes, cold=cold))
    whole, pieces = BatchJudge(care()), BatchJudge(care())
    whole.take(night)
    edges = [0, *sorted(cut for cut in cuts if cut < len(night)), len(night)]
    for first, last in pairwise(edges):
        pieces.take(night[first:last])
    ends = {key: each.ended_at for key, each in whole.found.items()}
    assert {key: each.ended_at for key, each in pieces.found.items()} == ends


def test_two_days_without_an_upload_are_critical_and_a_flat_battery_is_named_first():
    watched = BatchJudge(care())
    watched.take([sample(0, 0.0), battery(10, 12)])
    assert spans(watched.tick(at(10 + 48 * 60)), MISSED) == []
    late = watched.tick(at(11 + 48 * 60))
    assert spans(late, MISSED) == [(10, None)]
    (found,) = (each for each in late.values() if each.kind is MISSED)
    assert (found.severity, found.evidence["likely_cause"]) == (Severity.HIGH, "flat battery")
    assert spans(watched.take([sample(50 * 60, 0.0)]), MISSED) == [(10, 50 * 60)]


def test_a_location_tag_has_no_daily_upload_to_miss():
    tag = BatchJudge(fitting(condition(ConditionKind.TAG_CARE)))
    tag.take([battery(0, 80)])
    assert spans(tag.tick(at(60 * 60)), MISSED) == []


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        pytest.param([(0, True), (35, False), (36, False)], [], id="within a day and a half"),
        pytest.param([(0, True), (20, False), (36.1, False)], [(0, None)], id="later than that"),
        pytest.param([(0, True), (36.1, False), (37, True)], [(0, 37 * 60)], id="charged at last"),
        pytest.param([(0, None), (40, None), (90, None)], [], id="a device that cannot tell"),
        pytest.param([(0, False), (36.1, False)], [(0, None)], id="never seen charging"),
    ],
)
def test_charged_each_day(levels, expected):
    found = judge(
        fitting(condition(ConditionKind.TAG_CARE)),
        States(),
        [battery(60 * hour, 80, charging=charging) for hour, charging in levels],
    ).findings
    assert spans(found, FindingKind.NOT_CHARGED) == expected
