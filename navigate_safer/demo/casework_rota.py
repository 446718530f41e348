"""A rota of the invented duty officers, a week each."""

from datetime import datetime, time, timedelta

from alerts.rota import Layer
from navigate_safer.db import demonstration
from navigate_safer.demo.casework_staff import Office
from navigate_safer.people.access import Role
from navigate_safer.people.days import day_of
from navigate_safer.services import rotas
from navigate_safer.services.rotas import Draft

HANDOVER = time(9)


def sprinkle_rota(office: Office, now: datetime) -> None:
    """Everybody of the area who is a duty officer takes a week in turn."""
    with office.sessions() as session:
        staff = demonstration.staff_of(session, office.area_id)
    people = tuple(sorted(id_ for role, id_ in staff if role == Role.DUTY_OFFICER.value))
    begins = day_of(now) - timedelta(days=7)
    draft = Draft(
        ref=f"{office.area_ref}-duty",
        name="Duty officers",
        area_id=office.area_id,
        layers=(Layer(people=people, starts_on=begins, handover=HANDOVER),),
        reason="First rota",
    )
    rotas.save(office.sessions, office.scope(Role.SUPERVISOR), draft, now, new=True)
