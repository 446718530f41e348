"""What is behind a figure, what a public report may not tell, and the count beside the harm."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from outcomes.offenders import (
    AS_AT,
    BORN,
    DAY,
    DESIGN,
    PICKED,
    entry,
    gathered,
    people,
    person,
    report,
    said,
)

from navigate_safer.people import observation
from navigate_safer.people.offending import (
    EntryKind,
    HarmTable,
    History,
    IncidentRole,
    OffendingEntry,
    history_of,
)
from navigate_safer.people.outcome_comparison import Side, compared
from navigate_safer.people.outcome_report import LEFT_OUT, SMALL, public
from navigate_safer.people.outcome_whole import Gathered, Listed, behind
from navigate_safer.web.outcomes import TITLES

SUSPECT, VICTIM = IncidentRole.SUSPECT, IncidentRole.VICTIM


def listed(given: Gathered, name: str) -> list[Listed]:
    found = behind(given, DESIGN, name)
    assert found is not None, name
    return found


def entries(given: Gathered, name: str) -> list[OffendingEntry]:
    return [each for line in listed(given, name) for each in line.entries]


# The public rows of the curve


def first_after(ref: str, days: int | None) -> History:
    """Somebody with a first incident so many days after he was picked, or with none."""
    made = [entry(ref, EntryKind.SELECTION, PICKED)]
    if days is not None:
        made.append(entry(ref, EntryKind.INCIDENT, PICKED + days * DAY, role=SUSPECT))
    return history_of(ref, BORN, made)


def with_firsts(*days: int) -> list[History]:
    firsts = (*days, *[None] * (30 - len(days)))
    return [first_after(f"W-{n}", each) for n, each in enumerate(firsts)]


def test_a_public_row_does_not_tell_of_the_one_event_that_the_curve_hides() -> None:
    made = public(report(with_firsts(20, 100, 110, *[250] * 6)))
    part = made.part("survival")
    assert [row.value for row in part.rows[:2]] == [LEFT_OUT] * 2
    assert part.rows[2].value == "70 %"
    assert not {90, 180} & {point.day for point in part.curve}


def test_two_days_that_are_shown_do_not_tell_of_one_event_between_them() -> None:
    """Five had one by the 330th day, one more on the 362nd: the year's end tells of six."""
    made = public(report(with_firsts(*[250] * 5, 362)))
    part = made.part("survival")
    assert part.rows[2].value == LEFT_OUT
    assert max(point.day for point in part.curve if point.day < 365) == 330


def test_no_row_and_no_point_that_are_shown_differ_by_a_few_people() -> None:
    made = public(report(with_firsts(3, *range(40, 360, 17), 361, 364)))
    part = made.part("survival")
    shown = {point.day: point.at_risk for point in part.curve}
    for row, day in zip(part.rows, (90, 180, 365), strict=False):
        if row.value != LEFT_OUT:
            shown[day] = row.counts[0]
    left = [shown[day] for day in sorted(shown)]
    assert len(left) > 3
    gone = [one - other for one, other in pairwise(left)]
    assert not [each for each in gone if 0 < each < SMALL]


def test_two_groups_hide_the_year_s_end_of_one_event_as_well() -> None:
    sides = [Side(name, tuple(with_firsts(*days))) for name, days in
             (("North", [20]), ("South", [250] * 6))]  # fmt: skip
    _, part = compared(*sides, DESIGN)
    one, six = part.rows[:2]
    assert one.counts == (30, 29, 1, 1)
    assert not any(0 < each < SMALL for each in six.counts)


# The count beside the harm


def offenders(*codes: str | None) -> list[History]:
    return [person(f"W-{n}", 2, 1, code=code) for n, code in enumerate(codes)]


TABLE = HarmTable("1", "Cambridge", {"abh": 20.0})


def test_an_offence_without_days_leaves_the_count_and_no_code_outside() -> None:
    histories = offenders(*["abh"] * 6, *["stalking"] * 5)
    whole = report(histories, harm_table=TABLE)
    part = whole.part("harm")
    assert [row.value for row in part.rows] == ["cannot be estimated", "22 before, 11 after", "15"]
    assert "15 offences have no days in the table" in said(part)
    assert "stalking" in said(part)
    outside = public(whole).part("harm")
    assert [row.value for row in outside.rows] == [row.value for row in part.rows]
    assert "15 offences have no days in the table" in said(outside)
    assert "stalking" not in said(outside)
    assert "Some words are left out" not in said(outside)


