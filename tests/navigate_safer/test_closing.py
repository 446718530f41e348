"""A closed case: what stands against it, where it counts no more, and how it is opened again."""

from datetime import timedelta

import pytest
from databases import Database
from intake_office import NOW, TODAY, Office

from navigate_safer.people.access import Forbidden, Role
from navigate_safer.people.closing import CaseState, ClosedWhy, why_not_close
from navigate_safer.people.cohort import (
    Decision,
    Gap,
    IomCohort,
    Membership,
    Seat,
    gaps,
)
from navigate_safer.services import (
    capacity,
    closing,
    cohort,
    cohort_changes,
    consult,
    safety_checks,
    today,
)
from navigate_safer.services.casework import NotFound
from navigate_safer.services.one_record import Refused
from navigate_safer.services.records import Stale

DONE = CaseState(ClosedWhy.WORK_DONE, "He has kept to all of it")
CLOSED_AT = NOW + timedelta(days=1)
LATER = NOW + timedelta(days=30)


@pytest.fixture
def office(database: Database) -> Office:
    return Office.opened(database)


def close(office: Office, person: str, role: Role = Role.SUPERVISOR, replaces: int = 0) -> None:
    sessions = office.database.sessions
    closing.close(sessions, office.scope(role), person, DONE, replaces, CLOSED_AT)


def morning(office: Office, person: str) -> list[str]:
    people = today.see(office.database.sessions, office.scope(Role.SUPERVISOR), LATER, mine=False)
    return [due.what for each in people.people if each.person.ref == person for due in each.due]


def listed(office: Office, person: str, *, closed: bool = False) -> bool:
    lines = consult.see_caseload(
        office.database.sessions, office.scope(Role.SUPERVISOR), "", LATER, closed=closed
    )
    return person in [each.ref for each in lines]


def without_key_worker(office: Office) -> int:
    (area,) = capacity.see(office.database.sessions, office.scope(Role.SUPERVISOR), LATER)
    return area.nobody


def test_a_closed_case_asks_for_nobody_and_counts_in_no_caseload(office: Office) -> None:
    person = office.taken_on()
    supervisor = office.scope(Role.SUPERVISOR)
    assert "First assessment after triage" in morning(office, person)
    assert "Nobody named: key worker" in morning(office, person)
    before = without_key_worker(office)
    close(office, person)
    assert morning(office, person) == []
    assert without_key_worker(office) == before - 1
    assert (listed(office, person), listed(office, person, closed=True)) == (False, True)
    shown = cohort.see_person(office.database.sessions, supervisor, person, LATER)
    assert shown.gaps == []
    page = consult.see_person(office.database.sessions, supervisor, person, LATER)
    assert page.closed is not None
    assert page.closed.reason == "The work is done: He has kept to all of it"


def test_what_is_asked_after_the_closing_is_not_hidden_by_it(office: Office) -> None:
    person = office.taken_on()
    close(office, person)
    sessions, scope = office.database.sessions, office.scope(Role.SUPERVISOR)
    day, asked_at = TODAY + timedelta(days=5), CLOSED_AT + timedelta(days=2)
    safety_checks.ask(sessions, scope, person, day, "A letter", asked_at)
    assert morning(office, person) == ["Safety check: answer before the contact"]


def test_a_case_with_a_live_order_is_not_closed_and_the_order_is_named(office: Office) -> None:
    with pytest.raises(Refused, match="an order is in force or to come: ") as told:
        close(office, "W-1")
    assert set(told.value.faults) == {"why"}
    assert listed(office, "W-1")


def test_everything_that_stands_against_it_is_named() -> None:
    against = why_not_close(in_cohort=True, orders=["Licence, CH/1"], alerts=["KTR4"])
    assert [each.partition(":")[0] for each in against] == [
        "this person is in the cohort", "an order is in force or to come", "alert KTR4 is open",
    ]  # fmt: skip
    assert why_not_close(in_cohort=False, orders=[], alerts=[]) == []


def test_who_is_selected_has_an_open_case_and_cannot_be_closed(office: Office) -> None:
    person = office.taken_on()
    close(office, person)
    panel = Membership(
        Decision.SELECTED, TODAY, (Seat("A", "Police"), Seat("B", "Probation")), "Again",
        IomCohort.FIXED,
    )  # fmt: skip
    sessions, scope = office.database.sessions, office.scope(Role.SUPERVISOR)
    cohort_changes.decide_panel(sessions, scope, person, panel, 0, LATER)
    assert listed(office, person)
    with pytest.raises(Refused, match="in the cohort"):
        close(office, person, replaces=2)


def test_it_is_opened_again_by_hand_and_of_two_the_second_is_told(office: Office) -> None:
    person = office.taken_on()
    close(office, person)
    sessions, scope = office.database.sessions, office.scope(Role.SUPERVISOR)
    with pytest.raises(Refused, match="closed already"):
        close(office, person, replaces=1)
    closing.reopen(sessions, scope, person, "He has called", 1, LATER)
    assert listed(office, person)
    assert "First assessment after triage" in morning(office, person)
    with pytest.raises(Stale):
        close(office, person, replaces=1)
    with pytest.raises(NotFound):
        closing.reopen(sessions, scope, person, "Again", 2, LATER)


def test_only_whoever_writes_cases_closes_them(office: Office) -> None:
    person = office.taken_on()
    for role in (Role.ACCESS_TEAM, Role.IDVA, Role.DUTY_OFFICER, Role.PROGRAMME_FACILITATOR):
        with pytest.raises(Forbidden):
            close(office, person, role)


def test_nobody_is_missing_to_a_closed_case() -> None:
    named = {"selected": False, "has_key_worker": False, "leads": None}
    assert gaps(**named) == [Gap.KEY_WORKER]
    assert gaps(**named, closed=True) == []
