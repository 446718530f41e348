"""Exclusion zones, curfews and restriction zones, from the wearer's path against the schedule.

Geometric version: straight motion between fixes, the boundary is inside, a leg longer than the
condition's gap is unknown. The whole fix reaches the rule, so that a version that weighs
accuracy takes this one's place without another interface.
"""

import math
from datetime import datetime, timedelta

import msgspec

from alerts.finding import Finding, FindingKind
from alerts.rules.calm import EVERYWHERE, Calm
from alerts.rules.rule import NONE, Findings, Rule
from alerts.terms import Condition, ConditionKind, DeviceKind
from devices.readings import Fix, Reading
from zones import presence
from zones.interval import Interval
from zones.presence import LegResult, Presence, TrackPoint
from zones.zone import Zone

# A breach shorter than this between two fixes is an artefact of arithmetic, not of motion.
SHORTEST = timedelta(milliseconds=1)

KIND = {
    ConditionKind.EXCLUSION_ZONE: FindingKind.EXCLUSION_BREACH,
    ConditionKind.CURFEW: FindingKind.CURFEW_BREACH,
    ConditionKind.RESTRICTION_ZONE: FindingKind.RESTRICTION_BREACH,
}


class PlaceState(msgspec.Struct, frozen=True):
    """Where the path stands, and since when it breaks the condition (None: it does not)."""

    presence: Presence = Presence(None)
    breach_since: datetime | None = None
    last_breach_at: datetime | None = None
    fixes: int = 0
    accuracy_m: float = 0.0


def _initial(_condition: Condition, _device: DeviceKind, _armed_at: datetime) -> PlaceState:
    return PlaceState()


def _step(state: PlaceState, reading: Reading, condition: Condition) -> tuple[PlaceState, Findings]:
    assert isinstance(reading, Fix)
    zone = _zone(condition)
    gap = timedelta(seconds=condition.limits.max_gap_s)
    now_at, leg = presence.step(state.presence, reading, zone, gap)
    state = msgspec.structs.replace(state, presence=now_at)
    if not leg.known:
        # First fix, or the first after a gap: what was open ended where it was last seen.
        found = _end(state, condition, leg.start)
        return _at_point(PlaceState(now_at), found, leg, reading, condition, zone)
    if leg.start == leg.end:
        return _at_point(state, NONE, leg, reading, condition, zone)
    return _along(state, leg, reading, condition, zone)


def _at_point(
    state: PlaceState,
    found: Findings,
    leg: LegResult,
    fix: Fix,
    condition: Condition,
    zone: Zone,
) -> tuple[PlaceState, Findings]:
    """A fix without a path that leads to it: it says where the wearer is, not since when."""
    at = fix.stamp.measured_at
    required = zone.schedule is None or zone.schedule.covers(at)
    if not required or bool(leg.inside) != zone.kind.forbids_inside:
        return PlaceState(state.presence), (*found, *_end(state, condition, at))
    state = _seen(state, at, fix)
    return state, (*found, _finding(state, condition, None))


def _along(
    state: PlaceState, leg: LegResult, fix: Fix, condition: Condition, zone: Zone
) -> tuple[PlaceState, Findings]:
    found: list[Finding] = []
    breaches = _breaches(leg, zone)
    if state.breach_since is not None and not (breaches and breaches[0].start == leg.start):
        found.extend(_end(state, condition, leg.start))
        state = PlaceState(state.presence)
    for stretch in breaches:
        continues = stretch.start == leg.start and state.breach_since is not None
        if not continues:
            state = PlaceState(state.presence, breach_since=stretch.start)
        if stretch.end < leg.end:
            found.extend(_end(state, condition, stretch.end))
            state = PlaceState(state.presence)
        else:
            state = _seen(state, leg.end, fix)
            found.append(_finding(state, condition, None))
    return state, tuple(found)


def _breaches(leg: LegResult, zone: Zone) -> tuple[Interval, ...]:
    stretches = zone.forbidden(leg.inside, Interval(leg.start, leg.end))
    return tuple(each for each in stretches if each.end - each.start >= SHORTEST)


def _seen(state: PlaceState, at: datetime, fix: Fix) -> PlaceState:
    return PlaceState(
        presence=state.presence,
        breach_since=state.breach_since or at,
        last_breach_at=at,
        fixes=state.fixes + 1,
        accuracy_m=fix.accuracy_m,
    )


def _end(state: PlaceState, condition: Condition, at: datetime | None) -> Findings:
    return NONE if state.breach_since is None else (_finding(state, condition, at),)


def _finding(state: PlaceState, condition: Condition, ended_at: datetime | None) -> Finding:
    assert state.breach_since is not None
    zone = _zone(condition)
    return RULE.finding(
        condition,
        KIND[condition.kind],
        condition.severity,
        state.breach_since,
        ended_at,
        seen_at=state.last_breach_at,
        zone=zone.zone_id,
        zone_version=zone.version,
        zone_kind=zone.kind.value,
        fixes_in_breach=state.fixes,
        last_accuracy_m=state.accuracy_m,
        max_gap_s=condition.limits.max_gap_s,
    )


def _zone(condition: Condition) -> Zone:
    if condition.zone is None:
        raise ValueError(f"condition {condition.condition_id} is about a place and has no zone")
    return condition.zone


def _close(state: PlaceState, at: datetime | None, condition: Condition) -> Findings:
    """The clause ends: a breach was last seen at the last fix where the gap since is unknown."""
    last = state.presence.last
    gap = timedelta(seconds=condition.limits.max_gap_s)
    if at is not None and last is not None and at - last.at > gap:
        at = last.at
    return _end(state, condition, at)


def _calm(state: PlaceState, condition: Condition) -> Calm | None:
    """Outside the hours anywhere until they begin; in the hours a box on the right side.

    The box depends only on which of a few boxes about the zone the last fix is in, so every fix
    in it leads to the same one.
    """
    last, zone = state.presence.last, _zone(condition)
    if last is None or state.breach_since is not None:
        return None
    counts, until = zone.hours.around(last.at)
    if not counts:
        return msgspec.structs.replace(EVERYWHERE, until=until)
    find = zone.outline.clear_box if zone.kind.forbids_inside else zone.outline.inner_box
    box = find(last.lon, last.lat)
    return None if box is None else Calm(*box, until, math.inf, math.inf)


def _rest(state: PlaceState, reading: Reading, _condition: Condition) -> PlaceState:
    assert isinstance(reading, Fix)
    at = reading.stamp.measured_at
    point = TrackPoint(at, reading.lat, reading.lon, reading.accuracy_m)
    return msgspec.structs.replace(state, presence=Presence(point))


RULE = Rule(
    name="place.geometric",
    version="1",
    applies_to=frozenset(KIND),
    reads=(Fix,),
    state_type=PlaceState,
    initial=_initial,
    step=_step,
    close=_close,
    calm=_calm,
    rest=_rest,
)
