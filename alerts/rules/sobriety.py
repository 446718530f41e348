"""Alcohol above the condition's threshold.

This is the plain threshold: it says that alcohol was measured, never that its wearer was sober.
Episodes with verdicts are judged by their own rule set.
"""

from datetime import datetime, timedelta

import msgspec

from alerts.finding import Finding, FindingKind
from alerts.rules.rule import NONE, Findings, Rule
from alerts.terms import Condition, ConditionKind, DeviceKind
from devices.readings import AlcoholSample, Reading


class SobrietyState(msgspec.Struct, frozen=True):
    """``above_since`` None means the last sample was below the threshold."""

    above_since: datetime | None = None
    last_above_at: datetime | None = None
    peak_tac_g_dl: float = 0.0
    samples: int = 0


def _initial(_condition: Condition, _device: DeviceKind, _armed_at: datetime) -> SobrietyState:
    return SobrietyState()


def _finding(state: SobrietyState, condition: Condition, ended_at: datetime | None) -> Finding:
    assert state.above_since is not None
    return RULE.finding(
        condition,
        FindingKind.ALCOHOL_THRESHOLD,
        condition.severity,
        state.above_since,
        ended_at,
        threshold_g_dl=condition.limits.tac_g_dl,
        peak_tac_g_dl=state.peak_tac_g_dl,
        samples_at_threshold=state.samples,
    )


def _step(
    state: SobrietyState, reading: Reading, condition: Condition
) -> tuple[SobrietyState, Findings]:
    assert isinstance(reading, AlcoholSample)
    at = reading.stamp.measured_at
    found: list[Finding] = []
    gap = timedelta(seconds=condition.limits.alcohol_gap_s)
    if state.last_above_at is not None and at - state.last_above_at > gap:
        # Nothing is known of the time between: the episode is over when it was last seen.
        found.append(_finding(state, condition, state.last_above_at))
        state = SobrietyState()
    if reading.tac_g_dl < condition.limits.tac_g_dl:
        if state.above_since is not None:
            found.append(_finding(state, condition, at))
        return SobrietyState(), tuple(found)
    state = SobrietyState(
        above_since=state.above_since or at,
        last_above_at=at,
        peak_tac_g_dl=max(state.peak_tac_g_dl, reading.tac_g_dl),
        samples=state.samples + 1,
    )
    found.append(_finding(state, condition, None))
    return state, tuple(found)


def _close(state: SobrietyState, at: datetime | None, condition: Condition) -> Findings:
    if state.above_since is None:
        return NONE
    gap = timedelta(seconds=condition.limits.alcohol_gap_s)
    if at is not None and state.last_above_at is not None and at - state.last_above_at > gap:
        at = state.last_above_at
    return (_finding(state, condition, at),)


RULE = Rule(
    name="sobriety.threshold",
    version="1",
    applies_to=frozenset({ConditionKind.ALCOHOL_ABSTINENCE, ConditionKind.ALCOHOL_LEVEL}),
    reads=(AlcoholSample,),
    state_type=SobrietyState,
    initial=_initial,
    step=_step,
    close=_close,
)
