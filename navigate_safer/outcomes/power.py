"""How likely a comparison of two periods is to notice a true change; shown beside "no change"."""

import math
from statistics import NormalDist
from typing import Annotated

import msgspec
import numpy as np
from scipy.special import betainc, gammaln, xlogy

from navigate_safer.outcomes.policy import POLICY, TAIL, Z
from navigate_safer.outcomes.refusal import LARGEST
from navigate_safer.outcomes.roots import crossing

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


def _exact(before: float, after: float, time_ratio: float) -> float:
    """Sum over totals N of P(N) times the chance that the test given N rejects."""
    mean, null = before + after, time_ratio / (1 + time_ratio)
    away = _SPREAD * math.sqrt(mean) + 20
    totals = np.arange(max(1, math.floor(mean - away)), math.ceil(mean + away) + 1)
    weights = np.exp(xlogy(totals, mean) - mean - gammaln(totals + 1))
    truth = after / mean
    chances = [_rejected(int(total), null, truth) for total in totals]
    return min(1.0, float(weights @ np.asarray(chances)))


def _rejected(total: int, null: float, truth: float) -> float:
    """P(the exact interval of the ratio leaves out 1) when each event is after with ``truth``."""
    outcomes = np.arange(total + 1)
    at_most = np.append(betainc(total - outcomes[:-1], outcomes[:-1] + 1, 1 - null), 1.0)
    at_least = np.append(1.0, betainc(outcomes[1:], total - outcomes[1:] + 1, null))
    few, many = int((at_most < TAIL).sum()), int((at_least < TAIL).sum())
    chance = 0.0
    if few:
        chance += float(betainc(total - few + 1, few, 1 - truth))
    if many:
        chance += float(betainc(total - many + 1, many, truth))
    return chance
