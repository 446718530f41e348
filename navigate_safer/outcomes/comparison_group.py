"""The change of a treated group against the change of a comparison group."""

import math
from typing import Annotated

import msgspec

from navigate_safer.outcomes.estimate import Estimate, Interval, Reasons
from navigate_safer.outcomes.policy import Z
from navigate_safer.outcomes.refusal import LARGEST, Count


class Groups(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Events before and after, of the treated (``t``) and of the comparison group (``c``)."""

    t_pre: Count
    t_post: Count
    c_pre: Count
    c_post: Count
    dispersion: Annotated[float, msgspec.Meta(gt=0, le=LARGEST)] = 1.0


class RatioOfRatios(Estimate, frozen=True, kw_only=True):
    """Ratios after : before; below 1 is a fall, and a ratio of ratios below 1 a larger fall."""

    treated_ratio: float | None
    comparison_ratio: float | None
    ratio_of_ratios: float | None
    ci95: Interval | None
    p_two_sided: float | None


def comparison_group(groups: Groups) -> RatioOfRatios:
    """Ratio of rate ratios RRR = (T1/T0) / (C1/C0), log-normal.

    se = sqrt(1/T1 + 1/T0 + 1/C1 + 1/C0) x sqrt(dispersion); interval exp(log RRR +- 1.96 se); p of
    log RRR / se under the normal. Each group must have the same days at risk before and after, or
    both groups the same change of them. A zero count leaves no interval; a comparison group without
    an event leaves no ratio. Source: difference in differences of log rates, Card and Krueger's
    design with Poisson errors.
    """
    reasons: Reasons = {}
    treated = _ratio("treated_ratio", groups.t_pre, groups.t_post, reasons)
    comparison = _ratio("comparison_ratio", groups.c_pre, groups.c_post, reasons)
    ratio: float | None = None
    if treated is None or comparison is None:
        reasons["ratio_of_ratios"] = reasons.get("comparison_ratio") or reasons["treated_ratio"]
    elif comparison == 0:
        reasons["ratio_of_ratios"] = "no event in the comparison group after"
    else:
        ratio = treated / comparison
    if not ratio:
        why = reasons.get("ratio_of_ratios", "no event in the treated group after")
        reasons["ci95"] = reasons["p_two_sided"] = why
        interval, p_value = None, None
    else:
        interval, p_value = _log_normal(ratio, groups)
    return RatioOfRatios(
        treated_ratio=treated,
        comparison_ratio=comparison,
        ratio_of_ratios=ratio,
        ci95=interval,
        p_two_sided=p_value,
        reasons=reasons,
    )


def _ratio(name: str, before: int, after: int, reasons: Reasons) -> float | None:
    if before:
        return after / before
    reasons[name] = f"no event in the {name.removesuffix('_ratio')} group before"
    return None


def _log_normal(ratio: float, groups: Groups) -> tuple[Interval, float]:
    counts = (groups.t_pre, groups.t_post, groups.c_pre, groups.c_post)
    error = math.sqrt(sum(1 / count for count in counts) * groups.dispersion)
    width = math.exp(Z * error)
    p_value = math.erfc(abs(math.log(ratio)) / error / math.sqrt(2))
    return (ratio / width, ratio * width), p_value
