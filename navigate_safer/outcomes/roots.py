"""Where a function crosses zero: Newton's steps, kept inside a bracket."""

import math
from collections.abc import Callable

# Relative to the size of the root. After a Newton step so small the error is about its square.
_NEWTON = 1e-9
_PRECISION = 1e-13
_STEPS = 200


def falling_root(function: Callable[[float], tuple[float, float]], start: float) -> float:
    """Root of a falling function, given as value and slope; the root must exist.

    The bracket is widened in doubling steps until it holds the root; a Newton step that leaves it
    is replaced by its middle.
    """
    low, high, at, stride = -math.inf, math.inf, start, 1.0
    for _ in range(_STEPS):
        value, slope = function(at)
        if value == 0:
            return at
        if value > 0:
            low = at
        else:
            high = at
        after = at - value / slope if slope < 0 else math.nan
        if abs(after - at) <= _NEWTON * max(1.0, abs(at)):
            return after
        if math.isinf(low) or math.isinf(high):
            # Far away the slope is nearly zero, and Newton would leap out of all numbers.
            stride *= 2
            if not abs(after - at) <= stride:
                after = at + math.copysign(stride, value)
        elif not low < after < high:
            after = (low + high) / 2
            if high - low <= _PRECISION * max(1.0, abs(after)):
                return after
        at = after
    return at


def crossing(function: Callable[[float], float], low: float, high: float) -> float:
    """Root of a function that is above zero at ``low`` and not above it at ``high``.

    False position with the Illinois halving, and a bisection wherever that is slow.
    """
    at_low, at_high = function(low), function(high)
    for step in range(_STEPS):
        if at_high == 0 or high - low <= _PRECISION * abs(high):
            return high
        middle = (
            (low + high) / 2
            if step % 3 == 2
            else high - at_high * (high - low) / (at_high - at_low)
        )
        if not low < middle < high:
            middle = (low + high) / 2
            if not low < middle < high:
                return high
        value = function(middle)
        if value > 0:
            low, at_low = middle, value
            at_high /= 2
        else:
            high, at_high = middle, value
            at_low /= 2
    return high
