"""Rotas: what they are, who is on when, what is wrong with them, and edits of their layers."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.rota import Duty, Layer, Rota, RotaFault, duties
from alerts.rota_problems import Problem, Reach, problems
from navigate_safer.db import audit, telling
from navigate_safer.db.answering import RotaVersionRow
from navigate_safer.db.base import Sessions
from navigate_safer.db.people import AreaRow, StaffAreaRow, StaffRow
from navigate_safer.db.telling import RotaChangeRow, RotaRow
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.account import Act
from navigate_safer.services.casework import NotFound
from navigate_safer.services.reaching import holidays, on_duty_now

# What the page shows, and how far ahead problems are looked for.
SHOWN = timedelta(days=28)
LONGEST_REASON, LONGEST_NAME = 1_000, 200
_REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
# An address of the pages about rotas.
_TAKEN = frozenset({"new"})


class CannotKeep(Exception):
    """A rota or a change that is not kept; the message says what to change."""


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A rota as it is written by a supervisor; ``replaces`` is the version it was made from."""

    ref: str
    name: str
    area_id: int
    layers: tuple[Layer, ...]
    reason: str
    replaces: int = 0
    active: bool = True


class RotaLine(msgspec.Struct, frozen=True):
    """One rota of the list: who is on now, and how much is wrong in the next weeks."""

    ref: str
    name: str
    area: str
    active: bool
    on_now: str | None
    problems: int
    untold: int


class ChangeLine(msgspec.Struct, frozen=True):
    """An override or a swap as it stands."""

    number: int
    kind: str
    from_at: datetime
    until_at: datetime
    who: str | None
    taken_by: str | None
    taken_by_id: int | None
    reason: str
    made_by: str | None
    made_by_id: int | None
    agreed_at: datetime | None
    cancelled_at: datetime | None


class RotaPage(msgspec.Struct, frozen=True):
    """A rota with its duties over a span, its problems and its changes."""

    ref: str
    name: str
    area_id: int
    area: str
    timezone: str
    version: int
    active: bool
    layers: list[Layer]
    duties: list[Duty]
    problems: list[Problem]
    changes: list[ChangeLine]
    names: dict[int, str]
    refs: dict[int, str]
    versions: list[tuple[int, datetime, str, str]]


def see_all(sessions: Sessions, scope: Scope, now: datetime) -> list[RotaLine]:
    """The rotas of the scope's areas; raises Forbidden. They hold no case data."""
    scope.require(Permission.ACT_ON_ALERTS)
    with sessions.begin() as session:
        query = select(RotaRow).where(RotaRow.area_id.in_(scope.areas)).order_by(RotaRow.name)
        return [_rota_line(session, row, now) for row in session.scalars(query)]


def _rota_line(session: Session, row: RotaRow, now: datetime) -> RotaLine:
    found = found_wrong(session, row, now, now + SHOWN)
    on_id = on_duty_now(session, row, now)
    return RotaLine(
        ref=row.ref,
        name=row.name,
        area=session.get_one(AreaRow, row.area_id).name,
        active=row.active,
        on_now=None if on_id is None else session.get_one(StaffRow, on_id).name,
        problems=len(found),
        untold=sum(each.kind.nobody_is_told for each in found),
    )


def see(
    sessions: Sessions, scope: Scope, ref: str, now: datetime, from_at: datetime, until_at: datetime
) -> RotaPage:
    """One rota; problems from now on. Raises :class:`NotFound`, Forbidden."""
    with sessions.begin() as session:
        row = find(session, scope, ref, Permission.ACT_ON_ALERTS)
        return RotaPage(
            ref=row.ref,
            name=row.name,
            area_id=row.area_id,
            area=session.get_one(AreaRow, row.area_id).name,
            timezone=row.timezone,
            version=row.version,
            active=row.active,
            layers=list(telling.rota(session, row, now, now + SHOWN).layers),
            duties=duties_of(session, row, from_at, until_at),
            problems=found_wrong(session, row, now, until_at),
            changes=_changes(session, row, now),
            names=dict(session.execute(select(StaffRow.id, StaffRow.name)).all()),
            refs=dict(staff_here(session, row.area_id)),
            versions=_versions(session, row),
        )


def find(
    session: Session, scope: Scope, ref: str, permission: Permission, *, lock: bool = False
) -> RotaRow:
    """A rota of the scope's areas; raises :class:`NotFound`, Forbidden."""
    scope.require(permission)
    query = select(RotaRow).where(RotaRow.ref == ref, RotaRow.area_id.in_(scope.areas))
    row = session.scalar(query.with_for_update() if lock else query)
    if row is None:
        raise NotFound
    return row


def duties_of(session: Session, row: RotaRow, from_at: datetime, until_at: datetime) -> list[Duty]:
    """Who is on duty between two instants, with the gaps."""
    rota = telling.rota(session, row, from_at, until_at)
    return duties(rota, from_at, until_at, holidays(row.timezone, from_at, until_at))


def found_wrong(
    session: Session, row: RotaRow, from_at: datetime, until_at: datetime
) -> list[Problem]:
    """Gaps, people who cannot be reached, and too much duty, between two instants."""
    return problems(duties_of(session, row, from_at, until_at), _reach(session, row))


def _reach(session: Session, row: RotaRow) -> Mapping[int, Reach]:
    """Who works in the area, and can be reached as policies reach this rota; others are missing.

    Of a rota that no policy names yet anybody counts who can be reached at all.
    """
    used = telling.channels_to_rota(session, row.id)
    return {
        each.staff_id: Reach(active=True, verified=bool(each.channels) and used <= each.channels)
        for each in telling.people(session, row.area_id)
    }


