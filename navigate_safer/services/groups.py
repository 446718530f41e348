"""Groups: make one with its whole schedule, change it, move sessions, members in and out."""

from datetime import datetime, time, timedelta

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from navigate_safer.db.base import Sessions
from navigate_safer.db.people import StaffAreaRow, StaffRow
from navigate_safer.people.access import GRANTS, Permission, Role, Scope
from navigate_safer.people.days import LONDON, day_of, end_of
from navigate_safer.people.group_schedule import NoSuchDay, instant, overlap, weekly
from navigate_safer.people.programme_rules import programme_rules
from navigate_safer.people.programmes import (
    GROUP,
    REGISTER,
    Group,
    Register,
    SessionKind,
    template,
    templates,
)
from navigate_safer.people.records import Due, Record
from navigate_safer.services import records
from navigate_safer.services.casework import NotFound
from navigate_safer.services.records import About, SlotTaken

RUNNING, OVER = "running", "over"
PLANNED, UNFINISHED, RECORDED = "planned", "unfinished", "recorded"


class NoGroup(Exception):
    """What cannot be; ``errors`` by the field that is to be mended."""

    def __init__(self, **errors: str) -> None:
        super().__init__("; ".join(errors.values()))
        self.errors = errors


def staff(session: Session, area_id: int) -> dict[int, str]:
    """Active staff of an area who may run programmes, by name."""
    roles = [each.value for each in Role if Permission.RUN_PROGRAMMES in GRANTS[each]]
    query = (
        select(StaffRow.id, StaffRow.name)
        .join(StaffAreaRow, StaffAreaRow.staff_id == StaffRow.id)
        .where(StaffAreaRow.area_id == area_id, StaffRow.active, StaffRow.role.in_(roles))
    )
    return {row.id: row.name for row in session.execute(query.order_by(StaffRow.name))}


def staff_of(sessions: Sessions, scope: Scope, area_id: int) -> dict[int, str]:
    """The same for a form; raises Forbidden and NotFound."""
    scope.require(Permission.RUN_PROGRAMMES)
    if area_id not in scope.areas:
        raise NotFound
    with sessions() as session:
        return staff(session, area_id)


def slot_of(group_ref: str, number: int | None = None) -> str:
    """Where the sessions of a group are; of one of them, with its number."""
    return f"register:{group_ref}:" + ("" if number is None else str(number))


def make(sessions: Sessions, scope: Scope, area_id: int, made: Group, now: datetime) -> str:
    """A group with a session for each week of its programme; its reference.

    Raises Forbidden, NotFound and :class:`NoGroup`.
    """
    scope.require(GROUP.write)
    if area_id not in scope.areas:
        raise NotFound
    made = msgspec.structs.replace(made, template_version=templates().version)
    with sessions.begin() as session:
        _check(session, made, area_id)
        planned = _schedule(made)
        _need_free_facilitators(session, scope, made, planned)
        try:
            kept = records.add(
                session, scope, GROUP, About(area_id), made, now=now, state=RUNNING,
                slot=name_slot(area_id, made.name), reason="group planned",
            )  # fmt: skip
        except SlotTaken:
            raise NoGroup(name="A group of this name is running already") from None
        for each in planned:
            body = msgspec.structs.replace(each, group_ref=kept.ref)
            records.add(
                session, scope, REGISTER, About(area_id), body, now=now, at=body.starts_at,
                state=PLANNED, slot=slot_of(kept.ref, body.number), due=register_due(made, body),
                reason="planned with the group",
            )  # fmt: skip
        return kept.ref


def name_slot(area_id: int, name: str) -> str:
    """One group of a name runs in an area at a time."""
    return f"group:{area_id}:{' '.join(name.split()).casefold()}"[:120]


def _check(session: Session, made: Group, area_id: int) -> None:
    if template(made.template) is None:
        raise NoGroup(template="Select a programme")
    largest = programme_rules().largest_group.value
    if not 1 <= made.places <= largest:
        raise NoGroup(places=f"Enter the places as a number from 1 to {largest}")
    if not made.facilitators or not set(made.facilitators) <= staff(session, area_id).keys():
        raise NoGroup(facilitators="Select who facilitates it, from those who run programmes here")


def _schedule(made: Group) -> list[Register]:
    programme = template(made.template)
    assert programme is not None, "the template was checked"
    wanted = programme.of_kind(SessionKind.GROUP)
    if not wanted:
        raise NoGroup(template="This programme is for one person: plan it on the person's sessions")
    try:
        days = weekly(made.starts_on, len(wanted), made.breaks)
    except NoSuchDay:
        raise NoGroup(breaks="The breaks leave no day to meet on") from None
    at = time.fromisoformat(made.starts_at)
    return [
        Register("", number, each.module, each.title, instant(day, at), made.minutes)
        for number, (day, each) in enumerate(zip(days, wanted, strict=True), start=1)
    ]


