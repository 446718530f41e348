"""Boxes about a shape in which a fix of a given radius leaves no doubt on which side it is.

A box of level ``d`` keeps ``d`` metres from the shape's edge. With an effective radius of at most
``d / KEEP_RADII``, at most :data:`DOUBT` of a fix's error is on the other side; a belief takes that
for nothing.
"""

import math
from functools import lru_cache

import shapely
from shapely.geometry.base import BaseGeometry

from zones.fix_error import share_beyond
from zones.plane import Plane

# Distance to the edge, in effective radii. Two leave a wearer 30 m inside the edge with fixes of
# 10 m (12 m effective) in calm.
KEEP_RADII = 2.0
# The share of the model's error beyond that distance: what counts as nothing.
DOUBT = share_beyond(KEEP_RADII, 1.0)

# Distances to the edge, metres, a quarter apart, from the smallest radius up to 20 km.
LEVELS_M = tuple(float(round(20 * 1.25**n)) for n in range(32))
# A box is preferred whose edge is this share of its level away, so that the next fixes keep in it.
_CLEARANCE = 0.5
# Half-widths of boxes inside, as shares of the shape's.
_WIDTHS = (0.15, 0.3, 0.45, 0.6, 0.7, 0.8, 0.9, 0.97)
_HALVINGS = 10
# A shape with more vertices is made lighter before its core is cut out, by this share of a level:
# the core of a jagged coast took seconds.
_MANY_VERTICES = 500
_SLACK = 0.1
_PARTS = 4

# West, south, east, north.
Box = tuple[float, float, float, float]


class Quiet:
    """The boxes of one shape, on the side that keeps a condition: ``inside`` or outside of it.

    Boxes are named by level and number, and made when first asked for; the answers depend on the
    shape alone.
    """

    def __init__(self, shape: BaseGeometry, plane: Plane, inside: bool) -> None:
        self._plane = plane
        self._inside = inside
        self._shape_m = shapely.transform(shape, plane.all_metres)
        self._bounds: Box = self._shape_m.bounds
        self._made: dict[int, tuple[Box, ...]] = {}

    def find(self, x_m: float, y_m: float, radius_m: float) -> tuple[int, int] | None:
        """Level and number of the best box about a fix with this effective radius, if any."""
        best = None
        for level in range(_first_level(KEEP_RADII * radius_m), len(LEVELS_M)):
            number, clearance_m = self._widest(level, x_m, y_m)
            if clearance_m <= 0:
                break
            if best is not None and clearance_m < _CLEARANCE * LEVELS_M[level]:
                break
            best = level, number
        return best

    def box_degrees(self, level: int, number: int) -> Box:
        """The box, as far as the ends of the map."""
        west, south, east, north = self.boxes(level)[number]
        west, south = self._plane.degrees(west, south)
        east, north = self._plane.degrees(east, north)
        return max(west, -180.0), max(south, -90.0), min(east, 180.0), min(north, 90.0)

    def radius_m(self, level: int) -> float:
        """The largest effective radius that leaves no doubt in a box of the level."""
        return LEVELS_M[level] / KEEP_RADII

    def boxes(self, level: int) -> tuple[Box, ...]:
        """The boxes of a level, metres of the plane."""
        if level not in self._made:
            made = self._inner if self._inside else self._outer
            self._made[level] = made(LEVELS_M[level])
        return self._made[level]

    def _widest(self, level: int, x_m: float, y_m: float) -> tuple[int, float]:
        """The box of the level whose edge is furthest from a point in it, and how far."""
        widest, number = 0.0, -1
        for n, (west, south, east, north) in enumerate(self.boxes(level)):
            clearance_m = min(x_m - west, east - x_m, y_m - south, north - y_m)
            if clearance_m > widest:
                widest, number = clearance_m, n
        return number, widest

    def _outer(self, keep_m: float) -> tuple[Box, ...]:
        west, south, east, north = self._bounds
        end = math.inf
        return (
            (-end, -end, west - keep_m, end),
            (-end, -end, end, south - keep_m),
            (east + keep_m, -end, end, end),
            (-end, north + keep_m, end, end),
        )

    def _inner(self, keep_m: float) -> tuple[Box, ...]:
        shape_m, slack_m = self._shape_m, 0.0
        if shapely.get_num_coordinates(shape_m) > _MANY_VERTICES:
            # Its edge may move by the slack, and the core keeps so much further away.
            slack_m = _SLACK * keep_m
            shape_m = shapely.simplify(shape_m, slack_m)
        core = shape_m.buffer(-keep_m - slack_m)
        parts = sorted(shapely.get_parts(core), key=lambda part: -part.area)
        boxes: list[Box] = []
        for part in parts[:_PARTS]:
            if part.is_empty:
                continue
            shapely.prepare(part)
            x, y = shapely.get_coordinates(shapely.maximum_inscribed_circle(part))[0].tolist()
            west, _, east, _ = part.bounds
            boxes.extend(_tallest(part, x, y, share * (east - west) / 2) for share in _WIDTHS)
        return tuple(box for box in boxes if box[3] > box[1])


@lru_cache(maxsize=1024)
def _first_level(keep_m: float) -> int:
    return next((n for n, level_m in enumerate(LEVELS_M) if level_m >= keep_m), len(LEVELS_M))


def _tallest(part: BaseGeometry, x: float, y: float, half_width: float) -> Box:
    """The tallest box about a point within the part, for a given half-width; else one of no height.

    Its height is found by halving, so it is a trace lower than it could be.
    """
    _, south, _, north = part.bounds
    low, high = 0.0, (north - south) / 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        fits = part.covers(shapely.box(x - half_width, y - middle, x + half_width, y + middle))
        low, high = (middle, high) if fits else (low, middle)
    return x - half_width, y - low, x + half_width, y + low
