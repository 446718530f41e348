"""All rules over one fitting: any cut of the readings and any order of arrival end alike."""

import random
from datetime import timedelta

import msgspec
import pytest
from builders import (
    INSIDE,
    LONG_AGO,
    OUTSIDE,
    START,
    at,
    battery,
    condition,
    event,
    fitting,
    fix,
    fixes,
    hours,
    sample,
    spans,
)
from fakes import BatchJudge, Register, through_json
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.finding import FindingKind, Severity
from alerts.judge import RULES, RuleFailed, States, judge, pairs, state_key, tick
from alerts.terms import ConditionKind, DeviceKind
from devices.readings import EventState, order_key

K = ConditionKind
EXCLUSION, CURFEW = FindingKind.EXCLUSION_BREACH, FindingKind.CURFEW_BREACH
TAMPER, SILENCE = FindingKind.STRAP_TAMPER, FindingKind.SILENCE
ALCOHOL = FindingKind.ALCOHOL_THRESHOLD
MONITOR = DeviceKind.ALCOHOL_MONITOR


def found(worn, readings):
    return judge(worn, States(), readings).findings


# --- When a clause counts ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        pytest.param({}, [(0, None)], id="in force throughout"),
        pytest.param({"from_at": at(5)}, [(5, None)], id="from the first fix in force"),
        pytest.param({"from_at": at(4.5)}, [(5, None)], id="not from before that fix"),
        pytest.param({"until_at": at(5)}, [(0, 5)], id="ends with the clause"),
        pytest.param({"until_at": at(4.5)}, [(0, 4.5)], id="ends with it between two fixes"),
        pytest.param({"from_at": at(3), "until_at": at(6)}, [(3, 6)], id="both"),
        pytest.param({"until_at": at(0)}, [], id="over before the first fix"),
        pytest.param({"from_at": at(11)}, [], id="not yet in force"),
    ],
)
def test_a_breach_lasts_while_the_clause_is_in_force(terms, expected):
    worn = fitting(condition(K.EXCLUSION_ZONE, **terms))
    assert spans(found(worn, fixes(0, 10, INSIDE)), EXCLUSION) == expected


@pytest.mark.parametrize(
    ("removed", "until", "expected"),
    [
        pytest.param(7, None, [(0, 7)], id="the tag comes off"),
        pytest.param(7, 5, [(0, 5)], id="the clause ended before"),
        pytest.param(5, 7, [(0, 5)], id="the clause would have ended later"),
    ],
)
def test_what_is_open_ends_when_the_tag_comes_off(removed, until, expected):
    term = condition(K.EXCLUSION_ZONE, until_at=None if until is None else at(until))
    worn = fitting(term, removed_at=at(removed))
    assert spans(found(worn, fixes(0, 10, INSIDE)), EXCLUSION) == expected


@pytest.mark.parametrize(
    ("kind", "readings", "finding"),
    [
        pytest.param(K.EXCLUSION_ZONE, fixes(0, 55, INSIDE), EXCLUSION, id="exclusion zone"),
        pytest.param(K.CURFEW, fixes(0, 55), CURFEW, id="curfew"),
        pytest.param(
            K.RESTRICTION_ZONE, fixes(0, 55), FindingKind.RESTRICTION_BREACH, id="restriction zone"
        ),
        pytest.param(K.ALCOHOL_ABSTINENCE, [sample(0, 0.1)], ALCOHOL, id="alcohol"),
        pytest.param(K.TAG_CARE, [event(0)], TAMPER, id="tamper"),
        pytest.param(K.TAG_CARE, [battery(0, 10)], FindingKind.BATTERY_LOW, id="low battery"),
        pytest.param(K.TAG_CARE, [battery(0, 3)], FindingKind.BATTERY_CRITICAL, id="critical"),
        pytest.param(K.TAG_CARE, [fix(0)], SILENCE, id="silence"),
    ],
)
def test_a_tick_after_the_end_of_the_clause_ends_what_is_open(kind, readings, finding):
    watched = BatchJudge(fitting(condition(kind, until_at=at(60))))
    watched.take(readings)
    assert watched.check_after <= at(60)
    watched.tick(at(59))
    ended = watched.tick(at(61))
    assert spans(ended, finding) == [(0, 60)]
    assert watched.check_after is None
    # And the first reading after it says the same again, for whoever replays without the tick.
    assert spans(watched.take([fix(62)]), finding) == [(0, 60)]
    assert watched.take([fix(63)]) == {}


