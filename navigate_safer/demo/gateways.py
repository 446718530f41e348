"""The simulated gateways: one MQTT client each, publishing what its devices measured.

Everything that goes wrong in the story is in the plan; here is only sending. Simulated time is
the ``clock`` that the caller passes; the wall clock is only slept on.
"""

import queue
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

import structlog
from paho.mqtt.client import Client, ConnectFlags, MQTTMessage, MQTTMessageInfo, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from devices.command import COMMAND
from navigate_safer.demo.answers import Answers
from navigate_safer.demo.feed import GatewayFeed, Outgoing
from navigate_safer.demo.scripts import Plan
from navigate_safer.people.casefile import CaseFile

_QOS = 1
_KEEPALIVE_S = 30
_RECONNECT_S = (1, 15)
# How often a gateway looks for something to send; a fix is at most this late.
_TICK_S = 0.2
_FASTEST_TICK_S = 0.05
_HISTORY_EVERY_S = 0.08
_GOODBYE_S = 2.0
_IN_FLIGHT = 200

_log = structlog.get_logger(__name__)


def run_gateways(
    host: str,
    port: int,
    casefile: CaseFile,
    plan: Plan,
    clock: Callable[[], datetime],
    speed: float,
    stop_event: threading.Event,
    *,
    resume_from: Mapping[str, datetime] | None = None,
) -> None:
    """Run every gateway of the case file until ``stop_event`` is set; blocks.

    ``clock`` gives simulated time (aware), which passes ``speed`` times as fast as the wall
    clock's. ``resume_from`` is the measured time of the last stored reading of each device. While
    the broker is away, devices keep their readings and send them when it is back. Raises what a
    gateway raised, after stopping the others.
    """
    if speed <= 0:
        raise ValueError(f"speed must be above 0, not {speed:g}; 1 is real time")
    now = clock()
    gateways = []
    for ref in (each.ref for each in casefile.gateways):
        feed = _feed(casefile, plan, ref, now, resume_from)
        answers = Answers(plan, ref, _devices(casefile, ref))
        gateways.append(_Gateway(host, port, feed=feed, answers=answers, name=ref))
    failed = threading.Event()
    pace = _Pace(clock, _tick_s(speed), stop_event, failed)

    def run(gateway: _Gateway) -> None:
        try:
            gateway.run(pace)
        except BaseException:
            failed.set()
            raise

    with ThreadPoolExecutor(max(1, len(gateways)), thread_name_prefix="gateway") as pool:
        for each in as_completed([pool.submit(run, gateway) for gateway in gateways]):
            each.result()


class _Pace(NamedTuple):
    """The clock, and when to look again or stop; one for all gateways."""

    clock: Callable[[], datetime]
    tick_s: float
    stop_event: threading.Event
    failed: threading.Event

    def stopped(self) -> bool:
        return self.stop_event.is_set() or self.failed.is_set()


def _tick_s(speed: float) -> float:
    """Wall seconds between looks: shorter when time is fast, so that readings stay spread."""
    return max(_FASTEST_TICK_S, min(_TICK_S, 2.0 / speed))


def _feed(
    casefile: CaseFile,
    plan: Plan,
    gateway: str,
    now: datetime,
    resume_from: Mapping[str, datetime] | None,
) -> GatewayFeed:
    devices = _devices(casefile, gateway)
    return GatewayFeed(plan, gateway, devices, now=now, resume_from=resume_from)


def _devices(casefile: CaseFile, gateway: str) -> tuple[str, ...]:
    return tuple(each.ref for each in casefile.devices if each.gateway == gateway)


class _Gateway:
    def __init__(
        self, host: str, port: int, *, feed: GatewayFeed, answers: Answers, name: str
    ) -> None:
        self._address = (host, port)
        self._feed = feed
        self._answers = answers
        # Commands are taken in the client's thread and answered in the gateway's own.
        self._commands: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()
        self._name = name
        self._status_topic = f"status/v1/{name}"
        self._client = self._make_client()
        self._last_history: MQTTMessageInfo | None = None

    def run(self, pace: _Pace) -> None:
        self._client.connect_async(*self._address, keepalive=_KEEPALIVE_S)
        self._client.loop_start()
        try:
            history_left = True
            while not pace.stopped():
                if self._client.is_connected():
                    self._send_live(pace.clock())
                    history_left = history_left and self._send_history(pace.clock())
                pace.stop_event.wait(_HISTORY_EVERY_S if history_left else pace.tick_s)
        finally:
            self._leave()

    def _make_client(self) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"simulated-{self._name}",
            clean_session=True,
            protocol=MQTTv311,
        )
        client.will_set(self._status_topic, b"offline", qos=_QOS, retain=True)
        client.reconnect_delay_set(*_RECONNECT_S)
        client.max_inflight_messages_set(_IN_FLIGHT)
        client.on_connect = self._on_connect
        client.on_message = self._on_message
        return client

    def _on_connect(
        self,
        client: Client,
        _userdata: object,
        _flags: ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            _log.warning("gateway_refused", gateway=self._name, reason=str(reason))
            return
        client.subscribe(f"{COMMAND}/{self._name}/+", qos=_QOS)
        client.publish(self._status_topic, b"online", qos=_QOS, retain=True)
        _log.info("gateway_online", gateway=self._name)

    def _on_message(self, _client: Client, _userdata: object, heard: MQTTMessage) -> None:
        # The embedded broker sends retained messages to everybody, whatever they subscribe to.
        if heard.topic.startswith(COMMAND):
            self._commands.put((heard.topic, bytes(heard.payload)))

    def _send_live(self, now: datetime) -> None:
        for outgoing in self._feed.live(now):
            self._publish(outgoing)
        while not self._commands.empty():
            self._answers.take(*self._commands.get(), now)
        for outgoing in self._answers.due(now):
            self._publish(outgoing)

    def _send_history(self, now: datetime) -> bool:
        """Send one message of history, only when the last one has arrived; False when done."""
        if self._last_history is not None and not self._last_history.is_published():
            return True
        outgoing = self._feed.next_history(now)
        if outgoing is None:
            return False
        sent = self._publish(outgoing)
        # A message published as the connection breaks is queued by paho and goes out later, but
        # asking whether it has arrived would raise.
        self._last_history = sent if sent.rc == MQTTErrorCode.MQTT_ERR_SUCCESS else None
        return True

    def _publish(self, outgoing: Outgoing) -> MQTTMessageInfo:
        return self._client.publish(outgoing.topic, outgoing.payload, qos=_QOS)

    def _leave(self) -> None:
        """Say goodbye: a client that disconnects in order leaves no last will behind."""
        if self._client.is_connected():
            farewell = self._client.publish(self._status_topic, b"offline", qos=_QOS, retain=True)
            # The broker may be gone by now, and then its last will has said goodbye.
            with suppress(RuntimeError, ValueError):
                farewell.wait_for_publish(_GOODBYE_S)
        self._client.disconnect()
        self._client.loop_stop()
        # Without its callback the client is in no cycle of references, and closes its sockets
        # itself before the garbage collector finds them open.
        self._client.on_connect = self._client.on_message = None
