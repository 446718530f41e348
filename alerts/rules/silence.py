"""No reading past the deadline: armed from the fitting, not from the first message."""

from datetime import datetime, timedelta

import msgspec

from alerts.finding import Finding, FindingKind, Severity
from alerts.rules.calm import EVERYWHERE, Calm
from alerts.rules.rule import NONE, Findings, Rule
from alerts.terms import Condition, ConditionKind, DeviceKind
from devices.readings import AlcoholSample, BatteryLevel, DeviceEvent, Fix, Reading

SEVERITY = Severity.MEDIUM


class SilenceState(msgspec.Struct, frozen=True):
    """When the device was last heard, by the earlier of its own clock and ours.

    ``ahead``: the newest reading claims a time after that, so its clock runs ahead of ours.
    """

    heard_at: datetime
    device: DeviceKind
    ahead: bool = False


def _initial(_condition: Condition, device: DeviceKind, armed_at: datetime) -> SilenceState:
    return SilenceState(armed_at, device)


def _deadline(state: SilenceState, condition: Condition) -> timedelta:
    limits = condition.limits
    monitor = state.device is DeviceKind.ALCOHOL_MONITOR
    return timedelta(seconds=limits.alcohol_silence_s if monitor else limits.silence_s)


def _finding(state: SilenceState, condition: Condition, ended_at: datetime | None) -> Finding:
    return RULE.finding(
        condition,
        FindingKind.SILENCE,
        SEVERITY,
        state.heard_at,
        ended_at,
        deadline_s=int(_deadline(state, condition).total_seconds()),
    )


def _step(
    state: SilenceState, reading: Reading, condition: Condition
) -> tuple[SilenceState, Findings]:
    after = _heard(state, reading, condition)
    if after.heard_at - state.heard_at <= _deadline(state, condition):
        return after, NONE
    return after, (_finding(state, condition, after.heard_at),)


def _heard(state: SilenceState, reading: Reading, _condition: Condition) -> SilenceState:
    # A clock that runs ahead must not buy silence: our receipt bounds what the device claims.
    measured_at = reading.stamp.measured_at
    heard_at = max(state.heard_at, min(measured_at, reading.stamp.received_at))
    return SilenceState(heard_at, state.device, ahead=measured_at > heard_at)


def _calm(state: SilenceState, condition: Condition) -> Calm | None:
    """Anywhere, as long as the gap keeps the deadline.

    After a clock that runs ahead, the time since the last fix says less than the silence since
    it was heard.
    """
    if state.ahead:
        return None
    deadline_s = _deadline(state, condition).total_seconds()
    return msgspec.structs.replace(EVERYWHERE, max_gap_s=deadline_s)


def _tick(state: SilenceState, now: datetime, condition: Condition) -> Findings:
    if now - state.heard_at <= _deadline(state, condition):
        return NONE
    return (_finding(state, condition, None),)


def _check_after(state: SilenceState, condition: Condition) -> datetime:
    return state.heard_at + _deadline(state, condition)


def _close(state: SilenceState, at: datetime | None, condition: Condition) -> Findings:
    # Whether silence is still going on is a question to the clock: only a tick can answer it.
    if at is None or at - state.heard_at <= _deadline(state, condition):
        return NONE
    return (_finding(state, condition, at),)


RULE = Rule(
    name="wear.silence",
    version="1",
    applies_to=frozenset({ConditionKind.TAG_CARE}),
    reads=(Fix, AlcoholSample, DeviceEvent, BatteryLevel),
    state_type=SilenceState,
    initial=_initial,
    step=_step,
    close=_close,
    tick=_tick,
    check_after=_check_after,
    calm=_calm,
    rest=_heard,
)
