"""A command to a device through a real broker and the real workers, one of which is killed.

``mosquitto_sub`` is the gateway, with a session of its own, and ``mosquitto_pub`` its answer.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import case_files
import msgspec
import pytest
from case_files import OUTSIDE, small_case_file
from databases import Database
from servers import HOST, Mosquitto, until

from devices.command import CommandKind
from devices.mqtt_broker import Broker
from devices.mqtt_publish import Published, Publisher
from navigate_safer.db.audit import AuditRow
from navigate_safer.db.commands import CommandHistoryRow, CommandRow
from navigate_safer.db.people import AreaRow, StaffRow
from navigate_safer.db.reading_rows import FixRow
from navigate_safer.db.telemetry import HeartbeatRow
from navigate_safer.demo.broker import EmbeddedBroker
from navigate_safer.people.access import Role, Scope
from navigate_safer.people.casefile import CaseFile, Fitting
from navigate_safer.services import commands, register
from navigate_safer.services.commands import Asked, CommandPolicy, Wanted

PATIENCE_S = 60.0
TOPIC = "command/v1/gw-west/TAG-1"


def need_clients() -> None:
    if shutil.which("mosquitto_sub") and shutil.which("mosquitto_pub"):
        return
    report = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
    report("mosquitto_sub and mosquitto_pub are missing: install mosquitto-clients")


class GatewaySession:
    """``mosquitto_sub`` on the gateway's commands, in MQTT 5, with a session the broker keeps."""

    def __init__(self, port: int) -> None:
        self.heard: list[dict] = []
        self._port = str(port)
        arguments = [
            "mosquitto_sub", "-h", HOST, "-p", str(port), "-V", "5", "-q", "1", "-i", "gw-west",
            "-c", "-x", "600", "-t", "command/v1/gw-west/#",
            "-F", '{"t": "%t", "p": %p, "e": "%E"}',
        ]  # fmt: skip
        self._process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        for line in self._process.stdout:
            self.heard.append(json.loads(line))

    def end(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._thread.join()
        self._process.stdout.close()
        # A clean start ends the session, so that no later test finds this gateway listening.
        clean = ["mosquitto_sub", "-h", HOST, "-p", self._port, "-V", "5", "-i", "gw-west"]
        subprocess.run([*clean, "-t", "none", "-E"], check=True, timeout=PATIENCE_S)


def publish(port: int, topic: str, document: object) -> None:
    subprocess.run(
        ["mosquitto_pub", "-h", HOST, "-p", str(port), "-V", "5", "-q", "1", "-t", topic, "-m",
         json.dumps(document)],
        check=True, timeout=PATIENCE_S,
    )  # fmt: skip


@contextmanager
def worker(command: str, database: Database, broker: Mosquitto) -> Iterator[subprocess.Popen]:
    environ = {
        **{name: text for name, text in os.environ.items() if "NAVIGATE_SAFER" not in name},
        "NAVIGATE_SAFER_DATABASE_URL": database.url,
        "NAVIGATE_SAFER_MQTT_PORT": str(broker.port),
        "NAVIGATE_SAFER_MQTT_CLIENT_ID": f"command-{database.kind}",
        "NAVIGATE_SAFER_LOG_LEVEL": "error",
    }
    process = subprocess.Popen([sys.executable, "-m", "navigate_safer", command], env=environ)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def fitted_now() -> CaseFile:
    case_file = small_case_file()
    west = case_file.wearers[0]
    now = datetime.now(UTC)
    return msgspec.structs.replace(
        case_file,
        wearers=[msgspec.structs.replace(west, fittings=[Fitting("TAG-1", now)])],
    )


def ask(database: Database) -> CommandRow:
    area = database.one(AreaRow, AreaRow.ref == "west").id
    officer = database.one(StaffRow, StaffRow.ref == "off-1").id
    scope = Scope(officer, Role.DUTY_OFFICER, frozenset({area}))
    wish = Wanted("TAG-1", CommandKind.LOCATE, reason="welfare check")
    policy = CommandPolicy(120, 12)
    asked = commands.ask(database.sessions, scope, "W-1", wish, datetime.now(UTC), policy)
    assert asked is Asked.QUEUED
    return database.one(CommandRow)


def beating(database: Database, name: str) -> bool:
    beats = database.all(HeartbeatRow, HeartbeatRow.worker == name)
    return bool(beats) and beats[0].connected_since is not None


def state(database: Database) -> str:
    return database.one(CommandRow).state


def test_a_locate_reaches_the_gateway_and_its_answer_the_page_though_the_sender_is_killed(
    database: Database, mosquitto: Mosquitto
) -> None:
    need_clients()
    register.register(database.sessions, fitted_now(), datetime.now(UTC))
    gateway = GatewaySession(mosquitto.port)
    try:
        row = ask(database)
        with worker("ingest", database, mosquitto):
            assert until(lambda: beating(database, "ingest"), within_s=PATIENCE_S)
            with worker("commands", database, mosquitto):
                assert until(lambda: len(gateway.heard) >= 1, within_s=PATIENCE_S)
                assert until(lambda: state(database) == "sent", within_s=PATIENCE_S)
                assert until(lambda: beating(database, "commands"), within_s=PATIENCE_S)
            # Killed. The device answers meanwhile: the broker keeps it for the sender's session.
            (heard,) = gateway.heard
            assert heard["t"] == TOPIC
            assert (heard["p"]["id"], heard["p"]["kind"]) == (row.name, "locate")
            assert 0 < int(heard["e"]) <= 120, "the broker drops it when it is over"
            ack = {"v": 1, "id": row.name, "status": "received"}
            publish(mosquitto.port, "ack/v1/gw-west/TAG-1", ack)
            at = datetime.now(UTC)
            fix = case_files.fix(at, OUTSIDE, accuracy_m=7.5)
            document = {"v": 1, "device": "TAG-1", "readings": [fix]}
            publish(mosquitto.port, "telemetry/v1/gw-west/TAG-1", document)
            assert until(lambda: database.count(FixRow) == 1, within_s=PATIENCE_S)
            with worker("commands", database, mosquitto):
                assert until(lambda: state(database) == "answered", within_s=PATIENCE_S)
    finally:
        gateway.end()
    answered = database.one(CommandRow)
    assert answered.answer_accuracy_m == 7.5
    assert abs((answered.answer_at - at).total_seconds()) < 0.002
    moves = [each.move for each in database.all(CommandHistoryRow)]
    assert moves[:2] == ["ask", "send"]
    assert moves[-1] == "answer"
    assert len(gateway.heard) == 1, "sent once: the first record was safe before the kill"
    assert database.count(AuditRow, AuditRow.what == "command: locate") == 1


def test_without_a_gateway_that_listens_it_is_said_and_tried_again(
    database: Database, mosquitto: Mosquitto
) -> None:
    register.register(database.sessions, fitted_now(), datetime.now(UTC))
    ask(database)
    with worker("commands", database, mosquitto):
        assert until(lambda: database.one(CommandRow).tries >= 2, within_s=PATIENCE_S)
    row = database.one(CommandRow)
    assert (row.state, row.fault) == ("queued", "nobody_listens")


def test_a_publisher_says_why_the_broker_has_nothing(mosquitto: Mosquitto) -> None:
    def publisher(**changes: object) -> Publisher:
        broker = Broker(HOST, mosquitto.port, "publisher-of-a-test")
        return Publisher(msgspec.structs.replace(broker, **changes))

    nobody = publisher(port=1)
    assert nobody.publish("command/v1/x/y", b"{}", expires_in_s=5) is Published.NOT_CONNECTED
    five = publisher(protocol="5")
    assert five.publish("command/v1/x/y", b"{}", expires_in_s=5) is Published.NOBODY_LISTENS
    five.close()
    older = publisher(protocol="3.1.1")
    assert older.publish("command/v1/x/y", b"{}", expires_in_s=5) is Published.ACCEPTED
    older.close()


def test_a_publisher_goes_on_after_the_broker_was_away(mosquitto: Mosquitto) -> None:
    publisher = Publisher(Broker(HOST, mosquitto.port, "publisher-of-a-test"))
    assert publisher.publish("command/v1/x/y", b"{}", expires_in_s=5) is Published.NOBODY_LISTENS
    mosquitto.restart()

    def works() -> bool:
        found = publisher.publish("command/v1/x/y", b"{}", expires_in_s=5)
        return found is Published.NOBODY_LISTENS

    assert until(works, within_s=PATIENCE_S)
    publisher.close()


def test_a_publisher_falls_back_where_the_broker_has_no_mqtt_5() -> None:
    with EmbeddedBroker() as broker:
        publisher = Publisher(Broker(broker.host, broker.port, "publisher-of-a-test"))
        for _ in range(2):
            found = publisher.publish("command/v1/x/y", b"{}", expires_in_s=5)
            assert found is Published.ACCEPTED
        publisher.close()
