"""The Ministry's event pairs: its published test conditions, and what fixes say beside them."""

from datetime import timedelta

import pytest
from builders import INSIDE, OUTSIDE, at, battery, condition, event, fitting, fix, fixes, spans
from fakes import BatchJudge

from alerts.finding import FindingKind, Severity
from alerts.judge import States, judge
from alerts.rules import event_pairs
from alerts.rules.event_vocabulary import ENDS, STARTS, Pair
from alerts.terms import ConditionKind
from devices.readings import EventState

K, F = ConditionKind, FindingKind
CARE, CURFEW, ZONE = K.TAG_CARE, K.CURFEW, K.EXCLUSION_ZONE
OF = {
    Pair.CURFEW: (CURFEW, F.CURFEW_EVENT, 10),
    Pair.ZONE: (ZONE, F.ZONE_EVENT, 5),
    Pair.BATTERY: (CARE, F.BATTERY_EVENT, 2),
    Pair.BASE_STATION: (CARE, F.BASE_STATION_MOVED, 2),
}
BEGINS, ENDS_, AT_ONCE = EventState.START, EventState.END, EventState.NONE
STATUS = "EV_PARTIAL_CALLBACK"


def an_end(pair):
    return next(code for code, of in ENDS.items() if of is pair)


def watch(*kinds, **terms):
    conditions = [condition(kind, condition_id=n, **terms) for n, kind in enumerate(kinds)]
    return BatchJudge(fitting(*conditions))


@pytest.mark.parametrize("pair", [Pair.STRAP, *OF], ids=lambda pair: pair.value)
def test_a_status_check_never_alerts(pair):
    kind = OF.get(pair, (CARE,))[0]
    watched = watch(kind)
    watched.take([event(5 * n, STATUS, AT_ONCE) for n in range(60)])
    assert not [each for each in watched.found.values() if each.rule == event_pairs.RULE.name]


@pytest.mark.parametrize("code", sorted(STARTS))
def test_every_start_alerts_once_past_its_threshold(code):
    kind, finding, minutes = OF[STARTS[code]]
    watched = watch(kind)
    watched.take([event(0, code)])
    assert watched.check_after <= at(minutes)
    assert spans(watched.tick(at(minutes - 0.1)), finding) == []
    assert spans(watched.tick(at(minutes)), finding) == [(0, None)]
    watched.take([event(minutes + n, STATUS, AT_ONCE) for n in range(20)])
    assert spans(watched.found, finding) == [(0, None)]


@pytest.mark.parametrize("code", sorted(STARTS))
def test_the_next_reading_past_the_threshold_finds_it_too(code):
    kind, finding, minutes = OF[STARTS[code]]
    for reading in (fix(minutes), battery(minutes, 80), event(minutes, STATUS, AT_ONCE)):
        found = judge(fitting(condition(kind)), States(), [event(0, code), reading]).findings
        assert spans(found, finding) == [(0, None)]


@pytest.mark.parametrize("code", sorted(ENDS))
def test_a_countermand_within_the_threshold_means_no_alert(code):
    pair = ENDS[code]
    kind, finding, minutes = OF[pair]
    start = next(each for each, of in STARTS.items() if of is pair)
    watched = watch(kind)
    watched.take([event(0, start), event(minutes - 0.1, code, ENDS_)])
    assert spans(watched.tick(at(60)), finding) == spans(watched.found, finding) == []


@pytest.mark.parametrize("code", sorted(ENDS))
def test_a_countermand_after_the_threshold_withdraws_nothing(code):
    pair = ENDS[code]
    kind, finding, minutes = OF[pair]
    start = next(each for each, of in STARTS.items() if of is pair)
    watched = watch(kind)
    watched.take([event(0, start), event(minutes + 1, code, ENDS_)])
    assert spans(watched.found, finding) == [(0, minutes + 1)]


def test_several_at_once_behave_independently():
    watched = watch(CARE, CURFEW, ZONE)
    watched.take(
        [
            event(0, "EV_PID_ABSENT"),
            event(1, "EV_PID_BATTERY_LOW"),
            event(2, "EV_EXCLUDED_PID_ARRIVED_DURING_EXCLUSION"),
            event(2.5, "EV_CHARGING_STARTED"),
            event(20, "EV_PID_ARRIVED", ENDS_),
        ]
    )
    assert spans(watched.found, F.CURFEW_EVENT) == [(0, 20)]
    assert spans(watched.found, F.BATTERY_EVENT) == []
    assert spans(watched.found, F.ZONE_EVENT) == [(2, None)]


