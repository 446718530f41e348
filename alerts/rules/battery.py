"""A battery that is not kept charged: not on the charger for too long, low, then critical."""

from datetime import datetime, timedelta

import msgspec

from alerts.finding import Finding, FindingKind, Severity
from alerts.rules.rule import Findings, Rule
from alerts.terms import Condition, ConditionKind, DeviceKind
from devices.readings import BatteryLevel, Reading

# Low is for the board, critical is worth a text: within the hour the tag may fall silent.
SEVERITY = {FindingKind.BATTERY_LOW: Severity.LOW, FindingKind.BATTERY_CRITICAL: Severity.MEDIUM}


class BatteryState(msgspec.Struct, frozen=True):
    """When each grade began; None while it does not hold.

    ``charged_at``: when the charger was last seen, or the device first said that there was none.
    """

    low_since: datetime | None = None
    critical_since: datetime | None = None
    percent: float = 100.0
    charged_at: datetime | None = None
    overdue: bool = False


def _initial(_condition: Condition, _device: DeviceKind, _armed_at: datetime) -> BatteryState:
    return BatteryState()


def _finding(
    condition: Condition,
    kind: FindingKind,
    since: datetime,
    ended_at: datetime | None,
    percent: float,
) -> Finding:
    limits = condition.limits
    low = kind is FindingKind.BATTERY_LOW
    return RULE.finding(
        condition,
        kind,
        SEVERITY[kind],
        since,
        ended_at,
        percent=percent,
        threshold_percent=limits.battery_low_percent if low else limits.battery_critical_percent,
    )


def _grade(
    since: datetime | None, level: BatteryLevel, threshold: float, clear: float
) -> datetime | None:
    if level.charging or level.percent >= clear:
        return None
    if since is None and level.percent <= threshold:
        return level.stamp.measured_at
    return since


def _step(
    state: BatteryState, reading: Reading, condition: Condition
) -> tuple[BatteryState, Findings]:
    assert isinstance(reading, BatteryLevel)
    limits, at = condition.limits, reading.stamp.measured_at
    clear = limits.battery_clear_percent
    after = BatteryState(
        _grade(state.low_since, reading, limits.battery_low_percent, clear),
        _grade(state.critical_since, reading, limits.battery_critical_percent, clear),
        reading.percent,
        *_charged(state, reading, condition),
    )
    found = []
    if state.overdue and not after.overdue:
        found.append(_not_charged(state, condition, at))
    for kind, before, now in (
        (FindingKind.BATTERY_LOW, state.low_since, after.low_since),
        (FindingKind.BATTERY_CRITICAL, state.critical_since, after.critical_since),
    ):
        if before is not None and now is None:
            found.append(_finding(condition, kind, before, at, reading.percent))
        elif now is not None and before is None:
            found.append(_finding(condition, kind, now, None, reading.percent))
    if after.overdue:
        found.append(_not_charged(after, condition, None))
    return after, tuple(found)


def _charged(
    state: BatteryState, level: BatteryLevel, condition: Condition
) -> tuple[datetime | None, bool]:
    """When the charger was last seen, and whether that is too long ago."""
    at, within = level.stamp.measured_at, timedelta(seconds=condition.limits.charge_within_s)
    if level.charging is None:
        # A device that cannot tell is not blamed for it.
        return state.charged_at, state.overdue
    if level.charging or state.charged_at is None:
        return at, False
    return state.charged_at, at - state.charged_at > within


def _not_charged(state: BatteryState, condition: Condition, ended_at: datetime | None) -> Finding:
    assert state.charged_at is not None
    return RULE.finding(
        condition,
        FindingKind.NOT_CHARGED,
        Severity.LOW,
        state.charged_at,
        ended_at,
        percent=state.percent,
        deadline_s=condition.limits.charge_within_s,
    )


def _close(state: BatteryState, at: datetime | None, condition: Condition) -> Findings:
    grades = (
        (FindingKind.BATTERY_LOW, state.low_since),
        (FindingKind.BATTERY_CRITICAL, state.critical_since),
    )
    found = [
        _finding(condition, kind, since, at, state.percent)
        for kind, since in grades
        if since is not None
    ]
    if state.overdue:
        found.append(_not_charged(state, condition, at))
    return tuple(found)


RULE = Rule(
    name="wear.battery",
    version="2",
    applies_to=frozenset({ConditionKind.TAG_CARE}),
    reads=(BatteryLevel,),
    state_type=BatteryState,
    initial=_initial,
    step=_step,
    close=_close,
)
