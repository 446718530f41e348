"""Who would be told of an alert that opened at an instant, by the rules of a real one."""

from collections.abc import Mapping
from datetime import datetime

import msgspec
from sqlalchemy import select

from alerts.finding import FindingKind, Severity
from alerts.policy import Nobody, Policy, Telling, instants, preview
from navigate_safer.db import telling
from navigate_safer.db.base import Sessions
from navigate_safer.db.people import StaffRow
from navigate_safer.people.access import Permission, Role, Scope
from navigate_safer.services import alerting
from navigate_safer.services.casework import NotFound
from navigate_safer.services.reaching import who_is_on


class ToldLine(msgspec.Struct, frozen=True):
    """One message that would be sent; ``name`` None where nobody can be reached."""

    at: datetime
    name: str | None
    role: str | None
    channel: str | None
    why: str
    problem: bool


class Preview(msgspec.Struct, frozen=True):
    """Who would be told of an alert that opens at an instant, and by which policy."""

    policy: str
    lines: list[ToldLine]


def would_tell(
    sessions: Sessions,
    scope: Scope,
    area_id: int | None,
    severity: Severity,
    kind: FindingKind | None,
    at: datetime,
) -> Preview:
    """Who would be told, one after the other, if an alert opened at an instant; Forbidden.

    Today's policies, rotas and contacts are asked, by the same rules as for a real alert.
    """
    scope.require(Permission.RUN_ALERTING)
    if area_id is not None and area_id not in scope.areas:
        raise NotFound
    with sessions.begin() as session:
        plan = alerting.plan_for(session, severity, area_id, kind)
        if not plan.steps:
            return Preview(plan.policy, [])
        policy = Policy(
            number=0, version=0, name=plan.policy, severities=frozenset({severity}),
            steps=plan.steps,
        )  # fmt: skip
        rota_at: dict[datetime, Mapping[int, int | None]] = {
            due: who_is_on(session, plan.steps, due) for due in instants(policy, at)
        }
        people = telling.people(session, area_id)
        names = {row.id: row for row in session.scalars(select(StaffRow))}
        told = preview(policy, at, rota_at, people)
        return Preview(plan.policy, [_told(each, names) for each in told])


def _told(each: Telling | Nobody, names: Mapping[int, StaffRow]) -> ToldLine:
    if isinstance(each, Nobody):
        return ToldLine(each.at, None, None, None, each.why, problem=True)
    row = names[each.staff_id]
    gap = each.why.startswith("the rota names nobody")
    role = Role(row.role).label
    return ToldLine(each.at, row.name, role, each.channel.label, each.why, problem=gap)
