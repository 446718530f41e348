"""End this process as kill -9 does, at a point of the outbox that is named: for fault runs alone.

The points are found by what is written and when it is committed, so that the code that sends has
no switch in it that could go off in service.
"""

import os
import signal
import threading
from enum import Enum

from sqlalchemy import Engine, event

from navigate_safer.db.base import Sessions


class CrashPoint(Enum):
    """Where a worker ends: before or after the commit of what it has written.

    Each is (worker, what it writes, whether after the commit). What happens between two commits,
    while the provider is called, is for the stand-in of the provider to say.
    """

    ALERT_WRITTEN = ("monitor", "INSERT INTO texts", False)
    ALERT_COMMITTED = ("monitor", "INSERT INTO texts", True)
    CLAIM_WRITTEN = ("deliver", "INSERT INTO text_attempts", False)
    CLAIM_COMMITTED = ("deliver", "INSERT INTO text_attempts", True)
    RECORD_WRITTEN = ("deliver", "UPDATE text_attempts", False)
    RECORD_COMMITTED = ("deliver", "UPDATE text_attempts", True)
    STEP_WRITTEN = ("schedule", "INSERT INTO texts", False)
    STEP_COMMITTED = ("schedule", "INSERT INTO texts", True)

    @property
    def worker(self) -> str:
        """The command that ends there."""
        return self.value[0]

    @property
    def writes(self) -> str:
        """How the statement begins that leads there."""
        return self.value[1]

    @property
    def committed(self) -> bool:
        """Whether what was written is kept."""
        return self.value[2]


class _Here(threading.local):
    """What the transaction of this thread has come to; a session stays in its thread."""

    written = False
    committing = False


def arm(engine: Engine, sessions: Sessions, point: CrashPoint, nth: int) -> None:
    """End this process when it comes to the point for the ``nth`` time, 1 being the first."""
    here, lock, left = _Here(), threading.Lock(), [nth]

    def reached() -> None:
        with lock:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def execute(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith(point.writes):
            here.written = True

    def rollback(_connection: object) -> None:
        here.written = here.committing = False

    def commit(_connection: object) -> None:
        # Fired before the database is told; a savepoint fires neither this nor what it leads to.
        here.committing, here.written = here.written, False
        if here.committing and not point.committed:
            reached()

    def committed(_session: object) -> None:
        if here.committing and point.committed:
            reached()
        here.committing = False

    event.listen(engine, "before_cursor_execute", execute)
    event.listen(engine, "rollback", rollback)
    event.listen(engine, "commit", commit)
    event.listen(sessions, "after_commit", committed)
