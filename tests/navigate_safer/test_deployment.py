"""The shipped files: written by a command, and the broker's tried on a real Mosquitto."""

import queue
import threading

import pytest
from absent import absent
from click.testing import CliRunner
from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from servers import HOST, Missing, until
from shipped_broker import make_certificates, shipped_broker
from yaml import safe_load

from devices.codec import SUBSCRIPTIONS
from devices.command import ACK_SUBSCRIPTIONS, COMMAND
from devices.mqtt import IN_FLIGHT
from devices.quality import QualityLimits
from navigate_safer.cli import main
from navigate_safer.deployment import writing

PATIENCE_S = 10.0
NOT_AUTHORISED = 135


def run(*arguments):
    return CliRunner().invoke(main, ["deployment", *map(str, arguments)])


def test_every_file_is_written_and_said(tmp_path):
    folder = tmp_path / "new" / "folder"
    done = run(folder)
    assert done.exit_code == 0
    assert {path.name for path in folder.iterdir()} == set(writing.FILES)
    assert all(str(folder / name) in done.output for name in writing.FILES)


def test_what_somebody_has_edited_is_not_written_over(tmp_path):
    edited = tmp_path / "mosquitto.conf"
    edited.write_text("mine")
    done = run(tmp_path)
    assert done.exit_code == 2
    assert "mosquitto.conf" in done.output
    assert [path.name for path in tmp_path.iterdir()] == ["mosquitto.conf"], "all or none"
    assert edited.read_text() == "mine"
    assert run(tmp_path, "--force").exit_code == 0
    assert edited.read_text() == writing.content("mosquitto.conf")


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    done = run(tmp_path / "file")
    assert done.exit_code == 2
    assert done.output.count("\n") == 1


def directives():
    lines = writing.content("mosquitto.conf").splitlines()
    return dict(line.split(maxsplit=1) for line in lines if line and not line.startswith("#"))


def test_the_broker_keeps_and_hands_over_what_intake_counts_on():
    said = directives()
    assert (said["persistence"], said["autosave_on_changes"], said["autosave_interval"]) == (
        "true", "false", "1",
    ), "on changes it would write the whole queue after every message"  # fmt: skip
    assert said["max_queued_messages"] == "0"
    assert int(said["max_inflight_messages"]) >= IN_FLIGHT
    assert int(said["message_size_limit"]) > QualityLimits().max_payload_bytes
    assert said["require_certificate"] == "true"


def test_prometheus_finds_the_rules_beside_it():
    assert safe_load(writing.content("prometheus.yml"))["rule_files"] == ["alert-rules.yml"]


# Who may say and hear what, with real certificates on a real broker

GATEWAY, OTHER, SERVICE = "gw-a", "gw-b", "navigate-safer-ingest"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    make_certificates(folder, "broker", GATEWAY, OTHER, SERVICE)
    return folder


@pytest.fixture(scope="module")
def broker(certificates):
    try:
        with shipped_broker(certificates) as started:
            yield started
    except Missing as missing:
        absent(missing)


class Party:
    """A client with a certificate of its own, and whatever client id it likes."""

    def __init__(self, broker, certificates, name, *, client_id=None):
        self.heard: queue.Queue[MQTTMessage] = queue.Queue()
        self._granted: queue.Queue[int] = queue.Queue()
        self._acked: queue.Queue[int] = queue.Queue()
        self._up = threading.Event()
        self.client = Client(
            CallbackAPIVersion.VERSION2, client_id=client_id or name, protocol=MQTTv5
        )
        mine = (None, None)
        if name is not None:
            mine = (str(certificates / f"{name}.pem"), str(certificates / f"{name}.key"))
        self.client.tls_set(str(certificates / "ca.pem"), *mine)
        self.client.on_connect = lambda *_: self._up.set()
        self.client.on_message = lambda _c, _d, message: self.heard.put(message)
        self.client.on_subscribe = lambda _c, _d, _m, codes, _p: self._granted.put(codes[0].value)
        self.client.on_publish = lambda _c, _d, _m, code, _p: self._acked.put(code.value)
        self.client.connect(HOST, broker.port)
        self.client.loop_start()

    def __enter__(self):
        assert self._up.wait(PATIENCE_S)
        return self

    def __exit__(self, *_):
        self.client.disconnect()
        self.client.loop_stop()

    def publish(self, topic):
        """The reason code that the broker answers with: below 128 is good."""
        self.client.publish(topic, b"x", qos=1)
        return self._acked.get(timeout=PATIENCE_S)

    def subscribe(self, topic):
        self.client.subscribe(topic, 1)
        return self._granted.get(timeout=PATIENCE_S)


def test_the_service_hears_every_gateway_on_all_that_it_subscribes_to(broker, certificates):
    with (
        Party(broker, certificates, SERVICE) as service,
        Party(broker, certificates, GATEWAY) as gateway,
    ):
        for topic in (*SUBSCRIPTIONS, *ACK_SUBSCRIPTIONS):
            assert service.subscribe(topic) < 128
            own = topic.replace("+", GATEWAY, 1).replace("+", "TAG-1")
            assert gateway.publish(own) < 128
            assert service.heard.get(timeout=PATIENCE_S).topic == own


def test_no_gateway_speaks_for_another_whatever_its_client_id(broker, certificates):
    with Party(broker, certificates, GATEWAY, client_id=OTHER) as gateway:
        for topic in (*SUBSCRIPTIONS, *ACK_SUBSCRIPTIONS):
            anothers = topic.replace("+", OTHER, 1).replace("+", "TAG-1")
            assert gateway.publish(anothers) == NOT_AUTHORISED, anothers


def test_commands_go_from_the_service_to_their_own_gateway_only(broker, certificates):
    with (
        Party(broker, certificates, SERVICE) as service,
        Party(broker, certificates, GATEWAY) as gateway,
        Party(broker, certificates, OTHER) as other,
    ):
        gateway.subscribe(f"{COMMAND}/{GATEWAY}/#")
        other.subscribe(f"{COMMAND}/{GATEWAY}/#")
        assert service.publish(f"{COMMAND}/{GATEWAY}/TAG-1") < 128
        assert gateway.heard.get(timeout=PATIENCE_S).topic == f"{COMMAND}/{GATEWAY}/TAG-1"
        assert gateway.publish(f"{COMMAND}/{GATEWAY}/TAG-1") == NOT_AUTHORISED
        # Nothing of it came to the other, although a message of its own does.
        other.subscribe(f"{COMMAND}/{OTHER}/#")
        service.publish(f"{COMMAND}/{OTHER}/TAG-2")
        assert other.heard.get(timeout=PATIENCE_S).topic == f"{COMMAND}/{OTHER}/TAG-2"
        assert other.heard.empty()


def test_nobody_comes_in_without_a_certificate(broker, certificates):
    with pytest.raises(OSError, match=r".") as caught:  # noqa: PT012 - either call may be the one
        party = Party(broker, certificates, None, client_id=GATEWAY)
        try:
            # TLS 1.3 tells the client only when it reads.
            if not until(party._up.is_set, within_s=2.0):
                raise ConnectionRefusedError("never let in")
        finally:
            party.client.loop_stop()
    assert caught.value is not None
