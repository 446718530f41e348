"""What the pages of groups show: the groups, and one with its sessions and who came to which."""

from collections import Counter
from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from navigate_safer.db.base import Sessions
from navigate_safer.db.people import StaffRow
from navigate_safer.people.access import Scope
from navigate_safer.people.attendance import Attendance, Taken, attendance, covered
from navigate_safer.people.menu import REQUEST, RequestState
from navigate_safer.people.programmes import (
    GROUP,
    REGISTER,
    SITTING,
    Group,
    Member,
    Register,
    Sitting,
)
from navigate_safer.people.records import Record
from navigate_safer.services import menu, records
from navigate_safer.services.group_registers import names_of
from navigate_safer.services.groups import PLANNED, RECORDED, RUNNING, slot_of

Sittings = list[Record[Sitting]]


class GroupLine(msgspec.Struct, frozen=True):
    """A group in the list; ``next`` is its first session whose register is not complete."""

    record: Record[Group]
    area: str
    facilitators: list[str]
    members: int
    sessions: int
    recorded: int
    next: Record[Register] | None
    overdue: int


class MemberLine(msgspec.Struct, frozen=True):
    """Somebody in a group, the outcome of each session by number, and what that adds up to.

    ``caught_up`` are the numbers of the sessions that he has made up for.
    """

    member: Member
    name: str
    outcomes: dict[int, str]
    caught_up: frozenset[int]
    attendance: Attendance
    covered: int


class Candidate(msgspec.Struct, frozen=True):
    """Somebody with a place on the menu for what the group delivers, who is not in it yet."""

    ref: str
    name: str


class GroupPage(msgspec.Struct, frozen=True):
    """One group. ``members`` are those who are in it and then those who have left, ``left`` why."""

    line: GroupLine
    versions: list[Record[Group]]
    sessions: list[Record[Register]]
    members: list[MemberLine]
    whole: Attendance
    left: dict[str, int]
    candidates: list[Candidate]
    intervention: str


def see_all(sessions: Sessions, scope: Scope, now: datetime) -> tuple[list[GroupLine], int]:
    """The groups that are running, and how many are over; raises Forbidden."""
    with sessions.begin() as session:
        groups = records.listed(session, scope, GROUP)
        running = [each for each in groups if each.state == RUNNING]
        named, staff = menu.areas(session, scope), _staff(session, running)
        by_group: dict[str, list[Record[Register]]] = {}
        for each in records.listed(session, scope, REGISTER):
            by_group.setdefault(each.body.group_ref, []).append(each)
        lines = [_line(each, by_group.get(each.ref, []), named, staff, now) for each in running]
        records.consulted(session, scope, "groups", now, detail={"groups": len(lines)})
        lines.sort(key=lambda each: (each.next is None, each.next.at if each.next else now))
        return lines, len(groups) - len(running)


def see(sessions: Sessions, scope: Scope, ref: str, now: datetime) -> GroupPage:
    """One group; raises Forbidden and NotFound."""
    with sessions.begin() as session:
        versions = records.versions(session, scope, GROUP, ref)
        group = versions[0]
        of_group = records.in_slots(session, scope, REGISTER, slot_of(ref))
        ordered = sorted(of_group, key=lambda each: each.body.number)
        members = _members(session, scope, group)
        named, staff = menu.areas(session, scope), _staff(session, [group])
        records.consulted(
            session, scope, "group", now,
            detail={"record": ref, "people": [each.wearer_id for each in group.body.members]},
        )  # fmt: skip
        entries = menu.offers(session, scope, group.area_id)
        return GroupPage(
            line=_line(group, ordered, named, staff, now),
            versions=versions,
            sessions=ordered,
            members=members,
            whole=attendance(_taken_of_group(session, scope, ref)),
            left=Counter(x.why_left.value for x in group.body.members if x.why_left is not None),
            candidates=_candidates(session, scope, group),
            intervention=next(
                (x.body.name for x in entries if x.body.code == group.body.intervention), ""
            ),
        )


def _line(
    record: Record[Group],
    registers: list[Record[Register]],
    named: dict[int, str],
    staff: dict[int, str],
    now: datetime,
) -> GroupLine:
    live = [each for each in registers if each.state in (PLANNED, "unfinished", RECORDED)]
    open_ = sorted((x for x in live if x.state != RECORDED), key=lambda each: each.at)
    return GroupLine(
        record=record,
        area=named.get(record.area_id, ""),
        facilitators=[staff[each] for each in record.body.facilitators if each in staff],
        members=len(record.body.present_members),
        sessions=len(live),
        recorded=len(live) - len(open_),
        next=open_[0] if open_ else None,
        overdue=sum(1 for each in open_ if each.due is not None and each.due.at < now),
    )


def _staff(session: Session, groups: list[Record[Group]]) -> dict[int, str]:
    ids = {person for each in groups for person in each.body.facilitators}
    query = select(StaffRow.id, StaffRow.name).where(StaffRow.id.in_(ids))
    return {row.id: row.name for row in session.execute(query)}


def _members(session: Session, scope: Scope, group: Record[Group]) -> list[MemberLine]:
    names = names_of(session, list(group.body.members))
    sat: dict[int | None, Sittings] = {}
    for each in records.in_slots(session, scope, SITTING, f"sitting:{group.ref}:"):
        sat.setdefault(each.wearer_id, []).append(each)
    for member in group.body.members:
        own = records.listed(session, scope, SITTING, wearer_id=member.wearer_id)
        catch_ups = [x for x in own if x.body.catch_up and x.body.group_ref == group.ref]
        sat.setdefault(member.wearer_id, []).extend(catch_ups)
    lines = [_member(each, names, sat.get(each.wearer_id, [])) for each in group.body.members]
    return sorted(lines, key=lambda each: (each.member.left_on is not None, each.name))


def _member(member: Member, names: dict[str, str], sat: Sittings) -> MemberLine:
    taken = [taken_of(each.body) for each in sat]
    return MemberLine(
        member=member,
        name=names.get(member.wearer_ref, member.wearer_ref),
        outcomes={
            each.body.unit: each.body.outcome
            for each in sat
            if each.body.unit and each.body.outcome and not each.body.catch_up
        },
        caught_up=covered(taken_of(each.body) for each in sat if each.body.catch_up),
        attendance=attendance(taken),
        covered=len(covered(taken)),
    )


def _taken_of_group(session: Session, scope: Scope, ref: str) -> list[Taken]:
    found = records.in_slots(session, scope, SITTING, f"sitting:{ref}:")
    return [taken_of(each.body) for each in found]


def taken_of(body: Sitting) -> Taken:
    """A session as attendance counts it."""
    return Taken(body.on, body.outcome, body.rar, body.unit)


def _candidates(session: Session, scope: Scope, group: Record[Group]) -> list[Candidate]:
    """Whom the menu has given a place for it; without an entry on the menu nobody is proposed."""
    if not group.body.intervention or group.state != RUNNING:
        return []
    there = {each.wearer_id for each in group.body.present_members}
    ready = [RequestState.ACCEPTED.value, RequestState.STARTED.value]
    found = [
        each
        for each in records.listed(session, scope, REQUEST, states=ready)
        if each.body.code == group.body.intervention
        and each.area_id == group.area_id
        and each.wearer_id not in there
    ]
    people = [Member(x.wearer_id or 0, x.wearer_ref or "", x.body.asked_on) for x in found]
    names = names_of(session, people)
    return [Candidate(x.wearer_ref, names.get(x.wearer_ref, "")) for x in people]
