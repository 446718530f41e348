"""Of zones that overlap: which finding is told, and what never hides what."""

import pytest
from builders import at

from alerts.decide import Action, Decision, Why
from alerts.finding import Finding, FindingKind, Severity
from alerts.overlap import of_finding, settle, stay_of, tells

UNKNOWN = FindingKind.POSITION_UNKNOWN
OUT, IN = FindingKind.EXCLUSION_BREACH, FindingKind.CURFEW_BREACH
COUNTY = FindingKind.RESTRICTION_BREACH


def found(
    area_m2,
    *,
    kind=OUT,
    severity=Severity.HIGH,
    priority=0,
    start=0.0,
    end=None,
):
    evidence = {"priority": priority, "area_m2": area_m2}
    ended_at = None if end is None else at(end)
    return Finding(1, 1, "4(b)", kind, severity, "rule", "1", at(start), ended_at, evidence)


def enough(other: Finding, one: Finding) -> bool:
    return tells(of_finding(other), of_finding(one))


@pytest.mark.parametrize(
    ("other", "one", "expected"),
    [
        pytest.param(found(10), found(99), True, id="the tighter of two to keep out of"),
        pytest.param(found(99), found(10), False, id="the wider does not hide the tighter"),
        pytest.param(found(99, kind=COUNTY), found(10, kind=IN), True,
                     id="of two to stay in, the larger: who has left it has left both"),
        pytest.param(found(10, kind=IN), found(99, kind=COUNTY), False, id="and not the smaller"),
        pytest.param(found(99, priority=1), found(10), True, id="priority goes before size"),
        pytest.param(found(10, severity=Severity.MEDIUM), found(99), False,
                     id="what is less urgent hides nothing"),
        pytest.param(found(10, priority=9, severity=Severity.LOW), found(99), False,
                     id="not even with a higher priority"),
        pytest.param(found(10), found(99, kind=IN), False, id="to keep out and to stay in differ"),
        pytest.param(found(10, end=5), found(99), False, id="what is over, of what goes on"),
        pytest.param(found(10, end=5), found(99, start=6, end=9), False, id="at another time"),
        pytest.param(found(10), found(10), False, id="of two alike neither"),
        pytest.param(found(10), found(99, kind=FindingKind.EARLY_WARNING_1,
                                      severity=Severity.LOW), True, id="a breach and its ring"),
        pytest.param(found(99, kind=UNKNOWN), found(10, kind=UNKNOWN, severity=Severity.MEDIUM),
                     True, id="where somebody is, is one question: the most urgent is told"),
        pytest.param(found(10, kind=UNKNOWN, severity=Severity.MEDIUM), found(99, kind=UNKNOWN),
                     False, id="and not the less urgent"),
        pytest.param(found(10, kind=UNKNOWN), found(99, kind=UNKNOWN), True,
                     id="of two as urgent the tighter"),
        pytest.param(found(10, kind=UNKNOWN), found(99), False, id="it hides no breach"),
        pytest.param(found(10), found(99, kind=UNKNOWN), False, id="nor does a breach hide it"),
    ],
)  # fmt: skip
def test_whether_one_alert_is_enough(other, one, expected):
    assert enough(other, one) is expected


def test_a_finding_about_no_zone_is_told_by_nothing():
    assert stay_of(FindingKind.SILENCE, Severity.HIGH, at(0), None, {}) is None
    assert stay_of(OUT, Severity.HIGH, at(0), None, {"zone": "Z-1"}) is None


def opening(finding: Finding) -> Decision:
    return Decision(Action.OPEN, Why.NEW_BREACH, finding, None)


def test_decisions_keep_their_order_and_only_openings_are_changed():
    silence = Finding(
        2, 1, "4(b)", FindingKind.SILENCE, Severity.HIGH, "rule", "1", at(0), None, {}
    )
    decisions = [opening(found(99)), opening(silence), opening(found(10))]
    settled = settle(decisions, [])
    assert [each.finding for each in settled] == [each.finding for each in decisions]
    assert [(each.action, each.why) for each in settled] == [
        (Action.RECORD, Why.TOLD_BY_ANOTHER_ZONE),
        (Action.OPEN, Why.NEW_BREACH),
        (Action.OPEN, Why.NEW_BREACH),
    ]


def test_what_was_told_before_counts():
    told = of_finding(found(10))
    [settled] = settle([opening(found(99, start=5))], [told])
    assert settled.why is Why.TOLD_BY_ANOTHER_ZONE


def test_what_opens_and_is_held_back_by_a_silence_tells_of_nothing():
    tight, wide = found(10), found(99)
    settled = settle([opening(wide), opening(tight)], [], lambda each: each is tight)
    assert [each.action for each in settled] == [Action.OPEN, Action.OPEN]
    settled = settle([opening(wide), opening(tight)], [], lambda each: each is wide)
    assert [each.action for each in settled] == [Action.RECORD, Action.OPEN]