def test_a_few_offences_without_days_are_not_counted_outside() -> None:
    whole = report(offenders(*["abh"] * 10, None), harm_table=TABLE)
    assert "3 offences have no days" in said(whole.part("harm"))
    outside = public(whole).part("harm")
    assert "3 offences" not in said(outside)
    assert [row.value for row in outside.rows][1:] == ["22 before, 11 after", LEFT_OUT]


def test_without_a_table_the_count_stands_alone() -> None:
    part = report(offenders(*["abh"] * 5)).part("harm")
    assert [row.value for row in part.rows] == ["cannot be estimated", "10 before, 5 after"]
    assert "no table of days by offence is loaded" in said(part)


# Lists


def referral(ref: str, number: int, on: date, victim: str, role: IncidentRole) -> OffendingEntry:
    kind = EntryKind.MARAC_REFERRAL
    return entry(ref, kind, on, number, victim=victim, role=role)


JANUARY, JUNE, LATE = date(2024, 1, 1), date(2024, 6, 1), date(2026, 1, 1)


def referred() -> Gathered:
    """Three of one pair, of which one is a repeat; two in which the person is the victim."""
    his = [referral("A", n, on, "V1", SUSPECT) for n, on in enumerate((JANUARY, JUNE, LATE))]
    his.append(referral("A", 3, JUNE + DAY, "V2", SUSPECT))
    hers = [referral("B", n, on, "V3", VICTIM) for n, on in enumerate((JANUARY, JUNE))]
    return gathered([history_of("A", BORN, his), history_of("B", BORN, hers)])


def test_a_referral_counts_for_who_is_its_suspect_only() -> None:
    assert observation.referrals(referred().histories, AS_AT) == {
        "A|V1": [JANUARY, JUNE, LATE],
        "A|V2": [JUNE + DAY],
    }


def test_the_list_behind_the_repeats_has_the_referrals_that_the_rate_counts() -> None:
    given = referred()
    row = report(list(given.histories)).part("serial").rows[1]
    assert (row.note, row.counts[0]) == ("1 of 4 referrals", 1)
    assert [each.on for each in entries(given, "repeats")] == [JUNE]


def test_the_list_of_serial_perpetrators_has_the_incidents_that_make_them_so() -> None:
    days = [AS_AT - timedelta(days=each) for each in (2_000, 400, 100)]
    his = [
        entry("A", EntryKind.INCIDENT, on, n, role=SUSPECT, victim=f"V{n}")
        for n, on in enumerate(days)
    ]
    his.append(entry("A", EntryKind.INCIDENT, days[2], 9, role=VICTIM, victim="V9"))
    given = gathered([history_of("A", BORN, his)])
    assert [each.on for each in entries(given, "serial")] == days[1:]


def test_lists_of_roles_of_harm_and_of_the_curve_have_what_their_figures_count() -> None:
    histories = people((3, 2), (0, 1), (2, 0))
    histories.append(history_of("V", BORN, [
        entry("V", EntryKind.INCIDENT, JUNE, role=VICTIM),
        entry("V", EntryKind.INCIDENT, AS_AT + DAY, 1, role=VICTIM),
    ]))  # fmt: skip
    given = gathered(histories)
    made = report(histories)
    for row in made.part("roles").rows:
        assert len(entries(given, row.behind)) == row.number
    assert len(entries(given, "counted")) == 8
    assert {each.ref for each in listed(given, "first")} == {"W-0", "W-1"}
    assert made.part("survival").rows[-1].number == len(entries(given, "first")) == 2
    assert {each.ref for each in listed(given, "watched_90")} == {"W-2"}
    table = HarmTable("1", "s", {"no code": 1.0})
    assert entries(gathered(histories, harm_table=table), "unweighted") == []
    assert len(entries(given, "unweighted")) == 8


def test_every_list_that_a_row_names_can_be_opened() -> None:
    made = report(people((3, 2), (0, 1)), harm_table=TABLE)
    named = {row.behind for part in made.parts for row in part.rows} - {None, "alerts"}
    assert {"counted", "first", "unweighted", "role_victim"} <= named
    assert named <= set(TITLES)
    for name in TITLES:
        assert behind(gathered([]), DESIGN, name) is not None, name


@pytest.mark.parametrize("name", ["role_", "watched_91", "first_", "refs"])
def test_a_list_that_nobody_knows_is_none(name: str) -> None:
    assert behind(gathered([]), DESIGN, name) is None
