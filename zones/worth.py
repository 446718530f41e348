"""How vague a fix may be and still show that its wearer is in a shape.

Pure; the answers depend on the shape alone.
"""

import math

from zones.chance import Chance

# Radii are looked for between these, metres: no fix is better, and none so bad is looked at.
_LEAST_M, _MOST_M = 1.0, 1e6
_HALVINGS = 40


class Worth:
    """One shape; what was found is kept, and only ever added to."""

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self._found: dict[float, float] = {}

    def radius_m(self, share: float) -> float:
        """The largest effective radius with which a fix can put so much of itself inside.

        That is taken to be a fix at the innermost point. 0 where none can, infinite where all do.
        """
        if share not in self._found:
            self._found[share] = self._largest_m(share)
        return self._found[share]

    def _largest_m(self, share: float) -> float:
        x_m, y_m = self._chance.innermost()

        def shows(radius_m: float) -> bool:
            (inside,) = self._chance.inside([(x_m, y_m, radius_m)])
            return inside >= share

        low, high = _LEAST_M, _MOST_M
        if not shows(low):
            return 0.0
        if shows(high):
            return math.inf
        for _ in range(_HALVINGS):
            middle = math.sqrt(low * high)
            low, high = (middle, high) if shows(middle) else (low, middle)
        return low
