"""Keeping away from a person who carries a device: a zone that moves with her.

Not a rule of one device: it needs the fixes of two, and is run over a stretch of both whenever
either reports. Nothing in a finding says where she is: no distance, no probability over time, no
time of a fix of hers; and times are to the minute, so that a trail cannot be cut with circles.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from alerts.finding import Finding, FindingKind
from alerts.rules.place_costs import END_SHARE
from alerts.terms import Condition
from devices.readings import Fix
from zones import apart, fix_error
from zones.apart import Path, Together
from zones.interval import Interval
from zones.whereabouts import says_nothing, spot

NAME, VERSION = "distance.probability", "1"
_MINUTE = timedelta(minutes=1)


def threshold(condition: Condition) -> float:
    """The probability from which an episode begins: where both mistakes cost the same."""
    return 1 / (1 + condition.limits.distance_miss_cost)


def judge(
    condition: Condition, within_m: float, his: Sequence[Fix], hers: Sequence[Fix], span: Interval
) -> list[Finding]:
    """Every episode within the span, in order of time.

    Give it the fixes of both from the condition's largest gap before the span. The findings
    depend on the set of fixes, not on their order.
    """
    max_gap = timedelta(seconds=condition.limits.max_gap_s)
    his_path, her_path = (
        Path([spot(fix) for fix in fixes if not says_nothing(fix)], max_gap)
        for fixes in (his, hers)
    )
    end = span.end if condition.until_at is None else min(span.end, condition.until_at)
    start = max(span.start, condition.from_at)
    if start >= end:
        return []
    seen = [
        each
        for each in apart.moments(his_path, her_path, Interval(start, end), within_m)
        if condition.in_force(each.at)
    ]
    begins = threshold(condition)
    found = apart.stretches(seen, begins, END_SHARE * begins, max_gap)
    over = condition.until_at is not None and condition.until_at <= span.end
    return [_finding(each, condition, over=over) for each in _merged(found)]


def _merged(found: Sequence[Together]) -> list[Together]:
    """Two stretches of one minute are one: their times are told to the minute."""
    merged: list[Together] = []
    for each in found:
        last = merged[-1] if merged else None
        if last is not None and last.end is not None and _floor(last.end) == _floor(each.start):
            probability = max(last.probability, each.probability)
            each = Together(last.start, each.end, each.seen_at, probability)  # noqa: PLW2901
            merged.pop()
        merged.append(each)
    return merged


def _finding(each: Together, condition: Condition, *, over: bool) -> Finding:
    end = each.seen_at if over and each.end is None else each.end
    start = _floor(each.start)
    return Finding(
        condition_id=condition.condition_id,
        condition_version=condition.version,
        clause=condition.clause,
        kind=FindingKind.DISTANCE_BREACH,
        severity=condition.severity,
        rule=NAME,
        rule_version=VERSION,
        started_at=start,
        ended_at=None if end is None else max(_floor(end) + _MINUTE, start),
        evidence={
            "threshold": round(threshold(condition), 4),
            "miss_cost_false_alarms": condition.limits.distance_miss_cost,
            "max_gap_s": condition.limits.max_gap_s,
            "error_model": fix_error.MODEL_VERSION,
            "distance_model": apart.MODEL_VERSION,
        },
        seen_at=_floor(each.seen_at),
    )


def _floor(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)
