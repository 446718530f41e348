"""Bring a database to the newest schema, and say whether it is there."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from navigate_safer.db import (
    alerting,
    answering,
    audit,
    case_records,
    cases,
    commands,
    compliance,
    costs,
    exceptions,
    gateway_minutes,
    holds,
    imports,
    limits,
    meetings,
    offending,
    partners,
    people,
    place_questions,
    protected,
    providers,
    quarantine,
    reading_rows,
    seals,
    telemetry,
    telling,
    victims,
    wearer_messages,
    zones,
)
from navigate_safer.db.base import Base

METADATA = Base.metadata
SUBJECTS = (
    people,
    telemetry,
    reading_rows,
    alerting,
    telling,
    providers,
    audit,
    seals,
    quarantine,
    limits,
    commands,
    imports,
    holds,
    zones,
    exceptions,
    gateway_minutes,
    cases,
)
PLACE_SUBJECTS = (compliance, meetings, place_questions, protected)
OUTCOME_SUBJECTS = (offending, costs)
ANSWERING = (answering, wearer_messages)
CASEWORK = (case_records, victims, partners)

# A migration that cannot get its lock gives up instead of queueing every query behind itself.
LOCK_TIMEOUT_MS = 5_000
# Any constant: two migrations of one PostgreSQL database wait for each other.
_MIGRATION_LOCK = 8_415_370_020


def config() -> Config:
    """Alembic's configuration; the scripts are part of the installed package."""
    made = Config()
    made.set_main_option("script_location", str(files("migrations")))
    return made


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Run every migration that is missing; safe to call at each start."""
    _run(engine, command.upgrade, revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Go back to a revision; ``base`` empties the database."""
    _run(engine, command.downgrade, revision)


def _run(engine: Engine, step: object, revision: str) -> None:
    assert callable(step)
    with engine.connect() as connection, _unchecked(connection), connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"set local lock_timeout = {LOCK_TIMEOUT_MS}"))
            connection.execute(text(f"select pg_advisory_xact_lock({_MIGRATION_LOCK})"))
        made = config()
        made.attributes["connection"] = connection
        step(made, revision)
        if connection.dialect.name == "sqlite":
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
            if broken:
                tables = ", ".join(sorted({str(row[0]) for row in broken}))
                raise RuntimeError(f"the migration left rows without what they name: {tables}")


@contextmanager
def _unchecked(connection: Connection) -> Iterator[None]:
    """SQLite changes a column by making its table anew, which its keys would not let go.

    Turned off and on outside the transaction, as SQLite's own procedure says; the caller checks
    every key before it commits.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


def is_current(engine: Engine) -> bool:
    """Whether the database is at the newest migration of this version."""
    head = ScriptDirectory.from_config(config()).get_current_head()
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == head
