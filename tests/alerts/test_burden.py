"""What alerts ask of officers, counted as a supervisor would by hand."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts import burden
from alerts.burden import AlertFact, PageFact

START = datetime(2026, 11, 2, 12, tzinfo=UTC)


def fact(minutes: float | None = None, outcome: str | None = None, **changed) -> AlertFact:
    values = {
        "opened_at": START,
        "acknowledged_at": None if minutes is None else START + timedelta(minutes=minutes),
        "resolved_at": None, "outcome": outcome, "rule": "place", "kind": "exclusion_breach",
        "zone": "Cross", "model": "tag", "area": "West", **changed,
    }  # fmt: skip
    return AlertFact(**values)


def test_median_and_p90_are_times_that_somebody_waited():
    found = burden.group("all", [fact(n) for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 100)], 1)
    assert (found.acknowledge.median, found.acknowledge.p90) == (5, 9)
    assert burden.group("all", [fact()], 1).acknowledge == burden.Spread(0, None, None)


@given(st.lists(st.floats(0, 1e5), min_size=1, max_size=50))
def test_half_waited_no_longer_than_the_median_and_nine_tenths_than_p90(minutes):
    found = burden.spread(minutes)
    assert sum(each <= found.median for each in minutes) * 2 >= len(minutes)
    assert sum(each <= found.p90 for each in minutes) * 10 >= 9 * len(minutes)
    assert found.median in minutes
    assert found.median <= found.p90


def test_only_what_somebody_judged_counts_for_the_share_confirmed():
    facts = [fact(outcome="breach_confirmed"), fact(outcome="false_alarm"), fact()]
    found = burden.group("all", facts, 7)
    assert (found.confirmed, found.judged, found.alerts) == (1, 2, 3)


def test_a_rule_over_its_budget_is_marked_and_others_are_not():
    facts = [fact() for _ in range(29)] + [fact(rule="battery") for _ in range(28)]
    assert [(each.name, each.over_budget) for each in burden.by_rule(facts, 7)] == [
        ("place", True),
        ("battery", False),
    ]


def test_what_has_no_zone_is_in_no_zone_s_figures():
    found = burden.groups([fact(), fact(zone=None)], lambda each: each.zone, 1)
    assert [(each.name, each.alerts) for each in found] == [("Cross", 1)]


@pytest.mark.parametrize(
    ("at", "night"),
    [
        pytest.param("2026-11-02T22:59+00:00", False, id="winter, a minute before eleven"),
        pytest.param("2026-11-02T23:00+00:00", True, id="winter, eleven"),
        pytest.param("2026-07-02T22:00+00:00", True, id="summer, eleven on the wall"),
        pytest.param("2026-07-03T05:00+00:00", False, id="summer, six on the wall"),
        pytest.param("2026-11-03T05:59+00:00", True, id="winter, a minute before six"),
    ],
)
def test_night_is_night_on_the_wall(at, night):
    assert burden.is_night(datetime.fromisoformat(at)) is night


def test_an_officer_s_load_has_its_worst_day_and_its_nights():
    pages = [PageFact(1, START + timedelta(hours=n)) for n in (0, 1, 12, 30)] + [PageFact(2, START)]
    first, second = burden.loads(pages, 2)
    assert (first.staff_id, first.pages, first.a_day) == (1, 4, 2.0)
    assert (first.most_on_a_day, first.at_night, second.pages) == (2, 1, 1)
