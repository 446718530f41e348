"""Learn the last correction of what is stated (:mod:`zones.correction`) from worlds at random.

What is learnt is the share that was so at each decile of what was stated, made monotone, as what
takes the place of the correction in force. The worlds of the benchmark itself are left out, so
that its calibration table is of worlds on which nothing was learnt.
"""

from collections.abc import Sequence

import numpy as np

from navigate_safer.demo.place_scores import DECILES, ENOUGH, Score

# No knot may move further than this from what is stated: past it the model is to be mended.
MOST = 0.15
# Knots keep apart, so that what is likelier stays so.
_LEAST_STEP = 0.01


def learnt(score: Score, current: Sequence[float]) -> list[float]:
    """What was so at stated 0, 10, ... 100 %, without the correction ``current`` that was used."""
    stated, so, weight = [0.0], [0.0], [1e12]
    for n in range(DECILES):
        if score.number[n] >= ENOUGH:
            stated.append(score.stated[n] / score.number[n])
            so.append(score.observed[n] / score.number[n])
            weight.append(score.number[n])
    so = _rising([*so, 1.0], [*weight, 1e12])
    at = np.interp(current, [*stated, 1.0], so)
    knots = np.clip(at, np.arange(DECILES + 1) / DECILES - MOST, None)
    knots = np.minimum(knots, np.arange(DECILES + 1) / DECILES + MOST)
    return [0.0, *_apart([round(float(each), 3) for each in knots[1:-1]]), 1.0]


def _rising(values: list[float], weights: list[float]) -> list[float]:
    """The nearest values that never fall: neighbours that do are pooled."""
    pools: list[list[float]] = []
    for value, weight in zip(values, weights, strict=True):
        pools.append([value, weight, 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            late, early = pools.pop(), pools.pop()
            both = early[1] + late[1]
            mean = (early[0] * early[1] + late[0] * late[1]) / both
            pools.append([mean, both, early[2] + late[2]])
    return [value for value, _, count in pools for _ in range(int(count))]


def _apart(knots: list[float]) -> list[float]:
    found: list[float] = []
    for knot in knots:
        least = (found[-1] if found else 0.0) + _LEAST_STEP
        found.append(round(max(knot, least), 3))
    return found
