"""How likely two devices were within a distance of each other: both errors, times aligned.

Each device is at a place with an error at any time between two of its fixes that are not too far
apart; for a short while after its newest fix it may have gone on at a pace. The probability that
the two are within a distance is that of :mod:`zones.fix_error` for their difference, whose 95 %
radius is the root of the sum of both squares. Nothing is carried from one instant to the next, so
that the answer depends on the set of fixes alone.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import msgspec
import numpy as np

from zones.belief import PACES_M_S
from zones.fix_error import SCALE_PER_RADIUS, SIGMA_PER_RADIUS, TAIL_DEGREES, share_to_one_side
from zones.interval import Interval
from zones.plane import plane_at
from zones.whereabouts import BEND_SHARE, Spot

MODEL_VERSION = "1"
# After its newest fix a device is taken to be about there for so long, with an error that grows by
# a walker's or a driver's pace: two intervals of a tag that reports each minute. The project's own.
HELD = timedelta(seconds=120)
# Points of a circle about which the error is summed up; an arc of a circle so much larger than the
# error is as good as straight.
_POINTS = 256
_STRAIGHT = 40.0
_ANGLES = np.arange(_POINTS) * (2 * math.pi / _POINTS)
_COS, _SIN = np.cos(_ANGLES), np.sin(_ANGLES)
_FAR_RADII = 7.0


class Moment(msgspec.Struct, frozen=True):
    """An instant with the probability of being within the distance; None: not known."""

    at: datetime
    probability: float | None


class Together(msgspec.Struct, frozen=True):
    """A stretch within the distance; ``end`` None: going on at the newest instant known."""

    start: datetime
    end: datetime | None
    seen_at: datetime
    probability: float


# East and north in metres, the 95 % radius, and how likely it is this one of several.
_Place = tuple[float, float, float, float]


class Path:
    """One device's fixes, in order of time, ready to be asked where it was."""

    def __init__(self, spots: Sequence[Spot], max_gap: timedelta) -> None:
        self.spots = sorted(set(spots), key=_order)
        self.times = [spot.at for spot in self.spots]
        self.max_gap = max_gap

    def places(self, at: datetime, lon: float, lat: float) -> list[_Place]:
        """Where it was at an instant, in the metres of the plane about a place; empty: unknown."""
        after = bisect_right(self.times, at)
        if after == 0:
            return []
        plane = plane_at(lon, lat)
        last = self.spots[after - 1]
        here = plane.metres(last.lon, last.lat)
        if last.at == at:
            return [(*here, last.radius_m, 1.0)]
        following = self.spots[after] if after < len(self.spots) else None
        if following is not None and following.at - last.at <= self.max_gap:
            share = (at - last.at) / (following.at - last.at)
            there = plane.metres(following.lon, following.lat)
            return [_between(here, last.radius_m, there, following.radius_m, share)]
        if at - last.at > HELD:
            return []
        seconds = (at - last.at).total_seconds()
        return [
            (*here, math.hypot(last.radius_m, pace * seconds / SIGMA_PER_RADIUS), weight)
            for pace, weight in PACES_M_S
        ]


def _order(spot: Spot) -> tuple[datetime, float, float, float]:
    return spot.at, spot.lat, spot.lon, spot.radius_m


def _between(
    one: tuple[float, float],
    one_radius_m: float,
    other: tuple[float, float],
    other_radius_m: float,
    share: float,
) -> _Place:
    """On the straight line, with the errors of both ends and the bend of a way."""
    rest = 1 - share
    x, y = (rest * a + share * b for a, b in zip(one, other, strict=True))
    bend = 4 * share * rest * BEND_SHARE * math.dist(one, other) / SIGMA_PER_RADIUS
    return x, y, math.hypot(rest * one_radius_m + share * other_radius_m, bend), 1.0


