"""How much of a fall comes by itself, from picking people at their worst."""

from navigate_safer.outcomes.power import Design as PowerDesign
from navigate_safer.outcomes.power import smallest_fall
from navigate_safer.outcomes.regression_to_mean import Selected, effect_ci95, regression_to_mean
from navigate_safer.people import observation
from navigate_safer.people.observation import Design, Watched
from navigate_safer.people.offending import Population
from navigate_safer.people.outcome_change import PICKED, missed
from navigate_safer.people.outcome_report import (
    CANNOT,
    Part,
    Row,
    Sentence,
    change,
    change_between,
    signed,
)

TITLE = "How much would have fallen by itself"
METHOD = (
    "Gamma-Poisson: rates of all known perpetrators are gamma distributed; after a count x the "
    "next expected count is mu (k + x)/(k + mu). mu and k are fitted by moments to the whole "
    "known population, never to those who were picked. Only people watched for the whole "
    "window are in it, custody is not taken off. The interval allows for people's own rates, which "
    "are spread about the expected ones (negative binomial), but takes mu and k as known: it is "
    "still somewhat too narrow."
)


def to_the_mean(people: Watched, design: Design, population: Population | None) -> Part:
    """How much of the fall was to be expected with no effect at all."""
    fitted = None if population is None else _moments(population, design)
    if population is None or fitted is None:
        missing = "no counts of all known perpetrators of this kind are loaded"
        even = "the counts of all known perpetrators differ no more than by chance"
        why = missing if population is None else even
        cannot = Sentence(f"Cannot tell: {why}. {PICKED}")
        nothing = Row("Expected without any effect", CANNOT)
        return Part("mean", TITLE, (nothing,), (cannot,), METHOD)
    whole = [each for each in people.people if not each.shortened]
    after = sum(len(each.post) for each in whole)
    selected = Selected(*fitted, tuple(len(each.pre) for each in whole), after)
    before = sum(selected.pre_counts_of_selected)
    counts = (len(whole), before, after, *observation.involved(whole))
    rows = _rows(selected, counts)
    source = Sentence(f"Population: {population.source}, version {population.version}.")
    return Part("mean", TITLE, rows, (_said(selected, rows[-1], counts), source), METHOD)


def _rows(selected: Selected, counts: tuple[int, ...]) -> tuple[Row, ...]:
    found = regression_to_mean(selected)
    interval = effect_ci95(selected)
    low, high = interval or (None, None)
    after = selected.observed_post_total
    return (
        Row("Counted before", f"{found.pre_total:,}", "", f"{counts[0]} people", found.pre_total,
            counts=counts),
        Row("Expected after, with no effect at all", f"{found.expected_post_no_effect:,.0f}", "",
            f"change of {signed(found.percent_change_expected_from_rtm_alone)}",
            found.expected_post_no_effect, counts=counts),
        Row("Counted after", f"{after:,}", "", f"change of {signed(found.naive_percent_change)}",
            after, counts=counts),
        Row("Counted against expected", change(found.observed_over_expected),
            change_between(interval), "", found.observed_over_expected, low, high, counts),
    )  # fmt: skip


# So many times the events stand for a count that is known without error.
_KNOWN = 10_000


def _said(selected: Selected, row: Row, counts: tuple[int, ...]) -> Sentence:
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
    expected = regression_to_mean(selected).expected_post_no_effect
    # Each expected count m varies by m + m mu/(k + mu): so many times as much as a Poisson count.
    wider = 1 + selected.mu / (selected.k + selected.mu)
    fall = smallest_fall(PowerDesign(_KNOWN * expected, 1 / _KNOWN, wider))
    return Sentence(text + missed(fall), counts)


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
