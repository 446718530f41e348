"""Two groups against each other: ratio of rate ratios, and the time to the first event.

The groups are chosen by the reader and not drawn by lot, so that a difference is never by itself
an effect of the programme; each part says so.
"""

import math
from collections.abc import Sequence

import msgspec

from navigate_safer.outcomes.comparison_group import Groups, comparison_group
from navigate_safer.outcomes.estimate import Interval
from navigate_safer.outcomes.overdispersion import overdispersed
from navigate_safer.outcomes.policy import DAYS_A_YEAR
from navigate_safer.outcomes.power import smallest_fall_of
from navigate_safer.outcomes.survival import Group, at_risk
from navigate_safer.outcomes.two_curves import Study, SurvivalComparison, survival
from navigate_safer.people import observation
from navigate_safer.people.observation import Design, Watched
from navigate_safer.people.offending import History
from navigate_safer.people.outcome_offending import points
from navigate_safer.people.outcome_report import (
    CANNOT,
    Part,
    Row,
    Sentence,
    between,
    change,
    change_between,
    percent,
    public_steps,
)

NO_LOT = (
    "The groups were not drawn by lot: they differ in more than the programme, and were perhaps "
    "picked for it. A difference does not show that the programme made it."
)


class Side(msgspec.Struct, frozen=True):
    """One of the two groups by the name that the reader gave it."""

    name: str
    histories: tuple[History, ...]


def compared(first: Side, second: Side, design: Design) -> tuple[Part, Part]:
    """Both parts: the change of the first against that of the second, and their curves."""
    return ratio_of_changes(first, second, design), curves_apart(first, second, design)


def ratio_of_changes(first: Side, second: Side, design: Design) -> Part:
    """Ratio of rate ratios per day at risk, wider where people differ."""
    sides = [observation.watched(each.histories, design) for each in (first, second)]
    totals = [observation.totals(each.people) for each in sides]
    one, two = totals
    spread = max(1.0, *(_dispersion(each) for each in sides))
    found = comparison_group(Groups(one.x0, one.x1, two.x0, two.x1, dispersion=spread))
    counts = (one.x0, one.x1, two.x0, two.x1)
    time = _time_ratio(one.t0, one.t1, two.t0, two.t1)
    ratio = None if found.ratio_of_ratios is None or not time else found.ratio_of_ratios / time
    interval, low, high = None, None, None
    if ratio is not None and found.ci95 is not None and time:
        low, high = (end / time for end in found.ci95)
        interval = low, high
    rows = (
        _own(first, one.x0, one.t0, one.x1, one.t1),
        _own(second, two.x0, two.t0, two.x1, two.t1),
        Row("Change of the first against the second", change(ratio), change_between(interval),
            f"dispersion {spread:.1f}", ratio, low, high, counts),
    )  # fmt: skip
    why = (
        found.reasons.get("ratio_of_ratios")
        or found.reasons.get("ci95")
        or ("somebody has no day at risk" if not time else "")
    )
    said = (Sentence(_said(first, second, interval, why, counts, spread), counts), Sentence(NO_LOT))
    method = (
        "Ratio of rate ratios: events after over before per day at risk, of the first group over "
        "the second. Interval: log-normal, 95 %, its standard error times the root of the larger "
        "dispersion of the two groups (Pearson, at least 1). Days at risk are taken as known. "
        "Windows and gap are those of “Before and after”."
    )
    title = f"{first.name} against {second.name}"
    return Part("comparison", title, rows, said, method)


def _dispersion(side: Watched) -> float:
    if len(side.people) < 2:
        return 1.0
    return overdispersed(observation.by_person(side.people)).poisson_pearson_dispersion or 1.0


def _time_ratio(t0: float, t1: float, c0: float, c1: float) -> float | None:
    """How the days at risk changed in the first group against the second."""
    return (t1 / t0) / (c1 / c0) if t0 and t1 and c0 and c1 else None


def _own(side: Side, before: int, days_0: float, after: int, days_1: float) -> Row:
    value = (after / days_1) / (before / days_0) if before and days_0 and days_1 else None
    note = (
        f"{before:,} in {days_0:,.0f} days at risk before, {after:,} in {days_1:,.0f} after; "
        f"{len(side.histories)} people"
    )
    return Row(side.name, change(value), "", note, value,
               counts=(before, after, len(side.histories)))  # fmt: skip


