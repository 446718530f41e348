"""Orders of one wearer and the rows that judgement reads; the caller has found the wearer."""

from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from navigate_safer.db.people import ConditionRow, OrderRow, ZoneRow


def of_wearer(session: Session, wearer_id: int) -> list[OrderRow]:
    """Every order, the newest first."""
    query = select(OrderRow).where(OrderRow.wearer_id == wearer_id)
    return list(session.scalars(query.order_by(OrderRow.starts_on.desc(), OrderRow.id.desc())))


def is_in_force(session: Session, wearer_id: int, on: date) -> bool:
    """Whether any order of a wearer is in force on a day, its first and its last included."""
    return any(
        row.starts_on <= on and (row.ends_on is None or on <= row.ends_on)
        for row in of_wearer(session, wearer_id)
    )


def one(session: Session, wearer_id: int, order_id: int, *, held: bool = False) -> OrderRow | None:
    """One order of a wearer; ``held`` locks it for a change."""
    query = select(OrderRow).where(OrderRow.wearer_id == wearer_id, OrderRow.id == order_id)
    return session.scalar(query.with_for_update() if held else query)


def terms_of(
    session: Session, order_ids: Collection[int]
) -> dict[int, list[tuple[ConditionRow, str | None]]]:
    """Every version of every monitored condition, with its zone's reference, by order."""
    query = (
        select(ConditionRow, ZoneRow.ref)
        .outerjoin(ZoneRow, ZoneRow.id == ConditionRow.zone_id)
        .where(ConditionRow.order_id.in_(order_ids))
        .order_by(ConditionRow.ref, ConditionRow.version)
    )
    found: dict[int, list[tuple[ConditionRow, str | None]]] = {}
    for row, zone in session.execute(query):
        found.setdefault(row.order_id, []).append((row, zone))
    return found


def versions(session: Session, order_id: int, ref: str | None = None) -> list[ConditionRow]:
    """The versions of one condition of an order, or of all of them, oldest first."""
    query = select(ConditionRow).where(ConditionRow.order_id == order_id)
    if ref is not None:
        query = query.where(ConditionRow.ref == ref)
    return list(session.scalars(query.order_by(ConditionRow.ref, ConditionRow.version)))


def cut(rows: Collection[ConditionRow], at: datetime) -> None:
    """Let nothing of these conditions hold from an instant on; what held before stays."""
    for row in rows:
        if row.from_at >= at:
            row.until_at = row.from_at
        elif row.until_at is None or row.until_at > at:
            row.until_at = at


def next_version(session: Session, ref: str) -> int:
    """The number of the next version of a condition."""
    newest = session.scalar(select(func.max(ConditionRow.version)).where(ConditionRow.ref == ref))
    return (newest or 0) + 1


def zone_names(session: Session, refs: Collection[str]) -> dict[str, str]:
    """The newest name of each zone by its reference."""
    query = select(ZoneRow.ref, ZoneRow.name).where(ZoneRow.ref.in_(refs)).order_by(ZoneRow.version)
    return {row.ref: row.name for row in session.execute(query)}
