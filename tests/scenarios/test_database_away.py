"""The database stops while devices go on sending: the broker keeps it, and all of it arrives once.

The real ``ingest`` command against a real broker and a PostgreSQL server of the test's own.
"""

import contextlib
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import case_files
import pytest
from absent import absent
from databases import Database, migrate
from prometheus_client.parser import text_string_to_metric_families as parse
from publisher import Publisher
from servers import HOST, Missing, Mosquitto, PostgreSQL, free_port, until
from sqlalchemy.exc import OperationalError

from devices.mqtt import IN_FLIGHT
from navigate_safer.db.reading_rows import FixRow
from navigate_safer.db.telemetry import HeartbeatRow
from navigate_safer.demo.servers import FORGETFUL
from navigate_safer.services import health, register
from navigate_safer.services.health import State

BEFORE, AWAY, AFTER = 500, 3_500, 500
# Messages in flight are some megabytes; the rest is what any process takes for a while.
MOST_GROWTH_MB = 80
PATIENCE_S = 30.0


@pytest.fixture
def server() -> Iterator[PostgreSQL]:
    try:
        # A server that is ended at once must have kept what it said was committed.
        own = PostgreSQL({**FORGETFUL, "synchronous_commit": "on"})
    except Missing as missing:
        absent(missing)
    yield own
    own.stop()


@contextlib.contextmanager
def intake(
    url: str, broker: Mosquitto, metrics_port: int, session: str
) -> Iterator["subprocess.Popen[bytes]"]:
    environ = {
        **{name: text for name, text in os.environ.items() if "NAVIGATE_SAFER" not in name},
        "NAVIGATE_SAFER_DATABASE_URL": url,
        "NAVIGATE_SAFER_MQTT_PORT": str(broker.port),
        "NAVIGATE_SAFER_MQTT_CLIENT_ID": session,
        "NAVIGATE_SAFER_LOG_LEVEL": "error",
        "NAVIGATE_SAFER_METRICS_PORT": str(metrics_port),
    }
    running = subprocess.Popen([sys.executable, "-m", "navigate_safer", "ingest"], env=environ)
    try:
        yield running
    finally:
        running.kill()
        running.wait()


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
    server: PostgreSQL, mosquitto: Mosquitto
) -> None:
    url, port = server.create("away"), free_port()
    migrate(url)
    database = Database("postgresql", url)
    now = datetime.now(UTC)
    start = now.replace(microsecond=0) - timedelta(hours=3)
    register.register(database.sessions, case_files.small_case_file(), now)
    with intake(url, mosquitto, port, "database-away") as worker:
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


# Once intake stood still after such an outage, with everything in flight that may be.
STOPS = {
    "in good order": signal.SIGINT,
    "at once": signal.SIGQUIT,
    "in good order again": signal.SIGINT,
}
IN_THE_STREAM, WHILE_IT_IS_AWAY = 1_500, 3_000


def test_intake_goes_on_each_time_the_database_stops_and_starts_under_load(
    server: PostgreSQL, mosquitto: Mosquitto
) -> None:
    url, port = server.create("away"), free_port()
    migrate(url)
    database = Database("postgresql", url)
    now = datetime.now(UTC)
    start = now.replace(microsecond=0) - timedelta(hours=8)
    register.register(database.sessions, case_files.small_case_file(), now)
    with intake(url, mosquitto, port, "stops-and-starts"):
        assert until(lambda: subscribed(database), within_s=PATIENCE_S)
        publisher = Publisher(mosquitto.port, start)
        for how in STOPS.values():
            # Not waited for: it stops in the middle of them.
            publisher.publish(IN_THE_STREAM)
            server.halt(how)
            publisher.publish(WHILE_IT_IS_AWAY)
            full = until(lambda: waiting(port) >= IN_FLIGHT - 1_000, within_s=PATIENCE_S)
            assert full, "as many are in flight as may be"
            server.resume()
            publisher.publish(1)
            arrived = until(lambda: stored(database) >= publisher.sent, within_s=PATIENCE_S)
            assert arrived, f"{stored(database)} of {publisher.sent}"
        publisher.end()
    assert stored(database) == publisher.sent
    times = {row.measured_at for row in database.all(FixRow)}
    assert times == {start + timedelta(seconds=number) for number in range(publisher.sent)}
    database.engine.dispose()


def waiting(port: int) -> float:
    """How many messages the worker has and could not store yet."""
    return figure(port, "waiting_messages") or 0


def stored(database: Database) -> int:
    """How many fixes there are; none while it cannot be asked."""
    try:
        return database.count(FixRow)
    except OperationalError:  # the pool's connections are of the server's last life
        return 0


def subscribed(database: Database) -> bool:
    beats = database.all(HeartbeatRow, HeartbeatRow.worker == "ingest")
    return bool(beats) and beats[0].connected_since is not None
