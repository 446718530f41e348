"""Work of the database and work of ours at the same time: neither waits while the other is busy."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

from sqlalchemy.orm import Session

from navigate_safer.db import bulk


class Beside:
    """One thread that waits for the database in the place of the one that stores batches.

    Both are of one transaction and end within the call: nothing of it outlives a rollback.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="database")

    def both(
        self, session: Session, write: Callable[[], None], meanwhile: Callable[[], None]
    ) -> None:
        """Do ``write``, and ``meanwhile``, which must not use the session.

        One after the other where the driver's connection belongs to one thread. Raises what either
        raises, after both have ended; an interrupt from the keyboard does not wait.
        """
        if not bulk.any_thread(session):
            write()
            meanwhile()
            return
        writing = self._thread.submit(write)
        try:
            meanwhile()
        finally:
            wait([writing])
            fault = writing.exception()
            if fault is not None:
                # What the database says comes first: whose fault it is decides what is done.
                raise fault
