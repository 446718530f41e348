"""A TCP proxy between a process and its server, which a test can cut, pause, swallow and restore.

What a network does to a connection: a cable is pulled and says so (:meth:`Proxy.cut`), packets wait
and come later (:meth:`Proxy.pause`), or a firewall forgets the connection and throws away what is
sent, while both sides believe in it for ever (:meth:`Proxy.swallow`).
"""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from enum import Enum

HOST = "127.0.0.1"
_READ_BYTES = 65_536
# Closed with a reset, as by a router, and not in good order.
_RESET = struct.pack("ii", 1, 0)


class _Way(Enum):
    OPEN = "open"
    CUT = "cut"
    PAUSED = "paused"
    SWALLOWS = "swallows"


class _Link:
    """One connection through the proxy: the two sockets, and whether it was forgotten."""

    def __init__(self, inner: socket.socket, outer: socket.socket) -> None:
        self.inner, self.outer = inner, outer
        self.forgotten = False
        self.when_answered: Callable[[], None] | None = None

    def reset(self) -> None:
        _reset(self.inner)
        _reset(self.outer)


def _reset(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    with contextlib.suppress(OSError):
        # Wakes the thread that reads from it; a close alone would not.
        end.shutdown(socket.SHUT_RDWR)
    end.close()


class Proxy:
    """Listens on ``port`` and passes everything on to ``to_port`` of this machine."""

    def __init__(self, to_port: int) -> None:
        self._to_port = to_port
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self._way = _Way.OPEN
        self._changed = threading.Condition()
        self._links: list[_Link] = []
        self._watched: tuple[bytes, Callable[[], None], bool] | None = None
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Reset every connection, and every new one until :meth:`restore`."""
        self._become(_Way.CUT)
        self._drop()

    def pause(self) -> None:
        """Pass nothing on, in either direction; what is sent meanwhile comes later."""
        self._become(_Way.PAUSED)

    def swallow(self) -> None:
        """Throw away what is sent; the connections of now stay dead after :meth:`restore` too.

        The server has noticed by then, by its keepalives; the client's side is open for ever.
        """
        with self._changed:
            for link in self._links:
                link.forgotten = True
        self._become(_Way.SWALLOWS)

    def restore(self) -> None:
        """Let new connections through, and those that were paused go on."""
        with self._changed:
            forgotten = [link for link in self._links if link.forgotten]
        for link in forgotten:
            _reset(link.outer)
        self._become(_Way.OPEN)

    def when(
        self, fragment: bytes, act: Callable[[], None], *, answered: bool = False
    ) -> threading.Event:
        """Call ``act`` once just before a piece with ``fragment`` is passed on to the server.

        With ``answered`` it is passed on, and ``act`` called just before the server's answer is.
        """
        done = threading.Event()

        def once() -> None:
            act()
            done.set()

        self._watched = (fragment, once, answered)
        return done

    def close(self) -> None:
        """End everything."""
        self._become(_Way.CUT)
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._drop()

    def _become(self, way: _Way) -> None:
        with self._changed:
            self._way = way
            self._changed.notify_all()

    def _drop(self) -> None:
        with self._changed:
            links, self._links = self._links, []
        for link in links:
            link.reset()

    def _accept(self) -> None:
        while True:
            try:
                inner, _ = self._listener.accept()
            except OSError:
                return
            try:
                outer = socket.create_connection((HOST, self._to_port))
            except OSError:  # the server is down: so is the way to it
                _Link(inner, inner).reset()
                continue
            link = _Link(inner, outer)
            with self._changed:
                cut, link.forgotten = self._way is _Way.CUT, self._way is _Way.SWALLOWS
                self._links.append(link)
            if cut:
                self._drop()
                continue
            for to_server in (True, False):
                threading.Thread(target=self._carry, args=(link, to_server), daemon=True).start()

    def _carry(self, link: _Link, to_server: bool) -> None:
        begin, end = (link.inner, link.outer) if to_server else (link.outer, link.inner)
        with contextlib.suppress(OSError):
            while piece := begin.recv(_READ_BYTES):
                if to_server:
                    self._look_at(link, piece)
                elif link.when_answered is not None:
                    act, link.when_answered = link.when_answered, None
                    act()
                with self._changed:
                    self._changed.wait_for(lambda: self._way is not _Way.PAUSED)
                if not link.forgotten:
                    end.sendall(piece)
        if not link.forgotten:
            link.reset()

    def _look_at(self, link: _Link, piece: bytes) -> None:
        if self._watched is None or self._watched[0] not in piece:
            return
        (_, act, answered), self._watched = self._watched, None
        if answered:
            link.when_answered = act
        else:
            act()
