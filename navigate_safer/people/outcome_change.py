"""Before and after, and how much of a fall comes by itself: the two parts that belong together."""

import msgspec

from navigate_safer.outcomes.before_after import Comparison, compare
from navigate_safer.outcomes.estimate import OpenInterval
from navigate_safer.outcomes.overdispersion import Overdispersed, overdispersed
from navigate_safer.outcomes.policy import POLICY
from navigate_safer.outcomes.power import Design as PowerDesign
from navigate_safer.outcomes.power import smallest_fall
from navigate_safer.outcomes.regression_to_mean import Selected, regression_to_mean
from navigate_safer.people import observation
from navigate_safer.people.observation import Design, Watched
from navigate_safer.people.offending import Population
from navigate_safer.people.outcome_report import (
    CANNOT,
    Part,
    Row,
    Sentence,
    change,
    change_between,
    percent,
    signed,
)

PICKED = (
    "People are picked at their worst, so some fall comes by itself: a fall does not show that "
    "the programme worked."
)


class Change(msgspec.Struct, frozen=True):
    """What was found before and after, and the interval that may be trusted."""

    compared: Comparison
    spread: Overdispersed

    @property
    def wide(self) -> bool:
        """Whether people differ so much that the exact interval is too narrow."""
        dispersion = self.spread.poisson_pearson_dispersion
        return dispersion is not None and dispersion > POLICY.dispersion_alarm

    @property
    def trusted(self) -> OpenInterval | None:
        """The robust interval where people differ; where there is none, the exact one."""
        return (self.spread.gee_robust_ci95 if self.wide else None) or self.compared.exact_ci95


def before_after(people: Watched, design: Design) -> Part:
    """The rate ratio per day at risk, with the intervals side by side where people differ."""
    totals = observation.totals(people.people)
    found = Change(compare(totals), overdispersed(observation.by_person(people.people)))
    counted = (totals.x0, totals.x1)
    rows = [
        _rate("Before", found.compared.pre_rate_per_person_year, totals.x0, totals.t0, "before"),
        _rate("After", found.compared.post_rate_per_person_year, totals.x1, totals.t1, "after"),
        _ratio(EXACT, found.compared.rate_ratio, found.compared.exact_ci95,
               counted, "right only where events come independently"),
    ]  # fmt: skip
    if found.wide:
        rows += _robust(found.spread, counted)
    rows += _not_watched(people)
    return Part(
        "change", "Before and after", tuple(rows), tuple(_change_said(found)), _method(design)
    )


EXACT, ROBUST = "Change, exact interval", "Change, robust interval"


def trusted_row(part: Part) -> Row:
    """The change with its robust interval where people differ, else with the exact one."""
    found = {row.label: row for row in part.rows}
    return found.get(ROBUST, found[EXACT])


def _not_watched(people: Watched) -> list[Row]:
    inside = sum(each.inside for each in people.people)
    short = sum(each.shortened for each in people.people)
    counted = (
        ("Watched for less than the window", short, "shortened"),
        ("Selected too lately to be watched", len(people.too_early), "too_early"),
        ("Without a day of selection", len(people.without_selection), "without_selection"),
    )
    # With those watched for the whole window, who are shown elsewhere, they are the whole cohort:
    # one that is left out could be worked out from the others, so they are left out together.
    counts = tuple(count for _, count, _ in counted)
    rows = [
        Row(label, f"{count} people", number=count, counts=counts, behind=behind)
        for label, count, behind in counted
    ]
    label = "Offences dated in custody, left out"
    return [*rows, Row(label, str(inside), number=inside, counts=(inside,))]


def _method(design: Design) -> str:
    return (
        f"{design.kind.value.replace('_', ' ').capitalize()}s with the person as suspect, by the "
        f"day of the offence, {design.window_days} days before and after selection, without the "
        f"{design.gap_days} days either side of it. Days at risk leave out custody and the time "
        f"after death or a move; where somebody was watched for less, both windows are shortened. "
        f"Exact: Clopper-Pearson on the count after given both. Robust: Poisson with errors "
        f"clustered on the person. Within person: conditional Poisson. NB2: negative binomial."
    )


def _rate(label: str, rate: float | None, events: int, days: float, behind: str) -> Row:
    value = CANNOT if rate is None else f"{rate:.2f} a person and year at risk"
    note = f"{events:,} in {days:,.0f} days at risk"
    return Row(label, value, "", note, rate, counts=(events,), behind=behind)


def _ratio(
    label: str,
    ratio: float | None,
    interval: OpenInterval | None,
    counts: tuple[int, ...],
    note: str,
) -> Row:
    low, high = interval or (None, None)
    return Row(label, change(ratio), change_between(interval), note, ratio, low, high, counts)


def _robust(spread: Overdispersed, counts: tuple[int, ...]) -> list[Row]:
    return [
        _ratio(ROBUST, spread.gee_rate_ratio, spread.gee_robust_ci95, counts,
               "right also where a few people do much of it"),
        _ratio("Change within each person", spread.fixed_effects_rate_ratio,
               spread.fixed_effects_ci95, counts, "not moved by who is locked up most"),
        _ratio("Change, negative binomial", spread.nb2_rate_ratio, spread.nb2_ci95, counts,
               "right where each period is drawn anew"),
    ]  # fmt: skip


