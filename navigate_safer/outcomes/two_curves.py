"""Two groups' times to an event against each other: log-rank test and Cox's hazard ratio."""

import math
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from navigate_safer.outcomes.estimate import Estimate, Interval, Reasons
from navigate_safer.outcomes.policy import DAYS_A_YEAR, Z
from navigate_safer.outcomes.reading import as_type
from navigate_safer.outcomes.refusal import LARGEST, Amount, BadOutcomeInput
from navigate_safer.outcomes.roots import falling_root
from navigate_safer.outcomes.survival import Group, GroupResult, describe

Floats = npt.NDArray[np.float64]


# Whole numbers stay whole, because days become names in the result.
Day = Annotated[int, msgspec.Meta(ge=0, le=LARGEST)] | Amount
Horizon = (
    Annotated[int, msgspec.Meta(gt=0, le=LARGEST)]
    | Annotated[float, msgspec.Meta(gt=0, le=LARGEST)]
)


class Study(msgspec.Struct, frozen=True):
    """Two groups by name, the days to report, and the horizon of the restricted mean."""

    groups: Mapping[str, Group]
    at: tuple[Day, ...] = ()
    horizon: Horizon = DAYS_A_YEAR


# Names in the input and in the result that no group can have.
_TAKEN = ("reason", "logrank_chi2", "logrank_p", "cox_hr", "cox_hr_ci95")


def read_study(given: object) -> Study:
    """A study from its document: ``at`` and ``horizon``, and every other name is a group."""
    named = as_type(given, dict[str, Any])
    options: dict[str, Any] = {name: named[name] for name in ("at", "horizon") if name in named}
    groups = {name: each for name, each in named.items() if name not in options}
    for name in groups:
        if name in _TAKEN:
            raise BadOutcomeInput(f"{name}: is the name of a result; call the group otherwise")
    read = {name: as_type(each, Group, name) for name, each in groups.items()}
    return msgspec.structs.replace(as_type({**options, "groups": {}}, Study), groups=read)


class SurvivalComparison(Estimate, frozen=True, kw_only=True):
    """Both groups, then the first against the second."""

    groups: dict[str, GroupResult]
    logrank_chi2: float | None
    logrank_p: float | None
    cox_hr: float | None
    cox_hr_ci95: Interval | None

    def figures(self) -> Iterable[tuple[str, object]]:
        """Each group stands under its own name."""
        yield from self.groups.items()
        for name in ("logrank_chi2", "logrank_p", "cox_hr", "cox_hr_ci95"):
            yield name, getattr(self, name)


def survival(study: Study) -> SurvivalComparison:
    """Kaplan-Meier of two groups, log-rank test, Cox hazard ratio of the first against the second.

    Times are days at risk: days in custody do not tick. S(t) is right-continuous and includes the
    events of day t; the interval is log(-log); the median is the first day at which S(t) <= 0.5;
    the restricted mean is the area to the horizon. Nothing is said past the last day that anybody
    of a group was watched, unless its curve is 0 there. Cox's likelihood takes ties by Efron, its
    interval is Wald's. Source: Mantel (1966); Cox, JRSS B 34 (1972); Efron, JASA 72 (1977).

    Raises :class:`BadOutcomeInput` where there are not two groups or their lists do not fit.
    """
    _check(study.groups)
    first, second = study.groups.values()
    reasons: Reasons = {}
    events = _events(first, second)
    chi2, p_value = _logrank(events, reasons)
    ratio, interval = _cox(events, reasons)
    return SurvivalComparison(
        groups={
            name: describe(group, study.at, study.horizon) for name, group in study.groups.items()
        },
        logrank_chi2=chi2,
        logrank_p=p_value,
        cox_hr=ratio,
        cox_hr_ci95=interval,
        reasons=reasons,
    )


