"""Refer failures to an enforcement officer, sign the statement of the pack, and close it."""

from datetime import datetime

import msgspec
from sqlalchemy.orm import Session

from navigate_safer.db.base import Sessions
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.breaches import BREACH, CLOSED, Breach, Signature, due_of, state_of
from navigate_safer.people.failures import FAILURE
from navigate_safer.people.records import Record
from navigate_safer.services import failures, records
from navigate_safer.services.failures import CannotDecide, FailureRecord
from navigate_safer.services.order_terms import Faulty
from navigate_safer.services.records import About

BreachRecord = Record[Breach]


def refer(
    sessions: Sessions,
    scope: Scope,
    failure_ref: str,
    *,
    why: str,
    referred_to: str,
    replaces: int,
    now: datetime,
) -> BreachRecord:
    """Refer a failure; it joins the breach of its order that is open, or begins one.

    Raises CannotDecide where no decision stands that it was unacceptable, Stale, NotFound.
    """
    scope.require(Permission.MANAGE_CASES)
    with sessions.begin() as session:
        # Two failures of an order that are referred at once would each begin a breach.
        failures.hold_person(session, records.newest(session, scope, FAILURE, failure_ref))
        failure = records.newest(session, scope, FAILURE, failure_ref)
        body = failure.body
        if body.decision is None or body.decision.acceptable or body.order_ref is None:
            raise CannotDecide("Decide first that it was unacceptable, and under which order")
        if body.breach_ref is not None:
            raise CannotDecide("It has been referred already")
        of = About(failure.area_id, failure.wearer_id)
        breach = _open_breach(session, scope, of, body.order_ref)
        if breach is None:
            breach = _begin(session, scope, of, failure, why, referred_to, now)
        else:
            breach = _join(session, scope, breach, failure, why, now)
        referred = msgspec.structs.replace(body, breach_ref=breach.ref)
        failures.keep(
            session, scope, failure, referred, replaces=replaces, now=now, reason=f"Referred: {why}"
        )
        return breach


def sign(
    sessions: Sessions, scope: Scope, ref: str, statement: str, *, replaces: int, now: datetime
) -> BreachRecord:
    """Sign the statement as the officer of ``scope``; raises Stale, NotFound, Forbidden."""
    scope.require(Permission.MANAGE_CASES)
    with sessions.begin() as session:
        old = records.newest(session, scope, BREACH, ref)
        signed = Signature(failures.staff_name(session, scope), now)
        body = msgspec.structs.replace(old.body, statement=statement, signed=signed)
        return _store(session, scope, old, body, replaces, now, "Statement signed")


def conclude(
    sessions: Sessions, scope: Scope, ref: str, outcome: str, *, replaces: int, now: datetime
) -> BreachRecord:
    """Record what came of it, by which it is closed; raises Faulty, Stale, NotFound, Forbidden."""
    scope.require(Permission.MANAGE_CASES)
    with sessions.begin() as session:
        old = records.newest(session, scope, BREACH, ref)
        if old.body.signed is None:
            raise Faulty({"outcome": "Sign the statement first: nothing has gone to the court yet"})
        body = msgspec.structs.replace(old.body, outcome=outcome)
        return _store(session, scope, old, body, replaces, now, outcome)


def _open_breach(session: Session, scope: Scope, of: About, order_ref: str) -> BreachRecord | None:
    known = records.listed(session, scope, BREACH, wearer_id=of.wearer_id)
    return next(
        (each for each in known if each.body.order_ref == order_ref and each.state != CLOSED), None
    )


def _begin(
    session: Session,
    scope: Scope,
    of: About,
    failure: FailureRecord,
    why: str,
    referred_to: str,
    now: datetime,
) -> BreachRecord:
    body = failure.body
    assert body.order_ref is not None, "asked before"
    assert body.order_kind is not None, "an order has its kind"
    # The earlier failures of the order belong to the pack: they are why this is the second.
    earlier = [
        each
        for each in failures.counted(session, scope, of)
        if each.body.order_ref == body.order_ref and each.ref != failure.ref
    ]
    refs = [each.ref for each in sorted(earlier, key=lambda each: each.at)]
    breach = Breach(
        order_ref=body.order_ref,
        order_kind=body.order_kind,
        failure_refs=(*refs, failure.ref),
        failed_at=max([failure.at, *(each.at for each in earlier)]),
        why=why,
        referred_to=referred_to,
        referred_by=failures.staff_name(session, scope),
    )
    who = None if failure.due is None else failure.due.who
    return records.add(
        session, scope, BREACH, of, breach, now=now,
        state=state_of(breach), due=due_of(breach, who or scope.staff_id), reason=why,
    )  # fmt: skip


def _join(
    session: Session,
    scope: Scope,
    old: BreachRecord,
    failure: FailureRecord,
    why: str,
    now: datetime,
) -> BreachRecord:
    if failure.ref in old.body.failure_refs:
        return old
    # What was signed did not say this.
    body = msgspec.structs.replace(
        old.body,
        failure_refs=(*old.body.failure_refs, failure.ref),
        failed_at=max(old.body.failed_at, failure.at),
        signed=None,
    )
    return _store(session, scope, old, body, old.version, now, f"{failure.ref} joined: {why}")


def _store(
    session: Session,
    scope: Scope,
    old: BreachRecord,
    body: Breach,
    replaces: int,
    now: datetime,
    reason: str,
) -> BreachRecord:
    who = scope.staff_id if old.due is None else old.due.who
    return records.change(
        session, scope, BREACH, old.ref, body,
        replaces=replaces, now=now, state=state_of(body), due=due_of(body, who), reason=reason,
    )  # fmt: skip
