"""What one simulated gateway has to send at a moment of simulated time; knows no network."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import msgspec

from devices.simulated_draws import ReadingDict
from devices.simulator import message
from navigate_safer.demo.drafts import Delivery
from navigate_safer.demo.garbage import garbage_between
from navigate_safer.demo.scripts import HISTORY, Plan

# An upload after a gap holds at most this many readings: six hours at one fix per five minutes.
READINGS_PER_MESSAGE = 72
# A tag that was off while nobody ran the demonstration catches up this far and no further.
LONGEST_BACKLOG = timedelta(hours=2)
_HISTORY_STEP = timedelta(hours=4)
_AFTER_LAST = timedelta(milliseconds=1)


class Outgoing(msgspec.Struct, frozen=True):
    """A message ready to publish."""

    topic: str
    payload: bytes


class GatewayFeed:
    """The messages of one gateway's devices, each reading sent once (but for scripted repeats).

    ``resume_from`` holds the time of the last stored reading of each device that has one: such a
    device carries on from there, at most two hours back. The others upload the history of the day
    before the start, newest part first, so that the state of every tag is known within seconds;
    long after the start they begin two hours back too.
    """

    def __init__(
        self,
        plan: Plan,
        gateway: str,
        devices: tuple[str, ...],
        *,
        now: datetime,
        resume_from: Mapping[str, datetime] | None = None,
    ) -> None:
        self._plan = plan
        self._gateway = gateway
        self._devices = devices
        # Numbers continue to rise over a restart without being stored anywhere.
        self._seq = dict.fromkeys(devices, int(now.timestamp()))
        self._sent_to: dict[str, datetime] = {}
        self._noise_to = now
        self._repeats = {device: list(self._delivery(device).repeats) for device in devices}
        fresh = []
        for device in devices:
            last = (resume_from or {}).get(device)
            if last is not None:
                self._sent_to[device] = max(last + _AFTER_LAST, now - LONGEST_BACKLOG)
            elif now - plan.start > LONGEST_BACKLOG:
                self._sent_to[device] = now - LONGEST_BACKLOG
            else:
                fresh.append(device)
                self._sent_to[device] = self._delivery(device).released_until(plan.start)
        self._history = self._history_of(fresh)

    def live(self, now: datetime) -> list[Outgoing]:
        """Everything measured and released since the last call, up to ``now``."""
        found: list[Outgoing] = []
        for device in self._devices:
            until = self._delivery(device).released_until(now)
            if until > self._sent_to[device]:
                readings = self._readings(device, self._sent_to[device], until)
                self._sent_to[device] = until
                for outgoing in self._messages(device, now, readings):
                    found += [outgoing] * self._copies(device, now)
        return found + self._noise(now)

    def next_history(self, now: datetime) -> Outgoing | None:
        """The next message of stored history, or None when all is sent."""
        for device, readings in self._history:
            if readings:
                return next(self._messages(device, now, readings))
        return None

    def _delivery(self, device: str) -> Delivery:
        return self._plan.deliveries[device]

    def _readings(self, device: str, from_at: datetime, to_at: datetime) -> list[ReadingDict]:
        return self._plan.simulator.readings_between(device, from_at, to_at)

    def _history_of(self, devices: list[str]) -> Iterator[tuple[str, list[ReadingDict]]]:
        begins, until = self._plan.start - HISTORY, self._plan.start
        while until > begins:
            for device in devices:
                limit = self._delivery(device).released_until(self._plan.start)
                readings = self._readings(device, until - _HISTORY_STEP, min(until, limit))
                for first in reversed(range(0, len(readings), READINGS_PER_MESSAGE)):
                    yield device, readings[first : first + READINGS_PER_MESSAGE]
            until -= _HISTORY_STEP

    def _messages(
        self, device: str, now: datetime, readings: list[ReadingDict]
    ) -> Iterator[Outgoing]:
        for first in range(0, len(readings), READINGS_PER_MESSAGE):
            self._seq[device] += 1
            part = readings[first : first + READINGS_PER_MESSAGE]
            yield Outgoing(
                f"telemetry/v1/{self._gateway}/{device}",
                message(device, self._seq[device], now, part),
            )

    def _copies(self, device: str, now: datetime) -> int:
        """Two for the first message after a scripted repeat, otherwise one."""
        due = [at for at in self._repeats[device] if at <= now]
        self._repeats[device] = [at for at in self._repeats[device] if at > now]
        return 2 if due else 1

    def _noise(self, now: datetime) -> list[Outgoing]:
        if self._gateway != self._plan.noisy_gateway:
            return []
        made = garbage_between(self._plan.seed, self._gateway, self._devices, self._noise_to, now)
        self._noise_to = max(now, self._noise_to)
        return [Outgoing(each.topic, each.payload) for each in made]
