"""Overrides, swaps and calendars of rotas: who is on instead, agreed, recorded, taken back."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts import rota_ical
from alerts.rota import Override, RotaFault, Swap
from alerts.rota_ical import DatedDuty
from navigate_safer.db.base import Sessions
from navigate_safer.db.people import StaffAreaRow, StaffRow
from navigate_safer.db.telling import RotaChangeRow, RotaRow
from navigate_safer.people.access import Permission, Scope
from navigate_safer.services.casework import NotFound
from navigate_safer.services.rotas import (
    LONGEST_REASON,
    CannotKeep,
    duties_of,
    find,
    log,
    staff_here,
)

CALENDAR_AHEAD = timedelta(weeks=12)


def override(
    sessions: Sessions,
    scope: Scope,
    ref: str,
    staff_id: int | None,
    stretch: tuple[datetime, datetime],
    reason: str,
    now: datetime,
) -> None:
    """Put somebody on duty for a stretch, or with None nobody.

    Raises :class:`CannotKeep`, :class:`NotFound`, Forbidden.
    """
    with sessions.begin() as session:
        row = find(session, scope, ref, Permission.RUN_ALERTING, lock=True)
        _check(stretch, reason, now)
        if staff_id is not None:
            _works_here(session, row, staff_id)
        _ordered(lambda: Override(from_at=stretch[0], until_at=stretch[1], staff_id=staff_id,
                                  reason=reason))  # fmt: skip
        change = _row(row, "override", stretch, reason, scope, now)
        change.staff_id = staff_id
        session.add(change)
        log(session, scope, "rota override", row.id, now)


def ask_swap(
    sessions: Sessions,
    scope: Scope,
    ref: str,
    taken_by: int,
    stretch: tuple[datetime, datetime],
    reason: str,
    now: datetime,
) -> None:
    """Ask a colleague to take one's own duties of a stretch; it counts once the other agrees.

    Raises :class:`CannotKeep`, :class:`NotFound`, Forbidden.
    """
    with sessions.begin() as session:
        row = find(session, scope, ref, Permission.ACT_ON_ALERTS, lock=True)
        _check(stretch, reason, now)
        _works_here(session, row, taken_by)
        if taken_by == scope.staff_id:
            raise CannotKeep("Select a colleague, not yourself")
        _ordered(lambda: Swap(from_at=stretch[0], until_at=stretch[1], staff_id=scope.staff_id,
                              taken_by=taken_by))  # fmt: skip
        own = duties_of(session, row, *stretch)
        if all(each.staff_id != scope.staff_id for each in own):
            raise CannotKeep("You have no duty in this stretch, so there is nothing to swap")
        change = _row(row, "swap", stretch, reason, scope, now)
        change.staff_id, change.taken_by = scope.staff_id, taken_by
        session.add(change)
        log(session, scope, "rota swap asked", row.id, now)


def agree(sessions: Sessions, scope: Scope, ref: str, number: int, now: datetime) -> bool:
    """Agree to take a swap; only the one who was asked may. False where it is over or settled.

    Raises :class:`CannotKeep`, :class:`NotFound`, Forbidden.
    """
    with sessions.begin() as session:
        row = find(session, scope, ref, Permission.ACT_ON_ALERTS, lock=True)
        change = _change(session, row, number)
        if change.kind != "swap" or change.taken_by != scope.staff_id:
            raise CannotKeep("Only the person who was asked can agree")
        if change.agreed_at or change.cancelled_at or change.until_at <= now:
            return False
        change.agreed_by, change.agreed_at = scope.staff_id, now
        log(session, scope, "rota swap agreed", row.id, now, {"change": number})
        return True


def cancel(sessions: Sessions, scope: Scope, ref: str, number: int, now: datetime) -> bool:
    """Take a change back: its maker, whoever was asked, or a supervisor. False where it is over.

    Raises :class:`CannotKeep`, :class:`NotFound`, Forbidden.
    """
    with sessions.begin() as session:
        row = find(session, scope, ref, Permission.ACT_ON_ALERTS, lock=True)
        change = _change(session, row, number)
        concerned = scope.staff_id in (change.made_by, change.taken_by)
        settled = change.kind == "override" or change.agreed_at is not None
        if not scope.may(Permission.RUN_ALERTING) and (settled or not concerned):
            raise CannotKeep("It counts already: only a supervisor can take it back")
        if change.cancelled_at or change.until_at <= now:
            return False
        change.cancelled_at = now
        log(session, scope, "rota change cancelled", row.id, now, {"change": number})
        return True


def calendar(sessions: Sessions, scope: Scope, ref: str, now: datetime) -> str:
    """The next weeks as an iCalendar file; raises :class:`NotFound`, Forbidden."""
    with sessions.begin() as session:
        row = find(session, scope, ref, Permission.ACT_ON_ALERTS)
        names = dict(session.execute(select(StaffRow.id, StaffRow.name)).all())
        found = duties_of(session, row, now, now + CALENDAR_AHEAD)
        return rota_ical.write(row.name, row.ref, found, names, now)


def take_calendar(
    sessions: Sessions, scope: Scope, ref: str, text: bytes, now: datetime
) -> tuple[int, int]:
    """Make each dated duty of a calendar an override: how many were new, how many known.

    All or none; an event that changed since an earlier file replaces what that one said. Raises
    :class:`CannotKeep`, :class:`NotFound`, Forbidden.
    """
    with sessions.begin() as session:
        row = find(session, scope, ref, Permission.RUN_ALERTING, lock=True)
        try:
            found = rota_ical.read(text, row.timezone, now)
        except rota_ical.CalendarFault as fault:
            raise CannotKeep(str(fault)) from None
        if not found:
            raise CannotKeep("It has no duty from now on")
        known = {each.source: each for each in _taken_in(session, row)}
        _withdraw_moved(known, found, now)
        added = 0
        for number, each in enumerate(found, start=1):
            staff_id = _who(session, row, each, number)
            old = known.get(each.source)
            if old is not None and (old.staff_id, old.until_at) == (staff_id, each.until_at):
                continue
            if old is not None:
                old.cancelled_at = now
            stretch = (each.from_at, each.until_at)
            change = _row(row, "override", stretch, "from a calendar", scope, now)
            change.staff_id, change.source = staff_id, each.source
            session.add(change)
            added += 1
        log(session, scope, "rota calendar taken in", row.id, now, {"duties": added})
        return added, len(found) - added


def _taken_in(session: Session, row: RotaRow) -> list[RotaChangeRow]:
    query = select(RotaChangeRow).where(
        RotaChangeRow.rota_id == row.id,
        RotaChangeRow.source.is_not(None),
        RotaChangeRow.cancelled_at.is_(None),
    )
    return list(session.scalars(query))


def _withdraw_moved(
    known: dict[str | None, RotaChangeRow], found: list[DatedDuty], now: datetime
) -> None:
    """An event that is still in the file, but no longer at a time, has been moved."""
    there = {each.source for each in found}
    events = {each.rpartition(":")[0] for each in there}
    for source, change in known.items():
        moved = source not in there and str(source).rpartition(":")[0] in events
        if moved and change.from_at > now:
            change.cancelled_at = now


def _who(session: Session, row: RotaRow, duty: DatedDuty, number: int) -> int:
    """The member of staff an event names: by e-mail, account or name, and only one."""
    here = [staff_id for staff_id, _ in staff_here(session, row.area_id)]
    people = session.scalars(select(StaffRow).where(StaffRow.id.in_(here))).all()
    wanted = duty.who.casefold()
    for fits in (
        [each for each in people if duty.email and (each.email or "").lower() == duty.email],
        [each for each in people if each.ref.casefold() == wanted],
        [each for each in people if each.name.casefold() == wanted],
    ):
        if len(fits) == 1:
            return fits[0].id
    at = f"{duty.from_at:%Y-%m-%d %H:%M} UTC"
    raise CannotKeep(
        f"Duty {number} ({duty.who[:60]!r}, {at}) names nobody of this area: "
        "write the account or the full name as its title"
    )


def _works_here(session: Session, row: RotaRow, staff_id: int) -> None:
    query = select(StaffAreaRow.staff_id).where(
        StaffAreaRow.staff_id == staff_id, StaffAreaRow.area_id == row.area_id
    )
    if session.scalar(query) is None:
        raise CannotKeep("Select somebody who works in this area")


def _check(stretch: tuple[datetime, datetime], reason: str, now: datetime) -> None:
    if not reason.strip():
        raise CannotKeep("Enter why")
    if stretch[1] <= now:
        raise CannotKeep("It must end in the future")


def _ordered(make: object) -> None:
    assert callable(make)
    try:
        make()
    except RotaFault:
        raise CannotKeep("The end must be after the start") from None


def _change(session: Session, row: RotaRow, number: int) -> RotaChangeRow:
    change = session.get(RotaChangeRow, number)
    if change is None or change.rota_id != row.id:
        raise NotFound
    return change


def _row(
    row: RotaRow,
    kind: str,
    stretch: tuple[datetime, datetime],
    reason: str,
    scope: Scope,
    now: datetime,
) -> RotaChangeRow:
    return RotaChangeRow(
        rota_id=row.id,
        kind=kind,
        # Who was on duty until now stays as it was.
        from_at=max(stretch[0], now),
        until_at=stretch[1],
        reason=reason.strip()[:LONGEST_REASON],
        made_by=scope.staff_id,
        made_at=now,
    )
