"""Two groups against each other, and the power beside every "cannot tell"."""

from datetime import date, timedelta

import pytest

from navigate_safer.people.observation import Design
from navigate_safer.people.offending import (
    EntryKind,
    History,
    IncidentRole,
    OffendingEntry,
    history_of,
)
from navigate_safer.people.outcome_comparison import Side, compared
from navigate_safer.people.outcome_monitoring import AlertFact, Monitored, equity
from navigate_safer.people.outcome_report import Part

PICKED, AS_AT = date(2024, 6, 1), date(2026, 6, 1)
DESIGN = Design(AS_AT, EntryKind.INCIDENT, 365, 30)


def person(ref: str, before: int, after: int, inside: int, late: int) -> History:
    """Somebody with so many incidents either side, inside for the last days of the window after.

    The first one after comes ``late`` days later than the earliest could.
    """

    def made(kind: EntryKind, on: date, number: int, **fields) -> OffendingEntry:
        return OffendingEntry(f"{ref}-{kind.value}-{number}", ref, kind, on, "s", AS_AT, **fields)

    entries = [made(EntryKind.SELECTION, PICKED, 0)]
    days = [PICKED - timedelta(days=40 + 3 * n) for n in range(before)]
    days += [PICKED + timedelta(days=40 + late + 3 * n) for n in range(after)]
    role = IncidentRole.SUSPECT
    entries += [made(EntryKind.INCIDENT, day, n, role=role) for n, day in enumerate(days)]
    if inside:
        end = PICKED + timedelta(days=30 + 1 + 365)
        start = end - timedelta(days=inside)
        entries.append(made(EntryKind.CUSTODY, start, 1, until=end))
    return history_of(ref, date(1990, 1, 1), entries)


def side(name: str, people: int, before: int, after: int, inside: int = 0) -> Side:
    return Side(
        name, tuple(person(f"{name}-{n}", before, after, inside, 5 * n) for n in range(people))
    )


def said(part: Part) -> str:
    return " ".join(each.text for each in part.said)


def test_the_change_of_one_group_is_held_against_that_of_the_other() -> None:
    """40 to 10 in the first, 40 to 30 in the second: a quarter over three quarters."""
    part, _ = compared(side("North", 10, 4, 1), side("South", 10, 4, 3), DESIGN)
    row = part.rows[2]
    assert row.number == pytest.approx(1 / 3)
    assert row.low is not None
    assert row.high is not None
    assert row.low * row.high == pytest.approx(row.number**2)
    assert "North fell more, or rose less, than South" in said(part)
    assert "not drawn by lot" in said(part)


def test_days_inside_are_taken_off_so_that_custody_does_not_look_like_success() -> None:
    """Half the time inside and half the incidents: per day at risk nothing has changed."""
    part, _ = compared(side("North", 10, 4, 2, inside=183), side("South", 10, 4, 4), DESIGN)
    # Of the 183 days inside the first is at risk.
    assert part.rows[2].number == pytest.approx(0.5 / (183 / 365))


def test_groups_that_cannot_be_told_apart_come_with_what_would_have_been_noticed() -> None:
    for part in compared(side("North", 10, 4, 3), side("South", 10, 4, 3), DESIGN):
        assert "Cannot tell" in said(part)
        assert "would be missed more often than once in five" in said(part)


def test_a_comparison_group_of_nobody_cannot_be_estimated_and_says_why() -> None:
    part, curves = compared(side("North", 10, 4, 1), Side("Nobody", ()), DESIGN)
    assert part.rows[2].value == curves.rows[2].value == "cannot be estimated"
    assert "no event in the comparison group before" in said(part)
    assert "Cannot be estimated" in said(curves)


def test_nothing_after_in_either_group_is_no_crash() -> None:
    part, curves = compared(side("North", 5, 2, 0), side("South", 5, 2, 0), DESIGN)
    assert "Cannot be estimated: no event" in said(part)
    assert "no event in either group" in said(curves)


def test_curves_that_part_are_said_to_differ() -> None:
    _, part = compared(side("North", 20, 1, 0), side("South", 20, 1, 2), DESIGN)
    assert "differ by more than chance" in said(part)
    assert [name for name, _ in part.curves] == ["North", "South"]


def test_alike_groups_of_an_alert_burden_say_what_difference_would_be_missed() -> None:
    people = [Monitored(f"{area}{n}", 70.0, {"area": area}) for area in "NS" for n in range(10)]
    alerts = [AlertFact(f"{area}{n % 10}", None, False) for area in "NS" for n in range(60)]
    words = said(equity(alerts, people, "area", "Alerts by area"))
    assert "Cannot tell the groups apart" in words
    assert "would be missed" in words
