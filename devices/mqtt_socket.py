"""Many packets to a system call: paho asks the kernel four times for each message, and once for
each acknowledgement, and makes a dozen objects of it, which is most of what intake would cost.

Messages are taken from the buffer before paho sees them; everything else of the protocol is
paho's. What is handed to it is always one whole packet.
"""

import contextlib
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from paho.mqtt import client as paho
from paho.mqtt.enums import MQTTErrorCode, MQTTProtocolVersion

READ_BYTES = 262_144
# After messages have come, the next are left to gather in the kernel for so long: at 4,000 a second
# each would wake the network's thread by itself, and cost five times what it does among others.
GATHER_S = 0.01
ENOUGH_MESSAGES = 10
# An acknowledgement that cannot be handed over in ten seconds is given up with its connection: the
# broker sends the message again, and it is a repeat.
WAIT_S, MOST_WAITS = 0.1, 100
_KIND, _PUBLISH = 0xF0, 0x30
_PUBACK = bytes((0x40, 2))
_LONGEST_HEAD = 5
_NOT_YET = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)

# Topic as bytes, payload, message id (0 at QoS 0) and QoS.
Taker = Callable[[bytes, bytes, int, int], None]


class BufferedSocket:
    """A socket that reads ahead and writes whole."""

    def __init__(self, inner: Any) -> None:  # noqa: ANN401 - a socket, or one inside TLS
        self._inner = inner
        self._read = b""
        self._at = 0
        # TLS forbids two threads in one connection; a write of many parts is one all the same.
        self._lock = threading.Lock()
        self._writing = threading.Lock()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the socket has
        return getattr(self._inner, name)

    def fill(self) -> bool:
        """Read what has come; False at the end of the stream. Raises OSError when it broke.

        Until nothing more is there: TLS gives one record to a call, which is often one message.
        """
        parts, size = [self._read[self._at :]], 0
        try:
            while size < READ_BYTES:
                with self._lock:
                    more = self._inner.recv(READ_BYTES)
                if not more:
                    return False
                parts.append(more)
                size += len(more)
        except _NOT_YET:
            pass
        finally:
            self._read, self._at = b"".join(parts), 0
        return True

    def whole(self) -> tuple[int, int, int] | None:
        """First byte, begin and end of the body of the packet at the head, if all of it is here."""
        length, shift = 0, 0
        for place in range(self._at + 1, min(self._at + _LONGEST_HEAD, len(self._read))):
            digit = self._read[place]
            length |= (digit & 0x7F) << shift
            shift += 7
            if not digit & 0x80:
                end = place + 1 + length
                return (self._read[self._at], place + 1, end) if end <= len(self._read) else None
        return None

    def cut(self, begin: int, end: int) -> bytes:
        """The body that :meth:`whole` found; the packet is no longer at the head."""
        self._at = end
        return self._read[begin:end]

    def recv(self, size: int) -> bytes:
        """As a socket's; raises BlockingIOError (or TLS's) where nothing has come."""
        if self._at == len(self._read):
            with self._lock:
                self._read, self._at = self._inner.recv(max(size, READ_BYTES)), 0
        part = self._read[self._at : self._at + size]
        self._at += len(part)
        return part

    def pending(self) -> int:
        """Bytes that can be handled without asking the kernel: none where a packet is not whole."""
        inner = self._inner.pending() if isinstance(self._inner, ssl.SSLSocket) else 0
        return int(inner) + (0 if self.whole() is None else len(self._read) - self._at)

    def send(self, data: bytes) -> int:
        """Sends all of it, whole; raises OSError if it cannot, and the connection is over.

        Never a part: two threads write packets, and the rest of one must not follow another. Nor
        may an acknowledgement be lost on a connection that goes on, or the broker waits for it.
        """
        with self._writing:
            self._send_all(bytes(data))
            return len(data)

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
                with self._lock:
                    sent = self._inner.send(view)
                view = view[sent:]
            except _NOT_YET:
                waits += 1
                if waits > MOST_WAITS:
                    raise TimeoutError("the broker does not read") from None
                select.select([], [self._inner], [], WAIT_S)


class BufferedClient(paho.Client):
    """Paho's client over a :class:`BufferedSocket`; ``take`` is called with each message.

    For manual acknowledgement at QoS 0 and 1. ``on_message`` is not called.
    """

    take: Taker = staticmethod(lambda _topic, _payload, _mid, _qos: None)
    rest: Callable[[float], None] = staticmethod(time.sleep)

    def _create_socket(self) -> Any:  # noqa: ANN401 - paho's type for what acts as a socket
        return BufferedSocket(super()._create_socket())

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        """Handle every packet that has come, and not one to a turn of the loop."""
        connection: Any = self.socket()
        if not isinstance(connection, BufferedSocket):
            return super().loop_read(max_packets)
        try:
            alive = connection.fill()
        except OSError:
            alive = False
        messages = 0
        while (packet := connection.whole()) is not None:
            first, begin, end = packet
            if first & _KIND == _PUBLISH:
                self._publish(first, connection.cut(begin, end))
                messages += 1
                continue
            code = super().loop_read(max_packets)
            if code != MQTTErrorCode.MQTT_ERR_SUCCESS or self.socket() is not connection:
                return code
        if not alive:
            # Paho reads the end of the stream itself, and does what belongs to it.
            return super().loop_read(max_packets)
        if 0 < messages < ENOUGH_MESSAGES:
            self.rest(GATHER_S)
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _publish(self, first: int, body: bytes) -> None:
        qos = first >> 1 & 3
        at = 2 + int.from_bytes(body[:2])
        topic, mid = body[2:at], 0
        if qos:
            mid = int.from_bytes(body[at : at + 2])
            at += 2
        if self.protocol == MQTTProtocolVersion.MQTTv5:
            at += _properties(body, at)
        self.take(topic, body[at:], mid, qos)

    def acknowledge(self, mids: Sequence[int]) -> None:
        """Acknowledge messages of QoS 1, all in one write.

        Where it cannot be written the connection is ended: the broker sends them again.
        """
        connection: Any = self.socket()
        if isinstance(connection, BufferedSocket) and mids:
            with contextlib.suppress(OSError):
                connection.send(b"".join(_PUBACK + mid.to_bytes(2) for mid in mids))


def _properties(body: bytes, at: int) -> int:
    """How many bytes the properties of MQTT 5 take: none of them means anything to us."""
    length, shift, place = 0, 0, at
    while True:
        digit = body[place]
        length |= (digit & 0x7F) << shift
        shift, place = shift + 7, place + 1
        if not digit & 0x80:
            return place - at + length
