"""Alcohol above the condition's threshold: the plain rule, one sample after the other."""

import msgspec
import pytest
from builders import battery, condition, event, fitting, fix, sample, spans
from fakes import BatchJudge

from alerts.finding import FindingKind, Severity
from alerts.judge import States, judge
from alerts.rules import sobriety
from alerts.terms import ConditionKind, DeviceKind

ABSTINENCE = ConditionKind.ALCOHOL_ABSTINENCE


def every_half_hour(*levels, first=0):
    return [sample(first + 30 * n, level) for n, level in enumerate(levels)]


def run(readings, **terms):
    terms = {"kind": ABSTINENCE, "severity": Severity.HIGH, **terms}
    worn = fitting(condition(**terms), device_kind=DeviceKind.ALCOHOL_MONITOR)
    return judge(worn, States(), readings).findings


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        pytest.param(every_half_hour(0, 0.001, 0.019999), [], id="below the threshold all evening"),
        pytest.param(every_half_hour(0.02), [(0, None)], id="at the threshold counts"),
        pytest.param(every_half_hour(0, 0.03, 0.05, 0.04), [(30, None)], id="drinks and goes on"),
        pytest.param(
            every_half_hour(0, 0.03, 0.05, 0.01, 0), [(30, 90)], id="sober by the third hour"
        ),
        pytest.param(
            every_half_hour(0.03, 0, 0.03, 0), [(0, 30), (60, 90)], id="twice in one evening"
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
            id="sober after a gap: over when last seen, not when next heard",
        ),
        pytest.param(every_half_hour(-0.01, -0.05), [], id="a sensor below its zero"),
    ],
)
def test_an_evening_and_what_is_found(readings, expected):
    assert spans(run(readings), FindingKind.ALCOHOL_THRESHOLD) == expected


def test_an_order_may_set_its_own_level():
    readings = every_half_hour(0.05, 0.09, 0.05)
    found = run(readings, kind=ConditionKind.ALCOHOL_LEVEL, tac_g_dl=0.08)
    assert spans(found, FindingKind.ALCOHOL_THRESHOLD) == [(30, 60)]


def test_the_finding_is_known_at_the_first_sample_and_its_peak_grows():
    worn = fitting(condition(ABSTINENCE), device_kind=DeviceKind.ALCOHOL_MONITOR)
    seen, peaks = BatchJudge(worn), []
    for reading in every_half_hour(0, 0.03, 0.07, 0.04):
        peaks += [each.evidence["peak_tac_g_dl"] for each in seen.take([reading]).values()]
    assert peaks == [0.03, 0.07, 0.07]


def test_a_finding_names_rule_clause_and_evidence():
    (found,) = run(every_half_hour(0, 0.03, 0.05, 0.01), clause="7", version=2).values()
    assert (found.clause, found.condition_version, found.severity) == ("7", 2, Severity.HIGH)
    assert (found.rule, found.rule_version) == (sobriety.RULE.name, sobriety.RULE.version)
    assert found.evidence == {
        "threshold_g_dl": 0.02,
        "peak_tac_g_dl": 0.05,
        "samples_at_threshold": 2,
    }


def test_nothing_is_ever_said_of_being_sober():
    evidence = [run(every_half_hour(0.03, 0.0)), run(every_half_hour(0.0, 0.0))]
    assert "sober" not in msgspec.json.encode([list(each.values()) for each in evidence]).decode()
    assert evidence[1] == {}


def test_a_new_episode_counts_its_own_samples_and_peak():
    found = run([*every_half_hour(0.09, 0.09, 0.0), *every_half_hour(0.03, first=90)])
    latest = max(found.values(), key=lambda each: each.started_at)
    assert (latest.evidence["peak_tac_g_dl"], latest.evidence["samples_at_threshold"]) == (0.03, 1)


def test_other_readings_between_change_nothing():
    evening = every_half_hour(0, 0.03, 0.05, 0.01)
    assert run([*evening, battery(40, 5), event(50), fix(60)]) == run(evening)


def test_alcohol_is_judged_on_whichever_device_measures_it():
    worn = fitting(condition(ABSTINENCE), device_kind=DeviceKind.LOCATION_TAG)
    assert len(judge(worn, States(), [sample(0, 0.05)]).findings) == 1


def test_a_condition_of_another_kind_says_nothing_of_alcohol():
    assert run(every_half_hour(0.3), kind=ConditionKind.TAG_CARE) == {}
