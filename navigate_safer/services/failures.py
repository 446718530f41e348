"""Failures to comply: put them on the timeline, and let a named officer decide.

``propose`` is what others call, within their own transaction: a session that was missed is a
failure that awaits a decision.
"""

from datetime import date, datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from navigate_safer.db.base import Sessions
from navigate_safer.db.people import OrderRow, StaffRow, WearerRow
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.days import day_of
from navigate_safer.people.failures import (
    COUNTED,
    FAILURE,
    Decision,
    Failing,
    Failure,
    FailureState,
    Reply,
    Source,
    due_of,
    must_refer,
    state_of,
)
from navigate_safer.people.order_rules import of_kind
from navigate_safer.people.records import LONGEST_TEXT, Record
from navigate_safer.services import records
from navigate_safer.services.casework import NotFound
from navigate_safer.services.records import About

FailureRecord = Record[Failure]


class CannotClose(Exception):
    """The failure must be referred first; the message says why."""


class CannotDecide(Exception):
    """The decision cannot be recorded so; the message says why."""


def propose(
    session: Session,
    scope: Scope,
    of: About,
    what: str,
    at: datetime,
    source_ref: str,
    now: datetime,
    *,
    source: Source = Source.SESSION,
    requirement: str = "",
    evidence: str = "",
) -> FailureRecord:
    """Put a failure that awaits a decision on the timeline; the transaction is the caller's.

    The same ``source_ref`` gives the same failure, however often it is told. Raises Forbidden
    without RUN_PROGRAMMES, and NotFound for somebody of another area.
    """
    slot = _slot(of, source_ref)
    if slot is not None:
        known = records.in_slot(session, scope, FAILURE, slot)
        if known is not None:
            return known
    body = Failure(what.strip()[:LONGEST_TEXT], source, source_ref, requirement, evidence)
    due = due_of(body, FailureState.AWAITING, at, _key_worker(session, of))
    state = FailureState.AWAITING.value
    return records.add(
        session, scope, FAILURE, of, body, now=now, at=at, state=state, slot=slot, due=due
    )


def withdraw(
    session: Session, scope: Scope, of: About, source_ref: str, why: str, now: datetime
) -> bool:
    """Take back what was proposed from a source, such as a register filled in wrongly.

    False where nothing was proposed or an officer has decided already: then it is theirs.
    """
    slot = _slot(of, source_ref)
    known = None if slot is None else records.in_slot(session, scope, FAILURE, slot)
    if known is None or known.body.decision is not None:
        return False
    # Without its slot, so that the source can propose it again.
    records.change(
        session, scope, FAILURE, known.ref, known.body,
        replaces=known.version, now=now, state=FailureState.WITHDRAWN.value, reason=why,
    )  # fmt: skip
    return True


def record(
    sessions: Sessions, scope: Scope, wearer_ref: str, body: Failure, at: datetime, now: datetime
) -> FailureRecord:
    """What an officer has noticed, awaiting a decision; raises NotFound, Forbidden."""
    scope.require(Permission.MANAGE_CASES)
    with sessions.begin() as session:
        of, _ = records.about(session, scope, wearer_ref)
        return propose(
            session, scope, of, body.what, at, body.source_ref, now,
            source=body.source, requirement=body.requirement, evidence=body.evidence,
        )  # fmt: skip


def decide(
    sessions: Sessions,
    scope: Scope,
    ref: str,
    body: Failure,
    *,
    acceptable: bool,
    why: str,
    replaces: int,
    now: datetime,
) -> FailureRecord:
    """Decide as the officer of ``scope``; ``body`` says what happened and under which order.

    Later decisions are new versions. Raises Stale, CannotDecide, NotFound, Forbidden.
    """
    scope.require(Permission.MANAGE_CASES)
    with sessions.begin() as session:
        old = records.newest(session, scope, FAILURE, ref)
        if old.body.breach_ref is not None:
            raise CannotDecide("It is with the enforcement officer: tell them first")
        if not acceptable and body.order_ref is None:
            raise CannotDecide("Select the order that it is a failure under")
        if not acceptable and not _in_force(session, body.order_ref, day_of(old.at)):
            raise CannotDecide("That order was not in force on the day of the failure")
        decision = Decision(acceptable, why, staff_name(session, scope), now)
        decided = msgspec.structs.replace(
            body, source=old.body.source, source_ref=old.body.source_ref, decision=decision,
            warned=old.body.warned, reply=old.body.reply, closed_why="",
        )  # fmt: skip
        return keep(session, scope, old, decided, replaces=replaces, now=now, reason=why)


def _in_force(session: Session, order_ref: str | None, on: date) -> bool:
    order = session.scalar(select(OrderRow).where(OrderRow.ref == order_ref))
    if order is None:
        return False
    return order.starts_on <= on and (order.ends_on is None or on <= order.ends_on)


def answered(
    sessions: Sessions, scope: Scope, ref: str, reply: Reply, *, replaces: int, now: datetime
) -> FailureRecord:
    """Keep what the wearer answered; raises Stale, NotFound, Forbidden."""
    scope.require(Permission.MANAGE_CASES)
    with sessions.begin() as session:
        old = records.newest(session, scope, FAILURE, ref)
        taken = msgspec.structs.replace(reply, taken_by=staff_name(session, scope))
        body = msgspec.structs.replace(old.body, reply=taken)
        return keep(session, scope, old, body, replaces=replaces, now=now, reason="Answer kept")


