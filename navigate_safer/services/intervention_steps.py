"""Where a request for an intervention goes: a place, the waiting list, started, over."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

import msgspec
from sqlalchemy.orm import Session

from navigate_safer.db import case_records
from navigate_safer.db.base import Sessions
from navigate_safer.people.access import Scope
from navigate_safer.people.days import day_of, end_of
from navigate_safer.people.group_schedule import due_after_working_days
from navigate_safer.people.menu import (
    INTERVENTION,
    MOVES,
    REQUEST,
    EndReason,
    Intervention,
    Request,
    RequestState,
)
from navigate_safer.people.programme_rules import programme_rules
from navigate_safer.people.records import Due, Record
from navigate_safer.services import records

_S = RequestState


class NotAsked(Exception):
    """A request that cannot be made or moved; ``reasons`` in words, for the field ``field``."""

    def __init__(self, field: str, reasons: list[str]) -> None:
        super().__init__(" ".join(reasons))
        self.field = field
        self.reasons = reasons


class Step(msgspec.Struct, frozen=True):
    """Where a request goes, on which day, and why."""

    to: RequestState
    on: date
    reason: str = ""
    end_reason: EndReason | None = None


def due(
    made: Request, state: RequestState, entry: Intervention | None, now: datetime
) -> Due | None:
    """What has to be done next with a request in a state, and by when."""
    rules, today = programme_rules(), day_of(now)
    if state is _S.REQUESTED:
        at = due_after_working_days(today, rules.decide_within_working_days.value)
        return Due(at, f"Answer the request for {made.name}")
    if state is _S.WAITING:
        at = end_of(today + timedelta(days=rules.waiting_review_days.value))
        return Due(at, f"Still waiting for {made.name}: look at it again")
    if state is _S.ACCEPTED and entry is not None:
        at = end_of(max(today, made.asked_on + timedelta(days=entry.first_session_days)))
        return Due(at, f"First session of {made.name}")
    return None


def entry_of(
    session: Session, scope: Scope, request: Record[Request]
) -> Record[Intervention] | None:
    """The menu's entry of a request; None when it is withdrawn."""
    place = f"intervention:{request.area_id}:{request.body.code}"
    return records.in_slot(session, scope, INTERVENTION, place)


def taken_of(session: Session, scope: Scope, area_id: int) -> Mapping[str, int]:
    """How many places of perpetrators are taken in an area, by code."""
    found: dict[str, int] = {}
    states = [each.value for each in RequestState if each.has_place]
    for each in records.listed(session, scope, REQUEST, states=states):
        if each.area_id == area_id:
            found[each.body.code] = found.get(each.body.code, 0) + 1
    return found


def move(
    sessions: Sessions, scope: Scope, ref: str, step: Step, *, replaces: int, now: datetime
) -> None:
    """Take a request one step on.

    Raises Forbidden, NotFound, Stale, and :class:`NotAsked` where the step or its day cannot be.
    """
    scope.require(REQUEST.write)
    with sessions.begin() as session:
        record = records.newest(session, scope, REQUEST, ref)
        if record.version != replaces:
            raise records.Stale(record)
        take(session, scope, record, step, now)


def take(
    session: Session, scope: Scope, record: Record[Request], step: Step, now: datetime
) -> Record[Request]:
    """The same within the caller's transaction."""
    state = RequestState(record.state)
    if step.to not in MOVES.get(state, ()):
        raise NotAsked("to", [f"It is {state.value}: it cannot become {step.to.value}."])
    if step.on < record.body.asked_on or step.on > day_of(now):
        raise NotAsked("on", ["Enter a day from the day it was asked for to today."])
    if record.body.accepted_on is not None and step.on < record.body.accepted_on:
        raise NotAsked("on", ["Enter a day that is not before the day it was accepted."])
    if step.to in (_S.ENDED, _S.DECLINED) and step.end_reason is None:
        raise NotAsked("end_reason", ["Select why."])
    entry = entry_of(session, scope, record)
    if step.to is _S.ACCEPTED:
        _need_a_place(session, scope, record, entry)
    made = _stepped(record.body, step)
    held = slot(record.wearer_id, made.code) if step.to.live else None
    return records.change(
        session, scope, REQUEST, record.ref, made, replaces=record.version, now=now,
        state=step.to.value, slot=held, reason=step.reason,
        due=due(made, step.to, entry.body if entry else None, now),
    )  # fmt: skip


def _need_a_place(
    session: Session, scope: Scope, record: Record[Request], entry: Record[Intervention] | None
) -> None:
    if entry is None:
        raise NotAsked("to", ["It is no longer on the menu."])
    # Held, so that of two who give away the last place the second sees what the first has done.
    case_records.newest(session, scope, INTERVENTION, entry.ref, held=True)
    taken = taken_of(session, scope, record.area_id).get(record.body.code, 0)
    if taken >= entry.body.places_perpetrators:
        places = entry.body.places_perpetrators
        raise NotAsked(
            "to", [f"All {places} places are taken: put the person on the waiting list."]
        )


def _stepped(body: Request, step: Step) -> Request:
    replace = msgspec.structs.replace
    if step.to is _S.ACCEPTED:
        return replace(body, accepted_on=step.on)
    if step.to is _S.STARTED:
        return replace(body, first_session_on=step.on)
    if step.to.live:
        return body
    return replace(body, ended_on=step.on, end_reason=step.end_reason)


def first_session(
    session: Session, scope: Scope, wearer_id: int, code: str, on: date, now: datetime
) -> None:
    """He came to a first session: an accepted request is started on that day."""
    record = _live(session, scope, wearer_id, code)
    if record is not None and record.state == _S.ACCEPTED.value:
        day = max(on, record.body.asked_on, record.body.accepted_on or on)
        take(session, scope, record, Step(_S.STARTED, day, "first session attended"), now)


def finish(
    session: Session, scope: Scope, wearer_id: int, code: str, step: Step, now: datetime
) -> None:
    """He has left the group that delivers it: the request is over too, where it can be."""
    record = _live(session, scope, wearer_id, code)
    if record is None:
        return
    day = max(step.on, record.body.asked_on, record.body.accepted_on or step.on)
    to, why = step.to, step.end_reason
    if to not in MOVES.get(RequestState(record.state), ()):
        to, why = _S.ENDED, why or EndReason.NOT_NEEDED
    take(session, scope, record, Step(to, day, step.reason, why), now)


def _live(session: Session, scope: Scope, wearer_id: int, code: str) -> Record[Request] | None:
    return records.in_slot(session, scope, REQUEST, slot(wearer_id, code)) if code else None


def slot(wearer_id: int | None, code: str) -> str:
    """There is one live request of a person for an intervention."""
    return f"request:{wearer_id}:{code}"
