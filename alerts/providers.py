"""How much of the traffic each provider gets: less while it fails or is slow, then again its share.

The rules are those of GOV.UK Notify's fail-over (alphagov/notifications-api, 2026-08), with shorter
times, because a breach text is not a password reset.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum

import msgspec

HEALTH_VERSION = "1"


class HealthLimits(msgspec.Struct, frozen=True, kw_only=True):
    """When weight moves. Of 100 points ``step`` at a time.

    Notify: more than 50 errors in 60 s move 10 points; 15 % slower than 5 minutes move 10 points,
    unless all providers are slow; every 5 minutes 10 points drift back. Ours sends a thousandth of
    Notify's texts, so five errors are many, and a text that takes a minute is slow.
    """

    step: int = 10
    errors_in_window: int = 5
    error_window_s: int = 60
    slow_after_s: int = 60
    slow_share: float = 0.15
    slow_window_s: int = 900
    least_texts: int = 10
    pause_s: int = 60
    drift_every_s: int = 300


class Shift(Enum):
    """Why weight moved."""

    ERRORS = "errors"
    SLOW = "slow deliveries"
    UNUSABLE = "the provider refuses us"
    DRIFT = "back to its share"


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What one provider did in the windows before now."""

    errors: int = 0
    refused_us: bool = False
    delivered: int = 0
    slow: int = 0

    def is_slow(self, limits: HealthLimits) -> bool:
        """Whether enough texts were seen and too many of them were slow."""
        return self.delivered >= limits.least_texts and (
            self.slow >= limits.slow_share * self.delivered
        )


class Weight(msgspec.Struct, frozen=True, kw_only=True):
    """Points of one provider now, at rest, and when they last moved."""

    provider: str
    points: int
    resting: int
    moved_at: datetime


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """A change of weight and its reason."""

    weight: Weight
    before: int
    shift: Shift


def step(
    weights: Sequence[Weight],
    seen: Mapping[str, Seen],
    now: datetime,
    limits: HealthLimits | None = None,
) -> list[Moved]:
    """The weights that change at ``now``; points taken from one go to the healthy others."""
    limits = limits or HealthLimits()
    ill = {each.provider: why for each in weights if (why := _illness(each, seen, now, limits))}
    slow = [each for each in weights if seen.get(each.provider, Seen()).is_slow(limits)]
    if len(slow) == len(weights):
        # Slow everywhere is the networks and no provider: moving weight would help nobody.
        ill = {name: why for name, why in ill.items() if why is not Shift.SLOW}
    if ill and len(ill) < len(weights):
        return _away_from(weights, ill, now, limits)
    return [] if ill else _drift(weights, now, limits)


def _illness(
    weight: Weight, seen: Mapping[str, Seen], now: datetime, limits: HealthLimits
) -> Shift | None:
    what = seen.get(weight.provider, Seen())
    if what.refused_us:
        return Shift.UNUSABLE
    if now - weight.moved_at < timedelta(seconds=limits.pause_s):
        return None
    if what.errors >= limits.errors_in_window:
        return Shift.ERRORS
    return Shift.SLOW if what.is_slow(limits) else None


def _away_from(
    weights: Sequence[Weight], ill: Mapping[str, Shift], now: datetime, limits: HealthLimits
) -> list[Moved]:
    points = {each.provider: each.points for each in weights}
    reason = dict(ill)
    well = [each.provider for each in weights if each.provider not in ill]
    for name, why in ill.items():
        taken = points[name] if why is Shift.UNUSABLE else min(limits.step, points[name])
        points[name] -= taken
        for number, other in enumerate(well):
            share = taken // len(well) + (1 if number < taken % len(well) else 0)
            points[other] += share
            reason.setdefault(other, why)
    return _changes(weights, points, reason, now)


def _drift(weights: Sequence[Weight], now: datetime, limits: HealthLimits) -> list[Moved]:
    since = max(each.moved_at for each in weights) if weights else now
    if now - since < timedelta(seconds=limits.drift_every_s):
        return []
    points = {each.provider: each.points for each in weights}
    over = [each for each in weights if each.points > each.resting]
    under = [each for each in weights if each.points < each.resting]
    for low in under:
        for high in over:
            wanted = min(limits.step, low.resting - points[low.provider])
            given = min(wanted, points[high.provider] - high.resting)
            points[low.provider] += max(given, 0)
            points[high.provider] -= max(given, 0)
    return _changes(weights, points, {each.provider: Shift.DRIFT for each in weights}, now)


def _changes(
    weights: Sequence[Weight],
    points: Mapping[str, int],
    reason: Mapping[str, Shift],
    now: datetime,
) -> list[Moved]:
    return [
        Moved(
            weight=msgspec.structs.replace(each, points=points[each.provider], moved_at=now),
            before=each.points,
            shift=reason[each.provider],
        )
        for each in weights
        if points[each.provider] != each.points
    ]


def pick(
    weights: Sequence[Weight], draw: float, without: frozenset[str] = frozenset()
) -> str | None:
    """The provider for one text; ``draw`` is random in [0, 1). None if none is left.

    ``without`` are those that this text has failed through. A provider without points is used when
    no other is left: a text that might fail is better than none.
    """
    left = [each for each in weights if each.provider not in without]
    if not left:
        return None
    total = sum(each.points for each in left)
    if total == 0:
        return max(left, key=lambda each: each.resting).provider
    mark = draw * total
    for each in left:
        mark -= each.points
        if mark < 0:
            return each.provider
    return left[-1].provider
