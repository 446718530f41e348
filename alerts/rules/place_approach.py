"""Early warning: at the wearer's speed and heading, a zone to keep out of will be reached soon.

A warning, not a breach: it has a kind and a severity of its own, ends when the zone is reached or
the wearer turns away, and asks nobody to act on the wearer. Unlike a ring about the zone it is
silent about one who lives next door, and early about one who drives straight at it. An order turns
it on by a time (``approach_s``).
"""

from datetime import datetime, timedelta

import msgspec

from alerts.finding import Finding, FindingKind, Severity
from alerts.rules.calm import Calm
from alerts.rules.rule import NONE, Findings, Rule
from alerts.terms import Condition, ConditionKind, DeviceKind
from devices.readings import Fix, Reading
from zones import approach, whereabouts
from zones.approach import Ahead, Course
from zones.parts import Role
from zones.whereabouts import Spot
from zones.zone import Zone

# A warning shows on the board; the breach itself is told. The project's own.
SEVERITY = Severity.LOW
# A warning is over when its probability has fallen to this share of what raised it, so that one
# approach is one warning. The project's own.
END_SHARE = 0.1
# From this probability on the wearer is there, and the breach rule speaks.
THERE = 0.5

_NOTHING = Ahead(0.0, 0.0, 0.0, 0.0)


class Warned(msgspec.Struct, frozen=True):
    """A warning that goes on: what was seen when it was raised."""

    since: datetime
    probability: float
    eta_s: float
    edge_m: float
    speed_kmh: float


class Approach(msgspec.Struct, frozen=True):
    """The state; ``probability`` is that of the newest fix, measured from ``zone``."""

    course: Course | None = None
    warned: Warned | None = None
    probability: float = 0.0
    zone: tuple[str, int] | None = None


def _initial(_condition: Condition, _device: DeviceKind, _armed_at: datetime) -> Approach:
    return Approach()


def _step(state: Approach, reading: Reading, condition: Condition) -> tuple[Approach, Findings]:
    assert isinstance(reading, Fix)
    limits, zone, course = condition.limits, _zone(condition), state.course
    if whereabouts.says_nothing(reading):
        return state, NONE
    spot, name = whereabouts.spot(reading), (zone.zone_id, zone.version)
    gap = timedelta(seconds=limits.max_gap_s)
    if course is None or spot.at - course.last.at > gap or state.zone != name:
        at = None if course is None else course.last.at
        return Approach(Course(spot, spot), None, 0.0, name), _ended(state, condition, at)
    if spot.at <= course.last.at:
        return state, NONE
    course = approach.follow(course, spot, zone)
    seen = approach.ahead(course, zone, limits.approach_s)
    if seen is None or seen.inside >= THERE or not _counts(zone, spot.at, limits.approach_s):
        seen = _NOTHING
    return _decided(state, course, seen, condition)


def _decided(
    state: Approach, course: Course, seen: Ahead, condition: Condition
) -> tuple[Approach, Findings]:
    level, warned, likely = condition.limits.approach_percent / 100, state.warned, seen.probability
    if warned is None and likely >= level:
        warned = _warned(seen, course.last, _zone(condition))
    elif warned is not None and likely <= END_SHARE * level:
        found = _ended(state, condition, course.last.at)
        return Approach(course, None, likely, state.zone), found
    after = Approach(course, warned, likely, state.zone)
    return after, NONE if warned is None else (_finding(warned, condition, None),)


def _warned(seen: Ahead, spot: Spot, zone: Zone) -> Warned:
    x_m, y_m = zone.chance.plane.metres(spot.lon, spot.lat)
    return Warned(
        spot.at,
        round(seen.probability, 4),
        round(seen.eta_s),
        float(round(zone.chance.edge_m(x_m, y_m))),
        round(seen.speed_m_s * 3.6, 1),
    )


def _counts(zone: Zone, at: datetime, within_s: float) -> bool:
    """Whether the hours of the zone count now or will by the time it is reached."""
    counts, until = zone.hours.around(at)
    return counts or (until is not None and until <= at + timedelta(seconds=within_s))


def _ended(state: Approach, condition: Condition, at: datetime | None) -> Findings:
    return NONE if state.warned is None else (_finding(state.warned, condition, at),)


def _finding(warned: Warned, condition: Condition, ended_at: datetime | None) -> Finding:
    zone = _zone(condition)
    return RULE.finding(
        condition,
        FindingKind.EXCLUSION_APPROACH,
        SEVERITY,
        warned.since,
        ended_at,
        seen_at=warned.since,
        zone=zone.zone_id,
        zone_version=zone.version,
        probability=warned.probability,
        threshold=condition.limits.approach_percent / 100,
        eta_s=warned.eta_s,
        within_s=condition.limits.approach_s,
        edge_m=warned.edge_m,
        speed_kmh=warned.speed_kmh,
    )


def _zone(condition: Condition) -> Zone:
    if condition.zone is None:
        raise ValueError(f"condition {condition.condition_id} is about a place and has no zone")
    return condition.zone


def _close(state: Approach, at: datetime | None, condition: Condition) -> Findings:
    if at is not None and state.course is not None:
        last_at = state.course.last.at
        at = last_at if at - last_at > timedelta(seconds=condition.limits.max_gap_s) else at
    return _ended(state, condition, at)


def _calm(_state: Approach, _condition: Condition) -> Calm | None:
    """Nowhere: each fix can show a new heading."""
    return None


def _asked_for(condition: Condition) -> bool:
    """Of a zone that can be broken: its rings warn by themselves, and what is allowed is no zone.

    Version 1 warned also on the way to a ring, and of a zone in which an officer allows to be.
    """
    part = condition.part
    return condition.limits.approach_s > 0 and (part is None or part.role is Role.BREACH)


RULE = Rule(
    name="place.approach",
    version="2",
    applies_to=frozenset({ConditionKind.EXCLUSION_ZONE}),
    reads=(Fix,),
    state_type=Approach,
    initial=_initial,
    step=_step,
    close=_close,
    calm=_calm,
    asked_for=_asked_for,
)
