"""From what was found and what is known to what is done: every action, every reason."""

from datetime import timedelta

import msgspec
import pytest
from builders import INSIDE, OUTSIDE, START, at, condition, event, fitting, fix, fixes, sample
from fakes import Register
from hypothesis import given
from hypothesis import strategies as st

from alerts.decide import LATE_AFTER, ONLY_WHILE_IT_LASTS, Action, Decision, Known, Why, decide
from alerts.finding import Finding, FindingKind, Severity
from alerts.terms import ConditionKind
from devices.readings import EventState

EXCLUSION, SILENCE = FindingKind.EXCLUSION_BREACH, FindingKind.SILENCE
UNKNOWN = FindingKind.POSITION_UNKNOWN
NOW = at(60)


def found(start, end=None, kind=EXCLUSION, condition_id=1):
    ended_at = None if end is None else at(end)
    return Finding(
        condition_id, 1, "4(b)", kind, Severity.HIGH, "rule", "1", at(start), ended_at, {}
    )


def known(start, end=None, kind=EXCLUSION, condition_id=1, *, withdrawn=False, episode_id=1):
    ended_at = None if end is None else at(end)
    return Known(episode_id, condition_id, kind, at(start), ended_at, withdrawn)


def decided(findings, episodes=(), *, rerun=False, now=NOW, terms_changed=False):
    decisions = decide(
        findings,
        {each.key: each for each in episodes},
        now,
        rerun=rerun,
        terms_changed=terms_changed,
    )
    return [(each.action, each.why) for each in decisions]


