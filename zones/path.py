"""When a straight path is inside a shape.

Between two fixes the wearer is taken to move in a straight line of longitude and latitude at a
steady pace. The boundary belongs to the shape. Every crossing is computed from the coordinates as
given; within :data:`BOUNDARY_DEGREES` a point counts as on the boundary, which is what makes a fix
written in decimals on a slanting edge lie on it.
"""

import math
from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from zones.interval import Interval, Intervals, union

# About ten nanometres: above the rounding of decimal degrees to binary (3e-14 at 180 degrees),
# far below anything measured, and no crossing time moves by a microsecond because of it.
BOUNDARY_DEGREES = 1e-13
# A leg that moves less than this towards an edge runs along it; above it, it crosses at one point.
_CROSSING_DEGREES = 8 * BOUNDARY_DEGREES

# Half the side of a square over the radius of its circle is 0.7071.
_INNER_SQUARE = 0.707

_MICROSECOND = timedelta(microseconds=1)

_Floats = npt.NDArray[np.float64]
# West, south, east, north: degrees.
Box = tuple[float, float, float, float]


class Outline:
    """A shape made ready for many legs: its edges as arrays, its bounds, its prepared form.

    Build it once per zone; it holds no state between calls. Raises TypeError for a shape that
    has no inside.
    """

    def __init__(self, shape: BaseGeometry) -> None:
        if not isinstance(shape, shapely.Polygon | shapely.MultiPolygon) or shape.is_empty:
            raise TypeError(f"a zone is a Polygon or MultiPolygon, not {shape.geom_type}")
        shapely.prepare(shape)
        self.shape = shape
        west, south, east, north = shape.bounds
        self.west, self.south = west - BOUNDARY_DEGREES, south - BOUNDARY_DEGREES
        self.east, self.north = east + BOUNDARY_DEGREES, north + BOUNDARY_DEGREES
        self._inner = _inner_box(shape)
        self._x, self._y, self._ux, self._uy, self._length = _edges(shape)

    def covers(self, lon: float, lat: float) -> bool:
        """Whether the point is inside or on the boundary."""
        if not (self.west <= lon <= self.east and self.south <= lat <= self.north):
            return False
        if shapely.intersects_xy(self.shape, lon, lat):
            return True
        return len(self._contacts(lon, lat, lon, lat)[0]) > 0

    def inner_box(self, lon: float, lat: float) -> Box | None:
        """A box, edges included, that has the point and lies wholly inside; None: not known.

        A leg between any two points of it is inside throughout.
        """
        west, south, east, north = self._inner
        if west < lon < east and south < lat < north:
            up, down = math.inf, -math.inf
            return (
                math.nextafter(west, up),
                math.nextafter(south, up),
                math.nextafter(east, down),
                math.nextafter(north, down),
            )
        return None

    def clear_box(self, lon: float, lat: float) -> Box | None:
        """A box of the world, edges included, that has the point and touches no bounds.

        There are four, each from one side of the bounds out to the end of the map and round one
        corner, so that every point outside the bounds is in exactly one. None inside them.
        """
        up, down = math.inf, -math.inf
        if lon < self.west and lat <= self.north:
            return -180.0, -90.0, math.nextafter(self.west, down), self.north
        if lat > self.north and lon <= self.east:
            return -180.0, math.nextafter(self.north, up), self.east, 90.0
        if lon > self.east and lat >= self.south:
            return math.nextafter(self.east, up), self.south, 180.0, 90.0
        if lat < self.south and lon >= self.west:
            return self.west, -90.0, 180.0, math.nextafter(self.south, down)
        return None

    def misses(self, lon0: float, lat0: float, lon1: float, lat1: float) -> bool:
        """Whether the leg passes outside the bounds, so that it cannot be inside."""
        return (
            (lon0 < self.west and lon1 < self.west)
            or (lon0 > self.east and lon1 > self.east)
            or (lat0 < self.south and lat1 < self.south)
            or (lat0 > self.north and lat1 > self.north)
        )

    def inside(
        self, leg: Interval, lon0: float, lat0: float, lon1: float, lat1: float
    ) -> Intervals:
        """The stretches of the leg, ends included, in which the path is inside or on the boundary.

        ``leg`` is its time, from the first position to the second. Answers are rounded to the
        microsecond. A path that only touches the shape gives a stretch of no length.
        """
        if self.misses(lon0, lat0, lon1, lat1):
            return ()
        west, south, east, north = self._inner
        if (west < lon0 < east and south < lat0 < north) and (
            west < lon1 < east and south < lat1 < north
        ):
            return (leg,)
        start, ticks = leg.start, leg.length // _MICROSECOND
        return union(
            Interval(
                start + timedelta(microseconds=round(enter * ticks)),
                start + timedelta(microseconds=round(leave * ticks)),
            )
            for enter, leave in self._stretches(lon0, lat0, lon1, lat1)
        )

    def _stretches(
        self, lon0: float, lat0: float, lon1: float, lat1: float
    ) -> Iterator[tuple[float, float]]:
        """Parts of the leg that are inside, as fractions of it; they may touch or overlap.

        Between two contacts with the boundary the path is wholly inside or wholly outside, so
        one point tells which; and that point is far enough from every edge to be told safely.
        """
        enter, leave = self._contacts(lon0, lat0, lon1, lat1)
        yield from zip(enter.tolist(), leave.tolist(), strict=True)
        order = np.argsort(enter)
        # A contact may begin before an earlier one has ended, hence the running maximum.
        from_t = np.concatenate(([0.0], np.maximum.accumulate(leave[order])))
        to_t = np.concatenate((enter[order], [1.0]))
        free = to_t > from_t
        from_t, to_t = from_t[free], to_t[free]
        middle = (from_t + to_t) / 2
        within = shapely.intersects_xy(
            self.shape, lon0 + (lon1 - lon0) * middle, lat0 + (lat1 - lat0) * middle
        )
        yield from zip(from_t[within].tolist(), to_t[within].tolist(), strict=True)

    def _contacts(
        self, lon0: float, lat0: float, lon1: float, lat1: float
    ) -> tuple[_Floats, _Floats]:
        """For each edge the leg meets, the fractions of the leg at which contact begins and ends.

        Each edge is a thin box along its own axes; the leg is clipped to the box's two slabs.
        """
        dx, dy = lon1 - lon0, lat1 - lat0
        rx, ry = lon0 - self._x, lat0 - self._y
        offset, drift = self._ux * ry - self._uy * rx, self._ux * dy - self._uy * dx
        along, pace = self._ux * rx + self._uy * ry, self._ux * dx + self._uy * dy
        # A leg parallel to a slab divides by zero: the infinities that come of it mean "always"
        # or "never", as they should.
        with np.errstate(all="ignore"):
            a, b = (-BOUNDARY_DEGREES - offset) / drift, (BOUNDARY_DEGREES - offset) / drift
            c = (-BOUNDARY_DEGREES - along) / pace
            d = (self._length + BOUNDARY_DEGREES - along) / pace
            enter = np.maximum(np.maximum(np.minimum(a, b), np.minimum(c, d)), 0.0)
            leave = np.minimum(np.minimum(np.maximum(a, b), np.maximum(c, d)), 1.0)
            met = enter <= leave
            enter, leave, drift = enter[met], leave[met], drift[met]
            crossing = np.clip(-offset[met] / drift, enter, leave)
        crosses = np.abs(drift) > _CROSSING_DEGREES
        # The box has a width only so that no contact is missed; the time is that of the edge
        # itself. An end of the leg that lies on the edge stays in contact with it.
        return (
            np.where(crosses & (enter > 0), crossing, enter),
            np.where(crosses & (leave < 1), crossing, leave),
        )


