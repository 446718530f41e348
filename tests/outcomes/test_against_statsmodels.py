"""The models against another implementation, and huge counts against thirty digits."""

import warnings

import mpmath
import numpy as np
import pytest
from scipy.stats import binomtest

from navigate_safer.outcomes.intervals import (
    binomial_two_sided,
    clopper_pearson,
    odds_clopper_pearson,
    poisson_exact,
)
from navigate_safer.outcomes.negative_binomial import Rows, fit
from navigate_safer.outcomes.overdispersion import People, overdispersed
from navigate_safer.outcomes.survival import Group, at_day, kaplan_meier
from navigate_safer.outcomes.two_curves import Study, survival

with warnings.catch_warnings():
    # Its import warns of what other libraries will change.
    warnings.simplefilter("ignore")
    import statsmodels.api as sm
    from statsmodels.duration.hazard_regression import PHReg
    from statsmodels.duration.survfunc import SurvfuncRight, survdiff

pytestmark = pytest.mark.filterwarnings("ignore")


def about(value, rel=1e-6):
    return pytest.approx(value, rel=rel)


def cohort(seed, people, mean, alpha):
    """Counts, days at risk: NB2 by person and period, with all sorts of days."""
    draw = np.random.default_rng(seed)
    days = draw.uniform(100, 365, people), draw.uniform(5, 365, people)
    shape = 1 / alpha
    counts = [draw.poisson(mean * each / 365 * draw.gamma(shape, alpha, people)) for each in days]
    return counts[0], counts[1], days[0], days[1]


COHORTS = [
    pytest.param(1, 12, 3.0, 0.5, id="twelve people"),
    pytest.param(2, 156, 1.7, 1.8, id="the seeds' cohort at dispersion 4"),
    pytest.param(3, 400, 0.3, 3.0, id="rare events, wide"),
    pytest.param(4, 60, 20.0, 0.1, id="frequent events, narrow"),
    pytest.param(5, 1_160, 0.8, 1.0, id="as many as the victims"),
]


@pytest.mark.parametrize(("seed", "people", "mean", "alpha"), COHORTS)
def test_the_models_of_counts_agree(seed, people, mean, alpha):
    y0, y1, t0, t1 = cohort(seed, people, mean, alpha)
    ours = overdispersed(People(*(tuple(each.tolist()) for each in (y0, y1, t0, t1))))
    counts = np.concatenate((y0, y1))
    design = sm.add_constant(np.repeat([0.0, 1.0], people))
    offset = np.log(np.concatenate((t0, t1)))
    who = np.tile(np.arange(people), 2)

    poisson = sm.GLM(counts, design, sm.families.Poisson(), offset=offset).fit(tol=1e-13)
    assert ours.poisson_rate_ratio == about(np.exp(poisson.params[1]))
    assert ours.poisson_model_ci95 == about(tuple(np.exp(poisson.conf_int()[1])))
    assert ours.poisson_pearson_dispersion == about(poisson.pearson_chi2 / poisson.df_resid)

    gee = sm.GEE(counts, design, who, family=sm.families.Poisson(), offset=offset).fit(ctol=1e-12)
    assert ours.gee_rate_ratio == about(np.exp(gee.params[1]))
    assert ours.gee_robust_ci95 == about(tuple(np.exp(gee.conf_int()[1])))

    start = np.append(poisson.params, 0.8 * ours.nb2_alpha)
    model = sm.NegativeBinomial(counts, design, offset=offset)
    nb2 = model.fit(start_params=start, method="newton", maxiter=500, tol=1e-13, disp=0)
    assert nb2.mle_retvals["converged"]
    assert ours.nb2_alpha == about(nb2.params[2])
    assert ours.nb2_rate_ratio == about(np.exp(nb2.params[1]))
    assert ours.nb2_ci95 == about(tuple(np.exp(nb2.conf_int()[1])))

    # Given the total of a person, the count after is binomial.
    some = y0 + y1 > 0
    pairs, odds = np.column_stack((y1, y0))[some], np.log(t1 / t0)[some]
    within = sm.GLM(pairs, np.ones((len(pairs), 1)), sm.families.Binomial(), offset=odds)
    fixed = within.fit(tol=1e-13)
    assert ours.fixed_effects_rate_ratio == about(np.exp(fixed.params[0]))
    assert ours.fixed_effects_ci95 == about(tuple(np.exp(fixed.conf_int()[0])))


