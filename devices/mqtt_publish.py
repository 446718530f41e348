"""Publish to the broker and learn whether it took the message: the way down to devices.

QoS 1. Under MQTT 5 a message carries its expiry, and the acknowledgement says when it was refused
or when nobody is subscribed; 3.1.1 has neither, and there a device must look at the expiry inside
the message and a lost command is noticed only by the missing answer.
"""

import threading
from enum import Enum

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from devices.mqtt_broker import Broker

KEEPALIVE_S = 30
# A broker on the same network answers in milliseconds; longer than this is taken for no answer.
PATIENCE_S = 5.0
_NO_SUBSCRIBERS = 0x10


class Published(Enum):
    """How a publication ended; only ACCEPTED means that the broker has it for somebody."""

    ACCEPTED = "accepted"
    NOBODY_LISTENS = "nobody_listens"
    REFUSED = "refused"
    NO_ANSWER = "no_answer"
    NOT_CONNECTED = "not_connected"


class Publisher:
    """One connection, made at the first publication and made again when it is lost.

    For one thread. Nothing raises: every fault is a :class:`Published`.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._protocol5 = broker.protocol != "3.1.1"
        self._client: paho.Client | None = None
        self._connected = threading.Event()
        self._settled = threading.Event()
        self._answers: dict[int, ReasonCode] = {}
        self._answered = threading.Condition()

    def publish(self, topic: str, payload: bytes, *, expires_in_s: int) -> Published:
        """Hand one message over and wait for the broker's word."""
        client = self._ready()
        if client is None:
            return Published.NOT_CONNECTED
        properties = None
        if self._protocol5:
            properties = Properties(PacketTypes.PUBLISH)
            properties.MessageExpiryInterval = max(1, expires_in_s)
        sent = client.publish(topic, payload, qos=1, properties=properties)
        if sent.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self.close()
            return Published.NOT_CONNECTED
        with self._answered:
            self._answered.wait_for(lambda: sent.mid in self._answers, PATIENCE_S)
            reason = self._answers.pop(sent.mid, None)
        if reason is None:
            # Not left to this connection: paho would send it again on its own, after it expired.
            self.close()
            return Published.NO_ANSWER
        if reason.is_failure:
            return Published.REFUSED
        nobody = self._protocol5 and reason.value == _NO_SUBSCRIBERS
        return Published.NOBODY_LISTENS if nobody else Published.ACCEPTED

    def close(self) -> None:
        """End the connection; the next publication makes another."""
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            client.loop_stop()
            client.on_connect = client.on_disconnect = client.on_publish = None
        self._connected.clear()
        self._answers.clear()

    def _ready(self) -> paho.Client | None:
        if self._client is not None and self._connected.is_set():
            return self._client
        self.close()
        if self._connect():
            return self._client
        if self._broker.protocol == "auto" and self._protocol5 and self._settled.is_set():
            # It answered, and not with MQTT 5: the older protocol is next.
            self._protocol5 = False
            if self._connect():
                return self._client
            self._protocol5 = True
        return None

    def _connect(self) -> bool:
        self._settled.clear()
        self._client = self._make_client()
        try:
            self._client.connect(self._broker.host, self._broker.port, KEEPALIVE_S)
        except (OSError, ValueError):
            self.close()
            return False
        self._client.loop_start()
        self._settled.wait(PATIENCE_S)
        if not self._connected.is_set():
            self.close()
            return False
        return True

    def _make_client(self) -> paho.Client:
        broker = self._broker
        version = MQTTProtocolVersion.MQTTv5 if self._protocol5 else MQTTProtocolVersion.MQTTv311
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=broker.client_id,
            clean_session=None if self._protocol5 else True,
            protocol=version,
            reconnect_on_failure=False,
        )
        if broker.username:
            client.username_pw_set(broker.username, broker.password or None)
        if broker.ca_file:
            client.tls_set(broker.ca_file, broker.cert_file or None, broker.key_file or None)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        return client

    def _on_connect(
        self,
        _client: paho.Client,
        _data: object,
        _flags: object,
        reason: ReasonCode,
        _properties: object,
    ) -> None:
        if not reason.is_failure:
            self._connected.set()
        self._settled.set()

    def _on_disconnect(
        self,
        _client: paho.Client,
        _data: object,
        _flags: object,
        _reason: ReasonCode,
        _properties: object,
    ) -> None:
        self._connected.clear()
        self._settled.set()

    def _on_publish(
        self,
        _client: paho.Client,
        _data: object,
        mid: int,
        reason: ReasonCode,
        _properties: object,
    ) -> None:
        with self._answered:
            self._answers[mid] = reason
            self._answered.notify_all()
