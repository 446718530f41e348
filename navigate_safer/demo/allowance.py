"""The exception of the demonstration: a visit to a zone that a supervisor has allowed."""

from datetime import timedelta

from alerts.terms import ConditionKind
from navigate_safer.demo.scripts import EXCUSED, Plan
from navigate_safer.people.access import Role
from navigate_safer.people.casefile import CaseFile
from navigate_safer.services import exceptions, near
from navigate_safer.services.exceptions import Wanted
from navigate_safer.settings import Settings
from navigate_safer.wiring import Service

LASTS = timedelta(hours=3)
WHY = "Hearing at the family court; the letter was seen."


def allow_the_visit(settings: Settings, case_file: CaseFile, plan: Plan) -> None:
    """Allow the scripted visit under the wearer's own zone, from the start of the story."""
    visit = next((each for each in plan.breaches if each.kind == EXCUSED), None)
    if visit is None:
        return
    wearer = next(each for each in case_file.wearers if each.ref == visit.wearer)
    condition = next(
        each
        for order in wearer.orders
        for each in order.conditions
        if each.kind is ConditionKind.EXCLUSION_ZONE
    )
    supervisor = next(each for each in case_file.staff if each.role is Role.SUPERVISOR)
    service = Service(settings)
    try:
        scope = near.scope_of_account(service.sessions, supervisor.ref)
        assert scope is not None
        wanted = Wanted(condition.ref, plan.start, plan.start + LASTS, WHY)
        exceptions.allow(service.sessions, scope, wearer.ref, wanted, plan.start)
    finally:
        service.close()
