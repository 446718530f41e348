"""Intake from a real mosquitto: sessions, acknowledgement after commit, survival of faults."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from case_files import OUTSIDE, fix, small_case_file
from databases import Database
from paho.mqtt.client import Client, MQTTv5, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion

from devices.codec import SUBSCRIPTIONS
from devices.mqtt import Arrival, Listener
from devices.mqtt_broker import Broker
from navigate_safer.db.reading_rows import FixRow
from navigate_safer.db.telemetry import QuarantineRow
from navigate_safer.demo.servers import Mosquitto, until
from navigate_safer.services import register
from navigate_safer.settings import Settings
from navigate_safer.wiring import Service
from navigate_safer.workers.ingest import IngestWorker
from navigate_safer.workers.loop import Stop

PATIENCE_S = 20.0


def now() -> datetime:
    return datetime.now(UTC)


def numbered_fix(number: int) -> dict[str, object]:
    """A fix with a time of its own: several are published within one millisecond."""
    return fix(now() - timedelta(minutes=number), OUTSIDE)


def publish(port: int, *numbers: int, version: int = MQTTv5, device: str = "TAG-LENT") -> None:
    """One message for each number, acknowledged by the broker."""
    client = Client(CallbackAPIVersion.VERSION2, client_id=f"pub-{version}", protocol=version)
    client.connect("127.0.0.1", port)
    client.loop_start()
    for number in numbers:
        reading = numbered_fix(number)
        document = {"v": 1, "device": device, "seq": number, "readings": [reading]}
        topic = f"telemetry/v1/gw-west/{device}"
        client.publish(topic, json.dumps(document).encode(), qos=1).wait_for_publish(PATIENCE_S)
    client.disconnect()
    client.loop_stop()


def numbers_of(arrivals: list[Arrival]) -> list[int]:
    return [json.loads(each.payload)["seq"] for each in arrivals]


@pytest.fixture
def listening(
    mosquitto: Mosquitto, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Listener]]:
    """Makes listeners on one session; each is stopped at the end."""
    made: list[Listener] = []
    session = request.node.name

    def make(clock: Callable[[], datetime] = now, protocol: str = "auto") -> Listener:
        broker = Broker("127.0.0.1", mosquitto.port, session, protocol)
        listener = Listener(broker, SUBSCRIPTIONS, clock)
        listener.start()
        made.append(listener)
        assert until(lambda: listener.connected_since is not None, within_s=PATIENCE_S)
        return listener

    yield make
    for each in made:
        each.stop()


def collect(listener: Listener, count: int, *, acknowledge: bool = True) -> list[Arrival]:
    taken: list[Arrival] = []

    def enough() -> bool:
        fresh = listener.take(500, 0.05)
        if acknowledge:
            listener.acknowledge(fresh)
        taken.extend(fresh)
        return len(taken) >= count

    assert until(enough, within_s=PATIENCE_S), f"{len(taken)} of {count} arrived"
    return taken


@pytest.mark.parametrize("subscriber", ["5", "3.1.1", "auto"])
@pytest.mark.parametrize("publisher", [MQTTv5, MQTTv311], ids=["MQTT 5", "MQTT 3.1.1"])
def test_publishers_of_both_versions_are_read(
    listening: Callable[..., Listener], mosquitto: Mosquitto, subscriber: str, publisher: int
) -> None:
    listener = listening(protocol=subscriber)
    publish(mosquitto.port, 1, 2, 3, version=publisher)
    assert numbers_of(collect(listener, 3)) == [1, 2, 3]


def test_what_is_published_while_intake_is_down_arrives_afterwards(
    listening: Callable[..., Listener], mosquitto: Mosquitto
) -> None:
    listening().stop()
    publish(mosquitto.port, *range(50))
    assert numbers_of(collect(listening(), 50)) == list(range(50))


def test_what_was_not_acknowledged_comes_again_in_order(
    listening: Callable[..., Listener], mosquitto: Mosquitto
) -> None:
    first = listening()
    publish(mosquitto.port, 1, 2, 3, 4)
    taken = collect(first, 4, acknowledge=False)
    first.acknowledge(taken[:1])
    first.stop()
    assert numbers_of(collect(listening(), 3)) == [2, 3, 4]


def test_an_exception_in_a_callback_does_not_end_intake(
    listening: Callable[..., Listener], mosquitto: Mosquitto
) -> None:
    faults = [RuntimeError("planted")]
    armed = threading.Event()

    def clock() -> datetime:
        if armed.is_set() and faults:
            raise faults.pop()
        return now()

    listener = listening(clock)
    armed.set()
    publish(mosquitto.port, 1)
    publish(mosquitto.port, 2)
    assert set(numbers_of(collect(listener, 2))) == {1, 2}
    assert not faults, "the callback never ran into the fault"


def test_intake_comes_back_after_a_restart_of_the_broker(
    listening: Callable[..., Listener], mosquitto: Mosquitto
) -> None:
    listener = listening()
    publish(mosquitto.port, 1)
    collect(listener, 1)
    mosquitto.restart()
    publish(mosquitto.port, 2)
    assert numbers_of(collect(listener, 1)) == [2]
    # What the session held may come before the broker's answer to the subscription.
    assert until(lambda: listener.connected_since is not None, within_s=PATIENCE_S)


def test_a_broker_that_is_not_there_is_tried_again(mosquitto: Mosquitto) -> None:
    mosquitto.halt()
    changes: list[bool] = []
    broker = Broker("127.0.0.1", mosquitto.port, "patient")
    listener = Listener(broker, SUBSCRIPTIONS, now, lambda up, _fault: changes.append(up))
    listener.start()
    try:
        assert until(lambda: False in changes, within_s=PATIENCE_S)
        assert listener.connected_since is None
        assert mosquitto.start()
        assert until(lambda: listener.connected_since is not None, within_s=PATIENCE_S)
    finally:
        listener.stop()


def test_a_batch_that_cannot_be_stored_is_kept_and_not_acknowledged(
    database: Database, mosquitto: Mosquitto
) -> None:
    """The database is away when the first batch comes: nothing is lost, nothing is doubled."""
    settings = Settings.from_env(
        {
            "NAVIGATE_SAFER_DATABASE_URL": database.url,
            "NAVIGATE_SAFER_MQTT_PORT": str(mosquitto.port),
            "NAVIGATE_SAFER_MQTT_CLIENT_ID": f"away-{database.kind}",
        }
    )
    register.register(database.sessions, small_case_file(), now())
    service, stop = Service(settings), Stop()
    faults = [ConnectionError("the database is away")] * 2
    working = service.sessions

    class Away:
        """Sessions of a database that fails twice and then works."""

        def begin(self) -> object:
            if faults and threading.current_thread() is thread:
                raise faults.pop()
            return working.begin()

    worker = IngestWorker(service)
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()
    try:
        beats = until(lambda: database.counts()["heartbeats"] > 0, within_s=PATIENCE_S)
        assert beats
        service.sessions = Away()  # type: ignore[assignment]
        publish(mosquitto.port, *range(20))
        assert until(lambda: database.count(FixRow) == 20, within_s=PATIENCE_S)
    finally:
        stop.set()
        thread.join()
        service.close()
    assert not faults
    assert {row.variant for row in database.all(FixRow)} == {0}


def test_a_stream_with_garbage_in_it_keeps_every_good_reading(
    database: Database, mosquitto: Mosquitto
) -> None:
    settings = Settings.from_env(
        {
            "NAVIGATE_SAFER_DATABASE_URL": database.url,
            "NAVIGATE_SAFER_MQTT_PORT": str(mosquitto.port),
            "NAVIGATE_SAFER_MQTT_CLIENT_ID": f"garbage-{database.kind}",
        }
    )
    register.register(database.sessions, small_case_file(), now())
    service, stop = Service(settings), Stop()
    thread = threading.Thread(target=IngestWorker(service).run, args=(stop,))
    thread.start()
    client = Client(CallbackAPIVersion.VERSION2, client_id="garbage", protocol=MQTTv5)
    try:
        assert until(lambda: database.counts()["heartbeats"] > 0, within_s=PATIENCE_S)
        assert until(lambda: _connected(database), within_s=PATIENCE_S)
        client.connect("127.0.0.1", mosquitto.port)
        client.loop_start()
        bad = [b"{", b"\xff\xfe", b"[]", b'{"v": 2}', b"x" * 5_000_000]
        sent = []
        for number in range(200):
            good = {"v": 1, "device": "TAG-LENT", "seq": number, "readings": [numbered_fix(number)]}
            payload = bad[number // 10 % len(bad)] if number % 10 == 5 else json.dumps(good)
            sent.append(client.publish("telemetry/v1/gw-west/TAG-LENT", payload, qos=1))
        for each in sent:
            each.wait_for_publish(PATIENCE_S)
        assert until(lambda: database.count(FixRow) == 180, within_s=PATIENCE_S)
        assert until(lambda: _refusals(database) == 20, within_s=PATIENCE_S)
    finally:
        client.disconnect()
        client.loop_stop()
        stop.set()
        thread.join()
        service.close()


def _connected(database: Database) -> bool:
    with database.engine.connect() as connection:
        found = connection.exec_driver_sql("select connected_since from heartbeats").first()
        return found is not None and found[0] is not None


def _refusals(database: Database) -> int:
    return sum(each.times for each in database.all(QuarantineRow))
