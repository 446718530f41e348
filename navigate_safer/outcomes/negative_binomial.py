"""NB2 by maximum likelihood for two periods: mean rate x days, variance mean + alpha mean^2."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from navigate_safer.outcomes.roots import crossing, falling_root

Floats = npt.NDArray[np.float64]

# Where alpha is looked for before it is found to the last digit: from all but Poisson to counts
# of which nearly all are zero.
_GRID = tuple(10.0**power for power in range(-6, 7))
# Below this the closed forms lose digits, and their series are exact.
_SMALL = 0.02
_TERMS = np.arange(12)
_H1 = (-1.0) ** _TERMS * (_TERMS + 1) / (_TERMS + 2)
_H2 = (_H1 * _TERMS)[1:]


class Rows(NamedTuple):
    """One period's counts and days at risk (above 0), one entry a person."""

    counts: Floats
    days: Floats


class Fit(NamedTuple):
    """Rates per day, alpha (0 where the data are no wider than Poisson), and log-ratio's variance.

    ``variance`` is that of log(rate after / rate before), from the observed information of both
    rates and alpha together; None where it cannot be had.
    """

    rates: tuple[float, float]
    alpha: float
    variance: float | None


def fit(pre: Rows, post: Rows) -> Fit:
    """The maximum of the likelihood over both rates and alpha >= 0.

    For a given alpha each period's rate has one equation with one root. The likelihood that is
    left depends on alpha alone: its best point of a grid is refined where its slope is zero. Where
    it falls from alpha = 0 on, the fit is the Poisson model, with alpha exactly 0. A period
    without an event has the rate 0. Source: Cameron and Trivedi, Regression Analysis of Count
    Data, section 3.3 (NB2).
    """
    model = _Model(pre, post)
    best = max(range(len(_GRID)), key=lambda number: model.likelihood(_GRID[number]))
    low = _GRID[best - 1] if best else 0.0
    high = _GRID[min(best + 1, len(_GRID) - 1)]
    if best == 0 and model.slope(0.0) <= 0:
        alpha = 0.0
    elif best == len(_GRID) - 1 or not (model.slope(low) > 0 >= model.slope(high)):
        alpha = _GRID[best]
    else:
        alpha = crossing(model.slope, low, high)
    return Fit(model.rates(alpha), alpha, model.variance(alpha))


class _Model:
    def __init__(self, pre: Rows, post: Rows) -> None:
        self.periods = (pre, post)
        counts = np.concatenate((pre.counts, post.counts)).astype(np.int64)
        # How many rows have more than j events: sum of log(1 + alpha j) is the gamma part.
        self.more_than = len(counts) - np.cumsum(np.bincount(counts))[:-1].astype(float)
        self.steps = np.arange(len(self.more_than), dtype=float)
        self.start = [math.log(max(r.counts.sum(), 1e-300) / r.days.sum()) for r in (pre, post)]

    def rates(self, alpha: float) -> tuple[float, float]:
        found = []
        for number, rows in enumerate(self.periods):
            if not rows.counts.any():
                found.append(0.0)
                continue
            log_rate = falling_root(_score_of(rows, alpha), self.start[number])
            self.start[number] = log_rate  # the next alpha's is near
            found.append(math.exp(log_rate))
        return found[0], found[1]

    def likelihood(self, alpha: float) -> float:
        """Log likelihood at the best rates for this alpha, up to a constant."""
        total = float(self.more_than @ np.log1p(alpha * self.steps))
        for rows, rate in zip(self.periods, self.rates(alpha), strict=True):
            if rate:
                mean = rate * rows.days
                part = np.log1p(alpha * mean) / alpha
                each = rows.counts * (np.log(mean) - alpha * part) - part
                total += float(each.sum())
        return total

    def slope(self, alpha: float) -> float:
        """How that likelihood changes with alpha."""
        total = float(self.more_than @ (self.steps / (1 + alpha * self.steps)))
        for rows, rate in zip(self.periods, self.rates(alpha), strict=True):
            mean = rate * rows.days
            part = mean * mean * _h1(alpha * mean) - rows.counts * mean / (1 + alpha * mean)
            total += float(part.sum())
        return total

    def variance(self, alpha: float) -> float | None:
        """Of the log of the ratio of both rates, alpha being estimated too."""
        squares = (self.steps / (1 + alpha * self.steps)) ** 2
        of_alpha = float(self.more_than @ squares)
        both, lean = 0.0, []
        for rows, rate in zip(self.periods, self.rates(alpha), strict=True):
            mean = rate * rows.days
            shrunk = mean / (1 + alpha * mean)
            of_alpha -= float((mean**3 * _h2(alpha * mean) + rows.counts * shrunk**2).sum())
            information = float((shrunk * (1 + alpha * rows.counts) / (1 + alpha * mean)).sum())
            if information <= 0:
                return None
            mixed = float((shrunk * (rows.counts - mean) / (1 + alpha * mean)).sum())
            of_alpha -= mixed**2 / information
            both += 1 / information
            lean.append(mixed / information)
        if alpha == 0:  # a bound, not an estimate: the Poisson model's own variance
            return both
        return both + (lean[0] - lean[1]) ** 2 / of_alpha if of_alpha > 0 else None


def _score_of(rows: Rows, alpha: float) -> Callable[[float], tuple[float, float]]:
    def score(log_rate: float) -> tuple[float, float]:
        mean = math.exp(log_rate) * rows.days
        below = 1 + alpha * mean
        value = float(((rows.counts - mean) / below).sum())
        return value, -float((mean * (1 + alpha * rows.counts) / below**2).sum())

    return score


def _h1(u: Floats) -> Floats:
    """(log(1+u) - u/(1+u)) / u^2."""
    safe = np.where(u < _SMALL, 1.0, u)
    closed = (np.log1p(safe) - safe / (1 + safe)) / safe**2
    found: Floats = np.where(u < _SMALL, np.polynomial.polynomial.polyval(u, _H1), closed)
    return found


def _h2(u: Floats) -> Floats:
    """The slope of the above."""
    safe = np.where(u < _SMALL, 1.0, u)
    shrunk = safe / (1 + safe)
    closed = (2 * shrunk + shrunk**2 - 2 * np.log1p(safe)) / safe**3
    found: Floats = np.where(u < _SMALL, np.polynomial.polynomial.polyval(u, _H2), closed)
    return found
