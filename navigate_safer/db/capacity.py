"""Counts of open cases: of each key worker's perpetrators, and of an area's victims. No names.

The queries about victims give numbers of an area and nothing about any one person.
"""

import msgspec
from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from navigate_safer.db import closed_cases
from navigate_safer.db.people import (
    StaffAreaRow,
    StaffRow,
    VictimRow,
    VictimWearerRow,
    WearerRow,
)
from navigate_safer.people.access import Permission, Role, Scope
from navigate_safer.people.menu import Band


class WorkerCount(msgspec.Struct, frozen=True):
    """A key worker's cases of one band."""

    staff_id: int
    name: str
    band: str
    cases: int


def key_workers(session: Session, scope: Scope, area_id: int) -> list[WorkerCount]:
    """Cases of an area by key worker and band; who has none there is not in it."""
    scope.require(Permission.SEE_CAPACITY)
    query = (
        select(StaffRow.id, StaffRow.name, WearerRow.band, func.count().label("cases"))
        .join(WearerRow, WearerRow.offender_manager_id == StaffRow.id)
        .where(WearerRow.area_id == area_id, WearerRow.area_id.in_(scope.areas), _is_open())
        .group_by(StaffRow.id, StaffRow.name, WearerRow.band)
        .order_by(StaffRow.name, StaffRow.id, WearerRow.band)
    )
    return [WorkerCount(*row) for row in session.execute(query)]


def without_key_worker(session: Session, scope: Scope, area_id: int) -> int:
    """Cases of an area that nobody has."""
    scope.require(Permission.SEE_CAPACITY)
    query = select(func.count()).where(
        WearerRow.area_id == area_id,
        WearerRow.area_id.in_(scope.areas),
        WearerRow.offender_manager_id.is_(None),
        _is_open(),
    )
    return session.scalar(query) or 0


def _is_open() -> ColumnElement[bool]:
    return WearerRow.id.not_in(closed_cases.ids())


def staff_of_role(session: Session, scope: Scope, area_id: int, role: Role) -> dict[int, str]:
    """Active staff of an area with a role, by name."""
    scope.require(Permission.SEE_CAPACITY)
    query = (
        select(StaffRow.id, StaffRow.name)
        .join(StaffAreaRow, StaffAreaRow.staff_id == StaffRow.id)
        .where(
            StaffAreaRow.area_id == area_id,
            StaffAreaRow.area_id.in_(scope.areas),
            StaffRow.active,
            StaffRow.role == role.value,
        )
    )
    return {row.id: row.name for row in session.execute(query.order_by(StaffRow.name))}


def victims(session: Session, scope: Scope, area_id: int) -> dict[str, int]:
    """How many victims of an area there are by band: the highest of those they are protected from.

    Nothing is counted for a victim with nobody to be protected from.
    """
    scope.require(Permission.SEE_CAPACITY)
    rank = case({each.value: place for place, each in enumerate(Band)}, value=WearerRow.band)
    highest = (
        select(func.min(rank).label("rank"))
        .select_from(VictimRow)
        .join(VictimWearerRow, VictimWearerRow.victim_id == VictimRow.id)
        .join(WearerRow, WearerRow.id == VictimWearerRow.wearer_id)
        .where(VictimRow.area_id == area_id, VictimRow.area_id.in_(scope.areas), _is_open())
        .group_by(VictimRow.id)
        .subquery()
    )
    query = select(highest.c.rank, func.count().label("people")).group_by(highest.c.rank)
    bands = list(Band)
    return {
        bands[row.rank].value: row.people for row in session.execute(query) if row.rank is not None
    }
