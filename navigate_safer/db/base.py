"""Engine, metadata and column types.

SQLite is opened in WAL mode with full synchronisation, and every transaction takes the write
lock when it begins: a transaction that reads first and writes later would otherwise fail with
"database is locked" where two processes meet.
"""

import time
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    DateTime,
    Dialect,
    Engine,
    Integer,
    MetaData,
    create_engine,
    event,
)
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator, TypeEngine

from navigate_safer.db.packed import instant_of, micros_of

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

# 64-bit everywhere: a vendor's service stopped in 49 states when a table passed 2^31 rows.
# SQLite's own row id is 64-bit too, but only a column declared INTEGER is one.
BigId = BigInteger().with_variant(Integer, "sqlite")

Sessions = sessionmaker[Session]

# Execution option of a connection that only reads: it takes no write lock on SQLite.
READ_ONLY = "navigate_safer_read_only"
# Seconds to wait for a PostgreSQL that does not answer at all; a refusal comes at once.
CONNECT_WITHIN_S = 5
# A pooled connection that rested so long is asked whether it lives before it is used again.
ASKED_AFTER_S = 1.0


class UTCDateTime(TypeDecorator[datetime]):
    """An instant. Refuses a naive value; gives back aware UTC on both databases."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database: aware only; SQLite keeps UTC without an offset."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without an offset cannot be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """From the database: always aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Instant(TypeDecorator[datetime]):
    """An instant of a reading: timestamptz on PostgreSQL, microseconds since 1970 on SQLite.

    SQLite's own form takes 26 bytes and two conversions a row. Refuses a naive value.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The column's type on each database."""
        kind = Integer() if dialect.name == "sqlite" else DateTime(timezone=True)
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:  # noqa: ANN401
        """To the database: aware only."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without an offset cannot be stored")
        return micros_of(value) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ANN401
        """From the database: always aware UTC."""
        if value is None:
            return None
        return instant_of(value) if dialect.name == "sqlite" else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of every table."""

    metadata = MetaData(naming_convention=NAMES)


# A cable that is pulled says nothing. Without these our side would wait for hours, and so would the
# server, with our dead session's locks held; both notice within twenty seconds.
_NOTICE_A_DEAD_PEER = {
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
    "options": (
        "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=3 -c tcp_keepalives_count=3 "
        "-c tcp_user_timeout=15000"
    ),
}


def make_engine(url: str, *, pool_size: int = 5, asked_after_s: float = ASKED_AFTER_S) -> Engine:
    """Open an engine for ``sqlite:///…`` or ``postgresql+psycopg://…``.

    A connection to PostgreSQL that rested for ``asked_after_s`` is asked whether it still lives.

    Its errors do not repeat what a statement was given: names and positions are among it.
    """
    if url.startswith("sqlite"):
        engine = create_engine(url, connect_args={"timeout": 30}, hide_parameters=True)
        event.listen(engine, "connect", _sqlite_connect)
        event.listen(engine, "begin", _sqlite_begin)
        return engine
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=5,
        hide_parameters=True,
        connect_args={"connect_timeout": CONNECT_WITHIN_S, **_NOTICE_A_DEAD_PEER},
    )
    _ask_those_that_rested(engine, asked_after_s)
    return engine


def _ask_those_that_rested(engine: Engine, asked_after_s: float) -> None:
    """Ask a pooled connection whether it lives, unless it has just been used.

    The pool's own way asks each time, which costs intake a round trip for every batch.
    """

    def checkin(_connection: object, record: ConnectionPoolEntry) -> None:
        record.info["used_at"] = time.monotonic()

    def checkout(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:  # noqa: ANN401
        used_at = record.info.get("used_at")
        if used_at is None or time.monotonic() - used_at < asked_after_s:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as fault:
            raise InvalidatePoolError() from fault

    event.listen(engine, "checkin", checkin)
    event.listen(engine, "checkout", checkout)


def make_sessions(engine: Engine) -> Sessions:
    """Sessions that keep loaded values after a commit."""
    return sessionmaker(engine, expire_on_commit=False)


def _sqlite_connect(connection: Any, _record: Any) -> None:  # noqa: ANN401 - the driver's objects
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA busy_timeout=30000")
    cursor.close()


def _sqlite_begin(connection: Any) -> None:  # noqa: ANN401 - SQLAlchemy's event passes it untyped
    reads = connection.get_execution_options().get(READ_ONLY, False)
    connection.exec_driver_sql("BEGIN DEFERRED" if reads else "BEGIN IMMEDIATE")