SITUATIONS = [
    pytest.param(
        [found(58, None, FindingKind.EXCUSED_STAY)],
        [],
        False,
        [(Action.RECORD, Why.EXCUSED)],
        id="a stay that an officer has allowed",
    ),
    pytest.param(
        [found(58)], [], False, [(Action.OPEN, Why.NEW_BREACH)], id="a breach that goes on"
    ),
    pytest.param(
        [found(40, 50)],
        [],
        False,
        [(Action.OPEN, Why.NEW_BREACH)],
        id="over for exactly ten minutes: still told as new",
    ),
    pytest.param(
        [found(40, 49.9)],
        [],
        False,
        [(Action.OPEN, Why.NEW_BREACH_LATE_DATA)],
        id="over for longer before we could know",
    ),
    pytest.param(
        [found(-600)],
        [],
        False,
        [(Action.OPEN, Why.NEW_BREACH)],
        id="begun long ago and going on: urgent, not late",
    ),
    pytest.param(
        [found(20, 40, SILENCE)],
        [],
        False,
        [(Action.RECORD, Why.OVER_BEFORE_KNOWN)],
        id="a silence that was over when it became known",
    ),
    pytest.param(
        [found(20, None, SILENCE)], [], False, [(Action.OPEN, Why.NEW_BREACH)], id="a silence"
    ),
    pytest.param(
        [found(58)],
        [known(58)],
        False,
        [(Action.UPDATE, Why.STILL_GOING_ON)],
        id="a breach that is known goes on",
    ),
    pytest.param(
        [found(20, None, UNKNOWN)],
        [],
        False,
        [(Action.OPEN, Why.POSITION_LOST)],
        id="a position that nobody knows is called no breach",
    ),
    pytest.param(
        [found(50, 58, UNKNOWN)],
        [known(50, None, UNKNOWN)],
        False,
        [(Action.END, Why.POSITION_KNOWN_AGAIN)],
        id="nor is a condition called kept that a good fix may show to be broken",
    ),
    pytest.param(
        [msgspec.structs.replace(found(20, None, UNKNOWN), seen_at=at(30))],
        [],
        True,
        [(Action.OPEN, Why.POSITION_LOST_LATE_DATA)],
        id="a position that was not known when last heard, half an hour ago",
    ),
    pytest.param(
        [found(20, 40, UNKNOWN)],
        [],
        False,
        [(Action.RECORD, Why.OVER_BEFORE_KNOWN)],
        id="a position that was not known, and is again",
    ),
    pytest.param(
        [found(50, 58)],
        [known(50)],
        False,
        [(Action.END, Why.CONDITION_KEPT_AGAIN)],
        id="he leaves the zone",
    ),
    pytest.param(
        [found(50, 58)],
        [known(50, 58)],
        False,
        [(Action.NOTHING, Why.NOTHING_NEW)],
        id="found again just as it was",
    ),
    pytest.param(
        [found(50, 59)],
        [known(50, 58)],
        False,
        [(Action.AMEND, Why.CHANGED_BY_LATE_DATA)],
        id="it lasted a minute longer",
    ),
    pytest.param(
        [found(50)],
        [known(50, 58)],
        False,
        [(Action.REOPEN, Why.NOT_OVER_AFTER_ALL)],
        id="it was not over after all",
    ),
    pytest.param(
        [found(50)],
        [known(50, withdrawn=True)],
        True,
        [(Action.REOPEN, Why.NOT_OVER_AFTER_ALL)],
        id="withdrawn, and found again",
    ),
    pytest.param(
        [found(50, 58)],
        [known(50, 58, withdrawn=True)],
        True,
        [(Action.REOPEN, Why.NOT_OVER_AFTER_ALL)],
        id="withdrawn, and found again as it was",
    ),
    pytest.param(
        [],
        [known(50)],
        True,
        [(Action.WITHDRAW, Why.NO_BREACH_IN_LATE_DATA)],
        id="late data shows that there was no breach",
    ),
    pytest.param(
        [],
        [known(50)],
        False,
        [],
        id="without a re-run nothing is withdrawn: the known was not judged again",
    ),
    pytest.param([], [known(50, withdrawn=True)], True, [], id="withdrawn is withdrawn once"),
    pytest.param(
        [found(48, 58)],
        [known(50, 58)],
        True,
        [(Action.AMEND, Why.CHANGED_BY_LATE_DATA)],
        id="late data moves the beginning",
    ),
    pytest.param(
        [found(48)],
        [known(50)],
        True,
        [(Action.AMEND, Why.CHANGED_BY_LATE_DATA)],
        id="late data moves the beginning of one that goes on",
    ),
    pytest.param(
        [found(48)],
        [known(50, 58)],
        True,
        [(Action.REOPEN, Why.NOT_OVER_AFTER_ALL)],
        id="late data moves the beginning and shows that it goes on",
    ),
    pytest.param(
        [found(48, 50)],
        [known(50, 58)],
        True,
        [(Action.AMEND, Why.CHANGED_BY_LATE_DATA)],
        id="it is the same if they only touch",
    ),
    pytest.param(
        [found(30, 40)],
        [known(50, 58)],
        True,
        [
            (Action.OPEN, Why.NEW_BREACH_LATE_DATA),
            (Action.WITHDRAW, Why.NO_BREACH_IN_LATE_DATA),
        ],
        id="one that does not touch it is another",
    ),
    pytest.param(
        [found(48, 58)],
        [known(50, 58)],
        False,
        [(Action.OPEN, Why.NEW_BREACH)],
        id="without a re-run a new beginning is a new breach",
    ),
    pytest.param(
        [found(48, 58, condition_id=2)],
        [known(50, 58)],
        True,
        [(Action.OPEN, Why.NEW_BREACH), (Action.WITHDRAW, Why.NO_BREACH_IN_LATE_DATA)],
        id="another condition's breach is no moved one",
    ),
    pytest.param(
        [found(48, 58, FindingKind.CURFEW_BREACH)],
        [known(50, 58)],
        True,
        [(Action.OPEN, Why.NEW_BREACH), (Action.WITHDRAW, Why.NO_BREACH_IN_LATE_DATA)],
        id="nor is a breach of another kind",
    ),
    pytest.param(
        [found(50, 52), found(55)],
        [known(50)],
        True,
        [(Action.END, Why.CONDITION_KEPT_AGAIN), (Action.OPEN, Why.NEW_BREACH)],
        id="late data cuts one in two",
    ),
    pytest.param(
        [found(49)],
        [known(50, 52), known(55, episode_id=2)],
        True,
        [
            (Action.REOPEN, Why.NOT_OVER_AFTER_ALL),
            (Action.WITHDRAW, Why.NO_BREACH_IN_LATE_DATA),
        ],
        id="late data makes one of two: the first is it",
    ),
    pytest.param(
        [found(50, 58), found(48, 49.5)],
        [known(50, 58)],
        True,
        [(Action.OPEN, Why.NEW_BREACH_LATE_DATA), (Action.NOTHING, Why.NOTHING_NEW)],
        id="an exact match goes before a moved one",
    ),
]


