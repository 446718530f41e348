"""One device's whole track against a zone: the geometric baseline.

A point on the boundary is inside; motion between fixes is straight and steady; a leg longer than
the largest gap is unknown, never a violation. The streaming form is :mod:`zones.presence`; both
give the same stretches.
"""

from collections.abc import Iterable
from datetime import timedelta
from itertools import pairwise

import msgspec
import numpy as np
import numpy.typing as npt
import shapely

from zones.interval import Interval, Intervals, measure, subtraction, union
from zones.presence import TrackPoint
from zones.zone import Zone

# A shorter stay is not reported (definition of `judge place` in the formats of the command line).
SHORTEST_STAY = timedelta(milliseconds=1)

_Floats = npt.NDArray[np.float64]


class TrackJudgement(msgspec.Struct, frozen=True):
    """What a track shows about one zone; all stretches merged, sorted, UTC.

    ``episodes`` are the stays inside and ``violations`` what the schedule forbids, both without
    anything shorter than a millisecond; ``unknown`` are the legs longer than the largest gap.
    """

    span: Interval
    episodes: Intervals
    violations: Intervals
    unknown: Intervals

    @property
    def breach(self) -> timedelta:
        """Time in violation."""
        return measure(self.violations)

    @property
    def not_known(self) -> timedelta:
        """Time of the unknown legs, whatever the schedule says of them."""
        return measure(self.unknown)

    @property
    def compliant(self) -> timedelta:
        """The rest of the span, with the hours in which the zone does not count."""
        return self.span.length - self.breach - self.not_known


class Track:
    """The fixes of one device in order of time, ready to be judged against many zones.

    ``points`` may come in any order and more than once; of those with the same time the last one
    counts. ``max_gap``: a longer leg is unknown. Raises ValueError when there is no point.
    """

    def __init__(self, points: Iterable[TrackPoint], max_gap: timedelta) -> None:
        last_at_each_time = {point.at: point for point in points}
        ordered = sorted(last_at_each_time.values(), key=lambda point: point.at)
        if not ordered:
            raise ValueError("a track needs at least one fix")
        self.points = tuple(ordered)
        self.span = Interval(ordered[0].at, ordered[-1].at)
        self._lon = np.array([point.lon for point in ordered], dtype=np.float64)
        self._lat = np.array([point.lat for point in ordered], dtype=np.float64)
        legs = list(pairwise(ordered))
        self._known = np.array([b.at - a.at <= max_gap for a, b in legs], dtype=np.bool_)
        self.unknown = union(Interval(a.at, b.at) for a, b in legs if b.at - a.at > max_gap)

    def stays(self, zone: Zone) -> Intervals:
        """The stretches inside or on the boundary, over the known legs; none too short to list."""
        outline = zone.outline
        legs = np.flatnonzero(self._known & self._may_meet(zone))
        inside: list[Interval] = []
        for leg, whole in zip(legs.tolist(), self._wholly_inside(legs, zone).tolist(), strict=True):
            a, b = self.points[leg], self.points[leg + 1]
            time = Interval(a.at, b.at)
            if whole:
                inside.append(time)
            else:
                inside.extend(outline.inside(time, a.lon, a.lat, b.lon, b.lat))
        return union(inside)

    def judge(self, zone: Zone) -> TrackJudgement:
        """Episodes, violations and unknown legs for one zone."""
        episodes = _long_enough(self.stays(zone))
        forbidden = zone.forbidden(episodes, self.span)
        violations = _long_enough(subtraction(forbidden, self.unknown))
        return TrackJudgement(self.span, episodes, violations, self.unknown)

    def _may_meet(self, zone: Zone) -> npt.NDArray[np.bool_]:
        outline, lon, lat = zone.outline, self._lon, self._lat
        west, east = lon < outline.west, lon > outline.east
        south, north = lat < outline.south, lat > outline.north
        missed = np.zeros(len(self._known), dtype=np.bool_)
        for beyond in (west, east, south, north):
            missed |= beyond[:-1] & beyond[1:]
        return ~missed

    def _wholly_inside(self, legs: npt.NDArray[np.intp], zone: Zone) -> npt.NDArray[np.bool_]:
        """Which legs touch no edge and lie inside: most of a night at a curfew address."""
        ends = np.stack([self._lon, self._lat], axis=1)
        lines = np.asarray(shapely.linestrings(np.stack([ends[legs], ends[legs + 1]], axis=1)))
        # A line between two equal points is not a valid line; there the point itself is asked.
        still = (ends[legs] == ends[legs + 1]).all(axis=1)
        paths = np.where(still, np.asarray(shapely.points(ends[legs])), lines)
        return np.asarray(shapely.contains_properly(zone.outline.shape, paths), dtype=np.bool_)


def _long_enough(pieces: Intervals) -> Intervals:
    return tuple(piece for piece in pieces if piece.length >= SHORTEST_STAY)
