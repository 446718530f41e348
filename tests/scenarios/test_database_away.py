"""The database stops while devices go on sending: the broker keeps it, and all of it arrives once.

The real ``ingest`` command against a real broker and a PostgreSQL server of the test's own.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import case_files
import msgspec
import pytest
from absent import absent
from case_files import OUTSIDE, Place
from databases import Database, migrate
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from prometheus_client.parser import text_string_to_metric_families as parse
from servers import HOST, Missing, Mosquitto, PostgreSQL, free_port, until

from devices.mqtt import IN_FLIGHT
from navigate_safer.db.reading_rows import FixRow
from navigate_safer.db.telemetry import HeartbeatRow
from navigate_safer.services import health, register
from navigate_safer.services.health import State

BEFORE, AWAY, AFTER = 500, 3_500, 500
# Messages in flight are some megabytes; the rest is what any process takes for a while.
MOST_GROWTH_MB = 80
PATIENCE_S = 30.0


class OwnPostgreSQL(PostgreSQL):
    """A server that can be stopped and started again with what it has."""

    def halt(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        self._process.wait(PATIENCE_S)

    def resume(self) -> None:
        self._process = self._serve(self._folder / "data")
        assert until(self._answers_or_ended, within_s=PATIENCE_S)


@pytest.fixture
def server() -> Iterator[OwnPostgreSQL]:
    try:
        own = OwnPostgreSQL()
    except Missing as missing:
        absent(missing)
    yield own
    own.stop()


@contextlib.contextmanager
def intake(url: str, broker: Mosquitto, metrics_port: int) -> Iterator["subprocess.Popen[bytes]"]:
    environ = {
        **{name: text for name, text in os.environ.items() if "NAVIGATE_SAFER" not in name},
        "NAVIGATE_SAFER_DATABASE_URL": url,
        "NAVIGATE_SAFER_MQTT_PORT": str(broker.port),
        "NAVIGATE_SAFER_MQTT_CLIENT_ID": "database-away",
        "NAVIGATE_SAFER_LOG_LEVEL": "error",
        "NAVIGATE_SAFER_METRICS_PORT": str(metrics_port),
    }
    running = subprocess.Popen([sys.executable, "-m", "navigate_safer", "ingest"], env=environ)
    try:
        yield running
    finally:
        running.kill()
        running.wait()


class Publisher:
    """A gateway that goes on, whatever happens behind the broker."""

    def __init__(self, port: int, start: datetime) -> None:
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="gw-west", protocol=MQTTv5)
        self._client.max_inflight_messages_set(500)
        self._free = threading.Semaphore(400)
        self._client.on_publish = lambda *_: self._free.release()
        self._client.connect(HOST, port)
        self._client.loop_start()
        self._start, self.sent = start, 0

    def publish(self, count: int) -> None:
        """Send so many; the last one is with the broker when this returns."""
        last = None
        for _ in range(count):
            self._free.acquire()
            # A little apart, so that no two are the same.
            place = Place(OUTSIDE.lat + self.sent * 1e-7, OUTSIDE.lon)
            reading = case_files.fix(self._start + timedelta(seconds=self.sent), place)
            document = {"v": 1, "device": "TAG-1", "seq": self.sent, "readings": [reading]}
            payload = msgspec.json.encode(document)
            last = self._client.publish("telemetry/v1/gw-west/TAG-1", payload, qos=1)
            self.sent += 1
        assert last is not None
        last.wait_for_publish(PATIENCE_S)

    def end(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def resident_mb(process: "subprocess.Popen[bytes]") -> float:
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    [kilobytes] = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")]
    return int(kilobytes) / 1024


def figure(port: int, name: str) -> float | None:
    """The sum of one figure of the worker; None where it has none."""
    with urllib.request.urlopen(f"http://{HOST}:{port}/metrics", timeout=10) as answer:
        families = {family.name: family for family in parse(answer.read().decode())}
    found = families.get(f"navigate_safer_{name}")
    if found is None or not found.samples:
        return None
    return sum(sample.value for sample in found.samples)


def test_what_comes_while_the_database_is_away_arrives_once_and_memory_is_bounded(
    server: OwnPostgreSQL, mosquitto: Mosquitto
) -> None:
    url, port = server.create("away"), free_port()
    migrate(url)
    database = Database("postgresql", url)
    now = datetime.now(UTC)
    start = now.replace(microsecond=0) - timedelta(hours=3)
    register.register(database.sessions, case_files.small_case_file(), now)
    with intake(url, mosquitto, port) as worker:
        assert until(lambda: subscribed(database), within_s=PATIENCE_S)
        publisher = Publisher(mosquitto.port, start)
        publisher.publish(BEFORE)
        assert until(lambda: database.count(FixRow) == BEFORE, within_s=PATIENCE_S)
        before_mb = resident_mb(worker)

        server.halt()
        publisher.publish(AWAY)
        assert until(lambda: (figure(port, "waiting_messages") or 0) > 0, within_s=PATIENCE_S)
        assert worker.poll() is None, "intake goes on trying"
        assert figure(port, "waiting_messages") <= IN_FLIGHT
        assert resident_mb(worker) - before_mb < MOST_GROWTH_MB
        [check] = health.look(database.sessions, now, now)
        assert check.state is State.FAULT
        assert "kept by the broker" in check.text

        server.resume()
        publisher.publish(AFTER)
        arrived = until(lambda: database.count(FixRow) >= publisher.sent, within_s=PATIENCE_S)
        publisher.end()
        assert arrived, f"{database.count(FixRow)} of {publisher.sent}"
    database.engine.dispose()
    assert database.count(FixRow) == publisher.sent == BEFORE + AWAY + AFTER
    times = {row.measured_at for row in database.all(FixRow)}
    assert times == {start + timedelta(seconds=number) for number in range(publisher.sent)}
    database.engine.dispose()


def subscribed(database: Database) -> bool:
    beats = database.all(HeartbeatRow, HeartbeatRow.worker == "ingest")
    return bool(beats) and beats[0].connected_since is not None
