"""Allow a wearer something for a time, and take it back: with reason, author and end.

An exception works from the moment it is made, never before, so that what was judged stays as it was
judged. What it excuses is recorded and shown, and nobody is told.
"""

from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.finding import FindingKind
from navigate_safer.db import audit, caseload
from navigate_safer.db.alerting import EpisodeRow
from navigate_safer.db.base import Sessions
from navigate_safer.db.exceptions import ExceptionRow
from navigate_safer.db.people import ConditionRow, OrderRow, StaffRow, ZoneRow
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.account import Act
from navigate_safer.services.casework import NotFound
from navigate_safer.services.zones import LONGEST_REASON, judge_anew
from zones.authorised import Authorised, at_one_time
from zones.fault import ZoneFault
from zones.feature import permission

MOST_SHOWN = 50


class CannotAllow(Exception):
    """The exception cannot be made; the message says why."""


class Wanted(msgspec.Struct, frozen=True):
    """What is to be allowed under a condition; times aware, ``corridor`` GeoJSON.

    ``schedule`` are the weekly hours in which it holds, as a zone has them; None: all the time.
    """

    condition_ref: str
    from_at: datetime
    until_at: datetime
    reason: str
    corridor: dict[str, object] | None = None
    corridor_m: float = 0.0
    schedule: list[dict[str, object]] | None = None


class PlaceCondition(msgspec.Struct, frozen=True):
    """A condition about a place that is in force."""

    ref: str
    kind: str
    clause: str
    zone_name: str


class Allowed(msgspec.Struct, frozen=True):
    """An exception as it stands."""

    exception_id: int
    condition_ref: str
    zone_name: str
    kind: str
    from_at: datetime
    until_at: datetime
    corridor: bool
    schedule: list[dict[str, object]] | None
    reason: str
    who: str
    made_at: datetime
    revoked_at: datetime | None
    revoked_by: str | None
    revoke_reason: str | None


class ExcusedStay(msgspec.Struct, frozen=True):
    """A stay that an exception excused."""

    started_at: datetime
    ended_at: datetime | None
    zone_name: str
    exception: str


class ExceptionPage(msgspec.Struct, frozen=True):
    """What is allowed to one wearer, what can be, and what came of it."""

    ref: str
    name: str
    conditions: list[PlaceCondition]
    allowed: list[Allowed]
    stays: list[ExcusedStay]


def see(sessions: Sessions, scope: Scope, ref: str, now: datetime) -> ExceptionPage:
    """The exceptions of one wearer; raises :class:`NotFound`, Forbidden."""
    scope.require(Permission.SEE_PLACES)
    with sessions.begin() as session:
        wearer = _wearer(session, scope, ref)
        audit.record(
            session,
            Act.CONSULTATION,
            "exceptions",
            at=now,
            actor="staff",
            staff_id=scope.staff_id,
            subject_kind="wearer",
            subject_id=wearer.wearer_id,
        )
        return ExceptionPage(
            wearer.ref,
            wearer.name,
            _conditions(session, wearer.wearer_id, now),
            _allowed(session, wearer.wearer_id),
            _stays(session, wearer.wearer_id),
        )


def allow(sessions: Sessions, scope: Scope, ref: str, wanted: Wanted, now: datetime) -> None:
    """Allow it; raises :class:`CannotAllow`, :class:`NotFound`, Forbidden."""
    scope.require(Permission.EDIT_ZONES)
    if not wanted.reason.strip():
        raise CannotAllow("Enter why this is allowed")
    if wanted.until_at <= max(now, wanted.from_at):
        raise CannotAllow("The end must be after the start, and in the future")
    _check(wanted, max(wanted.from_at, now))
    with sessions.begin() as session:
        wearer = _wearer(session, scope, ref)
        known = {each.ref for each in _conditions(session, wearer.wearer_id, now)}
        if wanted.condition_ref not in known:
            raise CannotAllow("Select a condition about a place that is in force")
        row = ExceptionRow(
            condition_ref=wanted.condition_ref,
            wearer_id=wearer.wearer_id,
            from_at=max(wanted.from_at, now),
            until_at=wanted.until_at,
            schedule=wanted.schedule,
            corridor=wanted.corridor,
            corridor_m=wanted.corridor_m,
            reason=wanted.reason.strip()[:LONGEST_REASON],
            staff_id=scope.staff_id,
            made_at=now,
        )
        _refuse_overlap(session, row)
        session.add(row)
        session.flush()
        _changed(session, scope, row, "exception allowed", now)


def _check(wanted: Wanted, from_at: datetime) -> None:
    try:
        allowed = permission(
            "new",
            from_at,
            wanted.until_at,
            "corridor",
            schedule=wanted.schedule,
            corridor=wanted.corridor,
            corridor_m=wanted.corridor_m,
        )
    except ZoneFault as fault:
        raise CannotAllow(str(fault)) from None
    begins = allowed.times.next_change(from_at)
    if not allowed.times.covers(from_at) and (begins is None or begins >= wanted.until_at):
        raise CannotAllow("None of the hours is between the start and the end: nothing is allowed")


