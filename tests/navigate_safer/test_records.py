"""Case records: versions, who may, two people at once, and the one live record of a slot."""

from datetime import timedelta

import msgspec
import pytest
from case_files import START, small_case_file
from databases import Database

from navigate_safer.db.audit import AuditRow
from navigate_safer.db.people import AreaRow, StaffRow, WearerRow
from navigate_safer.people.access import Forbidden, Permission, Role, Scope
from navigate_safer.people.records import Due, RecordKind, differences
from navigate_safer.services import records, register
from navigate_safer.services.casework import NotFound
from navigate_safer.services.records import About, SlotTaken, Stale


class Plan(msgspec.Struct, frozen=True):
    title: str
    goals: list[str] = []


KIND = RecordKind(
    "plan_of_tests", "Plan", "PT", Plan, Permission.SEE_CASEWORK, Permission.MANAGE_CASES
)
LATER = START + timedelta(hours=1)


class Office(msgspec.Struct, frozen=True):
    database: Database
    areas: dict[str, int]
    staff_id: int
    of: About

    def scope(self, role: Role = Role.OFFENDER_MANAGER, area: str = "west") -> Scope:
        return Scope(self.staff_id, role, frozenset({self.areas[area]}))

    def add(self, body: Plan, **more):
        with self.database.sessions.begin() as session:
            return records.add(session, self.scope(), KIND, self.of, body, now=START, **more)

    def change(self, ref: str, body: Plan, replaces: int, **more):
        with self.database.sessions.begin() as session:
            return records.change(
                session, self.scope(), KIND, ref, body, replaces=replaces, now=LATER, **more
            )


@pytest.fixture
def office(database: Database) -> Office:
    register.register(database.sessions, small_case_file(), START)
    areas = {row.ref: row.id for row in database.all(AreaRow)}
    wearer = next(row for row in database.all(WearerRow) if row.area_id == areas["west"])
    staff = database.all(StaffRow)[0]
    return Office(database, areas, staff.id, About(wearer.area_id, wearer.id))


def test_a_change_is_a_new_version_and_the_old_one_stays(office: Office) -> None:
    first = office.add(Plan("Find work"), due=Due(LATER, "Review"), reason="first talk")
    second = office.change(first.ref, Plan("Find work", ["Write a CV"]), 1, reason="he asked")
    assert (second.version, second.ref, second.due) == (2, first.ref, None)
    with office.database.sessions() as session:
        both = records.versions(session, office.scope(), KIND, first.ref)
    assert [each.body.title for each in both] == ["Find work", "Find work"]
    assert [each.superseded_at for each in both] == [None, LATER]
    assert both[1].due == Due(LATER, "Review")
    acts = [row.act for row in office.database.all(AuditRow) if row.what == "plan"]
    assert acts == ["collection", "alteration"]


def test_the_second_of_two_who_save_at_once_is_told_what_the_first_wrote(office: Office) -> None:
    kept = office.add(Plan("Find work"))
    office.change(kept.ref, Plan("Find a flat"), 1)
    with pytest.raises(Stale) as told:
        office.change(kept.ref, Plan("Stop drinking"), 1)
    assert told.value.newest.body == Plan("Find a flat")
    assert told.value.newest.version == 2
    (differs,) = differences(told.value.newest.body, Plan("Stop drinking"))
    assert (differs.place, differs.before, differs.after) == (
        "title",
        "Find a flat",
        "Stop drinking",
    )


def test_there_is_one_live_record_of_a_slot(office: Office) -> None:
    first = office.add(Plan("One"), slot="plan:1")
    with pytest.raises(SlotTaken):
        office.add(Plan("Two"), slot="plan:1")
    office.change(first.ref, Plan("One"), 1, state="ended")
    second = office.add(Plan("Two"), slot="plan:1")
    with office.database.sessions() as session:
        found = records.in_slot(session, office.scope(), KIND, "plan:1")
    assert found is not None
    assert found.ref == second.ref


def test_nobody_writes_or_reads_beyond_role_and_area(office: Office) -> None:
    kept = office.add(Plan("One"))
    east, auditor = office.scope(area="east"), office.scope(Role.AUDITOR)
    with office.database.sessions.begin() as session:
        with pytest.raises(NotFound):
            records.newest(session, east, KIND, kept.ref)
        with pytest.raises(NotFound):
            records.add(session, east, KIND, office.of, Plan("Two"), now=START)
        with pytest.raises(Forbidden):
            records.newest(session, auditor, KIND, kept.ref)
        duty = office.scope(Role.DUTY_OFFICER)
        with pytest.raises(Forbidden):
            records.change(session, duty, KIND, kept.ref, Plan("Two"), replaces=1, now=LATER)
        assert records.listed(session, east, KIND) == []
        assert [each.ref for each in records.listed(session, office.scope(), KIND)] == [kept.ref]
