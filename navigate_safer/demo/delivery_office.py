"""Who is texted in the fault runs: two duty officers and their supervisor, step by step."""

from datetime import datetime, time, timedelta

import msgspec

from alerts.finding import Severity
from alerts.policy import MIN_ANSWER_S, Step, Target
from alerts.rota import Layer
from navigate_safer.demo import breachers, example
from navigate_safer.demo.orders import town_zone
from navigate_safer.demo.telephones import FIRST, SECOND, SUPERVISOR
from navigate_safer.people.access import Role, Scope
from navigate_safer.people.casefile import Area, CaseFile, Gateway, StaffMember
from navigate_safer.services import measures, policies, register, rotas
from navigate_safer.wiring import Service

AREA = "bench"
ON_FIRST, ON_SECOND, IN_CHARGE = "bench-1", "bench-2", "bench-3"
_ROTA = "bench-rota"
_REASON = "for a fault run"


def open_office(service: Service, breaches: int, change_at: datetime | None) -> None:
    """Register staff and wearers, and say who is told in which order.

    With ``change_at`` whoever is on the rota is told: hands over at two by the clock on the wall,
    on the day when the clocks change as on any other.
    """
    start = service.clock()
    register.register(service.sessions, _case_file(breaches, start), start)
    ids, areas = measures.staff_and_areas(service.sessions)
    scope = Scope(ids[IN_CHARGE], Role.SUPERVISOR, areas)
    if change_at is None:
        people = (ids[ON_FIRST], ids[ON_SECOND], ids[IN_CHARGE])
        steps = [Step(staff_id=each, answer_within_s=MIN_ANSWER_S) for each in people]
    else:
        rota_id = _rota(service, scope, (ids[ON_FIRST], ids[ON_SECOND]), change_at)
        on_rota = Step(target=Target.ROTA, rota_id=rota_id, answer_within_s=MIN_ANSWER_S)
        steps = [on_rota, on_rota, Step(staff_id=ids[IN_CHARGE], answer_within_s=MIN_ANSWER_S)]
    draft = policies.Draft(
        name="Fault runs",
        severities=frozenset({Severity.CRITICAL}),
        kinds=None,
        area_id=None,
        about_service=False,
        steps=tuple(steps),
        reason=_REASON,
    )
    policies.save(service.sessions, scope, None, draft, start)


def on_duty(at: datetime, handover_at: datetime) -> str:
    """Who is on the rota of a run with a clock change, by its one handover."""
    return ON_FIRST if at < handover_at else ON_SECOND


def _rota(service: Service, scope: Scope, people: tuple[int, int], change_at: datetime) -> int:
    layer = Layer(
        people=people,
        starts_on=change_at.date() - timedelta(days=1),
        handover=time(2),
        turn_days=1,
    )
    [area_id] = scope.areas
    draft = rotas.Draft(
        ref=_ROTA, name="Fault runs", area_id=area_id, layers=(layer,), reason=_REASON
    )
    rotas.save(service.sessions, scope, draft, service.clock(), new=True)
    [rota_id] = policies.choices(service.sessions, scope).rotas
    return rota_id


def _case_file(breaches: int, start: datetime) -> CaseFile:
    zone = msgspec.structs.replace(
        town_zone("Chester city centre", []), ref=example.ZONE, schedule=None
    )
    broken = breachers.wearers(breaches, start, AREA)
    return msgspec.structs.replace(
        broken,
        areas=[Area(AREA, "Fault runs")],
        gateways=[Gateway(example.GATEWAY, "Fault runs")],
        zones=[zone],
        staff=[
            StaffMember(ON_FIRST, "First Officer", Role.DUTY_OFFICER, [AREA], phone=FIRST),
            StaffMember(ON_SECOND, "Second Officer", Role.DUTY_OFFICER, [AREA], phone=SECOND),
            StaffMember(IN_CHARGE, "In Charge", Role.SUPERVISOR, [AREA], phone=SUPERVISOR),
        ],
    )
