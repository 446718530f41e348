"""Before and after where people differ: four rate ratios and when each interval can be trusted."""

import math
from typing import Annotated

import msgspec
import numpy as np

from navigate_safer.outcomes import negative_binomial
from navigate_safer.outcomes.estimate import Estimate, Interval, Reasons
from navigate_safer.outcomes.negative_binomial import Floats, Rows
from navigate_safer.outcomes.policy import Z
from navigate_safer.outcomes.refusal import Amount, BadOutcomeInput
from navigate_safer.outcomes.roots import falling_root

# Events of one person in one period; nobody has more, and the likelihood is summed event by event.
PersonCount = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
# Below this share of what it is made of, a sum of squares is rounding and not spread.
_ROUNDING = 1e-20


class People(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Counts and days at risk by person, in the same order in all four lists."""

    pre: tuple[PersonCount, ...]
    post: tuple[PersonCount, ...]
    pre_days_at_risk: tuple[Amount, ...]
    post_days_at_risk: tuple[Amount, ...]


class Overdispersed(Estimate, frozen=True, kw_only=True):
    """Ratios after : before per day at risk; below 1 is a fall."""

    poisson_rate_ratio: float | None
    poisson_pearson_dispersion: float | None
    poisson_model_ci95: Interval | None
    gee_rate_ratio: float | None
    gee_robust_ci95: Interval | None
    nb2_rate_ratio: float | None
    nb2_ci95: Interval | None
    nb2_alpha: float | None
    fixed_effects_rate_ratio: float | None
    fixed_effects_ci95: Interval | None
    sum_pre: int
    sum_post: int
    zero_post_people: int


def overdispersed(people: People) -> Overdispersed:
    """Four answers to how much the rate changed, one row per person and period.

    log rate = b0 + b1 post with offset log(days at risk); intervals exp(b1 +- 1.96 se).

    - Poisson: the pooled ratio; its model interval is right only where the dispersion (Pearson
      chi-square / (rows - 2)) is near 1.
    - GEE with independence working correlation: the same ratio, sandwich error clustered on the
      person, no small-sample correction. Right for many people, whatever the spread.
    - NB2 by maximum likelihood, Wald interval from the observed information of b0, b1 and alpha.
      Right where each period is drawn anew. Data no wider than Poisson have alpha exactly 0.
    - Fixed effects: conditional Poisson within the person. Right where each person keeps his own
      rate, also where those who offend most are locked up most.

    A period in which a person has no day at risk is left out, with its zero count. The ratio is 0
    and has no such interval where nothing happened after; ``zero_post_people`` are all with no
    event after, also those without a day at risk. Source: Liang and Zeger, Biometrika 73 (1986);
    Cameron and Trivedi, Regression Analysis of Count Data; Hausman, Hall and Griliches,
    Econometrica 52 (1984).

    Raises :class:`BadOutcomeInput` for lists of different lengths and for events of a person who
    has no day at risk.
    """
    _check(people)
    reasons: Reasons = {}
    return msgspec.convert(
        {
            **_ratios(people, reasons),
            "sum_pre": sum(people.pre),
            "sum_post": sum(people.post),
            "zero_post_people": sum(not count for count in people.post),
            "reasons": reasons,
        },
        Overdispersed,
    )


def _ratios(people: People, reasons: Reasons) -> dict[str, float | Interval | None]:
    before = np.asarray(people.pre, float), np.asarray(people.pre_days_at_risk, float)
    after = np.asarray(people.post, float), np.asarray(people.post_days_at_risk, float)
    pre, post = (Rows(counts[days > 0], days[days > 0]) for counts, days in (before, after))
    found: dict[str, float | Interval | None] = {"poisson_rate_ratio": _pooled(pre, post, reasons)}
    found["poisson_pearson_dispersion"] = _dispersion(pre, post, reasons)
    variance = _inverse(pre.counts.sum()) + _inverse(post.counts.sum())
    _interval(found, reasons, "poisson_rate_ratio", "poisson_model_ci95", variance)
    _copy(found, reasons, "gee_rate_ratio")
    _interval(found, reasons, "gee_rate_ratio", "gee_robust_ci95", _sandwich(before, after))
    _negative_binomial(found, reasons, pre, post)
    _fixed_effects(found, reasons, before, after)
    return found


def _check(people: People) -> None:
    lists = {name: getattr(people, name) for name in people.__struct_fields__}
    lengths = {name: len(each) for name, each in lists.items()}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise BadOutcomeInput(f"the lists are not of one length ({said}); one entry a person each")
    for period in ("pre", "post"):
        both = zip(lists[period], lists[f"{period}_days_at_risk"], strict=True)
        for number, (count, days) in enumerate(both):
            if count and not days:
                raise BadOutcomeInput(
                    f"{period}[{number}]: {count} events in no day at risk; leave out events in "
                    f"custody, or correct {period}_days_at_risk[{number}]"
                )


def _inverse(total: float) -> float:
    return 1 / total if total else math.inf


def _pooled(pre: Rows, post: Rows, reasons: Reasons) -> float | None:
    why = None
    if not len(pre.days) or not len(post.days):
        why = f"nobody has a day at risk {'after' if len(pre.days) else 'before'}"
    elif not pre.counts.any():
        why = "no event before: nothing to compare with"
    if why is None:
        return float((post.counts.sum() / post.days.sum()) / (pre.counts.sum() / pre.days.sum()))
    reasons["poisson_rate_ratio"] = why
    return None


def _copy(found: dict[str, float | Interval | None], reasons: Reasons, name: str) -> None:
    found[name] = found["poisson_rate_ratio"]
    if found[name] is None:
        reasons[name] = reasons["poisson_rate_ratio"]


def _dispersion(pre: Rows, post: Rows, reasons: Reasons) -> float | None:
    chi2, rows = 0.0, 0
    for counts, days in (pre, post):
        if counts.any():
            means = days * (counts.sum() / days.sum())
            chi2 += float(((counts - means) ** 2 / means).sum())
        rows += len(counts)
    if rows <= 2:
        reasons["poisson_pearson_dispersion"] = "too few people: no residual degree of freedom"
    elif not pre.counts.any() and not post.counts.any():
        reasons["poisson_pearson_dispersion"] = "no event"
    else:
        return chi2 / (rows - 2)
    return None


def _interval(
    found: dict[str, float | Interval | None],
    reasons: Reasons,
    ratio: str,
    name: str,
    variance: float | None,
) -> None:
    """The interval of a ratio on the log scale, or why there is none."""
    middle = found[ratio]
    found[name] = None
    if not isinstance(middle, float):
        reasons[name] = reasons[ratio]
    elif middle == 0:
        reasons[name] = "no event after: use the exact interval of compare"
    elif not variance or not math.isfinite(variance):
        reasons[name] = "the people do not differ, or are too few, to show how sure this is"
    else:
        width = math.exp(Z * math.sqrt(variance))
        found[name] = (middle / width, middle * width)


def _sandwich(before: tuple[Floats, Floats], after: tuple[Floats, Floats]) -> float | None:
    """Variance of the log ratio, from each person's own residuals of both periods."""
    if len(before[0]) < 2 or not before[0].any() or not after[0].any():
        return None
    residuals = [
        (counts - days * (counts.sum() / days.sum())) / counts.sum()
        for counts, days in (before, after)
    ]
    variance = float(((residuals[1] - residuals[0]) ** 2).sum())
    return variance if variance > _ROUNDING else None


def _negative_binomial(
    found: dict[str, float | Interval | None], reasons: Reasons, pre: Rows, post: Rows
) -> None:
    why = reasons.get("poisson_rate_ratio") or reasons.get("poisson_pearson_dispersion")
    if why:
        for name in ("nb2_rate_ratio", "nb2_ci95", "nb2_alpha"):
            found[name], reasons[name] = None, why
        return
    fitted = negative_binomial.fit(pre, post)
    found["nb2_rate_ratio"] = fitted.rates[1] / fitted.rates[0]
    found["nb2_alpha"] = fitted.alpha
    _interval(found, reasons, "nb2_rate_ratio", "nb2_ci95", fitted.variance)


def _fixed_effects(
    found: dict[str, float | Interval | None],
    reasons: Reasons,
    before: tuple[Floats, Floats],
    after: tuple[Floats, Floats],
) -> None:
    """Given a person's total, the count after is binomial with the odds ratio x days : days."""
    ratio, interval = "fixed_effects_rate_ratio", "fixed_effects_ci95"
    both = (before[1] > 0) & (after[1] > 0)
    totals = (before[0] + after[0])[both]
    log_days = np.log(after[1][both] / before[1][both])
    seen = float(after[0][both].sum())
    found[ratio], variance = None, None
    if not totals.any():
        reasons[ratio] = "nobody with days at risk in both periods has an event"
    elif seen == totals.sum():
        reasons[ratio] = "no event before, among people with days at risk in both periods"
    elif seen == 0:
        found[ratio] = 0.0
    else:

        def score(log_ratio: float) -> tuple[float, float]:
            chance = 1 / (1 + np.exp(-np.clip(log_ratio + log_days, -700, 700)))
            return seen - float(totals @ chance), -float(totals @ (chance * (1 - chance)))

        log_ratio = falling_root(score, 0.0)
        found[ratio], variance = math.exp(log_ratio), -1 / score(log_ratio)[1]
    _interval(found, reasons, ratio, interval, variance)
