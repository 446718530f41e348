"""kill -9 of the broker, with the persistence that is shipped: what is on disk and what is not."""

import threading
import time

from absent import absent
from paho.mqtt.client import Client, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion
from servers import HOST, Missing, until
from shipped_broker import shipped_broker

TOPIC = "telemetry/v1/gw-west/TAG-1"
RATE_PER_S = 100.0
# The README's promise: what is older than this at the kill is kept.
KEPT_AFTER_S = 3.0
PUBLISHED_FOR_S = 6.0
PATIENCE_S = 20.0


def client(name, *, clean=False):
    return Client(
        CallbackAPIVersion.VERSION2, client_id=name, clean_session=clean, protocol=MQTTv311
    )


def collect(port, enough):
    """What the persistent session is given: each payload as often as it comes."""
    heard, subscribed = [], threading.Event()
    intake = client("intake")
    intake.on_subscribe = lambda *_: subscribed.set()
    intake.on_connect = lambda *_: intake.subscribe(TOPIC, 1)
    intake.on_message = lambda _c, _d, message: heard.append(int(message.payload))
    intake.connect(HOST, port)
    intake.loop_start()
    assert subscribed.wait(PATIENCE_S)
    until(lambda: enough(heard), within_s=PATIENCE_S)
    intake.disconnect()
    intake.loop_stop()
    return heard


def test_what_was_published_three_seconds_before_a_kill_is_kept_and_delivered():
    try:
        with shipped_broker() as broker:
            # The session is known to the broker before anything comes, as the README asks.
            collect(broker.port, lambda _: True)
            acknowledged = publish_until_killed(broker)
            killed_at = time.monotonic()
            assert broker.start()
            due = {number for number, at in acknowledged.items() if at < killed_at - KEPT_AFTER_S}
            assert len(due) > RATE_PER_S * (PUBLISHED_FOR_S - KEPT_AFTER_S) / 2
            heard = collect(broker.port, lambda heard: due <= set(heard))
    except Missing as missing:
        absent(missing)
    assert due - set(heard) == set()
    assert len(heard) == len(set(heard)), "each once"
    assert heard == sorted(heard), "and in order"


def publish_until_killed(broker):
    """Publish while intake is away; message -> when the broker acknowledged it."""
    numbers, acknowledged = {}, {}
    gateway = client("gateway", clean=True)
    gateway.on_publish = lambda _c, _d, mid, *_: acknowledged.setdefault(mid, time.monotonic())
    gateway.connect(HOST, broker.port)
    gateway.loop_start()
    pace, began = threading.Event(), time.monotonic()
    while time.monotonic() - began < PUBLISHED_FOR_S:
        number = len(numbers)
        numbers[gateway.publish(TOPIC, str(number), qos=1).mid] = number
        pace.wait(1 / RATE_PER_S)
    broker.kill()
    gateway.disconnect()
    gateway.loop_stop()
    return {numbers[mid]: at for mid, at in acknowledged.items()}
