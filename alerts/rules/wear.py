"""Strap and case tamper, from the device's own paired events."""

from datetime import datetime

import msgspec

from alerts.finding import Finding, FindingKind
from alerts.rules.rule import NONE, Findings, Rule
from alerts.terms import Condition, ConditionKind, DeviceKind
from devices.readings import DeviceEvent, EventState, Reading

TAMPER_CODES = frozenset({"strap_tamper", "strap_cut", "case_open"})


class WearState(msgspec.Struct, frozen=True):
    """Open tampers, code to the time each began."""

    open: dict[str, datetime] = {}


def _initial(_condition: Condition, _device: DeviceKind, _armed_at: datetime) -> WearState:
    return WearState()


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
    assert isinstance(reading, DeviceEvent)
    code, at = reading.code, reading.stamp.measured_at
    if code not in TAMPER_CODES:
        return state, NONE
    since = state.open.get(code)
    if reading.state is EventState.END:
        if since is None:
            return state, NONE
        rest = {other: start for other, start in state.open.items() if other != code}
        return WearState(rest), (_finding(condition, code, since, at),)
    if since is not None:
        return state, NONE
    # An event without a state is taken as a start: silence about its end is not proof of one.
    return WearState({**state.open, code: at}), (_finding(condition, code, at, None),)


def _close(state: WearState, at: datetime | None, condition: Condition) -> Findings:
    return tuple(_finding(condition, code, start, at) for code, start in state.open.items())


RULE = Rule(
    name="wear.tamper",
    version="1",
    applies_to=frozenset({ConditionKind.TAG_CARE}),
    reads=(DeviceEvent,),
    state_type=WearState,
    initial=_initial,
    step=_step,
    close=_close,
)