def _inner_box(shape: shapely.Polygon | shapely.MultiPolygon) -> Box:
    """A box wholly inside the shape: west, south, east, north.

    A leg between two points of it needs no arithmetic, which is most legs of a night at home.
    """
    radius = shapely.maximum_inscribed_circle(shape)
    lon, lat = shapely.get_coordinates(radius)[0].tolist()
    # Half the side of the square in the circle, less a trace for rounding.
    half = radius.length * _INNER_SQUARE
    return lon - half, lat - half, lon + half, lat + half


def _edges(shape: BaseGeometry) -> tuple[_Floats, _Floats, _Floats, _Floats, _Floats]:
    """Start, unit direction and length of every edge of every ring, degrees."""
    starts, ends = [], []
    for ring in shapely.get_rings(shapely.get_parts(shape)):
        points = shapely.get_coordinates(ring)
        starts.append(points[:-1])
        ends.append(points[1:])
    start = np.concatenate(starts)
    step = np.concatenate(ends) - start
    length = np.hypot(step[:, 0], step[:, 1])
    # A vertex given twice makes an edge without direction; its neighbours meet in it anyway.
    real = length > 0
    start, step, length = start[real], step[real], length[real]
    unit = step / length[:, None]
    return start[:, 0].copy(), start[:, 1].copy(), unit[:, 0].copy(), unit[:, 1].copy(), length
