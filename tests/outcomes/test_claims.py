"""A fall, a rise or a difference is claimed only where the figures can carry it."""

import msgspec
import pytest
from outcomes.offenders import people, person, report, said
from scipy.stats import nbinom

from navigate_safer.outcomes.regression_to_mean import (
    Selected,
    effect_ci95,
    regression_to_mean,
)
from navigate_safer.people.offending import EntryKind, Population
from navigate_safer.people.outcome_change import (
    CANNOT_TELL,
    EXACT,
    ROBUST,
    WIDEST,
    WITHIN,
    trusted_row,
)
from navigate_safer.people.outcome_monitoring import AlertFact, Monitored, alert_burden, equity
from navigate_safer.people.outcome_packs import headlines, in_framework
from navigate_safer.people.outcome_report import LEFT_OUT, Part, Report, Row, public

CLAIM = "Chance alone is an unlikely reason"
# Four people whose events about halve; eight times that, people differ and all agree.
HALVED = [(12, 7), (2, 1), (10, 4), (3, 1)]


def row(part: Part, label: str) -> Row:
    return next(each for each in part.rows if each.label == label)


def headline(made: Report) -> tuple[str, str]:
    """Figure and words of the change in a pack."""
    _, figure, _, words = headlines(made).rows[0]
    return str(figure), str(words)


def test_one_man_with_every_event_before_and_none_after_is_no_fall() -> None:
    made = report(people((10, 0), *[(0, 0)] * 19))
    part = made.part("change")
    assert row(part, EXACT).high < 1, "which the exact interval would say"
    assert CLAIM not in said(part)
    assert "Cannot tell: fewer than 30 people had an event" in said(part)
    assert trusted_row(part).value == in_framework(part) == CANNOT_TELL
    figure, words = headline(made)
    assert figure == CANNOT_TELL
    assert CLAIM not in words


def test_nobody_outside_reads_a_fall_of_one_man() -> None:
    made = public(report(people((10, 0), *[(0, 0)] * 19)))
    part = made.part("change")
    assert row(part, "Before").value == row(part, EXACT).value == LEFT_OUT
    assert in_framework(part) == headline(made)[0] == LEFT_OUT
    assert CLAIM not in said(part)


def test_a_board_reads_of_seven_people_that_it_cannot_tell() -> None:
    made = public(report(people(*[(30, 10)] * 2, *[(2, 2)] * 5)))
    assert "Cannot tell: fewer than 30 people" in headline(made)[1]
    assert headline(made)[0] == in_framework(made.part("change")) == CANNOT_TELL


def test_two_people_who_fall_alike_have_no_robust_interval() -> None:
    """By the sandwich it would be a fall of 57 to 61 %, by the exact interval of 8 to 83 %."""
    part = report(people((20, 8), (2, 1))).part("change")
    assert row(part, ROBUST).low is row(part, ROBUST).high is None
    assert row(part, ROBUST).note == "too few people"
    assert trusted_row(part).value == CANNOT_TELL
    assert CLAIM not in said(part)


def test_of_one_person_alone_nothing_is_concluded() -> None:
    part = report(people((12, 1))).part("change")
    assert CLAIM not in said(part)
    assert "Cannot tell: fewer than 30 people" in said(part)


def test_a_fall_of_many_who_differ_is_told_by_the_widest_interval() -> None:
    made = report(people(*HALVED * 8))
    part = made.part("change")
    assert "The rate is lower after than before" in said(part)
    assert CLAIM in headline(made)[1]
    told = trusted_row(part)
    assert told.label == WIDEST
    assert (told.low, told.high) == (
        min(row(part, label).low for label in (EXACT, ROBUST, WITHIN)),
        max(row(part, label).high for label in (EXACT, ROBUST, WITHIN)),
    )
    assert headline(made)[0] == told.value
    assert in_framework(part) == f"{told.value} (likely {told.interval})"


def test_a_rise_of_many_who_differ_is_told_too() -> None:
    part = report(people(*[(after, before) for before, after in HALVED] * 8)).part("change")
    assert "The rate is higher after than before" in said(part)


