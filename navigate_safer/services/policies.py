"""Escalation policies: what is in force, new versions with a reason."""

from datetime import datetime

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from alerts.finding import FindingKind, Severity
from alerts.policy import Bundling, Policy, PolicyFault, Step, Target
from navigate_safer.db import audit
from navigate_safer.db.base import Sessions
from navigate_safer.db.people import AreaRow, StaffAreaRow, StaffRow
from navigate_safer.db.telling import PolicyRow, RotaRow
from navigate_safer.people.access import Permission, Role, Scope
from navigate_safer.people.account import Act
from navigate_safer.services.casework import NotFound

LONGEST_REASON, LONGEST_NAME = 1_000, 100


class CannotKeep(Exception):
    """A policy that is not kept; the message says what to change."""


class PolicyLine(msgspec.Struct, frozen=True):
    """One version of a policy with who made it and why; ``may_edit`` for whoever asks."""

    policy: Policy
    area: str | None
    active: bool
    made_at: datetime
    made_by: str | None
    reason: str
    may_edit: bool
    steps: list[str]


class Choices(msgspec.Struct, frozen=True):
    """What a policy of these areas can name: ids with their words."""

    areas: dict[int, str]
    all_areas: bool
    people: dict[int, str]
    rotas: dict[int, str]


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A policy as it is written by a supervisor; ``replaces`` is the version it was made from."""

    name: str
    severities: frozenset[Severity]
    kinds: frozenset[FindingKind] | None
    area_id: int | None
    about_service: bool
    steps: tuple[Step, ...]
    reason: str
    replaces: int = 0
    bundling: Bundling = Bundling()


def see_all(sessions: Sessions, scope: Scope) -> list[PolicyLine]:
    """The newest version of each policy that covers the scope's areas; raises Forbidden."""
    scope.require(Permission.RUN_ALERTING)
    with sessions.begin() as session:
        query = select(PolicyRow).order_by(PolicyRow.number, PolicyRow.version.desc())
        newest: dict[int, PolicyRow] = {}
        for row in session.scalars(query):
            newest.setdefault(row.number, row)
        lines = [_line(session, scope, row) for row in newest.values()]
        return [each for each in lines if each.policy.area_id in (None, *scope.areas)]


def versions(sessions: Sessions, scope: Scope, number: int) -> list[PolicyLine]:
    """Every version of one policy, newest first; raises :class:`NotFound`, Forbidden."""
    scope.require(Permission.RUN_ALERTING)
    with sessions.begin() as session:
        lines = [_line(session, scope, row) for row in _rows(session, number)]
        if not lines or lines[0].policy.area_id not in (None, *scope.areas):
            raise NotFound
        return lines


def choices(sessions: Sessions, scope: Scope) -> Choices:
    """What the scope's policies can name; raises Forbidden."""
    scope.require(Permission.RUN_ALERTING)
    with sessions.begin() as session:
        return _choices(session, scope)


def _choices(session: Session, scope: Scope) -> Choices:
    areas = dict(session.execute(select(AreaRow.id, AreaRow.name).order_by(AreaRow.name)).all())
    here = select(StaffAreaRow.staff_id).where(StaffAreaRow.area_id.in_(scope.areas))
    people = select(StaffRow).where(StaffRow.active, StaffRow.id.in_(here)).order_by(StaffRow.name)
    rotas = select(RotaRow).where(RotaRow.active, RotaRow.area_id.in_(scope.areas))
    return Choices(
        areas={key: name for key, name in areas.items() if key in scope.areas},
        all_areas=set(areas) <= scope.areas,
        people={each.id: f"{each.name} ({each.ref})" for each in session.scalars(people)},
        rotas={each.id: each.name for each in session.scalars(rotas.order_by(RotaRow.name))},
    )


def save(sessions: Sessions, scope: Scope, number: int | None, draft: Draft, now: datetime) -> int:
    """Keep a new policy, or a new version of ``number``; its number.

    Raises :class:`CannotKeep`, :class:`NotFound`, Forbidden.
    """
    scope.require(Permission.RUN_ALERTING)
    if not draft.reason.strip():
        raise CannotKeep("Enter why the policy is made or changed")
    if not draft.name.strip():
        raise CannotKeep("Enter a name")
    with sessions.begin() as session:
        known = [] if number is None else _rows(session, number)
        if number is not None:
            _may_change(session, scope, known, draft.replaces)
        allowed = _choices(session, scope)
        _check(draft, allowed)
        highest = session.scalar(select(func.max(PolicyRow.number))) or 0
        number = highest + 1 if number is None else number
        version = known[0].version + 1 if known else 1
        try:
            body = Policy(
                number=number,
                version=version,
                name=draft.name.strip()[:LONGEST_NAME],
                severities=draft.severities,
                steps=draft.steps,
                area_id=draft.area_id,
                kinds=draft.kinds,
                about_service=draft.about_service,
                bundling=draft.bundling,
            )
        except PolicyFault as fault:
            raise CannotKeep(str(fault).capitalize()) from None
        for row in known:
            row.active = False
        _add(session, scope, body, draft.reason, now)
        return number


