"""Seeded telemetry of tags and alcohol monitors, as the readings a real device would report.

Every reading depends on (seed, device, time) alone. A span of time can therefore be asked for in
any pieces and in any order and gives the same readings. Readings are plain dicts in the form of a
telemetry message; :func:`message` wraps them as one. Nothing here is a measurement of anybody.
"""

import math
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import pairwise

import msgspec

from devices.simulated_alcohol import Monitor, MonitorSpec
from devices.simulated_day import LonLat, Routine, Whereabouts
from devices.simulated_draws import ReadingDict, Span, gaussians, iso, ticks, uniforms

MESSAGE_VERSION = 1

# A tag reports each minute, as the Ministry's tags do; stored history is thinned to five minutes.
LIVE_FIX_S = 60
HISTORY_FIX_S = 300
BATTERY_S = 900

# 95 % radius of a fix under open sky, metres; and 95 % radius of a round normal error in sigmas.
_ACCURACY_M = (4.0, 15.0)
_SIGMAS_IN_95 = 2.45
# Receiver error drifts: most of it is shared by fixes within this time of each other.
_DRIFT_S = 240
_DRIFT_SHARE = 0.8


class Burst(msgspec.Struct, frozen=True):
    """A span in which a fix is taken every ``every_s`` seconds from its beginning."""

    span: Span
    every_s: int


class StrayFix(msgspec.Struct, frozen=True):
    """One fix of poor quality, far from the truth, with the accuracy the device admits to."""

    at: datetime
    place: LonLat
    accuracy_m: float


class ChargePoint(msgspec.Struct, frozen=True):
    """A level of charge at a time; between points the level is a straight line."""

    at: datetime
    percent: float
    charging: bool


class TagSpec(msgspec.Struct, frozen=True):
    """A GPS tag: whose routine, the second of the minute it reports, and what goes wrong.

    ``charge`` holds curves, each of two or more points in order of time, which replace the
    ordinary daily charge while they last.
    """

    routine: Routine
    phase_s: int = 0
    silences: tuple[Span, ...] = ()
    bursts: tuple[Burst, ...] = ()
    tampers: tuple[Span, ...] = ()
    strays: tuple[StrayFix, ...] = ()
    charge: tuple[tuple[ChargePoint, ...], ...] = ()


class Simulator:
    """A fleet of devices. Fixes come every minute from ``dense_from``, every five before it."""

    def __init__(
        self,
        tags: Iterable[TagSpec],
        monitors: Iterable[MonitorSpec] = (),
        *,
        dense_from: datetime | None = None,
    ) -> None:
        self._devices: dict[str, _Tag | Monitor] = {}
        for tag in tags:
            self._add(tag.routine.device, _Tag(tag, dense_from))
        for monitor in monitors:
            self._add(monitor.device, Monitor(monitor))

    def readings_between(
        self, device: str, from_at: datetime, to_at: datetime
    ) -> list[ReadingDict]:
        """What the device measured in ``from_at <= t < to_at``, in order of time."""
        if device not in self._devices:
            raise KeyError(f"the simulator has no device {device!r}; give it a TagSpec first")
        if from_at.utcoffset() is None or to_at.utcoffset() is None:
            raise ValueError("readings_between needs times with an offset, such as +00:00")
        return [reading for _, reading in self._devices[device].between(Span(from_at, to_at))]

    def position(self, device: str, at: datetime) -> LonLat:
        """Where the wearer of a tag truly is, before any error of the receiver."""
        tag = self._devices[device]
        if not isinstance(tag, _Tag):
            raise TypeError(f"{device} is an alcohol monitor and has no position")
        return tag.whereabouts.position(at)

    def _add(self, device: str, made: "_Tag | Monitor") -> None:
        if device in self._devices:
            raise ValueError(f"two devices are called {device!r}; give each its own name")
        self._devices[device] = made


def message(device: str, seq: int, sent_at: datetime, readings: list[ReadingDict]) -> bytes:
    """One telemetry message as JSON, version 1."""
    if not readings:
        raise ValueError(f"a message of {device} needs at least one reading")
    return msgspec.json.encode(
        {
            "v": MESSAGE_VERSION,
            "device": device,
            "seq": seq,
            "sent_at": iso(sent_at),
            "readings": readings,
        }
    )


