"""One possible breach, followed from fix to fix: how likely it happened, from when, until when.

Two tallies are kept, one for each hypothesis of :mod:`zones.belief`: the probability that a wearer
who is still, or on the move, has been in breach since the excursion began. A fix that speaks
against a hypothesis takes its tally down with it, so what was said of a jump is unsaid when the
wearer turns out never to have moved.
"""

from datetime import datetime, timedelta
from itertools import pairwise

import msgspec

from zones.belief import Turn
from zones.interval import Interval

Points = tuple[tuple[datetime, float], ...]

# Where a start or an end is looked for: the probability of breach passes a half.
HALF = 0.5
# Nobody knows a start or an end better than to the second.
_TO_THE_SECOND = timedelta(seconds=1)
# A rise by this factor over what was seen so far moves the start of the excursion.
_RISE = 2.0


class Excursion(msgspec.Struct, frozen=True):
    """``stay`` is the tally of the still hypothesis but for its present place, ``move`` the other.

    ``peak`` is the largest probability on the way so far, ``since`` when the way to it began to be
    in breach, ``left_at`` when it ceased to be (None: it has not).
    """

    stay: float = 0.0
    move: float = 0.0
    peak: float = 0.0
    since: datetime | None = None
    left_at: datetime | None = None

    def ever(self, still: float, breach_still: float) -> float:
        """The probability that there has been a breach, with the still place's own share."""
        stay = 1 - (1 - self.stay) * (1 - breach_still)
        return still * stay + (1 - still) * self.move


def _certain(breach_still: float) -> float:
    """What remains of a still place's probability when the place is seen otherwise later.

    Had the place been one point, the newest estimate would say all; but people potter about in
    it, so that what was as good as certain has been so.
    """
    return max(0.0, 2 * breach_still - 1)


def follow(
    excursion: Excursion, turn: Turn, before_still: float, points: Points, now: float
) -> Excursion:
    """The tallies after a fix.

    ``points`` are the probabilities of breach along the way for a mover, ``before_still`` that of
    the place that was left, if it was, and ``now`` that of the newest fix's time.
    """
    way = max(p for _, p in points)
    left = max(1 - (1 - excursion.stay) * (1 - before_still), way)
    stayed = max(excursion.stay, _certain(before_still))
    moved = max(excursion.move, way)
    stays, moves = turn.stayed + turn.settled, turn.left + turn.moved
    if turn.kept and stays > 0:
        stay = (turn.stayed * stayed + turn.settled * excursion.move) / stays
    else:
        stay = excursion.move
    move = (turn.left * left + turn.moved * moved) / moves if moves > 0 else moved
    return mark(
        Excursion(stay, move, excursion.peak, excursion.since, excursion.left_at), points, now
    )


def mark(excursion: Excursion, points: Points, now: float) -> Excursion:
    """The times at which the way goes into breach and out of it."""
    way = max(p for _, p in points)
    since, peak, left_at = excursion.since, excursion.peak, excursion.left_at
    if since is None or (way >= HALF > peak) or way > _RISE * peak:
        since, left_at = _rises(points, min(HALF, way)), None
    if now >= HALF:
        left_at = None
    elif left_at is None:
        left_at = _falls(points, min(HALF, way))
    return Excursion(excursion.stay, excursion.move, max(peak, way), since, left_at)


def before_end(excursion: Excursion, window: Interval) -> Excursion:
    """The excursion in hours that are over: an end of the hours is no part of them."""
    since = excursion.since
    if since is None or since < window.end:
        return excursion
    since = max(window.start, window.end - _TO_THE_SECOND)
    return msgspec.structs.replace(excursion, since=since)


def clipped(points: Points, window: Interval) -> Points:
    """The points within a window, with its ends where they are on the way."""
    if points[0][0] >= window.start and points[-1][0] <= window.end:
        return points
    within = [(at, p) for at, p in points if window.start <= at <= window.end]
    if not within or within[0][0] > window.start:
        within.insert(0, (window.start, _at(points, window.start)))
    if within[-1][0] < window.end:
        within.append((window.end, _at(points, window.end)))
    return tuple(within)


def _at(points: Points, at: datetime) -> float:
    """The probability at an instant of the way, on straight lines between the points."""
    for (from_at, from_p), (to_at, to_p) in pairwise(points):
        if from_at <= at <= to_at:
            share = (at - from_at) / (to_at - from_at)
            return from_p + share * (to_p - from_p)
    return points[-1][1]


def _rises(points: Points, level: float) -> datetime:
    before: tuple[datetime, float] | None = None
    for at, p in points:
        if p >= level:
            return at if before is None else _between(before, (at, p), level)
        before = at, p
    return points[-1][0]


def _falls(points: Points, level: float) -> datetime:
    after: tuple[datetime, float] | None = None
    for at, p in reversed(points):
        if p >= level:
            return at if after is None else _between((at, p), after, level)
        after = at, p
    return points[0][0]


def _between(
    first: tuple[datetime, float], second: tuple[datetime, float], level: float
) -> datetime:
    """When the probability passes the level, on a straight line between two points."""
    (from_at, from_p), (to_at, to_p) = first, second
    if from_p == to_p:
        return to_at
    at = from_at + (to_at - from_at) * ((level - from_p) / (to_p - from_p))
    # Nobody knows it better than to the second, and a hair's breadth must not make it another.
    at = (at + timedelta(milliseconds=500)).replace(microsecond=0)
    return min(max(at, from_at), to_at)