def _change_said(found: Change) -> list[Sentence]:
    counts = (found.spread.sum_pre, found.spread.sum_post)
    interval = found.trusted
    if found.compared.rate_ratio is None or interval is None:
        why = found.compared.reasons.get("rate_ratio", "too little was recorded")
        return [Sentence(f"Cannot tell: {why}.", counts)]
    low, high = interval
    said = []
    if found.wide:
        dispersion = found.spread.poisson_pearson_dispersion
        said.append(Sentence(
            f"A few people account for much of this (dispersion {dispersion:.1f}, above "
            f"{POLICY.dispersion_alarm}). Read the robust interval; the exact one is too narrow.",
            counts,
        ))  # fmt: skip
    if high is not None and high < 1:
        text = f"The rate is lower after than before: {change_between(interval)}. Chance alone is "
        said.append(Sentence(text + "an unlikely reason.", counts))
        said.append(Sentence(PICKED))
    elif low > 1:
        text = f"The rate is higher after than before: {change_between(interval)}. Chance alone is "
        said.append(
            Sentence(text + "an unlikely reason. More may also be reported than was.", counts)
        )
    else:
        said.append(Sentence(f"Cannot tell: anything in {change_between(interval)} fits these "
                             f"numbers. {_power(found)}", counts))  # fmt: skip
    return said


def _power(found: Change) -> str:
    """How small a fall would have been noticed."""
    compared = found.compared
    dispersion = found.spread.poisson_pearson_dispersion or 1.0
    if not found.spread.sum_pre or not compared.pre_days_at_risk:
        return ""
    fall = smallest_fall(
        PowerDesign(
            events_before=found.spread.sum_pre,
            time_ratio=compared.post_days_at_risk / compared.pre_days_at_risk,
            dispersion=max(1.0, dispersion) if found.wide else 1.0,
        )
    )
    return _missed(fall)


def _missed(fall: float | None) -> str:
    if fall is None:
        return (
            "So few were recorded that no fall, however large, would be noticed four times of five."
        )
    return (
        f"A true fall of less than {percent(fall)} would be missed more often than once in five: "
        f"this does not show that nothing changed."
    )


_MEAN_TITLE = "How much would have fallen by itself"
_MEAN_METHOD = (
    "Gamma-Poisson: rates of all known perpetrators are gamma distributed; after a count x the "
    "next expected count is mu (k + x)/(k + mu). mu and k are fitted by moments to the whole "
    "known population, never to those who were picked. Only people watched for the whole "
    "window are in it, custody is not taken off. The interval takes mu and k as known, and "
    "is therefore too narrow."
)


def to_the_mean(people: Watched, design: Design, population: Population | None) -> Part:
    """How much of the fall was to be expected with no effect at all."""
    fitted = None if population is None else _moments(population, design)
    if population is None or fitted is None:
        missing = "no counts of all known perpetrators of this kind are loaded"
        even = "the counts of all known perpetrators differ no more than by chance"
        why = missing if population is None else even
        cannot = Sentence(f"Cannot tell: {why}. {PICKED}")
        return Part(
            "mean",
            _MEAN_TITLE,
            (Row("Expected without any effect", CANNOT),),
            (cannot,),
            _MEAN_METHOD,
        )
    whole = [each for each in people.people if not each.shortened]
    found = regression_to_mean(
        Selected(
            *fitted, tuple(len(each.pre) for each in whole), sum(len(each.post) for each in whole)
        )
    )
    after = sum(len(each.post) for each in whole)
    counts = (len(whole), found.pre_total, after)
    low, high = found.observed_over_expected_ci95 or (None, None)
    rows = (
        Row("Counted before", f"{found.pre_total:,}", "", f"{len(whole)} people", found.pre_total,
            counts=counts),
        Row("Expected after, with no effect at all", f"{found.expected_post_no_effect:,.0f}", "",
            f"change of {signed(found.percent_change_expected_from_rtm_alone)}",
            found.expected_post_no_effect, counts=counts),
        Row("Counted after", f"{after:,}", "", f"change of {signed(found.naive_percent_change)}",
            after, counts=counts),
        Row("Counted against expected", change(found.observed_over_expected),
            change_between(found.observed_over_expected_ci95), "", found.observed_over_expected,
            low, high, counts),
    )  # fmt: skip
    source = Sentence(f"Population: {population.source}, version {population.version}.")
    said = _mean_said(rows[3], counts, found.expected_post_no_effect), source
    return Part("mean", _MEAN_TITLE, rows, said, _MEAN_METHOD)


# So many times the events stand for a count that is known without error.
_KNOWN = 10_000


def _mean_said(row: Row, counts: tuple[int, ...], expected: float) -> Sentence:
    if row.high is None or row.low is None:
        return Sentence("Cannot tell: nothing was expected.", counts)
    if row.high < 1:
        text = (
            "Fewer than would have been expected from picking people at their worst: some of the "
        )
        return Sentence(text + "fall is left to explain. Other things changed as well in that "
                        "time; only a comparison group can tell them apart.", counts)  # fmt: skip
    if row.low > 1:
        return Sentence("More than would have been expected with no effect at all.", counts)
    text = "Cannot tell: all of the fall may come from picking people at their worst. "
    fall = smallest_fall(PowerDesign(events_before=_KNOWN * expected, time_ratio=1 / _KNOWN))
    return Sentence(text + _missed(fall), counts)


def _moments(population: Population, design: Design) -> tuple[float, float] | None:
    """Mean in the design's window and shape, from the counts of the whole population."""
    counts = {int(count): people for count, people in population.people_by_count.items()}
    everybody = sum(counts.values())
    if not everybody:
        return None
    mean = sum(count * people for count, people in counts.items()) / everybody
    variance = sum(people * (count - mean) ** 2 for count, people in counts.items()) / everybody
    if variance <= mean:
        return None
    return mean * design.window_days / population.window_days, mean * mean / (variance - mean)
