"""Invented cohorts whose truth is known, and what each measure's interval says of them.

A world draws one cohort and gives, by the name of an interval, the interval and the truth that it
should hold. The sizes are those of the seeds: 156 people, 1.7 arrests a person and year, 35 % fewer
after.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from navigate_safer.outcomes.before_after import Totals, compare
from navigate_safer.outcomes.comparison_group import Groups, comparison_group
from navigate_safer.outcomes.estimate import OpenInterval
from navigate_safer.outcomes.intervals import clopper_pearson, wilson
from navigate_safer.outcomes.overdispersion import People, overdispersed
from navigate_safer.outcomes.policy import DAYS_A_YEAR
from navigate_safer.outcomes.regression_to_mean import Selected, regression_to_mean
from navigate_safer.outcomes.survival import Group, at_day, kaplan_meier
from navigate_safer.outcomes.two_curves import Study, survival

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[Any]

PEOPLE = 156
MEAN = 1.7
TRUE_RATIO = 0.65
DISPERSION = 4.0
# Gamma shape that makes the counts of the period before so many times wider than Poisson.
SHAPE = MEAN / (DISPERSION - 1)
BINARY_RATE = 0.273  # adults' proven re-offending, April to June 2023
HAZARD_RATIO = 0.65
KM_DAY = 180

# Name of the interval, the interval (None where it cannot be had) and the truth.
Claim = tuple[str, OpenInterval | None, float]


class World(NamedTuple):
    """One situation, and which intervals are right in it."""

    name: str
    draw: Callable[[np.random.Generator], Iterator[Claim]]
    right: frozenset[str]


def _people(pre: Numbers, post: Numbers, days_pre: Floats, days_post: Floats) -> Iterator[Claim]:
    totals = Totals(int(pre.sum()), float(days_pre.sum()), int(post.sum()), float(days_post.sum()))
    plain = compare(totals)
    rows = overdispersed(
        People(
            tuple(pre.astype(int).tolist()),
            tuple(post.astype(int).tolist()),
            tuple(days_pre.tolist()),
            tuple(days_post.tolist()),
        )
    )
    yield "exact", plain.exact_ci95, TRUE_RATIO
    yield "Wald", plain.wald_log_ci95, TRUE_RATIO
    yield "GEE robust", rows.gee_robust_ci95, TRUE_RATIO
    yield "NB2", rows.nb2_ci95, TRUE_RATIO
    yield "fixed effects", rows.fixed_effects_ci95, TRUE_RATIO


def _year() -> Floats:
    return np.full(PEOPLE, float(DAYS_A_YEAR))


def alike(draw: np.random.Generator) -> Iterator[Claim]:
    """Everybody has the same rate: chance is all there is."""
    pre, post = draw.poisson(MEAN, PEOPLE), draw.poisson(MEAN * TRUE_RATIO, PEOPLE)
    return _people(pre, post, _year(), _year())


def own_rate(draw: np.random.Generator) -> Iterator[Claim]:
    """People differ, and each keeps his own rate; everybody is at risk all year."""
    rates = draw.gamma(SHAPE, MEAN / SHAPE, PEOPLE)
    return _people(draw.poisson(rates), draw.poisson(rates * TRUE_RATIO), _year(), _year())


def drawn_anew(draw: np.random.Generator) -> Iterator[Claim]:
    """People differ, and whom it hits changes from period to period."""
    before = draw.gamma(SHAPE, MEAN / SHAPE, PEOPLE)
    after = draw.gamma(SHAPE, MEAN / SHAPE, PEOPLE) * TRUE_RATIO
    return _people(draw.poisson(before), draw.poisson(after), _year(), _year())


def locked_up(draw: np.random.Generator) -> Iterator[Claim]:
    """Each keeps his own rate, and the higher it is the longer he is in custody after."""
    rates = draw.gamma(SHAPE, MEAN / SHAPE, PEOPLE)
    days = np.maximum(_year() / (1 + rates / MEAN), 30)
    after = rates * TRUE_RATIO * days / DAYS_A_YEAR
    return _people(draw.poisson(rates), draw.poisson(after), _year(), days)


def reoffenders(draw: np.random.Generator) -> Iterator[Claim]:
    """A share of people who reoffend."""
    count = int(draw.binomial(PEOPLE, BINARY_RATE))
    yield "Wilson", wilson(count, PEOPLE), BINARY_RATE
    yield "Clopper-Pearson", clopper_pearson(count, PEOPLE), BINARY_RATE


def first_events(draw: np.random.Generator) -> Iterator[Claim]:
    """Whole days at risk to the first event; custody takes up to a third of the year away."""
    hazards = (HAZARD_RATIO * MEAN / DAYS_A_YEAR, MEAN / DAYS_A_YEAR)
    groups = {}
    for name, hazard in zip(("treated", "others"), hazards, strict=True):
        time = np.ceil(draw.exponential(1 / hazard, PEOPLE))
        watched = DAYS_A_YEAR - draw.integers(0, DAYS_A_YEAR // 3, PEOPLE)
        event = time <= watched
        groups[name] = Group(
            tuple(np.minimum(time, watched).tolist()), tuple(event.astype(int).tolist())
        )
    curve = kaplan_meier(groups["treated"])
    yield (
        "Kaplan-Meier log(-log)",
        at_day(curve, KM_DAY).loglog_ci95,
        math.exp(-hazards[0] * KM_DAY),
    )
    yield "Cox, Efron", survival(Study(groups)).cox_hr_ci95, HAZARD_RATIO


def picked_at_worst(draw: np.random.Generator) -> Iterator[Claim]:
    """The worst of 2,000 known people, picked by their counts; the effect is real."""
    rates = draw.gamma(SHAPE, MEAN / SHAPE, 2_000)
    before = draw.poisson(rates)
    picked = np.argsort(-before, kind="stable")[:PEOPLE]
    truth = float(rates[picked].sum()) * TRUE_RATIO
    after = int(draw.poisson(truth))
    counts = tuple(before[picked].tolist())
    found = regression_to_mean(Selected(MEAN, SHAPE, counts, after))
    own = truth / found.expected_post_no_effect
    yield "observed/expected, their own rates", found.observed_over_expected_ci95, own
    yield "observed/expected, any such people", found.observed_over_expected_ci95, TRUE_RATIO
    naive = compare(Totals(sum(counts), 1.0, after, 1.0)).exact_ci95
    yield "exact before and after", naive, TRUE_RATIO


def with_comparison(draw: np.random.Generator) -> Iterator[Claim]:
    """A comparison group of twice the size that changes too, at the same dispersion."""
    means = np.array([MEAN, MEAN * TRUE_RATIO * 0.9, 2 * MEAN, 2 * MEAN * 0.9]) * PEOPLE
    # Sums whose variance is the dispersion times their mean.
    counts = draw.poisson(draw.gamma(means / (DISPERSION - 1), DISPERSION - 1))
    named = dict(zip(("t_pre", "t_post", "c_pre", "c_post"), map(int, counts), strict=True))
    yield (
        "with dispersion",
        comparison_group(Groups(**named, dispersion=DISPERSION)).ci95,
        TRUE_RATIO,
    )
    yield "without", comparison_group(Groups(**named)).ci95, TRUE_RATIO


WORLDS = (
    World("all alike", alike,
          frozenset({"exact", "Wald", "GEE robust", "NB2", "fixed effects"})),
    World("dispersion 4, each keeps his own rate", own_rate,
          frozenset({"exact", "Wald", "GEE robust", "fixed effects"})),
    World("dispersion 4, each period drawn anew", drawn_anew, frozenset({"GEE robust", "NB2"})),
    World("dispersion 4, the worst are locked up", locked_up, frozenset({"fixed effects"})),
    World("dispersion 4, comparison group", with_comparison, frozenset({"with dispersion"})),
    World("share who reoffend", reoffenders, frozenset({"Wilson", "Clopper-Pearson"})),
    World("first event, custody does not tick", first_events,
          frozenset({"Kaplan-Meier log(-log)", "Cox, Efron"})),
    World("picked at their worst", picked_at_worst,
          frozenset({"observed/expected, their own rates"})),
)  # fmt: skip
