"""Invented weeks of movement with the truth known: for the benchmark of place rules.

A life is a home, some places and ways between them, on foot or in a vehicle; around it lie zones of
which some are entered, some only passed and some never. All in metres about a point in Chester.
"""

import math
from collections.abc import Iterator

import msgspec
import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from zones.plane import plane_at
from zones.zone import Zone, ZoneKind

PLANE = plane_at(-2.8918, 53.1905)
# Seconds between points of the true path.
TICK_S = 2
# A stay ends when the wearer has been away for so long (the project's survey of geofences).
APART_S = 120
# A shorter stay is a pass.
PASS_S = 60

Floats = npt.NDArray[np.float64]
Random = np.random.Generator
Spans = list[tuple[float, float]]


class Life(msgspec.Struct, frozen=True):
    """A true path, one row a tick (metres east, north), whether moving, and the zones about it."""

    path: Floats
    moving: npt.NDArray[np.bool_]
    zones: tuple[Zone, ...]
    truths: tuple[Spans, ...]
    off_edge_m: tuple[Floats, ...]


def live(rng: Random, days: float) -> Life:
    """One device's life of some days, from the random source alone."""
    home = np.zeros(2)
    places = [home] + [_about(rng, home, 250, 5000) for _ in range(6)]
    pieces, moving = [], []
    ticks, length = 0, int(days * 86_400 / TICK_S)
    here = 0
    while ticks < length:
        stay = _stay(rng, places[here], _hours_at(rng, here == 0))
        there = int(rng.integers(0, len(places) - 1))
        there = 0 if here != 0 and rng.random() < 0.5 else there + (there >= here)
        way = _way(rng, places[here], places[there])
        pieces += [stay, way]
        moving += [np.zeros(len(stay), bool), np.ones(len(way), bool)]
        ticks += len(stay) + len(way)
        here = there
    path = np.concatenate(pieces)[:length]
    zones = tuple(_zones(rng, places, path, np.concatenate(moving)[:length]))
    shapes = [shapely.transform(zone.shape, PLANE.all_metres) for zone in zones]
    signed = tuple(_signed(shape, path) for shape in shapes)
    truths = tuple(
        spans(off_m <= 0 if zone.kind.forbids_inside else off_m > 0)
        for zone, off_m in zip(zones, signed, strict=True)
    )
    return Life(path, np.concatenate(moving)[:length], zones, truths, signed)


