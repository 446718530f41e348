"""No position that can tell: a device goes on sending, and nobody knows where its wearer is.

A technical finding, and no breach: the device is not silent, no breach begins with fixes that are
too vague for the zone (:mod:`alerts.rules.place_doubt`), and none would be seen if it came. It
begins where it was last known, or where the hours of the zone begin, and ends with a fix that can
tell, with the hours, or with the last reading before a silence, of which another rule speaks.

It falls due with a reading, not with the clock: without readings the device is silent. What else
than a fix comes counts as a sign that it is not. A fix is taken for as good as it says.
"""

import math
from datetime import datetime, timedelta

import msgspec

from alerts.finding import Finding, FindingKind, Severity
from alerts.rules.calm import EVERYWHERE, Calm
from alerts.rules.place_breach import about_zone
from alerts.rules.place_doubt import BEYOND_RADII, tells, worth_m
from alerts.rules.place_envelope import reports_within
from alerts.rules.rule import NONE, Findings, Rule
from alerts.terms import Condition, ConditionKind, DeviceKind
from devices.readings import AlcoholSample, BatteryLevel, DeviceEvent, Fix, Reading
from zones.fix_error import NO_WORTH_M
from zones.interval import Interval
from zones.parts import Role
from zones.quiet import KEEP_RADII, LEVELS_M, Box
from zones.whereabouts import Spot, spot
from zones.zone import Zone

# The most urgent it can be. Near a zone to keep out of somebody may be in danger unseen; of a place
# to stay in, it is found out later, as an absence is. The project's own.
SEVERITY = {
    ConditionKind.EXCLUSION_ZONE: Severity.HIGH,
    ConditionKind.CURFEW: Severity.MEDIUM,
    ConditionKind.RESTRICTION_ZONE: Severity.MEDIUM,
}
# A fix as good as a tag must be indoors (NIJ 1004.00: 30 m) is a position, however small the zone:
# whoever goes away by such fixes is seen to. The project's own reading of it.
GOOD_M = 30.0
# A quiet box this far from the zone passes good fixes of every source, so that what such a zone is
# worth need not be worked out; nearer, that goes first.
_WIDE_M = 1_000.0
# What rounding may take from a radius that just tells.
_INWARDS = 1 - 1e-6
_ALL: Box = (-180.0, -90.0, 180.0, 90.0)


class PositionState(msgspec.Struct, frozen=True, omit_defaults=True):
    """Until when the position was known, or nobody asked, and when the device was last heard.

    ``fixes`` and ``others`` count the readings since, ``best_m`` is the smallest effective radius
    among those fixes, until it is ``told``. ``zone``, its id and version, is that of the last fix
    that told, and ``box``, level and number, the quiet box of it that is far enough off for fixes
    as vague; None: those that are good enough tell anywhere.
    """

    known_at: datetime
    heard_at: datetime
    fixes: int = 0
    others: int = 0
    best_m: float | None = None
    told: bool = False
    box: tuple[int, int] | None = None
    zone: tuple[str, int] | None = None


def limit(condition: Condition) -> timedelta:
    """How long a position may be unknown: never less than a gap between fixes may last."""
    limits = condition.limits
    seconds = {
        ConditionKind.EXCLUSION_ZONE: limits.exclusion_position_s,
        ConditionKind.CURFEW: limits.curfew_position_s,
        ConditionKind.RESTRICTION_ZONE: limits.restriction_position_s,
    }[condition.kind]
    return timedelta(seconds=max(seconds, limits.max_gap_s))


def severity(condition: Condition) -> Severity:
    """Never more urgent than the breach that it may hide."""
    return max(condition.severity, SEVERITY[condition.kind], key=lambda each: each.rank)


def _asked_for(condition: Condition) -> bool:
    """Of a zone that can be broken, not of its rings nor of what is excused."""
    part = condition.part
    return condition.zone is not None and (part is None or part.role is Role.BREACH)


def _initial(_condition: Condition, _device: DeviceKind, armed_at: datetime) -> PositionState:
    return PositionState(armed_at, armed_at)


def _step(
    state: PositionState, reading: Reading, condition: Condition
) -> tuple[PositionState, Findings]:
    at = reading.stamp.measured_at
    if isinstance(reading, Fix):
        calm = _calm(state, condition)
        if calm is not None and calm.holds(reading, state.heard_at):
            return _rest(state, reading, condition), NONE
    begins_at, over_at = _since(state, at, condition)
    found = () if over_at is None else _ended(state, over_at, condition)
    if begins_at is None:
        return _known(state, at), found
    if over_at is not None or begins_at > state.known_at:
        state = PositionState(max(begins_at, state.known_at), state.heard_at,
                              box=state.box, zone=state.zone)  # fmt: skip
    if isinstance(reading, Fix):
        here = spot(reading)
        if here.radius_m <= GOOD_M or tells(here, condition):
            zone = _zone(condition)
            box, name = _box(reading, here, condition), (zone.zone_id, zone.version)
            return PositionState(at, at, box=box, zone=name), (
                *found,
                *_ended(state, at, condition),
            )
        return _unknown(state, at, here.radius_m, condition, found)
    return _unknown(state, at, None, condition, found)


