"""Where a simulated wearer is: a deterministic function of (seed, device, time).

Any instant can be asked for, in any order: each local day is drawn from its own random stream
and kept as a list of waypoints with straight motion between them. Nobody leaves home outside
their hours, and no trip comes near an area to avoid. Coordinates are (longitude, latitude) in
EPSG:4326; metres live in a :class:`LocalFrame`. Times are aware; days are those of Europe/London.
"""

import math
from bisect import bisect_right
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from random import Random
from typing import TypeAlias
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import shapely
from shapely import LineString
from shapely.geometry.base import BaseGeometry

LONDON = ZoneInfo("Europe/London")
LonLat: TypeAlias = tuple[float, float]
Metres: TypeAlias = tuple[float, float]

# Metres in a degree of latitude; half a percent off at most, which an invented day can bear.
_DEGREE_M = 111_320.0
# No trip comes nearer than this to an area to avoid: ten times the worst accuracy of a clean fix,
# so that receiver error alone never puts an honest wearer inside.
CLEARANCE_M = 150.0
_WALKING_M_S = 1.35
_LONGEST_WALK_M = 1200.0
_DRIVING_M_S = (8.0, 12.0)
_ROUTE_POINTS = 9
_ROUTE_ATTEMPTS = 30
_DAYS_KEPT = 4


class LocalFrame:
    """Flat metres (east, north) about an origin, for distances of a few tens of kilometres."""

    def __init__(self, origin: LonLat) -> None:
        self.origin = origin
        self._scale = (_DEGREE_M * math.cos(math.radians(origin[1])), _DEGREE_M)

    def to_m(self, place: LonLat) -> Metres:
        """Degrees to metres."""
        east = (place[0] - self.origin[0]) * self._scale[0]
        return east, (place[1] - self.origin[1]) * self._scale[1]

    def to_degrees(self, place: Metres) -> LonLat:
        """Metres to degrees."""
        lon = self.origin[0] + place[0] / self._scale[0]
        return lon, self.origin[1] + place[1] / self._scale[1]

    def shape_m(self, area: BaseGeometry) -> BaseGeometry:
        """A shape in degrees as a shape in metres."""
        origin, scale = np.array(self.origin), np.array(self._scale)
        flat: BaseGeometry = shapely.transform(area, lambda degrees: (degrees - origin) * scale)
        return flat


class Excursion(msgspec.Struct, frozen=True):
    """A scripted journey that replaces the ordinary day: (time, longitude, latitude) in order.

    Of journeys that overlap, the one that begins last counts.
    """

    waypoints: tuple[tuple[datetime, float, float], ...]


class Routine(msgspec.Struct, frozen=True):
    """What shapes one wearer's days.

    ``avoid`` are areas never approached, ``keep_within`` an area never left (both EPSG:4326).
    Trips happen between ``out_from`` and ``out_until``, local wall time.
    """

    device: str
    seed: int
    home: LonLat
    avoid: tuple[BaseGeometry, ...] = ()
    keep_within: BaseGeometry | None = None
    out_from: time = time(8)
    out_until: time = time(18)
    stays_home: bool = False
    excursions: tuple[Excursion, ...] = ()


class _Path:
    """Waypoints in time order with straight motion between them."""

    def __init__(self, times: list[datetime], places: list[Metres]) -> None:
        self._times = times
        self._places = places

    def at(self, moment: datetime) -> Metres:
        index = bisect_right(self._times, moment)
        if index == 0:
            return self._places[0]
        if index == len(self._times):
            return self._places[-1]
        before, after = self._times[index - 1], self._times[index]
        share = (moment - before) / (after - before)
        (x0, y0), (x1, y1) = self._places[index - 1], self._places[index]
        return x0 + (x1 - x0) * share, y0 + (y1 - y0) * share


