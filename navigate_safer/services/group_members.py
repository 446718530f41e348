"""Who is in a group: in by way of the menu, out with a reason."""

from datetime import date, datetime

import msgspec
from sqlalchemy.orm import Session

from navigate_safer.db.base import Sessions
from navigate_safer.people.access import Scope
from navigate_safer.people.days import day_of
from navigate_safer.people.menu import REQUEST, EndReason, RequestState
from navigate_safer.people.programmes import GROUP, REGISTER, Group, LeaveReason, Member
from navigate_safer.people.records import Record
from navigate_safer.services import intervention_steps, records
from navigate_safer.services.casework import NotFound
from navigate_safer.services.groups import RUNNING, NoGroup, meets_with, name_slot, slot_of
from navigate_safer.services.intervention_steps import Step

# One who goes on in another group has not ended what the group delivers.
_ENDS = {
    LeaveReason.STOPPED_COMING: EndReason.STOPPED_COMING,
    LeaveReason.EXCLUDED: EndReason.EXCLUDED,
    LeaveReason.UNSUITABLE: EndReason.UNSUITABLE,
    LeaveReason.CUSTODY: EndReason.CUSTODY,
    LeaveReason.MOVED_AWAY: EndReason.MOVED_AWAY,
    LeaveReason.ORDER_ENDED: EndReason.ORDER_ENDED,
    LeaveReason.VICTIM_SAFETY: EndReason.VICTIM_SAFETY,
    LeaveReason.DIED: EndReason.DIED,
}
_READY = {RequestState.ACCEPTED.value, RequestState.STARTED.value}


def join(
    sessions: Sessions,
    scope: Scope,
    ref: str,
    wearer_ref: str,
    on: date,
    *,
    replaces: int,
    now: datetime,
) -> None:
    """Put somebody into a group from a day on.

    Raises Forbidden, NotFound, Stale, and :class:`NoGroup` when it is full or over, when he is in
    it, meets another group at the same time, or has no place on the menu for what it delivers.
    """
    scope.require(GROUP.write)
    with sessions.begin() as session:
        group = _held(session, scope, ref, replaces)
        of, wearer = records.about(session, scope, wearer_ref)
        if of.area_id != group.area_id:
            raise NotFound
        assert of.wearer_id is not None, "a wearer has an id"
        refused = _refusal(session, scope, group, of.wearer_id, on)
        if refused:
            raise NoGroup(wearer=refused)
        member = Member(of.wearer_id, wearer.ref, on)
        made = msgspec.structs.replace(group.body, members=(*group.body.members, member))
        _keep(session, scope, group, made, f"{wearer.ref} joined", now)


def _held(session: Session, scope: Scope, ref: str, replaces: int) -> Record[Group]:
    group = records.newest(session, scope, GROUP, ref)
    if group.version != replaces:
        raise records.Stale(group)
    if group.state != RUNNING:
        raise NoGroup(wearer="This group is over")
    return group


def _refusal(session: Session, scope: Scope, group: Record[Group], wearer_id: int, on: date) -> str:
    body = group.body
    if any(each.wearer_id == wearer_id for each in body.present_members):
        return "This person is in the group already"
    if len(body.present_members) >= body.places:
        return f"All {body.places} places of the group are taken"
    if any(each.wearer_id == wearer_id and not _before(each, on) for each in body.members):
        return "Enter a day after the day on which this person left the group"
    return _elsewhere(session, scope, group, wearer_id) or _not_ready(
        session, scope, body, wearer_id
    )


def _elsewhere(session: Session, scope: Scope, group: Record[Group], wearer_id: int) -> str:
    others = [
        each
        for each in records.listed(session, scope, GROUP, states=[RUNNING])
        if each.ref != group.ref
        and any(member.wearer_id == wearer_id for member in each.body.present_members)
    ]
    if not others:
        return ""
    own = [each.body for each in records.in_slots(session, scope, REGISTER, slot_of(group.ref))]
    for other in others:
        if meets_with(session, scope, other.ref, own):
            return f"{other.body.name} meets at the same time, and this person is in it"
    return ""


def _before(member: Member, on: date) -> bool:
    return member.left_on is not None and member.left_on < on


def _not_ready(session: Session, scope: Scope, group: Group, wearer_id: int) -> str:
    if not group.intervention:
        return ""
    place = intervention_steps.slot(wearer_id, group.intervention)
    request = records.in_slot(session, scope, REQUEST, place)
    if request is not None and request.state in _READY:
        return ""
    return "This group is on the menu: ask for it there first, and have the request accepted"


def leave(
    sessions: Sessions,
    scope: Scope,
    ref: str,
    wearer_ref: str,
    on: date,
    why: LeaveReason,
    *,
    replaces: int,
    now: datetime,
) -> None:
    """Somebody is no longer in a group; what he asked for on the menu ends with it.

    Raises Forbidden, NotFound, Stale and :class:`NoGroup`.
    """
    scope.require(GROUP.write)
    with sessions.begin() as session:
        group = _held(session, scope, ref, replaces)
        present = {each.wearer_ref: each for each in group.body.present_members}
        member = present.get(wearer_ref)
        if member is None:
            raise NotFound
        if on < member.joined_on or on > day_of(now):
            raise NoGroup(left_on="Enter a day from the day of joining to today")
        left = msgspec.structs.replace(member, left_on=on, why_left=why)
        members = tuple(left if each is member else each for each in group.body.members)
        made = msgspec.structs.replace(group.body, members=members)
        _keep(session, scope, group, made, f"{wearer_ref} left: {why.value}", now)
        if why is not LeaveReason.TRANSFERRED:
            _end_request(session, scope, group.body, left, now)


def _end_request(session: Session, scope: Scope, group: Group, left: Member, now: datetime) -> None:
    assert left.why_left is not None, "he has left"
    assert left.left_on is not None, "he has left"
    completed = left.why_left is LeaveReason.COMPLETED
    to = RequestState.COMPLETED if completed else RequestState.ENDED
    step = Step(to, left.left_on, f"left {group.name}", _ENDS.get(left.why_left))
    intervention_steps.finish(session, scope, left.wearer_id, group.intervention, step, now)


def _keep(
    session: Session, scope: Scope, group: Record[Group], made: Group, reason: str, now: datetime
) -> None:
    # The name stays taken while the group runs.
    slot = name_slot(group.area_id, made.name)
    records.change(
        session, scope, GROUP, group.ref, made, replaces=group.version, now=now, slot=slot,
        reason=reason,
    )  # fmt: skip
