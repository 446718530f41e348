"""Messages with an expiry (MQTT 5) that are here already when the connection is lost."""

import json
import time
from datetime import UTC, datetime

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from proxy import Proxy
from servers import HOST, Mosquitto, until

from devices.codec import SUBSCRIPTIONS
from devices.mqtt import Listener
from devices.mqtt_broker import Broker

PATIENCE_S = 30.0
COUNT, LASTS_S = 50, 1


def publish_with_expiry(port: int) -> None:
    client = Client(CallbackAPIVersion.VERSION2, client_id="expiring", protocol=MQTTv5)
    client.connect(HOST, port)
    client.loop_start()
    properties = Properties(PacketTypes.PUBLISH)
    properties.MessageExpiryInterval = LASTS_S
    for number in range(COUNT):
        client.publish(
            "telemetry/v1/gw-west/TAG-1", json.dumps(number), qos=1, properties=properties
        ).wait_for_publish(PATIENCE_S)
    client.disconnect()
    client.loop_stop()


def test_what_has_expired_while_the_connection_was_lost_is_not_lost_here(
    mosquitto: Mosquitto,
) -> None:
    proxy = Proxy(mosquitto.port)
    broker = Broker(HOST, proxy.port, "expiry", "5")
    listener = Listener(broker, SUBSCRIPTIONS, lambda: datetime.now(UTC))
    listener.start()
    try:
        assert until(lambda: listener.connected_since is not None, within_s=PATIENCE_S)
        publish_with_expiry(mosquitto.port)
        # The database is away: they have come, and nobody takes them.
        assert until(lambda: listener.waiting >= COUNT, within_s=PATIENCE_S)
        proxy.cut()
        assert until(lambda: listener.connected_since is None, within_s=PATIENCE_S)
        expired = time.monotonic() + LASTS_S + 1
        assert until(lambda: time.monotonic() > expired, within_s=PATIENCE_S)
        proxy.restore()
        assert until(lambda: listener.connected_since is not None, within_s=PATIENCE_S)
        taken = listener.take(10 * COUNT, 0.05)
    finally:
        listener.stop()
        proxy.close()
    assert {int(each.payload) for each in taken} == set(range(COUNT))
