"""The writes of intake that happen for every message, each in the database's fastest way."""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import msgspec
import psycopg
import psycopg.errors
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from navigate_safer.db import postgresql_bulk, sqlite_bulk
from navigate_safer.db.arrivals import Kept, Latest, Marks, Noted, Reporting, Saved, Settled
from navigate_safer.db.packed_fixes import PackedFixes
from navigate_safer.db.telemetry import CheckpointRow

# What the drivers say when the database is away or has no room, past SQLAlchemy's own errors.
_AWAY = (psycopg.OperationalError, psycopg.InterfaceError, sqlite3.OperationalError)
# Two transactions that wait for each other: one of them is ended and may be done again.
_WAITED_FOR_EACH_OTHER = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)


class AlreadyThere(Exception):
    """A fix of this device and time is stored; the transaction cannot go on."""


def insert_fixes(session: Session, rows: PackedFixes) -> None:
    """Insert fixes that are new. Raises :class:`AlreadyThere` where one is not."""
    if not len(rows):
        return
    write = postgresql_bulk.copy_fixes if _is_postgresql(session) else sqlite_bulk.insert_fixes
    try:
        with _driver(session) as connection:
            write(connection, rows)
    except (psycopg.errors.UniqueViolation, sqlite3.IntegrityError):
        raise AlreadyThere from None


def reporting(session: Session, devices: Collection[str], now: datetime) -> dict[str, Reporting]:
    """Those of the devices that are registered, by name."""
    read = postgresql_bulk.reporting if _is_postgresql(session) else sqlite_bulk.reporting
    with _driver(session) as connection:
        return _by_name(read(connection, sorted(devices), now))


def reporting_from(
    session: Session, after: int, through: int, now: datetime
) -> dict[str, Reporting]:
    """The devices whose id is above ``after`` and at most ``through``, by name."""
    form = postgresql_bulk if _is_postgresql(session) else sqlite_bulk
    with _driver(session) as connection:
        return _by_name(form.reporting_from(connection, after, through, now))


def _by_name(rows: Iterable[Reporting]) -> dict[str, Reporting]:
    found: dict[str, Reporting] = {}
    for each in rows:
        # On two people at once, as nothing allows: whose reading it is must not be guessed.
        twice = each.device in found
        found[each.device] = each._replace(fitting_id=0, fit=False) if twice else each
    return found


def settle(session: Session, latest: Latest, saved: Sequence[Saved] = ()) -> Settled:
    """Write what is newest of each device whose turn is still the one given, and states.

    Of those whose newest is written the states, where their version is still the one given.
    """
    if not len(latest.device_id):
        return Settled(set(), set())
    write = postgresql_bulk.settle if _is_postgresql(session) else sqlite_bulk.settle
    with _driver(session) as connection:
        return write(connection, latest, saved)


def turn_on(session: Session, latest: Latest) -> None:
    """Write what is newest of devices in any case; their judgement is for the monitor."""
    if len(latest.device_id):
        write = postgresql_bulk.turn_on if _is_postgresql(session) else sqlite_bulk.turn_on
        with _driver(session) as connection:
            write(connection, latest)


def note_batch(session: Session, noted: Noted) -> int:
    """Write the figures of a batch; its id."""
    write = postgresql_bulk.note_batch if _is_postgresql(session) else sqlite_bulk.note_batch
    with _driver(session) as connection:
        return write(connection, noted)


def mark(session: Session, marks: Marks) -> None:
    """Leave pending marks."""
    if len(marks.device_id):
        form = postgresql_bulk if _is_postgresql(session) else sqlite_bulk
        with _driver(session) as connection:
            form.mark(connection, marks)


def keep(session: Session, kept: Sequence[Kept]) -> None:
    """Write checkpoints; one that is there already says the same."""
    if not kept:
        return
    rows = [
        {"fitting_id": each.fitting_id, "at": each.at, "states": msgspec.json.decode(each.states)}
        for each in kept
    ]
    build = postgresql.insert if _is_postgresql(session) else sqlite.insert
    session.execute(build(CheckpointRow).on_conflict_do_nothing(), rows)


def any_thread(session: Session) -> bool:
    """Whether the driver's connection may be used by another thread than the session's."""
    return _is_postgresql(session)


def _is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


def waited_for_each_other(fault: BaseException) -> bool:
    """Whether the transaction was ended because of another's, and may be done again at once."""
    return isinstance(fault, OperationalError) and isinstance(fault.orig, _WAITED_FOR_EACH_OTHER)


@contextmanager
def _driver(session: Session) -> Iterator[Any]:
    """The driver's own connection; its faults come out as those of SQLAlchemy.

    A fault that passed for one of the message would cost the message: see
    :func:`navigate_safer.services.ingest.store_or_part`.
    """
    try:
        yield session.connection().connection.driver_connection
    except _AWAY as fault:
        raise OperationalError("bulk", None, fault, hide_parameters=True) from fault