def close(
    sessions: Sessions, scope: Scope, ref: str, why: str, *, replaces: int, now: datetime
) -> FailureRecord:
    """Close it; raises :class:`CannotClose` while it must be referred, warned or decided about."""
    scope.require(Permission.MANAGE_CASES)
    with sessions.begin() as session:
        old = records.newest(session, scope, FAILURE, ref)
        if old.body.decision is None:
            raise CannotClose("Decide about it first")
        if old.state == FailureState.TO_REFER.value:
            raise CannotClose("It must be referred to an enforcement officer before it is closed")
        if _owes_warning(old.body):
            raise CannotClose("Send the warning letter, or refer it, before it is closed")
        body = msgspec.structs.replace(old.body, closed_why=why)
        return keep(session, scope, old, body, replaces=replaces, now=now, reason=why)


def hold_person(session: Session, failure: FailureRecord) -> None:
    """Let nobody else decide about this person's failures until the transaction ends."""
    wearer = select(WearerRow.id).where(WearerRow.id == failure.wearer_id)
    session.execute(wearer.with_for_update(key_share=True))


def keep(
    session: Session,
    scope: Scope,
    old: FailureRecord,
    body: Failure,
    *,
    replaces: int,
    now: datetime,
    reason: str,
) -> FailureRecord:
    """Store a version, and let the count of its order decide about the others of it."""
    assert old.wearer_id is not None, "a failure is somebody's"
    of = About(old.area_id, old.wearer_id)
    # Two who decide at once would each not see the other's: the second failure would be missed.
    hold_person(session, old)
    others = [each for each in counted(session, scope, of) if each.ref != old.ref]
    orders = {body.order_ref, old.body.order_ref} - {None}
    changed = _store(session, scope, old, body, others, replaces=replaces, now=now, reason=reason)
    for other in others:
        if other.body.order_ref in orders:
            among = [changed, *(each for each in others if each.ref != other.ref)]
            _store_if_other(session, scope, other, among, now)
    return changed


def counted(session: Session, scope: Scope, of: About) -> list[FailureRecord]:
    """Failures of one wearer for which there was no good reason."""
    states = {each.value for each in COUNTED}
    return records.listed(session, scope, FAILURE, wearer_id=of.wearer_id, states=states)


def must_be_referred(body: Failure, ref: str, at: datetime, others: list[FailureRecord]) -> bool:
    """Whether the count of its order asks for it to be referred."""
    if body.order_kind is None or body.decision is None or body.decision.acceptable:
        return False
    failings = [_failing(ref, at, body)]
    failings += [
        _failing(each.ref, each.at, each.body)
        for each in others
        if each.body.order_ref == body.order_ref
        and each.body.decision is not None
        and not each.body.decision.acceptable
    ]
    return ref in must_refer(of_kind(body.order_kind), failings)


def _owes_warning(body: Failure) -> bool:
    """Where a second failure is referred, a first one is: warned or referred, and never let go."""
    if body.decision is None or body.decision.acceptable or body.warned is not None:
        return False
    return body.breach_ref is None and body.rules is not None and body.rules.refer_second


def staff_name(session: Session, scope: Scope) -> str:
    """The name of whoever acts."""
    return session.get_one(StaffRow, scope.staff_id).name


def _failing(ref: str, at: datetime, body: Failure) -> Failing:
    return Failing(ref, day_of(at), None if body.warned is None else body.warned.sent_on)


def _store_if_other(
    session: Session,
    scope: Scope,
    record: FailureRecord,
    others: list[FailureRecord],
    now: datetime,
) -> None:
    must = must_be_referred(record.body, record.ref, record.at, others)
    state = state_of(record.body, record.ref, {record.ref} if must else set())
    if state.value != record.state:
        reason = "The count of failures under this order has changed"
        _store(
            session, scope, record, record.body, others,
            replaces=record.version, now=now, reason=reason,
        )  # fmt: skip


def _store(
    session: Session,
    scope: Scope,
    old: FailureRecord,
    body: Failure,
    others: list[FailureRecord],
    *,
    replaces: int,
    now: datetime,
    reason: str,
) -> FailureRecord:
    must = must_be_referred(body, old.ref, old.at, others)
    state = state_of(body, old.ref, {old.ref} if must else set())
    of = About(old.area_id, old.wearer_id)
    return records.change(
        session, scope, FAILURE, old.ref, body,
        replaces=replaces, now=now, state=state.value, slot=_slot(of, body.source_ref),
        due=due_of(body, state, old.at, _key_worker(session, of)), reason=reason,
    )  # fmt: skip


def _slot(of: About, source_ref: str) -> str | None:
    return f"failure:{of.wearer_id}:{source_ref}"[:120] if source_ref else None


def _key_worker(session: Session, of: About) -> int | None:
    if of.wearer_id is None:
        raise NotFound
    return session.get_one(WearerRow, of.wearer_id).offender_manager_id
