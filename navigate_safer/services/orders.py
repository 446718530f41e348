"""Make, vary and end orders: their file as versions, and what is judged by them, in one step."""

import secrets
from datetime import date, datetime

import msgspec
from sqlalchemy.orm import Session

from navigate_safer.db import orders
from navigate_safer.db.base import Sessions
from navigate_safer.db.people import OrderRow, WearerRow
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.days import start_of
from navigate_safer.people.orders import (
    ORDER,
    Faults,
    OrderFile,
    due_of,
    end_faults,
    order_faults,
)
from navigate_safer.people.records import Record
from navigate_safer.services import case_state, order_terms, records
from navigate_safer.services.casework import NotFound
from navigate_safer.services.order_terms import Faulty
from navigate_safer.services.records import About, SlotTaken, Stale
from navigate_safer.services.zones import judge_anew

OrderRecord = Record[OrderFile]
LIVE, OVER = "live", "ended"


class Variation(msgspec.Struct, frozen=True):
    """Who varied an order, from when and why; ``replaces`` is the version that it was made from."""

    by: str
    from_at: datetime
    why: str
    replaces: int


class Held(msgspec.Struct, frozen=True):
    """An order that is about to be changed: its row, its file, and its record if it has one."""

    of: About
    wearer: WearerRow
    row: OrderRow
    file: OrderFile
    record: OrderRecord | None


def make(sessions: Sessions, scope: Scope, wearer_ref: str, draft: OrderFile, now: datetime) -> int:
    """Put an order on file; its number. Raises :class:`Faulty`, NotFound, Forbidden."""
    scope.require(Permission.MANAGE_CASES)
    with sessions.begin() as session:
        of, wearer = records.about(session, scope, wearer_ref)
        known = files_of(session, scope, of)
        refuse(order_faults(draft, [file for _, file, _ in known], now))
        ref = f"ORD-{secrets.token_hex(5).upper()}"
        row = OrderRow(ref=ref, wearer_id=wearer.id, kind=draft.kind)
        row.starts_on, row.ends_on = draft.starts_on, draft.ends_on
        session.add(row)
        session.flush()
        body = msgspec.structs.replace(draft, order_ref=ref)
        _add(session, scope, of, wearer, body, now, "Order made")
        case_state.open_again(session, scope, of, "Order made", now)
        return row.id


def vary(
    sessions: Sessions,
    scope: Scope,
    wearer_ref: str,
    order_id: int,
    ends_on: date | None,
    variation: Variation,
    now: datetime,
) -> None:
    """Let an order end on another day; raises Faulty, Stale, NotFound, Forbidden."""
    with sessions.begin() as session:
        held = hold(session, scope, wearer_ref, order_id)
        faults = of_variation(held.file, variation, now)
        seen = tuple(each for each in held.file.seen if not each.startswith("end-"))
        body = msgspec.structs.replace(held.file, ends_on=ends_on, seen=seen)
        others = [file for _, file, _ in files_of(session, scope, held.of)]
        refuse(faults | end_faults(body, others, now))
        held.row.ends_on = ends_on
        session.flush()
        judge_anew(session, [held.row.id], now)
        keep(session, scope, held, body, variation, now)


def end_order(
    sessions: Sessions,
    scope: Scope,
    wearer_ref: str,
    order_id: int,
    variation: Variation,
    now: datetime,
) -> None:
    """End an order at ``variation.from_at``: nothing is judged by it from then on."""
    with sessions.begin() as session:
        held = hold(session, scope, wearer_ref, order_id)
        faults = of_variation(held.file, variation, now)
        over_at = held.file.ends_at
        if held.file.revoked_at is not None:
            faults["varied_from"] = "The order was ended already"
        at = variation.from_at if over_at is None else min(variation.from_at, over_at)
        refuse(faults)
        early = over_at is None or at < over_at
        order_terms.end_all(session, held.row, at, now)
        body = msgspec.structs.replace(
            held.file, revoked_at=at if early else None, end_why=variation.why
        )
        keep(session, scope, held, body, variation, now, state=OVER)


