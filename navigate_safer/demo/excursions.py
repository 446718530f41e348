"""Scripted journeys: into an area, out of an area, away from home; each returns to ordinary life.

A journey starts where the wearer would be anyway and ends where he would be anyway, so that the
track has no jump. Each function gives None where the map allows no such journey.
"""

import math
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
import shapely
from shapely.geometry import LineString, MultiPolygon, Point, Polygon
from shapely.geometry.base import BaseGeometry

from devices.simulated_day import Excursion, Metres, Whereabouts
from devices.simulated_draws import Span

DRIVING_M_S = 8.0
WALKING_M_S = 1.35
# Where a way crosses the edge, and where it leads.
Way = tuple[Metres, Metres]
# How far beyond the edge a scripted breach goes: many times the accuracy of a clean fix.
DEPTH_M = 200.0
_EDGE_M = 60.0
_SETTLING_ROUNDS = 4
_BEARINGS = 16


class Journey(msgspec.Struct, frozen=True):
    """An excursion and the time between its two crossings of the edge."""

    excursion: Excursion
    breach: Span

    @property
    def lasts(self) -> Span:
        """From leaving ordinary life to being back in it."""
        points = self.excursion.waypoints
        return Span(points[0][0], points[-1][0])


def intrusion(
    life: Whereabouts, area: BaseGeometry, crosses_at: datetime, stay: timedelta
) -> Journey | None:
    """A drive into an area, crossing its edge at ``crosses_at`` and again ``stay`` later."""
    area_m = life.frame.shape_m(area)
    found = _drive_to(life, lambda origin: _way_in(area_m, origin), crosses_at)
    if found is None:
        return None
    return _journey(life, *found, Span(crosses_at, crosses_at + stay), area_m)


def departure(
    life: Whereabouts, area: BaseGeometry, crosses_at: datetime, stay: timedelta
) -> Journey | None:
    """A drive out of an area that must not be left, by the nearest edge."""
    area_m = life.frame.shape_m(area)
    found = _drive_to(life, lambda origin: _way_out(area_m, origin), crosses_at)
    if found is None:
        return None
    return _journey(life, *found, Span(crosses_at, crosses_at + stay), None)


def _drive_to(
    life: Whereabouts, way_from: Callable[[Metres], Way | None], crosses_at: datetime
) -> tuple[datetime, Way] | None:
    """When to leave so as to cross an edge at a time, and the way; None where there is none.

    From where one leaves depends on when: after a few rounds both agree.
    """
    leaves_at, way = crosses_at, None
    for _ in range(_SETTLING_ROUNDS):
        origin = life.frame.to_m(life.position(leaves_at))
        way = way_from(origin)
        if way is None:
            return None
        leaves_at = crosses_at - _driving(math.dist(origin, way[0]))
    return None if way is None else (leaves_at, way)


def stroll(
    life: Whereabouts, leaves_at: datetime, distance_m: float, stay: timedelta
) -> Journey | None:
    """A walk away from home and back; the breach is the time beyond half the distance."""
    start = life.position(leaves_at)
    east, north = life.frame.to_m(start)
    walk = timedelta(seconds=distance_m / WALKING_M_S)
    for bearing in range(_BEARINGS):
        angle = 2 * math.pi * bearing / _BEARINGS
        x, y = east + distance_m * math.sin(angle), north + distance_m * math.cos(angle)
        far = life.frame.to_degrees((x, y))
        if life.may_go([start, far]):
            turns_at = leaves_at + walk + stay
            points = (
                (leaves_at, *start),
                (leaves_at + walk, *far),
                (turns_at, *far),
                (turns_at + walk, *life.position(turns_at + walk)),
            )
            return Journey(Excursion(points), Span(leaves_at + walk / 2, turns_at + walk / 2))
    return None


def deep_inside(area: BaseGeometry) -> tuple[float, float]:
    """The place of an area that is farthest from its edge, (longitude, latitude)."""
    middle = shapely.maximum_inscribed_circle(_polygonal(area)).coords[0]
    return middle[0], middle[1]


def _polygonal(area: BaseGeometry) -> Polygon | MultiPolygon:
    if not isinstance(area, Polygon | MultiPolygon):
        raise TypeError(f"an area must be a polygon or several, not {area.geom_type}")
    return area


def _driving(distance_m: float) -> timedelta:
    return timedelta(seconds=distance_m / DRIVING_M_S)


def _way_in(area_m: BaseGeometry, origin: Metres) -> Way | None:
    """Where the straight way to the middle meets the edge first, and a place well inside."""
    if area_m.distance(Point(origin)) < _EDGE_M:
        return None
    way = LineString([origin, deep_inside(area_m)])
    crossed = way.intersection(area_m)
    pieces = list(getattr(crossed, "geoms", [crossed]))
    first = min(pieces, key=lambda piece: float(piece.distance(Point(origin))))
    if first.length < DEPTH_M:
        return None
    begins = min(way.project(Point(end)) for end in (first.coords[0], first.coords[-1]))
    edge, deep = way.interpolate(begins), way.interpolate(begins + DEPTH_M)
    if area_m.boundary.distance(deep) < _EDGE_M:
        return None
    return (edge.x, edge.y), (deep.x, deep.y)


def _way_out(area_m: BaseGeometry, origin: Metres) -> Way | None:
    if not area_m.contains(Point(origin)):
        return None
    edge = shapely.shortest_line(area_m.boundary, Point(origin)).coords[0]
    reach = math.dist(origin, edge)
    if reach < _EDGE_M:
        return None
    share = (reach + DEPTH_M) / reach
    far = (
        origin[0] + (edge[0] - origin[0]) * share,
        origin[1] + (edge[1] - origin[1]) * share,
    )
    if area_m.distance(Point(far)) < _EDGE_M:
        return None
    return (edge[0], edge[1]), far


def _journey(
    life: Whereabouts,
    leaves_at: datetime,
    way: Way,
    breach: Span,
    area_m: BaseGeometry | None,
) -> Journey | None:
    """There and back over one edge; None if the way back would cut through the area again."""
    edge, far = way
    back_at = breach.until_at
    for _ in range(_SETTLING_ROUNDS):
        home = life.frame.to_m(life.position(back_at))
        back_at = breach.until_at + _driving(math.dist(edge, home))
    home = life.frame.to_m(life.position(back_at))
    if area_m is not None and LineString([edge, home]).intersection(area_m).length > 1.0:
        return None
    deep = _driving(DEPTH_M)
    stops = [
        (leaves_at, life.frame.to_m(life.position(leaves_at))),
        (breach.from_at, edge),
        (breach.from_at + deep, far),
        (breach.until_at - deep, far),
        (breach.until_at, edge),
        (max(back_at, breach.until_at + timedelta(seconds=1)), home),
    ]
    points = tuple((at, *life.frame.to_degrees(place)) for at, place in stops)
    return Journey(Excursion(points), breach)
