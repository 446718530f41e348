"""What the demonstration asks of its own database, where everybody is invented."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from navigate_safer.db.people import AreaRow, StaffAreaRow, StaffRow, VictimRow, WearerRow


def largest_area(session: Session) -> tuple[int, str]:
    """Id and reference of the area with the most wearers."""
    found = session.execute(
        select(AreaRow.id, AreaRow.ref)
        .join(WearerRow, WearerRow.area_id == AreaRow.id)
        .group_by(AreaRow.id, AreaRow.ref)
        .order_by(func.count().desc(), AreaRow.id)
        .limit(1)
    ).one()
    return found[0], found[1]


def staff_of(session: Session, area_id: int) -> list[tuple[str, int]]:
    """Role and id of the staff of an area; the last of a role is the first by reference."""
    query = (
        select(StaffRow.role, StaffRow.id)
        .join(StaffAreaRow, StaffAreaRow.staff_id == StaffRow.id)
        .where(StaffAreaRow.area_id == area_id)
        .order_by(StaffRow.ref.desc())
    )
    return [(role, staff_id) for role, staff_id in session.execute(query)]


def wearers_of(session: Session, area_id: int) -> list[str]:
    """References of the wearers of an area, in order."""
    query = select(WearerRow.ref).where(WearerRow.area_id == area_id).order_by(WearerRow.ref)
    return list(session.scalars(query))


def victims_of(session: Session, area_id: int) -> list[str]:
    """References of those protected in an area, in order."""
    query = select(VictimRow.ref).where(VictimRow.area_id == area_id).order_by(VictimRow.ref)
    return list(session.scalars(query))
