"""Statements about any number of keys, put together once.

SQLAlchemy writes a list of keys into the text of a statement, each time anew. PostgreSQL takes the
list as one array, so that the text stays the same and the server keeps its plan.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Connection, CursorResult, Executable, any_, bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute

Among = Callable[[InstrumentedAttribute[Any], str], ColumnElement[bool]]


class Keyed:
    """A statement for each database, made by what is given one way to say "among these"."""

    def __init__(self, make: Callable[[Among], Executable]) -> None:
        self._as_array = make(_as_array)
        self._as_list = make(_as_list)

    def ask(self, connection: Connection, **values: object) -> CursorResult[*tuple[Any, ...]]:
        """Execute it; each argument is a list of keys, or what else it takes, by its name."""
        postgresql = connection.dialect.name == "postgresql"
        return connection.execute(self._as_array if postgresql else self._as_list, values)


def _as_array(column: InstrumentedAttribute[Any], name: str) -> ColumnElement[bool]:
    return column == any_(bindparam(name, type_=ARRAY(column.type)))


def _as_list(column: InstrumentedAttribute[Any], name: str) -> ColumnElement[bool]:
    return column.in_(bindparam(name, expanding=True))