@pytest.mark.parametrize(
    ("kind", "readings", "finding", "seen_until"),
    [
        pytest.param(K.EXCLUSION_ZONE, fixes(0, 4, INSIDE), EXCLUSION, 4, id="exclusion zone"),
        pytest.param(K.ALCOHOL_ABSTINENCE, [sample(0, 0.1), sample(4, 0.1)], ALCOHOL, 4, id="gap"),
    ],
)
def test_what_was_last_seen_long_before_the_clause_ended_did_not_last_until_then(
    kind, readings, finding, seen_until
):
    watched = BatchJudge(fitting(condition(kind, until_at=at(300))))
    watched.take(readings)
    assert spans(watched.tick(at(301)), finding) == [(0, seen_until)]


def test_a_reading_from_before_the_end_may_come_after_the_tick_that_ended_the_clause():
    conditions = condition(K.TAG_CARE), condition(K.EXCLUSION_ZONE, condition_id=2)
    worn = fitting(*conditions, fitted_at=LONG_AGO, removed_at=at(30))
    watched = BatchJudge(worn)
    watched.take(fixes(0, 10, INSIDE))
    watched.tick(at(31))
    late = watched.take(fixes(11, 20, INSIDE))
    # Neither a silence since the fitting nor a second breach: the same one, known to have lasted.
    assert spans(late, SILENCE) == []
    assert spans(late, EXCLUSION) == [(0, None)]
    assert watched.check_after == at(30)
    assert spans(watched.tick(at(40)), EXCLUSION) == [(0, 30)]
    assert len([key for key in watched.found if key[1] == EXCLUSION.value]) == 1


def test_a_clause_that_ended_before_anything_was_heard_was_silent_throughout():
    worn = fitting(condition(K.TAG_CARE, until_at=at(120)))
    assert spans(found(worn, [fix(150)]), SILENCE) == [(0, 120)]
    armed = BatchJudge(worn)
    armed.take([])
    assert spans(armed.take([fix(150)]), SILENCE) == [(0, 120)]


def test_nothing_is_judged_by_a_clause_that_ended_before_the_fitting():
    worn = fitting(condition(K.TAG_CARE, until_at=at(-60)))
    assert found(worn, [fix(0), fix(600), event(601), battery(602, 1)]) == {}
    assert tick(worn, States(), at(700)).findings == {}


def test_the_next_look_is_the_earliest_of_silence_end_of_clause_and_removal():
    care = condition(K.TAG_CARE, condition_id=1)
    zone = condition(K.EXCLUSION_ZONE, condition_id=2, until_at=at(9))
    assert judge(fitting(care), States(), [fix(0)]).check_after == at(15)
    assert judge(fitting(care, zone), States(), [fix(0)]).check_after == at(9)
    removed = fitting(care, zone, removed_at=at(5))
    assert judge(removed, States(), [fix(0)]).check_after == at(5)
    assert judge(fitting(condition(K.EXCLUSION_ZONE)), States(), [fix(0)]).check_after is None


# --- Which rule judges what -------------------------------------------------------------------


def test_a_monitor_without_a_receiver_checks_no_place():
    conditions = [condition(kind, condition_id=n) for n, kind in enumerate(ConditionKind)]
    on_monitor = {rule.name for _, rule in pairs(fitting(*conditions, device_kind=MONITOR))}
    on_tag = {rule.name for _, rule in pairs(fitting(*conditions))}
    assert on_tag - on_monitor == {"place.probability", "place.position"}
    assert found(fitting(condition(K.CURFEW), device_kind=MONITOR), fixes(0, 5)) == {}


