"""The way of commands to devices, passed in where the real one needs a broker."""

from msgspec import json

from devices.mqtt_publish import Published


class Post:
    """Remembers what went down and answers as it is told; ACCEPTED when it is told nothing."""

    def __init__(self, *answers: Published) -> None:
        self.sent: list[tuple[str, dict]] = []
        self.expiries_s: list[int] = []
        self._answers = list(answers)

    def publish(self, topic: str, payload: bytes, *, expires_in_s: int) -> Published:
        self.sent.append((topic, json.decode(payload)))
        self.expiries_s.append(expires_in_s)
        return self._answers.pop(0) if self._answers else Published.ACCEPTED
