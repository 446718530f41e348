"""A gateway that publishes plain fixes of TAG-1 to a real broker."""

import threading
from datetime import datetime, timedelta

import case_files
import msgspec
from case_files import OUTSIDE, Place
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from servers import HOST

PATIENCE_S = 30.0


class Publisher:
    """A gateway that goes on, whatever happens behind the broker."""

    def __init__(self, port: int, start: datetime) -> None:
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="gw-west", protocol=MQTTv5)
        self._client.max_inflight_messages_set(500)
        self._free = threading.Semaphore(400)
        self._client.on_publish = lambda *_: self._free.release()
        self._client.connect(HOST, port)
        self._client.loop_start()
        self._start, self.sent = start, 0

    def publish(self, count: int, near: Place = OUTSIDE) -> None:
        """Send so many; the last one is with the broker when this returns."""
        last = None
        for _ in range(count):
            self._free.acquire()
            # A little apart, so that no two are the same.
            place = Place(near.lat + self.sent * 1e-7, near.lon)
            reading = case_files.fix(self._start + timedelta(seconds=self.sent), place)
            document = {"v": 1, "device": "TAG-1", "seq": self.sent, "readings": [reading]}
            payload = msgspec.json.encode(document)
            last = self._client.publish("telemetry/v1/gw-west/TAG-1", payload, qos=1)
            self.sent += 1
        assert last is not None
        last.wait_for_publish(PATIENCE_S)

    def end(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
