"""How far the count of people picked at their worst falls by itself."""

import math
from typing import Annotated

import msgspec
from scipy.special import betainccinv, betaincinv

from navigate_safer.outcomes.estimate import Estimate, Interval, Reasons
from navigate_safer.outcomes.intervals import poisson_exact
from navigate_safer.outcomes.policy import TAIL
from navigate_safer.outcomes.refusal import LARGEST, Amount, Count


class Selected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Counts of those picked, and the mean and shape of all known perpetrators' rates.

    ``mu`` and ``k`` come from the whole known population over a window of the same length, never
    from those who were picked.
    """

    mu: Amount
    k: Annotated[float, msgspec.Meta(gt=0, le=LARGEST)]
    pre_counts_of_selected: tuple[Count, ...]
    observed_post_total: Count


class RegressionToMean(Estimate, frozen=True, kw_only=True):
    """Changes in per cent; ``observed_over_expected`` below 1 is better than no effect."""

    pre_total: int
    naive_percent_change: float | None
    expected_post_no_effect: float
    percent_change_expected_from_rtm_alone: float | None
    observed_over_expected: float | None
    observed_over_expected_ci95: Interval | None


def regression_to_mean(selected: Selected) -> RegressionToMean:
    """What would have been seen after with no effect at all, and what was seen against it.

    Rates are gamma distributed with mean mu and shape k, counts Poisson given the rate. After a
    count x a person's expected next count in a window of the same length is mu (k + x)/(k + mu).
    The interval is the exact (chi-square) Poisson interval of the observed total, over the
    expected one; it takes mu, k and the expectation as known, and so is for these people's own
    rates: as an interval for the effect on others it is too narrow. Source: empirical Bayes of
    before-and-after counts, Hauer, Accident Analysis and Prevention 12 (1980); Garwood (1936).
    """
    mu, k = selected.mu, selected.k
    before, after = sum(selected.pre_counts_of_selected), selected.observed_post_total
    expected = math.fsum(mu * (k + count) / (k + mu) for count in selected.pre_counts_of_selected)
    reasons: Reasons = {}
    if not before:
        why = "no event before" if selected.pre_counts_of_selected else "nobody was selected"
        reasons["naive_percent_change"] = reasons["percent_change_expected_from_rtm_alone"] = why
    interval: Interval | None = None
    if expected > 0:
        low, high = poisson_exact(after)
        interval = low / expected, high / expected
    else:
        why = "no event is expected" if selected.pre_counts_of_selected else "nobody was selected"
        reasons["observed_over_expected"] = reasons["observed_over_expected_ci95"] = why
    return RegressionToMean(
        pre_total=before,
        naive_percent_change=100 * (after - before) / before if before else None,
        expected_post_no_effect=expected,
        percent_change_expected_from_rtm_alone=100 * (expected - before) / before
        if before
        else None,
        observed_over_expected=after / expected if expected > 0 else None,
        observed_over_expected_ci95=interval,
        reasons=reasons,
    )


def effect_ci95(selected: Selected) -> Interval | None:
    """How many times what was to be expected the true number is, allowing for people's own rates.

    :func:`regression_to_mean` takes the expectation as known, but a person's true rate is spread
    about it: the next total varies by the sum of m + m mu/(k + mu), m being the expected next count
    of each. After the counts, the sum of the true rates is gamma with shape n k + sum(x) and rate
    (k + mu)/mu, so the next total is negative binomial; each end is the effect at which the
    observed total, or one further out, has a chance of 2.5 %. None where nothing is expected. It
    still takes mu and k as known. Source: Hauer, Observational Before-After Studies (1997).
    """
    mu, k = selected.mu, selected.k
    shape = len(selected.pre_counts_of_selected) * k + sum(selected.pre_counts_of_selected)
    if not mu or not shape:
        return None
    events, rate = selected.observed_post_total, (k + mu) / mu
    # With p = rate/(rate + effect) the chance of at most y is I_p(shape, y + 1); odds both ways.
    high = betainccinv(events + 1, shape, TAIL) / betaincinv(shape, events + 1, TAIL)
    low = betaincinv(events, shape, TAIL) / betainccinv(shape, events, TAIL) if events else 0.0
    return float(low) * rate, float(high) * rate
