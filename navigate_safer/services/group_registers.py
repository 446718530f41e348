"""The register of one session of a group: one page, one submit, and a version for each change.

Of two facilitators who save at once the second is told what the first has saved. With the register
each person's own session is recorded, for his timeline, his officer and the alerting.
"""

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from navigate_safer.db.base import Sessions
from navigate_safer.db.people import WearerRow
from navigate_safer.people.access import Scope
from navigate_safer.people.days import day_of, end_of
from navigate_safer.people.programme_rules import programme_rules
from navigate_safer.people.programmes import (
    GROUP,
    REGISTER,
    SITTING,
    Group,
    Line,
    Member,
    Mode,
    Register,
    Sitting,
)
from navigate_safer.people.records import Record
from navigate_safer.people.session_outcomes import by_code
from navigate_safer.services import intervention_steps, missed_sessions, records
from navigate_safer.services.casework import NotFound
from navigate_safer.services.groups import RECORDED, UNFINISHED, slot_of
from navigate_safer.services.records import About
from navigate_safer.services.telling import Voice

NO_LINE = Line()


class NotYet(Exception):
    """The session has not begun, so that nobody can have come to it."""


class Unfilled(Exception):
    """Lines without an outcome, and nobody said that the rest comes later; ``refs`` of people."""

    def __init__(self, refs: list[str]) -> None:
        super().__init__(f"{len(refs)} lines without an outcome")
        self.refs = refs


class NeedsReason(Exception):
    """A register that was complete is corrected only with a reason."""


class Wanted(msgspec.Struct, frozen=True):
    """What is to be saved: the lines by person; ``later`` when the rest is filled in later."""

    lines: dict[str, Line]
    replaces: int
    later: bool = False
    reason: str = ""


class RegisterPage(msgspec.Struct, frozen=True):
    """A session with those who should come to it, by name."""

    group: Record[Group]
    versions: list[Record[Register]]
    members: list[Member]
    names: dict[str, str]
    begun: bool

    @property
    def record(self) -> Record[Register]:
        """The newest version."""
        return self.versions[0]


def see(
    sessions: Sessions, scope: Scope, group_ref: str, number: int, now: datetime
) -> RegisterPage:
    """The register of one session; raises Forbidden and NotFound."""
    with sessions.begin() as session:
        group = records.newest(session, scope, GROUP, group_ref)
        record = _register(session, scope, group_ref, number)
        members = there(group.body, record.body)
        names = names_of(session, members)
        records.consulted(
            session, scope, "register", now,
            detail={"record": record.ref, "people": [each.wearer_id for each in members]},
        )  # fmt: skip
        return RegisterPage(
            group=group,
            versions=records.versions(session, scope, REGISTER, record.ref),
            members=sorted(members, key=lambda each: names.get(each.wearer_ref, "")),
            names=names,
            begun=record.body.starts_at <= now,
        )


def place_of(sessions: Sessions, scope: Scope, ref: str) -> tuple[str, int]:
    """The group and number of a register by its own reference; raises Forbidden and NotFound."""
    with sessions() as session:
        body = records.newest(session, scope, REGISTER, ref).body
        return body.group_ref, body.number


def names_of(session: Session, members: list[Member]) -> dict[str, str]:
    """Names by reference, of those who are in a group of the scope's areas."""
    ids = [each.wearer_id for each in members]
    query = select(WearerRow.ref, WearerRow.name).where(WearerRow.id.in_(ids))
    return {row.ref: row.name for row in session.execute(query)}


def there(group: Group, register: Register) -> list[Member]:
    """Those whom the register of a session has."""
    day = day_of(register.starts_at)
    return [each for each in group.members if each.there_on(day)]


def _register(session: Session, scope: Scope, group_ref: str, number: int) -> Record[Register]:
    found = records.in_slot(session, scope, REGISTER, slot_of(group_ref, number))
    if found is None:
        raise NotFound
    return found


