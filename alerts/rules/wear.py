"""Strap and case tamper, from the device's own paired events.

A cut strap and an opened case are told at once. An event of the strap itself may have a grace
(``strap_grace_s``, 0 unless the order says otherwise): an end within it leaves nothing.
"""

from datetime import datetime, timedelta

import msgspec

from alerts.finding import Finding, FindingKind
from alerts.rules.calm import EVERYWHERE, Calm
from alerts.rules.rule import NONE, Findings, Rule
from alerts.terms import Condition, ConditionKind, DeviceKind
from devices.readings import AlcoholSample, BatteryLevel, DeviceEvent, EventState, Fix, Reading

TAMPER_CODES = frozenset({"strap_tamper", "strap_cut", "case_open"})
# What may have been touched by accident, and so has a grace.
_WITH_GRACE = "strap_tamper"


class WearState(msgspec.Struct, frozen=True, omit_defaults=True):
    """Open tampers, code to the time each began; ``waiting`` are those still in their grace."""

    open: dict[str, datetime] = {}
    waiting: tuple[str, ...] = ()


def _initial(_condition: Condition, _device: DeviceKind, _armed_at: datetime) -> WearState:
    return WearState()


def _grace(code: str, condition: Condition) -> timedelta:
    seconds = condition.limits.strap_grace_s if code == _WITH_GRACE else 0
    return timedelta(seconds=seconds)


def _finding(
    condition: Condition, code: str, started_at: datetime, ended_at: datetime | None
) -> Finding:
    return RULE.finding(
        condition,
        FindingKind.STRAP_TAMPER,
        condition.severity,
        started_at,
        ended_at,
        event_code=code,
    )


def _step(state: WearState, reading: Reading, condition: Condition) -> tuple[WearState, Findings]:
    at = reading.stamp.measured_at
    due = _due(state, at, condition)
    found = tuple(_finding(condition, code, state.open[code], None) for code in due)
    if due:
        left = tuple(code for code in state.waiting if code not in due)
        state = WearState(state.open, left)
    if not isinstance(reading, DeviceEvent) or reading.code not in TAMPER_CODES:
        return state, found
    state, of_event = _event(state, reading, condition)
    return state, (*found, *of_event)


def _event(
    state: WearState, reading: DeviceEvent, condition: Condition
) -> tuple[WearState, Findings]:
    code, at = reading.code, reading.stamp.measured_at
    since = state.open.get(code)
    if reading.state is EventState.END:
        if since is None:
            return state, NONE
        rest = {other: start for other, start in state.open.items() if other != code}
        waiting = tuple(other for other in state.waiting if other != code)
        found = () if code in state.waiting else (_finding(condition, code, since, at),)
        return WearState(rest, waiting), found
    if since is not None:
        return state, NONE
    # An event without a state is taken as a start: silence about its end is not proof of one.
    opened = {**state.open, code: at}
    if _grace(code, condition) > timedelta():
        return WearState(opened, (*state.waiting, code)), NONE
    return WearState(opened, state.waiting), (_finding(condition, code, at, None),)


def _due(state: WearState, at: datetime, condition: Condition) -> list[str]:
    """Tampers whose grace is over at this time."""
    return [code for code in state.waiting if at - state.open[code] >= _grace(code, condition)]


def _tick(state: WearState, now: datetime, condition: Condition) -> Findings:
    due = _due(state, now, condition)
    return tuple(_finding(condition, code, state.open[code], None) for code in due)


def _check_after(state: WearState, condition: Condition) -> datetime | None:
    times = (state.open[code] + _grace(code, condition) for code in state.waiting)
    return min(times, default=None)


def _calm(state: WearState, condition: Condition) -> Calm | None:
    """Anywhere, until a grace is over."""
    if not state.waiting:
        return EVERYWHERE
    return msgspec.structs.replace(EVERYWHERE, until=_check_after(state, condition))


def _close(state: WearState, at: datetime | None, condition: Condition) -> Findings:
    due = [] if at is None else _due(state, at, condition)
    return tuple(
        _finding(condition, code, start, at)
        for code, start in state.open.items()
        if code not in state.waiting or code in due
    )


RULE = Rule(
    name="wear.tamper",
    version="2",
    applies_to=frozenset({ConditionKind.TAG_CARE}),
    reads=(Fix, AlcoholSample, DeviceEvent, BatteryLevel),
    state_type=WearState,
    initial=_initial,
    step=_step,
    close=_close,
    tick=_tick,
    check_after=_check_after,
    calm=_calm,
    waits=False,
)
