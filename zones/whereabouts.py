"""One device against one zone by probability, fix by fix: state in, state out.

It says how likely the wearer was inside at a fix and along the way to it. It knows nothing of what
the zone forbids, of hours or of orders.
"""

from datetime import datetime, timedelta

import msgspec

from devices.readings import Fix
from zones import belief as beliefs
from zones import receiver as receivers
from zones.belief import Belief, Sight, Turn
from zones.chance import Chance, Place
from zones.fix_error import NO_WORTH_M, SPREAD_PER_RADIUS, radius_m
from zones.receiver import UNKNOWN, Receiver
from zones.zone import Zone

# A way is not straight: halfway, it is off the line by this standard deviation, as a share of its
# length. The project's own; streets bend more than that, paths across a park less.
BEND_SHARE = 0.1
# How likely a wearer of whom only the newest fix is known is still, and for how long has been; and
# how likely one is who, after a time of rest, is where the rest began. The project's own.
AT_LARGE = (0.85, 900.0)
AT_SAME_PLACE = 0.97
# Two fixes within so many standard deviations of each other are of one place.
_SAME_PLACE = 3.0
# A time without doubt tells of leaps only if one would have ended it: if the edge was no further
# than this.
LEAP_SHOWS_M = 200.0
# Points along a way between two fixes; nearer than a radius to each other they say the same.
_MOST_POINTS = 7
# From this probability on that the wearer has stayed, no way is looked at.
_SURELY = 0.9999
_SIGMAS_PER_RADIUS = 1 / SPREAD_PER_RADIUS


class Spot(msgspec.Struct, frozen=True, gc=False):
    """The newest fix: aware UTC time of measurement, degrees, the radius it reported."""

    at: datetime
    lat: float
    lon: float
    accuracy_m: float
    radius_m: float