def save(
    sessions: Sessions,
    scope: Scope,
    group_ref: str,
    number: int,
    wanted: Wanted,
    now: datetime,
    voice: Voice,
) -> None:
    """Keep the register and each person's session, all or nothing.

    Raises Forbidden, NotFound, Stale, :class:`NotYet`, :class:`Unfilled`, :class:`NeedsReason`.
    """
    scope.require(REGISTER.write)
    with sessions.begin() as session:
        group = records.newest(session, scope, GROUP, group_ref)
        record = _register(session, scope, group_ref, number)
        made, members = checked(group.body, record, wanted, now)
        kept = records.change(
            session, scope, REGISTER, record.ref, made, replaces=wanted.replaces, now=now,
            state=UNFINISHED if made.unfinished else RECORDED, slot=slot_of(group_ref, number),
            due=record.due if made.unfinished else None, reason=wanted.reason,
        )  # fmt: skip
        # In the order of their numbers, so that two registers never wait for one another.
        for member in sorted(members, key=lambda each: each.wearer_id):
            _sit(session, scope, group, kept, member, now, voice)


def typed(record: Record[Register], members: list[Member], wanted: Wanted) -> Register:
    """The register as somebody has typed it, without a look at whether it is complete."""
    lines = {each.wearer_ref: wanted.lines.get(each.wearer_ref, NO_LINE) for each in members}
    return msgspec.structs.replace(record.body, lines=lines)


def checked(
    group: Group, record: Record[Register], wanted: Wanted, now: datetime
) -> tuple[Register, list[Member]]:
    """What is to be kept, and for whom; raises as :func:`save` does."""
    if record.version != wanted.replaces:
        raise records.Stale(record)
    if record.body.starts_at > now:
        raise NotYet
    members = there(group, record.body)
    made = typed(record, members, wanted)
    empty = [ref for ref, line in made.lines.items() if line.outcome not in by_code()]
    if empty and not wanted.later:
        raise Unfilled(empty)
    if record.state == RECORDED and not wanted.reason:
        raise NeedsReason
    last = day_of(record.body.starts_at) + timedelta(
        days=programme_rules().register_within_days.value
    )
    late = record.body.late or (record.state != RECORDED and now > end_of(last))
    return msgspec.structs.replace(made, late=late, unfinished=bool(empty)), members


def _sit(
    session: Session,
    scope: Scope,
    group: Record[Group],
    register: Record[Register],
    member: Member,
    now: datetime,
    voice: Voice,
) -> None:
    """Record the session of one person, if the register says anything new of it."""
    slot = f"sitting:{group.ref}:{register.body.number}:{member.wearer_id}"
    known = records.in_slot(session, scope, SITTING, slot)
    line = register.body.lines[member.wearer_ref]
    if known is None and not line.outcome:
        return
    made = _sitting(group, register.body, line)
    outcome = by_code().get(line.outcome)
    state = "planned" if outcome is None else outcome.state
    if known is None:
        of = About(group.area_id, member.wearer_id)
        due = missed_sessions.due_of(session, member.wearer_id, made, now)
        kept = records.add(
            session, scope, SITTING, of, made, now=now, at=made.starts_at, state=state, slot=slot,
            due=due, reason=f"register of {group.body.name}",
        )  # fmt: skip
    else:
        if known.body.outcome == made.outcome:
            made = msgspec.structs.replace(made, answer=known.body.answer)
        if made == known.body:
            return
        due = missed_sessions.due_of(session, member.wearer_id, made, now)
        kept = records.change(
            session, scope, SITTING, known.ref, made, replaces=known.version, now=now,
            at=made.starts_at, state=state, slot=slot, due=due, reason=register.reason,
        )  # fmt: skip
    missed_sessions.tell(session, scope, kept, known.body.outcome if known else None, now, voice)
    if outcome is not None and outcome.attended:
        intervention_steps.first_session(
            session, scope, member.wearer_id, group.body.intervention, made.on, now
        )


def _sitting(group: Record[Group], register: Register, line: Line) -> Sitting:
    return Sitting(
        title=register.title,
        module=register.module,
        mode=Mode.GROUP,
        starts_at=register.starts_at,
        minutes=register.minutes,
        place=group.body.place,
        group_ref=group.ref,
        unit=register.number,
        rar=group.body.rar,
        outcome=line.outcome or None,
        behaviour=line.behaviour,
        concern=line.concern,
        notify=line.notify,
        late=register.late,
    )
