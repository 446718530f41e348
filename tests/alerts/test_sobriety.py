"""Alcohol under a condition: told early at the threshold, confirmed by the rule set, reading by
reading."""

import random
from datetime import timedelta

import msgspec
import pytest
from alcohol_days import DRINKING, SPILL
from builders import START, at, battery, condition, event, fitting, fix, sample, spans
from fakes import BatchJudge, Register
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.alcohol.episode import episodes
from alerts.alcohol.rule_set import STANDARD
from alerts.alcohol.series import Sample
from alerts.alcohol.verdict import Verdict, verdict
from alerts.finding import FindingKind, Severity
from alerts.judge import States, judge
from alerts.rules import sobriety
from alerts.terms import ConditionKind, DeviceKind

ABSTINENCE = ConditionKind.ALCOHOL_ABSTINENCE
EARLY, CONFIRMED = FindingKind.ALCOHOL_THRESHOLD, FindingKind.ALCOHOL_CONFIRMED


def every_half_hour(*levels, first=0):
    return [sample(first + 30 * n, level) for n, level in enumerate(levels)]


def monitor(**terms):
    terms = {"kind": ABSTINENCE, "severity": Severity.HIGH, **terms}
    return fitting(condition(**terms), device_kind=DeviceKind.ALCOHOL_MONITOR)


def run(readings, **terms):
    return judge(monitor(**terms), States(), readings).findings


def one(found, kind):
    (finding,) = (each for each in found.values() if each.kind is kind)
    return finding


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        pytest.param(every_half_hour(0, 0.001, 0.019999), [], id="below the threshold all evening"),
        pytest.param(every_half_hour(0.02), [(0, None)], id="at the threshold counts"),
        pytest.param(every_half_hour(0, 0.03, 0.05, 0.04), [(30, None)], id="drinks and goes on"),
        pytest.param(
            every_half_hour(0, 0.03, 0.05, 0.01, 0), [(30, None)], id="one baseline ends nothing"
        ),
        pytest.param(
            every_half_hour(0, 0.03, 0.05, 0.01, 0, 0), [(30, 90)], id="two do, since its toe"
        ),
        pytest.param(
            every_half_hour(0.03, 0, 0.03, 0, 0), [(0, 90)], id="a lone baseline is inside"
        ),
        pytest.param(
            every_half_hour(0.03, 0, 0, 0.03, 0, 0), [(0, 30), (90, 120)], id="twice in one evening"
        ),
        pytest.param(
            [sample(0, 0.03), sample(90, 0.03)], [(0, None)], id="90 minutes apart are one episode"
        ),
        pytest.param(
            [sample(0, 0.03), sample(90.01, 0.03)],
            [(0, 0), (90.01, None)],
            id="further apart are two: nothing is known between",
        ),
        pytest.param(
            [sample(0, 0.03), sample(200, 0.0)],
            [(0, 0)],
            id="nothing after a gap: over when last seen, not when next heard",
        ),
        pytest.param(every_half_hour(-0.01, -0.05), [], id="a sensor below its zero"),
    ],
)
def test_an_evening_and_what_is_told_early(readings, expected):
    found = run(readings)
    assert spans(found, EARLY) == expected
    assert spans(found, CONFIRMED) == []


def test_drinking_is_told_at_the_threshold_and_confirmed_by_the_reading_that_completes_the_rule():
    seen, told = BatchJudge(monitor()), []
    for reading in every_half_hour(*DRINKING):
        kinds = {each.kind for each in seen.take([reading]).values()}
        told.append((EARLY in kinds, CONFIRMED in kinds))
    # The first at 0.02 is the fourth; the first below it again the thirteenth.
    assert told.index((True, False)) == 3
    assert told.index((True, True)) == 12
    assert spans(seen.found, EARLY) == spans(seen.found, CONFIRMED) == [(90, 360)]
    evidence = one(seen.found, CONFIRMED).evidence
    assert evidence["confirmed_at"] == at(360).isoformat()
    assert (evidence["verdict"], evidence["rules"]) == ("confirmed", "standard 1")
    assert evidence["probability"] > 0.9


def test_early_is_medium_and_confirmed_is_what_the_condition_says():
    found = run(every_half_hour(*DRINKING), clause="7", version=2)
    early, confirmed = one(found, EARLY), one(found, CONFIRMED)
    assert (early.severity, confirmed.severity) == (Severity.MEDIUM, Severity.HIGH)
    assert early.severity.texts_an_officer
    for each in (early, confirmed):
        assert (each.clause, each.condition_version) == ("7", 2)
        assert (each.rule, each.rule_version) == (sobriety.RULE.name, sobriety.RULE.version)


@pytest.mark.parametrize(
    ("set_to", "early"),
    [
        (Severity.CRITICAL, Severity.MEDIUM),
        (Severity.MEDIUM, Severity.MEDIUM),
        (Severity.LOW, Severity.LOW),
    ],
)
def test_early_is_never_more_urgent_than_the_condition(set_to, early):
    assert one(run(every_half_hour(0.03), severity=set_to), EARLY).severity is early


def test_a_spill_is_told_and_never_confirmed():
    found = run(every_half_hour(*SPILL, 0))
    assert spans(found, CONFIRMED) == []
    evidence = one(found, EARLY).evidence
    assert evidence["verdict"] == "not_confirmed"
    assert evidence["probability"] < 0.2


def test_what_was_confirmed_stays_confirmed_when_something_is_spilt_later():
    spoiled = (*DRINKING[:-3], 0.3, 0.02, 0.006, 0, 0)
    found = run(every_half_hour(*spoiled))
    assert spans(found, CONFIRMED)
    assert one(found, CONFIRMED).evidence["verdict"] == "review"


