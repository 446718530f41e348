"""The MQTT client of intake; the only module that knows paho.

QoS 1, manual acknowledgement, a persistent session under a stable client id. Three traps shape
it: an exception in a callback ends paho's network loop while ``is_connected()`` stays true, so
nothing is done in callbacks but queueing and the loop is ours to restart; an acknowledgement
belongs to the connection that delivered the message, so each message carries its connection's
generation; and paho retries no first connection by itself.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from devices.mqtt_broker import Broker
from devices.mqtt_socket import BufferedClient

# How long the broker keeps the session, and with it what arrives, while intake is away.
SESSION_KEPT_S = 7 * 24 * 3600
# Messages in flight unacknowledged: four batches. The broker stops sending beyond it, which is
# what keeps memory bounded when the database is slow.
IN_FLIGHT = 2_000
# Bytes received and not yet taken, beyond which no more are read: what is in flight may be 2,000
# messages of the largest size, or any number of QoS 0, which no broker counts as in flight.
MOST_BYTES = 256 * 1024 * 1024
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
_LOOKS_WHILE_GATHERING = 5
_LOOK_FOR_ROOM_S = 0.005


class Arrival(msgspec.Struct, frozen=True):
    """A message as it came, with what is needed to acknowledge it."""

    topic: str
    payload: bytes
    received_at: datetime
    mid: int
    qos: int
    generation: int


def left_to_gather_s(oldest_at: datetime, now: datetime, gather_s: float) -> float:
    """How long a batch may still fill whose first message was received at ``oldest_at``.

    What came while the batch before was stored has waited already. A clock that was put back must
    not hold a batch for longer than ``gather_s``.
    """
    return min(gather_s, max(0.0, gather_s - (now - oldest_at).total_seconds()))


class Listener:
    """Keeps one subscription alive and hands over what arrives.

    ``clock`` gives the receipt time. ``on_change(connected, fault)`` is called when the
    connection comes or goes; it must not raise.
    """

    def __init__(
        self,
        broker: Broker,
        topics: Sequence[str],
        clock: Callable[[], datetime],
        on_change: Callable[[bool, str | None], None] = lambda _connected, _fault: None,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._broker = broker
        self._topics = topics
        self._clock = clock
        self._on_change = on_change
        # A deque is safe between two threads and costs a tenth of a queue.
        self._arrived: deque[Arrival] = deque()
        self._something = threading.Event()
        self._most_bytes = most_bytes
        # Each is written by one thread only: the network's, and the one that takes.
        self._bytes_in, self._bytes_out = 0, 0
        self._stop = threading.Event()
        self._generation = self._connections = 0
        self._had_5 = False
        self._protocol5 = broker.protocol != "3.1.1"
        self._client: BufferedClient | None = None
        self._refused: str | None = None
        self._connected_since: datetime | None = None
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)

    @property
    def connected_since(self) -> datetime | None:
        """Since when the subscription has been up; None while it is not."""
        return self._connected_since

    @property
    def waiting(self) -> int:
        """Messages received and not yet taken."""
        return len(self._arrived)

    @property
    def waiting_bytes(self) -> int:
        """Bytes of them."""
        return self._bytes_in - self._bytes_out

    @property
    def oldest_at(self) -> datetime | None:
        """When the oldest message that is not yet taken was received."""
        try:
            return self._arrived[0].received_at
        except IndexError:
            return None

    @property
    def cpu_s(self) -> float:
        """CPU seconds of the network's thread; 0 where it has ended or the system cannot say."""
        number = self._thread.ident
        if number is None or not self._thread.is_alive():
            return 0.0
        return time.clock_gettime(time.pthread_getcpuclockid(number))

    def start(self) -> None:
        """Connect in the background, and go on trying for as long as it takes."""
        self._thread.start()

    def stop(self) -> None:
        """Disconnect; what is not acknowledged stays with the broker."""
        self._stop.set()
        if self._client is not None:
            self._client.disconnect()
        self._thread.join(timeout=10)

    def take(self, most: int, wait_s: float, *, gather_s: float = 0.0) -> list[Arrival]:
        """Up to ``most`` messages: waits ``wait_s`` for the first, then takes what is there.

        With ``gather_s`` the batch may fill until its first message is so old. Messages of an
        earlier connection are among them: they are stored like the rest, and when the broker
        sends them again they are repeats.
        """
        if not self._arrived:
            self._something.clear()
            # Between the two lines above something may have come, and nothing would wake us.
            if not self._arrived and not self._something.wait(wait_s):
                return []
        self._gather(most, gather_s)
        taken: list[Arrival] = []
        while self._arrived and len(taken) < most:
            try:
                taken.append(self._arrived.popleft())
            except IndexError:  # a new connection has just cleared the queue
                break
        self._bytes_out += sum(len(each.payload) for each in taken)
        return taken

    def _gather(self, most: int, gather_s: float) -> None:
        oldest_at = self.oldest_at
        if not gather_s or oldest_at is None:
            return
        left_s = left_to_gather_s(oldest_at, self._clock(), gather_s)
        for _ in range(_LOOKS_WHILE_GATHERING):
            if left_s <= 0 or len(self._arrived) >= most:
                return
            self._stop.wait(left_s / _LOOKS_WHILE_GATHERING)

    def acknowledge(self, arrivals: Sequence[Arrival]) -> None:
        """Acknowledge stored messages. Those of an older connection come again and are repeats."""
        client = self._client
        if client is None:
            return
        generation = self._generation
        client.acknowledge(
            [each.mid for each in arrivals if each.qos and each.generation == generation]
        )

    def _run(self) -> None:
        pause_s = FIRST_PAUSE_S
        while not self._stop.is_set():
            fault: str | None = None
            began = self._connections
            try:
                fault = self._one_connection()
            except Exception as error:  # a fault in paho or in a callback must not end intake
                fault = f"{type(error).__name__}"
            self._lost(fault)
            if self._connections != began:
                pause_s = FIRST_PAUSE_S
            if self._stop.wait(pause_s):
                return
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    def _one_connection(self) -> str | None:
        """Connect and serve until the connection ends; says why it ended."""
        self._refused = None
        client = self._make_client()
        # Before the client can be acknowledged to: what is held belongs to an earlier connection,
        # and its numbers mean other messages on this one.
        self._generation += 1
        self._client = client
        if self._protocol5:
            properties = Properties(PacketTypes.CONNECT)
            properties.SessionExpiryInterval = SESSION_KEPT_S
            properties.ReceiveMaximum = IN_FLIGHT
            client.connect(
                self._broker.host,
                self._broker.port,
                self._broker.keepalive_s,
                clean_start=False,
                properties=properties,
            )
        else:
            client.connect(self._broker.host, self._broker.port, self._broker.keepalive_s)
        connected_before = self._connections
        code = client.loop_forever(retry_first_connection=False)
        if self._may_fall_back:
            # A broker without MQTT 5 refuses it, or just closes: the older protocol is next, but
            # not where 5 has worked, and 5 again after that.
            failed = self._connections == connected_before
            self._protocol5 = not (self._protocol5 and failed) or self._had_5
        return self._refused or paho.error_string(code)

    @property
    def _may_fall_back(self) -> bool:
        return self._broker.protocol == "auto"

    def _make_client(self) -> BufferedClient:
        broker = self._broker
        version = MQTTProtocolVersion.MQTTv5 if self._protocol5 else MQTTProtocolVersion.MQTTv311
        client = BufferedClient(
            CallbackAPIVersion.VERSION2,
            client_id=broker.client_id,
            clean_session=None if self._protocol5 else False,
            protocol=version,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        client.max_inflight_messages_set(IN_FLIGHT)
        if broker.username:
            client.username_pw_set(broker.username, broker.password or None)
        if broker.ca_file:
            client.tls_set(broker.ca_file, broker.cert_file or None, broker.key_file or None)

        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.take = self._arrive
        return client

    def _on_connect(
        self,
        client: paho.Client,
        _data: object,
        _flags: paho.ConnectFlags,
        reason: ReasonCode,
        _properties: object,
    ) -> None:
        if reason.is_failure:
            self._refused = str(reason)
            return
        self._connections += 1
        self._had_5 = self._had_5 or self._protocol5
        client.subscribe([(topic, 1) for topic in self._topics])

    def _on_subscribe(
        self,
        client: paho.Client,
        _data: object,
        _mid: int,
        reasons: list[ReasonCode],
        _properties: object,
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            self._refused = "the broker refused the subscription"
            client.disconnect()
            return
        self._connected_since = self._clock()
        self._on_change(True, None)

    @property
    def _full(self) -> bool:
        return len(self._arrived) >= IN_FLIGHT or self.waiting_bytes > self._most_bytes

    def _arrive(self, topic: bytes, payload: bytes, mid: int, qos: int) -> None:
        # Mosquitto 2.0.11 keeps to what may be in flight only until the first acknowledgement. And
        # on a new connection everything comes again that waits here; it is not dropped for that,
        # since what has expired meanwhile (MQTT 5) would not come.
        while self._full and not self._stop.wait(_LOOK_FOR_ROOM_S):
            pass
        try:
            name = topic.decode()
        except UnicodeDecodeError:
            name = "(topic is not UTF-8)"
        self._arrived.append(Arrival(name, payload, self._clock(), mid, qos, self._generation))
        self._bytes_in += len(payload)
        if not self._something.is_set():
            self._something.set()

    def _lost(self, fault: str | None) -> None:
        self._connected_since = None
        self._on_change(False, fault)
