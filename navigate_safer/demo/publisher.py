"""Publish single messages, with the acknowledgement waited for; for measurements."""

from types import TracebackType

from paho.mqtt.client import Client, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion

_QOS = 1
_WAIT_S = 10.0


class Publisher:
    """One MQTT 3.1.1 connection; a context manager."""

    def __init__(self, host: str, port: int, client_id: str) -> None:
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=MQTTv311)
        self._client.connect(host, port)
        self._client.loop_start()

    def publish(self, topic: str, payload: bytes) -> None:
        """Hand the message over; returns when the broker has acknowledged it."""
        self._client.publish(topic, payload, qos=_QOS).wait_for_publish(_WAIT_S)

    def __enter__(self) -> "Publisher":
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()
