"""Databases for tests: SQLite and PostgreSQL, brought up by the real chain of migrations.

The chain runs once for each kind. Every test then gets the one database of its kind with no row in
it: PostgreSQL takes a third of a second to copy a database. The engine stays, and with it the
statements that it has compiled, which would otherwise take most of the time of a short test.
"""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, delete, func, select, text

from navigate_safer.db import schema
from navigate_safer.db.base import Sessions, make_engine, make_sessions
from navigate_safer.db.reading_rows import READING_TABLES
from navigate_safer.demo.servers import PostgreSQL

KINDS = ("sqlite", "postgresql")


class Database:
    """One database with its engine and sessions; ``kind`` is sqlite or postgresql."""

    def __init__(self, kind: str, url: str) -> None:
        self.kind = kind
        self.url = url
        self.engine: Engine = make_engine(url)
        self.sessions: Sessions = make_sessions(self.engine)

    def all(self, table: type[Any], *where: Any) -> list[Any]:
        """Every row of a table for which ``where`` holds, in the order of its key."""
        query = select(table).where(*where).order_by(*table.__table__.primary_key)
        with self.sessions() as session:
            return list(session.scalars(query))

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


def drop_days(database: Database) -> None:
    """Drop every partition of PostgreSQL but those for what belongs to no day."""
    if database.kind != "postgresql":
        return
    made = text(
        "select c.oid::regclass::text from pg_inherits i join pg_class c on c.oid = i.inhrelid "
        "where i.inhparent = any (cast(:parents as regclass[])) and c.relname !~ '_rest$'"
    )
    parents = [table.__tablename__ for table in READING_TABLES]
    with database.engine.begin() as connection:
        for name in connection.scalars(made, {"parents": parents}).all():
            connection.execute(text(f"drop table {name}"))


class SqliteFactory:
    """One file, which is a new copy of a migrated one for each test."""

    kind = "sqlite"

    def __init__(self, folder: Path) -> None:
        self._template = folder / "migrated.sqlite3"
        self._file = folder / "fresh.sqlite3"
        migrate(f"sqlite:///{self._template}")
        self._database = Database(self.kind, f"sqlite:///{self._file}")

    @contextlib.contextmanager
    def empty(self, folder: Path) -> Iterator[Database]:
        """A database that no migration has seen."""
        with opened(self.kind, f"sqlite:///{folder / 'empty.sqlite3'}") as made:
            yield made

    @contextlib.contextmanager
    def migrated(self, folder: Path) -> Iterator[str]:
        """The address of a migrated database in a folder of the caller's."""
        copy = folder / "test.sqlite3"
        shutil.copyfile(self._template, copy)
        yield f"sqlite:///{copy}"

    @contextlib.contextmanager
    def fresh(self) -> Iterator[Database]:
        """The migrated database, without a row."""
        for left in self._file.parent.glob(f"{self._file.name}-*"):
            left.unlink()
        shutil.copyfile(self._template, self._file)
        try:
            yield self._database
        finally:
            # Nobody may hold the file open when the next copy takes its place.
            self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._database.engine.dispose()


class PostgresqlFactory:
    """One migrated database of a server, emptied for each test; numbers it gives go on."""

    kind = "postgresql"

    def __init__(self, server: PostgreSQL) -> None:
        self._server = server
        self._database = Database(self.kind, server.create("migrated"))
        migrate(self._database.url)

    @contextlib.contextmanager
    def empty(self, _folder: Path) -> Iterator[Database]:
        """A database that no migration has seen."""
        with opened(self.kind, self._server.create("empty")) as made:
            yield made
        self._server.drop("empty")

    @contextlib.contextmanager
    def fresh(self) -> Iterator[Database]:
        """The migrated database, without a row."""
        with self._database.engine.begin() as connection:
            # Nobody else is at work on it; a worker that a test left behind must not hang the next.
            connection.execute(text("set local lock_timeout = '5s'"))
            # As a replica takes changes: without the triggers that refuse them.
            connection.execute(text("set local session_replication_role = replica"))
            for table in schema.METADATA.sorted_tables:
                connection.execute(delete(table))
        yield self._database

    def close(self) -> None:
        """Give the connections back."""
        self._database.engine.dispose()


Factory = SqliteFactory | PostgresqlFactory


def migrate(url: str) -> None:
    """Bring a database to the newest schema as ``navigate-safer migrate`` does."""
    engine = make_engine(url)
    schema.upgrade(engine)
    # SQLite's file is copied, which is whole only when nobody has it open.
    engine.dispose()


@contextlib.contextmanager
def opened(kind: str, url: str) -> Iterator[Database]:
    """A database opened for the length of a ``with``."""
    database = Database(kind, url)
    try:
        yield database
    finally:
        database.engine.dispose()
