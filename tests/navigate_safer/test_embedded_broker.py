"""The embedded broker with real clients, and the simulated gateways through it."""

import queue
import socket
import threading
from datetime import UTC, datetime, timedelta

import pytest
from paho.mqtt.client import Client, MQTTv5, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion

from navigate_safer.demo.broker import BrokerFault, EmbeddedBroker
from navigate_safer.demo.cohort import build_cohort
from navigate_safer.demo.gateways import run_gateways
from navigate_safer.demo.scripts import build_plan

PATIENCE_S = 10


@pytest.fixture
def broker():
    with EmbeddedBroker() as started:
        yield started


def part(client):
    """Disconnect, and let go of the callbacks.

    A client in a cycle of references has its sockets collected before it can close them.
    """
    client.disconnect()
    client.loop_stop()
    client.on_connect = client.on_message = client.on_subscribe = None


class Talker:
    """A client on its own network thread; what arrives is in ``heard``, unacknowledged."""

    def __init__(self, broker, name, *, persistent=False, topic=None):
        self.heard = queue.Queue()
        self._ready = threading.Event()
        self._topic = topic
        self.client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=name,
            clean_session=not persistent,
            protocol=MQTTv311,
            manual_ack=True,
        )
        self.client.on_message = lambda _client, _data, message: self.heard.put(message)
        self.client.on_connect = self._on_connect
        self.client.on_subscribe = lambda *_: self._ready.set()
        self.client.connect(broker.host, broker.port)
        self.client.loop_start()
        assert self._ready.wait(PATIENCE_S)

    def _on_connect(self, client, _data, flags, *_):
        self.session_present = flags.session_present
        if self._topic:
            client.subscribe(self._topic if isinstance(self._topic, list) else [(self._topic, 1)])
        # The broker answers a subscription only when the kept messages have been acknowledged.
        if flags.session_present or not self._topic:
            self._ready.set()

    def say(self, topic, payload, *, retain=False):
        self.client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(PATIENCE_S)

    def hear(self):
        message = self.heard.get(timeout=PATIENCE_S)
        self.client.ack(message.mid, message.qos)
        return message.topic, bytes(message.payload)

    def leave(self):
        part(self.client)


@pytest.fixture
def talker(broker):
    made = []

    def make(name, **options):
        made.append(Talker(broker, name, **options))
        return made[-1]

    yield make
    for each in made:
        each.leave()


def test_messages_arrive_in_order_at_a_subscriber_that_acknowledges_by_hand(talker):
    ingest = talker("ingest", persistent=True, topic="telemetry/v1/+/+")
    gateway = talker("gw-1")
    for number in range(200):
        gateway.client.publish("telemetry/v1/gw-1/TAG-1", str(number), qos=1)
    heard = [ingest.hear() for _ in range(200)]
    assert heard == [("telemetry/v1/gw-1/TAG-1", str(number).encode()) for number in range(200)]


def test_a_persistent_session_keeps_what_arrives_while_its_client_is_away(talker):
    talker("ingest", persistent=True, topic="telemetry/#").leave()
    gateway = talker("gw-1")
    for number in range(20):
        gateway.say("telemetry/v1/gw-1/TAG-1", str(number))
    back = talker("ingest", persistent=True, topic="telemetry/#")
    assert back.session_present
    assert {back.hear()[1] for _ in range(20)} == {str(number).encode() for number in range(20)}


def test_a_gateway_s_status_is_retained_for_a_later_subscriber(talker):
    talker("gw-1").say("status/v1/gw-1", b"online", retain=True)
    assert talker("ingest", topic="status/v1/+").hear() == ("status/v1/gw-1", b"online")


def test_a_client_of_mqtt_5_is_refused_and_told_why(broker):
    told = queue.Queue()
    client = Client(CallbackAPIVersion.VERSION2, client_id="gw-5", protocol=MQTTv5)
    client.on_connect = lambda _client, _data, _flags, reason, _properties: told.put(str(reason))
    client.connect(broker.host, broker.port)
    client.loop_start()
    try:
        assert told.get(timeout=PATIENCE_S) == "Unsupported protocol version"
    finally:
        part(client)


def test_a_taken_port_is_named_with_what_to_do():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(BrokerFault, match=rf"port {port} .*choose another port"):
            EmbeddedBroker(port=port).start()


def test_it_can_be_started_again_and_leaves_no_thread():
    before = threading.active_count()
    broker = EmbeddedBroker()
    for _ in range(2):
        broker.start()
        assert broker.port > 0
        with pytest.raises(BrokerFault, match="already started"):
            broker.start()
        broker.stop()
    broker.stop()
    assert threading.active_count() == before


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7"])
def test_it_serves_this_machine_only(host):
    with pytest.raises(ValueError, match="loopback only"):
        EmbeddedBroker(host)


def test_the_port_is_unknown_before_the_start():
    with pytest.raises(BrokerFault, match="before start"):
        EmbeddedBroker().port  # noqa: B018


class RunningGateways:
    """The gateways of a case file in a thread; stopped and joined at the end."""

    def __init__(self, broker, casefile, plan, clock, **options):
        self._stop = threading.Event()
        self._faults = []

        def run():
            try:
                run_gateways(
                    broker.host, broker.port, casefile, plan, clock, 1.0, self._stop, **options
                )
            except Exception as fault:
                self._faults.append(fault)

        self._thread = threading.Thread(target=run)
        self._thread.start()

    def stop(self):
        self._stop.set()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()
        assert self._faults == []


def test_gateways_report_online_send_the_first_breach_and_say_goodbye(broker, talker):
    start = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)
    casefile = build_cohort(seed=1, start=start)
    plan = build_plan(casefile, seed=1, start=start, lasts=timedelta(hours=1))
    first = next(each for each in plan.breaches if each.kind == "exclusion_breach")
    ingest = talker("ingest", persistent=True, topic=[("telemetry/v1/+/+", 1), ("status/v1/+", 1)])
    running = RunningGateways(broker, casefile, plan, lambda: start + timedelta(seconds=21))
    expected = {f"status/v1/{gateway.ref}" for gateway in casefile.gateways}
    online, found = set(), False
    while not (found and online == expected):
        topic, payload = ingest.hear()
        if payload == b"online":
            online.add(topic)
        found = found or (topic.endswith(first.device) and b"2026-11-21T22:00:20Z" in payload)
    running.stop()
    offline = set()
    while offline != expected:
        topic, payload = ingest.hear()
        if payload == b"offline":
            offline.add(topic)


def test_a_speed_of_nothing_is_refused(broker):
    start = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)
    casefile = build_cohort(seed=1, start=start)
    plan = build_plan(casefile, seed=1, start=start, lasts=timedelta(minutes=20))
    with pytest.raises(ValueError, match="speed must be above 0"):
        run_gateways(
            broker.host, broker.port, casefile, plan, lambda: start, 0.0, threading.Event()
        )
