"""Rows of one device out of a reading table, with little more work than the driver's own.

A day of one device is 5,760 fixes. Through rows and types of SQLAlchemy they cost 18 ms of our own
time, more than finding them; as the driver's tuples 13 (measured).
"""

from collections import namedtuple
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Boolean
from sqlalchemy.orm import Session

from navigate_safer.db.packed import instant_of, micros_of
from navigate_safer.db.reading_rows import ReadingTable
from navigate_safer.db.reading_values import Columns

Values = tuple[Any, ...]


def rows(
    session: Session,
    table: ReadingTable,
    device_id: int,
    begins: datetime | None,
    ends: datetime | None,
) -> list[Columns]:
    """Rows with ``begins <= stored time < ends``, in no order; archived ones are not among them."""
    postgresql = session.get_bind().dialect.name == "postgresql"
    mark = "%s" if postgresql else "?"
    where, values = [f"device_id = {mark}"], list[Any]((device_id,))
    for operator, bound in ((">=", begins), ("<", ends)):
        if bound is not None:
            where.append(f"measured_at {operator} {mark}")
            values.append(bound if postgresql else micros_of(bound))
    names = ", ".join(table.__table__.columns.keys())
    query = f"select {names} from {table.__tablename__} where {' and '.join(where)}"
    result = session.connection().exec_driver_sql(query, tuple(values))
    assert result.cursor is not None
    found = result.cursor.fetchall()
    result.close()
    return made(table, found, _in_utc if postgresql else instant_of)


def _in_utc(at: datetime) -> datetime:
    return at.astimezone(UTC)


def made(
    table: ReadingTable, found: Sequence[Values], instant: Callable[[Any], datetime]
) -> list[Columns]:
    """Rows with the columns of the table as attributes, of values in the table's order.

    ``instant`` makes a time of the second value; a boolean may come as 0 or 1.
    """
    make = _row_class(table)._make
    truths = [
        place
        for place, each in enumerate(table.__table__.columns)
        if isinstance(each.type, Boolean)
    ]
    if not truths:
        return [make((row[0], instant(row[1]), *row[2:])) for row in found]
    rows = []
    for row in found:
        values = [row[0], instant(row[1]), *row[2:]]
        for place in truths:
            values[place] = None if values[place] is None else bool(values[place])
        rows.append(make(values))
    return rows


@lru_cache
def _row_class(table: ReadingTable) -> Any:  # noqa: ANN401 - made from the table's columns
    return namedtuple(f"{table.__name__}Values", table.__table__.columns.keys())
