"""What is left out of a public report cannot be had by taking one printed number from another."""

from datetime import date, timedelta

import msgspec
import pytest

from navigate_safer.people.observation import Design
from navigate_safer.people.offending import (
    EntryKind,
    History,
    IncidentRole,
    OffendingEntry,
    Population,
    ProofType,
    history_of,
)
from navigate_safer.people.outcome_monitoring import AlertFact, Monitored, alert_burden, equity
from navigate_safer.people.outcome_packs import AreaLoad, capacity
from navigate_safer.people.outcome_report import (
    LEFT_OUT,
    SMALL,
    Part,
    Report,
    Row,
    public,
    with_complement,
)
from navigate_safer.people.outcome_whole import Gathered, report_of

AS_AT = date(2026, 11, 1)
PICKED = date(2024, 6, 1)
DAY = timedelta(days=1)
POPULATION = Population("1", "s", EntryKind.INCIDENT, 365, {"0": 900, "1": 60, "4": 40})


def shown(part: Part) -> list[str]:
    """Labels of the rows that a board may read."""
    whole = report_of(
        Gathered((), None, None, (), (), ()), Design(AS_AT, EntryKind.INCIDENT, 365, 30), str
    )
    (made,) = public(msgspec.structs.replace(whole, parts=(part,))).parts
    return [row.label for row in made.rows if row.value != LEFT_OUT]


def person(ref: str, *entries: tuple[EntryKind, date], picked: date | None = PICKED) -> History:
    lines = [] if picked is None else [(EntryKind.SELECTION, picked)]
    found = []
    for number, (kind, on) in enumerate([*lines, *entries]):
        fields: dict = {}
        if kind in (EntryKind.INCIDENT, EntryKind.DISPOSAL):
            fields["role"] = IncidentRole.SUSPECT
        if kind is EntryKind.DISPOSAL:
            fields |= {"proof_on": on + 30 * DAY, "proof_type": ProofType.CONVICTION}
        found.append(OffendingEntry(f"{ref}/{number}", ref, kind, on, "s", AS_AT, **fields))
    return history_of(ref, date(1990, 1, 1), found)


def report(*histories: History) -> Report:
    given = Gathered(histories, None, POPULATION, (), (), ())
    return public(report_of(given, Design(AS_AT, EntryKind.INCIDENT, 365, 30), str))


def values(part: Part) -> dict[str, str]:
    return {row.label: row.value for row in part.rows}


@pytest.mark.parametrize(
    ("counts", "hidden"),
    [
        ([60, 1, 1], {0, 1, 2}),
        ([60, 7, 1, 1], {1, 2, 3}),
        ([60, 3, 0], {0, 1}),
        ([60, 4, 4], {1, 2}),
        ([60, 30, 0], set()),
        ([3, 0, 0], {0}),
    ],
)
def test_so_many_rows_are_left_out_that_together_they_are_not_few(counts, hidden) -> None:
    rows = [(each,) for each in counts]
    few = [place for place, each in enumerate(counts) if 0 < each < SMALL]
    assert with_complement(rows, few) == hidden


def test_two_areas_with_one_person_each_take_the_third_with_them() -> None:
    """62 people in all, 60 of them in Crewe: whoever reads both knows of two."""
    table = capacity([AreaLoad("Crewe", 60, 3), AreaLoad("Tarvin", 1, 1), AreaLoad("Upton", 1, 1)])
    assert [row[1] for row in table.rows] == [LEFT_OUT] * 3


def test_a_group_of_nought_does_not_hide_a_small_one() -> None:
    rows = tuple(Row(f"{n}", f"{n}", counts=(n,)) for n in (40, 3, 0))
    assert shown(Part("p", "P", rows, (), "m", adds_up=True)) == ["0"]


def test_two_tiny_groups_of_wearers_take_a_third_with_them() -> None:
    people = [Monitored(f"N{n}", 70.0, {"area": "north"}) for n in range(20)]
    people += [Monitored(f"S{n}", 70.0, {"area": "south"}) for n in range(9)]
    people += [Monitored("E", 70.0, {"area": "east"}), Monitored("W", 70.0, {"area": "west"})]
    alerts = [AlertFact(f"{side}{n % 9}", None, False) for n in range(40) for side in "NS"]
    alerts += [AlertFact("E", None, False)] * 30 + [AlertFact("W", None, False)] * 30
    assert shown(equity(alerts, people, "area", "By area")) == ["north"]


def alerts_of(true: int, false: int, waiting: int, withdrawn: int) -> Part:
    made = [AlertFact("A", "breach_confirmed", False)] * true
    made += [AlertFact("A", "false_alarm", False)] * false
    made += [AlertFact("A", None, False)] * waiting + [AlertFact("A", None, True)] * withdrawn
    return alert_burden(made, [Monitored("A", 70.0, {})])


def test_all_alerts_less_the_answered_ones_are_not_told_either() -> None:
    """30 alerts, 28 answered: two are withdrawn or wait."""
    assert shown(alerts_of(20, 8, 2, 0)) == ["Alerts for each week worn"]
    few_answered = shown(alerts_of(2, 1, 20, 9))
    assert few_answered == ["Alerts for each week worn"], "and not the other way about"
    assert len(shown(alerts_of(20, 8, 6, 7))) == 4


def test_people_less_those_who_were_followed_are_not_told() -> None:
    """22 people, 20 of them followed by the courts: two have no index event."""
    index = EntryKind.COMMUNITY_SENTENCE, PICKED
    again = EntryKind.DISPOSAL, PICKED + 90 * DAY
    followed = [person(f"A{n}", index, *([again] if n < 10 else [])) for n in range(20)]
    made = report(*followed, person("B"), person("C"))
    assert made.people == 22
    part = made.part("proven")
    assert set(values(part).values()) == {LEFT_OUT}
    assert "20" not in " ".join(each.text for each in part.said)
    enough = report(*followed, *(person(f"B{n}") for n in range(7))).part("proven")
    assert values(enough)["Re-offended, proven within 12 months"] == "50 %"


def cohort(short: int) -> list[History]:
    """Twenty with a whole window, and some who were picked too lately for one."""
    before = [(EntryKind.INCIDENT, PICKED - 60 * DAY), (EntryKind.INCIDENT, PICKED + 60 * DAY)]
    lately = AS_AT - 100 * DAY
    late = [(EntryKind.INCIDENT, lately - 60 * DAY), (EntryKind.INCIDENT, lately + 60 * DAY)]
    return [person(f"A{n}", *before) for n in range(20)] + [
        person(f"B{n}", *late, picked=lately) for n in range(short)
    ]


def test_people_and_events_that_one_part_has_and_the_other_has_not_are_not_told() -> None:
    """22 people and 22 incidents before, in the next part 20 people and 20 incidents."""
    made = report(*cohort(2))
    assert values(made.part("change"))["Before"] != LEFT_OUT
    assert values(made.part("change"))["Watched for less than the window"] == LEFT_OUT
    assert set(values(made.part("mean")).values()) == {LEFT_OUT}
    enough = report(*cohort(6))
    assert LEFT_OUT not in values(enough.part("mean")).values()
    assert LEFT_OUT not in values(enough.part("change")).values()


def test_the_start_of_the_curve_does_not_tell_who_is_not_on_it() -> None:
    made = report(*cohort(6), person("C", picked=None))
    curve = made.part("survival").curve
    assert curve
    assert curve[0].day > 0
    assert "26" not in " ".join(each.text for each in made.part("survival").said)
    assert report(*cohort(6)).part("survival").curve[0].day == 0
