"""Every query about cases takes a scope, and shows nothing outside it."""

import inspect
from datetime import timedelta
from types import ModuleType

import pytest
from case_files import CREWE, INSIDE, START, alcohol, fix, message
from hypothesis import given, settings
from hypothesis import strategies as st
from watch import Watch

from navigate_safer.db import board, caseload, operations, refusals, tracks
from navigate_safer.db.alerting import AlertRow
from navigate_safer.db.people import AreaRow, WearerRow
from navigate_safer.people.access import GRANTS, Forbidden, Permission, Role, Scope

# About the service itself: counts, names of devices and workers, and no case.
WITHOUT_CASES = {"degraded", "workers", "unjudged", "newest_by_device", "is_empty", "storage"}


@pytest.mark.parametrize("module", [board, caseload, tracks, operations], ids=lambda m: m.__name__)
def test_a_query_about_cases_takes_a_scope(module: ModuleType) -> None:
    functions = {
        name: each
        for name, each in inspect.getmembers(module, inspect.isfunction)
        if each.__module__ == module.__name__ and not name.startswith("_")
    }
    assert functions
    without = {
        name
        for name, each in functions.items()
        if Scope not in (p.annotation for p in inspect.signature(each).parameters.values())
    }
    assert without <= WITHOUT_CASES


@pytest.fixture
def busy(watch: Watch) -> Watch:
    """An alert in the west and one in the east, and an alcohol reading in the west."""
    watch.hear(
        message("TAG-1", fix(START, INSIDE)),
        message("TAG-2", fix(START, CREWE), gateway="gw-east"),
        message("MON-1", alcohol(START, 0.001)),
    )
    return watch


def scope_of(watch: Watch, role: Role, areas: set[str]) -> Scope:
    ids = {row.ref: row.id for row in watch.database.all(AreaRow)}
    return Scope(1, role, frozenset(ids[area] for area in areas))


roles = st.sampled_from(list(Role))
areas = st.sets(st.sampled_from(["west", "east"]))


def test_nobody_reads_about_an_area_that_is_not_theirs(busy: Watch) -> None:
    wearers = {row.id: row for row in busy.database.all(WearerRow)}
    references = {row.reference: row for row in busy.database.all(AlertRow)}
    assert len(references) == 2

    @given(roles, areas)
    @settings(max_examples=40)
    def holds(role: Role, own: set[str]) -> None:
        scope = scope_of(busy, role, own)
        with busy.sessions() as session:
            if scope.may(Permission.SEE_BOARD):
                lines = board.board(session, scope).lines
                expected = {
                    reference for reference, row in references.items() if row.area_id in scope.areas
                }
                assert {line.reference for line in lines} == expected
                for reference, row in references.items():
                    found = board.alert(session, scope, reference)
                    assert (found is not None) == (row.area_id in scope.areas)
            if scope.may(Permission.SEE_CASELOAD):
                seen = {line.wearer_id for line in caseload.caseload(session, scope)}
                assert seen == {each.id for each in wearers.values() if each.area_id in scope.areas}
                span = (START - timedelta(hours=1), START + timedelta(hours=1))
                for each in wearers.values():
                    theirs = each.area_id in scope.areas
                    if scope.may(Permission.SEE_PLACES):
                        assert bool(tracks.trail(session, scope, each.id, *span, 10)) == theirs
                    if scope.may(Permission.SEE_ALCOHOL) and each.ref == "W-1":
                        assert bool(tracks.samples(session, scope, each.id, *span)) == theirs
                    person = caseload.person(session, scope, each.ref)
                    assert (person is not None) == (each.area_id in scope.areas)

    holds()


@pytest.mark.parametrize("role", Role)
def test_a_role_without_the_permission_is_refused_by_the_query_itself(
    busy: Watch, role: Role
) -> None:
    scope = scope_of(busy, role, {"west", "east"})
    wearer = busy.database.one(WearerRow, WearerRow.ref == "W-1").id
    span = (START - timedelta(hours=1), START + timedelta(hours=1))
    queries = {
        Permission.SEE_BOARD: lambda s: board.board(s, scope),
        Permission.SEE_CASELOAD: lambda s: caseload.caseload(s, scope),
        Permission.SEE_PLACES: lambda s: tracks.trail(s, scope, wearer, *span, 10),
        Permission.SEE_ALCOHOL: lambda s: tracks.samples(s, scope, wearer, *span),
        Permission.SEE_OPERATIONS: lambda s: refusals.by_reason(s, scope),
        Permission.SEE_AUDIT: lambda s: operations.audit_lines(s, scope, None),
    }
    with busy.sessions() as session:
        for permission, query in queries.items():
            if permission in GRANTS[role]:
                query(session)
            else:
                with pytest.raises(Forbidden):
                    query(session)


@pytest.mark.parametrize(
    "role", [role for role in Role if Permission.SEE_PLACES not in GRANTS[role]]
)
def test_who_may_not_see_places_learns_no_zone_from_a_person_or_an_alert(
    busy: Watch, role: Role
) -> None:
    scope = scope_of(busy, role, {"west"})
    said = []
    with busy.sessions() as session:
        if scope.may(Permission.SEE_CASELOAD):
            person = caseload.person(session, scope, "W-1")
            assert person is not None
            said.append(repr(person))
        if scope.may(Permission.SEE_BOARD):
            for line in board.board(session, scope).lines:
                said.append(repr(board.alert(session, scope, line.reference)))
    assert "Chester Cross" not in " ".join(said)
