"""Who is known, for comparing with whoever is referred; and records of the areas over time."""

from collections.abc import Collection
from datetime import date, datetime

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from navigate_safer.db.case_records import CaseRecordRow
from navigate_safer.db.offending import OffendingRow
from navigate_safer.db.people import AreaRow, StaffRow, VictimRow, VictimWearerRow, WearerRow
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.offending import EntryKind, IncidentRole

# In whom the person is said to have done the harm.
_HARMING = (IncidentRole.SUSPECT.value, IncidentRole.BOTH_ALLEGED.value)


class KnownPerson(msgspec.Struct, frozen=True):
    """A wearer as an officer compares one."""

    wearer_id: int
    ref: str
    name: str
    born_on: date
    area_id: int
    locality: str
    band: str
    key_worker: str | None


class Offences(msgspec.Struct, frozen=True):
    """What the records hold of a person since a day: the last one, how many, how many victims."""

    last_on: date | None
    incidents: int
    victims: int


def known_people(session: Session, scope: Scope) -> list[KnownPerson]:
    """Everybody of the scope's areas."""
    scope.require(Permission.TRIAGE)
    query = (
        select(WearerRow, StaffRow.name)
        .outerjoin(StaffRow, StaffRow.id == WearerRow.offender_manager_id)
        .where(WearerRow.area_id.in_(scope.areas))
        .order_by(WearerRow.ref)
    )
    return [
        KnownPerson(
            row.id, row.ref, row.name, row.born_on, row.area_id, row.locality, row.band, manager
        )
        for row, manager in session.execute(query)
    ]


def areas(session: Session, scope: Scope) -> list[tuple[int, str, str]]:
    """Id, reference and name of the scope's areas, by name."""
    query = select(AreaRow.id, AreaRow.ref, AreaRow.name).where(AreaRow.id.in_(scope.areas))
    return [
        (each.id, each.ref, each.name) for each in session.execute(query.order_by(AreaRow.name))
    ]


def offences(
    session: Session, scope: Scope, wearer_id: int, since: date, victims_since: date
) -> Offences:
    """Incidents since a day in which the person did harm, and different victims since another."""
    scope.require(Permission.SEE_CASELOAD)
    row = OffendingRow
    harm = (
        row.wearer_id == wearer_id,
        row.superseded_at.is_(None),
        row.kind == EntryKind.INCIDENT.value,
        row.role.in_(_HARMING),
    )
    recent = select(func.max(row.on), func.count()).where(*harm, row.on >= since)
    last_on, incidents = session.execute(recent).one()
    victims = select(func.count(func.distinct(row.victim))).where(*harm, row.on >= victims_since)
    return Offences(last_on, incidents, session.scalar(victims) or 0)


def victim_refs(session: Session, scope: Scope, wearer_id: int) -> list[str]:
    """References of who is protected from a person, for assessors: nothing else of a victim."""
    scope.require(Permission.ASSESS)
    query = (
        select(VictimRow.ref)
        .join(VictimWearerRow, VictimWearerRow.victim_id == VictimRow.id)
        .where(VictimWearerRow.wearer_id == wearer_id)
        .order_by(VictimRow.ref)
    )
    return list(session.scalars(query))


def bodies(
    session: Session, scope: Scope, kind: str, states: Collection[str], since: datetime
) -> list[dict[str, object]]:
    """What every version of a kind says that was made in these states in the areas since then."""
    scope.require(Permission.ASSESS)
    row = CaseRecordRow
    query = select(row.body).where(
        row.kind == kind,
        row.state.in_(states),
        row.area_id.in_(scope.areas),
        row.made_at >= since,
    )
    return list(session.scalars(query.order_by(row.id)))


def refs(session: Session) -> set[str]:
    """Every wearer's reference, whatever the area: a new one must differ from all."""
    return set(session.scalars(select(WearerRow.ref)))
