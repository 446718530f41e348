"""Time to the first event in two groups: Kaplan-Meier, restricted mean, log-rank, Cox."""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

import msgspec
import numpy as np

from navigate_safer.outcomes.estimate import Estimate, Interval, Reasons
from navigate_safer.outcomes.policy import Z
from navigate_safer.outcomes.refusal import Amount

# A product of shares that should be one half can miss it by its last digits.
_ROUNDING = 1e-12


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Days at risk to the event (1) or to the end of watching (0), one entry a person.

    Days in custody do not tick.
    """

    time: tuple[Amount, ...]
    event: tuple[Literal[0, 1] | bool, ...]


class AtDay(Estimate, frozen=True, kw_only=True):
    """Share without an event up to and including a day."""

    survival: float | None
    greenwood_se: float | None
    loglog_ci95: Interval | None


class Curve(NamedTuple):
    """A Kaplan-Meier curve: what holds from each event time on; ``last`` is the longest time."""

    times: Sequence[float]
    survival: Sequence[float]
    # Greenwood's sum of d / (n (n - d)); infinite where nobody is left.
    greenwood: Sequence[float]
    last: float | None


def kaplan_meier(group: Group) -> Curve:
    """S(t) = product of (1 - d/n) over event times; censored after events of the same day.

    Source: Kaplan and Meier, JASA 53 (1958); Greenwood (1926).
    """
    time = np.asarray(group.time, float)
    event = np.asarray(group.event, bool)
    times, deaths = np.unique(time[event], return_counts=True)
    at_risk = len(time) - np.searchsorted(np.sort(time), times, side="left")
    left = at_risk - deaths
    survival = np.cumprod(left / at_risk)
    with np.errstate(divide="ignore"):
        greenwood = np.cumsum(deaths / (at_risk * left.astype(float)))
    last = float(time.max()) if len(time) else None
    return Curve(times.tolist(), survival.tolist(), greenwood.tolist(), last)


def at_risk(group: Group, day: float) -> int:
    """How many were still watched just before a day, and had no event yet."""
    return sum(each >= day for each in group.time)


def at_day(curve: Curve, day: float) -> AtDay:
    """The curve at a day, right-continuous, with its log(-log) interval.

    exp(-exp(log(-log S) +- 1.96 sqrt(G)/|log S|)) with Greenwood's sum G. It does not exist while
    S is 1, nor at 0. Past the last time nothing is known unless S is 0 there. Source: Kalbfleisch
    and Prentice, The Statistical Analysis of Failure Time Data, section 1.4.
    """
    unknown = _unknown_at(curve, day)
    if unknown:
        names = ("survival", "greenwood_se", "loglog_ci95")
        return AtDay(
            survival=None,
            greenwood_se=None,
            loglog_ci95=None,
            reasons=dict.fromkeys(names, unknown),
        )
    step = int(np.searchsorted(curve.times, day, side="right")) - 1
    if step < 0:
        why = {"loglog_ci95": f"no event up to day {day:g}"}
        return AtDay(survival=1.0, greenwood_se=0.0, loglog_ci95=None, reasons=why)
    share, total = curve.survival[step], curve.greenwood[step]
    if share == 0:
        why = dict.fromkeys(("greenwood_se", "loglog_ci95"), f"nobody is left by day {day:g}")
        return AtDay(survival=0.0, greenwood_se=None, loglog_ci95=None, reasons=why)
    error = math.sqrt(total)
    width = math.exp(Z * error / abs(math.log(share)))
    return AtDay(
        survival=share,
        greenwood_se=share * error,
        loglog_ci95=(share**width, share ** (1 / width)),
    )


def median(curve: Curve) -> float | None:
    """The first time at which half or fewer are without an event; None where it is not reached."""
    for time, share in zip(curve.times, curve.survival, strict=True):
        if share <= 0.5 + _ROUNDING:
            return time
    return None


def restricted_mean(curve: Curve, horizon: float) -> float | None:
    """The area under the curve up to the horizon: mean days without an event in that time.

    None past the last time, unless nobody is left there. Source: Royston and Parmar, BMC Medical
    Research Methodology 13 (2013).
    """
    if _unknown_at(curve, horizon):
        return None
    steps = [step for step in zip(curve.times, curve.survival, strict=True) if step[0] < horizon]
    edges = [0.0, *(time for time, _ in steps), horizon]
    shares = [1.0, *(share for _, share in steps)]
    return math.fsum(
        share * (end - start) for share, (start, end) in zip(shares, pairwise(edges), strict=True)
    )


def _unknown_at(curve: Curve, day: float) -> str | None:
    if curve.last is None:
        return "nobody is in the group"
    if day > curve.last and not (curve.survival and curve.survival[-1] == 0):
        return f"day {day:g} is after the last day that anybody was watched, day {curve.last:g}"
    return None


class GroupResult(Estimate, frozen=True, kw_only=True):
    """One group; ``rmst`` is the restricted mean to the horizon, in days."""

    at: Mapping[str, AtDay]
    median: float | None
    rmst: float | None
    events: int
    horizon: int | float

    def figures(self) -> Iterable[tuple[str, object]]:
        """The restricted mean has its horizon in its name."""
        return (
            ("at", self.at),
            ("median", self.median),
            (rmst_name(self.horizon), self.rmst),
            ("events", self.events),
        )


def rmst_name(horizon: float) -> str:
    """What the restricted mean to a horizon is called in a document."""
    return f"rmst_{horizon}"


def describe(group: Group, days: Sequence[int | float], horizon: int | float) -> GroupResult:
    """Everything about one group."""
    curve = kaplan_meier(group)
    middle, mean = median(curve), restricted_mean(curve, horizon)
    reasons: Reasons = {}
    if middle is None:
        reasons["median"] = (
            "nobody is in the group"
            if curve.last is None
            else f"more than half are without an event when watching ends, day {curve.last:g}"
        )
    if mean is None:
        reasons[rmst_name(horizon)] = _unknown_at(curve, horizon) or ""
    return GroupResult(
        at={str(day): at_day(curve, day) for day in days},
        median=middle,
        rmst=mean,
        events=sum(map(bool, group.event)),
        horizon=horizon,
        reasons=reasons,
    )
