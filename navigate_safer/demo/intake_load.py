"""A publisher for the intake benchmark: MQTT 3.1.1 over a bare socket, in a process of its own.

A client library would take more of the machine than the service that is measured.
"""

import multiprocessing
import selectors
import socket
import struct
import time
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import msgspec

from navigate_safer.demo.intake_fleet import Due, payload, topic

# Unacknowledged messages at most; the broker's own limit is as high.
WINDOW = 2_000
_CHUNK = 100
_SLICE_S = 0.01
_CONNECT, _PUBLISH_QOS1, _PUBACK_BYTES = 0x10, 0x32, 4


class Load(msgspec.Struct, frozen=True):
    """What to publish: ``messages`` of ``readings`` each, round and round the devices.

    ``rate`` messages a second, None for as fast as the broker takes them. ``step`` is the number
    of the first round; a round is ``round_s`` of the devices' time after the one before, each
    of several readings of a message a minute of it, or the present where ``rate`` is given.
    """

    port: int
    messages: int
    devices: int
    homes: int
    start: datetime
    step: int = 0
    readings: int = 1
    rate: float | None = None
    first_device: int = 1
    round_s: float = 60.0


class Published(msgspec.Struct, frozen=True):
    """When the first message was sent and the last acknowledged, POSIX seconds; CPU seconds."""

    began: float
    ended: float
    cpu_s: float


def publish(load: Load) -> "Publisher":
    """Start publishing; messages of a flood are made ready before the first is sent."""
    return Publisher(load)


class Publisher:
    """The publishing process; :meth:`begin` when it is ready, :meth:`result` when it is done."""

    def __init__(self, load: Load) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process: BaseProcess = context.Process(target=_run, args=(load, theirs), daemon=True)
        self._process.start()
        self._pipe.recv()

    def begin(self) -> None:
        """Send now."""
        self._pipe.send("begin")

    def result(self) -> Published:
        """Wait for the end."""
        found = self._pipe.recv()
        self._process.join()
        assert isinstance(found, Published)
        return found


def _run(load: Load, pipe: Connection) -> None:
    line = _Line(load.port)
    packets = (
        [] if load.rate is not None else [_packet(load, n, None) for n in range(load.messages)]
    )
    pipe.send("ready")
    pipe.recv()
    began = time.time()
    cpu = time.process_time()
    if load.rate is None:
        for first in range(0, load.messages, _CHUNK):
            line.send(packets[first : first + _CHUNK])
    else:
        _pace(load, line, load.rate)
    line.drain()
    pipe.send(Published(began, time.time(), time.process_time() - cpu))


def _pace(load: Load, line: "_Line", rate: float) -> None:
    sent, start = 0, time.monotonic()
    while sent < load.messages:
        due = min(load.messages, int((time.monotonic() - start + _SLICE_S) * rate))
        if due > sent:
            now = datetime.now(UTC)
            line.send([_packet(load, n, now) for n in range(sent, due)])
            sent = due
        time.sleep(max(0.0, start + sent / rate - time.monotonic()))


def _packet(load: Load, number: int, now: datetime | None) -> bytes:
    round_, device = divmod(number, load.devices)
    device += load.first_device
    step = load.step + round_
    since = timedelta(seconds=round_ * load.round_s)
    minute = load.step + since // timedelta(minutes=1)
    at = load.start + timedelta(minutes=load.step) * load.readings + since * load.readings
    at = at if now is None else now
    sent_at = (datetime.now(UTC) if now is None else now).isoformat()
    body = payload(device, Due(step, minute, at, sent_at, load.readings), load.homes)
    name = topic(device).encode()
    mid = number % 65_535 + 1
    variable = struct.pack(">H", len(name)) + name + struct.pack(">H", mid)
    return bytes([_PUBLISH_QOS1]) + _length(len(variable) + len(body)) + variable + body


def _length(value: int) -> bytes:
    parts = []
    while True:
        value, digit = divmod(value, 128)
        parts.append(digit | (0x80 if value else 0))
        if not value:
            return bytes(parts)


class _Line:
    """A connection that counts the acknowledgements; a window of messages may be on their way."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = b"bench-publisher"
        body = b"\x00\x04MQTT\x04\x02" + struct.pack(">HH", 0, len(client)) + client
        self._socket.sendall(bytes([_CONNECT]) + _length(len(body)) + body)
        self._socket.recv(4)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._socket, selectors.EVENT_READ)
        self._away = 0
        self._part = 0

    def send(self, packets: list[bytes]) -> None:
        """Send them, and wait while too many are on their way."""
        self._socket.sendall(b"".join(packets))
        self._away += len(packets)
        self._read(0.0)
        while self._away > WINDOW:
            self._read(1.0)

    def drain(self) -> None:
        """Wait until all are acknowledged."""
        while self._away:
            self._read(1.0)

    def _read(self, wait_s: float) -> None:
        if self._selector.select(wait_s):
            self._part += len(self._socket.recv(65_536))
            self._away -= self._part // _PUBACK_BYTES
            self._part %= _PUBACK_BYTES
