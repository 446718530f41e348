"""P(inside): the probability that the truth behind a fix lies in a shape.

Exact for the error model of :mod:`zones.fix_error`, for any polygons with holes: seen from the fix,
each edge bounds a triangle with the fix at its apex, and the model's share of that triangle has a
closed form. The shares, signed by the side on which the edge is passed, add up to the shape's.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from zones.fix_error import SCALE_PER_RADIUS
from zones.plane import Plane, plane_at

# Further than this many effective radii from the bounds at most 0.005 % of the model's error
# reaches the shape: the answer is 0.
FAR_RADII = 7.0
# Points times edges worked on at once, so that a batch of a day's fixes stays within the cache.
_CHUNK = 200_000
# Up to this many, plain arithmetic is faster than arrays.
_FEW = 40
# With more edges a tree of them is faster than a look at each.
_MANY = 500

# Divided by an effective radius: what makes twice the scale the unit of length.
_UNIT_RADII = 0.5 / SCALE_PER_RADIUS

_Floats = npt.NDArray[np.float64]
# x and y in metres of the shape's plane, and the effective 95 % radius in metres.
Place = tuple[float, float, float]


class Chance:
    """A shape made ready for many fixes; it holds no state between calls."""

    def __init__(self, shape: BaseGeometry) -> None:
        west, south, east, north = shape.bounds
        self.plane: Plane = plane_at((west + east) / 2, (south + north) / 2)
        self.west_m, self.south_m = self.plane.metres(west, south)
        self.east_m, self.north_m = self.plane.metres(east, north)
        start, end = _oriented_edges(shape)
        start, end = self.plane.all_metres(start), self.plane.all_metres(end)
        step = end - start
        length = np.hypot(step[:, 0], step[:, 1])
        ux, uy = (step / length[:, None]).T
        # An edge's distance from the origin, and its start along its own direction.
        off, begin = ux * start[:, 1] - uy * start[:, 0], ux * start[:, 0] + uy * start[:, 1]
        columns = (ux, uy, off, begin, length)
        self._edges = list(zip(*(each.tolist() for each in columns), strict=True))
        # What turns (x, y, 1) into an edge's distance from a place, its begin and its end.
        self._from_places = np.concatenate(
            [
                np.stack([-uy, ux, -off], axis=1),
                np.stack([-ux, -uy, begin], axis=1),
                np.stack([-ux, -uy, begin + length], axis=1),
            ]
        )
        self._shape = shapely.transform(shape, self.plane.all_metres)
        self._edge = self._shape.boundary
        shapely.prepare([self._shape, self._edge])

    def off_bounds_m(self, x_m: float, y_m: float) -> float:
        """Metres from the shape's bounding box; 0 within it."""
        dx = max(self.west_m - x_m, x_m - self.east_m, 0.0)
        dy = max(self.south_m - y_m, y_m - self.north_m, 0.0)
        return math.hypot(dx, dy)

    def innermost(self) -> tuple[float, float]:
        """The point furthest from the edge, in the metres of :attr:`plane`."""
        # Part by part: of a shape that is spread far, the search would be coarse.
        circles = shapely.maximum_inscribed_circle(shapely.get_parts(self._shape))
        widest = circles[int(np.argmax(shapely.length(circles)))]
        x_m, y_m = shapely.get_coordinates(widest)[0].tolist()
        return x_m, y_m

    def edge_m(self, x_m: float, y_m: float) -> float:
        """Metres from the nearest edge: negative inside."""
        if len(self._edges) > _MANY:
            metres = float(shapely.distance(self._edge, shapely.points(x_m, y_m)))
            return -metres if shapely.intersects_xy(self._shape, x_m, y_m) else metres
        seen = self._from_places @ (x_m, y_m, 1.0)
        number = len(self._edges)
        offset, begin, end = seen[:number], seen[number : 2 * number], seen[2 * number :]
        beyond = np.maximum(np.maximum(begin, -end), 0.0)
        square = offset * offset
        metres = math.sqrt(float((square + beyond * beyond).min()))
        # The angles that the edges span add up to a full turn inside and to none outside.
        turned = float(np.arctan2(offset * (end - begin), square + begin * end).sum())
        return -metres if turned > math.pi else metres

    def inside(self, places: Sequence[Place]) -> list[float]:
        """P(inside) of each place, in the metres of :attr:`plane`."""
        near = [
            n
            for n, (x_m, y_m, radius_m) in enumerate(places)
            if self.off_bounds_m(x_m, y_m) < FAR_RADII * radius_m
        ]
        found = [0.0] * len(places)
        if len(near) * len(self._edges) <= _FEW:
            for n in near:
                found[n] = self._share(*places[n])
        elif near:
            units = [_UNIT_RADII / places[n][2] for n in near]
            placed = np.array(
                [
                    [places[n][0] * unit for n, unit in zip(near, units, strict=True)],
                    [places[n][1] * unit for n, unit in zip(near, units, strict=True)],
                    units,
                ]
            )
            for n, share in zip(near, self._shares(placed).tolist(), strict=True):
                found[n] = min(max(share, 0.0), 1.0)
        return found

    def of_fixes(self, lon: _Floats, lat: _Floats, radius_m: _Floats) -> _Floats:
        """P(inside) of many fixes, degrees and effective radii, as one array."""
        x_m = (lon - self.plane.lon) * self.plane.east_m
        y_m = (lat - self.plane.lat) * self.plane.north_m
        dx = np.maximum(np.maximum(self.west_m - x_m, x_m - self.east_m), 0)
        dy = np.maximum(np.maximum(self.south_m - y_m, y_m - self.north_m), 0)
        near = np.flatnonzero(np.hypot(dx, dy) < FAR_RADII * radius_m)
        found = np.zeros(len(x_m))
        size = max(1, _CHUNK // len(self._edges))
        for first in range(0, len(near), size):
            part = near[first : first + size]
            unit = _UNIT_RADII / radius_m[part]
            found[part] = self._shares(np.stack([x_m[part] * unit, y_m[part] * unit, unit]))
        clipped: _Floats = np.clip(found, 0.0, 1.0)
        return clipped

    def _share(self, x: float, y: float, radius_m: float) -> float:
        """As :meth:`_shares`, of one place."""
        unit = _UNIT_RADII / radius_m
        total = 0.0
        for ux, uy, off, start, length in self._edges:
            offset = (ux * y - uy * x - off) * unit
            begin = (start - ux * x - uy * y) * unit
            end = begin + length * unit
            square = offset * offset + 1.0
            root = math.sqrt(square)
            angle = math.atan2((end - begin) * root, square + begin * end)
            double = square + square
            share = (1.0 + 1.0 / double) / root * angle
            share += (end / (square + end * end) - begin / (square + begin * begin)) / double
            total += share * offset
        return min(max(total * 0.5 / math.pi, 0.0), 1.0)

    def _shares(self, placed: _Floats) -> _Floats:
        """The sum of the edges' shares of each place, which rounding may carry past 0 or 1.

        ``placed`` has a column a place: x, y and 1, times what makes twice the scale the unit.
        """
        lengths = (self._from_places @ placed).reshape(3, -1, placed.shape[1])
        offset, begin, end = lengths
        square = offset * offset + 1.0
        root = np.sqrt(square)
        # The angle that the edge spans, in a picture squeezed by the tail.
        angle = np.arctan2((end - begin) * root, begin * end + square)
        ends = lengths[1:]
        bends = ends / (ends * ends + square)
        half = 0.5 / square
        share = (half + 1.0) / root * angle + (bends[1] - bends[0]) * half
        total: _Floats = (share * offset).sum(axis=0) * (0.5 / math.pi)
        return total


def _oriented_edges(shape: BaseGeometry) -> tuple[_Floats, _Floats]:
    """Every edge of every ring with the shape on its left; degrees."""
    starts, ends = [], []
    for part in shapely.get_parts(shape):
        for ring in shapely.get_rings(shapely.orient_polygons(part)):
            points = shapely.get_coordinates(ring)
            starts.append(points[:-1])
            ends.append(points[1:])
    start, end = np.concatenate(starts), np.concatenate(ends)
    # A vertex given twice makes an edge without direction; its neighbours meet in it anyway.
    real = (start != end).any(axis=1)
    return start[real], end[real]
