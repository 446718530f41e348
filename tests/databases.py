"""Databases for tests: SQLite and PostgreSQL, brought up by the real chain of migrations.

The chain runs once for each kind; every test then gets a copy of its own.
"""

import contextlib
import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from servers import PostgreSQL
from sqlalchemy import Engine, func, select

from navigate_safer.db import schema
from navigate_safer.db.base import Sessions, make_engine, make_sessions

KINDS = ("sqlite", "postgresql")
_TEMPLATE = "migrated"
_numbers = itertools.count(1)


class Database:
    """One database with its engine and sessions; ``kind`` is sqlite or postgresql."""

    def __init__(self, kind: str, url: str) -> None:
        self.kind = kind
        self.url = url
        self.engine: Engine = make_engine(url)
        self.sessions: Sessions = make_sessions(self.engine)

    def all(self, table: type[Any], *where: Any) -> list[Any]:
        """Every row of a table for which ``where`` holds, in the order of its key."""
        with self.sessions() as session:
            return list(session.scalars(select(table).where(*where).order_by(*table.__table__.primary_key)))

    def one(self, table: type[Any], *where: Any) -> Any:
        """The row for which ``where`` holds; an error when there is none or another."""
        with self.sessions() as session:
            return session.scalars(select(table).where(*where)).one()

    def count(self, table: type[Any], *where: Any) -> int:
        """How many rows there are for which ``where`` holds."""
        with self.sessions() as session:
            return session.scalar(select(func.count()).select_from(table).where(*where)) or 0

    def counts(self) -> dict[str, int]:
        """How many rows every table has."""
        with self.engine.connect() as connection:
            return {
                table.name: connection.scalar(select(func.count()).select_from(table)) or 0
                for table in schema.METADATA.sorted_tables
            }


class SqliteFactory:
    """Copies of one migrated file."""

    kind = "sqlite"

    def __init__(self, folder: Path) -> None:
        self._template = folder / "migrated.sqlite3"
        migrate(f"sqlite:///{self._template}")

    @contextlib.contextmanager
    def empty(self, folder: Path) -> Iterator[str]:
        """The address of a database that no migration has seen."""
        yield f"sqlite:///{folder / 'empty.sqlite3'}"

    @contextlib.contextmanager
    def migrated(self, folder: Path) -> Iterator[str]:
        """The address of a migrated database."""
        copy = folder / "test.sqlite3"
        shutil.copyfile(self._template, copy)
        yield f"sqlite:///{copy}"


class PostgresqlFactory:
    """Copies of one migrated database of a server."""

    kind = "postgresql"

    def __init__(self, server: PostgreSQL) -> None:
        self._server = server
        migrate(server.create(_TEMPLATE))

    @contextlib.contextmanager
    def empty(self, _folder: Path) -> Iterator[str]:
        """The address of a database that no migration has seen."""
        with self._copy("template1") as url:
            yield url

    @contextlib.contextmanager
    def migrated(self, _folder: Path) -> Iterator[str]:
        """The address of a migrated database."""
        with self._copy(_TEMPLATE) as url:
            yield url

    @contextlib.contextmanager
    def _copy(self, template: str) -> Iterator[str]:
        name = f"test_{next(_numbers)}"
        yield self._server.create(name, template=template)
        self._server.drop(name)


Factory = SqliteFactory | PostgresqlFactory


def migrate(url: str) -> None:
    """Bring a database to the newest schema as ``navigate-safer migrate`` does."""
    engine = make_engine(url)
    schema.upgrade(engine)
    # The template is copied as a file, and PostgreSQL copies no database that is in use.
    engine.dispose()


@contextlib.contextmanager
def opened(kind: str, url: str) -> Iterator[Database]:
    """A database opened for the length of a ``with``."""
    database = Database(kind, url)
    try:
        yield database
    finally:
        database.engine.dispose()