def staff_here(session: Session, area_id: int) -> Sequence[tuple[int, str]]:
    """Active staff of an area: id and account."""
    query = (
        select(StaffRow.id, StaffRow.ref)
        .join(StaffAreaRow, StaffAreaRow.staff_id == StaffRow.id)
        .where(StaffAreaRow.area_id == area_id, StaffRow.active)
        .order_by(StaffRow.ref)
    )
    return [(row.id, row.ref) for row in session.execute(query)]


def areas(sessions: Sessions, scope: Scope) -> dict[int, str]:
    """The areas for which somebody may make rotas; raises Forbidden."""
    scope.require(Permission.RUN_ALERTING)
    with sessions.begin() as session:
        query = select(AreaRow.id, AreaRow.name).where(AreaRow.id.in_(scope.areas))
        return dict(session.execute(query.order_by(AreaRow.name)).all())


def staff_by_account(sessions: Sessions, scope: Scope, area_id: int) -> dict[str, int]:
    """The accounts of an area that a rota can name; raises Forbidden, :class:`NotFound`."""
    scope.require(Permission.ACT_ON_ALERTS)
    if area_id not in scope.areas:
        raise NotFound
    with sessions.begin() as session:
        return {ref: staff_id for staff_id, ref in staff_here(session, area_id)}


def save(sessions: Sessions, scope: Scope, draft: Draft, now: datetime, *, new: bool) -> None:
    """Keep a new rota, or new layers of one, as a version with its reason.

    Raises :class:`CannotKeep`, :class:`NotFound`, Forbidden.
    """
    scope.require(Permission.RUN_ALERTING)
    _check(draft)
    with sessions.begin() as session:
        here = {staff_id for staff_id, _ in staff_here(session, draft.area_id)}
        if draft.area_id not in scope.areas:
            raise NotFound
        if any(person not in here for layer in draft.layers for person in layer.people):
            raise CannotKeep("A layer names somebody who does not work in this area")
        if new:
            if session.scalar(select(RotaRow.id).where(RotaRow.ref == draft.ref)) is not None:
                raise CannotKeep(f"There is a rota {draft.ref!r}: give another reference")
            row = RotaRow(ref=draft.ref, area_id=draft.area_id, version=0, layers=[])
            row.timezone = Rota(layers=()).timezone
            session.add(row)
        else:
            row = find(session, scope, draft.ref, Permission.RUN_ALERTING, lock=True)
            if row.version != draft.replaces:
                raise CannotKeep("Somebody changed it meanwhile: open it again")
        row.name, row.active = draft.name.strip()[:LONGEST_NAME], draft.active
        row.layers, row.version = msgspec.to_builtins(draft.layers), row.version + 1
        session.flush()
        session.add(
            RotaVersionRow(
                rota_id=row.id, version=row.version, layers=row.layers, made_at=now,
                made_by=scope.staff_id, reason=draft.reason.strip()[:LONGEST_REASON],
            )
        )  # fmt: skip
        log(session, scope, "rota changed", row.id, now, {"version": row.version})


def _check(draft: Draft) -> None:
    if not _REF.fullmatch(draft.ref) or draft.ref in _TAKEN:
        raise CannotKeep("A reference has letters, digits, full stops, hyphens and underscores")
    if not draft.name.strip():
        raise CannotKeep("Enter a name")
    if not draft.reason.strip():
        raise CannotKeep("Enter why the rota is made or changed")
    if not draft.layers:
        raise CannotKeep("Give at least one layer with people")
    try:
        Rota(layers=draft.layers)
    except RotaFault as fault:
        raise CannotKeep(str(fault).capitalize()) from None


def log(
    session: Session, scope: Scope, what: str, rota_id: int, now: datetime,
    detail: dict[str, object] | None = None,
) -> None:  # fmt: skip
    """Write an alteration of a rota into the log."""
    audit.record(
        session, Act.ALTERATION, what, at=now, actor="staff", staff_id=scope.staff_id,
        subject_kind="rota", subject_id=rota_id, detail=detail,
    )  # fmt: skip


def _changes(session: Session, row: RotaRow, now: datetime) -> list[ChangeLine]:
    names: dict[int | None, str] = {
        row.id: row.name for row in session.execute(select(StaffRow.id, StaffRow.name))
    }
    query = select(RotaChangeRow).where(
        RotaChangeRow.rota_id == row.id, RotaChangeRow.until_at > now
    )
    return [
        ChangeLine(
            number=each.id, kind=each.kind, from_at=each.from_at, until_at=each.until_at,
            who=names.get(each.staff_id), taken_by=names.get(each.taken_by),
            taken_by_id=each.taken_by, reason=each.reason, made_by=names.get(each.made_by),
            made_by_id=each.made_by, agreed_at=each.agreed_at, cancelled_at=each.cancelled_at,
        )
        for each in session.scalars(query.order_by(RotaChangeRow.from_at, RotaChangeRow.id))
    ]  # fmt: skip


def _versions(session: Session, row: RotaRow) -> list[tuple[int, datetime, str, str]]:
    query = (
        select(RotaVersionRow, StaffRow.name)
        .join(StaffRow, StaffRow.id == RotaVersionRow.made_by)
        .where(RotaVersionRow.rota_id == row.id)
        .order_by(RotaVersionRow.version.desc())
    )
    return [
        (each.version, each.made_at, name, each.reason) for each, name in session.execute(query)
    ]
