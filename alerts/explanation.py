"""Why a place was judged as it was: every fix of a stretch with what the rule made of it.

The rule is run again over the stored fixes, from where it stood before them, so that what is shown
is what was judged, and not a second opinion. Positions are in the answer: who may see them is
decided by whoever asks.
"""

import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from alerts.rules import place_probability
from alerts.rules.place_costs import end_threshold, miss_cost, threshold
from alerts.rules.place_state import PlaceBelief
from alerts.terms import Condition, DeviceKind
from devices.quality import Doubt
from devices.readings import Fix, order_key
from zones import fix_error
from zones.belief import IMPLAUSIBLE_M_S
from zones.interval import Interval, Intervals, measure, union
from zones.parts import Role
from zones.zone import Zone

# Where it is not known how the rule stood, it is run for so long before the stretch that its belief
# has settled, and with it what is thought of the receiver (:data:`zones.receiver.FORGET_LEAPS_S`):
# after hours a chance could still be another by half and more.
WARM_UP = timedelta(hours=72)


class Judged(msgspec.Struct, frozen=True):
    """One fix as it was judged.

    ``probability`` is that of breach at the fix, None outside the hours of the zone and where the
    fix was ``unheard``: too vague for the zone, with nothing before it to go by. ``edge_m``: metres
    from the nearest edge, negative inside the zone; ``radius_m`` the radius that the judgement took
    for 95 %, ``fix.accuracy_m`` the one reported. ``implausible``: nobody covers the way from the
    fix before in the time, so that one of the two is wrong.
    """

    fix: Fix
    probability: float | None
    edge_m: float
    radius_m: float
    implausible: bool
    doubts: Doubt
    unheard: bool = False

    @property
    def at(self) -> datetime:
        """When it was measured."""
        return self.fix.stamp.measured_at


class Explanation(msgspec.Struct, frozen=True):
    """A stretch of time as it was judged.

    ``covered`` is the part of it in which fixes follow each other within ``max_gap_s``, and
    ``gaps`` are the rest. ``forbids_inside``: being inside the zone is the breach.
    """

    span: Interval
    fixes: tuple[Judged, ...]
    gaps: Intervals
    covered: timedelta
    longest_gap_s: float
    max_gap_s: float
    threshold: float
    end_threshold: float
    miss_cost: float
    forbids_inside: bool
    rule: str
    rule_version: str
    clause: str

    @property
    def coverage(self) -> float:
        """The share of the stretch that is covered; 1 for an instant with a fix."""
        length = self.span.length
        return self.covered / length if length else float(bool(self.fixes))


def piece_of(condition: Condition, authorised: object) -> Condition:
    """The piece of the condition that a breach was judged by.

    ``authorised`` names the exception whose way the breach left, as its evidence has it (None: no
    way was allowed then). What is allowed counts in the piece as it did when it was judged.
    """
    for piece in condition.pieces():
        part = piece.part
        if part is not None and part.role is Role.BREACH and part.authorised == authorised:
            return piece
    return condition.pieces()[0]


def explain(
    condition: Condition,
    fixes: Iterable[tuple[Fix, Doubt]],
    span: Interval,
    state: PlaceBelief | None = None,
) -> Explanation:
    """Run the rule over the fixes and keep what it made of those within ``span``.

    ``condition`` is a piece of one (:func:`piece_of`), and ``state`` how the rule stood before the
    first of the fixes; without one, give it fixes from :data:`WARM_UP` before the span. Raises
    ValueError for a condition that is not about a place.
    """
    zone = condition.zone
    if zone is None:
        raise ValueError(f"condition {condition.condition_id} is about no place")
    ordered = sorted(fixes, key=lambda each: order_key(each[0]))
    judged = _judged(condition, zone, ordered, span, state)
    max_gap = timedelta(seconds=condition.limits.max_gap_s)
    gaps, longest = gaps_in([fix.stamp.measured_at for fix, _ in ordered], span, max_gap)
    rule = place_probability.RULE
    return Explanation(
        span=span,
        fixes=judged,
        gaps=gaps,
        covered=span.length - measure(gaps),
        longest_gap_s=longest.total_seconds(),
        max_gap_s=condition.limits.max_gap_s,
        threshold=threshold(condition),
        end_threshold=end_threshold(condition),
        miss_cost=miss_cost(condition),
        forbids_inside=zone.kind.forbids_inside,
        rule=rule.name,
        rule_version=rule.version,
        clause=condition.clause,
    )


def _judged(
    condition: Condition,
    zone: Zone,
    ordered: Sequence[tuple[Fix, Doubt]],
    span: Interval,
    state: PlaceBelief | None,
) -> tuple[Judged, ...]:
    rule, found = place_probability.RULE, list[Judged]()
    if state is None:
        state = rule.initial(condition, DeviceKind.LOCATION_TAG, condition.from_at)
    before: Fix | None = None
    for fix, doubts in ordered:
        at = fix.stamp.measured_at
        if not condition.in_force(at):
            continue
        state, _ = rule.step(state, fix, condition)
        if span.start <= at <= span.end:
            counts, heard = zone.hours.around(at)[0], place_probability.heard(state, fix)
            stated = place_probability.probability(state, condition)
            probability = stated if counts and heard else None
            factor = state.where.receiver.factor
            one = _one(fix, doubts, probability, zone, before, factor)
            found.append(msgspec.structs.replace(one, unheard=counts and not heard))
        before = fix
    return tuple(found)


def _one(
    fix: Fix,
    doubts: Doubt,
    probability: float | None,
    zone: Zone,
    before: Fix | None,
    error_factor: float,
) -> Judged:
    x_m, y_m = zone.chance.plane.metres(fix.lon, fix.lat)
    edge_m = zone.chance.edge_m(x_m, y_m)
    radius_m = fix_error.radius_m(fix.accuracy_m, fix.source) * error_factor
    jumped = before is not None and _implausible(before, fix, zone)
    return Judged(fix, probability, edge_m, radius_m, jumped, doubts)


def _implausible(before: Fix, fix: Fix, zone: Zone) -> bool:
    """As :mod:`zones.belief` has it: more than the errors and the fastest journey explain."""
    seconds = (fix.stamp.measured_at - before.stamp.measured_at).total_seconds()
    plane = zone.chance.plane
    apart = math.dist(plane.metres(fix.lon, fix.lat), plane.metres(before.lon, before.lat))
    errors = sum(fix_error.radius_m(each.accuracy_m, each.source) for each in (before, fix))
    return apart - errors > IMPLAUSIBLE_M_S * seconds


def gaps_in(
    times: Sequence[datetime], span: Interval, max_gap: timedelta
) -> tuple[Intervals, timedelta]:
    """What of the span no two fixes near enough to each other enclose; the longest leg in it.

    Before the first fix and after the last one nothing is known, however short that is.
    """
    open_ended: list[Interval] = []
    longest = timedelta()
    bounds = [min(span.start, *times), *times, max(span.end, *times)] if times else []
    if not times:
        return (span,), span.length
    for number in range(len(bounds) - 1):
        start, end = bounds[number], bounds[number + 1]
        outer = number in (0, len(bounds) - 2)
        within = max(start, span.start), min(end, span.end)
        if within[0] >= within[1]:
            continue
        longest = max(longest, end - start)
        if outer or end - start > max_gap:
            open_ended.append(Interval(*within))
    return union(open_ended), longest
