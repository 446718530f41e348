"""How likely a comparison of two periods is to notice a true change; shown beside "no change"."""

import math
from statistics import NormalDist
from typing import Annotated

import msgspec
import numpy as np
import numpy.typing as npt
from scipy.special import betainc, gammaln, xlogy

from navigate_safer.outcomes.policy import POLICY, TAIL, Z
from navigate_safer.outcomes.refusal import LARGEST
from navigate_safer.outcomes.roots import crossing

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

# Expected events before up to which the exact sum is used; above it the normal agrees to a
# thousandth and costs nothing.
_EXACT_UP_TO = 3_000
# How far the sum over totals goes from their mean: beyond, less than 1e-12 is left.
_SPREAD = 8


class Design(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A comparison before it is made.

    ``events_before`` is the expected count of the first period, ``time_ratio`` days at risk after
    over before, ``dispersion`` how many times wider than Poisson counts are.
    """

    events_before: Annotated[float, msgspec.Meta(gt=0, le=LARGEST)]
    time_ratio: Annotated[float, msgspec.Meta(gt=0, le=LARGEST)] = 1.0
    dispersion: Annotated[float, msgspec.Meta(ge=1, le=LARGEST)] = 1.0


def power(design: Design, rate_ratio: float) -> float:
    """The chance that a two-sided test at 5 % notices a true rate ratio (above 0).

    Without dispersion: of the exact conditional test, summed over all pairs of Poisson counts.
    With it: of the quasi-Poisson test, log ratio over sqrt(dispersion (1/x0 + 1/x1)), where the
    far tail is left out.
    """
    after = design.events_before * design.time_ratio * rate_ratio
    if design.dispersion == 1 and design.events_before + after <= _EXACT_UP_TO:
        return _exact(design.events_before, after, design.time_ratio)
    error = math.sqrt(design.dispersion * (1 / design.events_before + 1 / after))
    return NormalDist().cdf(abs(math.log(rate_ratio)) / error - Z)


def smallest_fall(design: Design, wanted: float = POLICY.power_wanted) -> float | None:
    """The smallest fall, as a share, that is noticed with the chance wanted; None if none is.

    0.23 says that a true fall of 23 % is found four times of five, and that "no change" rules out
    no smaller one.
    """
    most = 1 - 1e-6

    def missing(fall: float) -> float:
        return wanted - power(design, 1 - fall)

    # The power may turn back where nearly nothing is left to count, so look for the first fall.
    falls = [step / 50 for step in range(1, 50)] + [most]
    for before, fall in zip([1e-9, *falls], falls, strict=False):
        if missing(fall) <= 0:
            return crossing(missing, before, fall)
    return None


def smallest_fall_of(log_error: float, wanted: float = POLICY.power_wanted) -> float:
    """The smallest fall noticed with the chance wanted, from the standard error of a log ratio.

    A two-sided test at 5 % of log ratio / error; the far tail is left out.
    """
    return 1 - math.exp(-(Z + NormalDist().inv_cdf(wanted)) * log_error)


def _exact(before: float, after: float, time_ratio: float) -> float:
    """Sum over totals N of P(N) times the chance that the test given N rejects."""
    mean, null = before + after, time_ratio / (1 + time_ratio)
    away = _SPREAD * math.sqrt(mean) + 20
    totals = np.arange(max(1, math.floor(mean - away)), math.ceil(mean + away) + 1)
    weights = np.exp(xlogy(totals, mean) - mean - gammaln(totals + 1))
    truth = after / mean
    # The exact interval leaves out 1 where few enough, or many enough, of the events are after.
    few, many = _rejected(totals, null), _rejected(totals, 1 - null)
    chance = _fewer(few, totals, truth) + _fewer(many, totals, 1 - truth)
    return min(1.0, float(weights @ chance))


def _fewer(outcomes: Integers, totals: Integers, share: float) -> Floats:
    """P(X < outcome) for a binomial X of each total."""
    upper = np.maximum(outcomes, 1)
    found: Floats = np.where(
        outcomes > totals, 1.0, betainc(np.maximum(totals - upper + 1, 1), upper, 1 - share)
    )
    return np.where(outcomes <= 0, 0.0, found)


def _rejected(totals: Integers, share: float) -> Integers:
    """How many outcomes from 0 on are together less likely than one tail, for each total."""
    low, high = np.zeros_like(totals), totals.copy()
    while (low < high).any():
        middle = (low + high) // 2
        enough = _fewer(middle + 1, totals, share) >= TAIL
        high = np.where(enough, middle, high)
        low = np.where(enough, low, middle + 1)
    return low
