"""Every move from every state: each is either allowed with its target or refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.lifecycle import AlertState, Move, Outcome, after

OPEN, ACKNOWLEDGED, RESOLVED = AlertState.OPEN, AlertState.ACKNOWLEDGED, AlertState.RESOLVED
# The whole model, written out: None is a refusal.
MODEL = {
    (OPEN, Move.ACKNOWLEDGE): ACKNOWLEDGED,
    (OPEN, Move.EXPIRE): None,
    (OPEN, Move.NOTE): OPEN,
    (OPEN, Move.RESOLVE): RESOLVED,
    (OPEN, Move.REOPEN): None,
    (ACKNOWLEDGED, Move.ACKNOWLEDGE): None,
    (ACKNOWLEDGED, Move.EXPIRE): OPEN,
    (ACKNOWLEDGED, Move.NOTE): ACKNOWLEDGED,
    (ACKNOWLEDGED, Move.RESOLVE): RESOLVED,
    (ACKNOWLEDGED, Move.REOPEN): None,
    (RESOLVED, Move.ACKNOWLEDGE): None,
    (RESOLVED, Move.EXPIRE): None,
    (RESOLVED, Move.NOTE): RESOLVED,
    (RESOLVED, Move.RESOLVE): None,
    (RESOLVED, Move.REOPEN): OPEN,
}


def test_the_model_is_whole():
    assert set(MODEL) == {(state, move) for state in AlertState for move in Move}


@pytest.mark.parametrize(
    ("state", "move", "target"),
    [
        pytest.param(state, move, target, id=f"{state.value}, {move.value}")
        for (state, move), target in MODEL.items()
    ],
)
def test_a_move(state, move, target):
    assert after(state, move) is target


@given(moves=st.lists(st.sampled_from(Move)))
def test_only_reopening_brings_a_resolved_alert_back(moves):
    state = OPEN
    for move in moves:
        before, state = state, after(state, move) or state
        if before is RESOLVED and state is not RESOLVED:
            assert move is Move.REOPEN
        if state is ACKNOWLEDGED and before is not ACKNOWLEDGED:
            assert (before, move) == (OPEN, Move.ACKNOWLEDGE)


@given(moves=st.lists(st.sampled_from(Move)))
def test_an_alert_can_always_be_resolved_in_the_end(moves):
    state = OPEN
    for move in moves:
        state = after(state, move) or state
    assert state is RESOLVED or after(state, Move.RESOLVE) is RESOLVED


def test_somebody_still_has_to_act_until_it_is_resolved():
    assert [state for state in AlertState if state.live] == [OPEN, ACKNOWLEDGED]


def test_outcomes_are_readable_and_only_other_needs_words():
    assert [each.label for each in Outcome if each.needs_text] == ["Other"]
    assert Outcome.REASONABLE_EXCUSE.label == "Reasonable excuse"
