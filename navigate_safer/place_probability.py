"""One device's whole track against a zone by the service's own rule of probability.

The rule is run fix by fix as in the service, so a file gives what the service would have told.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import msgspec

from alerts.explanation import gaps_in
from alerts.finding import Finding, Severity
from alerts.rules import place_probability
from alerts.rules.place_costs import end_threshold, threshold
from alerts.rules.place_doubt import tells
from alerts.rules.place_state import PlaceBelief
from alerts.terms import Condition, ConditionKind, DeviceKind, Limits
from devices.readings import Fix, order_key
from zones.authorised import Authorised
from zones.feature import ZoneFeature
from zones.interval import Interval, Intervals, intersection, measure, subtraction, union
from zones.parts import Role
from zones.ring import Ring
from zones.track import SHORTEST_STAY
from zones.whereabouts import spot
from zones.zone import Zone, ZoneKind

_CONDITION = {
    ZoneKind.EXCLUSION: ConditionKind.EXCLUSION_ZONE,
    ZoneKind.INCLUSION: ConditionKind.CURFEW,
    ZoneKind.RESTRICTION: ConditionKind.RESTRICTION_ZONE,
}
# A stay breaks nothing by itself, so that a missed one costs as much as one too many.
_STAY_MISS_COST = 1.0


class Stretch(msgspec.Struct, frozen=True):
    """A stay or a violation: UTC, the probability that it happened, and what explains it."""

    time: Interval
    probability: float
    evidence: dict[str, object]


class Around(msgspec.Struct, frozen=True):
    """What is found beside violations: excused stays, and by ring, nearest first, the warnings."""

    excused: tuple[Stretch, ...] = ()
    warnings: tuple[tuple[Ring, tuple[Stretch, ...]], ...] = ()


# When a fix was measured and the probability of breach at it.
Seen = tuple[datetime, float]


class ProbableJudgement(msgspec.Struct, frozen=True):
    """What a track shows about one zone.

    ``breach`` is the time in violation; ``unknown`` that of the legs longer than the largest gap,
    of those at whose end the probability of breach was too high to call it compliant and too low to
    tell anybody, and of stretches whose fixes are all too vague for the zone; ``compliant`` the
    rest of the span from first fix to last, with what is excused.
    """

    episodes: tuple[Stretch, ...]
    violations: tuple[Stretch, ...]
    breach: timedelta
    unknown: timedelta
    compliant: timedelta
    around: Around = Around()


def judge_probably(
    fixes: Iterable[Fix], about: Zone | ZoneFeature, max_gap: timedelta
) -> ProbableJudgement:
    """Judge one device's fixes, in any order and repeated, against one zone.

    Raises ValueError when there is no fix.
    """
    ordered = sorted(fixes, key=order_key)
    if not ordered:
        raise ValueError("a track needs at least one fix")
    feature = about if isinstance(about, ZoneFeature) else ZoneFeature(about)
    zone, kind = feature.zone, _CONDITION[feature.zone.kind]
    limits = Limits(max_gap_s=max_gap.total_seconds())
    term = _condition(kind, limits, ordered, zone, feature.permissions)
    violations, gaps, doubts, around = _pieces(ordered, term)
    episodes = violations
    if kind is not ConditionKind.EXCLUSION_ZONE or zone.schedule is not None or term.permissions:
        stays = msgspec.structs.replace(
            zone, kind=ZoneKind.EXCLUSION, schedule=None, rings=(), like=zone
        )
        if kind is not ConditionKind.EXCLUSION_ZONE:
            limits = msgspec.structs.replace(limits, exclusion_miss_cost=_STAY_MISS_COST)
        term = _condition(ConditionKind.EXCLUSION_ZONE, limits, ordered, stays)
        episodes, _, _ = _run(ordered, term)
    span = Interval(ordered[0].stamp.measured_at, ordered[-1].stamp.measured_at)
    broken = union([each.time for each in violations])
    unknown = subtraction(union(gaps, _unexplained(doubts, broken)), broken)
    return ProbableJudgement(
        episodes,
        violations,
        measure(broken),
        measure(unknown),
        span.length - measure(broken) - measure(unknown),
        around,
    )


def _pieces(
    ordered: list[Fix], term: Condition
) -> tuple[tuple[Stretch, ...], list[Interval], list[Interval], Around]:
    """Violations, gaps and doubts of the parts that forbid; and what is found of the others."""
    broken: list[Stretch] = []
    gaps: list[Interval] = []
    doubts: list[Interval] = []
    around = Around()
    for piece in term.pieces():
        found, silent, doubtful = _run(ordered, piece)
        part = piece.part
        if part is None or part.role is Role.BREACH:
            broken.extend(found)
            gaps.extend(silent)
            doubts.extend(doubtful)
        elif part.ring is not None:
            around = Around(around.excused, (*around.warnings, (part.ring, found)))
        else:
            excused = tuple(sorted((*around.excused, *found), key=lambda each: each.time))
            around = Around(excused, around.warnings)
    violations = tuple(sorted(broken, key=lambda each: each.time))
    return violations, gaps, doubts, around


def vouched_for(fixes: Iterable[Fix], term: Condition) -> Intervals:
    """When the fixes show that the condition was kept: between them, less gaps and doubts.

    The time in violation is not in it: that is told by what officers were told.
    """
    ordered = sorted(fixes, key=order_key)
    if not ordered:
        return ()
    violations, gaps, doubts, _ = _pieces(ordered, term)
    broken = union([each.time for each in violations])
    span = Interval(ordered[0].stamp.measured_at, ordered[-1].stamp.measured_at)
    return subtraction((span,), union(gaps, _unexplained(doubts, broken), broken))


def _unexplained(doubts: Iterable[Interval], broken: Intervals) -> list[Interval]:
    """The doubts without the legs on which a violation begins or ends: it explains them."""
    return [leg for leg in doubts if not any(_meet(leg, each) for each in broken)]


def _condition(
    kind: ConditionKind,
    limits: Limits,
    fixes: list[Fix],
    zone: Zone,
    permissions: tuple[Authorised, ...] = (),
) -> Condition:
    from_at = fixes[0].stamp.measured_at
    return Condition(0, 1, "", kind, Severity.HIGH, from_at, None, limits, zone, permissions)


def _run(
    fixes: list[Fix], term: Condition
) -> tuple[tuple[Stretch, ...], list[Interval], list[Interval]]:
    """The rule's findings over the track; its gaps; the legs that nobody can vouch for.

    A gap is a leg longer than the largest gap, or so long a time in which no fix can tell.
    """
    rule = place_probability.RULE
    times = [fix.stamp.measured_at for fix in fixes]
    longest = timedelta(seconds=term.limits.max_gap_s)
    state: PlaceBelief = rule.initial(term, DeviceKind.LOCATION_TAG, times[0])
    found: dict[object, Finding] = {}
    doubts: list[Interval] = []
    seen: list[Seen] = []
    telling: list[datetime] = []
    for before, at, fix in zip([times[0], *times], times, fixes, strict=False):
        if tells(spot(fix), term, state.where.receiver.factor):
            telling.append(at)
        state, findings = rule.step(state, fix, term)
        found.update((each.key, each) for each in findings)
        if seen and seen[-1][0] == at:
            seen.pop()
        if place_probability.heard(state, fix):
            seen.append((at, place_probability.probability(state, term)))
        if before < at and at - before <= longest:
            doubts.extend(_doubts(Interval(before, at), state, term))
    gaps = [Interval(one, other) for one, other in pairwise(times) if other - one > longest]
    gaps.extend(_vague(telling, Interval(times[0], times[-1]), term))
    stretches = sorted(
        (_stretch(each, times[-1], seen, term) for each in found.values()),
        key=lambda each: each.time,
    )
    # What was seen at one fix alone, between two gaps, has no length and was told all the same.
    told = (
        each
        for each in stretches
        if each.time.length >= SHORTEST_STAY or each.probability >= threshold(term)
    )
    return tuple(told), gaps, doubts


def _vague(telling: Sequence[datetime], span: Interval, term: Condition) -> list[Interval]:
    """The hours of the stretches in which no fix can tell on which side the wearer was.

    Between two that can, near enough in time, the way is known, however vague others are.
    """
    assert term.zone is not None
    if span.start == span.end:
        return []
    gaps, _ = gaps_in(telling, span, timedelta(seconds=term.limits.max_gap_s))
    return [hours for gap in gaps for hours in term.zone.windows(gap)]


def _doubts(leg: Interval, state: PlaceBelief, term: Condition) -> Intervals:
    """The hours of a leg at whose end a breach cannot be ruled out."""
    assert term.zone is not None
    if place_probability.probability(state, term) <= end_threshold(term):
        return ()
    return term.zone.windows(leg)


def _meet(leg: Interval, violation: Interval) -> bool:
    return leg.start <= violation.end and leg.end >= violation.start


def _stretch(finding: Finding, last_at: datetime, seen: Sequence[Seen], term: Condition) -> Stretch:
    """What still goes on has lasted to the newest fix."""
    probability = finding.evidence["probability"]
    assert isinstance(probability, float)
    time = Interval(finding.started_at, finding.ended_at or last_at)
    shown = {
        "rule": f"{finding.rule} {finding.rule_version}",
        "clause": finding.clause or None,
        **finding.evidence,
        **_over_time(time, seen, term),
    }
    return Stretch(time, probability, shown)


def _over_time(time: Interval, seen: Sequence[Seen], term: Condition) -> dict[str, object]:
    """The probability at each fix of a stretch and at its neighbours, and how well it is covered.

    A leg between two fixes covers its time unless it is longer than the largest gap.
    """
    first = max(bisect_left(seen, time.start, key=lambda each: each[0]) - 1, 0)
    near = seen[first : bisect_right(seen, time.end, key=lambda each: each[0]) + 1]
    longest = timedelta(seconds=term.limits.max_gap_s)
    short = [
        Interval(one, other)
        for (one, _), (other, _) in pairwise(near)
        if one < other and other - one <= longest
    ]
    within = (time,) if time.start < time.end else ()
    known = measure(intersection(union(short), within)) if within else timedelta()
    return {
        "coverage": round(known / time.length, 4) if time.length else 1.0,
        "probability_over_time": [
            {"at": at.isoformat().replace("+00:00", "Z"), "probability": round(p, 4)}
            for at, p in near
        ],
    }
