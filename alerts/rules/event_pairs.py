"""What the tag itself concluded: pairs of start and end events, each with its grace.

A start without an end within the grace is a finding, once. An end in time leaves nothing; one
that comes later ends the finding and withdraws nothing. Kinds run beside each other. The tag's own
zone and curfew events stand beside our judgement of the fixes: where the fixes say where the
wearer was, that is said in the evidence, and the place rule is the one that is told of.
"""

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from alerts.finding import Finding, Severity
from alerts.rules.calm import EVERYWHERE, Calm
from alerts.rules.event_vocabulary import ENDS, STARTS, Pair
from alerts.rules.rule import Findings, Rule
from alerts.terms import Condition, ConditionKind, DeviceKind
from devices.readings import AlcoholSample, BatteryLevel, DeviceEvent, Fix, Reading

# Which pairs a condition is about; the strap has its own rule, which any device's events reach.
OF_CONDITION: dict[ConditionKind, tuple[Pair, ...]] = {
    ConditionKind.TAG_CARE: (Pair.BATTERY, Pair.BASE_STATION),
    ConditionKind.CURFEW: (Pair.CURFEW,),
    ConditionKind.EXCLUSION_ZONE: (Pair.ZONE,),
}
Fixes = Literal["none", "agree", "differ"]


class Open(msgspec.Struct, frozen=True, omit_defaults=True):
    """A start that has had no end; ``actual`` once its grace is over.

    ``fixes``: what the newest fix since says of it.
    """

    code: str
    since: datetime
    actual: bool = False
    fixes: Fixes = "none"


class EventPairState(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is open, by the name of the pair."""

    open: dict[str, Open] = {}


def _initial(_condition: Condition, _device: DeviceKind, _armed_at: datetime) -> EventPairState:
    return EventPairState()


def grace(pair: Pair, condition: Condition) -> timedelta:
    """How long an end may take before a start counts."""
    limits = condition.limits
    seconds = {
        Pair.STRAP: limits.strap_grace_s,
        Pair.CURFEW: limits.curfew_event_grace_s,
        Pair.ZONE: limits.zone_event_grace_s,
        Pair.BATTERY: limits.battery_event_grace_s,
        Pair.BASE_STATION: limits.base_station_grace_s,
    }
    return timedelta(seconds=seconds[pair])


def _step(
    state: EventPairState, reading: Reading, condition: Condition
) -> tuple[EventPairState, Findings]:
    at, found = reading.stamp.measured_at, list[Finding]()
    opened = dict(_rest(state, reading, condition).open)
    ending = _role(ENDS, reading, condition)
    for name, each in state.open.items():
        pair = Pair(name)
        due = each.actual or at - each.since >= grace(pair, condition)
        if pair is ending:
            del opened[name]
            found += [_finding(condition, pair, each, at)] if due else []
        elif due and not each.actual:
            opened[name] = msgspec.structs.replace(opened[name], actual=True)
            found.append(_finding(condition, pair, opened[name], None))
    starting = _role(STARTS, reading, condition)
    if starting is not None and starting.value not in opened and isinstance(reading, DeviceEvent):
        at_once = grace(starting, condition) <= timedelta()
        opened[starting.value] = Open(reading.code, at, actual=at_once)
    return EventPairState(opened), tuple(found)


def _role(table: dict[str, Pair], reading: Reading, condition: Condition) -> Pair | None:
    if not isinstance(reading, DeviceEvent):
        return None
    pair = table.get(reading.code)
    return pair if pair in OF_CONDITION[condition.kind] else None


def _rest(state: EventPairState, reading: Reading, condition: Condition) -> EventPairState:
    """Keep what a fix says of what is open; nothing is kept while nothing is."""
    if not state.open or not isinstance(reading, Fix) or condition.zone is None:
        return state
    inside = condition.zone.outline.covers(reading.lon, reading.lat)
    # Inside an exclusion zone the fix agrees, inside the curfew address it does not.
    zone_event = condition.kind is ConditionKind.EXCLUSION_ZONE
    fixes: Fixes = "agree" if inside is zone_event else "differ"
    if all(each.fixes == fixes for each in state.open.values()):
        return state
    replaced = {
        name: msgspec.structs.replace(each, fixes=fixes) for name, each in state.open.items()
    }
    return EventPairState(replaced)


def _finding(condition: Condition, pair: Pair, each: Open, ended_at: datetime | None) -> Finding:
    return RULE.finding(
        condition,
        pair.finding,
        _severity(condition, pair, each),
        each.since,
        ended_at,
        event_code=each.code,
        grace_s=int(grace(pair, condition).total_seconds()),
        fixes=each.fixes,
    )


def _severity(condition: Condition, pair: Pair, each: Open) -> Severity:
    """For the board, unless it is of a place and no fix says anything: then it is all we have."""
    if pair in (Pair.CURFEW, Pair.ZONE) and each.fixes == "none":
        return max(condition.severity, Severity.MEDIUM, key=lambda severity: severity.rank)
    return Severity.LOW


def _pending(state: EventPairState, condition: Condition) -> datetime | None:
    """When the first start that is not yet actual becomes so."""
    times = (
        each.since + grace(Pair(name), condition)
        for name, each in state.open.items()
        if not each.actual
    )
    return min(times, default=None)


def _tick(state: EventPairState, now: datetime, condition: Condition) -> Findings:
    return tuple(
        _finding(condition, Pair(name), each, None)
        for name, each in state.open.items()
        if each.actual or now - each.since >= grace(Pair(name), condition)
    )


def _calm(state: EventPairState, condition: Condition) -> Calm | None:
    """Anywhere, until something that is open becomes actual."""
    due = _pending(state, condition) if state.open else None
    return EVERYWHERE if due is None else msgspec.structs.replace(EVERYWHERE, until=due)


def _close(state: EventPairState, at: datetime | None, condition: Condition) -> Findings:
    return tuple(
        _finding(condition, Pair(name), each, at)
        for name, each in state.open.items()
        if each.actual or (at is not None and at - each.since >= grace(Pair(name), condition))
    )


RULE = Rule(
    name="event.pairs",
    version="1",
    applies_to=frozenset(OF_CONDITION),
    reads=(Fix, AlcoholSample, DeviceEvent, BatteryLevel),
    state_type=EventPairState,
    initial=_initial,
    step=_step,
    close=_close,
    tick=_tick,
    check_after=_pending,
    calm=_calm,
    rest=_rest,
    waits=False,
)
