"""Before and after: the change per day at risk, and whether it can be told from chance.

Where people differ, no single interval is right: the exact one takes events as independent, the
robust one is misled where those who offend most are locked up most, the one within each person
where each period is drawn anew. A fall or a rise is then claimed only where all three show it.
"""

import msgspec

from navigate_safer.outcomes.before_after import Comparison, compare
from navigate_safer.outcomes.estimate import OpenInterval
from navigate_safer.outcomes.overdispersion import Overdispersed, overdispersed
from navigate_safer.outcomes.policy import POLICY
from navigate_safer.outcomes.power import Design as PowerDesign
from navigate_safer.outcomes.power import smallest_fall
from navigate_safer.people import observation
from navigate_safer.people.observation import Design, Watched
from navigate_safer.people.outcome_report import (
    CANNOT,
    Part,
    Row,
    Sentence,
    change,
    change_between,
    percent,
)

PICKED = (
    "People are picked at their worst, so some fall comes by itself: a fall does not show that "
    "the programme worked."
)
CANNOT_TELL = "cannot tell"
EXACT, ROBUST, WITHIN = (
    "Change, exact interval",
    "Change, robust interval",
    "Change within each person",
)
WIDEST = "Change, widest of the three"


class Change(msgspec.Struct, frozen=True):
    """What was found before and after, and the interval to go by.

    ``people``: how many have an event in either window.
    """

    compared: Comparison
    spread: Overdispersed
    people: int

    @property
    def wide(self) -> bool:
        """Whether people differ so much that the exact interval is too narrow, or may do so.

        Of one person nobody can say.
        """
        dispersion = self.spread.poisson_pearson_dispersion
        if dispersion is None:
            return self.people > 0
        return dispersion > POLICY.dispersion_alarm

    @property
    def too_few(self) -> bool:
        """Whether people differ, and too few of them say how much."""
        return self.wide and self.people < POLICY.least_people_with_events

    @property
    def trusted(self) -> OpenInterval | None:
        """The interval to go by: the exact one, where people differ the widest of three.

        That one reaches over the exact one, the robust one and the one within each person, and is
        never narrower than any. None where one of them is missing or people are too few.
        """
        exact = self.compared.exact_ci95
        if not self.wide or exact is None:
            return exact
        robust, within = self.spread.gee_robust_ci95, self.spread.fixed_effects_ci95
        if self.too_few or robust is None or within is None:
            return None
        low, high = exact
        return min(low, robust[0], within[0]), high and max(high, robust[1], within[1])


def before_after(people: Watched, design: Design) -> Part:
    """The rate ratio per day at risk, with the intervals side by side where people differ."""
    totals = observation.totals(people.people)
    found = Change(
        compare(totals),
        overdispersed(observation.by_person(people.people)),
        sum(bool(each.pre or each.post) for each in people.people),
    )
    whose = observation.involved(people.people)
    counts = (totals.x0, totals.x1, *whose)
    rows = [
        _rate("Before", found.compared.pre_rate_per_person_year, (totals.x0, whose[0]), totals.t0),
        _rate("After", found.compared.post_rate_per_person_year, (totals.x1, whose[1]), totals.t1),
        _ratio(EXACT, found.compared.rate_ratio, found.compared.exact_ci95,
               counts, "right only where events come independently"),
    ]  # fmt: skip
    if found.wide:
        rows += _robust(found, counts)
    rows += _not_watched(people)
    said = _change_said(found, counts)
    return Part("change", "Before and after", tuple(rows), tuple(said), _method(design))


def trusted_row(part: Part) -> Row:
    """The change with the interval to go by, in which it may say that it cannot tell."""
    found = {row.label: row for row in part.rows}
    return found.get(WIDEST, found[EXACT])


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
        f"clustered on the person. Within person: conditional Poisson. NB2: negative binomial. "
        f"Above a dispersion of {POLICY.dispersion_alarm} the interval to go by reaches over "
        f"exact, robust and within person, and nothing is concluded from fewer than "
        f"{POLICY.least_people_with_events} people with an event."
    )


def _rate(label: str, rate: float | None, counts: tuple[int, ...], days: float) -> Row:
    value = CANNOT if rate is None else f"{rate:.2f} a person and year at risk"
    note = f"{counts[0]:,} in {days:,.0f} days at risk"
    return Row(label, value, "", note, rate, counts=counts, behind=label.lower())


