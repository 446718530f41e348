"""The settings of an area's cohort and its teams, in versions; the supervisor of the area edits."""

from datetime import datetime

import msgspec
from sqlalchemy import select

from navigate_safer.db.base import Sessions
from navigate_safer.db.people import AreaRow
from navigate_safer.people import cohort_policy
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.cohort_policy import POLICY, CohortPolicy
from navigate_safer.people.rag import Colour
from navigate_safer.people.records import Record
from navigate_safer.people.teams import TEAMS, Team, TeamSettings, overlaps
from navigate_safer.services import one_record, records
from navigate_safer.services.casework import NotFound
from navigate_safer.services.one_record import Refused
from navigate_safer.services.records import About


class AreaSettings(msgspec.Struct, frozen=True):
    """One area's settings; ``policy_record`` None while the shipped ones hold."""

    area_id: int
    area: str
    areas: dict[int, str]
    policy: CohortPolicy
    policy_record: Record[CohortPolicy] | None
    policies: list[Record[CohortPolicy]]
    teams: tuple[Team, ...]
    team_record: Record[TeamSettings] | None
    team_versions: list[Record[TeamSettings]]


def see(sessions: Sessions, scope: Scope, area_id: int | None) -> AreaSettings:
    """The settings of an area, the first of the scope's when none is named.

    Raises Forbidden, and NotFound for another's area.
    """
    scope.require(Permission.SEE_CASEWORK)
    with sessions.begin() as session:
        query = select(AreaRow).where(AreaRow.id.in_(scope.areas)).order_by(AreaRow.name)
        areas = {row.id: row.name for row in session.scalars(query)}
        chosen = next(iter(areas), None) if area_id is None else area_id
        if chosen is None or chosen not in areas:
            raise NotFound
        of = About(chosen)
        policy = one_record.live(session, scope, POLICY, of)
        teams = one_record.live(session, scope, TEAMS, of)
        return AreaSettings(
            area_id=chosen,
            area=areas[chosen],
            areas=areas,
            policy=cohort_policy.shipped() if policy is None else policy.body,
            policy_record=policy,
            policies=[] if policy is None else records.versions(session, scope, POLICY, policy.ref),
            teams=() if teams is None else teams.body.teams,
            team_record=teams,
            team_versions=[]
            if teams is None
            else records.versions(session, scope, TEAMS, teams.ref),
        )


def teams_of(sessions: Sessions, scope: Scope, ref: str) -> tuple[Team, ...]:
    """The teams of a person's area; raises Forbidden and NotFound."""
    with sessions.begin() as session:
        of, _wearer = records.about(session, scope, ref)
        found = one_record.live(session, scope, TEAMS, About(of.area_id))
        return () if found is None else found.body.teams


def set_policy(
    sessions: Sessions,
    scope: Scope,
    area_id: int,
    body: CohortPolicy,
    reason: str,
    replaces: int,
    now: datetime,
) -> Record[CohortPolicy]:
    """Keep new settings; raises Refused, Stale, Forbidden and NotFound."""
    scope.require(POLICY.write)
    contacts = {each.colour: each.contacts / each.contact_days for each in body.levels}
    if not contacts[Colour.GREEN] <= contacts[Colour.AMBER] <= contacts[Colour.RED]:
        raise Refused(
            contacts_red="Enter at least as many contacts for red as for amber, and for amber as "
            "for green"
        )
    with sessions.begin() as session:
        _own(scope, area_id)
        return one_record.put(
            session, scope, POLICY, About(area_id), body, replaces=replaces, now=now, reason=reason
        )


def set_teams(
    sessions: Sessions,
    scope: Scope,
    area_id: int,
    body: TeamSettings,
    reason: str,
    replaces: int,
    now: datetime,
) -> Record[TeamSettings]:
    """Keep the teams of an area; raises Refused, Stale, Forbidden and NotFound."""
    scope.require(TEAMS.write)
    same = overlaps(body.teams)
    if same:
        raise Refused(name_1=f"Two teams are called {same[0]}: give each a name of its own")
    with sessions.begin() as session:
        _own(scope, area_id)
        return one_record.put(
            session, scope, TEAMS, About(area_id), body, replaces=replaces, now=now, reason=reason
        )


def _own(scope: Scope, area_id: int) -> None:
    if area_id not in scope.areas:
        raise NotFound