@pytest.mark.parametrize(("findings", "episodes", "rerun", "expected"), SITUATIONS)
def test_a_situation_and_what_is_done(findings, episodes, rerun, expected):
    assert decided(findings, episodes, rerun=rerun) == expected


def test_every_action_and_every_reason_has_its_situation():
    done = [pair for param in SITUATIONS for pair in param.values[3]]
    assert {action for action, _ in done} == set(Action)
    # What overlaps is settled after this, with situations of its own.
    overlaps = {
        Why.TOLD_BY_ANOTHER_ZONE,
        Why.NO_LONGER_TOLD,
        Why.PARTS_CHANGED,
        Why.COVERED,
        Why.NOT_COVERED,
    }
    assert {why for _, why in done} == set(Why) - overlaps - set(UNDER_CHANGED_TERMS.values())


UNDER_CHANGED_TERMS = {
    Why.NEW_BREACH_LATE_DATA: Why.NEW_BREACH_CHANGED_TERMS,
    Why.NOT_OVER_AFTER_ALL: Why.NOT_OVER_UNDER_CHANGED_TERMS,
    Why.CHANGED_BY_LATE_DATA: Why.CHANGED_BY_TERMS,
    Why.NO_BREACH_IN_LATE_DATA: Why.NO_BREACH_UNDER_CHANGED_TERMS,
    Why.POSITION_LOST_LATE_DATA: Why.POSITION_LOST_CHANGED_TERMS,
}


@pytest.mark.parametrize(
    ("findings", "episodes", "rerun", "expected"),
    [param for param in SITUATIONS if param.values[2]],
)
def test_under_changed_terms_the_same_is_done_and_the_reason_says_so(
    findings, episodes, rerun, expected
):
    said = [(action, UNDER_CHANGED_TERMS.get(why, why)) for action, why in expected]
    assert decided(findings, episodes, rerun=rerun, terms_changed=True) == said


@pytest.mark.parametrize("kind", FindingKind)
def test_only_what_matters_while_it_lasts_is_recorded_without_being_told(kind):
    ((action, _),) = decided([found(58, 59, kind)])
    recorded = kind in ONLY_WHILE_IT_LASTS or kind.only_recorded
    assert action is (Action.RECORD if recorded else Action.OPEN)


def test_a_decision_carries_what_it_is_about():
    new, gone, going = found(30, 40), known(50, 58), known(10, episode_id=2)
    decisions = decide(
        [new, found(10)], {each.key: each for each in (gone, going)}, NOW, rerun=True
    )
    assert decisions == [
        Decision(Action.UPDATE, Why.STILL_GOING_ON, found(10), going),
        Decision(Action.OPEN, Why.NEW_BREACH_LATE_DATA, new, None),
        Decision(Action.WITHDRAW, Why.NO_BREACH_IN_LATE_DATA, None, gone),
    ]


def test_the_order_in_which_episodes_are_read_changes_nothing():
    two = [known(50, 52), known(55, 58, episode_id=2)]
    assert decided([found(49, 58)], two, rerun=True) == decided(
        [found(49, 58)], two[::-1], rerun=True
    )
    forwards = decide([found(49, 58)], {each.key: each for each in two}, NOW, rerun=True)
    backwards = decide([found(49, 58)], {each.key: each for each in two[::-1]}, NOW, rerun=True)
    assert forwards == backwards


minutes = st.integers(0, 59)


@st.composite
def stretches(draw, make):
    start = draw(minutes)
    end = draw(st.none() | st.integers(start, 60))
    return make(
        start,
        end,
        kind=draw(st.sampled_from([EXCLUSION, SILENCE])),
        condition_id=draw(st.sampled_from([1, 2])),
    )


@given(
    findings=st.lists(stretches(found), max_size=6, unique_by=lambda each: each.key),
    episodes=st.lists(stretches(known), max_size=6, unique_by=lambda each: each.key),
    rerun=st.booleans(),
)
def test_each_finding_is_decided_once_and_no_episode_is_used_twice(findings, episodes, rerun):
    decisions = decide(findings, {each.key: each for each in episodes}, NOW, rerun=rerun)
    decided_on = [each.finding.key for each in decisions if each.finding is not None]
    assert sorted(decided_on) == sorted(each.key for each in findings)
    used = [each.known.key for each in decisions if each.known is not None]
    assert len(set(used)) == len(used)
    if rerun:
        assert set(used) == {each.key for each in episodes}
    for each in decisions:
        assert (each.known is None) == (each.action in (Action.OPEN, Action.RECORD))
        assert (each.finding is None) == (each.action is Action.WITHDRAW)


