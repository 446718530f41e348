"""Two processes of intake at once, as after a unit that was started twice: seen, and harmless."""

import contextlib
import gc
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from case_files import INSIDE, small_case_file
from databases import Database
from publisher import Publisher
from servers import Mosquitto, until
from watch import VOICE

from navigate_safer.db.alerting import AlertRow, EpisodeRow
from navigate_safer.db.reading_rows import FixRow
from navigate_safer.db.telemetry import HeartbeatRow
from navigate_safer.people.access import Role, Scope
from navigate_safer.services import health, heartbeats, monitor, oversight, register
from navigate_safer.services.health import State
from navigate_safer.settings import Settings
from navigate_safer.wiring import Service
from navigate_safer.workers.ingest import IngestWorker
from navigate_safer.workers.loop import Stop

PATIENCE_S = 60.0
OUT, IN = 300, 30
ADMINISTRATOR = Scope(1, Role.SYSTEM_ADMINISTRATOR, frozenset())


@contextlib.contextmanager
def intake(database: Database, broker: Mosquitto, session: str) -> Iterator[None]:
    """A worker in a thread, subscribed under a session name of its own."""
    environ = {
        "NAVIGATE_SAFER_DATABASE_URL": database.url,
        "NAVIGATE_SAFER_MQTT_PORT": str(broker.port),
        "NAVIGATE_SAFER_MQTT_CLIENT_ID": session,
    }
    thresholds = gc.get_threshold()
    service, stop = Service(Settings.from_env(environ)), Stop()
    thread = threading.Thread(target=IngestWorker(service).run, args=(stop,))
    thread.start()
    try:
        assert until(lambda: connected(database, session), within_s=PATIENCE_S)
        yield
    finally:
        stop.set()
        thread.join()
        service.close()
        gc.set_threshold(*thresholds)


def connected(database: Database, session: str) -> bool:
    beats = database.all(HeartbeatRow, HeartbeatRow.worker == "ingest")
    return any(each.connected_since and each.instance.startswith(session) for each in beats)


def judge(database: Database) -> None:
    while (judged := monitor.judge_next(database.sessions, datetime.now(UTC), VOICE)) is not None:
        assert judged.failed is None


def test_two_processes_of_intake_double_nothing_and_the_service_says_that_there_are_two(
    database: Database, mosquitto: Mosquitto
) -> None:
    now = datetime.now(UTC)
    register.register(database.sessions, small_case_file(), now)
    one, other = (f"{name}-intake-{database.kind}" for name in ("one", "other"))
    start = now.replace(microsecond=0) - timedelta(seconds=2 * OUT + IN)
    with intake(database, mosquitto, one), intake(database, mosquitto, other):
        gateway = Publisher(mosquitto.port, start)
        gateway.publish(OUT)
        judge(database)
        gateway.publish(IN, INSIDE)
        gateway.publish(OUT)
        assert until(lambda: database.count(FixRow) >= gateway.sent, within_s=PATIENCE_S)
        gateway.end()
        judge(database)

        lines = oversight.see_operations(
            database.sessions, ADMINISTRATOR, now, datetime.now(UTC)
        ).workers
        intakes = [each.instance for each in lines if each.worker == "ingest"]
        assert len(intakes) == 2
        checks = health.look(database.sessions, datetime.now(UTC), datetime.now(UTC))
        [said] = [each for each in checks if each.name == "intake processes"]
        assert said.state is State.WARNING
        assert said.text.startswith("2 processes of intake are running")
    # Both have taken and acknowledged everything: what waits with neither is with nobody.
    assert database.count(FixRow) == gateway.sent
    assert database.count(EpisodeRow, EpisodeRow.kind == "exclusion_breach") == 1
    assert database.count(AlertRow) == 1


def test_of_two_processes_one_that_is_connected_and_keeps_up_is_a_feed(database: Database) -> None:
    now = datetime.now(UTC)
    long_since = now - timedelta(hours=1)
    heartbeats.beat(database.sessions, "ingest", now, instance="a", connected_since=long_since)
    heartbeats.beat(database.sessions, "ingest", now, instance="b", fault="OperationalError")
    assert heartbeats.feed_is_up(database.sessions, now)
    # The one that keeps up has ended; the other has not connected.
    later = now + timedelta(minutes=2)
    heartbeats.beat(database.sessions, "ingest", later, instance="b")
    assert not heartbeats.feed_is_up(database.sessions, later)


def test_what_an_ended_process_left_is_not_counted_and_is_cleared_by_a_later_start(
    database: Database,
) -> None:
    now = datetime.now(UTC)
    heartbeats.beat(database.sessions, "ingest", now, instance="a", connected_since=now)
    soon = now + timedelta(seconds=90)
    heartbeats.beat(database.sessions, "ingest", soon, instance="b", connected_since=soon)
    found = health.look(database.sessions, soon, soon)
    assert [each.name for each in found if each.name.startswith("worker: ingest")] == [
        "worker: ingest"
    ]
    assert "intake processes" not in {each.name for each in found}
    much_later = now + timedelta(minutes=30)
    heartbeats.beat(database.sessions, "ingest", much_later, instance="c")
    assert [row.instance for row in database.all(HeartbeatRow)] == ["c"]