def test_every_kind_of_condition_has_a_rule_and_every_rule_a_condition():
    # An early warning is for the order to ask for.
    conditions = [
        condition(kind, condition_id=n, approach_s=120.0) for n, kind in enumerate(ConditionKind)
    ]
    judged = [pair for kind in DeviceKind for pair in pairs(fitting(*conditions, device_kind=kind))]
    # The distance to a person is judged from two devices: see alerts.rules.distance.
    assert {term.kind for term, _ in judged} == set(ConditionKind) - {ConditionKind.DISTANCE}
    assert {rule.name for _, rule in judged} == {rule.name for rule in RULES}


def test_no_clause_no_rule():
    everything = [*fixes(0, 60, INSIDE), event(5), battery(6, 1), sample(7, 0.2)]
    assert found(fitting(), everything) == {}


def test_one_reading_may_break_several_clauses_and_each_names_its_own():
    worn = fitting(
        condition(K.EXCLUSION_ZONE, condition_id=1, clause="3(a)", version=2),
        condition(K.EXCLUSION_ZONE, condition_id=2, clause="3(b)", severity=Severity.HIGH),
        condition(K.CURFEW, condition_id=3, clause="5"),
    )
    by_clause = {each.clause: each for each in found(worn, [fix(0, INSIDE)]).values()}
    assert set(by_clause) == {"3(a)", "3(b)"}
    assert (by_clause["3(a)"].condition_id, by_clause["3(a)"].condition_version) == (1, 2)
    assert by_clause["3(b)"].severity is Severity.HIGH


def test_readings_are_judged_in_the_order_of_measurement_however_they_are_given():
    worn = fitting(condition(K.EXCLUSION_ZONE), condition(K.TAG_CARE, condition_id=2))
    readings = [*fixes(0, 10), *fixes(11, 30, INSIDE), event(5), battery(9, 10)]
    expected = judge(worn, States(), readings)
    shuffled = list(readings)
    random.Random(5).shuffle(shuffled)
    assert judge(worn, States(), shuffled) == expected


def test_a_rule_that_fails_says_which_and_where_and_no_finding_is_made():
    broken = msgspec.structs.replace(condition(K.CURFEW, condition_id=31), zone=None)
    with pytest.raises(RuleFailed) as failed:
        found(fitting(broken), [event(0), fix(1)])
    assert str(failed.value) == (
        "rule place.probability failed on condition 31 at 2026-11-20T12:01:00+00:00"
    )
    assert isinstance(failed.value.__cause__, ValueError)


def test_a_new_version_of_a_rule_never_reads_the_state_of_another():
    worn = fitting(condition(K.EXCLUSION_ZONE))
    (term, rule), *_ = pairs(worn)
    assert state_key(term, rule) == f"1/{rule.name}/{rule.version}"
    old = States(at(-1), {f"1/{rule.name}/0": {"of": "another form"}})
    outcome = judge(worn, old, [fix(0, INSIDE)])
    assert spans(outcome.findings, EXCLUSION) == [(0, None)]


# --- Named days -------------------------------------------------------------------------------


def test_a_gap_is_unknown_it_ends_a_breach_and_breaks_no_curfew():
    worn = fitting(condition(K.EXCLUSION_ZONE), condition(K.CURFEW, condition_id=2))
    seen = found(worn, [*fixes(0, 5, INSIDE), *fixes(60, 65, INSIDE)])
    assert spans(seen, EXCLUSION) == [(0, 5), (60, None)]
    assert spans(seen, CURFEW) == []


def test_the_hours_begin_while_somebody_is_already_inside():
    term = condition(K.EXCLUSION_ZONE, schedule=hours("fri", "12:30", "13:30"))
    watched = BatchJudge(fitting(term))
    assert watched.take(fixes(0, 29.9, INSIDE)) == {}
    # No fix, no finding: the path is known only up to the last fix.
    assert watched.tick(at(31)) == {}
    assert spans(watched.take([fix(31, INSIDE)]), EXCLUSION) == [(30, None)]