def _need_free_facilitators(
    session: Session, scope: Scope, made: Group, planned: list[Register]
) -> None:
    for other in records.listed(session, scope, GROUP, states=[RUNNING]):
        if not set(other.body.facilitators) & set(made.facilitators):
            continue
        if meets_with(session, scope, other.ref, planned):
            raise NoGroup(
                facilitators=f"Somebody of them has {other.body.name} at that time already"
            )


def meets_with(session: Session, scope: Scope, ref: str, planned: list[Register]) -> bool:
    """Whether a group has a session at the time of one of others."""
    theirs = records.in_slots(session, scope, REGISTER, slot_of(ref))
    return any(
        overlap(one.starts_at, one.minutes, other.body.starts_at, other.body.minutes)
        for one in planned
        for other in theirs
    )


def register_due(group: Group, body: Register) -> Due:
    """By when the register of a session is filled in, and by whom."""
    last = day_of(body.starts_at) + timedelta(days=programme_rules().register_within_days.value)
    who = group.facilitators[0] if group.facilitators else None
    return Due(end_of(last), f"Fill in the register: {group.name}, session {body.number}", who)


def change(
    sessions: Sessions,
    scope: Scope,
    ref: str,
    made: Group,
    *,
    over: bool,
    replaces: int,
    reason: str,
    now: datetime,
) -> None:
    """Name, place, facilitators and places; with ``over`` the end of the group.

    Its members and its days are changed by steps of their own. Raises Forbidden, NotFound, Stale
    and :class:`NoGroup`.
    """
    with sessions.begin() as session:
        old = records.newest(session, scope, GROUP, ref)
        kept = msgspec.structs.replace(
            old.body, name=made.name, place=made.place, facilitators=made.facilitators,
            places=made.places,
        )  # fmt: skip
        _check(session, kept, old.area_id)
        if over and kept.present_members:
            raise NoGroup(over="Say first of each member why they leave")
        try:
            records.change(
                session, scope, GROUP, ref, kept, replaces=replaces, now=now, reason=reason,
                state=OVER if over else RUNNING,
                slot=None if over else name_slot(old.area_id, kept.name),
            )  # fmt: skip
        except SlotTaken:
            raise NoGroup(name="A group of this name is running already") from None
        if over:
            _cancel_rest(session, scope, ref, now)


def _cancel_rest(session: Session, scope: Scope, ref: str, now: datetime) -> None:
    for each in records.in_slots(session, scope, REGISTER, slot_of(ref)):
        if each.state == PLANNED:
            records.change(
                session, scope, REGISTER, each.ref, each.body, replaces=each.version, now=now,
                state="cancelled", reason="the group is over",
            )  # fmt: skip


def move(
    sessions: Sessions,
    scope: Scope,
    ref: str,
    number: int,
    to: datetime,
    *,
    later_too: bool,
    replaces: int,
    reason: str,
    now: datetime,
) -> None:
    """Put one session on another day, and with ``later_too`` those after it weekly from there.

    Raises Forbidden, NotFound, Stale, and :class:`NoGroup` once a register has been filled in, or
    where the order of the sessions would change.
    """
    with sessions.begin() as session:
        group = records.newest(session, scope, GROUP, ref)
        of_group = records.in_slots(session, scope, REGISTER, slot_of(ref))
        ordered = sorted(of_group, key=lambda each: each.body.number)
        moved = _to_move(ordered, number, later_too, replaces)
        days = weekly(day_of(to), len(moved), group.body.breaks) if later_too else [day_of(to)]
        at = to.astimezone(LONDON).time()
        times = {each.ref: instant(day, at) for each, day in zip(moved, days, strict=True)}
        in_order = [times.get(each.ref, each.body.starts_at) for each in ordered]
        if in_order != sorted(in_order):
            raise NoGroup(to="Enter a time after the session before it and before the one after it")
        for each in moved:
            body = msgspec.structs.replace(each.body, starts_at=times[each.ref])
            records.change(
                session, scope, REGISTER, each.ref, body, replaces=each.version, now=now,
                at=body.starts_at, slot=slot_of(ref, body.number),
                due=register_due(group.body, body), reason=reason,
            )  # fmt: skip


def _to_move(
    ordered: list[Record[Register]], number: int, later_too: bool, replaces: int
) -> list[Record[Register]]:
    """The session of a number, and perhaps those after it: none of them held yet."""
    moved = [each for each in ordered if each.body.number >= number]
    if not moved or moved[0].body.number != number:
        raise NotFound
    if moved[0].version != replaces:
        raise records.Stale(moved[0])
    moved = moved if later_too else moved[:1]
    if any(each.state != PLANNED for each in moved):
        raise NoGroup(to="A session whose register has been filled in stays on its day")
    return moved
