"""The report on the invented cohort, whose true effect is known, and its public form."""

from datetime import UTC, date, datetime

import msgspec
import pytest

from navigate_safer.demo.cohort import build_cohort
from navigate_safer.people.observation import Design
from navigate_safer.people.offending import EntryKind, history_of
from navigate_safer.people.outcome_monitoring import (
    AlertFact,
    ConditionTime,
    Monitored,
    alert_burden,
    equity,
    time_kept,
)
from navigate_safer.people.outcome_report import LEFT_OUT, Part, Point, Row, Sentence, public
from navigate_safer.people.outcome_whole import Gathered, behind, report_of

START = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)
AS_AT = date(2026, 11, 20)
ALL = Design(AS_AT, EntryKind.INCIDENT, 365, 30)


@pytest.fixture(scope="module")
def gathered() -> Gathered:
    cohort = build_cohort(seed=20_131_001, start=START)
    mine: dict[str, list] = {each.ref: [] for each in cohort.wearers}
    for entry in cohort.offending:
        mine[entry.wearer].append(entry)
    histories = tuple(history_of(each.ref, each.born_on, mine[each.ref]) for each in cohort.wearers)
    return Gathered(histories, cohort.harm_tables[0], cohort.populations[0], (), (), ())


def said(part: Part) -> str:
    return " ".join(each.text for each in part.said)


def report(given: Gathered, design: Design = ALL):
    return report_of(given, design, str)


def nobody() -> Gathered:
    return Gathered((), None, None, (), (), ())


def test_the_fall_by_itself_is_told_from_the_true_effect(gathered: Gathered) -> None:
    """The invented cohort's true rate ratio is 0.85; the bare fall is twice as large."""
    parts = report(gathered)
    naive = parts.part("change").rows[2]
    against_expected = parts.part("mean").rows[3]
    assert naive.number is not None
    assert naive.number < 0.75
    assert against_expected.low is not None
    assert against_expected.high is not None
    assert against_expected.low < 0.85 < against_expected.high
    assert "does not show that the programme worked" in said(parts.part("change"))


def test_where_people_differ_the_robust_interval_stands_beside_the_exact_one(
    gathered: Gathered,
) -> None:
    part = report(gathered).part("change")
    labels = [row.label for row in part.rows]
    assert "Change, robust interval" in labels
    assert "read the robust interval" in said(part).lower()


def test_too_few_to_tell_says_how_large_a_fall_would_be_missed(gathered: Gathered) -> None:
    few = msgspec.structs.replace(gathered, histories=gathered.histories[:8])
    words = said(report(few, msgspec.structs.replace(ALL, window_days=90)).part("change"))
    assert "Cannot tell" in words
    assert "would be missed" in words or "would be noticed" in words


def test_a_report_on_nobody_says_in_every_part_that_it_cannot_tell() -> None:
    made = report(nobody())
    for part in made.parts:
        if part.key not in ("serial", "roles"):
            assert "Cannot tell" in said(part), part.key
        for row in part.rows:
            assert not {"nan", "inf", "None"} & set(row.value.split()), row


def test_every_part_says_something_and_how_it_is_counted(gathered: Gathered) -> None:
    for part in report(gathered).parts:
        assert part.said
        assert part.method


def test_each_list_has_the_people_of_its_figure(gathered: Gathered) -> None:
    made = report(gathered)
    reoffended = made.part("proven").rows[0]
    found = behind(gathered, ALL, "reoffenders")
    assert found is not None
    assert len(found) == reoffended.counts[0]
    proven = sum(len(each.entries) for each in found)
    assert made.part("proven").rows[2].number == pytest.approx(100 * proven / reoffended.counts[1])
    before = behind(gathered, ALL, "before")
    assert before is not None
    assert sum(len(each.entries) for each in before) == made.part("change").rows[0].counts[0]
    serial = behind(gathered, ALL, "serial")
    assert serial is not None
    assert len(serial) == made.part("serial").rows[0].counts[0]
    assert behind(gathered, ALL, "nothing") is None


def test_the_same_records_give_the_same_report(gathered: Gathered) -> None:
    assert msgspec.json.encode(report(gathered)) == msgspec.json.encode(report(gathered))


