"""Nobody is watched for longer than the records reach: silence after them is no good sign."""

from datetime import date, timedelta

import pytest

from navigate_safer.people import observation, record_reach
from navigate_safer.people.observation import Design
from navigate_safer.people.offending import (
    EntryKind,
    History,
    IncidentRole,
    OffendingEntry,
    ProofType,
    history_of,
)
from navigate_safer.people.outcome_report import CANNOT, Part, Report
from navigate_safer.people.outcome_whole import Gathered, behind, report_of
from navigate_safer.people.record_reach import Keeper

BORN, PICKED = date(1987, 4, 2), date(2026, 6, 1)
EXTRACT, ASKED = date(2026, 9, 30), date(2026, 11, 20)
DAY = timedelta(days=1)
ROLES = (EntryKind.INCIDENT, EntryKind.ARREST, EntryKind.DISPOSAL, EntryKind.BREACH)


def entry(kind: EntryKind, on: date, as_at: date = EXTRACT, ref: str = "", **fields):
    if kind in ROLES:
        fields.setdefault("role", IncidentRole.SUSPECT)
    return OffendingEntry(ref or f"{kind.value}-{on}", "W-1", kind, on, "police", as_at, **fields)


def person(ref: str, *entries: OffendingEntry, picked: date = PICKED) -> History:
    chosen = entry(EntryKind.SELECTION, picked, ASKED)
    return history_of(ref, BORN, [chosen, *entries])


def asked(kind: EntryKind = EntryKind.INCIDENT) -> Design:
    return Design(ASKED, kind, 365, 30)


def report(*histories: History, design: Design | None = None) -> Report:
    return report_of(Gathered(histories, None, None, (), (), ()), design or asked(), str)


def said(part: Part) -> str:
    return " ".join(each.text for each in part.said)


def test_days_after_the_police_extract_are_no_days_without_an_incident() -> None:
    """The extract is of 30 September, the page is opened on 20 November: 51 days are not known."""
    him = person("A", entry(EntryKind.INCIDENT, PICKED - 60 * DAY))
    watching = record_reach.watching([him], asked())
    (seen,) = observation.watched([him], watching).people
    assert seen.post_days == (EXTRACT - PICKED).days - 30 == 91
    assert seen.pre_days == 91, "and the window before is as long"
    clock = observation.clocks([him], EntryKind.INCIDENT, watching.as_at)
    assert clock.time == ((EXTRACT - PICKED).days,)
    (row,) = [row for row in report(him).part("change").rows if row.label == "After"]
    assert row.note == "0 in 91 days at risk"


def test_a_newer_extract_is_about_everybody_also_of_whom_it_has_nothing() -> None:
    quiet = person("A", entry(EntryKind.INCIDENT, PICKED - 60 * DAY))
    newer = person("B", entry(EntryKind.ARREST, PICKED - 50 * DAY, date(2026, 11, 10)))
    assert record_reach.watching([quiet, newer], asked()).as_at == date(2026, 11, 10)


def test_records_that_reach_further_do_not_lengthen_what_was_asked() -> None:
    him = person("A", entry(EntryKind.INCIDENT, PICKED, date(2026, 12, 24)))
    assert record_reach.watching([him], asked()).as_at == ASKED


def test_an_extract_of_the_police_does_not_say_that_there_was_no_breach() -> None:
    him = person(
        "A",
        entry(EntryKind.INCIDENT, PICKED, ASKED),
        entry(EntryKind.BREACH, PICKED - 40 * DAY, EXTRACT),
    )
    assert record_reach.watching([him], asked(EntryKind.BREACH)).as_at == EXTRACT


def test_where_there_is_no_record_at_all_nobody_is_said_to_have_done_nothing() -> None:
    made = report(person("A"), person("B"))
    assert "Cannot tell" in said(made.part("survival"))
    assert made.part("survival").rows[0].value == CANNOT
    assert made.part("proven").rows[0].value == CANNOT
    assert made.part("serial").rows[0].value == CANNOT
    assert made.part("serial").rows[0].note == "no incident, arrest or charge is recorded"
    assert all("none is known" in each.words for each in made.reach)


def test_a_follow_up_is_over_only_when_the_courts_records_reach_its_end() -> None:
    """Sentenced in April 2025: 18 months end in October 2026, after what the court has sent."""
    sentenced = entry(EntryKind.COMMUNITY_SENTENCE, date(2025, 4, 15), date(2025, 4, 20))
    convicted = entry(
        EntryKind.DISPOSAL, date(2025, 5, 1), EXTRACT,
        proof_on=date(2025, 9, 1), proof_type=ProofType.CONVICTION,
    )  # fmt: skip
    him = person("A", sentenced, convicted, picked=date(2025, 4, 1))
    rows = {row.label: row.number for row in report(him).part("proven").rows}
    assert rows["Not followed long enough"] == 1
    (waiting,) = behind(Gathered((him,), None, None, (), (), ()), asked(), "immature") or []
    assert waiting.words == "mature on 2026-10-15"


@pytest.mark.parametrize(("days", "old"), [(31, False), (32, True)])
def test_records_of_more_than_a_month_before_are_said_to_be_old(days: int, old: bool) -> None:
    him = person("A", entry(EntryKind.INCIDENT, PICKED, ASKED - days * DAY))
    reach = record_reach.reach([him], Keeper.POLICE, ASKED)
    assert reach.old is old
    assert ("ask for a newer extract" in reach.words) is old
    assert "no later day is counted" in reach.words


def test_the_day_is_printed_under_how_it_is_counted() -> None:
    him = person("A", entry(EntryKind.INCIDENT, PICKED))
    made = report(him)
    for key in ("change", "mean", "survival", "harm", "serial"):
        assert "Watched to: 30 September 2026" in made.part(key).method, key
    assert "first day in custody" in made.part("change").method
