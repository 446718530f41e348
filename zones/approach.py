"""Whether a wearer who goes on as now will be in a zone soon: speed and heading with their doubt.

The wearer, if on the move (:mod:`zones.belief`), is taken to go on straight at the pace of the last
minutes; how far off the line that can lead grows with the way. Nothing here knows what a zone
forbids.
"""

import math
from datetime import timedelta

import msgspec

from zones import belief as beliefs
from zones.belief import Belief, Sight
from zones.fix_error import SIGMA_PER_RADIUS
from zones.whereabouts import AT_LARGE, Spot
from zones.zone import Zone

# Speed is measured over this long at least, so that one fix's error is not taken for a pace. The
# project's own.
BASE = timedelta(seconds=100)
# Ways turn: after some way on, the wearer is off the straight line by this standard deviation, as a
# share of that way. The project's own: streets of a town, not a motorway.
TURN_SHARE = 0.35
_TURN_RADII = TURN_SHARE / SIGMA_PER_RADIUS
# Looked at these shares of the time ahead: closer together where the doubt is still small.
_AHEAD = (1 / 16, 1 / 8, 3 / 16, 1 / 4, 3 / 8, 1 / 2, 3 / 4, 1.0)


# So sure that the wearer is still that no way ahead is looked at.
_SURELY = 0.99


class Course(msgspec.Struct, frozen=True, gc=False):
    """The newest spot, and what it is measured from: spots old enough (None: not yet) and newer.

    ``belief`` is in the metres of one zone's plane; None: nothing beyond the newest spot.
    """

    last: Spot
    middle: Spot
    base: Spot | None = None
    belief: Belief | None = None


class Ahead(msgspec.Struct, frozen=True, gc=False):
    """``probability`` that the zone is reached in the time asked about, when most likely first.

    ``inside`` is the probability of being there already; speed in metres a second.
    """

    probability: float
    eta_s: float
    inside: float
    speed_m_s: float


def follow(course: Course, now: Spot, zone: Zone) -> Course:
    """The course after one more spot, which is later than the last one."""
    there, here = _sight(course.last, zone), _sight(now, zone)
    before = course.belief or beliefs.begin(there, *AT_LARGE)
    gap_s = (now.at - course.last.at).total_seconds()
    belief, _ = beliefs.advance(before, there, here, gap_s)
    base, middle = course.base, course.middle
    if now.at - middle.at >= BASE:
        base, middle = middle, now
    return Course(now, middle, base, belief)


def ahead(course: Course, zone: Zone, within_s: float) -> Ahead | None:
    """What lies ahead; None: nothing can be said yet, or the wearer is at one place."""
    base, now, belief = course.base, course.last, course.belief
    if base is None or belief is None or belief.still > _SURELY:
        return None
    here, there = _sight(now, zone), _sight(base, zone)
    passed_s = (now.at - base.at).total_seconds()
    dx, dy = here.x_m - there.x_m, here.y_m - there.y_m
    speed_m_s = math.hypot(dx, dy) / passed_s
    blur_m_s = math.hypot(here.radius_m, there.radius_m) / passed_s
    off_m_s = math.hypot(blur_m_s, _TURN_RADII * speed_m_s)
    places = [(here.x_m, here.y_m, here.radius_m)]
    for share in _AHEAD:
        on_s = share * within_s
        far = on_s / passed_s
        blur_m = math.hypot(here.radius_m, off_m_s * on_s)
        places.append((here.x_m + dx * far, here.y_m + dy * far, blur_m))
    inside, *later = zone.chance.inside(places)
    best = max(later)
    first = next(n for n, p in enumerate(later) if p >= best / 2)
    return Ahead((1 - belief.still) * best, _AHEAD[first] * within_s, inside, speed_m_s)


def _sight(spot: Spot, zone: Zone) -> Sight:
    x_m, y_m = zone.chance.plane.metres(spot.lon, spot.lat)
    return Sight(x_m, y_m, spot.radius_m)
