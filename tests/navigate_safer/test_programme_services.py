"""Groups, registers and requests as they are kept: versions, two at once, what others are told."""

from datetime import date, timedelta

import msgspec
import pytest
from case_files import START, one_more_wearer, small_case_file
from databases import Database
from watch import VOICE

from navigate_safer.db.case_records import CaseRecordRow
from navigate_safer.db.cases import MissedSessionRow
from navigate_safer.db.people import AreaRow, StaffRow, WearerRow
from navigate_safer.people.access import Forbidden, Role, Scope
from navigate_safer.people.casefile import StaffMember
from navigate_safer.people.days import day_of
from navigate_safer.people.failures import FAILURE
from navigate_safer.people.menu import EndReason, RequestState, shipped
from navigate_safer.people.programmes import Group, LeaveReason, Line, Mode, RarOrdered, Sitting
from navigate_safer.people.records import differences
from navigate_safer.services import (
    capacity,
    group_members,
    group_pages,
    group_registers,
    groups,
    individual_sessions,
    intervention_requests,
    intervention_steps,
    menu,
    progress,
    records,
    register,
    session_pages,
)
from navigate_safer.services.group_registers import NeedsReason, NotYet, Unfilled, Wanted
from navigate_safer.services.groups import NoGroup
from navigate_safer.services.individual_sessions import NoSession, Recorded
from navigate_safer.services.intervention_requests import Asked
from navigate_safer.services.intervention_steps import NotAsked, Step
from navigate_safer.services.menu import NotKept
from navigate_safer.services.records import Stale

S = RequestState
TODAY = day_of(START)
FACILITATORS = [
    StaffMember("fac-1", "Averil Blackmoor", Role.PROGRAMME_FACILITATOR, ["west"]),
    StaffMember("man-1", "Cosmo Delahaye", Role.OFFENDER_MANAGER, ["west"]),
]
CODE = "behaviour-change"


