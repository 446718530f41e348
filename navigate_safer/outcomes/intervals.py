"""Exact intervals and tests for counts and shares. scipy gives the inverse beta and gamma."""

import math

from scipy.special import betainc, betainccinv, betaincinv, gammainccinv, gammaincinv

from navigate_safer.outcomes.estimate import Interval, OpenInterval
from navigate_safer.outcomes.policy import TAIL, Z

# Two outcomes count as equally likely within this share; R and scipy use the same.
_TIE = 1e-7


def wilson(successes: int, of: int) -> Interval:
    """Wilson's score interval of a share, without continuity correction.

    (p + z^2/2n +- z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n); Wilson, JASA 22 (1927). ``of`` > 0.
    """
    share, spread = successes / of, Z * Z / of
    middle = share + spread / 2
    half = math.sqrt(spread * share * (1 - share) + spread * spread / 4)
    low = 0.0 if successes == 0 else (middle - half) / (1 + spread)
    high = 1.0 if successes == of else (middle + half) / (1 + spread)
    return low, high


def clopper_pearson(successes: int, of: int) -> Interval:
    """Exact interval of a share: the tails of the binomial; Clopper and Pearson, Biometrika 26.

    The ends are exactly 0 without a success and 1 without a failure. ``of`` > 0.
    """
    failures = of - successes
    low = 0.0 if successes == 0 else float(betaincinv(successes, failures + 1, TAIL))
    high = 1.0 if failures == 0 else float(betainccinv(successes + 1, failures, TAIL))
    return low, high


def odds_clopper_pearson(successes: int, failures: int) -> OpenInterval:
    """The exact interval of the odds successes : failures; no upper limit without failures.

    p/(1-p) of both Clopper-Pearson ends, with 1-p taken from the mirrored distribution, so that
    nothing is lost where p is near 1.
    """
    low, high = 0.0, None
    if successes:
        low = float(
            betaincinv(successes, failures + 1, TAIL) / betainccinv(failures + 1, successes, TAIL)
        )
    if failures:
        high = float(
            betainccinv(successes + 1, failures, TAIL) / betaincinv(failures, successes + 1, TAIL)
        )
    return low, high


def poisson_exact(events: int) -> Interval:
    """Exact interval of a Poisson mean: half the chi-square quantiles (Garwood 1936)."""
    low = 0.0 if events == 0 else float(gammaincinv(events, TAIL))
    return low, float(gammainccinv(events + 1, TAIL))


def binomial_two_sided(successes: int, of: int, share: float, rest: float) -> float:
    """The exact p value of a binomial test: all outcomes at most as likely as what was seen.

    ``rest`` is 1 - share, given apart so that a tiny one keeps its digits; both are above 0.
    """
    expected = of * share
    if successes == expected:
        return 1.0
    seen = _log_pmf(successes, of, share, rest) + math.log1p(_TIE)
    if successes < expected:
        low, high = math.ceil(expected), of
        while low <= high:  # the smallest outcome above that is as unlikely
            middle = (low + high) // 2
            if _log_pmf(middle, of, share, rest) <= seen:
                high = middle - 1
            else:
                low = middle + 1
        return min(1.0, _at_most(successes, of, rest) + _at_least(low, of, share))
    low, high = 0, math.floor(expected)
    while low <= high:  # the largest outcome below that is as unlikely
        middle = (low + high) // 2
        if _log_pmf(middle, of, share, rest) <= seen:
            low = middle + 1
        else:
            high = middle - 1
    return min(1.0, _at_most(high, of, rest) + _at_least(successes, of, share))


def _at_most(outcome: int, of: int, rest: float) -> float:
    if outcome < 0:
        return 0.0
    return 1.0 if outcome >= of else float(betainc(of - outcome, outcome + 1, rest))


def _at_least(outcome: int, of: int, share: float) -> float:
    if outcome > of:
        return 0.0
    return 1.0 if outcome <= 0 else float(betainc(outcome, of - outcome + 1, share))


def _log_pmf(outcome: int, of: int, share: float, rest: float) -> float:
    """Log of the binomial probability by Loader's saddle point: exact to the last digits.

    Differences of log gamma lose them at counts of millions. C. Loader, "Fast and accurate
    computation of binomial probabilities" (2000).
    """
    if outcome == 0:
        return of * math.log(rest) if rest < 0.5 else of * math.log1p(-share)
    if outcome == of:
        return of * math.log(share) if share < 0.5 else of * math.log1p(-rest)
    other = of - outcome
    away = _deviance(outcome, of * share) + _deviance(other, of * rest)
    stirling = _stirling_error(of) - _stirling_error(outcome) - _stirling_error(other)
    return stirling - away - math.log(2 * math.pi * outcome * other / of) / 2


def _stirling_error(count: int) -> float:
    """Log n! less Stirling's sqrt(2 pi n) (n/e)^n."""
    if count < 16:
        return math.lgamma(count + 1) - (
            (count + 0.5) * math.log(count) - count + math.log(2 * math.pi) / 2
        )
    square = count * count
    series = 1 / 1260 - (1 / 1680 - 1 / 1188 / square) / square
    return (1 / 12 - (1 / 360 - series / square) / square) / count


def _deviance(seen: float, mean: float) -> float:
    """Seen log(seen/mean) + mean - seen, without cancellation where both are near."""
    gap = seen - mean
    if abs(gap) >= 0.1 * (seen + mean):
        return seen * math.log(seen / mean) + mean - seen
    part = gap / (seen + mean)
    total, power, number = gap * part, 2 * seen * part, 1
    while True:
        power *= part * part
        more = total + power / (2 * number + 1)
        if more == total:
            return total
        total, number = more, number + 1
