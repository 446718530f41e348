"""Many packets to a system call: paho asks the kernel four times for each message, and once for
each acknowledgement, which is most of what intake costs.
"""

import contextlib
import select
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Any

from paho.mqtt import client as paho
from paho.mqtt.enums import MQTTErrorCode

READ_BYTES = 65_536
# An acknowledgement that cannot be handed over in ten seconds is given up with its connection: the
# broker sends the message again, and it is a repeat.
WAIT_S, MOST_WAITS = 0.1, 100
# Packets handed over before the client looks after anything else.
_PACKETS_AT_ONCE = 500


class BufferedSocket:
    """A socket that reads ahead, and holds back what is sent while :meth:`corked`."""

    def __init__(self, inner: Any) -> None:  # noqa: ANN401 - a socket, or one inside TLS
        self._inner = inner
        self._read = b""
        self._at = 0
        self._held: list[bytes] | None = None
        self._lock = threading.RLock()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the socket has
        return getattr(self._inner, name)

    def recv(self, size: int) -> bytes:
        """As a socket's; raises BlockingIOError (or TLS's) where nothing has come."""
        if self._at == len(self._read):
            self._read, self._at = self._inner.recv(max(size, READ_BYTES)), 0
        part = self._read[self._at : self._at + size]
        self._at += len(part)
        return part

    def pending(self) -> int:
        """Bytes that can be read without asking the kernel."""
        inner = self._inner.pending() if isinstance(self._inner, ssl.SSLSocket) else 0
        return len(self._read) - self._at + int(inner)

    def send(self, data: bytes) -> int:
        """Sends all of it, or keeps all of it while corked. Raises OSError if it cannot.

        Never a part: two threads write packets, and the rest of one must not follow another.
        """
        with self._lock:
            if self._held is not None:
                self._held.append(bytes(data))
            else:
                self._send_all(bytes(data))
            return len(data)

    @contextlib.contextmanager
    def corked(self) -> Iterator[None]:
        """Everything sent within goes out together at the end.

        Raises OSError if it cannot, and the connection is over: the broker would wait for
        acknowledgements that never come.
        """
        with self._lock:
            self._held = []
        try:
            yield
        finally:
            with self._lock:
                data, self._held = b"".join(self._held or ()), None
                self._send_all(data)

    def _send_all(self, data: bytes) -> None:
        try:
            self._write(data)
        except OSError:
            with contextlib.suppress(OSError):
                self._inner.shutdown(socket.SHUT_RDWR)
            raise

    def _write(self, data: bytes) -> None:
        view, waits = memoryview(data), 0
        while view:
            try:
                view = view[self._inner.send(view) :]
            except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
                waits += 1
                if waits > MOST_WAITS:
                    raise TimeoutError("the broker does not read") from None
                select.select([], [self._inner], [], WAIT_S)


class BufferedClient(paho.Client):
    """Paho's client over a :class:`BufferedSocket`, handing over all that has come."""

    def _create_socket(self) -> Any:  # noqa: ANN401 - paho's type for what acts as a socket
        return BufferedSocket(super()._create_socket())

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        """Handle the packets that have been read, and not one to a turn of the loop."""
        for _ in range(_PACKETS_AT_ONCE):
            code = super().loop_read(max_packets)
            connection: Any = self.socket()
            if code != MQTTErrorCode.MQTT_ERR_SUCCESS or not _pending(connection):
                return code
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Acknowledge within, and it goes out at once."""
        connection: Any = self.socket()
        if not isinstance(connection, BufferedSocket):
            yield
            return
        with contextlib.suppress(OSError), connection.corked():
            yield


def _pending(connection: socket.socket | Any | None) -> bool:  # noqa: ANN401
    return isinstance(connection, BufferedSocket) and connection.pending() > 0