def test_drinking_under_an_obstruction_is_undetermined():
    blocked = [
        msgspec.structs.replace(sample(30 * n, level), ir_v=ir_v)
        for n, (level, ir_v) in enumerate(
            [(0.0, 1.5)] * 4 + [(0.01, 1.5), (0.03, 1.5)] + [(0.0, 2.2)] * 20
        )
    ]
    evidence = one(run(blocked), EARLY).evidence
    assert evidence["verdict"] == "undetermined"
    assert spans(run(blocked), CONFIRMED) == []


def test_an_order_may_set_its_own_level():
    readings = every_half_hour(0.05, 0.09, 0.05, 0, 0)
    found = run(readings, kind=ConditionKind.ALCOHOL_LEVEL, tac_g_dl=0.08)
    assert spans(found, EARLY) == [(30, 60)]
    assert one(found, EARLY).evidence["threshold_g_dl"] == 0.08
    with pytest.raises(ValueError, match="above 0 g/dl"):
        condition(ABSTINENCE, tac_g_dl=0)


def test_the_finding_is_known_at_the_first_sample_and_its_peak_grows():
    seen, peaks = BatchJudge(monitor()), []
    for reading in every_half_hour(0, 0.03, 0.07, 0.04):
        peaks += [each.evidence["peak_tac_g_dl"] for each in seen.take([reading]).values()]
    assert peaks == [0.03, 0.07, 0.07]


def test_nothing_is_ever_said_of_being_sober():
    evidence = [run(every_half_hour(0.03, 0.0)), run(every_half_hour(0.0, 0.0))]
    assert "sober" not in msgspec.json.encode([list(each.values()) for each in evidence]).decode()
    assert evidence[1] == {}


def test_a_new_episode_counts_its_own_samples_and_peak():
    found = run([*every_half_hour(0.09, 0.09, 0.0, 0.0), *every_half_hour(0.03, first=120)])
    latest = max(found.values(), key=lambda each: each.started_at)
    assert (latest.evidence["peak_tac_g_dl"], latest.evidence["samples_at_threshold"]) == (0.03, 1)


def test_other_readings_between_change_nothing():
    evening = every_half_hour(0, 0.03, 0.05, 0.01)
    assert run([*evening, battery(40, 5), event(50), fix(60)]) == run(evening)


def test_alcohol_is_judged_on_whichever_device_measures_it():
    worn = fitting(condition(ABSTINENCE), device_kind=DeviceKind.LOCATION_TAG)
    assert len(judge(worn, States(), [sample(0, 0.05)]).findings) == 1


def test_a_condition_of_another_kind_says_nothing_of_alcohol():
    assert spans(run(every_half_hour(0.3), kind=ConditionKind.TAG_CARE), EARLY) == []


def test_a_sensor_stuck_for_weeks_keeps_a_state_of_bounded_size():
    stuck = BatchJudge(monitor())
    stuck.take([sample(5 * n, 0.006 + 0.001 * (n % 3)) for n in range(3_000)])
    (kept,) = stuck.states.by_rule.values()
    assert len(kept["samples"]) <= sobriety.MOST_READINGS


LEVELS = st.sampled_from([0.0, 0.0, 0.004, 0.006, 0.019, 0.02, 0.03, 0.05, 0.2])
STEPS = st.sampled_from([5, 30, 30, 30, 35, 90, 91, 240])


@st.composite
def days(draw):
    """A day of readings; drinking and spills in it or not, gaps and quick readings in it or not."""
    minute, readings = 0, []
    pieces = st.sampled_from([DRINKING, SPILL]) | st.lists(LEVELS, min_size=1, max_size=12)
    for piece in draw(st.lists(pieces, min_size=1, max_size=3)):
        step = draw(st.booleans())
        for level in piece:
            minute += 30 if step else draw(STEPS)
            readings.append(sample(minute, level))
    return readings


@settings(max_examples=60, deadline=None)
@given(readings=days(), seed=st.integers(0, 99), data=st.data())
def test_a_day_in_any_order_cut_anywhere_and_repeated_ends_alike(readings, seed, data):
    whole = Register(monitor())
    whole.receive(readings, START + timedelta(days=3))
    mixed = list(readings)
    random.Random(seed).shuffle(mixed)
    mixed += mixed[: data.draw(st.integers(0, 5))]
    cut = sorted(data.draw(st.lists(st.integers(1, len(mixed)), max_size=3)))
    parts = [mixed[a:b] for a, b in zip([0, *cut], [*cut, len(mixed)], strict=True)]
    pieces = Register(monitor())
    for part in parts:
        if part:
            pieces.receive(part, START + timedelta(days=3))
    assert pieces.standing() == whole.standing()


@settings(max_examples=60, deadline=None)
@given(readings=days())
def test_the_service_and_the_command_judge_alike(readings):
    found = run(readings)
    samples = [Sample(each.stamp.measured_at, each.tac_g_dl) for each in readings]
    judged = episodes(samples, STANDARD)
    early = {each.started_at: each for each in found.values() if each.kind is EARLY}
    assert sorted(early) == [each.first_at_threshold for each in judged]
    confirmed = {each.started_at for each in found.values() if each.kind is CONFIRMED}
    for episode in judged:
        said = verdict(episode)[0]
        evidence = early[episode.first_at_threshold].evidence
        assert evidence["verdict"] == said.value
        assert evidence["variants"] == {k: v.value for k, v in episode.variants.items()}
        if said is Verdict.CONFIRMED:
            assert episode.first_at_threshold in confirmed
