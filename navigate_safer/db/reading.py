"""Short looks at the database that hold no lock and give up in time.

A session of :data:`navigate_safer.db.base.Sessions` takes SQLite's write lock when it begins; what
only looks (health, figures, banners) must not make intake wait, nor wait itself for long.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from navigate_safer.db.base import READ_ONLY, Sessions

# What it looks like when the database is away, too busy to answer in time, its disk is full, or it
# has become a copy that only reads.
DATABASE_FAULTS = (OperationalError, InterfaceError, InternalError, PoolTimeout)
# SQLite asks whether to go on after so many of its own steps: some hundred times a second.
_STEPS_BETWEEN_LOOKS = 100_000


@contextmanager
def reading(sessions: Sessions, *, within_s: float) -> Iterator[Session]:
    """A session that only reads; a statement of it ends with a fault after ``within_s`` seconds.

    Raises one of :data:`DATABASE_FAULTS`.
    """
    with sessions() as session:
        connection = session.connection(execution_options={READ_ONLY: True})
        if connection.dialect.name == "postgresql":
            connection.execute(text("set transaction read only"))
            connection.execute(text(f"set local statement_timeout = {int(within_s * 1000)}"))
            yield session
            return
        driver = connection.connection.driver_connection
        assert driver is not None
        deadline = time.monotonic() + within_s
        driver.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS_BETWEEN_LOOKS)
        try:
            yield session
        finally:
            driver.set_progress_handler(None, 0)
