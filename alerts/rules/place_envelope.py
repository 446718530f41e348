"""The calm of the probability rule: a box of a zone with the radii that leave no doubt in it."""

import math
from datetime import datetime
from functools import lru_cache

from alerts.rules.calm import Calm
from devices.readings import FixSource
from zones.fix_error import ERRORS
from zones.quiet import KEEP_RADII, LEVELS_M
from zones.receiver import MOST_FACTOR, Receiver
from zones.whereabouts import Whereabouts
from zones.zone import Zone

# A receiver that errs more than it reports is calm as one that reports so many times as much.
WIDENINGS = (1.0, 1.25, 1.5, 2.0, MOST_FACTOR)
# The smallest number above zero: a radius of zero is one that was not stated.
_STATED_M = math.ulp(0.0)


def widening(receiver: Receiver) -> float:
    """By how much the radii of a receiver that errs more than it reports are taken wider."""
    return next(each for each in WIDENINGS if each >= receiver.factor)


def quiet_box(where: Whereabouts, zone: Zone) -> tuple[int, int] | None:
    """Level and number of the zone's box in which the newest fix leaves no doubt, if any."""
    assert where.last is not None
    x_m, y_m = zone.chance.plane.metres(where.last.lon, where.last.lat)
    return zone.quiet.find(x_m, y_m, where.last.radius_m * widening(where.receiver))


def envelope(
    zone: Zone, level: int, number: int, until: datetime | None, widened: float = 1.0
) -> Calm:
    """What is covered in one of the zone's quiet boxes, up to the next change of its hours.

    ``widened`` is that of the receiver, which does not change while it is calm.
    """
    largest_m, smallest_m, sources = reports_within(LEVELS_M[level] / KEEP_RADII / widened)
    box = zone.quiet.box_degrees(level, number)
    return Calm(*box, until, math.inf, largest_m, sources, smallest_m)


@lru_cache(maxsize=4_096)
def reports_within(radius_m: float) -> tuple[float, float, frozenset[FixSource]]:
    """Largest and smallest report with this effective radius at most, and the sources it holds for.

    A radius wide enough for fixes of the network takes every source with the largest report that
    all of them may make; a narrower one takes those that may report what GPS may.
    """
    limits = {source: error.accuracy_m(radius_m) for source, error in ERRORS.items()}
    every = min(limits.values())
    largest_m = every if every > 0 else limits[FixSource.GPS]
    sources = frozenset(source for source, limit in limits.items() if limit >= largest_m)
    unstated = all(ERRORS[source].unstated_m <= radius_m for source in sources)
    return largest_m, 0.0 if unstated else _STATED_M, sources
