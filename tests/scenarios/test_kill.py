"""kill -9 of the workers in the middle of a stream: nothing lost, nothing doubled.

The real commands run as processes of their own against a real broker, on both databases.
"""

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import case_files
import msgspec
from case_files import INSIDE, OUTSIDE, Place
from databases import Database
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from navigate_safer.db.alerting import AlertRow, EpisodeRow, TextRow
from navigate_safer.db.reading_rows import FixRow
from navigate_safer.db.telemetry import HeartbeatRow, PendingRow
from navigate_safer.demo.servers import Mosquitto, until
from navigate_safer.people.casefile import Fitting
from navigate_safer.services import register

WEARERS = 15
FIXES_EACH = 120
VISITS = 2
# In and out of the zone twice; a fix each 20 s, so that no leg is a gap.
IN_THE_ZONE = frozenset([*range(30, 40), *range(80, 95)])
STEP = timedelta(seconds=20)
RATE_PER_S = 250.0
KILLS = ("ingest", "monitor", "ingest", "monitor", "ingest")
PATIENCE_S = 90.0


class Workers:
    """The worker processes; a killed one is started again at once."""

    def __init__(self, database: Database, broker: Mosquitto) -> None:
        self._environ = {
            **{name: text for name, text in os.environ.items() if "NAVIGATE_SAFER" not in name},
            "NAVIGATE_SAFER_DATABASE_URL": database.url,
            "NAVIGATE_SAFER_MQTT_PORT": str(broker.port),
            "NAVIGATE_SAFER_MQTT_CLIENT_ID": f"kill-{database.kind}",
            "NAVIGATE_SAFER_LOG_LEVEL": "error",
        }
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, command: str) -> None:
        arguments = [sys.executable, "-m", "navigate_safer", command]
        self._running[command] = subprocess.Popen(arguments, env=self._environ)

    def kill(self, command: str) -> None:
        self._running[command].kill()
        self._running[command].wait()
        self.start(command)

    def end(self) -> None:
        for process in self._running.values():
            process.kill()
            process.wait()


@contextlib.contextmanager
def workers(database: Database, broker: Mosquitto) -> Iterator[Workers]:
    running = Workers(database, broker)
    try:
        for command in ("ingest", "monitor"):
            running.start(command)
        yield running
    finally:
        running.end()


def test_killed_workers_lose_no_reading_and_double_no_alert(
    database: Database, mosquitto: Mosquitto
) -> None:
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)
    _register(database, start)
    with workers(database, mosquitto) as running:
        assert until(lambda: _subscribed(database), within_s=PATIENCE_S)
        publishing = threading.Thread(target=_publish, args=(mosquitto.port, start))
        publishing.start()
        published = WEARERS * FIXES_EACH
        for number, command in enumerate(KILLS, start=1):
            # Each falls at its share of the stream, wherever in its work the worker is then.
            share = published * number // (len(KILLS) + 2)
            assert until(lambda share=share: database.count(FixRow) >= share, within_s=PATIENCE_S)
            running.kill(command)
        publishing.join(PATIENCE_S)
        assert not publishing.is_alive()
        done = until(lambda: _all_done(database, published), within_s=PATIENCE_S)
    assert done, f"{database.count(FixRow)} of {published} fixes stored"
    assert database.count(FixRow) == published
    assert {row.variant for row in database.all(FixRow)} == {0}
    alerts = WEARERS * VISITS
    assert database.count(EpisodeRow, EpisodeRow.withdrawn.is_(False)) == alerts
    assert database.count(EpisodeRow, EpisodeRow.ended_at.is_(None)) == 0
    assert database.count(AlertRow) == alerts
    assert database.count(TextRow, TextRow.step == 0) == alerts


def _register(database: Database, start: datetime) -> None:
    now = datetime.now(UTC)
    register.register(database.sessions, case_files.small_case_file(), now)
    for number in range(WEARERS):
        exclusion = case_files.condition(
            f"CX-{number}",
            case_files.ConditionKind.EXCLUSION_ZONE,
            case_files.Severity.HIGH,
            zone="Z-1",
            from_at=start - timedelta(days=1),
        )
        one = case_files.one_more_wearer(number, conditions=[exclusion])
        worn = [Fitting(f"TAG-X{number}", start - timedelta(days=1))]
        wearer = msgspec.structs.replace(one.wearers[0], fittings=worn)
        one = msgspec.structs.replace(one, wearers=[wearer])
        register.register(database.sessions, one, now)


def _subscribed(database: Database) -> bool:
    beats = database.all(HeartbeatRow, HeartbeatRow.worker == "ingest")
    return bool(beats) and beats[0].connected_since is not None


def _all_done(database: Database, published: int) -> bool:
    return database.count(FixRow) >= published and database.count(PendingRow) == 0


def _publish(port: int, start: datetime) -> None:
    """Every wearer's day, step by step, each message acknowledged by the broker in the end."""
    client = Client(CallbackAPIVersion.VERSION2, client_id="kill-publisher", protocol=MQTTv5)
    client.connect("127.0.0.1", port)
    client.loop_start()
    pause = threading.Event()
    sent = []
    try:
        for step in range(FIXES_EACH):
            for number in range(WEARERS):
                payload = _payload(f"TAG-X{number}", start + STEP * step, step)
                topic = f"telemetry/v1/gw-west/TAG-X{number}"
                sent.append(client.publish(topic, payload, qos=1))
                pause.wait(1 / RATE_PER_S)
        for each in sent:
            each.wait_for_publish(PATIENCE_S)
    finally:
        client.disconnect()
        client.loop_stop()


def _payload(device: str, at: datetime, step: int) -> bytes:
    # A little apart at each step, so that no two fixes of a wearer are the same.
    near = INSIDE if step in IN_THE_ZONE else OUTSIDE
    place = Place(near.lat + step * 1e-6, near.lon)
    readings = [case_files.fix(at, place)]
    return msgspec.json.encode({"v": 1, "device": device, "seq": step, "readings": readings})