@given(findings=st.lists(stretches(found), max_size=6, unique_by=lambda each: each.key))
def test_decided_again_with_the_outcome_in_place_there_is_nothing_new(findings):
    episodes = [
        Known(n, each.condition_id, each.kind, each.started_at, each.ended_at, withdrawn=False)
        for n, each in enumerate(findings)
    ]
    for rerun in (False, True):
        actions = {action for action, _ in decided(findings, episodes, rerun=rerun)}
        assert actions <= {Action.NOTHING, Action.UPDATE}


# --- Decisions over what the rules themselves find, as readings come late ----------------------


def actions(register):
    return [(each.action, each.why) for each in register.decisions]


def test_a_late_fix_shows_that_the_zone_was_never_entered():
    register = Register(fitting(condition(ConditionKind.EXCLUSION_ZONE)))
    # Straight through the square, until the fix between shows the way round it.
    register.receive([fix(0, OUTSIDE), fix(8, (-2.87, 53.19))], NOW)
    register.receive([fix(4, (-2.89, 53.22))], NOW)
    assert actions(register) == [
        (Action.OPEN, Why.NEW_BREACH_LATE_DATA),
        (Action.WITHDRAW, Why.NO_BREACH_IN_LATE_DATA),
    ]
    assert register.standing() == set()


def test_a_late_fix_moves_the_crossing():
    register = Register(fitting(condition(ConditionKind.EXCLUSION_ZONE)))
    register.receive([fix(0, OUTSIDE), fix(8, INSIDE)], at(8))
    register.receive([fix(4, INSIDE)], at(9))
    assert actions(register) == [
        (Action.OPEN, Why.NEW_BREACH),
        (Action.AMEND, Why.CHANGED_BY_LATE_DATA),
    ]
    ((key, ended_at),) = register.standing()
    assert (key[2], ended_at) == (at(3), None)


def test_a_gap_that_late_fixes_fill_was_one_breach_from_the_first():
    register = Register(fitting(condition(ConditionKind.EXCLUSION_ZONE)))
    register.receive(fixes(0, 5, INSIDE), at(5))
    register.receive([fix(40, INSIDE)], at(40))
    register.receive(fixes(6, 39, INSIDE), at(41))
    assert actions(register) == [
        (Action.OPEN, Why.NEW_BREACH),
        (Action.END, Why.CONDITION_KEPT_AGAIN),
        (Action.OPEN, Why.NEW_BREACH),
        (Action.REOPEN, Why.NOT_OVER_AFTER_ALL),
        (Action.WITHDRAW, Why.NO_BREACH_IN_LATE_DATA),
    ]
    assert [(key[2], ended_at) for key, ended_at in register.standing()] == [(START, None)]


def test_an_earlier_tamper_that_comes_late_is_another_one():
    register = Register(fitting(condition(ConditionKind.TAG_CARE)))
    register.receive([event(10)], at(10))
    register.receive([event(5), event(7, state=EventState.END)], at(11))
    standing = {(key[2], ended_at) for key, ended_at in register.standing()}
    assert standing == {(at(5), at(7)), (at(10), None)}
    assert (Action.WITHDRAW, Why.NO_BREACH_IN_LATE_DATA) not in actions(register)


def test_the_evening_uploaded_in_the_morning_is_told_once_as_late():
    register = Register(fitting(condition(ConditionKind.ALCOHOL_ABSTINENCE)))
    evening = [sample(30 * n, level) for n, level in enumerate([0, 0.03, 0.05, 0.01, 0, 0])]
    morning = START + timedelta(hours=14)
    register.receive(evening, morning)
    register.receive(evening, morning)
    assert actions(register)[0] == (Action.OPEN, Why.NEW_BREACH_LATE_DATA)
    assert set(actions(register)[1:]) == {(Action.NOTHING, Why.NOTHING_NEW)}
    assert morning - at(90) > LATE_AFTER
