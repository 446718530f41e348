"""Intake: the queue and its clock, decisions, records made once, repeat and serial, the report."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from case_files import START
from databases import Database, SqliteFactory
from intake_office import FACTS, NEARLY_W1, NOW, STRANGER, TODAY, Office, by

from navigate_safer.db import referrals as rows
from navigate_safer.db.audit import AuditRow
from navigate_safer.db.people import StaffRow, WearerRow
from navigate_safer.db.referrals import Offences
from navigate_safer.people import referral_report
from navigate_safer.people import referrals as rules
from navigate_safer.people.access import Forbidden, Role
from navigate_safer.people.closing import CaseState, ClosedWhy
from navigate_safer.people.cohort import Decision as CohortDecision
from navigate_safer.people.cohort import IomCohort, Leads, Membership, Seat
from navigate_safer.people.referral_report import Line
from navigate_safer.people.referrals import (
    Answered,
    Band,
    Decision,
    Diversion,
    Outcome,
    Person,
    Referral,
)
from navigate_safer.services import (
    assessments,
    closing,
    cohort,
    cohort_changes,
    referral_notes,
    referral_settings,
    referrals,
    timeline,
    today,
)
from navigate_safer.services.casework import NotFound
from navigate_safer.services.records import Stale
from navigate_safer.services.referral_decisions import CannotDecide

HOUR = timedelta(hours=1)
NEARLY_W1_AS_A_BROTHER = Person("Leofwin Umbershaw", [], date(1989, 11, 23))
SETTINGS = rules.shipped_settings()


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteFactory]:
    made = SqliteFactory(tmp_path_factory.mktemp("sqlite"))
    yield made
    made.close()


@pytest.fixture
def office(sqlite: SqliteFactory) -> Iterator[Office]:
    with sqlite.fresh() as database:
        yield Office.opened(database)


def test_the_queue_has_the_most_pressing_first_and_says_what_is_overdue(office: Office) -> None:
    old, urgent = office.refer(at=NOW - 30 * HOUR), office.refer(at=NOW - HOUR, urgent=True)
    new = office.refer(at=NOW - HOUR)
    queue = referrals.queue(office.database.sessions, office.scope(), NOW)
    assert [each.record.ref for each in queue.waiting] == [old, urgent, new]
    assert [each.overdue for each in queue.waiting] == [True, False, False]
    assert queue.waiting[1].decide_by == NOW + 3 * HOUR
    with pytest.raises(Forbidden):
        referrals.queue(office.database.sessions, office.scope(Role.OFFENDER_MANAGER), NOW)


def test_a_decision_that_is_due_is_on_the_morning_view_until_it_is_made(office: Office) -> None:
    ref = office.refer()
    due = today.see(office.database.sessions, office.scope(), NOW, mine=False).area_due
    assert [(each.record_ref, each.what) for each in due] == [(ref, "Decide on a referral")]
    manager = office.scope(Role.OFFENDER_MANAGER)
    assert today.see(office.database.sessions, manager, NOW, mine=False).area_due == []
    office.decide(ref, Outcome.DIVERTED, destination="Housing", diversion=Diversion.BETTER_SERVED)
    assert today.see(office.database.sessions, office.scope(), NOW, mine=False).area_due == []


def test_somebody_taken_on_has_a_record_a_band_a_history_and_a_first_assessment_due(
    office: Office,
) -> None:
    ref = office.refer(victims=2)
    person = office.decide(ref, put_to="new", band=Band.HIGH)
    row = office.database.one(WearerRow, WearerRow.ref == person)
    assert (row.name, row.born_on, row.locality, row.band) == (
        "Godric Wistaston", date(1990, 5, 6), "Hoole", "high",
    )  # fmt: skip
    sessions, manager = office.database.sessions, office.scope(Role.OFFENDER_MANAGER)
    shown = assessments.see(sessions, manager, person, NOW)
    assert shown.held is not None
    assert (shown.held.body.band, shown.held.body.why) == (
        Band.HIGH, ["Judgement at triage, Access team"],
    )  # fmt: skip
    arrivals = referrals.of_person(sessions, manager, person, NOW)
    assert arrivals.came_in[0].body.serial
    assert arrivals.came_in[0].body.why == ["Serial: 2 victims in 3 years"]
    assert arrivals.known_as is not None
    assert arrivals.known_as.body.pnc == "12/0123456A"
    events = timeline.see(sessions, manager, person, NOW).events
    assert {each.kind for each in events} == {"came_in", "known_as", "judgement", "band"}
    morning = today.see(sessions, manager, NOW + timedelta(days=5), mine=False)
    (his,) = [each for each in morning.people if each.person.ref == person]
    assert "First assessment after triage" in [each.what for each in his.due]


def test_somebody_who_looks_like_one_of_ours_is_found_before_a_record_is_made(
    office: Office,
) -> None:
    ref = office.refer(NEARLY_W1)
    seen = referrals.see(office.database.sessions, office.scope(), ref, NOW)
    assert [(each.kind, each.ref, each.match.likely) for each in seen.alike] == [
        ("person", "W-1", True)
    ]
    with pytest.raises(CannotDecide, match="why this is not W-1") as told:
        office.decide(ref, put_to="new", band=Band.MEDIUM)
    assert told.value.field == "not_same"
    assert office.database.count(WearerRow) == 2

    made = office.decide(ref, put_to="new", band=Band.MEDIUM, not_same="A brother: other build")
    assert made not in ("W-1", None)
    assert office.database.count(WearerRow) == 3


def test_put_to_somebody_known_no_record_is_made_and_the_other_spelling_is_kept(
    office: Office,
) -> None:
    assert office.decide(office.refer(NEARLY_W1), put_to="W-1") == "W-1"
    assert office.database.count(WearerRow) == 2
    arrivals = referrals.of_person(office.database.sessions, office.scope(), "W-1", NOW)
    assert arrivals.known_as is not None
    assert arrivals.known_as.body.other_names == ["Leofric Umbreshaw"]
    # The spelling that was kept finds him at once the next time.
    again = office.refer(NEARLY_W1)
    alike = referrals.see(office.database.sessions, office.scope(), again, NOW).alike
    assert alike[0].match.parts[1].level == "same"
    office.decide(again, put_to="W-1")
    second = referrals.of_person(office.database.sessions, office.scope(), "W-1", NOW).came_in
    assert any(
        "referred once in the 12 months" in line for each in second for line in each.body.why
    )


def test_two_referrals_of_one_person_see_each_other(office: Office) -> None:
    first, second = office.refer(), office.refer()
    seen = referrals.see(office.database.sessions, office.scope(), second, NOW)
    assert [(each.kind, each.ref) for each in seen.alike] == [("referral", first)]


@pytest.mark.parametrize(
    ("person", "outcome", "more", "field"),
    [
        pytest.param(STRANGER, Outcome.APPROPRIATE, {}, "put_to", id="taken on and put to nobody"),
        pytest.param(
            STRANGER, Outcome.APPROPRIATE, {"put_to": "new"}, "band", id="new without a band"
        ),
        pytest.param(
            Person("Godric Wistaston"), Outcome.APPROPRIATE, {"put_to": "new"}, "put_to",
            id="new without a date of birth",
        ),
        pytest.param(
            Person("Godric Wistaston", [], date(2011, 5, 6)), Outcome.APPROPRIATE,
            {"put_to": "new", "band": Band.HIGH}, "outcome", id="a boy of 15",
        ),
        pytest.param(STRANGER, Outcome.DIVERTED, {}, "destination", id="diverted to nowhere"),
        pytest.param(
            STRANGER, Outcome.DIVERTED, {"destination": "Housing"}, "diversion",
            id="diverted without why",
        ),
        pytest.param(
            STRANGER, Outcome.STEP_DOWN, {"destination": "Housing", "put_to": "new"}, "put_to",
            id="a record of somebody not taken on",
        ),
        pytest.param(
            STRANGER, Outcome.MORE_INFORMATION, {}, "asked_of", id="asked of nobody"
        ),
        pytest.param(
            STRANGER, Outcome.MORE_INFORMATION,
            {"asked_of": "Probation", "answer_by": date(2026, 11, 1)}, "answer_by",
            id="an answer by a day that has been",
        ),
    ],
)  # fmt: skip
def test_a_decision_that_is_not_complete_changes_nothing_and_says_where(
    office: Office, person: Person, outcome: Outcome, more: dict, field: str
) -> None:
    ref = office.refer(person)
    before = office.database.counts()
    with pytest.raises(CannotDecide) as told:
        office.decide(ref, outcome, **more)
    assert told.value.field == field
    assert office.database.counts() == before


def test_asking_for_more_keeps_the_clock_and_waits_for_the_answer(office: Office) -> None:
    ref = office.refer()
    day = TODAY + timedelta(days=3)
    office.decide(ref, Outcome.MORE_INFORMATION, asked_of="Probation", answer_by=day)
    (line,) = referrals.queue(office.database.sessions, office.scope(), NOW).waiting
    assert line.record.state == "more_information"
    assert line.decide_by == NOW + 24 * HOUR
    assert line.record.due is not None
    assert line.record.due.at.date() == day
    assert office.decide(ref, replaces=2, put_to="new", band=Band.STANDARD) is not None
    with pytest.raises(CannotDecide, match="is decided"):
        office.decide(ref, replaces=3, put_to="new", band=Band.STANDARD)


def test_of_two_who_decide_at_once_the_second_is_told(office: Office) -> None:
    ref = office.refer()
    office.decide(ref, put_to="new", band=Band.STANDARD)
    with pytest.raises(Stale):
        office.decide(ref, Outcome.DIVERTED)
    assert office.database.count(WearerRow) == 3


def test_nobody_of_another_area_is_shown_or_taken(office: Office) -> None:
    of_the_east = Person("Osgar Pettivale", [], date(1979, 12, 30))
    ref = office.refer(of_the_east)
    assert referrals.see(office.database.sessions, office.scope(), ref, NOW).alike == []
    with pytest.raises(NotFound):
        office.decide(ref, put_to="W-2")
    with pytest.raises(NotFound):
        referrals.see(office.database.sessions, office.scope(area="east"), ref, NOW)


def test_a_look_at_a_referral_is_logged_with_whom_it_was_compared_with(office: Office) -> None:
    ref = office.refer(NEARLY_W1)
    referrals.see(office.database.sessions, office.scope(), ref, NOW)
    (entry,) = office.database.all(
        AuditRow, AuditRow.what == "referral", AuditRow.act == "consultation"
    )
    assert entry.detail == {"record": ref, "alike": ["W-1"]}
    assert "Umb" not in str(entry.detail)


@pytest.mark.parametrize(
    ("facts", "earlier", "known", "repeat", "serial"),
    [
        pytest.param({}, [], 0, False, False, id="the first time, victims not known"),
        pytest.param({"repeat": Answered.YES}, [], 0, True, False, id="the sender says again"),
        pytest.param({"victims": 2}, [], 0, False, True, id="two victims, says the sender"),
        pytest.param({"victims": 1}, [], 2, False, True, id="one says the sender, two the records"),
        pytest.param({}, [START - 300 * 24 * HOUR], 1, True, False, id="referred ten months ago"),
        pytest.param({}, [START - 400 * 24 * HOUR], 1, False, False, id="referred 13 months ago"),
    ],
)
def test_repeat_and_serial(facts, earlier, known, repeat, serial) -> None:
    given = msgspec.structs.replace(FACTS, **facts)
    found = rules.history(given, START, earlier, known, SETTINGS)
    assert (found.repeat, found.serial) == (repeat, serial)
    assert bool(found.why) == (repeat or serial)


def test_one_victim_named_and_one_on_record_are_a_question_and_no_answer() -> None:
    given = msgspec.structs.replace(FACTS, victims=1)
    found = rules.history(given, START, [], 1, SETTINGS)
    assert not found.serial
    assert "ask whether it is the same person" in found.why[0]
    none_named = msgspec.structs.replace(FACTS, victims=0)
    assert rules.history(none_named, START, [], 1, SETTINGS).why == []


def test_whoever_was_sent_elsewhere_twice_is_a_repeat_when_he_is_taken_on(office: Office) -> None:
    for days in (90, 30):
        ref = office.refer(at=NOW - timedelta(days=days))
        office.decide(
            ref, Outcome.DIVERTED, destination="Housing", diversion=Diversion.BETTER_SERVED
        )
    person = office.taken_on()
    (arrival,) = referrals.of_person(office.database.sessions, office.scope(), person, NOW).came_in
    assert arrival.body.repeat
    assert arrival.body.why == ["Repeat: likely referred 2 times in the 12 months before"]


MEMBER = Membership(
    CohortDecision.SELECTED, TODAY, (Seat("A", "Police"), Seat("B", "Probation")), "Three",
    IomCohort.FLEX,
)  # fmt: skip


def test_a_new_referral_about_somebody_known_is_read_by_his_key_worker(office: Office) -> None:
    sessions, supervisor = office.database.sessions, office.scope(Role.SUPERVISOR)
    his = office.database.one(StaffRow, StaffRow.ref == "sup-1").id
    key_worker = msgspec.structs.replace(supervisor, staff_id=his)
    cohort_changes.set_leads(sessions, key_worker, "W-1", Leads(his), "new", 0, NOW)
    office.decide(office.refer(NEARLY_W1), put_to="W-1")

    def asked() -> list[str]:
        people = today.see(sessions, key_worker, NOW + 3 * HOUR, mine=True).people
        return [due.what for each in people for due in each.due if due.mine]

    assert asked() == ["Read the new referral"]
    (arrival,) = referrals.of_person(sessions, supervisor, "W-1", NOW).came_in
    with pytest.raises(Forbidden):
        referral_notes.read(sessions, office.scope(), "W-1", arrival.ref, NOW + 3 * HOUR)
    referral_notes.read(sessions, key_worker, "W-1", arrival.ref, NOW + 3 * HOUR)
    assert asked() == []
    shown = referrals.of_person(sessions, supervisor, "W-1", NOW)
    assert shown.decided_by[arrival.ref] == arrival.made_by != shown.came_in[0].made_by


def test_a_new_incident_of_somebody_in_the_cohort_moves_him_up_at_once(office: Office) -> None:
    sessions, supervisor = office.database.sessions, office.scope(Role.SUPERVISOR)
    cohort_changes.decide_panel(sessions, supervisor, "W-1", MEMBER, 0, NOW)
    office.decide(office.refer(NEARLY_W1, incident_on=None), put_to="W-1")
    assert cohort.see_person(sessions, supervisor, "W-1", NOW + 3 * HOUR).causes == []
    office.decide(office.refer(NEARLY_W1), put_to="W-1")
    stands = cohort.see_person(sessions, supervisor, "W-1", NOW + 3 * HOUR)
    assert [each.label for each in stands.causes] == ["New incident"]
    assert stands.standing.colour is not None


def test_a_new_referral_opens_a_closed_case_again_and_a_diverted_one_does_not(
    office: Office,
) -> None:
    sessions, supervisor = office.database.sessions, office.scope(Role.SUPERVISOR)
    person = office.taken_on()
    done = CaseState(ClosedWhy.WORK_DONE, "")
    closing.close(sessions, supervisor, person, done, 0, NOW + 3 * HOUR)
    elsewhere = {"destination": "Housing", "diversion": Diversion.BETTER_SERVED}
    office.decide(office.refer(), Outcome.DIVERTED, now=NOW + 4 * HOUR, put_to=person, **elsewhere)
    assert closing.see(sessions, supervisor, person, NOW).closed
    # He is closed, but what came in since is still read.
    morning = today.see(sessions, supervisor, NOW + 5 * HOUR, mine=False)
    (his,) = [each for each in morning.people if each.person.ref == person]
    assert [each.what for each in his.due] == ["Read the new referral"]
    office.decide(office.refer(), now=NOW + 5 * HOUR, put_to=person)
    assert not closing.see(sessions, supervisor, person, NOW).closed


def test_an_area_sets_its_own_sources_and_clock_and_the_old_version_stays(office: Office) -> None:
    sessions, supervisor = office.database.sessions, office.scope(Role.SUPERVISOR)
    wanted = msgspec.structs.replace(SETTINGS, version="area", sources=["Ferry"], decide_within_h=8)
    save = {"reason": "we are few", "now": NOW}
    referral_settings.save(sessions, supervisor, "west", wanted, replaces=0, **save)
    held = referral_settings.see(sessions, supervisor, "west")
    assert (held.settings.sources, held.version, held.versions[0].reason) == (
        ["Ferry"], 1, "we are few",
    )  # fmt: skip
    with pytest.raises(Stale):
        referral_settings.save(sessions, supervisor, "west", wanted, replaces=0, **save)
    with pytest.raises(Forbidden):
        referral_settings.save(sessions, office.scope(), "west", wanted, replaces=1, **save)
    east = office.scope(Role.SUPERVISOR, "east")
    assert referral_settings.see(sessions, east, None).settings == SETTINGS
    office.refer(at=NOW - 9 * HOUR)
    assert referrals.queue(sessions, office.scope(), NOW).waiting[0].overdue


def line(person: str, received: datetime, decided_h: float | None, **more) -> Line:
    decision = None
    if decided_h is not None:
        at = received + decided_h * HOUR
        decision = Decision(more.pop("outcome", Outcome.APPROPRIATE), "because", at, **more)
    referral = msgspec.convert(
        {
            "person": {"name": person}, "locality": "Hoole", "source": "Police", "caller": "agency",
            "their_ref": "", "reason": "", "urgent": False, "facts": msgspec.to_builtins(FACTS),
        },
        Referral,
    )  # fmt: skip
    referral = msgspec.structs.replace(referral, decision=decision)
    return Line(person, received, received + 24 * HOUR, referral)


def test_the_report_counts_by_quarter_and_people_once() -> None:
    august, november = datetime(2026, 8, 3, 9, tzinfo=UTC), datetime(2026, 11, 2, 9, tzinfo=UTC)
    may = datetime(2026, 5, 4, 9, tzinfo=UTC)
    elsewhere = {"outcome": Outcome.DIVERTED, "diversion": Diversion.INAPPROPRIATE}
    made = referral_report.report(
        [
            line("A", august, 2), line("A", august + HOUR, 30), line("B", august, 4),
            line("C", august, 10, **elsewhere), line("D", may, 1, **elsewhere),
            line("E", may, 1, **elsewhere), line("F", november, None),
            line("G", NOW - HOUR, None),
        ],
        NOW,
    )  # fmt: skip
    now, q3, q2, *_ = made.quarters
    assert [each.name for each in made.quarters][:3] == ["2026 Q4", "2026 Q3", "2026 Q2"]
    assert (q3.received, q3.people, q3.decided, q3.in_time, q3.median_h) == (4, 3, 4, 3, 7.0)
    assert (q3.diverted, q3.inappropriate, q2.diverted, made.diverted_change) == (1, 1, 2, -1)
    assert (now.received, now.decided, now.median_h) == (2, 0, None)
    assert (made.open, made.overdue) == (2, 1)
    assert made.sources == [("Police", 8)]


def test_a_report_of_nothing_is_a_report() -> None:
    made = referral_report.report([], NOW)
    assert (made.open, made.longest_open_h, made.sources) == (0, None, [])


def test_from_a_referral_to_a_band_on_both_databases(database: Database) -> None:
    office = Office.opened(database)
    person = office.taken_on(NEARLY_W1_AS_A_BROTHER)
    row = database.one(WearerRow, WearerRow.ref == person)
    since = date(2024, 1, 1)
    with database.sessions.begin() as session:
        scope = office.scope()
        assert rows.offences(session, scope, row.id, since, since) == Offences(None, 0, 0)
    made = assessments.save_judgement(
        database.sessions, office.scope(), person, Band.HIGH, "seen", by(), replaces=1, now=NOW
    )
    assert made is Band.HIGH
    assert database.one(WearerRow, WearerRow.ref == person).band == "high"