class Whereabouts:
    """One wearer's position at any time."""

    def __init__(self, routine: Routine) -> None:
        self.routine = routine
        self.frame = LocalFrame(routine.home)
        self._forbidden = self._grown(routine.avoid)
        self._allowed: BaseGeometry | None = None
        if routine.keep_within is not None:
            self._allowed = self.frame.shape_m(routine.keep_within).buffer(-CLEARANCE_M)
        self._days: dict[date, _Path] = {}
        journeys = [self._excursion(each) for each in routine.excursions]
        self._excursions = sorted(journeys, key=lambda journey: journey[0])
        self._begins = [begins for begins, _, _ in self._excursions]

    def position(self, at: datetime) -> LonLat:
        """Longitude and latitude at an instant."""
        return self.frame.to_degrees(self._position_m(at))

    def motion(self, at: datetime) -> tuple[float, float]:
        """Speed in km/h and heading in degrees from north, over the second before ``at``."""
        x0, y0 = self._position_m(at - timedelta(seconds=1))
        x1, y1 = self._position_m(at)
        heading = math.degrees(math.atan2(x1 - x0, y1 - y0)) % 360
        return math.hypot(x1 - x0, y1 - y0) * 3.6, heading

    def may_go(self, places: list[LonLat]) -> bool:
        """Whether the straight way through these places keeps clear of every avoided area."""
        return self._clear(LineString([self.frame.to_m(place) for place in places]))

    def _grown(self, areas: tuple[BaseGeometry, ...]) -> BaseGeometry:
        grown = shapely.union_all([self.frame.shape_m(area) for area in areas])
        clear: BaseGeometry = grown.buffer(CLEARANCE_M)
        shapely.prepare(clear)
        return clear

    def _excursion(self, excursion: Excursion) -> tuple[datetime, datetime, _Path]:
        times = [at for at, _, _ in excursion.waypoints]
        places = [self.frame.to_m((lon, lat)) for _, lon, lat in excursion.waypoints]
        return times[0], times[-1], _Path(times, places)

    def _position_m(self, at: datetime) -> Metres:
        latest = bisect_right(self._begins, at) - 1
        if latest >= 0:
            _, ends, path = self._excursions[latest]
            if at <= ends:
                return path.at(at)
        return self._day(at.astimezone(LONDON).date()).at(at)

    def _day(self, day: date) -> _Path:
        if day not in self._days:
            if len(self._days) >= _DAYS_KEPT:
                del self._days[next(iter(self._days))]
            self._days[day] = self._draw_day(day)
        return self._days[day]

    def _draw_day(self, day: date) -> _Path:
        """Trips from home and back; the first of a working day is to work."""
        routine = self.routine
        rng = Random(f"{routine.seed}|{routine.device}|day|{day.isoformat()}")
        now = _instant(day, routine.out_from) + timedelta(minutes=rng.uniform(5, 70))
        times, places = [now], [(0.0, 0.0)]
        if routine.stays_home:
            return _Path(times, places)
        ends = _instant(day, routine.out_until)
        works = (
            day.weekday() < 5 and Random(f"{routine.seed}|{routine.device}|works").random() < 0.6
        )
        while now < ends:
            stay = timedelta(hours=rng.uniform(5.5, 7)) if works else _errand(rng)
            route = self._work_route() if works else self._route(rng)
            works = False
            travel = _travel_time(rng, route)
            back = now + travel * 2 + stay
            if route and back < ends:
                _go(times, places, now, travel, route)
                _go(times, places, now + travel + stay, travel, route[::-1])
                now = back
            now += timedelta(minutes=rng.uniform(25, 150))
        return _Path(times, places)

    def _work_route(self) -> list[Metres]:
        routine = self.routine
        return self._route(Random(f"{routine.seed}|{routine.device}|work"))

    def _route(self, rng: Random) -> list[Metres]:
        """A gently bowed way from home to somewhere; empty if there is nowhere to go."""
        for _ in range(_ROUTE_ATTEMPTS):
            length = rng.uniform(250, 1100) if rng.random() < 0.45 else rng.uniform(1300, 6000)
            bearing, bow = rng.uniform(0, 2 * math.pi), rng.uniform(-0.12, 0.12) * length
            east, north = math.sin(bearing), math.cos(bearing)
            route = []
            for step in range(_ROUTE_POINTS):
                share = step / (_ROUTE_POINTS - 1)
                along, aside = share * length, bow * math.sin(math.pi * share)
                route.append((along * east + aside * north, along * north - aside * east))
            if self._clear(LineString(route)):
                return route
        return []

    def _clear(self, way: LineString) -> bool:
        if self._forbidden.intersects(way):
            return False
        return self._allowed is None or bool(self._allowed.contains(way))


def _instant(day: date, local: time) -> datetime:
    """A local wall time as an instant; trips keep clear of the hours that clock changes touch."""
    return datetime.combine(day, local, tzinfo=LONDON).astimezone(UTC)


def _errand(rng: Random) -> timedelta:
    return timedelta(minutes=rng.uniform(12, 95))


def _travel_time(rng: Random, route: list[Metres]) -> timedelta:
    length = sum(math.dist(a, b) for a, b in pairwise(route))
    driving = rng.uniform(*_DRIVING_M_S)
    return timedelta(seconds=length / (_WALKING_M_S if length < _LONGEST_WALK_M else driving))


def _go(
    times: list[datetime],
    places: list[Metres],
    leaves: datetime,
    travel: timedelta,
    route: list[Metres],
) -> None:
    steps = len(route) - 1
    for step, place in enumerate(route):
        times.append(leaves + travel * step / steps)
        places.append(place)
