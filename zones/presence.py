"""One device against one zone, fix by fix: state in, state out.

The state holds the last position and nothing else, so a late fix is judged by running the steps
again from a state saved before it.
"""

from datetime import datetime, timedelta

import msgspec

from devices.readings import Fix
from zones.interval import Interval, Intervals
from zones.zone import Zone


class TrackPoint(msgspec.Struct, frozen=True, gc=False):
    """Where a device was: aware UTC time of measurement, degrees EPSG:4326, 95 % radius."""

    at: datetime
    lat: float
    lon: float
    accuracy_m: float


class Presence(msgspec.Struct, frozen=True):
    """What the next step must know; ``last`` None before the first fix. JSON by msgspec."""

    last: TrackPoint | None = None


class LegResult(msgspec.Struct, frozen=True):
    """What the newest leg shows.

    ``known`` is False for a first fix (a leg of no length) and for a leg longer than the largest
    gap: where the device was in between cannot be said, and a stay ends at the leg's first fix.
    ``inside`` are the stretches of the leg in which the path is inside, ends included; where
    ``known`` is False, at most the sighting at the leg's second fix.
    """

    start: datetime
    end: datetime
    known: bool
    inside: Intervals


def step(
    presence: Presence, fix: Fix, zone: Zone, max_gap: timedelta
) -> tuple[Presence, LegResult]:
    """Take one fix into account; fixes come in order of measured time.

    Of two fixes at one time the last given counts from then on: its leg has no length. The leg
    that led to the first of them was already given; to judge as the batch form does, give only the
    last fix of each time. Raises ValueError for a fix earlier than the last one.
    """
    at = fix.stamp.measured_at
    last = presence.last
    after = Presence(TrackPoint(at, fix.lat, fix.lon, fix.accuracy_m))
    if last is not None and at < last.at:
        raise ValueError(f"fix of {at} is earlier than {last.at}; step again from before it")
    if last is None or at == last.at or at - last.at > max_gap:
        seen = (Interval(at, at),) if zone.outline.covers(fix.lon, fix.lat) else ()
        start = at if last is None else last.at
        return after, LegResult(start, at, last is not None and at == last.at, seen)
    inside = zone.outline.inside(Interval(last.at, at), last.lon, last.lat, fix.lon, fix.lat)
    return after, LegResult(last.at, at, True, inside)