@pytest.mark.parametrize(
    "code",
    [
        "EV_ZONE_INCLUSION_TU_ABSENT_AT_END_TIME",
        "EV_ZONE_INCLUSION_TU_ARRIVED_AFTER_END_TIME",
        "EV_PID_ARRIVED_AFTER_END",
    ],
)
def test_the_curfew_s_escalations_end_nothing(code):
    watched = watch(CURFEW)
    watched.take([event(0, "EV_PID_ABSENT"), event(5, code), event(30, STATUS, AT_ONCE)])
    assert spans(watched.found, F.CURFEW_EVENT) == [(0, None)]


def test_the_strap_has_the_ministry_s_grace_where_the_order_sets_it():
    def found(*events, grace_s):
        watched = watch(CARE, strap_grace_s=grace_s)
        watched.take(list(events))
        return spans(watched.found, F.STRAP_TAMPER), spans(watched.tick(at(30)), F.STRAP_TAMPER)

    quick = event(0), event(1.9, state=ENDS_)
    slow = event(0), event(2, state=ENDS_)
    assert found(*quick, grace_s=120) == ([], [])
    assert found(*slow, grace_s=120) == ([(0, 2)], [])
    assert found(event(0), grace_s=120) == ([], [(0, None)])
    assert found(event(0), fix(3), grace_s=120)[0] == [(0, None)]
    # At once is our own default, and what is cut is cut.
    assert found(*quick, grace_s=0) == ([(0, 1.9)], [])
    assert found(event(0, "strap_cut"), grace_s=120)[0] == [(0, None)]


def test_an_event_of_a_condition_that_is_not_in_force_is_nothing():
    watched = watch(CARE)
    watched.take([event(0, "EV_PID_ABSENT"), *fixes(1, 30)])
    assert spans(watched.found, F.CURFEW_EVENT) == []


@pytest.mark.parametrize(
    ("kind", "code", "place", "says"),
    [
        pytest.param(ZONE, "EV_EXCLUDED_PID_ARRIVED_DURING_EXCLUSION", INSIDE, "agree",
                     id="in the zone, and the fixes are inside"),
        pytest.param(ZONE, "EV_EXCLUDED_PID_ARRIVED_DURING_EXCLUSION", OUTSIDE, "differ",
                     id="in the zone, and the fixes are elsewhere"),
        pytest.param(CURFEW, "EV_PID_ABSENT", OUTSIDE, "agree", id="away, and the fixes are"),
        pytest.param(CURFEW, "EV_PID_ABSENT", INSIDE, "differ", id="away, and the fixes at home"),
        pytest.param(CURFEW, "EV_PID_ABSENT", None, "none", id="away, and no fix"),
    ],
)  # fmt: skip
def test_the_tag_s_own_conclusion_beside_our_fixes(kind, code, place, says):
    watched = watch(kind)
    watched.take([event(0, code), *([] if place is None else fixes(1, 15, place))])
    watched.tick(at(15))
    (found,) = (each for each in watched.found.values() if each.rule == event_pairs.RULE.name)
    assert found.evidence["fixes"] == says
    # Where fixes say anything the place rule is told of; without any, this is all there is.
    assert found.severity is (Severity.MEDIUM if says == "none" else Severity.LOW)


def test_while_a_grace_runs_intake_may_pass_fixes_by_until_its_end():
    term = condition(ZONE)
    state = event_pairs.RULE.initial(term, fitting(term).device_kind, at(0))
    start = event(0, "EV_EXCLUDED_PID_ARRIVED_DURING_EXCLUSION", BEGINS)
    state, _ = event_pairs.RULE.step(state, start, term)
    calm = event_pairs.RULE.calm(state, term)
    assert calm.until == at(5)
    assert calm.covers(fix(4.9), at(4))
    assert not calm.covers(fix(5), at(4))


def test_no_reading_puts_the_deadline_off():
    watched = watch(CARE)
    outcome = judge(watched.fitting, watched.states, [event(0, "EV_PID_BATTERY_LOW"), fix(1)])
    assert outcome.check_after == outcome.ends_at == at(2)
    assert outcome.quiet_s == timedelta(minutes=15).total_seconds()
