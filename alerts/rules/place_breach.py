"""An episode of the probability rule as it grows, and the evidence that explains it."""

from datetime import datetime, timedelta

import msgspec

from alerts.finding import FindingKind
from alerts.rules.place_costs import end_threshold, miss_cost, threshold
from alerts.rules.place_excursion import HALF
from alerts.terms import Condition, ConditionKind
from zones import belief, fix_error, receiver
from zones.parts import Role
from zones.whereabouts import Spot
from zones.zone import Zone

KIND = {
    ConditionKind.EXCLUSION_ZONE: FindingKind.EXCLUSION_BREACH,
    ConditionKind.CURFEW: FindingKind.CURFEW_BREACH,
    ConditionKind.RESTRICTION_ZONE: FindingKind.RESTRICTION_BREACH,
}
WARNINGS = (
    FindingKind.EARLY_WARNING_1,
    FindingKind.EARLY_WARNING_2,
    FindingKind.EARLY_WARNING_3,
)
# How many fixes evidence shows: those with which it began and the newest. The rest are stored.
_FIRST, _NEWEST = 4, 8


def kind_of(condition: Condition) -> FindingKind:
    """What an episode of the condition, or of a part of it, is called."""
    part = condition.part
    if part is None or part.role is Role.BREACH:
        return KIND[condition.kind]
    return FindingKind.EXCUSED_STAY if part.role is Role.EXCUSED else WARNINGS[part.number - 1]


class Seen(msgspec.Struct, frozen=True, array_like=True):
    """A fix as evidence: no coordinate. ``edge_m`` is negative inside the zone."""

    at: str
    probability: float
    edge_m: float
    accuracy_m: float


class Breach(msgspec.Struct, frozen=True):
    """An open episode. ``probability``: that there has been a breach at all, as seen now.

    ``fixes``: at how many of its fixes the wearer was rather in breach than not.
    ``error_factor``: how many times larger than reported the errors were taken to be.
    """

    started_at: datetime
    probability: float
    seen_at: datetime
    fixes: int = 0
    implausible: int = 0
    longest_gap_s: float = 0.0
    error_factor: float = 1.0
    first: tuple[Seen, ...] = ()
    newest: tuple[Seen, ...] = ()


def grow(
    breach: Breach,
    ever: float,
    now: float,
    spot: Spot,
    gap: timedelta,
    implausible: bool,
    error_factor: float,
    zone: Zone,
) -> Breach:
    """The episode after one more fix, at which a breach has probability ``now``."""
    x_m, y_m = zone.chance.plane.metres(spot.lon, spot.lat)
    edge_m = float(round(zone.chance.edge_m(x_m, y_m)))
    seen = Seen(_written(spot.at), round(now, 4), edge_m, spot.accuracy_m)
    full = len(breach.first) == _FIRST
    return Breach(
        breach.started_at,
        ever,
        spot.at if now >= HALF else breach.seen_at,
        breach.fixes + (now >= HALF),
        breach.implausible + implausible,
        max(breach.longest_gap_s, gap.total_seconds()),
        error_factor,
        breach.first if full else (*breach.first, seen),
        (*breach.newest, seen)[-_NEWEST:] if full else (),
    )


def _written(at: datetime) -> str:
    """ISO 8601 in UTC, as the command line writes times."""
    return at.isoformat().replace("+00:00", "Z")


def about_zone(condition: Condition, zone: Zone) -> dict[str, object]:
    """What the zone is among those that overlap, and which part of it this is, as JSON values."""
    said: dict[str, object] = {"priority": zone.priority, "area_m2": float(f"{zone.area_m2:.6g}")}
    if zone.judged.bound_m > 0:
        said["simplified_m"] = zone.judged.bound_m
    if condition.part is not None and condition.part.ring is not None:
        said["ring_m"] = condition.part.ring.metres
    if condition.part is not None and condition.part.authorised is not None:
        said["authorised"] = condition.part.authorised
    return said


def evidence(breach: Breach, condition: Condition, zone: Zone) -> dict[str, object]:
    """What explains the episode, as JSON values."""
    shown = (*breach.first, *breach.newest)
    return {
        **about_zone(condition, zone),
        "zone": zone.zone_id,
        "zone_version": zone.version,
        "zone_kind": zone.kind.value,
        "probability": round(breach.probability, 4),
        "threshold": round(threshold(condition), 4),
        "end_threshold": round(end_threshold(condition), 4),
        "miss_cost_false_alarms": miss_cost(condition),
        "fixes_in_breach": breach.fixes,
        "implausible_fixes": breach.implausible,
        "longest_gap_s": breach.longest_gap_s,
        "error_factor": round(breach.error_factor, 2),
        "max_gap_s": condition.limits.max_gap_s,
        "last_accuracy_m": shown[-1].accuracy_m if shown else None,
        "fixes": [
            {
                "at": seen.at,
                "probability": seen.probability,
                "edge_m": seen.edge_m,
                "accuracy_m": seen.accuracy_m,
            }
            for seen in shown
        ],
        "error_model": fix_error.MODEL_VERSION,
        "belief_model": belief.MODEL_VERSION,
        "receiver_model": receiver.MODEL_VERSION,
    }
