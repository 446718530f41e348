"""Records of offending: what is refused, what is counted, and what a second import changes."""

from datetime import date, timedelta

import pytest
from case_files import START, small_case_file
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from navigate_safer.cli import main
from navigate_safer.db.audit import AuditRow
from navigate_safer.db.offending import OffendingRow
from navigate_safer.outcomes.before_after import Totals
from navigate_safer.people import observation
from navigate_safer.people.observation import Design
from navigate_safer.people.offending import (
    BadRecord,
    EntryKind,
    IncidentRole,
    OffendingEntry,
    ProofType,
    Spell,
    check,
    history_of,
    joined,
)
from navigate_safer.services import register

BORN = date(1987, 4, 2)
PICKED = date(2025, 6, 1)
KNOWN = date(2026, 11, 1)
DAY = timedelta(days=1)
HEADER = "ref,wearer,kind,on,source,as_at,role,offence_code,until"


def entry(kind: EntryKind, on: date, ref: str = "E-1", **fields) -> OffendingEntry:
    if kind in (EntryKind.INCIDENT, EntryKind.ARREST, EntryKind.DISPOSAL, EntryKind.BREACH):
        fields.setdefault("role", IncidentRole.SUSPECT)
    return OffendingEntry(ref, "W-1", kind, on, "police", KNOWN, **fields)


def person(*entries: OffendingEntry, ref: str = "W-1"):
    selected = entry(EntryKind.SELECTION, PICKED, "E-0")
    return history_of(ref, BORN, [selected, *entries])


def incident(on: date, **fields) -> OffendingEntry:
    return entry(EntryKind.INCIDENT, on, f"E-{on}", **fields)


def custody(on: date, until: date | None) -> OffendingEntry:
    return entry(EntryKind.CUSTODY, on, f"C-{on}", until=until)


def design(*, as_at: date = KNOWN, window: int = 100, gap: int = 30) -> Design:
    return Design(as_at, EntryKind.INCIDENT, window, gap)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (entry(EntryKind.INCIDENT, date(1980, 1, 1)), "before the person was born"),
        (entry(EntryKind.INCIDENT, PICKED, role=None), "needs the person's role"),
        (entry(EntryKind.DIED, PICKED, role=IncidentRole.VICTIM), "has no role"),
        (entry(EntryKind.INCIDENT, KNOWN + DAY), "after as_at"),
        (entry(EntryKind.ARREST, PICKED, recorded_on=PICKED - DAY), "recorded_on"),
        (entry(EntryKind.CUSTODY, PICKED, until=PICKED - DAY), "until"),
        (entry(EntryKind.INCIDENT, PICKED, until=PICKED), "only custody has an end"),
        (entry(EntryKind.DISPOSAL, PICKED), "needs proof_type and proof_on"),
        (
            entry(EntryKind.DISPOSAL, PICKED, proof_on=PICKED - DAY, proof_type=ProofType.CAUTION),
            "proof_on",
        ),
        (entry(EntryKind.INCIDENT, date(9, 1, 1)), "not a date of this age"),
    ],
)
def test_an_entry_that_cannot_be_true_is_refused_by_name(wrong: OffendingEntry, said: str) -> None:
    with pytest.raises(BadRecord, match=said) as refused:
        check(wrong, BORN)
    assert str(refused.value).startswith(f"entry {wrong.ref}: ")


def test_the_incident_for_which_he_was_picked_is_not_counted_as_before() -> None:
    him = person(incident(PICKED), incident(PICKED - 10 * DAY), incident(PICKED - 31 * DAY))
    (seen,) = observation.watched([him], design()).people
    assert [each.on for each in seen.pre] == [PICKED - 31 * DAY]
    assert seen.post == ()


def test_both_windows_have_the_same_length_when_he_moves_away() -> None:
    gone = entry(EntryKind.MOVED_AWAY, PICKED + 51 * DAY, "M")
    him = person(gone, incident(PICKED - 60 * DAY), incident(PICKED - 49 * DAY))
    (seen,) = observation.watched([him], design()).people
    assert (seen.pre_days, seen.post_days, seen.shortened) == (20, 20, True)
    assert [each.on for each in seen.pre] == [PICKED - 49 * DAY], "and the far end is cut off"


def test_custody_takes_days_and_its_first_and_last_are_at_risk() -> None:
    inside = custody(PICKED + 41 * DAY, PICKED + 51 * DAY)
    him = person(inside, incident(PICKED + 45 * DAY), incident(PICKED + 51 * DAY))
    (seen,) = observation.watched([him], design()).people
    assert (seen.pre_days, seen.post_days, seen.inside) == (100, 91, 1)
    assert [each.on for each in seen.post] == [PICKED + 51 * DAY]


def test_what_led_to_custody_on_the_same_day_is_counted() -> None:
    """Offence, arrest and remand on one day: the day is at risk, and the offence ends the clock."""
    day = PICKED + 41 * DAY
    him = person(incident(day), custody(day, None))
    (seen,) = observation.watched([him], design()).people
    assert [each.on for each in seen.post] == [day]
    assert (seen.post_days, seen.inside) == (11, 0)
    group = observation.clocks([him], EntryKind.INCIDENT, KNOWN)
    assert (group.time, group.event) == ((41,), (True,))


def test_who_is_still_inside_has_no_day_at_risk_and_nothing_divides_by_it() -> None:
    him = person(custody(PICKED, None))
    (seen,) = observation.watched([him], design()).people
    assert seen.post_days == 0
    assert observation.totals([seen]) == Totals(x0=0, t0=100, x1=0, t1=0)