def test_where_the_worst_are_locked_up_the_fall_of_the_whole_is_not_claimed() -> None:
    """Each goes on as before: the worst have one incident in the 36 days that they are free."""
    worst = [person(f"H-{n}", 10, 1, free_days=36) for n in range(20)]
    others = [person(f"L-{n}", 1, 1) for n in range(20)]
    part = report(worst + others).part("change")
    assert row(part, EXACT).high < 1
    assert row(part, ROBUST).high < 1
    assert row(part, WITHIN).low < 1 < row(part, WITHIN).high
    assert trusted_row(part).high > 1
    assert CLAIM not in said(part)
    assert "who was at risk may have changed, not what they did" in said(part)


def test_nothing_after_of_many_who_differ_does_not_fall_back_on_the_exact_interval() -> None:
    part = report(people(*[(9, 0), (1, 0)] * 16)).part("change")
    assert row(part, EXACT).high < 0.1
    assert CLAIM not in said(part)
    assert "no interval allows for how much people differ" in said(part)
    assert trusted_row(part).value == CANNOT_TELL


def test_people_who_are_alike_are_told_of_by_the_exact_interval_as_before() -> None:
    part = report(people(*[(3, 1)] * 7)).part("change")
    assert trusted_row(part).label == EXACT
    assert CLAIM in said(part)


# How much falls by itself

# Mean 2 and variance 6: mu = 2, k = 1.
KNOWN = Population("1", "all", EntryKind.INCIDENT, 365, {"0": 60, "5": 40})


def test_a_fall_that_people_s_own_rates_can_explain_is_not_left_to_explain() -> None:
    """100 are expected and 79 counted: unlikely of 30 known rates, not of 30 unknown ones."""
    histories = people(*[(4, 3)] * 19, *[(4, 2)] * 11)
    part = report(histories, population=KNOWN).part("mean")
    against = part.rows[3]
    plain = regression_to_mean(Selected(2.0, 1.0, (4,) * 30, 79))
    assert plain.observed_over_expected_ci95[1] < 1
    assert against.number == pytest.approx(plain.observed_over_expected)
    assert against.high > 1
    assert "Cannot tell: all of the fall may come from picking" in said(part)
    assert "would be missed" in said(part)


def test_a_larger_fall_is_still_left_to_explain() -> None:
    part = report(people(*[(4, 2)] * 30), population=KNOWN).part("mean")
    assert "some of the fall is left to explain" in said(part)


@pytest.mark.parametrize("after", [0, 1, 79, 400])
def test_the_ends_of_the_effect_are_the_tails_of_the_negative_binomial(after: int) -> None:
    selected = Selected(2.0, 1.0, (4,) * 30, after)
    low, high = effect_ci95(selected)
    shape, rate = 30 * 1.0 + 120, (1.0 + 2.0) / 2.0
    assert nbinom.cdf(after, shape, rate / (rate + high)) == pytest.approx(0.025)
    if after:
        assert nbinom.sf(after - 1, shape, rate / (rate + low)) == pytest.approx(0.025)
    else:
        assert low == 0


def test_where_nothing_is_expected_there_is_no_effect() -> None:
    assert effect_ci95(Selected(0.0, 1.0, (1,), 3)) is None
    assert effect_ci95(Selected(1.0, 1.0, (), 3)) is None


# Groups of wearers


def wearers(area: str) -> list[Monitored]:
    return [Monitored(f"{area}{n}", 70.0, {"area": area}) for n in range(10)]


def alerts(area: str, *counts: int) -> list[AlertFact]:
    return [
        AlertFact(f"{area}{n}", None, False) for n, each in enumerate(counts) for _ in range(each)
    ]


def test_one_wearer_with_most_alerts_does_not_set_his_group_apart() -> None:
    one_man = alerts("North", 45, 1, 1, 1, 1, 1) + alerts("South", *[1] * 10)
    part = equity(one_man, wearers("North") + wearers("South"), "area", "Alerts by area")
    assert [each.value for each in part.rows] == ["0.50", "0.10"]
    assert "Cannot tell the groups apart" in said(part)
    assert "dispersion" in part.method
    all_alike = alerts("North", *[5] * 10) + alerts("South", *[1] * 10)
    even = equity(all_alike, wearers("North") + wearers("South"), "area", "Alerts by area")
    assert "North above South, by more than chance explains" in said(even)


def test_who_wore_a_device_for_a_minute_and_had_all_alerts_leaves_no_interval() -> None:
    short = [msgspec.structs.replace(each, days=0.001) for each in wearers("North")[:1]]
    part = alert_burden(alerts("North", 30), short + wearers("North")[1:])
    assert part.rows[0].low is part.rows[0].high is None
    assert "no interval can be given" in part.rows[0].note
