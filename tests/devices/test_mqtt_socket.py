"""Reading ahead and sending whole: the bytes are the same, in fewer calls."""

import socket
import threading
from datetime import UTC, datetime

import pytest
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from devices.mqtt import Broker, Listener
from devices.mqtt_socket import BufferedSocket
from navigate_safer.demo.servers import Mosquitto, until

PATIENCE_S = 20.0


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    yield BufferedSocket(ours), theirs
    ours.close()
    theirs.close()


def test_what_came_at_once_is_read_in_the_pieces_that_are_asked_for(pair):
    ours, theirs = pair
    theirs.sendall(b"abcdef")
    assert (ours.recv(1), ours.recv(3), ours.recv(10)) == (b"a", b"bcd", b"ef")
    with pytest.raises(BlockingIOError):
        ours.recv(1)


def test_a_packet_is_at_hand_when_all_of_it_has_come(pair):
    ours, theirs = pair
    theirs.sendall(b"\x40\x02ab\x40\x02c")
    assert ours.fill()
    head, begin, end = ours.whole()
    assert (head, ours.cut(begin, end)) == (0x40, b"ab")
    assert (ours.whole(), ours.pending()) == (None, 0)
    theirs.sendall(b"d")
    assert ours.fill()
    _, begin, end = ours.whole()
    assert ours.pending() == 4
    assert ours.cut(begin, end) == b"cd"


def test_the_end_of_a_connection_is_read_as_nothing(pair):
    ours, theirs = pair
    theirs.sendall(b"last")
    theirs.close()
    assert (ours.recv(100), ours.recv(100)) == (b"last", b"")


def test_more_than_the_kernel_takes_is_sent_as_it_is_read(pair):
    ours, theirs = pair
    data = bytes(range(256)) * 40_000
    read = bytearray()

    def reads() -> None:
        while len(read) < len(data):
            read.extend(theirs.recv(65_536))

    reader = threading.Thread(target=reads)
    reader.start()
    assert ours.send(data) == len(data), "never a part: another packet would come in between"
    reader.join(PATIENCE_S)
    assert bytes(read) == data


def test_a_connection_that_is_gone_is_said(pair):
    ours, theirs = pair
    theirs.close()
    with pytest.raises(OSError, match=r"pipe|reset"):
        ours.send(b"x")


# Memory while nothing is taken


@pytest.fixture
def listener_of(mosquitto: Mosquitto, request):
    made = []

    def make(**more) -> Listener:
        broker = Broker("127.0.0.1", mosquitto.port, request.node.name)
        listener = Listener(broker, ["flood/#"], lambda: datetime.now(UTC), **more)
        listener.start()
        made.append(listener)
        assert until(lambda: listener.connected_since is not None, within_s=PATIENCE_S)
        return listener

    yield make
    for each in made:
        each.stop()


def publish(mosquitto: Mosquitto, count: int, size: int) -> None:
    client = Client(CallbackAPIVersion.VERSION2, client_id="flood", protocol=MQTTv5)
    client.connect("127.0.0.1", mosquitto.port)
    client.loop_start()
    sent = [client.publish("flood/x", b"%08d" % n + bytes(size), qos=1) for n in range(count)]
    for each in sent:
        each.wait_for_publish(PATIENCE_S)
    client.disconnect()
    client.loop_stop()


def test_no_more_bytes_are_read_than_may_wait_and_all_of_them_in_the_end(listener_of, mosquitto):
    listener = listener_of(most_bytes=100_000)
    publish(mosquitto, 60, 10_000)
    assert until(lambda: listener.waiting_bytes > 100_000, within_s=PATIENCE_S)
    assert listener.waiting <= 11
    numbers = []

    def all_taken() -> bool:
        taken = listener.take(4, 0.1)
        assert listener.waiting_bytes <= 120_000
        listener.acknowledge(taken)
        numbers.extend(int(each.payload[:8]) for each in taken)
        return len(numbers) == 60

    assert until(all_taken, within_s=PATIENCE_S)
    assert numbers == list(range(60))
    assert listener.waiting_bytes == 0


def test_what_a_new_connection_brings_again_is_taken_again_and_nothing_is_dropped(
    listener_of, mosquitto
):
    """A message that had expired meanwhile would not come again: so what waits here is kept."""
    listener = listener_of()
    publish(mosquitto, 50, 10)
    assert until(lambda: listener.waiting == 50, within_s=PATIENCE_S)
    taken = listener.take(10, 0.1)
    since = listener.connected_since
    mosquitto.restart()
    back = lambda: listener.connected_since not in (None, since)  # noqa: E731
    assert until(back, within_s=PATIENCE_S)
    # The forty that waited, and all fifty again: the store knows a repeat.
    assert until(lambda: listener.waiting == 90, within_s=PATIENCE_S)
    again = listener.take(100, 0.1)
    payloads = [each.payload for each in again]
    assert set(payloads) >= {each.payload for each in taken}
    assert len(set(payloads)) == 50
    assert listener.waiting_bytes == 0