@pytest.mark.parametrize("alpha", [1e-7, 1e-4, 1e-2, 0.3, 30.0])
def test_nb2_finds_the_top_of_the_likelihood(alpha):
    draw = np.random.default_rng(8)
    days = draw.uniform(1, 400, 300)
    rows = [
        Rows(draw.poisson(mean * days * draw.gamma(1 / alpha, alpha, 300)).astype(float), days)
        for mean in (0.05, 0.02)
    ]
    found = fit(*rows)

    def likelihood(rates, width):
        total = 0.0
        for (counts, at_risk), rate in zip(rows, rates, strict=True):
            for count, day in zip(counts, at_risk, strict=True):
                mean = rate * day
                if width == 0:
                    total += count * np.log(mean) - mean
                else:
                    total += count * np.log(mean) - (count + 1 / width) * np.log1p(width * mean)
                    total += np.log1p(width * np.arange(count)).sum()
        return total

    best = likelihood(found.rates, found.alpha)
    for number in (0, 1):
        for factor in (0.999, 1.001):
            rates = [rate * factor if n == number else rate for n, rate in enumerate(found.rates)]
            assert likelihood(rates, found.alpha) < best
    others = [found.alpha * factor for factor in (0.5, 0.99, 1.01, 2)] if found.alpha else []
    for other in [*others, 1e-6, 1e-3, 0.1, 1.0, 10.0]:
        assert likelihood(found.rates, other) <= best


def group(seed, people, scale, coarse):
    draw = np.random.default_rng(seed)
    time = np.ceil(draw.exponential(scale, people) / coarse) * coarse
    watched = draw.integers(1, 300, people)
    return np.minimum(time, watched), (time <= watched).astype(int)


def as_group(times, events):
    return Group(tuple(times.tolist()), tuple(events.tolist()))


@pytest.mark.parametrize("coarse", [1, 30, 90], ids=["days", "months", "quarters: many ties"])
@pytest.mark.parametrize("scale", [60, 150, 600])
def test_survival_agrees(coarse, scale):
    first, second = group(1, 90, 150, coarse), group(2, 140, scale, coarse)
    ours = survival(Study({"first": as_group(*first), "second": as_group(*second)}, (), 30))
    times, events = (np.concatenate(each) for each in zip(first, second, strict=True))
    treated = np.repeat([1.0, 0.0], [90, 140])

    chi2, p_value = survdiff(times, events, treated)
    assert ours.logrank_chi2 == about(chi2)
    assert ours.logrank_p == pytest.approx(p_value, rel=1e-6, abs=1e-12)

    cox = PHReg(times, treated[:, None], events, ties="efron").fit(method="newton", disp=0)
    assert ours.cox_hr == about(np.exp(cox.params[0]))
    assert ours.cox_hr_ci95 == about(tuple(np.exp(cox.conf_int()[0])))

    curve, theirs = kaplan_meier(as_group(*first)), SurvfuncRight(*first)
    where = {time: n for n, time in enumerate(theirs.surv_times)}
    for day in curve.times[:-1]:
        found = at_day(curve, day)
        assert found.survival == about(theirs.surv_prob[where[day]])
        assert found.greenwood_se == about(theirs.surv_prob_se[where[day]])


@pytest.mark.parametrize(
    ("successes", "of", "share"),
    [
        (499_960_000, 10**9, 0.5),
        (40_003_000, 10**8, 0.4),
        (299_100, 10**6, 0.3),
        (3, 10**9, 1e-8),
        (10**6, 10**6, 0.999999),
    ],
)
def test_a_test_of_millions_of_events_keeps_its_digits(successes, of, share):
    ours = binomial_two_sided(successes, of, share, 1 - share)
    assert ours == about(binomtest(successes, of, share).pvalue)


@pytest.mark.parametrize(("events", "others"), [(3, 10**9), (10**9, 5), (10**6, 2 * 10**6), (1, 1)])
def test_limits_of_huge_and_lopsided_counts_keep_their_digits(events, others):
    low, high = odds_clopper_pearson(events, others)
    with mpmath.workdps(30):
        for odds, a, b, tail in (
            (low, events, others + 1, 0.025),
            (high, events + 1, others, 0.975),
        ):
            # P(Beta(a, b) <= p) at p = odds / (1 + odds) is the tail; the density turns what is
            # missing into a relative error of the odds.
            p = mpmath.mpf(odds) / (1 + mpmath.mpf(odds))
            got = mpmath.betainc(a, b, 0, p, regularized=True) if a + b < 10**4 else None
            if got is not None:
                assert float(got) == about(tail)
    share = clopper_pearson(events, events + others)
    assert low / (1 + low) == about(share[0])
    assert high / (1 + high) == about(share[1])


@pytest.mark.parametrize("events", [1, 9, 1_000, 10**6])
def test_limits_of_a_poisson_count_leave_two_and_a_half_per_cent(events):
    low, high = poisson_exact(events)
    with mpmath.workdps(30):
        over = mpmath.gammainc(events, 0, low, regularized=True)
        under = mpmath.gammainc(events + 1, high, mpmath.inf, regularized=True)
    assert float(over) == about(0.025, rel=1e-5)
    assert float(under) == about(0.025, rel=1e-5)
