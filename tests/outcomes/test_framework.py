"""The joint framework: nothing is filled in that nobody has supplied."""

from datetime import date

import pytest

from navigate_safer.people.outcome_framework import (
    BY_KEY,
    DEFINITIONS,
    Supplied,
    check,
    lines,
)
from navigate_safer.people.outcome_packs import framework_table
from navigate_safer.people.outcome_report import LEFT_OUT


def supplied(version: str = "2026-Q3", **figures: float | str) -> Supplied:
    return Supplied(version, "the council", date(2026, 7, 1), date(2026, 9, 30), figures)


def test_every_measure_has_one_whole_definition() -> None:
    assert len(BY_KEY) == len(DEFINITIONS)
    for each in DEFINITIONS:
        assert all((each.name, each.numerator, each.denominator, each.window, each.owner))


def test_what_nobody_supplied_and_what_nobody_counts_are_not_nought() -> None:
    found = {each.definition.key: each for each in lines([supplied(plan="not_collected")], {})}
    assert found["care"].state == "not supplied"
    assert found["plan"].state == "not collected"
    assert found["plan"].figure is found["care"].figure is None


def test_the_newest_figure_of_an_agency_is_shown_with_its_period() -> None:
    newest_first = [supplied("2", plan=41.0), supplied("1", plan=52.0, care=0.0)]
    found = {each.definition.key: each for each in lines(newest_first, {})}
    assert (found["plan"].words, found["care"].words) == ("41", "0")
    assert found["plan"].said_by == "the council, 2026-07-01 to 2026-09-30"


def test_a_figure_that_is_computed_here_cannot_be_supplied() -> None:
    with pytest.raises(ValueError, match="is computed here"):
        check(supplied(reoffending=1.0))
    with pytest.raises(ValueError, match="there is no measure 'savings'"):
        check(supplied(savings=17_000_000.0))


def test_an_older_year_that_is_handed_in_later_does_not_replace_the_newest() -> None:
    older = Supplied("back", "the council", date(2024, 4, 1), date(2025, 3, 31), {"care": 90.0})
    newer = Supplied("now", "the council", date(2025, 4, 1), date(2026, 3, 31), {"care": 70.0})
    again = Supplied("mended", "the council", date(2025, 4, 1), date(2026, 3, 31), {"care": 71.0})
    last_loaded_first = [older, again, newer]
    found = {each.definition.key: each for each in lines(last_loaded_first, {})}
    assert found["care"].words == "71", "of the same period what was loaded last"


@pytest.mark.parametrize("figure", [1.0, 4.0, -2.0])
def test_a_figure_that_may_be_a_few_children_is_left_out(figure: float) -> None:
    found = {each.definition.key: each for each in lines([supplied(custody=figure)], {})}
    assert found["custody"].figure is None
    assert found["custody"].words == LEFT_OUT
    table = framework_table([found["custody"]])
    assert table.rows[0][2] == LEFT_OUT


def test_a_rate_an_amount_and_nought_are_no_few_people() -> None:
    given = supplied(custody=0.0, care=3.2, prison_costs=3.0, plan=5.0)
    found = {each.definition.key: each for each in lines([given], {})}
    shown = {key: found[key].words for key in given.figures}
    assert shown == {"custody": "0", "care": "3.2", "prison_costs": "3", "plan": "5"}
