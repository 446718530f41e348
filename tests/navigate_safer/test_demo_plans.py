"""The demonstration's cohort and plans: written by the services, once, with something to see."""

from datetime import UTC, datetime

import pytest
from databases import Database

from navigate_safer.db.case_records import CaseRecordRow
from navigate_safer.demo.casework_plan import sprinkle_plan
from navigate_safer.demo.casework_staff import Office
from navigate_safer.demo.cohort import build_cohort
from navigate_safer.people.access import Role
from navigate_safer.people.rag import Colour
from navigate_safer.services import cohort, plans, register
from navigate_safer.services.cohort import Wish

NOW = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)


@pytest.mark.parametrize("factory", ["sqlite"], indirect=True)
def test_the_demonstration_has_every_colour_and_plans_with_something_wrong(database: Database):
    register.register(database.sessions, build_cohort(seed=1, start=NOW), NOW)
    office = Office.of(database.sessions)
    sprinkle_plan(office, NOW)
    scope = office.scope(Role.SUPERVISOR)
    shown = cohort.see_all(database.sessions, scope, Wish(), NOW)
    assert all(shown.counts[each] for each in Colour if each is not Colour.AMBER)
    assert any(each.standing.raised for each in shown.lines)
    assert shown.without_lead
    listed = plans.see_all(database.sessions, scope, NOW)
    assert min(listed.complete, listed.incomplete, listed.without, listed.unmanaged) > 0
    assert any(each.twice for each in listed.lines)
    written = database.count(CaseRecordRow)
    sprinkle_plan(office, NOW)
    assert database.count(CaseRecordRow) == written
