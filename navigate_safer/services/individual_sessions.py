"""Sessions of one person: planned, recorded, and answered by the officer who was told."""

from datetime import datetime, timedelta

import msgspec
from sqlalchemy.orm import Session

from navigate_safer.db.base import Sessions
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.days import LONDON, day_of
from navigate_safer.people.group_schedule import instant, weekly
from navigate_safer.people.programme_rules import programme_rules
from navigate_safer.people.programmes import GROUP, SITTING, SessionKind, Sitting, template
from navigate_safer.people.records import Record
from navigate_safer.people.session_outcomes import by_code
from navigate_safer.services import missed_sessions, records
from navigate_safer.services.telling import Voice


class NoSession(Exception):
    """What cannot be; ``errors`` by the field that is to be mended."""

    def __init__(self, **errors: str) -> None:
        super().__init__("; ".join(errors.values()))
        self.errors = errors


class Recorded(msgspec.Struct, frozen=True):
    """How a session went; ``outcome`` is a code."""

    outcome: str
    behaviour: str = ""
    concern: str = ""
    notify: bool = False


def plan(
    sessions: Sessions, scope: Scope, ref: str, made: Sitting, weeks: int, now: datetime
) -> list[str]:
    """One session, or one a week for several weeks without bank holidays; their references.

    Raises Forbidden, NotFound and :class:`NoSession`.
    """
    if weeks == 1:
        return _plan(sessions, scope, ref, [made], now)
    numbered = [
        msgspec.structs.replace(made, title=f"{made.title}, {number} of {weeks}")
        for number in range(1, weeks + 1)
    ]
    return _plan(sessions, scope, ref, _weekly(numbered), now)


def plan_programme(
    sessions: Sessions, scope: Scope, ref: str, made: Sitting, code: str, now: datetime
) -> list[str]:
    """The one-to-one sessions of a programme, one a week, with their modules; their references.

    Raises Forbidden, NotFound, and :class:`NoSession` for a programme without any.
    """
    programme = template(code)
    parts = [] if programme is None else programme.of_kind(SessionKind.ONE_TO_ONE)
    if not parts:
        raise NoSession(programme="Select a programme that has sessions for one person")
    replace = msgspec.structs.replace
    planned = [
        replace(made, title=each.title, module=each.module, minutes=each.minutes) for each in parts
    ]
    return _plan(sessions, scope, ref, _weekly(planned), now)


def _weekly(planned: list[Sitting]) -> list[Sitting]:
    first = planned[0]
    at = first.starts_at.astimezone(LONDON).time()
    return [
        msgspec.structs.replace(each, starts_at=instant(day, at))
        for each, day in zip(planned, weekly(first.on, len(planned)), strict=True)
    ]


def _plan(
    sessions: Sessions, scope: Scope, ref: str, planned: list[Sitting], now: datetime
) -> list[str]:
    scope.require(SITTING.write)
    with sessions.begin() as session:
        of, _ = records.about(session, scope, ref)
        assert of.wearer_id is not None, "a wearer has an id"
        kept = []
        for each in planned:
            if each.group_ref:
                _check_catch_up(session, scope, of.wearer_id, each)
            due = missed_sessions.due_of(session, of.wearer_id, each, now)
            record = records.add(
                session, scope, SITTING, of, each, now=now, at=each.starts_at, state="planned",
                due=due, reason="planned",
            )  # fmt: skip
            kept.append(record.ref)
        return kept


def _check_catch_up(session: Session, scope: Scope, wearer_id: int, made: Sitting) -> None:
    group = records.newest(session, scope, GROUP, made.group_ref)
    if not any(each.wearer_id == wearer_id for each in group.body.members):
        raise NoSession(catch_up="Select a group that this person is in")
    slot = f"sitting:{group.ref}:{made.unit}:{wearer_id}"
    missed = records.in_slot(session, scope, SITTING, slot)
    if missed is None or missed.body.outcome is None or by_code()[missed.body.outcome].attended:
        raise NoSession(catch_up="Select a session of the group that this person did not come to")


def record(
    sessions: Sessions,
    scope: Scope,
    ref: str,
    made: Recorded,
    *,
    replaces: int,
    reason: str,
    now: datetime,
    voice: Voice,
) -> None:
    """How a session of one person went; a later change needs a reason.

    Raises Forbidden, NotFound, Stale and :class:`NoSession`.
    """
    scope.require(SITTING.write)
    with sessions.begin() as session:
        old = records.newest(session, scope, SITTING, ref)
        _check_recorded(old, made, replaces, reason, now)
        same = old.body.outcome == made.outcome
        last = old.body.on + timedelta(days=programme_rules().register_within_days.value)
        body = msgspec.structs.replace(
            old.body, outcome=made.outcome, behaviour=made.behaviour, concern=made.concern,
            notify=made.notify, answer=old.body.answer if same else "",
            late=old.body.late or (old.body.outcome is None and day_of(now) > last),
        )  # fmt: skip
        assert old.wearer_id is not None, "a session is about a person"
        due = missed_sessions.due_of(session, old.wearer_id, body, now)
        kept = records.change(
            session, scope, SITTING, ref, body, replaces=replaces, now=now, due=due,
            state=by_code()[made.outcome].state, reason=reason or "recorded",
        )  # fmt: skip
        missed_sessions.tell(session, scope, kept, old.body.outcome, now, voice)


def _check_recorded(
    old: Record[Sitting], made: Recorded, replaces: int, reason: str, now: datetime
) -> None:
    if old.version != replaces:
        raise records.Stale(old)
    if old.body.group_ref and not old.body.catch_up:
        raise NoSession(outcome="A session of a group is recorded in the group's register")
    if old.body.starts_at > now:
        raise NoSession(outcome="The session has not begun: record it when it has")
    if made.outcome not in by_code():
        raise NoSession(outcome="Select how it went")
    if old.body.outcome is not None and not reason:
        raise NoSession(reason="Say why what was recorded is changed")


def answer(
    sessions: Sessions, scope: Scope, ref: str, words: str, *, replaces: int, now: datetime
) -> None:
    """What the officer who was told has decided or done; nothing is due after it.

    Raises Forbidden, NotFound and Stale.
    """
    scope.require(Permission.MANAGE_CASES)
    with sessions.begin() as session:
        old = records.newest(session, scope, SITTING, ref)
        body = msgspec.structs.replace(old.body, answer=words)
        slot = None
        if old.body.group_ref and not old.body.catch_up:
            slot = f"sitting:{old.body.group_ref}:{old.body.unit}:{old.wearer_id}"
        records.change(
            session, scope, SITTING, ref, body, replaces=replaces, now=now, slot=slot,
            reason="answered by the officer",
        )  # fmt: skip
