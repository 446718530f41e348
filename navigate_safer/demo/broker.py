"""An MQTT broker inside this process, for the demonstration and for tests.

It is ``amqtt`` in a thread with an event loop of its own: MQTT 3.1.1, loopback only, no password,
nothing on disk. What it does not promise, and a real broker does:

- an MQTT 5 client is refused with return code 1 (unacceptable protocol version), so clients of
  the demonstration speak 3.1.1;
- a persistent session keeps what arrives while its client is away, but a message that was sent
  and not yet acknowledged when the connection broke does not come again;
- it forgets a message five seconds after sending it, whether or not the acknowledgement came;
- retained messages go to every client that connects, whatever it subscribes to.

Measured on two cores with clients in the same process, 300-byte messages at QoS 1 and manual
acknowledgement: 500 a second arrive with a median delay of 1 ms, 1,000 a second with 0.5 s. The
demonstration needs three a second, and about thirty-five while it uploads its history.

Fit for one machine and one evening. Anything else runs Mosquitto or RabbitMQ.
"""

import asyncio
import errno
import ipaddress
import logging
import socket
import threading
from types import TracebackType

from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig, ListenerConfig
from amqtt.errors import BrokerError
from amqtt.plugins.base import BaseAuthPlugin
from amqtt.session import Session

_START_TIMEOUT_S = 10.0
_STOP_TIMEOUT_S = 15.0
_DRAIN_S = 2.0


class BrokerFault(Exception):
    """The embedded broker cannot start or stop; the message says what to do."""


class LoopbackOnly(BaseAuthPlugin):
    """Lets in any client of this machine and no other.

    amqtt's own plugin for clients without a password marks their sessions anonymous, and
    anonymous sessions keep nothing while the client is away; this one leaves them persistent.
    """

    async def authenticate(self, *, session: Session) -> bool:
        """Whether the client's address is a loopback address."""
        return ipaddress.ip_address(session.remote_address or "0.0.0.0").is_loopback  # noqa: S104


class _TidyBroker(Broker):
    """amqtt's broker, whose connections are closed whichever way their handling ends.

    A client that leaves while the broker shuts down would otherwise keep its socket open until
    the garbage collector complains of it.
    """

    async def stream_connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, listener_name: str
    ) -> None:
        try:
            await super().stream_connected(reader, writer, listener_name)
        finally:
            writer.close()


class EmbeddedBroker:
    """A broker on a loopback address; ``port`` 0 takes a free one. Also a context manager."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        if not ipaddress.ip_address(host).is_loopback:
            raise ValueError(
                f"the embedded broker asks for no password and serves loopback only, not {host}; "
                "use 127.0.0.1, or run Mosquitto with certificates"
            )
        self.host = host
        self._asked_port = port
        self._port: int | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._ready = threading.Event()
        self._fault: Exception | None = None

    @property
    def port(self) -> int:
        """The port it listens on; known once started."""
        if self._port is None:
            raise BrokerFault("the embedded broker has no port before start()")
        return self._port

    def start(self) -> None:
        """Listen. Returns when clients can connect; raises :class:`BrokerFault` if they cannot."""
        if self._thread is not None:
            raise BrokerFault("the embedded broker is already started; stop it first")
        self._check_port()
        self._quieten()
        self._ready.clear()
        self._fault = None
        self._thread = threading.Thread(target=self._run, name="embedded-broker", daemon=True)
        self._thread.start()
        if not self._ready.wait(_START_TIMEOUT_S):
            raise BrokerFault(f"the embedded broker did not start within {_START_TIMEOUT_S:g} s")
        fault = self._failure()
        if fault is not None:
            self._thread.join()
            self._thread = None
            raise BrokerFault(f"the embedded broker did not start: {fault}") from fault

    def stop(self) -> None:
        """Disconnect everybody and close; nothing happens if it is not started."""
        if self._thread is None or self._loop is None or self._stopping is None:
            return
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(_STOP_TIMEOUT_S)
        if self._thread.is_alive():
            raise BrokerFault(f"the embedded broker did not stop within {_STOP_TIMEOUT_S:g} s")
        self._thread = self._loop = self._stopping = self._port = None
        fault = self._failure()
        if fault is not None:
            raise BrokerFault(f"the embedded broker failed: {fault}") from fault

    def __enter__(self) -> "EmbeddedBroker":
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _failure(self) -> Exception | None:
        return self._fault

    def _check_port(self) -> None:
        """Try the port first: amqtt logs a traceback where one sentence is wanted."""
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self._asked_port))
            except OSError as fault:
                taken = fault.errno == errno.EADDRINUSE
                why = "another program listens there" if taken else str(fault)
                raise BrokerFault(
                    f"port {self._asked_port} on {self.host} cannot be used: {why}; "
                    "choose another port (0 takes a free one) or stop the other program"
                ) from fault

    @staticmethod
    def _quieten() -> None:
        # amqtt logs a traceback for each acknowledgement that takes over five seconds and a warning
        # for each client that goes away. What matters reaches the caller as BrokerFault.
        for name in ("amqtt", "transitions"):
            logging.getLogger(name).setLevel(logging.CRITICAL)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as fault:
            # Handed to the thread that calls start or stop.
            self._fault = fault
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        listener = ListenerConfig(bind=f"{self.host}:{self._asked_port}")
        name = f"{LoopbackOnly.__module__}.{LoopbackOnly.__qualname__}"
        broker = _TidyBroker(BrokerConfig(listeners={"default": listener}, plugins={name: {}}))
        try:
            await broker.start()
        except BrokerError as fault:
            raise BrokerFault(str(fault)) from fault
        self._port = _bound_port(broker)
        self._ready.set()
        await self._stopping.wait()
        await broker.shutdown()
        ending = asyncio.all_tasks() - {asyncio.current_task()}
        if ending:
            await asyncio.wait(ending, timeout=_DRAIN_S)


def _bound_port(broker: Broker) -> int:
    # amqtt does not say which port it was given for 0, so its listening socket is asked.
    server = broker._servers["default"].instance
    port: int = next(iter(server.sockets)).getsockname()[1]
    return port
