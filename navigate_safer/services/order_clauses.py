"""Add, vary and end clauses of an order: their file and what is judged by them, in one step."""

from datetime import datetime

import msgspec

from navigate_safer.db.base import Sessions
from navigate_safer.people.access import Scope
from navigate_safer.people.clause_catalogue import Monitored
from navigate_safer.people.orders import Clause, clause_faults
from navigate_safer.services import order_terms
from navigate_safer.services.casework import NotFound
from navigate_safer.services.orders import Variation, hold, keep, of_variation, refuse


def add_clause(
    sessions: Sessions,
    scope: Scope,
    wearer_ref: str,
    order_id: int,
    clause: Clause,
    variation: Variation,
    now: datetime,
) -> None:
    """Add a clause, and what is checked of it; raises Faulty, Stale, NotFound, Forbidden."""
    with sessions.begin() as session:
        held = hold(session, scope, wearer_ref, order_id)
        key = max((each.key for each in held.file.clauses), default=0) + 1
        clause = msgspec.structs.replace(clause, key=key)
        refuse(clause_faults(held.file, clause, now))
        made = order_terms.add(session, scope, held.row, clause, now)
        body = msgspec.structs.replace(held.file, clauses=(*held.file.clauses, made))
        keep(session, scope, held, body, variation, now)


def vary_clause(
    sessions: Sessions,
    scope: Scope,
    wearer_ref: str,
    order_id: int,
    clause: Clause,
    variation: Variation,
    now: datetime,
) -> None:
    """Let a clause, by its key, say something else; raises Faulty, Stale, NotFound, Forbidden.

    What is checked, and since when the clause is in force, stay as they are.
    """
    with sessions.begin() as session:
        held = hold(session, scope, wearer_ref, order_id)
        old = held.file.clause(clause.key)
        if old is None:
            raise NotFound
        new = msgspec.structs.replace(
            clause, from_at=old.from_at, monitored=old.monitored,
            condition_ref=old.condition_ref, code=old.code,
        )  # fmt: skip
        faults = clause_faults(held.file, new, now) | of_variation(held.file, variation, now)
        faults.pop("from_at", None)  # it stays as it is
        if variation.from_at < old.from_at:
            faults["varied_from"] = "Enter a time that is not before the start of the clause"
        if old.monitored is Monitored.DISTANCE and (new.number, new.severity) != (
            old.number,
            old.severity,
        ):
            faults["number"] = "Of a clause about distance only the words and the end can be varied"
        refuse(faults)
        order_terms.vary(session, scope, held.row, old, new, variation.from_at, now)
        clauses = tuple(new if each.key == new.key else each for each in held.file.clauses)
        body = msgspec.structs.replace(held.file, clauses=clauses)
        keep(session, scope, held, body, variation, now)


def end_clause(
    sessions: Sessions,
    scope: Scope,
    wearer_ref: str,
    order_id: int,
    key: int,
    variation: Variation,
    now: datetime,
) -> None:
    """Let a clause end at ``variation.from_at``, and what is checked of it with it."""
    with sessions.begin() as session:
        held = hold(session, scope, wearer_ref, order_id)
        old = held.file.clause(key)
        if old is None:
            raise NotFound
        faults = of_variation(held.file, variation, now)
        if old.until_at is not None and old.until_at <= variation.from_at:
            faults["varied_from"] = "The clause is over by then already"
        elif variation.from_at < old.from_at:
            faults["varied_from"] = "Enter a time that is not before the start of the clause"
        refuse(faults)
        order_terms.end(session, held.row, old, variation.from_at, now)
        ended = msgspec.structs.replace(old, until_at=variation.from_at)
        clauses = tuple(ended if each.key == key else each for each in held.file.clauses)
        body = msgspec.structs.replace(held.file, clauses=clauses)
        keep(session, scope, held, body, variation, now)
