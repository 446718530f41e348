"""Who is told of a fault of the service: who can mend it first, which differs by the part."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts import routing
from alerts.finding import Severity
from alerts.policy import Plan, choose, snapshot
from navigate_safer.db import telling
from navigate_safer.db.people import StaffAreaRow
from navigate_safer.db.service_alerts import CONTACT_PARTS, ROTA_PARTS
from navigate_safer.db.telling import RotaRow


def plan_about(session: Session, severity: Severity, part: str) -> Plan:
    """The steps of the supervisors' policy about the service, or everybody in their order.

    No administrator can fill a gap in a rota or give an officer another telephone: then the
    supervisors of the area come first.
    """
    chosen = choose(telling.policies(session), severity, None, None)
    if chosen is not None:
        return snapshot(chosen)
    everybody = telling.people(session, None)
    if not part.startswith((ROTA_PARTS, CONTACT_PARTS)):
        return routing.plan(severity, everybody, routing.ROLES_FOR_THE_SERVICE)
    areas = _areas(session, part)
    here = [person for area_id in areas for person in telling.people(session, area_id)]
    return routing.plan_about_staff(severity, here, everybody)


def _areas(session: Session, part: str) -> list[int]:
    """The areas of a rota, or of the officer whose telephone it is."""
    kind, _, number = part.partition(":")
    query = select(RotaRow.area_id).where(RotaRow.id == int(number))
    if kind == CONTACT_PARTS.rstrip(":"):
        query = select(StaffAreaRow.area_id).where(StaffAreaRow.staff_id == int(number))
    return list(session.scalars(query))