def _since(
    state: PositionState, at: datetime, condition: Condition
) -> tuple[datetime | None, datetime | None]:
    """From when on the time up to ``at`` counts, and when the time before was over.

    None for the first: outside the hours nobody asks. None for the second: it goes on.
    """
    zone, heard_at = _zone(condition), state.heard_at
    counts = zone.hours.around(at)[0]
    if at - heard_at > max(limit(condition), timedelta(seconds=condition.limits.silence_s)):
        return (at if counts else None), heard_at
    counted, until = zone.hours.around(heard_at)
    if counted and (until is None or at < until):
        return state.known_at, None
    if not counts:
        return None, until if counted else heard_at
    windows = zone.hours.windows(Interval(heard_at, at))
    begins_at = windows[-1].start if windows and windows[-1].end == at else at
    return begins_at, until if counted else heard_at


def _known(state: PositionState, at: datetime) -> PositionState:
    return PositionState(at, at, box=state.box, zone=state.zone)


def _unknown(
    state: PositionState,
    at: datetime,
    radius_m: float | None,
    condition: Condition,
    found: Findings,
) -> tuple[PositionState, Findings]:
    """After a reading that cannot tell; ``radius_m`` None: no fix at all."""
    if state.told:
        # What explains it stays as it was when it was told.
        return msgspec.structs.replace(state, heard_at=at), found
    best_m = min((each for each in (radius_m, state.best_m) if each is not None), default=None)
    state = msgspec.structs.replace(
        state,
        heard_at=at,
        fixes=state.fixes + (radius_m is not None),
        others=state.others + (radius_m is None),
        best_m=best_m,
        told=at - state.known_at > limit(condition),
    )
    return state, (*found, _finding(state, None, condition)) if state.told else found


def _ended(state: PositionState, at: datetime, condition: Condition) -> Findings:
    return (_finding(state, at, condition),) if state.told else NONE


def _finding(state: PositionState, ended_at: datetime | None, condition: Condition) -> Finding:
    zone = _zone(condition)
    return RULE.finding(
        condition,
        FindingKind.POSITION_UNKNOWN,
        severity(condition),
        state.known_at,
        ended_at,
        seen_at=state.heard_at,
        **about_zone(condition, zone),
        zone=zone.zone_id,
        zone_version=zone.version,
        zone_kind=zone.kind.value,
        limit_s=int(limit(condition).total_seconds()),
        vague_fixes=state.fixes,
        other_readings=state.others,
        best_radius_m=None if state.best_m is None else round(state.best_m),
        worth_radius_m=round(_told_by_m(condition)),
        beyond_radii=BEYOND_RADII,
    )


def _zone(condition: Condition) -> Zone:
    if condition.zone is None:
        raise ValueError(f"condition {condition.condition_id} is about a place and has no zone")
    return condition.zone


def _close(state: PositionState, at: datetime | None, condition: Condition) -> Findings:
    if not state.told or at is None:
        return (_finding(state, None, condition),) if state.told else NONE
    _, over_at = _since(state, at, condition)
    return _ended(state, at if over_at is None else over_at, condition)


def _box(fix: Fix, here: Spot, condition: Condition) -> tuple[int, int] | None:
    """The quiet box about a fix that tells; None where fixes as good tell anywhere."""
    zone = _zone(condition)
    if not zone.kind.forbids_inside:
        return None
    x_m, y_m = zone.chance.plane.metres(fix.lon, fix.lat)
    found = zone.quiet.find(x_m, y_m, here.radius_m * BEYOND_RADII / KEEP_RADII)
    if found is None or LEVELS_M[found[0]] >= _WIDE_M:
        return found
    largest_m, smallest_m, sources = reports_within(_anywhere_m(condition))
    anywhere = fix.source in sources and smallest_m <= fix.accuracy_m <= largest_m
    return None if anywhere else found


def _calm(state: PositionState, condition: Condition) -> Calm | None:
    """Outside the hours anywhere; in them as far as fixes tell by how good they are, or how far."""
    if state.told:
        return None
    zone = _zone(condition)
    counts, until = zone.hours.around(state.heard_at)
    if not counts:
        return msgspec.structs.replace(EVERYWHERE, until=until)
    if state.zone != (zone.zone_id, zone.version):
        return None
    if state.box is not None:
        level, number = state.box
        bounds = zone.quiet.box_degrees(level, number)
        radius_m = LEVELS_M[level] / BEYOND_RADII * _INWARDS
    else:
        bounds, radius_m = _ALL, _anywhere_m(condition)
    largest_m, smallest_m, sources = reports_within(radius_m)
    return Calm(*bounds, until, math.inf, largest_m, sources, smallest_m)


def _anywhere_m(condition: Condition) -> float:
    """The same, a trace less."""
    return _told_by_m(condition) * _INWARDS


def _told_by_m(condition: Condition) -> float:
    """The largest effective radius with which a fix tells wherever it lies."""
    return max(GOOD_M, min(worth_m(condition), NO_WORTH_M))


def _rest(state: PositionState, reading: Reading, _condition: Condition) -> PositionState:
    return _known(state, reading.stamp.measured_at)


RULE = Rule(
    name="place.position",
    version="1",
    applies_to=frozenset(SEVERITY),
    reads=(Fix, AlcoholSample, DeviceEvent, BatteryLevel),
    state_type=PositionState,
    initial=_initial,
    step=_step,
    close=_close,
    calm=_calm,
    rest=_rest,
    asked_for=_asked_for,
)
