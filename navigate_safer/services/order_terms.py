"""What a clause makes of an order for judgement: rows of monitored conditions, version by version.

A varied condition is a new row from when it was varied; what was judged under the old one stays.
The database marks what is stored for judgement anew, from the earliest instant that is concerned.
"""

import secrets
from datetime import datetime

import msgspec
from sqlalchemy.orm import Session

from alerts.terms import ConditionKind, Limits
from navigate_safer.db import orders, zones
from navigate_safer.db.people import ConditionRow, OrderRow
from navigate_safer.people.access import Scope
from navigate_safer.people.clause_catalogue import OF_KIND
from navigate_safer.people.days import day_of
from navigate_safer.people.order_rules import of_kind
from navigate_safer.people.orders import Clause, Faults, OrderFile
from navigate_safer.services.zones import judge_anew

# The column that judgement takes a clause's name from.
LONGEST_CLAUSE = 100


class Faulty(Exception):
    """What was typed cannot be; ``faults`` by the field that is to be mended."""

    def __init__(self, faults: Faults) -> None:
        super().__init__("; ".join(faults.values()))
        self.faults = faults


def as_registered(row: OrderRow, terms: list[tuple[ConditionRow, str | None]]) -> OrderFile:
    """An order that came with a case file: a clause for each of its monitored conditions."""
    versions: dict[str, list[tuple[ConditionRow, str | None]]] = {}
    for each in terms:
        versions.setdefault(each[0].ref, []).append(each)
    clauses = [_clause(key, group) for key, group in enumerate(versions.values(), start=1)]
    return OrderFile(
        order_ref=row.ref,
        kind=row.kind,
        made_by="",
        case_number="",
        made_on=row.starts_on,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        clauses=tuple(clauses),
    )


def _clause(key: int, group: list[tuple[ConditionRow, str | None]]) -> Clause:
    newest, zone_ref = max(group, key=lambda each: (each[0].from_at, each[0].version))
    kind = ConditionKind(newest.kind)
    return Clause(
        key=key,
        number=newest.clause,
        code="",
        text="",
        from_at=min(row.from_at for row, _ in group),
        until_at=newest.until_at,
        monitored=OF_KIND[kind],
        severity=newest.severity,
        zone_ref=zone_ref,
        condition_ref=newest.ref,
    )


def add(session: Session, scope: Scope, row: OrderRow, clause: Clause, now: datetime) -> Clause:
    """Let a clause be judged from its start on; raises :class:`Faulty`."""
    kind = None if clause.monitored is None else clause.monitored.judged_as
    if kind is None:
        return clause
    ref = f"CL-{secrets.token_hex(6).upper()}"
    made = msgspec.structs.replace(clause, condition_ref=ref)
    _insert(session, scope, row, made, clause.from_at, Limits())
    judge_anew(session, [row.id], now)
    return made


def vary(
    session: Session,
    scope: Scope,
    row: OrderRow,
    old: Clause,
    new: Clause,
    from_at: datetime,
    now: datetime,
) -> None:
    """Let a clause be judged as it is varied, from ``from_at`` on; raises :class:`Faulty`."""
    if old.condition_ref is None:
        return
    rows = orders.versions(session, row.id, old.condition_ref)
    in_force = [each for each in rows if each.until_at is None or each.from_at < each.until_at]
    newest = max(in_force or rows, key=lambda each: (each.from_at, each.version))
    if _judged(old) == _judged(new):
        # The same row goes on, so that a breach that is under way stays one.
        newest.until_at = new.until_at
    else:
        limits = msgspec.convert(newest.limits, Limits)
        orders.cut(rows, from_at)
        _insert(session, scope, row, new, max(from_at, old.from_at), limits)
    session.flush()
    judge_anew(session, [row.id], now)


def end(session: Session, row: OrderRow, clause: Clause, at: datetime, now: datetime) -> None:
    """Let nothing be judged by a clause from an instant on."""
    if clause.condition_ref is not None:
        orders.cut(orders.versions(session, row.id, clause.condition_ref), at)
        session.flush()
        judge_anew(session, [row.id], now)


def end_all(session: Session, row: OrderRow, at: datetime, now: datetime) -> None:
    """Let nothing be judged by an order from an instant on: it was revoked, or is over."""
    orders.cut(orders.versions(session, row.id), at)
    last = day_of(at) if row.ends_on is None else min(day_of(at), row.ends_on)
    row.ends_on = max(last, row.starts_on)
    session.flush()
    judge_anew(session, [row.id], now)


def _judged(clause: Clause) -> tuple[object, ...]:
    return clause.number, clause.severity, clause.zone_ref, clause.monitored


def _insert(
    session: Session,
    scope: Scope,
    row: OrderRow,
    clause: Clause,
    from_at: datetime,
    limits: Limits,
) -> None:
    assert clause.monitored is not None, "only what is monitored has a row"
    assert clause.condition_ref is not None, "a monitored clause has its reference"
    kind = clause.monitored.judged_as
    assert kind is not None, "a device can tell"
    session.add(
        ConditionRow(
            ref=clause.condition_ref,
            version=orders.next_version(session, clause.condition_ref),
            order_id=row.id,
            clause=clause_name(row.kind, clause)[:LONGEST_CLAUSE],
            kind=kind.value,
            severity=clause.severity,
            zone_id=_zone_id(session, scope, clause),
            limits=msgspec.to_builtins(limits),
            from_at=from_at,
            until_at=clause.until_at,
        )
    )
    session.flush()


def clause_name(kind: str, clause: Clause) -> str:
    """A clause as alerts name it: Clause 4 of a DAPO; what says its own name stays."""
    if not clause.code:
        return clause.number
    return f"{of_kind(kind).clause_word} {clause.number}"


def _zone_id(session: Session, scope: Scope, clause: Clause) -> int | None:
    wanted = None if clause.monitored is None else clause.monitored.zone_kind
    if wanted is None:
        return None
    if clause.zone_ref is None or not zones.may_know_of(session, scope, clause.zone_ref):
        raise Faulty({"zone": "Select the zone that the clause is about"})
    newest = zones.versions(session, clause.zone_ref)[0]
    if newest.kind != wanted:
        # Judged all the same it would be judged inside out.
        raise Faulty({"zone": f"Select a zone of kind {wanted}"})
    return newest.id