def _check(groups: Mapping[str, Group]) -> None:
    if len(groups) != 2:
        raise BadOutcomeInput(
            f"two groups are compared, but there are {len(groups)}; each is an object with time "
            f"and event"
        )
    for name, group in groups.items():
        if len(group.time) != len(group.event):
            raise BadOutcomeInput(
                f"{name}: {len(group.time)} times but {len(group.event)} events; one each a person"
            )


class _Events(NamedTuple):
    """At each time with an event: events and people at risk, in both groups."""

    events_1: Floats
    events_2: Floats
    at_risk_1: Floats
    at_risk_2: Floats


def _events(first: Group, second: Group) -> _Events:
    times = [np.asarray(group.time, float) for group in (first, second)]
    ended = [
        time[np.asarray(group.event, bool)]
        for time, group in zip(times, (first, second), strict=True)
    ]
    at = np.unique(np.concatenate(ended))
    counts = [
        np.searchsorted(each, at, side="right") - np.searchsorted(each, at, side="left")
        for each in map(np.sort, ended)
    ]
    risks = [len(time) - np.searchsorted(np.sort(time), at, side="left") for time in times]
    return _Events(*(np.asarray(each, float) for each in (*counts, *risks)))


def _logrank(at: _Events, reasons: Reasons) -> tuple[float | None, float | None]:
    """(observed - expected)^2 / hypergeometric variance; chi-square with 1 degree of freedom."""
    events, people = at.events_1 + at.events_2, at.at_risk_1 + at.at_risk_2
    several = people > 1
    share = at.at_risk_1 / people
    spread = (events * share * (1 - share) * (people - events))[several] / (people[several] - 1)
    variance = float(spread.sum())
    if variance <= 0:
        why = (
            "at no event were people of both groups watched who might have been spared"
            if len(events)
            else "no event in either group"
        )
        reasons["logrank_chi2"] = reasons["logrank_p"] = why
        return None, None
    chi2 = float((at.events_1 - events * share).sum()) ** 2 / variance
    return chi2, math.erfc(math.sqrt(chi2 / 2))


def _cox(at: _Events, reasons: Reasons) -> tuple[float | None, Interval | None]:
    one, two = _efron_risk_sets(at)
    seen = float(at.events_1.sum())
    # As the hazard ratio grows without end, every risk set with anybody of the first group expects
    # its event there; the estimate is finite only if that is more than was seen, and seen is more
    # than the least that could be.
    most, least = int((one > 0).sum()), int(((one > 0) & (two <= 0)).sum())
    if not least < seen < most:
        reasons["cox_hr"] = reasons["cox_hr_ci95"] = _why_no_ratio(at, seen, least)
        return None, None
    both = (one > 0) & (two > 0)
    log_odds = np.log(one[both] / two[both])

    def score(log_ratio: float) -> tuple[float, float]:
        chance = 1 / (1 + np.exp(-np.clip(log_ratio + log_odds, -700, 700)))
        return seen - least - float(chance.sum()), -float((chance * (1 - chance)).sum())

    log_ratio = falling_root(score, 0.0)
    width = Z / math.sqrt(-score(log_ratio)[1])
    return math.exp(log_ratio), (math.exp(log_ratio - width), math.exp(log_ratio + width))


def _efron_risk_sets(at: _Events) -> tuple[Floats, Floats]:
    """Weight of both groups in the risk set of each event; ties leave it one share at a time."""
    ties = (at.events_1 + at.events_2).astype(int)
    before = np.concatenate([np.arange(each) / each for each in ties]) if len(ties) else np.zeros(0)
    one = np.repeat(at.at_risk_1, ties) - before * np.repeat(at.events_1, ties)
    two = np.repeat(at.at_risk_2, ties) - before * np.repeat(at.events_2, ties)
    return one, two


def _why_no_ratio(at: _Events, seen: float, least: int) -> str:
    if not len(at.events_1):
        return "no event in either group"
    if not at.at_risk_1.any() or not at.at_risk_2.any():
        return "at no event was anybody of the other group watched"
    which = "first" if seen <= least else "second"
    return f"the {which} group has no event while both are watched, so no ratio is finite"