def a_part(*counts: int, adds_up: bool = False) -> Part:
    rows = tuple(Row(f"group {n}", str(n), counts=(n,), behind="serial") for n in counts)
    words = tuple(Sentence(f"There are {n}.", (n,)) for n in counts)
    return Part("p", "P", rows, words, "m", adds_up=adds_up)


def in_public(part: Part) -> Part:
    whole = report(nobody())
    return public(msgspec.structs.replace(whole, parts=(part,))).parts[0]


def test_a_small_number_is_left_out_with_the_sentence_that_says_it() -> None:
    made = in_public(a_part(4, 5, 0))
    assert [row.value for row in made.rows] == [LEFT_OUT, "5", "0"]
    assert "There are 4." not in said(made)
    assert "There are 5." in said(made)
    assert all(row.behind is None for row in made.rows)


def test_one_small_number_cannot_be_worked_out_from_the_others() -> None:
    made = in_public(a_part(3, 40, 9, adds_up=True))
    assert [row.value for row in made.rows] == [LEFT_OUT, "40", LEFT_OUT]


def test_the_public_curve_has_no_step_of_one_person(gathered: Gathered) -> None:
    curve = public(report(gathered)).part("survival").curve
    assert curve
    assert all(point.day % 30 == 0 and point.at_risk >= 5 for point in curve)


def test_the_public_curve_does_not_tell_of_one_event() -> None:
    people = [Point(0, 1.0, None, None, 40), Point(12, 0.875, None, None, 40)]
    people += [Point(30, 0.875, None, None, 35), Point(41, 0.85, None, None, 35)]
    people += [Point(60, 0.85, None, None, 34), Point(71, 0.7, None, None, 34)]
    people += [Point(90, 0.7, None, None, 28), Point(99, 0.7, None, None, 4)]
    part = msgspec.structs.replace(a_part(9), curve=tuple(people))
    assert [point.day for point in in_public(part).curve] == [0, 30, 90]


def test_of_a_known_total_what_is_left_over_is_not_told_either() -> None:
    alerts = [AlertFact("A", "breach_confirmed", False)] * 40
    alerts += [AlertFact("A", "false_alarm", False)] * 3 + [AlertFact("A", None, False)] * 20
    alerts += [AlertFact("A", None, True)] * 2
    made = in_public(alert_burden(alerts, [worn("A", "x")]))
    assert [row.value for row in made.rows[1:]] == [LEFT_OUT] * 3
    assert "40" not in said(made)


def worn(ref: str, group: str, days: float = 70.0) -> Monitored:
    return Monitored(ref, days, {"area": group})


def test_precision_counts_only_answered_alerts() -> None:
    alerts = [AlertFact("A", "breach_confirmed", False)] * 6
    alerts += [AlertFact("A", "false_alarm", False)] * 2
    alerts += [AlertFact("A", None, False), AlertFact("A", "other", True)]
    part = alert_burden(alerts, [worn("A", "x")])
    assert part.rows[0].number == pytest.approx(1.0)
    assert part.rows[1].number == pytest.approx(0.75)
    assert [row.number for row in part.rows[2:]] == [1, 1]


def test_groups_that_differ_are_named_and_tiny_ones_are_not_compared() -> None:
    people = [worn(f"N{n}", "north") for n in range(10)]
    people += [worn(f"S{n}", "south") for n in range(10)] + [worn("E0", "east")]
    alerts = [AlertFact(f"N{n % 10}", None, False) for n in range(60)]
    alerts += [AlertFact("S0", None, False)] + [AlertFact("E0", None, False)] * 40
    part = equity(alerts, people, "area", "Alerts by area")
    assert [row.value for row in part.rows] == ["too few people to say", "0.60", "0.01"]
    assert "north above south" in said(part)
    assert "does not say why" in said(part)
    assert "east" not in said(part)


def test_time_that_nobody_knows_is_neither_kept_nor_broken() -> None:
    part = time_kept([ConditionTime("curfew", 9, 1000, 600, 200, 200)], str)
    (row,) = part.rows
    assert (row.number, row.low, row.high) == pytest.approx((0.75, 0.6, 0.8))
    assert "20 % not known" in row.note