@pytest.mark.parametrize("role", [role for role in IncidentRole if role != IncidentRole.SUSPECT])
def test_only_a_suspect_is_counted(role: IncidentRole) -> None:
    him = person(incident(PICKED + 40 * DAY, role=role))
    (seen,) = observation.watched([him], design()).people
    assert seen.post == ()


def test_who_was_picked_last_week_and_who_was_not_picked_are_shown_apart() -> None:
    late = person(ref="late")
    never = history_of("never", BORN, [])
    found = observation.watched([late, never], design(as_at=PICKED + 30 * DAY))
    assert (found.people, found.too_early, found.without_selection) == ((), ("late",), ("never",))


def test_the_clock_stops_in_custody() -> None:
    free = person(incident(PICKED + 40 * DAY))
    inside = person(custody(PICKED + 11 * DAY, PICKED + 31 * DAY), incident(PICKED + 40 * DAY))
    group = observation.clocks([free, inside], EntryKind.INCIDENT, KNOWN)
    assert group.time == (40, 21)
    assert group.event == (True, True)


def test_a_proof_after_the_day_asked_about_was_not_known_then() -> None:
    proven = entry(
        EntryKind.DISPOSAL, date(2024, 6, 1), "D",
        proof_on=date(2024, 12, 1), proof_type=ProofType.CONVICTION,
    )  # fmt: skip
    index = entry(EntryKind.CAUTION, date(2024, 1, 1), "I")
    him = person(index, proven)
    after, _ = observation.follow_ups([him], date(2025, 12, 1))
    before, _ = observation.follow_ups([him], date(2024, 11, 30))
    assert observation.reoffended(after)["W-1"].proven_reoffences == 1
    assert observation.reoffended(before)["W-1"].proven_reoffences is None
    assert before.people[0].events[0].proof is None


spells = st.lists(
    st.tuples(st.integers(0, 200), st.integers(0, 60)).map(
        lambda pair: Spell(PICKED + pair[0] * DAY, PICKED + (pair[0] + pair[1]) * DAY)
    ),
    max_size=6,
)


@given(spells)
def test_custody_that_overlaps_is_counted_once(given_: list[Spell]) -> None:
    days = {
        spell.start + n * DAY for spell in given_ for n in range((spell.end - spell.start).days)
    }
    assert sum((each.end - each.start).days for each in joined(given_)) == len(days)


def csv(*lines: str) -> bytes:
    return "\n".join([HEADER, *lines]).encode()


FIRST = "I-1,W-1,incident,2025-06-01,police,2026-01-01,suspect,8N,"
INSIDE = "C-1,W-1,custody,2025-07-01,prison,2026-01-01,,,2025-08-01"


@pytest.fixture
def run(database, tmp_path):
    register.register(database.sessions, small_case_file(), START)
    runner = CliRunner(env={"NAVIGATE_SAFER_DATABASE_URL": database.url})

    def imported(*lines: str, options: tuple[str, ...] = ()):
        path = tmp_path / "records.csv"
        path.write_bytes(csv(*lines))
        return runner.invoke(main, ["import", "offending", str(path), *options])

    return imported


def test_a_second_import_changes_nothing(database, run) -> None:
    assert run(FIRST, INSIDE).output == "Offending records: 2 added, 0 changed, 0 unchanged.\n"
    assert run(FIRST, INSIDE).output == "Offending records: 0 added, 0 changed, 2 unchanged.\n"
    assert database.count(OffendingRow) == 2
    log = database.all(AuditRow, AuditRow.what == "offending records taken in")
    assert [each.detail for each in log] == [{"entries": 2}]


def test_a_later_record_supersedes_and_an_older_one_does_not(database, run) -> None:
    run(FIRST)
    later = FIRST.replace("2026-01-01,suspect", "2026-02-01,both_alleged")
    assert "1 changed" in run(later).output
    assert "1 older than what is known" in run(FIRST).output
    with database.sessions() as session:
        rows = list(session.scalars(select(OffendingRow).order_by(OffendingRow.version)))
    assert [(each.version, each.role) for each in rows] == [(1, "suspect"), (2, "both_alleged")]
    assert rows[0].superseded_at is not None
    assert rows[1].superseded_at is None


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("I-2,W-9,incident,2025-06-01,police,2026-01-01,suspect,8N,", "there is no wearer W-9"),
        ("I-2,W-1,incident,1970-06-01,police,2026-01-01,suspect,8N,", "before the person was born"),
        ("I-2,W-1,incident,1 June,police,2026-01-01,suspect,8N,", "line 3: on: is not a date"),
        ("I-2,W-1,quarrel,2025-06-01,police,2026-01-01,suspect,8N,", "line 3: kind: 'quarrel'"),
        ("I-1,W-1,incident,2025-06-02,police,2026-01-01,suspect,8N,", "is given twice"),
    ],
)
def test_one_bad_line_is_named_and_nothing_is_stored(database, run, line: str, said: str) -> None:
    refused = run(FIRST, line)
    assert refused.exit_code == 2
    assert said in refused.output
    assert "nothing was stored" in refused.output
    assert database.count(OffendingRow) == 0


def test_a_dry_run_stores_nothing(database, run) -> None:
    assert "1 added" in run(FIRST, options=("--dry-run",)).output
    assert database.count(OffendingRow) == 0
