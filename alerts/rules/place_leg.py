"""The newest leg of a way in terms of breach, whichever side of the edge that is."""

import msgspec

from alerts.rules.place_excursion import Points
from zones.belief import Turn
from zones.whereabouts import Way, Whereabouts
from zones.zone import Zone


class Leg(msgspec.Struct, frozen=True):
    """Probabilities of breach: ``now`` and ``still`` are at the end, ``before_still`` at the start.

    ``stays`` is how likely the wearer is still; ``error_factor`` how many times larger than
    reported the errors were taken to be.
    """

    points: Points
    turn: Turn | None
    before_still: float
    now: float
    still: float
    stays: float
    error_factor: float

    @property
    def gap_s(self) -> float:
        """How long it took, seconds; 0 where it is not known."""
        return (self.points[-1][0] - self.points[0][0]).total_seconds()


def leg_of(before: Whereabouts, after: Whereabouts, way: Way, zone: Zone) -> Leg:
    """The leg that led from one state of belief to the next."""
    points = way.points
    before_still, now, still = before.inside_still, after.inside, after.inside_still
    if not zone.kind.forbids_inside:
        points = tuple((at, 1 - p) for at, p in points)
        before_still, now, still = 1 - before_still, 1 - now, 1 - still
    if before.belief is None:
        # At rest nobody doubts that the condition was kept.
        before_still = 0.0
    assert after.belief is not None
    factor = after.receiver.factor
    return Leg(points, way.turn, before_still, now, still, after.belief.still, factor)
