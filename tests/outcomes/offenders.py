"""Invented people with so many incidents either side of the day on which they were picked."""

from datetime import date, timedelta

from navigate_safer.people.observation import Design
from navigate_safer.people.offending import (
    EntryKind,
    History,
    IncidentRole,
    OffendingEntry,
    history_of,
)
from navigate_safer.people.outcome_report import Part, Report
from navigate_safer.people.outcome_whole import Gathered, report_of

PICKED, AS_AT = date(2024, 6, 1), date(2026, 6, 1)
DESIGN = Design(AS_AT, EntryKind.INCIDENT, 365, 30)
BORN = date(1990, 1, 1)
GAP = timedelta(days=31)
DAY = timedelta(days=1)


def entry(ref: str, kind: EntryKind, on: date, number: int = 0, **fields) -> OffendingEntry:
    return OffendingEntry(f"{ref}-{kind.value}-{number}", ref, kind, on, "s", AS_AT, **fields)


def person(
    ref: str, before: int, after: int, *, free_days: int = 365, code: str | None = None
) -> History:
    """``free_days``: days of the window after before he is locked up for the rest of it."""
    days = [PICKED - GAP - n * DAY for n in range(before)]
    days += [PICKED + GAP + n * DAY for n in range(after)]
    entries = [entry(ref, EntryKind.SELECTION, PICKED)]
    entries += [
        entry(ref, EntryKind.INCIDENT, on, n, role=IncidentRole.SUSPECT, offence_code=code)
        for n, on in enumerate(days)
    ]
    if free_days < 365:
        start = PICKED + GAP + free_days * DAY
        entries.append(entry(ref, EntryKind.CUSTODY, start, until=PICKED + GAP + 365 * DAY))
    return history_of(ref, BORN, entries)


def people(*counts: tuple[int, int]) -> list[History]:
    """One person for each pair of counts before and after."""
    return [person(f"W-{n}", *both) for n, both in enumerate(counts)]


def gathered(histories: list[History], **fields) -> Gathered:
    given = {"harm_table": None, "population": None, "times": (), "alerts": (), "monitored": ()}
    return Gathered(histories=tuple(histories), **(given | fields))


def report(histories: list[History], **fields) -> Report:
    return report_of(gathered(histories, **fields), DESIGN, str)


def said(part: Part) -> str:
    return " ".join(each.text for each in part.said)