def see_to(
    sessions: Sessions,
    scope: Scope,
    wearer_ref: str,
    order_id: int,
    alarm: str,
    replaces: int,
    now: datetime,
) -> None:
    """Somebody has seen to an alarm; raises Stale, NotFound, Forbidden."""
    with sessions.begin() as session:
        held = hold(session, scope, wearer_ref, order_id)
        body = msgspec.structs.replace(held.file, seen=tuple(sorted({*held.file.seen, alarm})))
        done = Variation(held.file.varied_by, held.file.varied_from or now, "Seen to", replaces)
        keep(session, scope, held, body, done, now)


def hold(session: Session, scope: Scope, wearer_ref: str, order_id: int) -> Held:
    """An order to be changed; raises NotFound, Forbidden."""
    scope.require(Permission.MANAGE_CASES)
    of, wearer = records.about(session, scope, wearer_ref)
    row = orders.one(session, wearer.id, order_id, held=True)
    if row is None:
        raise NotFound
    record = records.in_slot(session, scope, ORDER, _slot(row.ref))
    if record is not None:
        return Held(of, wearer, row, record.body, record)
    terms = orders.terms_of(session, [row.id]).get(row.id, [])
    return Held(of, wearer, row, order_terms.as_registered(row, terms), None)


def files_of(
    session: Session, scope: Scope, of: About
) -> list[tuple[OrderRow, OrderFile, OrderRecord | None]]:
    """Every order of one wearer, the newest first, with its record where it has one."""
    assert of.wearer_id is not None, "an order is somebody's"
    rows = orders.of_wearer(session, of.wearer_id)
    found = records.listed(session, scope, ORDER, wearer_id=of.wearer_id)
    known = {each.body.order_ref: each for each in found}
    unknown = [row.id for row in rows if row.ref not in known]
    terms = orders.terms_of(session, unknown) if unknown else {}
    return [
        (row, known[row.ref].body, known[row.ref])
        if row.ref in known
        else (row, order_terms.as_registered(row, terms.get(row.id, [])), None)
        for row in rows
    ]


def of_variation(file: OrderFile, variation: Variation, now: datetime) -> Faults:
    """What is wrong with from when an order is varied."""
    faults = Faults()
    if file.stage(now) == "revoked":
        faults["varied_from"] = "The order was ended already: make a new one"
    elif variation.from_at < start_of(file.made_on):
        faults["varied_from"] = "Enter a time that is not before the order was made"
    return faults


def refuse(faults: Faults) -> None:
    """Raise :class:`Faulty` where something is wrong."""
    if faults:
        raise Faulty(faults)


def _add(
    session: Session,
    scope: Scope,
    of: About,
    wearer: WearerRow,
    body: OrderFile,
    now: datetime,
    reason: str,
) -> OrderRecord:
    due = due_of(body, now, wearer.offender_manager_id)
    return records.add(
        session, scope, ORDER, of, body, now=now, at=start_of(body.starts_on),
        state=LIVE, slot=_slot(body.order_ref), due=due, reason=reason,
    )  # fmt: skip


def keep(
    session: Session,
    scope: Scope,
    held: Held,
    body: OrderFile,
    variation: Variation,
    now: datetime,
    *,
    state: str | None = None,
) -> None:
    """Store a version of an order; one that was never on file is taken over first."""
    record = held.record or _taken_over(session, scope, held, now)
    # One that was never on file is read as version 0, and taken over as version 1.
    replaces = 1 if held.record is None and variation.replaces == 0 else variation.replaces
    body = msgspec.structs.replace(body, varied_by=variation.by, varied_from=variation.from_at)
    records.change(
        session, scope, ORDER, record.ref, body,
        replaces=replaces, now=now, state=state, slot=_slot(body.order_ref),
        due=due_of(body, now, held.wearer.offender_manager_id), reason=variation.why,
    )  # fmt: skip


def _taken_over(session: Session, scope: Scope, held: Held, now: datetime) -> OrderRecord:
    try:
        return _add(session, scope, held.of, held.wearer, held.file, now, "As registered")
    except SlotTaken:
        newest = records.in_slot(session, scope, ORDER, _slot(held.row.ref))
        if newest is None:
            raise
        raise Stale(newest) from None


def _slot(order_ref: str) -> str:
    return f"order:{order_ref}"