def revoke(
    sessions: Sessions, scope: Scope, ref: str, exception_id: int, reason: str, now: datetime
) -> bool:
    """Take it back from now on; False where it is over. Raises CannotAllow, NotFound, Forbidden."""
    scope.require(Permission.EDIT_ZONES)
    if not reason.strip():
        raise CannotAllow("Enter why this is taken back")
    with sessions.begin() as session:
        wearer = _wearer(session, scope, ref)
        row = session.get(ExceptionRow, exception_id, with_for_update=True)
        if row is None or row.wearer_id != wearer.wearer_id:
            raise NotFound
        if row.ends_at <= now:
            return False
        row.revoked_at, row.revoked_by = now, scope.staff_id
        row.revoke_reason = reason.strip()[:LONGEST_REASON]
        _changed(session, scope, row, "exception taken back", now)
        return True


def _refuse_overlap(session: Session, row: ExceptionRow) -> None:
    """Two corridors at one time would be two answers to one question."""
    query = select(ExceptionRow).where(ExceptionRow.condition_ref == row.condition_ref)
    for other in session.scalars(query):
        both = row.corridor is not None and other.corridor is not None
        meet = other.from_at < row.until_at and max(row.from_at, other.from_at) < other.ends_at
        if both and meet and at_one_time(_authorised(row), _authorised(other)):
            what = "A corridor is allowed under this condition at that time already"
            raise CannotAllow(f"{what}: take it back, and give one with both ways")


def _authorised(row: ExceptionRow) -> Authorised:
    return permission(
        "", row.from_at, row.ends_at, "corridor", schedule=row.schedule,
        corridor=row.corridor, corridor_m=row.corridor_m,
    )  # fmt: skip


def _changed(session: Session, scope: Scope, row: ExceptionRow, what: str, now: datetime) -> None:
    orders = select(OrderRow.id).where(OrderRow.wearer_id == row.wearer_id)
    judge_anew(session, list(session.scalars(orders)), now)
    audit.record(
        session,
        Act.ALTERATION,
        what,
        at=now,
        actor="staff",
        staff_id=scope.staff_id,
        subject_kind="wearer",
        subject_id=row.wearer_id,
        detail={"exception": row.id},
    )


def _wearer(session: Session, scope: Scope, ref: str) -> caseload.Person:
    person = caseload.person(session, scope, ref)
    if person is None:
        raise NotFound
    return person


def _conditions(session: Session, wearer_id: int, now: datetime) -> list[PlaceCondition]:
    query = (
        select(ConditionRow, ZoneRow)
        .join(OrderRow, OrderRow.id == ConditionRow.order_id)
        .join(ZoneRow, ZoneRow.id == ConditionRow.zone_id)
        .where(OrderRow.wearer_id == wearer_id)
        .order_by(ConditionRow.id)
    )
    return [
        PlaceCondition(row.ref, row.kind, row.clause, zone.name)
        for row, zone in session.execute(query)
        if row.until_at is None or row.until_at > now
    ]


def _allowed(session: Session, wearer_id: int) -> list[Allowed]:
    zone_of = {
        row.ref: (row.kind, zone.name)
        for row, zone in session.execute(
            select(ConditionRow, ZoneRow)
            .join(ZoneRow, ZoneRow.id == ConditionRow.zone_id)
            .join(OrderRow, OrderRow.id == ConditionRow.order_id)
            .where(OrderRow.wearer_id == wearer_id)
            .order_by(ConditionRow.version)
        )
    }
    names = dict(session.execute(select(StaffRow.id, StaffRow.name)).all())
    query = select(ExceptionRow).where(ExceptionRow.wearer_id == wearer_id)
    return [
        Allowed(
            exception_id=row.id,
            condition_ref=row.condition_ref,
            zone_name=zone_of[row.condition_ref][1],
            kind=zone_of[row.condition_ref][0],
            from_at=row.from_at,
            until_at=row.until_at,
            corridor=row.corridor is not None,
            schedule=row.schedule,
            reason=row.reason,
            who=names[row.staff_id],
            made_at=row.made_at,
            revoked_at=row.revoked_at,
            revoked_by=None if row.revoked_by is None else names[row.revoked_by],
            revoke_reason=row.revoke_reason,
        )
        for row in session.scalars(query.order_by(ExceptionRow.id.desc()).limit(MOST_SHOWN))
    ]


def _stays(session: Session, wearer_id: int) -> list[ExcusedStay]:
    query = (
        select(EpisodeRow, ZoneRow.name)
        .join(ConditionRow, ConditionRow.id == EpisodeRow.condition_id)
        .join(ZoneRow, ZoneRow.id == ConditionRow.zone_id)
        .where(EpisodeRow.wearer_id == wearer_id, EpisodeRow.withdrawn.is_(False))
        .where(EpisodeRow.kind == FindingKind.EXCUSED_STAY.value)
        .order_by(EpisodeRow.started_at.desc())
        .limit(MOST_SHOWN)
    )
    return [
        ExcusedStay(row.started_at, row.ended_at, name, str(row.evidence.get("authorised", "")))
        for row, name in session.execute(query)
    ]