def test_a_clock_ahead_buys_no_silence_and_hides_no_breach():
    worn = fitting(condition(K.TAG_CARE), condition(K.EXCLUSION_ZONE, condition_id=2))
    ahead = fix(5 * 60, INSIDE, late=-5 * 60 + 1)
    outcome = judge(worn, States(), [fix(0), ahead])
    assert outcome.check_after == at(16)
    assert spans(outcome.findings, EXCLUSION) == [(300, None)]
    assert spans(tick(worn, outcome.states, at(17)).findings, SILENCE) == [(1, None)]


def test_a_quiet_device_is_found_by_the_clock_alone_and_the_rest_goes_on():
    worn = fitting(condition(K.TAG_CARE), condition(K.EXCLUSION_ZONE, condition_id=2))
    watched = BatchJudge(worn)
    watched.take(fixes(0, 5, INSIDE))
    ticked = watched.tick(at(30))
    assert spans(ticked, SILENCE) == [(5, None)]
    assert spans(ticked, EXCLUSION) == [(0, None)]


# --- Whole days, drawn ------------------------------------------------------------------------

PLACES = st.sampled_from([INSIDE, OUTSIDE, (-2.895, 53.19), (-2.90, 53.20), (-2.87, 53.19)])
LATE = st.sampled_from([0, 0, 0, 0.05, 45, -30])
STEPS = st.sampled_from([0, 0.5, 1, 1, 2, 9.5, 10, 10.5, 16, 31, 95])
PAIRED = ["EV_PID_ABSENT", "EV_PID_ARRIVED", "EV_EXCLUDED_PID_ARRIVED_DURING_EXCLUSION",
          "EV_EXCLUDED_PID_DEPARTED_DURING_EXCLUSION", "EV_PID_BATTERY_LOW"]  # fmt: skip
READINGS = st.one_of(
    st.builds(lambda place: lambda m, late: fix(m, place, late=late), PLACES),
    st.sampled_from([0.0, 0.019, 0.02, 0.08]).map(
        lambda tac: lambda m, late: sample(m, tac, late=late)
    ),
    st.builds(
        lambda code, state: lambda m, late: event(m, code, state, late=late),
        st.sampled_from(["strap_tamper", "case_open", "locate_now", *PAIRED]),
        st.sampled_from(EventState),
    ),
    st.builds(
        lambda percent, charging: lambda m, late: battery(m, percent, charging=charging, late=late),
        st.sampled_from([3, 5, 19, 25, 30, 80]),
        st.sampled_from([None, False, True]),
    ),
)


@st.composite
def days(draw):
    """Readings over some hours in order of time, with gaps, ties, repeats and late ones."""
    minute, readings = 0.0, []
    for step, make, late, twice in draw(
        st.lists(st.tuples(STEPS, READINGS, LATE, st.integers(0, 9)), min_size=1, max_size=40)
    ):
        minute += step
        reading = make(minute, late)
        readings += [reading, reading] if twice == 0 else [reading]
    return sorted(readings, key=order_key)


MINUTES = st.none() | st.integers(-30, 400).map(at)
SCHEDULES = st.sampled_from([None, hours("fri", "12:20", "13:00"), hours("fri", "13:00", "14:30")])


@st.composite
def fittings(draw):
    wanted = draw(st.lists(st.sampled_from(ConditionKind), min_size=1, max_size=4))
    conditions = []
    for number, kind in enumerate(wanted, start=1):
        from_at = draw(st.just(LONG_AGO) | st.integers(-30, 200).map(at))
        schedule = draw(SCHEDULES) if kind.needs_zone else None
        until_at = draw(MINUTES)
        conditions.append(
            condition(
                kind, condition_id=number, from_at=from_at, until_at=until_at, schedule=schedule
            )
        )
    return fitting(
        *conditions,
        device_kind=draw(st.sampled_from(DeviceKind)),
        removed_at=draw(st.none() | st.integers(1, 400).map(at)),
    )


