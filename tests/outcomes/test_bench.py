"""The simulation finds out an interval that does not hold what it says."""

import json

import pytest
from cli.commands import run

from navigate_safer.demo.outcomes_bench import Coverage, measure
from navigate_safer.demo.outcomes_worlds import WORLDS, World


def coverages(name, cohorts):
    (world,) = (each for each in WORLDS if each.name == name)
    return {each.interval: each for each in measure(cohorts, 1, worlds=(world,))}


def test_at_dispersion_4_the_plain_interval_fails_and_the_wide_ones_hold():
    found = coverages("dispersion 4, each period drawn anew", 150)
    assert found["exact"].percent < 85
    assert found["exact"].verdict == "FAILS"
    for name in ("GEE robust", "NB2"):
        assert found[name].percent > 90


def test_where_the_worst_are_locked_up_only_the_comparison_within_people_holds():
    found = coverages("dispersion 4, the worst are locked up", 60)
    assert found["fixed effects"].percent > 88
    assert found["exact"].percent < 20
    assert found["exact"].below > 40  # a fall that is not there


def test_people_picked_at_their_worst_make_before_and_after_fail():
    found = coverages("picked at their worst", 60)
    assert found["exact before and after"].percent < 10
    assert found["observed/expected, their own rates"].percent > 85


@pytest.mark.parametrize(
    ("right", "held", "verdict"),
    [
        (True, 95, "right"),
        (True, 92, "right, but outside 93-97 %"),
        (True, 98, "right, but outside 93-97 %"),
        (False, 92, "FAILS"),
        (False, 98, "too wide"),
    ],
)
def test_the_verdict_follows_the_bar(right, held, verdict):
    each = Coverage("", "", right)
    for number in range(100):
        each.add((0, 1), 0.5 if number < held else 2)
    assert each.verdict == verdict


def test_an_interval_that_is_missing_did_not_hold_the_truth():
    each = Coverage("", "", True)
    each.add(None, 1)
    each.add((0, None), 1)
    assert (each.percent, each.missing, each.below) == (50, 1, 0)


def test_the_same_seed_draws_the_same_cohorts_whatever_else_is_measured():
    one = World("one", lambda draw: iter([("it", (0, float(draw.random())), 0.5)]), frozenset())
    two = World("two", one.draw, frozenset())
    alone = measure(50, 7, worlds=(two,))[0]
    (_, beside) = measure(50, 7, worlds=(one, two))
    assert alone == beside


def test_the_command_prints_a_row_for_each_interval():
    result = run("bench", "outcomes", "--cohorts", "1", "--json")
    rows = json.loads(result.stdout)["rows"]
    assert {each["situation"] for each in rows} == {world.name for world in WORLDS}
    right = {(each["situation"], each["interval"]) for each in rows if each["right"]}
    assert right == {(world.name, name) for world in WORLDS for name in world.right}
    # One cohort either holds or not: no interval can be inside the bar.
    assert result.exit_code == 1
