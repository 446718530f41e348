"""An alcohol monitor whose upload is missed for two days: critical, and what may be behind it."""

from datetime import datetime, timedelta

import msgspec

from alerts.finding import Finding, FindingKind
from alerts.rules.rule import NONE, Findings, Rule
from alerts.terms import Condition, ConditionKind, DeviceKind
from devices.readings import AlcoholSample, BatteryLevel, DeviceEvent, Reading


class UploadState(msgspec.Struct, frozen=True):
    """When the monitor was last heard, by the earlier of both clocks, and its charge then."""

    heard_at: datetime
    device: DeviceKind
    percent: float | None = None


def _initial(_condition: Condition, device: DeviceKind, armed_at: datetime) -> UploadState:
    return UploadState(armed_at, device)


def _deadline(condition: Condition) -> timedelta:
    return timedelta(seconds=condition.limits.upload_critical_s)


def _missed(state: UploadState, until: datetime, condition: Condition) -> bool:
    monitor = state.device is DeviceKind.ALCOHOL_MONITOR
    return monitor and until - state.heard_at > _deadline(condition)


def _finding(state: UploadState, condition: Condition, ended_at: datetime | None) -> Finding:
    # A flat battery comes before blame: at its critical level it lasts an hour, not two days.
    low = condition.limits.battery_low_percent
    flat = state.percent is not None and state.percent <= low
    return RULE.finding(
        condition,
        FindingKind.UPLOAD_MISSED,
        condition.severity,
        state.heard_at,
        ended_at,
        deadline_s=int(_deadline(condition).total_seconds()),
        battery_percent=state.percent,
        likely_cause="flat battery" if flat else "not known",
    )


def _step(
    state: UploadState, reading: Reading, condition: Condition
) -> tuple[UploadState, Findings]:
    stamp = reading.stamp
    # A clock that runs ahead must not buy time: our receipt bounds what the device claims.
    heard_at = max(state.heard_at, min(stamp.measured_at, stamp.received_at))
    percent = reading.percent if isinstance(reading, BatteryLevel) else state.percent
    after = UploadState(heard_at, state.device, percent)
    if not _missed(state, heard_at, condition):
        return after, NONE
    return after, (_finding(state, condition, heard_at),)


def _tick(state: UploadState, now: datetime, condition: Condition) -> Findings:
    return (_finding(state, condition, None),) if _missed(state, now, condition) else NONE


def _check_after(state: UploadState, condition: Condition) -> datetime | None:
    if state.device is not DeviceKind.ALCOHOL_MONITOR:
        return None
    return state.heard_at + _deadline(condition)


def _close(state: UploadState, at: datetime | None, condition: Condition) -> Findings:
    # Whether it is still going on is a question to the clock: only a tick can answer it.
    if at is None or not _missed(state, at, condition):
        return NONE
    return (_finding(state, condition, at),)


RULE = Rule(
    name="wear.upload",
    version="1",
    applies_to=frozenset({ConditionKind.TAG_CARE}),
    reads=(AlcoholSample, DeviceEvent, BatteryLevel),
    state_type=UploadState,
    initial=_initial,
    step=_step,
    close=_close,
    tick=_tick,
    check_after=_check_after,
)
