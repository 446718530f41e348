"""Of zones that overlap, which finding is told: both are recorded, one alert is enough.

A finding is not told while another is told of the same wearer at the same time that is at least as
urgent and about the zone of the higher priority or, at equal priority, the tighter one: the smaller
of two to keep out of, the larger of two to stay in. Findings of another kind never stand in for
one another, so that nothing of a lower urgency can hide what is worse. What is itself held back by
a silence tells of nothing: a silence on one zone never hides another. A position that nobody knows
is one matter for all the zones of a wearer: the most urgent is told.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import msgspec

from alerts.decide import Action, Decision, Why
from alerts.finding import Finding, FindingKind, Severity

_KEEP_OUT = frozenset(
    {
        FindingKind.EXCLUSION_BREACH,
        FindingKind.EARLY_WARNING_1,
        FindingKind.EARLY_WARNING_2,
        FindingKind.EARLY_WARNING_3,
    }
)
_STAY_IN = frozenset({FindingKind.CURFEW_BREACH, FindingKind.RESTRICTION_BREACH})
_UNKNOWN = frozenset({FindingKind.POSITION_UNKNOWN})
_GROUPS = (_KEEP_OUT, _STAY_IN, _UNKNOWN)


class Stay(msgspec.Struct, frozen=True):
    """What of an episode says whether it is told; times aware UTC, ``ended_at`` None: goes on."""

    kind: FindingKind
    severity: Severity
    started_at: datetime
    ended_at: datetime | None
    priority: int
    area_m2: float

    @property
    def rank(self) -> tuple[int, int, float]:
        """The higher is told."""
        urgent = -self.severity.rank if self.kind in _UNKNOWN else 0
        return urgent, self.priority, self.area_m2 if self.kind in _STAY_IN else -self.area_m2

    @property
    def of_all_zones(self) -> bool:
        """Whether an answer to it is one for all zones: where somebody is, is one question."""
        return self.kind in _UNKNOWN


def stay_of(
    kind: FindingKind,
    severity: Severity,
    started_at: datetime,
    ended_at: datetime | None,
    evidence: dict[str, Any],
) -> Stay | None:
    """The stay of an episode; None where it is about no zone, or of a time before this rule."""
    priority, area_m2 = evidence.get("priority"), evidence.get("area_m2")
    known = isinstance(priority, int) and isinstance(area_m2, int | float)
    if not known or not any(kind in group for group in _GROUPS):
        return None
    return Stay(kind, severity, started_at, ended_at, int(str(priority)), float(str(area_m2)))


def of_finding(found: Finding) -> Stay | None:
    """The stay of a finding."""
    return stay_of(found.kind, found.severity, found.started_at, found.ended_at, found.evidence)


def tells(other: Stay, one: Stay) -> bool:
    """Whether an alert of ``other`` is enough for ``one``."""
    if one.ended_at is None and other.ended_at is not None:
        return False  # what is over cannot tell of what goes on
    same = any(other.kind in group and one.kind in group for group in _GROUPS)
    begins = other.ended_at is None or one.started_at <= other.ended_at
    ends = one.ended_at is None or other.started_at <= one.ended_at
    urgent = other.severity.rank <= one.severity.rank
    return same and begins and ends and urgent and other.rank > one.rank


def _told_at_once(_found: Finding) -> bool:
    return False


def settle(
    decisions: Iterable[Decision],
    told: Iterable[Stay],
    muted: Callable[[Finding], bool] = _told_at_once,
) -> list[Decision]:
    """The decisions, with those that another alert tells of only recorded.

    ``told`` are the stays whose alerts are neither resolved nor held back. What is opened here is
    told, too, unless a silence holds it back: of that ``muted`` is true, and it hides nothing.
    """
    told, settled = list(told), list[tuple[int, Decision]]()
    for place, decision in _in_order(decisions):
        stay = _opened(decision)
        if stay is None:
            settled.append((place, decision))
        elif any(tells(other, stay) for other in told):
            why = Why.TOLD_BY_ANOTHER_ZONE
            settled.append((place, Decision(Action.RECORD, why, decision.finding, None)))
        else:
            if decision.finding is not None and not muted(decision.finding):
                told.append(stay)
            settled.append((place, decision))
    return [decision for _, decision in sorted(settled, key=lambda each: each[0])]


def _in_order(decisions: Iterable[Decision]) -> list[tuple[int, Decision]]:
    """The decisions with their places, those of the zones that are told first."""

    def rank(each: tuple[int, Decision]) -> tuple[float, ...]:
        stay = _opened(each[1])
        return (0, 0, 0.0) if stay is None else tuple(-part for part in stay.rank)

    return sorted(enumerate(decisions), key=rank)


def _opened(decision: Decision) -> Stay | None:
    if decision.action is not Action.OPEN or decision.finding is None:
        return None
    return of_finding(decision.finding)