class Centre:
    """A programme centre of the west: a facilitator, a manager, and three people."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.sessions = database.sessions
        case_file = small_case_file()
        case_file = msgspec.structs.replace(case_file, staff=[*case_file.staff, *FACILITATORS])
        register.register(self.sessions, case_file, START)
        for number in (1, 2):
            register.register(self.sessions, one_more_wearer(number), START)
        self.areas = {row.ref: row.id for row in database.all(AreaRow)}
        self.staff = {row.ref: row.id for row in database.all(StaffRow)}
        self.west = self.areas["west"]

    def scope(self, role: Role = Role.SUPERVISOR, area: str = "west") -> Scope:
        return Scope(self.staff["fac-1"], role, frozenset({self.areas[area]}))

    def group(self, *members: str, weeks_ago: int = 1, **changed: object) -> str:
        """A group that met for the first time so many weeks ago, at half past six."""
        first = TODAY - timedelta(weeks=weeks_ago)
        values: dict[str, object] = {
            "name": "Friday", "template": "behaviour-change-22", "template_version": "",
            "place": "Centre", "starts_on": first, "starts_at": "18:30", "minutes": 150,
            "rar": True, "facilitators": (self.staff["fac-1"],), **changed,
        }  # fmt: skip
        before = START - timedelta(weeks=weeks_ago)
        ref = groups.make(self.sessions, self.scope(), self.west, Group(**values), before)
        for number, each in enumerate(members, start=1):
            group_members.join(
                self.sessions, self.scope(), ref, each, first, replaces=number, now=before
            )
        return ref

    def save(self, ref: str, replaces: int = 1, number: int = 1, **more: object) -> None:
        lines = {key.replace("_", "-"): value for key, value in more.pop("lines").items()}
        wanted = Wanted({k: v if isinstance(v, Line) else Line(v) for k, v in lines.items()},
                        replaces, **more)  # fmt: skip
        group_registers.save(self.sessions, self.scope(), ref, number, wanted, START, VOICE)

    def page(self, ref: str, number: int = 1):
        return group_registers.see(self.sessions, self.scope(), ref, number, START)

    def of(self, person: str):
        return session_pages.of_person(self.sessions, self.scope(), person, START)

    def failures(self, person: str):
        with self.sessions() as session:
            of, _ = records.about(session, self.scope(), person)
            return records.listed(session, self.scope(), FAILURE, wearer_id=of.wearer_id)

    def ask(self, person: str, code: str = CODE, **more: object) -> str:
        from navigate_safer.people.menu import AlcoholNeed, Motivation

        asked = Asked(code, Motivation.MOTIVATED, AlcoholNeed.NONE, **more)
        at = START - timedelta(days=30)
        return intervention_requests.ask(self.sessions, self.scope(), person, asked, at)

    def step(self, ref: str, to: RequestState, replaces: int, **more: object) -> None:
        step = Step(to, TODAY, "", **more)
        intervention_steps.move(
            self.sessions, self.scope(), ref, step, replaces=replaces, now=START
        )

    def request(self, ref: str):
        return intervention_requests.see(self.sessions, self.scope(), ref, START).record


@pytest.fixture
def anywhere(database: Database) -> Centre:
    return Centre(database)


@pytest.fixture
def centre(request: pytest.FixtureRequest, _factories, tmp_path_factory) -> "Centre":
    """On SQLite alone: what these tests see does not depend on the database."""
    from databases import SqliteFactory

    if "sqlite" not in _factories:
        _factories["sqlite"] = SqliteFactory(tmp_path_factory.mktemp("sqlite"))
    with _factories["sqlite"].fresh() as made:
        yield Centre(made)


def test_a_register_is_kept_whole_with_each_session_and_what_the_alerting_hears(
    anywhere: Centre,
) -> None:
    ref = anywhere.group("W-1", "W-X1", "W-X2")
    with pytest.raises(Unfilled) as told:
        anywhere.save(ref, lines={"W_1": "ATTC", "W_X1": "UAAB"})
    assert told.value.refs == ["W-X2"]
    assert anywhere.database.count(MissedSessionRow) == 0
    concerned = Line("ATTC", "Took part", "Says that he has a new partner", notify=True)
    anywhere.save(ref, lines={"W_1": concerned, "W_X1": "UAAB", "W_X2": "AAME"})
    missed = anywhere.database.one(MissedSessionRow)
    row = anywhere.database.one(WearerRow, WearerRow.ref == "W-X1")
    assert (missed.wearer_id, missed.withdrawn) == (row.id, False)
    assert missed.ended_at - missed.started_at == timedelta(minutes=150)
    line, *_ = group_pages.see_all(anywhere.sessions, anywhere.scope(), START)[0]
    assert (line.recorded, line.sessions, line.members) == (1, 22, 3)
    page = group_pages.see(anywhere.sessions, anywhere.scope(), ref, START)
    shown = {each.member.wearer_ref: each for each in page.members}
    assert shown["W-X1"].outcomes == {1: "UAAB"}
    assert [shown[each].attendance.rate for each in ("W-1", "W-X1", "W-X2")] == [1, 0, None]
    dues = {each.due.what for each in anywhere.of("W-1").sittings if each.due}
    assert dues == {"Read what the facilitator says of 13 November"}
    (absence,) = anywhere.of("W-X1").sittings
    (failure,) = anywhere.failures("W-X1")
    assert (failure.body.source_ref, missed.ref) == (absence.ref, absence.ref)
    assert failure.body.what == "Unacceptable absence: Why we are here and what we agree"
    assert failure.due is not None
    assert failure.due.at.date() == date(2026, 11, 17), "two working days after the Friday"
    assert anywhere.failures("W-1") == anywhere.failures("W-X2") == []


def test_a_correction_is_a_version_with_its_reason_and_takes_back_what_was_told(
    anywhere: Centre,
) -> None:
    ref = anywhere.group("W-1", "W-X1")
    anywhere.save(ref, lines={"W_1": "ATTC", "W_X1": "UAAB"})
    with pytest.raises(NeedsReason):
        anywhere.save(ref, 2, lines={"W_1": "ATTC", "W_X1": "AAME"})
    anywhere.save(ref, 2, lines={"W_1": "ATTC", "W_X1": "AAME"}, reason="a doctor's note came")
    assert [each.version for each in anywhere.page(ref).versions] == [3, 2, 1]
    assert anywhere.database.one(MissedSessionRow).withdrawn
    (failure,) = anywhere.failures("W-X1")
    assert (failure.state, failure.due) == ("withdrawn", None)
    (excused,) = anywhere.of("W-X1").sittings
    assert (excused.version, excused.due, excused.state) == (2, None, "excused")
    (untouched,) = anywhere.of("W-1").sittings
    assert untouched.version == 1, "nothing new is said of him"


def test_the_second_of_two_facilitators_is_told_what_the_first_saved(centre: Centre) -> None:
    ref = centre.group("W-1", "W-X1")
    centre.save(ref, lines={"W_1": "ATTC", "W_X1": "UAAB"})
    with pytest.raises(Stale) as told:
        centre.save(ref, 1, lines={"W_1": "ATTC", "W_X1": "ATTC"})
    newest = told.value.newest
    page = centre.page(ref)
    wanted = Wanted({"W-1": Line("ATTC"), "W-X1": Line("ATTC")}, 1)
    typed = group_registers.typed(page.record, page.members, wanted)
    (differs,) = differences(newest.body, typed)
    assert (differs.place, differs.before, differs.after) == (
        "lines, W-X1, outcome",
        "UAAB",
        "ATTC",
    )
    assert centre.database.count(MissedSessionRow) == 1


def test_a_register_may_wait_for_those_who_are_not_known_and_is_late_after_its_day(
    centre: Centre,
) -> None:
    ref = centre.group("W-1", "W-X1")
    centre.save(ref, lines={"W_1": "ATTC"}, later=True)
    record = centre.page(ref).record
    assert (record.state, record.body.unfinished, record.body.late) == ("unfinished", True, True)
    assert record.due is not None
    assert record.due.who == centre.staff["fac-1"]
    centre.save(ref, 2, lines={"W_1": "ATTC", "W_X1": "AFTC"})
    record = centre.page(ref).record
    assert (record.state, record.due, record.body.unfinished) == ("recorded", None, False)
    tonight = centre.page(ref, 2)
    assert tonight.begun, "the second session began at half past six this evening"
    with pytest.raises(NotYet):
        centre.save(ref, number=3, lines={"W_1": "ATTC", "W_X1": "ATTC"})


def test_a_missed_session_is_caught_up_alone(centre: Centre) -> None:
    ref = centre.group("W-1")
    centre.save(ref, lines={"W_1": "UAAB"})
    (group,) = centre.of("W-1").groups
    assert (group.covered, group.missed_units) == (0, [1])
    at = START - timedelta(hours=3)
    made = Sitting("Session 1 again", "", Mode.IN_PERSON, at, 60, group_ref=ref, unit=1,
                   catch_up=True, rar=True)  # fmt: skip
    (kept,) = individual_sessions.plan(centre.sessions, centre.scope(), "W-1", made, 1, START)
    other = msgspec.structs.replace(made, unit=2)
    with pytest.raises(NoSession):
        individual_sessions.plan(centre.sessions, centre.scope(), "W-1", other, 1, START)
    recorded = Recorded("ATTC", "Worked well")
    individual_sessions.record(
        centre.sessions, centre.scope(), kept, recorded, replaces=1, reason="", now=START,
        voice=VOICE,
    )  # fmt: skip
    shown = centre.of("W-1")
    assert (shown.groups[0].covered, shown.groups[0].missed_units) == (1, [])
    assert shown.attendance.rate == 0.5, "the absence stays an absence"
    ordered = RarOrdered("SSO 1", 20, date(2027, 6, 1))
    progress.order_rar(centre.sessions, centre.scope(), "W-1", ordered, START)
    ((_, days),) = centre.of("W-1").rar
    # The session of this evening has begun and is not recorded: it is neither done nor to come.
    assert (days.ordered, days.done, days.planned) == (20, 1, 20)


def test_what_the_officer_answers_ends_what_is_due_until_the_outcome_changes(
    centre: Centre,
) -> None:
    ref = centre.group("W-1")
    said = Line("ATTC", concern="A new partner", notify=True)
    centre.save(ref, lines={"W_1": said})
    (told,) = centre.of("W-1").sittings
    with pytest.raises(Forbidden):
        individual_sessions.answer(
            centre.sessions, centre.scope(Role.PROGRAMME_FACILITATOR), told.ref, "Seen",
            replaces=1, now=START,
        )  # fmt: skip
    individual_sessions.answer(
        centre.sessions, centre.scope(Role.OFFENDER_MANAGER), told.ref, "IDVA told",
        replaces=1, now=START,
    )  # fmt: skip
    (answered,) = centre.of("W-1").sittings
    assert (answered.body.answer, answered.due) == ("IDVA told", None)
    sent_home = msgspec.structs.replace(said, outcome="ATSH")
    centre.save(ref, 2, lines={"W_1": sent_home}, reason="he was sent home")
    (again,) = centre.of("W-1").sittings
    assert again.body.answer == ""
    assert again.due is not None
    (failure,) = centre.failures("W-1")
    assert failure.body.what.startswith("Sent home: behaviour")


def test_a_group_is_refused_what_cannot_be(centre: Centre) -> None:
    ref = centre.group("W-1", places=1)
    with pytest.raises(NoGroup, match="running already"):
        centre.group(starts_at="10:00")
    with pytest.raises(NoGroup, match="at that time already"):
        centre.group(name="Another")
    with pytest.raises(NoGroup, match="one person"):
        centre.group(name="Alone", template="individual-8")
    with pytest.raises(NoGroup, match="Select who"):
        centre.group(name="No one", facilitators=(centre.staff["off-3"],))
    assert centre.database.count(CaseRecordRow, CaseRecordRow.kind == "group_session") == 22
    with pytest.raises(NoGroup, match="All 1 places"):
        group_members.join(
            centre.sessions, centre.scope(), ref, "W-X1", TODAY, replaces=2, now=START
        )
    with pytest.raises(group_members.NotFound):
        group_members.join(
            centre.sessions, Scope(1, Role.SUPERVISOR, frozenset(centre.areas.values())), ref,
            "W-2", TODAY, replaces=2, now=START,
        )  # fmt: skip


def test_sessions_are_moved_in_their_order_and_never_after_the_register(centre: Centre) -> None:
    ref = centre.group("W-1", weeks_ago=0, starts_on=TODAY + timedelta(days=7))
    to = START + timedelta(days=15)

    def move(number: int, **more: object) -> None:
        values = {"later_too": False, "replaces": 1, "reason": "flood", **more}
        groups.move(
            centre.sessions, centre.scope(), ref, number, values.pop("to", to), now=START, **values
        )

    with pytest.raises(NoGroup, match="after the session before"):
        move(1)
    move(1, later_too=True)
    page = group_pages.see(centre.sessions, centre.scope(), ref, START)
    gaps = [(each.at - page.sessions[0].at).days for each in page.sessions[:3]]
    assert gaps[:2] == [0, 7]
    assert page.sessions[0].at == to
    with pytest.raises(Stale):
        move(1, later_too=True)


def test_a_place_on_the_menu_goes_from_request_to_completed_with_the_group(
    centre: Centre,
) -> None:
    assert menu.take_shipped(centre.sessions, centre.scope(), centre.west, START) == 11
    assert menu.take_shipped(centre.sessions, centre.scope(), centre.west, START) == 0
    ref = centre.group(intervention=CODE)
    asked = centre.ask("W-1")
    with pytest.raises(NotAsked, match="asked for already"):
        centre.ask("W-1")
    with pytest.raises(NoGroup, match="ask for it there first"):
        group_members.join(
            centre.sessions, centre.scope(), ref, "W-1", TODAY, replaces=1, now=START
        )
    centre.step(asked, S.ACCEPTED, 1)
    first = TODAY - timedelta(weeks=1)
    group_members.join(centre.sessions, centre.scope(), ref, "W-1", first, replaces=1, now=START)
    centre.save(ref, lines={"W_1": "ATTC"})
    started = centre.request(asked)
    assert (started.state, started.body.first_session_on) == ("started", TODAY)
    group_members.leave(
        centre.sessions, centre.scope(), ref, "W-1", TODAY, LeaveReason.COMPLETED, replaces=2,
        now=START,
    )  # fmt: skip
    done = centre.request(asked)
    assert (done.state, done.body.ended_on, done.due) == ("completed", TODAY, None)
    (wait,) = menu.see(centre.sessions, centre.scope(), START).waits
    assert (wait.started, wait.median_days) == (1, 30)


def test_the_last_place_is_given_once_and_then_people_wait(centre: Centre) -> None:
    (group,) = [each for each in shipped().interventions if each.code == CODE]
    one = msgspec.structs.replace(group, places_perpetrators=1)
    ref = menu.add(centre.sessions, centre.scope(), centre.west, one, "pilot", START)
    first, second = centre.ask("W-1"), centre.ask("W-X1")
    centre.step(first, S.ACCEPTED, 1)
    with pytest.raises(NotAsked, match="All 1 places are taken"):
        centre.step(second, S.ACCEPTED, 1)
    centre.step(second, S.WAITING, 1)
    page = menu.entry(centre.sessions, centre.scope(), ref, START)
    assert ([x.ref for x in page.waiting], page.line.free) == ([second], 0)
    with pytest.raises(Stale):
        centre.step(second, S.DECLINED, 1, end_reason=EndReason.NOT_NEEDED)
    with pytest.raises(NotAsked, match="Select why"):
        centre.step(first, S.ENDED, 2)
    centre.step(first, S.ENDED, 2, end_reason=EndReason.STOPPED_COMING)
    centre.step(second, S.ACCEPTED, 2)
    assert centre.request(second).state == "accepted"


def test_the_menu_refuses_a_second_route_and_a_victim_s_place(centre: Centre) -> None:
    menu.take_shipped(centre.sessions, centre.scope(), centre.west, START)
    (group,) = [each for each in shipped().interventions if each.code == CODE]
    with pytest.raises(NotKept, match="one commissioning route"):
        menu.add(centre.sessions, centre.scope(), centre.west, group, "again", START)
    with pytest.raises(NotAsked, match="never takes one of them"):
        centre.ask("W-1", "advocacy")
    with pytest.raises(NotAsked, match="comes first"):
        centre.ask("W-X1", "relationship-skills")
    kept = centre.ask("W-X1", "relationship-skills", went_on_because="he has done it elsewhere")
    assert centre.request(kept).body.warnings


def test_capacity_counts_each_victim_once_and_says_who_has_too_many(anywhere: Centre) -> None:
    sessions = anywhere.sessions
    with sessions.begin() as session:
        for row in session.query(WearerRow).filter(WearerRow.area_id == anywhere.west):
            row.offender_manager_id = anywhere.staff["man-1"]
    (area,) = capacity.see(sessions, anywhere.scope(), START)
    (mine,) = area.loads
    assert (mine.name, mine.by_band, mine.over) == (
        "Cosmo Delahaye",
        {"high": 1, "medium": 2},
        False,
    )
    assert [each.cases_open for each in area.victims] == [1, 0]
    assert area.idvas_short, "there is no IDVA"
    limits = msgspec.structs.replace(
        area.limits,
        weights={"high": 2.0, "medium": 1.0},
        caseloads=tuple(msgspec.structs.replace(x, cases_each=3) for x in area.limits.caseloads),
    )
    capacity.set_limits(
        sessions, anywhere.scope(), anywhere.west, limits, replaces=0, reason="pilot", now=START
    )
    (area,) = capacity.see(sessions, anywhere.scope(), START)
    assert (area.loads[0].weighted, area.loads[0].over) == (4, True)
    with pytest.raises(Stale):
        capacity.set_limits(
            sessions, anywhere.scope(), anywhere.west, limits, replaces=0, reason="", now=START
        )


def test_nobody_writes_or_reads_beyond_role_and_area(centre: Centre) -> None:
    ref = centre.group("W-1")
    for role in (Role.DUTY_OFFICER, Role.IDVA, Role.ACCESS_TEAM):
        with pytest.raises(Forbidden):
            group_registers.save(
                centre.sessions, centre.scope(role), ref, 1, Wanted({}, 1), START, VOICE
            )
    with pytest.raises(group_registers.NotFound):
        group_pages.see(centre.sessions, centre.scope(area="east"), ref, START)
    with pytest.raises(Forbidden):
        capacity.see(centre.sessions, centre.scope(Role.IDVA), START)
    with pytest.raises(Forbidden):
        menu.take_shipped(centre.sessions, centre.scope(Role.OFFENDER_MANAGER), centre.west, START)