def _ratio(
    label: str,
    ratio: float | None,
    interval: OpenInterval | None,
    counts: tuple[int, ...],
    note: str,
) -> Row:
    low, high = interval or (None, None)
    return Row(label, change(ratio), change_between(interval), note, ratio, low, high, counts)


def _robust(found: Change, counts: tuple[int, ...]) -> list[Row]:
    spread = found.spread
    robust, note = spread.gee_robust_ci95, "right also where a few people do much of it"
    if found.too_few:
        # Of few people it comes out far too narrow.
        robust, note = None, "too few people"
    rows = [
        _ratio(ROBUST, spread.gee_rate_ratio, robust, counts, note),
        _ratio(WITHIN, spread.fixed_effects_rate_ratio, spread.fixed_effects_ci95, counts,
               "not moved by who is locked up most"),
        _ratio("Change, negative binomial", spread.nb2_rate_ratio, spread.nb2_ci95, counts,
               "right where each period is drawn anew"),
    ]  # fmt: skip
    if found.trusted is None:
        return [*rows, Row(WIDEST, CANNOT_TELL, note=_why_not(found), counts=counts)]
    note = "the one to go by: reaches over exact, robust and within person"
    return [*rows, _ratio(WIDEST, spread.gee_rate_ratio, found.trusted, counts, note)]


def _why_not(found: Change) -> str:
    """Why there is no interval to go by."""
    if found.compared.rate_ratio is None:
        return found.compared.reasons.get("rate_ratio", "too little was recorded")
    if found.too_few:
        least = POLICY.least_people_with_events
        return f"fewer than {least} people had an event, too few to tell a change from chance"
    return "no interval allows for how much people differ in these numbers"


def _change_said(found: Change, counts: tuple[int, ...]) -> list[Sentence]:
    interval = found.trusted
    if found.compared.rate_ratio is None or (interval is None and not found.wide):
        return [Sentence(f"Cannot tell: {_why_not(found)}.", counts)]
    said = _differ(found, counts)
    if interval is None:
        least = "Of so few no fall, however large, would be noticed." if found.too_few else ""
        words = f"Cannot tell: {_why_not(found)}. {least or _power(found)}"
        return [*said, Sentence(words, counts)]
    between = change_between(interval)
    side = _side(interval)
    if not side:
        text = f"Cannot tell: anything in {between} fits these numbers. {_apart(found)}"
        return [*said, Sentence(text + _power(found), counts)]
    way, more = ("lower", "") if side < 0 else ("higher", " More may also be reported than was.")
    text = f"The rate is {way} after than before: {between}. Chance alone is an unlikely reason."
    said.append(Sentence(text + more, counts))
    return [*said, Sentence(PICKED)] if side < 0 else said


def _apart(found: Change) -> str:
    """Where the whole shows a change, and people by themselves do not."""
    both = found.compared.exact_ci95, found.spread.gee_robust_ci95
    if not found.wide or _side(both[0]) != _side(both[1]) or not _side(both[0]):
        return ""
    within = change_between(found.spread.fixed_effects_ci95)
    return f"Person by person it is {within}: who was at risk may have changed, not what they did. "


def _side(interval: OpenInterval | None) -> int:
    """Below 0 for a fall, above 0 for a rise, 0 where the interval allows for either."""
    low, high = interval or (0.0, None)
    return (low > 1) - (high is not None and high < 1)


def _differ(found: Change, counts: tuple[int, ...]) -> list[Sentence]:
    """What is to be kept in mind where people differ."""
    dispersion = found.spread.poisson_pearson_dispersion
    if not found.wide or dispersion is None:
        return []
    text = (
        f"A few people account for much of this (dispersion {dispersion:.1f}, above "
        f"{POLICY.dispersion_alarm}), so that the exact interval alone is too narrow."
    )
    if found.trusted is not None:
        text += " Read the robust interval beside it, and the one within each person: where they "
        text += "do not agree, no change is claimed."
    return [Sentence(text, counts)]


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
    return missed(fall)


def missed(fall: float | None) -> str:
    """What stands beside "cannot tell" about a fall: how large a one would be noticed."""
    if fall is None:
        return (
            "So few were recorded that no fall, however large, would be noticed four times of five."
        )
    return (
        f"A true fall of less than {percent(fall)} would be missed more often than once in five: "
        f"this does not show that nothing changed."
    )
