"""How the simulated devices of one gateway answer commands; knows no network.

A device that the story has made silent or out of coverage does not answer, as a real one would
not; each command is done once, however often it arrives.
"""

from datetime import datetime, timedelta

import msgspec

from devices.command import ACK, WireAck, WireCommand
from devices.simulated_draws import ReadingDict, gaussians, iso, uniforms
from devices.simulator import message
from navigate_safer.demo.feed import Outgoing
from navigate_safer.demo.scripts import Plan

# After this a device has the command, and after the second it has done it: a tag wakes its
# receiver and takes a fix within seconds. Real devices differ; these are the demonstration's.
RECEIVED_AFTER = timedelta(seconds=1)
DONE_AFTER = timedelta(seconds=4)
_HEARD_WITHIN = timedelta(minutes=2)
_ACCURACY_M = (5.0, 14.0)
_SIGMAS_IN_95 = 2.45
# Positions of commands are numbered apart from the gateway's other messages.
_SEQ_FROM = 2**40

_commands = msgspec.json.Decoder(WireCommand)


class Answers:
    """Commands taken in, and what has to be sent for them when its time has come."""

    def __init__(self, plan: Plan, gateway: str, devices: tuple[str, ...]) -> None:
        self._plan = plan
        self._gateway = gateway
        self._devices = frozenset(devices)
        self._known: set[str] = set()
        self._due: list[tuple[datetime, str, WireCommand, str]] = []

    def take(self, topic: str, payload: bytes, now: datetime) -> None:
        """Take a command; one that is not for these devices, not new or over is ignored."""
        device = topic.rpartition("/")[2]
        try:
            command = _commands.decode(payload)
        except msgspec.DecodeError:
            return
        if device not in self._devices or command.id in self._known or now >= command.expires_at:
            return
        self._known.add(command.id)
        if self._reaches(device, now):
            self._due.append((now + RECEIVED_AFTER, device, command, "received"))
            self._due.append((now + DONE_AFTER, device, command, "done"))

    def due(self, now: datetime) -> list[Outgoing]:
        """What is to be sent by now."""
        ready = [each for each in self._due if each[0] <= now]
        self._due = [each for each in self._due if each[0] > now]
        return [out for _, device, command, what in ready
                for out in self._answer(device, command, what, now)]  # fmt: skip

    def _reaches(self, device: str, now: datetime) -> bool:
        delivery = self._plan.deliveries[device]
        if delivery.upload_every_s is None and delivery.released_until(now) < now:
            return False
        heard = self._plan.simulator.readings_between(device, now - _HEARD_WITHIN, now)
        return bool(heard) or delivery.upload_every_s is not None

    def _answer(
        self, device: str, command: WireCommand, what: str, now: datetime
    ) -> list[Outgoing]:
        if command.kind != "locate" or what == "received":
            return [self._ack(device, command, what, now)]
        try:
            reading = self._fix(device, now)
        except TypeError:
            return [self._ack(device, command, "refused", now, "no_position")]
        payload = message(device, _SEQ_FROM + len(self._known), now, [reading])
        return [Outgoing(f"telemetry/v1/{self._gateway}/{device}", payload)]

    def _ack(
        self,
        device: str,
        command: WireCommand,
        status: str,
        now: datetime,
        reason: str | None = None,
    ) -> Outgoing:
        document = {"v": 1, "id": command.id, "status": status, "at": now, "reason": reason}
        payload = msgspec.json.encode(msgspec.convert(document, WireAck))
        return Outgoing(f"{ACK}/{self._gateway}/{device}", payload)

    def _fix(self, device: str, now: datetime) -> ReadingDict:
        """A fix of this moment; TypeError for an alcohol monitor, which has none."""
        lon, lat = self._plan.simulator.position(device, now)
        quality, first, second = uniforms(3, self._plan.seed, device, "on demand", now.timestamp())
        accuracy_m = _ACCURACY_M[0] + quality * (_ACCURACY_M[1] - _ACCURACY_M[0])
        east, north = gaussians(first, second)
        # Metres to degrees at Chester's latitude: a receiver's error needs no better.
        per_m = accuracy_m / _SIGMAS_IN_95
        return {
            "kind": "fix",
            "at": iso(now.replace(microsecond=now.microsecond // 1000 * 1000)),
            "lat": round(lat + north * per_m / 111_320, 6),
            "lon": round(lon + east * per_m / 66_700, 6),
            "accuracy_m": round(accuracy_m, 1),
            "source": "gps",
        }
