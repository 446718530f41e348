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