def deactivate(sessions: Sessions, scope: Scope, number: int, reason: str, now: datetime) -> bool:
    """Take a policy out of force; False where none is. Alerts that are out keep their steps.

    Raises :class:`CannotKeep`, :class:`NotFound`, Forbidden.
    """
    scope.require(Permission.RUN_ALERTING)
    if not reason.strip():
        raise CannotKeep("Enter why the policy is taken out of force")
    with sessions.begin() as session:
        rows = _rows(session, number)
        _may_change(session, scope, rows, rows[0].version if rows else 0)
        if not rows[0].active:
            return False
        body = msgspec.structs.replace(
            msgspec.convert(rows[0].body, Policy), version=rows[0].version + 1
        )
        for row in rows:
            row.active = False
        _add(session, scope, body, reason, now).active = False
        return True


def _add(session: Session, scope: Scope, body: Policy, reason: str, now: datetime) -> PolicyRow:
    row = PolicyRow(
        number=body.number,
        version=body.version,
        body=msgspec.to_builtins(body),
        active=True,
        made_at=now,
        made_by=scope.staff_id,
        reason=reason.strip()[:LONGEST_REASON],
    )
    session.add(row)
    session.flush()
    audit.record(
        session,
        Act.ALTERATION,
        "escalation policy",
        at=now,
        actor="staff",
        staff_id=scope.staff_id,
        subject_kind="policy",
        subject_id=row.id,
        detail={"number": body.number, "version": body.version},
    )
    return row


def _rows(session: Session, number: int) -> list[PolicyRow]:
    query = select(PolicyRow).where(PolicyRow.number == number)
    return list(session.scalars(query.order_by(PolicyRow.version.desc()).with_for_update()))


def _may_change(session: Session, scope: Scope, rows: list[PolicyRow], replaces: int) -> None:
    if not rows:
        raise NotFound
    area_id = msgspec.convert(rows[0].body, Policy).area_id
    if area_id is not None and area_id not in scope.areas:
        raise NotFound
    if area_id is None and not _choices(session, scope).all_areas:
        raise CannotKeep("It covers all areas: only a supervisor of all of them may change it")
    if rows[0].version != replaces:
        raise CannotKeep("Somebody changed it meanwhile: open it again and make your change there")


def _check(draft: Draft, allowed: Choices) -> None:
    if draft.area_id is None and not allowed.all_areas:
        raise CannotKeep("Select an area: you do not supervise all of them")
    if draft.area_id is not None and draft.area_id not in allowed.areas:
        raise CannotKeep("Select one of your areas")
    if draft.about_service and draft.area_id is not None:
        raise CannotKeep("Faults of the service have no area: select all areas")
    for step in draft.steps:
        named = {Target.PERSON: (step.staff_id, allowed.people),
                 Target.ROTA: (step.rota_id, allowed.rotas)}.get(step.target)  # fmt: skip
        if named is not None and named[0] not in named[1]:
            raise CannotKeep("A step names somebody, or a rota, that is not in your areas")


def _line(session: Session, scope: Scope, row: PolicyRow) -> PolicyLine:
    policy = msgspec.convert(row.body, Policy)
    area = None if policy.area_id is None else session.get_one(AreaRow, policy.area_id).name
    whole = policy.area_id is None and not _choices(session, scope).all_areas
    maker = None if row.made_by is None else session.get_one(StaffRow, row.made_by).name
    return PolicyLine(
        policy=policy,
        area=area,
        active=row.active,
        made_at=row.made_at,
        made_by=maker,
        reason=row.reason,
        may_edit=not whole,
        steps=[_words(session, each) for each in policy.steps],
    )


def _words(session: Session, step: Step) -> str:
    if step.target is Target.PERSON:
        person = session.get(StaffRow, step.staff_id)
        who = person.name if person else "somebody who is not known"
    elif step.target is Target.ROTA:
        rota = session.get(RotaRow, step.rota_id)
        who = f"whoever is on {rota.name}" if rota else "a rota that is not known"
    else:
        who = f"every {Role(step.role).label.lower().replace('idva', 'IDVA')}"
    return f"{step.channel.label.capitalize()} to {who}; {_wait(step.answer_within_s)}"


def _wait(seconds: int) -> str:
    minutes = f"{seconds / 60:g}"
    return f"{minutes} minute{'' if minutes == '1' else 's'} to answer"