def spans(breach: npt.NDArray[np.bool_]) -> Spans:
    """The stretches in breach, seconds, joined over short breaks."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], breach, [False])).astype(np.int8)))
    found: Spans = []
    for start, end in zip(edges[::2] * TICK_S, edges[1::2] * TICK_S, strict=True):
        if found and start - found[-1][1] <= APART_S:
            found[-1] = (found[-1][0], float(end))
        else:
            found.append((float(start), float(end)))
    return found


def _about(rng: Random, centre: Floats, least_m: float, most_m: float) -> Floats:
    angle, far = rng.uniform(0, 2 * math.pi), math.exp(rng.uniform(*np.log([least_m, most_m])))
    place: Floats = centre + far * np.array([math.cos(angle), math.sin(angle)])
    return place


def _hours_at(rng: Random, home: bool) -> float:
    return float(rng.uniform(2, 12) if home and rng.random() < 0.6 else rng.exponential(0.8) + 0.05)


def _stay(rng: Random, place: Floats, hours: float) -> Floats:
    """A few metres about a place, from one corner of it to another now and then."""
    ticks = max(1, int(hours * 3600 / TICK_S))
    moves = np.cumsum(rng.random(ticks) < TICK_S / 900)
    corners = rng.normal(0, 3, (int(moves[-1]) + 1, 2))
    stay: Floats = place + corners[moves]
    return stay


def _way(rng: Random, start: Floats, end: Floats) -> Floats:
    """A bent way: each half is bent again. On foot up to a mile, else mostly by vehicle."""
    bend = rng.uniform(0.05, 0.2)
    line = np.array([start, end])
    for _ in range(5):
        middle = (line[:-1] + line[1:]) / 2
        leg = line[1:] - line[:-1]
        across = np.stack([-leg[:, 1], leg[:, 0]], axis=1)
        middle += across * rng.normal(0, bend, (len(leg), 1))
        both = np.empty((len(line) + len(middle), 2))
        both[::2], both[1::2] = line, middle
        line = both
    lengths = np.hypot(*(line[1:] - line[:-1]).T)
    on_foot = lengths.sum() < 1600 or rng.random() < 0.1
    pace = rng.uniform(1.0, 1.6, len(lengths)) if on_foot else rng.uniform(4, 16, len(lengths))
    # Now and then a halt, at a crossing or for a chat.
    halts = np.where(rng.random(len(lengths)) < 0.15, rng.uniform(5, 90, len(lengths)), 0)
    clock = np.concatenate(([0.0], np.cumsum(lengths / pace + halts)))
    at = np.arange(0, clock[-1], TICK_S)
    return np.stack([np.interp(at, clock, line[:, axis]) for axis in (0, 1)], axis=1)


def _zones(
    rng: Random, places: list[Floats], path: Floats, moving: npt.NDArray[np.bool_]
) -> Iterator[Zone]:
    """Home and its neighbourhood to stay in; a place beside it, places visited and passed."""
    radius = rng.uniform(70, 150)
    edge_m = rng.uniform(20, 60)
    yield _zone("curfew", ZoneKind.INCLUSION, _about_edge(rng, places[0], radius, radius - edge_m))
    radius = rng.uniform(400, 1500)
    yield _zone(
        "restriction",
        ZoneKind.RESTRICTION,
        _star(rng, _about(rng, places[0], 1, radius / 2), radius),
    )
    radius = rng.uniform(60, 250)
    beside = _about_edge(rng, places[0], radius, radius + rng.uniform(40, 150))
    yield _zone("beside home", ZoneKind.EXCLUSION, beside)
    for number in (1, 2):
        radius = math.exp(rng.uniform(*np.log([60, 400])))
        middle = _about(rng, places[number], 1, radius * 0.7)
        yield _zone(f"visited {number}", ZoneKind.EXCLUSION, _star(rng, middle, radius))
    on_way = path[np.flatnonzero(moving)]
    for number in range(4):
        radius = math.exp(rng.uniform(*np.log([40, 300])))
        middle = on_way[int(rng.integers(len(on_way)))]
        yield _zone(
            f"passed {number}",
            ZoneKind.EXCLUSION,
            _star(rng, _about(rng, middle, 1, 1.6 * radius), radius),
        )


def _about_edge(rng: Random, place: Floats, radius: float, far: float) -> shapely.Polygon:
    """A circle whose middle is so far from the place."""
    angle = rng.uniform(0, 2 * math.pi)
    middle = place + far * np.array([math.cos(angle), math.sin(angle)])
    return shapely.Point(middle).buffer(radius)


def _star(rng: Random, middle: Floats, radius: float) -> BaseGeometry:
    """A garden-variety outline: many corners, here and there bent inward."""
    corners = int(rng.integers(5, 40))
    angles = np.sort(rng.uniform(0, 2 * math.pi, corners) + np.arange(corners) * 1e-6)
    far = radius * rng.uniform(0.55, 1.0, corners)
    ring = middle + np.stack([far * np.cos(angles), far * np.sin(angles)], axis=1)
    shape = shapely.Polygon(ring).buffer(0)
    # Corners all to one side can make a sliver that turns inside out: its hull is as good.
    return shape if isinstance(shape, shapely.Polygon) and shape.area > 0 else shape.convex_hull


def _zone(name: str, kind: ZoneKind, shape: BaseGeometry) -> Zone:
    def degrees(metres: Floats) -> Floats:
        placed: Floats = metres / (PLANE.east_m, PLANE.north_m) + (PLANE.lon, PLANE.lat)
        return placed

    return Zone(name, kind, shapely.transform(shape, degrees))


def _signed(shape: BaseGeometry, path: Floats) -> Floats:
    """Metres from the edge at each tick: negative inside."""
    shapely.prepare(shape)
    points = shapely.points(path)
    metres = shapely.distance(points, shape.boundary)
    signed: Floats = np.where(shapely.intersects(shape, points), -metres, metres)
    return signed
