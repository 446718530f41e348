"""Reading ahead and sending whole: the bytes are the same, in fewer calls."""

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta

import pytest
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from devices.mqtt import Broker, Listener, left_to_gather_s
from devices.mqtt_socket import ENOUGH_MESSAGES, GATHER_S, BufferedClient, BufferedSocket
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


# How often the network's thread wakes


class Connected(BufferedClient):
    """On a connection that is there; notes its rests and takes none."""

    def __init__(self, connection: BufferedSocket) -> None:
        super().__init__(CallbackAPIVersion.VERSION2, manual_ack=True)
        self.connection = connection
        self.payloads: list[bytes] = []
        self.rests_s: list[float] = []
        self.take = lambda _topic, payload, _mid, _qos: self.payloads.append(payload)
        self.rest = self.rests_s.append

    def socket(self) -> BufferedSocket:
        return self.connection


def published(number: int) -> bytes:
    payload = b"%02d" % number
    return bytes((0x30, 3 + len(payload), 0, 1)) + b"t" + payload


def test_after_a_few_messages_the_next_are_left_to_gather(pair):
    ours, theirs = pair
    client = Connected(ours)
    theirs.sendall(published(1) + published(2))
    client.loop_read()
    assert (client.payloads, client.rests_s) == ([b"01", b"02"], [GATHER_S])


def test_many_that_came_at_once_are_followed_by_the_next_without_a_rest(pair):
    ours, theirs = pair
    client = Connected(ours)
    theirs.sendall(b"".join(published(number) for number in range(ENOUGH_MESSAGES)))
    client.loop_read()
    assert (len(client.payloads), client.rests_s) == (ENOUGH_MESSAGES, [])


class Records:
    """As a connection inside TLS: one record to a call, and an end or nothing yet after them."""

    def __init__(self, *records: bytes, ended: bool = False) -> None:
        self.records = list(records)
        self.ended = ended

    def recv(self, _size: int) -> bytes:
        if self.records:
            return self.records.pop(0)
        if self.ended:
            return b""
        raise ssl.SSLWantReadError


def test_a_record_to_each_message_is_no_rest_after_each():
    """A rest of 10 ms after every record would be a hundred messages a second."""
    client = Connected(BufferedSocket(Records(*(published(n) for n in range(50)))))
    client.loop_read()
    assert (len(client.payloads), client.rests_s) == (50, [])


def test_what_came_before_the_end_of_a_connection_is_kept():
    ours = BufferedSocket(Records(published(1), published(2)[:-1], ended=True))
    assert not ours.fill()
    _, begin, end = ours.whole()
    assert ours.cut(begin, end).endswith(b"01")
    assert ours.whole() is None


def test_the_rest_of_a_message_is_read_as_soon_as_it_comes(pair):
    ours, theirs = pair
    client = Connected(ours)
    theirs.sendall(published(1)[:-1])
    client.loop_read()
    assert (client.payloads, client.rests_s) == ([], [])
    theirs.sendall(published(1)[-1:])
    client.loop_read()
    assert client.payloads == [b"01"]


@pytest.mark.parametrize(
    ("waited_s", "left_s"), [(0.0, 0.03), (0.02, 0.01), (0.03, 0.0), (5.0, 0.0), (-3600.0, 0.03)]
)
def test_what_waited_while_a_batch_was_stored_waits_the_less_for_its_own_to_fill(waited_s, left_s):
    now = datetime(2026, 3, 2, 12, tzinfo=UTC)
    oldest_at = now - timedelta(seconds=waited_s)
    assert left_to_gather_s(oldest_at, now, 0.03) == pytest.approx(left_s)


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
