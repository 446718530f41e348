"""How often the 95 % intervals of the measures hold the truth, over simulated cohorts."""

import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from navigate_safer.demo.outcomes_worlds import WORLDS, World

# What an interval at 95 % may hold, in per cent; the bar.
BAR = (93.0, 97.0)


@dataclass
class Coverage:
    """One interval in one world."""

    world: str
    interval: str
    right: bool
    cohorts: int = 0
    held: int = 0
    below: int = 0  # the whole interval below the truth
    missing: int = 0

    def add(self, interval: tuple[float, float | None] | None, truth: float) -> None:
        """Count one cohort."""
        self.cohorts += 1
        if interval is None:
            self.missing += 1
            return
        low, high = interval[0], math.inf if interval[1] is None else interval[1]
        self.held += bool(low <= truth <= high)
        self.below += bool(high < truth)

    @property
    def percent(self) -> float:
        """Cohorts whose interval held the truth; one without an interval did not."""
        return 100 * self.held / self.cohorts

    @property
    def inside_bar(self) -> bool:
        """Whether it holds the truth as often as 95 % promises."""
        return BAR[0] <= self.percent <= BAR[1]

    @property
    def verdict(self) -> str:
        """What to make of it, in words."""
        if self.right:
            return "right" if self.inside_bar else "right, but outside 93-97 %"
        if self.inside_bar:
            return "holds here, by luck"
        if self.percent > BAR[1]:
            return "too wide"
        return "FAILS"


def measure(
    cohorts: int,
    seed: int,
    *,
    worlds: tuple[World, ...] = WORLDS,
    advance: Callable[[], object] = lambda: None,
) -> list[Coverage]:
    """Draw the cohorts of every world; ``advance`` is called after each cohort."""
    found: dict[tuple[str, str], Coverage] = {}
    for world in worlds:
        # Not the position in the list: another world more must not change this one's cohorts.
        draw = np.random.default_rng([seed, zlib.crc32(world.name.encode())])
        for _ in range(cohorts):
            for name, interval, truth in world.draw(draw):
                right = name in world.right
                each = found.setdefault((world.name, name), Coverage(world.name, name, right))
                each.add(interval, truth)
            advance()
    return list(found.values())
