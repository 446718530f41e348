"""What the pages about one person's sessions show."""

from datetime import datetime

import msgspec
from sqlalchemy.orm import Session

from navigate_safer.db.base import Sessions
from navigate_safer.people.access import Scope
from navigate_safer.people.attendance import (
    Attendance,
    RarDays,
    Taken,
    attendance,
    covered,
    days_to_start,
    rar_days,
)
from navigate_safer.people.days import day_of
from navigate_safer.people.menu import REQUEST
from navigate_safer.people.programme_rules import programme_rules
from navigate_safer.people.programmes import (
    GROUP,
    MEASURE,
    RAR,
    REGISTER,
    SITTING,
    Group,
    Measure,
    RarOrdered,
    Sitting,
)
from navigate_safer.people.records import Record
from navigate_safer.services import records
from navigate_safer.services.group_pages import taken_of
from navigate_safer.services.groups import PLANNED, slot_of


class InGroup(msgspec.Struct, frozen=True):
    """A group that somebody is or was in, and how much of it he has covered."""

    ref: str
    body: Group
    state: str
    covered: int
    sessions: int
    missed_units: list[int]


class PersonSessions(msgspec.Struct, frozen=True):
    """Everything about the sessions of one person, the newest first."""

    ref: str
    name: str
    sittings: list[Record[Sitting]]
    attendance: Attendance
    days_to_start: int | None
    groups: list[InGroup]
    rar: list[tuple[Record[RarOrdered], RarDays]]
    measures: list[Record[Measure]]


class SittingPage(msgspec.Struct, frozen=True):
    """One session with its history."""

    person_ref: str
    person_name: str
    versions: list[Record[Sitting]]
    begun: bool

    @property
    def record(self) -> Record[Sitting]:
        """The newest version."""
        return self.versions[0]


def of_person(sessions: Sessions, scope: Scope, ref: str, now: datetime) -> PersonSessions:
    """The sessions of one person; raises Forbidden and NotFound."""
    with sessions.begin() as session:
        of, wearer = records.about(session, scope, ref)
        sittings = records.listed(session, scope, SITTING, wearer_id=of.wearer_id)
        taken = [taken_of(each.body) for each in sittings]
        groups = [
            each
            for each in records.listed(session, scope, GROUP)
            if any(member.wearer_id == of.wearer_id for member in each.body.members)
        ]
        to_come = [
            each
            for group in groups
            if any(x.wearer_id == of.wearer_id for x in group.body.present_members)
            for each in _to_come(session, scope, group, now)
        ]
        once = programme_rules().rar_day_counts_once.value
        ordered = records.listed(session, scope, RAR, wearer_id=of.wearer_id, states=["open"])
        requests = records.listed(session, scope, REQUEST, wearer_id=of.wearer_id)
        asked = min((each.body.asked_on for each in requests), default=None)
        records.consulted(session, scope, "sessions", now, wearer_id=of.wearer_id)
        return PersonSessions(
            ref=wearer.ref,
            name=wearer.name,
            sittings=sittings,
            attendance=attendance(taken),
            days_to_start=None if asked is None else days_to_start(asked, taken),
            groups=[_in_group(session, scope, each, sittings) for each in groups],
            rar=[
                (each, rar_days([*taken, *to_come], each.body.days, day_counts_once=once))
                for each in ordered
            ],
            measures=records.listed(session, scope, MEASURE, wearer_id=of.wearer_id),
        )


def _to_come(session: Session, scope: Scope, group: Record[Group], now: datetime) -> list[Taken]:
    registers = records.in_slots(session, scope, REGISTER, slot_of(group.ref))
    return [
        Taken(day_of(each.body.starts_at), None, group.body.rar, each.body.number)
        for each in registers
        if each.state == PLANNED and each.body.starts_at > now
    ]


def _in_group(
    session: Session, scope: Scope, group: Record[Group], sittings: list[Record[Sitting]]
) -> InGroup:
    own = [each.body for each in sittings if each.body.group_ref == group.ref]
    done = covered(map(taken_of, own))
    missed = {x.unit for x in own if x.unit is not None and x.outcome is not None} - done
    return InGroup(
        ref=group.ref,
        body=group.body,
        state=group.state,
        covered=len(done),
        sessions=len(records.in_slots(session, scope, REGISTER, slot_of(group.ref))),
        missed_units=sorted(missed),
    )


def see(sessions: Sessions, scope: Scope, ref: str, now: datetime) -> SittingPage:
    """One session; raises Forbidden and NotFound."""
    with sessions.begin() as session:
        versions = records.versions(session, scope, SITTING, ref)
        wearer_ref = versions[0].wearer_ref
        assert wearer_ref is not None, "a session is about a person"
        of, wearer = records.about(session, scope, wearer_ref)
        records.consulted(session, scope, "session", now, wearer_id=of.wearer_id)
        return SittingPage(wearer.ref, wearer.name, versions, versions[0].body.starts_at <= now)