class Rest(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """When and where a time without doubt began, and how likely and how long still by then.

    ``watched``: it was so near the edge that a leap would have shown.
    """

    spot: Spot
    still: float
    age_s: float
    watched: bool


class Whereabouts(msgspec.Struct, frozen=True, gc=False):
    """What the next step must know. ``belief`` None: nothing beyond the newest fix.

    ``inside`` is the probability of the newest fix's time, ``inside_still`` that of the place at
    which the wearer is if still, and ``inside_fix`` that of ``mover``, the place if on the move
    (None: at the newest fix; below 0: not known).
    ``receiver`` is what its errors have shown, ``rest`` how the time without doubt began that goes
    on (None: there is doubt, or it is not known).
    """

    last: Spot | None = None
    belief: Belief | None = None
    inside: float = 0.0
    inside_still: float = 0.0
    inside_fix: float = -1.0
    receiver: Receiver = UNKNOWN
    rest: Rest | None = None
    mover: Sight | None = None

    def at_rest(self, now: Spot) -> "Whereabouts":
        """What remains after a fix about which there is no doubt."""
        return Whereabouts(now, receiver=self.receiver, rest=self.rest)

    def resting(self, *, watched: bool) -> "Whereabouts":
        """What remains where the doubt ends with the newest fix."""
        last, belief = self.last, self.belief
        assert last is not None
        assert belief is not None
        rest = Rest(last, belief.still, belief.age_s, watched)
        return Whereabouts(last, receiver=self.receiver, rest=rest)


# Instants with the probability of inside at each.
Points = tuple[tuple[datetime, float], ...]


class Way(msgspec.Struct, frozen=True, gc=False):
    """What the newest fix shows of the time since the one before.

    ``points`` are instants in order with P(inside) for one who was on the move, the first at the
    fix before and the last at the newest one. ``turn`` None: the leg is not known, and ``points``
    is the newest fix alone.
    """

    points: Points
    turn: Turn | None


def spot(fix: Fix) -> Spot:
    """The fix with its effective radius."""
    radius = radius_m(fix.accuracy_m, fix.source)
    return Spot(fix.stamp.measured_at, fix.lat, fix.lon, fix.accuracy_m, radius)


def says_nothing(fix: Fix) -> bool:
    """Whether the fix is too vague to say anything of any zone."""
    return radius_m(fix.accuracy_m, fix.source) > NO_WORTH_M


def step(
    whereabouts: Whereabouts, now: Spot, zone: Zone, max_gap: timedelta
) -> tuple[Whereabouts, Way]:
    """Take one fix into account; it comes after the last one.

    A leg longer than ``max_gap`` is not known: belief begins anew. Raises ValueError for a fix
    that is earlier than the last one.
    """
    chance, last = zone.chance, whereabouts.last
    if last is not None and now.at < last.at:
        raise ValueError(f"fix of {now.at} is earlier than {last.at}; step again from before it")
    if last is None or now.at - last.at > max_gap:
        receiver = whereabouts.receiver
        here = _sight(chance, now, receiver.factor)
        (inside,) = chance.inside([(here.x_m, here.y_m, here.radius_m)])
        belief = beliefs.begin(here, *AT_LARGE)
        after = Whereabouts(now, belief, inside, inside, inside, receiver)
        return after, Way(((now.at, inside),), None)
    return _along(whereabouts, last, now, zone)


def _along(whereabouts: Whereabouts, last: Spot, now: Spot, zone: Zone) -> tuple[Whereabouts, Way]:
    chance = zone.chance
    before, there, receiver = _before(whereabouts, last, zone)
    here = _sight(chance, now, receiver.factor)
    # Two fixes of one time differ by their error alone; a millisecond says so.
    gap_s = max((now.at - last.at).total_seconds(), 1e-3)
    belief, turn = beliefs.advance(before, there, here, gap_s, receiver.gross_share(gap_s))
    receiver = receivers.learn(receiver, before, belief, turn, here, gap_s)
    if turn.stayed > _SURELY and whereabouts.belief is not None:
        # Nobody moved: the way is that of the estimate.
        (inside,) = chance.inside([(belief.x_m, belief.y_m, belief.radius_m)])
        estimate = ((last.at, whereabouts.inside), (now.at, inside))
        return Whereabouts(now, belief, inside, inside, -1.0, receiver), Way(estimate, turn)
    there = whereabouts.mover or there
    here = beliefs.moved_to(there, here, gap_s)
    inside_there = whereabouts.inside_fix
    if turn.left > turn.moved:
        there = Sight(before.x_m, before.y_m, before.radius_m)
        inside_there = -1.0 if whereabouts.belief is None else whereabouts.inside_still
    shares, inside_way, inside_still = _way(there, inside_there, here, belief, zone)
    length = now.at - last.at
    points: Points = tuple(
        (last.at + share * length, p) for share, p in zip(shares, inside_way, strict=True)
    )
    inside = belief.still * inside_still + (1 - belief.still) * inside_way[-1]
    after = Whereabouts(now, belief, inside, inside_still, inside_way[-1], receiver, mover=here)
    return after, Way(points, turn)


def _way(
    there: Sight, inside_there: float, here: Sight, belief: Belief, zone: Zone
) -> tuple[tuple[float, ...], list[float], float]:
    """Shares of the way of a mover, P(inside) at each, and at the place of one who is still.

    ``inside_there`` below 0: not known.
    """
    chance, forbids_inside = zone.chance, zone.kind.forbids_inside
    still_place = belief.x_m, belief.y_m, belief.radius_m
    if inside_there > _SURELY and forbids_inside:
        # Who was surely inside and still is has been so all the way, as far as a breach goes.
        inside_here, inside_still = chance.inside(
            [(here.x_m, here.y_m, here.radius_m), still_place]
        )
        if inside_here > _SURELY:
            return (0.0, 1.0), [inside_there, inside_here], inside_still
    shares = _shares(there, here)
    # Whoever bends his way may well pass a zone; nobody is taken to have left one by a bend.
    bend = BEND_SHARE if forbids_inside else 0.0
    first = 1 if inside_there >= 0 else 0
    places: list[Place] = [_between(there, here, share, bend) for share in shares[first:]]
    places.append(still_place)
    *inside_way, inside_still = chance.inside(places)
    if first:
        inside_way.insert(0, inside_there)
    return shares, inside_way, inside_still


def _before(whereabouts: Whereabouts, last: Spot, zone: Zone) -> tuple[Belief, Sight, Receiver]:
    """What was believed at the last fix; after a time without doubt that is made up again."""
    belief, receiver = whereabouts.belief, whereabouts.receiver
    if belief is not None:
        return belief, _sight(zone.chance, last, receiver.factor), receiver
    rest, (still, age_s) = whereabouts.rest, AT_LARGE
    there = _sight(zone.chance, last, receiver.factor)
    if rest is not None:
        rested_s = (last.at - rest.spot.at).total_seconds()
        if _same_place(_sight(zone.chance, rest.spot, receiver.factor), there):
            still = max(rest.still, AT_SAME_PLACE) if rested_s > 0 else rest.still
            age_s = rest.age_s + rested_s
        if rest.watched:
            receiver = receivers.rested(receiver, rested_s)
    return beliefs.begin(there, still, age_s), there, receiver


def _same_place(one: Sight, other: Sight) -> bool:
    apart2 = (one.x_m - other.x_m) ** 2 + (one.y_m - other.y_m) ** 2
    errors2 = one.radius_m * one.radius_m + other.radius_m * other.radius_m
    return apart2 < (_SAME_PLACE * SPREAD_PER_RADIUS) ** 2 * errors2


def _sight(chance: Chance, place: Spot, factor: float) -> Sight:
    x_m, y_m = chance.plane.metres(place.lon, place.lat)
    return Sight(x_m, y_m, place.radius_m * factor)


def _shares(there: Sight, here: Sight) -> tuple[float, ...]:
    """How far along the way the points are, from 0 to 1."""
    length2 = (here.x_m - there.x_m) ** 2 + (here.y_m - there.y_m) ** 2
    radius = min(there.radius_m, here.radius_m)
    between = min(int(length2**0.5 / radius), _MOST_POINTS)
    return (*(n / (between + 1) for n in range(between + 1)), 1.0)


def _between(there: Sight, here: Sight, share: float, bend_share: float) -> Place:
    """A place along the way: the errors of both ends, which are taken as one, and the bend."""
    rest = 1 - share
    x_m = rest * there.x_m + share * here.x_m
    y_m = rest * there.y_m + share * here.y_m
    ends = rest * there.radius_m + share * here.radius_m
    length2 = (here.x_m - there.x_m) ** 2 + (here.y_m - there.y_m) ** 2
    bend = 4 * share * rest * (bend_share * _SIGMAS_PER_RADIUS) ** 2 * length2
    return x_m, y_m, (ends * ends + bend) ** 0.5
