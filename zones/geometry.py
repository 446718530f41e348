"""Metres on the map: growing a shape, and how far a point is from its edge.

Shapes come in and go out as EPSG:4326, x = longitude. Inside Great Britain metres are those of the
British National Grid (EPSG:27700; its scale is within 0.12 % of the ground); elsewhere those of an
azimuthal equidistant plane about the shape's centroid.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import shapely
from pyproj import Geod, Transformer
from pyproj.enums import TransformDirection
from shapely.geometry.base import BaseGeometry

from zones.fault import ZoneFault

# The longest edge, in degrees, that is projected as one: a kilometre or so, whose bow away from
# the straight line between its ends is a few centimetres. Longer edges get points in between.
_EDGE_DEGREES = 0.01
# Segments in a quarter of a circle: a circle of 100 m is then at most 3 cm too small.
_QUARTER_SEGMENTS = 32
# An outline of more corners is grown in pieces of so many edges. As one it takes time with the
# square of its corners: a rough coast of 20,000 took 50 s and 6 GB to be made 300 m wider, in
# pieces 1 s and 0.1 GB.
_CORNERS_AT_ONCE = 2_000
_EDGES_OF_A_PIECE = 8
# Growth beyond this is refused: the plane's metres are no longer the ground's, and a zone that
# large is a slip of units.
MAX_GROWTH_M = 100_000.0

_WGS84 = Geod(ellps="WGS84")
_SEMI_MAJOR_M = 6_378_137.0
_ECCENTRICITY_SQUARED = 0.006_694_379_990_14

Coordinates = npt.NDArray[np.float64]


class ServiceArea(msgspec.Struct, frozen=True):
    """A box of longitude and latitude, degrees."""

    name: str
    min_lon: float
    min_lat: float
    max_lon: float
    max_lat: float

    def holds(self, lon: float, lat: float) -> bool:
        """Whether the point is in the box, edge included."""
        return self.min_lon <= lon <= self.max_lon and self.min_lat <= lat <= self.max_lat


# The EPSG registry's area of use of the transformation from WGS 84 to the British National Grid.
GREAT_BRITAIN = ServiceArea("Great Britain", -8.82, 49.79, 1.92, 60.94)


def grown(shape: BaseGeometry, growth_m: float) -> BaseGeometry:
    """The shape and everything within ``growth_m`` metres of it; zero gives the shape itself.

    Raises :class:`ZoneFault` for a negative, non-finite or too large number and for a shape that
    would reach a pole or the date line.
    """
    checked_metres(growth_m, "buffer_m")
    if growth_m == 0:
        return shape
    forward, back = _plane_about(shape)
    dense = shapely.segmentize(shape, _EDGE_DEGREES)
    plane = shapely.transform(dense, forward)
    if shapely.get_num_coordinates(shape) > _CORNERS_AT_ONCE:
        wide = shapely.union_all([plane, *_along_edges(plane, growth_m)])
    else:
        wide = plane.buffer(growth_m, quad_segs=_QUARTER_SEGMENTS)
    result: BaseGeometry = shapely.transform(wide, back)
    west, south, east, north = result.bounds
    inside_earth = -180 <= west <= east <= 180 and -90 <= south <= north <= 90
    if not inside_earth or not result.is_valid:
        what = f"{growth_m:g} m takes the shape over a pole or the date line; make it smaller"
        raise ZoneFault("buffer_m", what)
    return result


def shrunk(shape: BaseGeometry, by_m: float) -> BaseGeometry:
    """The part of the shape that is further than ``by_m`` metres from its edge; may be empty."""
    checked_metres(by_m, "by_m")
    forward, back = _plane_about(shape)
    dense = shapely.segmentize(shape, _EDGE_DEGREES)
    plane = shapely.transform(dense, forward)
    if shapely.get_num_coordinates(shape) > _CORNERS_AT_ONCE:
        core = plane.difference(shapely.union_all(_along_edges(plane, by_m)))
    else:
        core = plane.buffer(-by_m, quad_segs=_QUARTER_SEGMENTS)
    return shapely.transform(core, back)


def _along_edges(shape_m: BaseGeometry, within_m: float) -> list[BaseGeometry]:
    """What is within so many metres of the edges, piece by piece along each ring or line."""
    lines = []
    for part in shapely.get_parts(shape_m):
        for line in shapely.get_rings(part) if part.geom_type == "Polygon" else [part]:
            points = shapely.get_coordinates(line)
            starts = range(0, max(len(points) - 1, 1), _EDGES_OF_A_PIECE)
            pieces = [points[first : first + _EDGES_OF_A_PIECE + 1] for first in starts]
            lines += [_line(each) for each in pieces]
    return list(shapely.buffer(lines, within_m, quad_segs=_QUARTER_SEGMENTS))


def _line(points: Coordinates) -> BaseGeometry:
    return shapely.LineString(points) if len(points) > 1 else shapely.Point(points[0])


def area_m2(shape: BaseGeometry) -> float:
    """Square metres of ground (WGS 84)."""
    square_m, _ = _WGS84.geometry_area_perimeter(shapely.orient_polygons(shape))
    return abs(float(square_m))


def checked_metres(number: object, name: str) -> float:
    """A length in metres that a zone may have; raises :class:`ZoneFault` that names it."""
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise ZoneFault(name, f"{number!r} is not a number of metres")
    # Compared before it is converted, because a long integer does not fit a float.
    if not 0 <= number <= MAX_GROWTH_M:
        written = f"{number:g}" if isinstance(number, float) else str(number)[:20]
        raise ZoneFault(name, f"{written} is not between 0 and {MAX_GROWTH_M:g} metres")
    return float(number)


def distance_m(lon: float, lat: float, shape: BaseGeometry) -> float:
    """Metres from a point to the shape's edge: negative inside, zero on it, positive outside.

    Along the earth's surface (WGS 84), to the point of the edge that is nearest on a local plane
    about the given point; correct to the millimetre at close range and to 1 % at 100 km.
    """
    x_m, y_m = metres_per_degree(lat)
    scale = np.array([x_m, y_m])
    here = np.array([lon, lat])
    edge = shape.boundary if shape.area > 0 else shape
    # Metres east and north of the point itself, so that no precision is lost to the origin.
    around = shapely.transform(edge, lambda xy: (xy - here) * scale)
    nearest = shapely.shortest_line(shapely.Point(0, 0), around).coords[-1]
    to_lon, to_lat = here + np.array(nearest) / scale
    _, _, metres = _WGS84.inv(lon, lat, to_lon, to_lat)
    return -float(metres) if shapely.contains_xy(shape, lon, lat) else float(metres)


def metres_per_degree(lat: float) -> tuple[float, float]:
    """Metres east and north per degree at a latitude, from the ellipsoid's radii of curvature."""
    sine = math.sin(math.radians(lat))
    flat = 1 - _ECCENTRICITY_SQUARED * sine * sine
    east_radius_m = _SEMI_MAJOR_M / math.sqrt(flat)
    north_radius_m = _SEMI_MAJOR_M * (1 - _ECCENTRICITY_SQUARED) / flat**1.5
    # At a pole a degree of longitude has no width; a metre keeps the division above harmless.
    east_m = max(math.radians(east_radius_m * math.cos(math.radians(lat))), 1.0)
    return east_m, math.radians(north_radius_m)


_Mover = Callable[[Coordinates], Coordinates]


def _plane_about(shape: BaseGeometry) -> tuple[_Mover, _Mover]:
    """Functions from degrees to the metres of a plane that suits the shape, and back."""
    west, south, east, north = shape.bounds
    if GREAT_BRITAIN.holds(west, south) and GREAT_BRITAIN.holds(east, north):
        transformer = _transformer("EPSG:27700")
    else:
        middle = shape.centroid
        # Rounded, so that versions of one zone share a cached transformer.
        plane = f"+proj=aeqd +lat_0={middle.y:.3f} +lon_0={middle.x:.3f} +datum=WGS84 +units=m"
        transformer = _transformer(plane)
    return _mover(transformer, TransformDirection.FORWARD), _mover(
        transformer, TransformDirection.INVERSE
    )


@lru_cache(maxsize=256)
def _transformer(plane: str) -> Transformer:
    return Transformer.from_crs("EPSG:4326", plane, always_xy=True)


def _mover(transformer: Transformer, direction: TransformDirection) -> _Mover:
    def move(xy: Coordinates) -> Coordinates:
        moved: tuple[Any, Any] = transformer.transform(xy[:, 0], xy[:, 1], direction=direction)
        return np.column_stack(moved)

    return move
