"""A gateway that floods, and intake that dies between its commit and its acknowledgement.

The worker of intake against a real broker, on both databases.
"""

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec
from case_files import INSIDE, OUTSIDE, Place, fix, one_more_wearer, small_case_file
from databases import Database
from faulty_days import breaches_of, fixes_of
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from watch import VOICE

from devices.mqtt import IN_FLIGHT, Listener
from navigate_safer.db.reading_rows import FixRow
from navigate_safer.db.telemetry import HeartbeatRow, IngestBatchRow, QuarantineRow
from navigate_safer.demo.servers import HOST, Mosquitto, until
from navigate_safer.services import monitor, register
from navigate_safer.settings import Settings
from navigate_safer.wiring import Service
from navigate_safer.workers.ingest import IngestWorker
from navigate_safer.workers.loop import Stop

FLOOD, OTHERS = 20_000, 40
PATIENCE_S = 90.0
# Intake as it is, but that it is killed where it would acknowledge.
DIES_BEFORE_ACKNOWLEDGING = """
import os, signal
from navigate_safer.settings import Settings
from navigate_safer.wiring import Service
from navigate_safer.workers import ingest
from navigate_safer.workers.loop import Stop

class Mortal(Service):
    def listener(self, on_change):
        made = super().listener(on_change)
        made.acknowledge = lambda arrivals: os.kill(os.getpid(), signal.SIGKILL)
        return made

ingest.main(Mortal(Settings.from_env(os.environ)), Stop())
"""


class Watched(Service):
    """A service whose listener can be looked at."""

    made: Listener

    def listener(self, on_change):
        self.made = super().listener(on_change)
        return self.made


def environ(database: Database, broker: Mosquitto, session: str) -> dict[str, str]:
    return {
        **{name: text for name, text in os.environ.items() if "NAVIGATE_SAFER" not in name},
        "NAVIGATE_SAFER_DATABASE_URL": database.url,
        "NAVIGATE_SAFER_MQTT_PORT": str(broker.port),
        "NAVIGATE_SAFER_MQTT_CLIENT_ID": f"{session}-{database.kind}",
        "NAVIGATE_SAFER_LOG_LEVEL": "error",
    }


@contextlib.contextmanager
def intake(database: Database, broker: Mosquitto, session: str) -> Iterator[Watched]:
    """A worker in a thread, subscribed."""
    service, stop = Watched(Settings.from_env(environ(database, broker, session))), Stop()
    thread = threading.Thread(target=IngestWorker(service).run, args=(stop,))
    thread.start()
    try:
        assert until(lambda: service.made.connected_since is not None, within_s=PATIENCE_S)
        yield service
    finally:
        stop.set()
        thread.join()
        service.close()


class Gateway:
    """Publishes as fast as the broker takes it."""

    def __init__(self, broker: Mosquitto, name: str) -> None:
        self._name = name
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTv5)
        self._client.max_inflight_messages_set(1_000)
        self._client.connect(HOST, broker.port)
        self._client.loop_start()

    def publish(self, device: str, at: datetime, place: Place, number: int):
        document = {"v": 1, "device": device, "seq": number, "readings": [fix(at, place)]}
        topic = f"telemetry/v1/{self._name}/{device}"
        return self._client.publish(topic, msgspec.json.encode(document), qos=1)

    def end(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def start_of_the_day() -> datetime:
    return datetime.now(UTC).replace(microsecond=0) - timedelta(hours=8)


def judge(database: Database) -> None:
    while (judged := monitor.judge_next(database.sessions, datetime.now(UTC), VOICE)) is not None:
        assert judged.failed is None


def test_a_gateway_that_floods_loses_nothing_and_another_is_heard_meanwhile(
    database: Database, mosquitto: Mosquitto
) -> None:
    register.register(database.sessions, small_case_file(), datetime.now(UTC))
    register.register(database.sessions, one_more_wearer(0), datetime.now(UTC))
    begin = start_of_the_day()
    most: list[int] = []
    with intake(database, mosquitto, "flood") as service:
        flooding, other = Gateway(mosquitto, "gw-west"), Gateway(mosquitto, "gw-east")
        for n in range(FLOOD):
            place = Place(OUTSIDE.lat + n % 1_000 * 1e-7, OUTSIDE.lon)
            flooding.publish("TAG-1", begin + timedelta(seconds=n), place, n)
            if n % (FLOOD // OTHERS) == 0:
                near = INSIDE if n < FLOOD // 2 else OUTSIDE
                at = begin + timedelta(minutes=n // (FLOOD // OTHERS))
                other.publish("TAG-X0", at, near, n)
            most.append(service.made.waiting)

        def all_there() -> bool:
            most.append(service.made.waiting)
            return database.count(FixRow) == FLOOD + OTHERS

        assert until(all_there, within_s=PATIENCE_S), f"{database.count(FixRow)} are there"
        flooding.end()
        other.end()
    assert max(most) <= IN_FLIGHT
    assert {row.variant for row in database.all(FixRow)} == {0}
    assert database.count(QuarantineRow) == 0
    judge(database)
    assert len(fixes_of(database, "TAG-X0")) == OTHERS
    [(_, ended)] = breaches_of(database, "TAG-X0")
    assert ended is not None


def test_intake_killed_between_commit_and_acknowledgement_doubles_nothing(
    database: Database, mosquitto: Mosquitto
) -> None:
    register.register(database.sessions, small_case_file(), datetime.now(UTC))
    begin, count = start_of_the_day(), 300
    command = [sys.executable, "-c", DIES_BEFORE_ACKNOWLEDGING]
    dying = subprocess.Popen(command, env=environ(database, mosquitto, "dies"))
    try:
        assert until(lambda: _subscribed(database), within_s=PATIENCE_S)
        gateway = Gateway(mosquitto, "gw-west")
        for n in range(count):
            gateway.publish("TAG-1", begin + timedelta(seconds=60 * n), OUTSIDE, n)
        assert dying.wait(PATIENCE_S) == -9
    finally:
        dying.kill()
        dying.wait()
    committed = database.count(FixRow)
    assert 0 < committed <= count
    with intake(database, mosquitto, "dies"):
        assert until(lambda: database.count(FixRow) == count, within_s=PATIENCE_S)
        assert until(lambda: _received(database) == count + committed, within_s=PATIENCE_S)
        gateway.end()
    assert {row.variant for row in database.all(FixRow)} == {0}
    assert sum(row.repeated for row in database.all(IngestBatchRow)) == committed
    judge(database)


def _received(database: Database) -> int:
    return sum(row.messages for row in database.all(IngestBatchRow))


def _subscribed(database: Database) -> bool:
    beats = database.all(HeartbeatRow, HeartbeatRow.worker == "ingest")
    return bool(beats) and beats[0].connected_since is not None