class _Tag:
    def __init__(self, spec: TagSpec, dense_from: datetime | None) -> None:
        self.whereabouts = Whereabouts(spec.routine)
        self._spec = spec
        self._dense_from = dense_from
        self._key = (spec.routine.seed, spec.routine.device)

    def between(self, span: Span) -> list[tuple[datetime, ReadingDict]]:
        found = [(at, self._event(at, state)) for at, state in self._events(span)]
        found += [(at, self._battery(at)) for at in sorted(set(self._battery_times(span)))]
        found += [(at, self._fix(at)) for at in sorted(set(self._fix_times(span)))]
        found += [(each.at, _stray(each)) for each in self._spec.strays if span.holds(each.at)]
        heard = [(at, each) for at, each in found if not self._silent(at)]
        return sorted(heard, key=lambda pair: pair[0])

    def _silent(self, at: datetime) -> bool:
        return any(silence.holds(at) for silence in self._spec.silences)

    def _events(self, span: Span) -> Iterator[tuple[datetime, str]]:
        for tamper in self._spec.tampers:
            if span.holds(tamper.from_at):
                yield tamper.from_at, "start"
            if span.holds(tamper.until_at):
                yield tamper.until_at, "end"

    def _event(self, at: datetime, state: str) -> ReadingDict:
        return {"kind": "event", "at": iso(at), "code": "strap_tamper", "state": state}

    def _fix_times(self, span: Span) -> Iterator[datetime]:
        dense_from = self._dense_from or span.from_at
        sparse = Span(span.from_at, min(span.until_at, dense_from))
        dense = Span(max(span.from_at, dense_from), span.until_at)
        yield from ticks(sparse, HISTORY_FIX_S, self._spec.phase_s)
        yield from ticks(dense, LIVE_FIX_S, self._spec.phase_s)
        for burst in self._spec.bursts:
            begins = math.ceil(burst.span.from_at.timestamp())
            for at in ticks(span, burst.every_s, begins % burst.every_s):
                if burst.span.holds(at):
                    yield at

    def _fix(self, at: datetime) -> ReadingDict:
        frame = self.whereabouts.frame
        lon, lat = self.whereabouts.position(at)
        speed_kmh, heading_deg = self.whereabouts.motion(at)
        stamp = int(at.timestamp())
        quality, satellites, hdop, shake_x, shake_y = uniforms(5, *self._key, "fix", stamp)
        accuracy_m = _ACCURACY_M[0] + quality**2 * (_ACCURACY_M[1] - _ACCURACY_M[0])
        drift_x, drift_y = self._drift(stamp)
        white_x, white_y = gaussians(shake_x, shake_y)
        sigma_m = accuracy_m / _SIGMAS_IN_95
        white_share = math.sqrt(1 - _DRIFT_SHARE**2)
        x, y = frame.to_m((lon, lat))
        lon, lat = frame.to_degrees(
            (
                x + sigma_m * (_DRIFT_SHARE * drift_x + white_share * white_x),
                y + sigma_m * (_DRIFT_SHARE * drift_y + white_share * white_y),
            )
        )
        return {
            "kind": "fix",
            "at": iso(at),
            "lat": round(lat, 6),
            "lon": round(lon, 6),
            "accuracy_m": round(accuracy_m, 1),
            "source": "gps",
            "speed_kmh": round(speed_kmh, 1),
            "heading_deg": round(heading_deg) % 360,
            "satellites": 6 + int(satellites * 7),
            "hdop": round(0.7 + hdop * 0.9, 1),
        }

    def _drift(self, stamp: int) -> tuple[float, float]:
        step, part = divmod(stamp, _DRIFT_S)
        share = part / _DRIFT_S
        x0, y0 = gaussians(*uniforms(2, *self._key, "drift", step))
        x1, y1 = gaussians(*uniforms(2, *self._key, "drift", step + 1))
        return x0 + (x1 - x0) * share, y0 + (y1 - y0) * share

    def _battery_times(self, span: Span) -> Iterator[datetime]:
        yield from ticks(span, BATTERY_S, self._spec.phase_s)
        for curve in self._spec.charge:
            lasts = Span(curve[0].at, curve[-1].at)
            yield from (at for at in ticks(span, LIVE_FIX_S, self._spec.phase_s) if lasts.holds(at))

    def _battery(self, at: datetime) -> ReadingDict:
        percent, charging = self._charge(at)
        return {
            "kind": "battery",
            "at": iso(at),
            "percent": round(percent, 1),
            "charging": charging,
        }

    def _charge(self, at: datetime) -> tuple[float, bool]:
        for curve in self._spec.charge:
            for before, after in pairwise(curve):
                if before.at <= at < after.at:
                    share = (at - before.at) / (after.at - before.at)
                    level = before.percent + (after.percent - before.percent) * share
                    return level, before.charging
        return ordinary_charge(*self._key, at)


def ordinary_charge(seed: int, device: str, at: datetime) -> tuple[float, bool]:
    """Charge in percent and whether charging, for a wearer who charges each morning.

    The charger is used for two hours from about 04:00 UTC; a day costs 40 to 58 percent.
    """
    per_hour = 1.8 + 0.8 * uniforms(1, seed, device, "cell")[0]
    day = math.floor(at.timestamp() / 86_400)
    ends_h = [_charged_by_h(seed, device, each) for each in (day - 1, day)]
    hour = at.timestamp() / 3600
    if hour >= ends_h[1]:
        return 100.0 - per_hour * (hour - ends_h[1]), False
    level = 100.0 - per_hour * (hour - ends_h[0])
    begins_h = ends_h[1] - 2.0
    if hour < begins_h:
        return level, False
    at_start = 100.0 - per_hour * (begins_h - ends_h[0])
    return at_start + (100.0 - at_start) * (hour - begins_h) / 2.0, True


def _charged_by_h(seed: int, device: str, day: int) -> float:
    return day * 24 + 6.0 + 0.9 * uniforms(1, seed, device, "charger", day)[0]


def _stray(each: StrayFix) -> ReadingDict:
    return {
        "kind": "fix",
        "at": iso(each.at),
        "lat": round(each.place[1], 6),
        "lon": round(each.place[0], 6),
        "accuracy_m": each.accuracy_m,
        "source": "lbs",
    }
