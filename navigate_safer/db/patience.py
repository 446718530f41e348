"""Break off connections to a database that neither answers nor says that it is gone.

A server that hangs, or a firewall that has forgotten a connection and answers for it, leaves the
driver waiting for ever; keepalives do not help where something between the two answers them. Who
must go on in bounded time says so here; what was under way fails as it would with a cut cable.
"""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from sqlalchemy import Engine, event

# A batch takes milliseconds, and waits for other transactions no longer than these may last. After
# this it is broken off; where that does not help, the next is given twice as long, to the second.
FIRST_S, LONGEST_S = 30.0, 600.0
_LOOK_S = 0.5

ResultT = TypeVar("ResultT")


class Patience:
    """Watches the turns of one thread over one engine, from another thread.

    ``clock`` gives seconds that only grow. SQLite has no connection to break, and is left alone.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        first_s: float = FIRST_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._first_s = self._allowed_s = first_s
        self._clock = clock
        self._began_s: float | None = None
        self._changed = threading.Condition()
        self._open: dict[int, Any] = {}
        self._ended = threading.Event()
        if engine.dialect.name == "postgresql":
            event.listen(engine, "connect", self._connected)
            event.listen(engine, "close", self._closed)
            event.listen(engine, "close_detached", self._closed_detached)

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Look after the turns, from a thread of its own."""
        thread = threading.Thread(target=self._look, name="patience", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()

    def turn(self, work: Callable[[], ResultT]) -> ResultT:
        """Do some work of which each call to the database must end in time."""
        with self._changed:
            self._began_s = self._clock()
        try:
            done = work()
        finally:
            with self._changed:
                self._began_s = None
        self._allowed_s = self._first_s
        return done

    def look(self) -> bool:
        """Break off what has taken too long; whether it did."""
        with self._changed:
            if self._began_s is None or self._clock() - self._began_s < self._allowed_s:
                return False
            # A batch may be large and the disk slow: what never ended in time would never end.
            self._began_s = self._clock()
            self._allowed_s = min(self._allowed_s * 2, LONGEST_S)
            for connection in list(self._open.values()):
                _break_off(connection)
            return True

    def _look(self) -> None:
        while not self._ended.wait(_LOOK_S):
            self.look()

    def _connected(self, connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's
        with self._changed:
            self._open[id(connection)] = connection

    def _closed(self, connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's
        self._closed_detached(connection)

    def _closed_detached(self, connection: Any) -> None:  # noqa: ANN401 - the driver's
        with self._changed:
            self._open.pop(id(connection), None)


def _break_off(connection: Any) -> None:  # noqa: ANN401 - the driver's
    # The driver's thread waits in this socket and wakes with an error; a close would not wake it.
    with contextlib.suppress(Exception), socket.socket(fileno=os.dup(connection.fileno())) as own:
        own.shutdown(socket.SHUT_RDWR)