def _said(
    first: Side,
    second: Side,
    interval: Interval | None,
    why: str,
    counts: tuple[int, ...],
    spread: float,
) -> str:
    if interval is None:
        return f"Cannot be estimated: {why or 'too little was recorded'}."
    low, high = interval
    if high < 1:
        return f"{first.name} fell more, or rose less, than {second.name}: by more than chance."
    if low > 1:
        return f"{first.name} fell less, or rose more, than {second.name}: by more than chance."
    error = math.sqrt(spread * sum(1 / each for each in counts if each))
    return (
        f"Cannot tell the groups apart: anything in {change_between(interval)} fits these numbers. "
        f"{missed(smallest_fall_of(error))}"
    )


def missed(fall: float) -> str:
    """What stands beside every "cannot tell": how large a difference would be noticed."""
    return (
        f"A true difference of less than {percent(fall)} would be missed more often than once in "
        f"five: this does not show that there is none."
    )


def curves_apart(first: Side, second: Side, design: Design) -> Part:
    """Kaplan-Meier of both groups with log-rank test and hazard ratio."""
    groups = [
        observation.clocks(each.histories, design.kind, design.as_at) for each in (first, second)
    ]
    named = dict(zip(("first", "second"), groups, strict=True))
    found = survival(Study(named, at=(DAYS_A_YEAR,)))
    rows = tuple(
        _left(side, found, key, group)
        for side, key, group in zip((first, second), named, groups, strict=True)
    )
    counts = tuple(sum(map(bool, each.event)) for each in groups)
    low, high = found.cox_hr_ci95 or (None, None)
    p_value = found.logrank_p
    rows += (
        Row("Log-rank test", CANNOT if p_value is None else _chance(p_value),
            note=found.reasons.get("logrank_p", ""), number=p_value, counts=counts),
        Row("Rate of first events, first against second (Cox)", change(found.cox_hr),
            change_between(found.cox_hr_ci95), found.reasons.get("cox_hr", ""), found.cox_hr,
            low, high, counts),
    )  # fmt: skip
    what = design.kind.value.replace("_", " ")
    said = (
        Sentence(_curves_said(found, groups), counts),
        Sentence(
            "Where few of a group are still watched, at the right, its band is wide: do not read "
            f"the line there. {NO_LOT}"
        ),
    )
    method = (
        "Kaplan-Meier of each group with log(-log) interval; log-rank test; Cox's hazard ratio "
        "with Efron's ties and Wald's interval, 95 %. The clock counts days at risk since "
        "selection and stops in custody."
    )
    title = f"Time to the first {what}: {first.name} and {second.name}"
    curves = tuple(
        (side.name, points(group)) for side, group in zip((first, second), groups, strict=True)
    )
    return Part("curves", title, rows, said, method, curves=curves)


def _chance(p_value: float) -> str:
    return "p below 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"


def _left(side: Side, found: SurvivalComparison, key: str, group: Group) -> Row:
    there = found.groups[key].at[str(DAYS_A_YEAR)]
    low, high = there.loglog_ci95 or (None, None)
    watched = at_risk(group, DAYS_A_YEAR)
    read = public_steps(points(group)).get(DAYS_A_YEAR, (watched,))
    note = f"{watched} of {len(group.time)} people still watched"
    label = f"{side.name}: without one after {DAYS_A_YEAR} days at risk"
    return Row(label, percent(there.survival), between(there.loglog_ci95), note, there.survival,
               low, high, (len(group.time), *read))  # fmt: skip


def _curves_said(found: SurvivalComparison, groups: Sequence[Group]) -> str:
    if found.logrank_p is None:
        why = found.reasons.get("logrank_p", "too little was recorded")
        return f"Cannot be estimated: {why}."
    if found.logrank_p < 0.05:
        return "The two lines differ by more than chance explains."
    events = sum(sum(map(bool, each.event)) for each in groups)
    people = [len(each.time) for each in groups]
    part = people[0] / sum(people)
    # Schoenfeld (1981): the error of the log hazard ratio from events and shares of people.
    fall = smallest_fall_of(1 / math.sqrt(events * part * (1 - part)))
    return f"Cannot tell the two lines apart: chance alone can explain it. {missed(fall)}"