def within(off_m: float, radius_m: float, distance_m: float) -> float:
    """The probability of a distance of at most ``distance_m``.

    ``off_m`` is that of the two places and ``radius_m`` the 95 % radius of their difference. The
    model's share of a disc: its share of the directions in which the edge is seen from the place.
    """
    scale = radius_m * SCALE_PER_RADIUS
    if off_m - distance_m > _FAR_RADII * radius_m:
        return 0.0
    if distance_m > _STRAIGHT * scale:
        return share_to_one_side(distance_m - off_m, radius_m)
    x, y = off_m + distance_m * _COS, distance_m * _SIN
    square = x * x + y * y
    # The share out to a distance, by its square; at no distance the limit of the quotient.
    out = 1 - (1 + square / (TAIL_DEGREES * scale * scale)) ** (-TAIL_DEGREES / 2)
    turn = distance_m * (x * _COS + y * _SIN)
    near = square < 1e-9 * scale * scale
    ratio = np.where(near, 1 / (2 * scale * scale), out / np.where(near, 1.0, square))
    return float(min(max((ratio * turn).mean(), 0.0), 1.0))


def _probability(one: Path, other: Path, at: datetime, distance_m: float) -> float | None:
    """That the two were within the distance at an instant; None: where one was is not known."""
    about = bisect_right(one.times, at)
    if about == 0:
        return None
    origin = one.spots[about - 1]
    theirs = other.places(at, origin.lon, origin.lat)
    ours = one.places(at, origin.lon, origin.lat)
    if not ours or not theirs:
        return None
    return sum(
        a[3] * b[3] * within(math.dist(a[:2], b[:2]), math.hypot(a[2], b[2]), distance_m)
        for a in ours
        for b in theirs
    )


def moments(one: Path, other: Path, span: Interval, distance_m: float) -> list[Moment]:
    """The probability at each fix of either, and where the straight ways come nearest between."""
    times = sorted({at for at in (*one.times, *other.times) if span.start <= at <= span.end})
    asked = set(times)
    for start, end in pairwise(times):
        nearest = _nearest(one, other, start, end)
        if nearest is not None:
            asked.add(nearest)
    return [Moment(at, _probability(one, other, at, distance_m)) for at in sorted(asked)]


def _nearest(one: Path, other: Path, start: datetime, end: datetime) -> datetime | None:
    """When two who move straight are nearest strictly between two instants, to the second."""
    about = bisect_right(one.times, start)
    if about == 0:
        return None
    origin = one.spots[about - 1]
    ends = [
        [path.places(at, origin.lon, origin.lat) for path in (one, other)] for at in (start, end)
    ]
    if not all(places for pair in ends for places in pair):
        return None
    (a0, b0), (a1, b1) = [[places[0] for places in pair] for pair in ends]
    off = a0[0] - b0[0], a0[1] - b0[1]
    step = a1[0] - b1[0] - off[0], a1[1] - b1[1] - off[1]
    length = step[0] ** 2 + step[1] ** 2
    if not length:
        return None
    share = -(off[0] * step[0] + off[1] * step[1]) / length
    if not 0 < share < 1:
        return None
    at = (start + (end - start) * share).replace(microsecond=0)
    return at if start < at < end else None


def stretches(
    seen: Sequence[Moment], begins: float, ends: float, max_gap: timedelta
) -> list[Together]:
    """Stretches that begin where the probability reaches ``begins`` and end where it is ``ends``.

    An instant that is not known, or a wait longer than ``max_gap`` for the next, ends a stretch
    where it was last seen. What still goes on at the last instant has no end.
    """
    found: list[Together] = []
    going: Together | None = None
    before: datetime | None = None
    for moment in seen:
        known, at = moment.probability, moment.at
        lost = known is None or (before is not None and at - before > max_gap)
        if going is not None and lost:
            found.append(msgspec.structs.replace(going, end=going.seen_at))
            going = None
        if known is None:
            continue
        before = at
        if going is None:
            going = Together(at, None, at, known) if known >= begins else None
        elif known <= ends:
            found.append(msgspec.structs.replace(going, end=at))
            going = None
        else:
            going = Together(going.start, None, at, max(going.probability, known))
    return found if going is None else [*found, going]