@settings(max_examples=200, deadline=None)
@given(worn=fittings(), day=days(), data=st.data())
def test_any_cut_into_batches_finds_what_one_pass_finds(worn, day, data):
    whole = judge(worn, States(), day)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(day)), max_size=6)))
    watched = BatchJudge(worn)
    for begins, ends in zip([0, *cuts], [*cuts, len(day)], strict=True):
        watched.take(day[begins:ends])
    assert watched.found == whole.findings
    assert watched.states == whole.states
    assert watched.check_after == whole.check_after


@settings(max_examples=100, deadline=None)
@given(worn=fittings(), day=days(), data=st.data())
def test_a_replay_from_any_stored_state_ends_in_the_same(worn, day, data):
    whole = judge(worn, States(), day)
    kept = data.draw(st.integers(0, len(day)))
    before = judge(worn, States(), day[:kept])
    for _ in range(2):
        after = judge(worn, through_json(before.states), day[kept:])
        assert before.findings | after.findings == whole.findings
        assert after.states == whole.states


@settings(max_examples=100, deadline=None)
@given(worn=fittings(), day=days())
def test_repeats_change_nothing_but_counts(worn, day):
    once = [reading for n, reading in enumerate(day) if reading not in day[:n]]

    def outline(readings):
        return {key: each.ended_at for key, each in found(worn, readings).items()}

    assert outline(day) == outline(once)


@settings(max_examples=100, deadline=None)
@given(worn=fittings(), day=days())
def test_every_finding_names_rule_version_and_clause_and_lies_within_its_terms(worn, day):
    terms = {each.condition_id: each for each in worn.conditions}
    versions = {rule.name: rule.version for rule in RULES}
    last = day[-1].stamp.measured_at
    outcome = judge(worn, States(), day)
    ticked = tick(worn, outcome.states, last + timedelta(hours=30))
    for each in [*outcome.findings.values(), *ticked.findings.values()]:
        term = terms[each.condition_id]
        assert versions[each.rule] == each.rule_version
        assert (each.clause, each.condition_version) == (term.clause, term.version)
        assert term.from_at <= each.started_at
        assert each.ended_at is None or each.started_at <= each.ended_at
        for end in (term.until_at, worn.removed_at):
            assert end is None or each.started_at < end
            assert end is None or each.ended_at is None or each.ended_at <= end
        assert msgspec.json.decode(msgspec.json.encode(each.evidence)) == each.evidence


@settings(max_examples=100, deadline=None)
@given(worn=fittings(), day=days(), minutes=st.lists(st.integers(0, 900), max_size=4))
def test_ticks_between_batches_change_no_later_judgement(worn, day, minutes):
    """The clock may be asked at any time; what the readings show does not depend on it."""
    ticked, plain = BatchJudge(worn), BatchJudge(worn)
    half = len(day) // 2
    for part in (day[:half], day[half:]):
        assert ticked.take(part) == plain.take(part)
        for minute in minutes:
            ticked.tick(at(minute))


@settings(max_examples=150, deadline=None)
@given(worn=fittings(), day=days(), data=st.data())
def test_the_episodes_depend_on_the_readings_and_not_on_their_order_of_arrival(worn, day, data):
    day = [
        reading
        for n, reading in enumerate(day)
        if worn.worn_at(reading.stamp.measured_at) and reading not in day[:n]
    ]
    if not day:
        return
    arrival = data.draw(st.permutations(day))
    sizes = data.draw(st.lists(st.integers(1, 8), min_size=1))
    register, taken, turn = Register(worn), 0, 0
    while taken < len(arrival):
        size = sizes[turn % len(sizes)]
        register.receive(arrival[taken : taken + size], START + timedelta(days=1))
        taken, turn = taken + size, turn + 1
    whole = judge(worn, States(), day).findings
    assert register.standing() == {(key, each.ended_at) for key, each in whole.items()}
