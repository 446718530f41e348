"""A shape with very many vertices, made light within a stated bound.

A fix is compared with every edge of a zone, so that a coastline of a hundred thousand vertices
would cost a thousand times a house. No vertex that is dropped is further than the bound from the
line that is kept, and the bound stays well below the error of the best fix.
"""

import msgspec
import shapely
from shapely.geometry.base import BaseGeometry

from zones.plane import plane_at

# Up to so many vertices a shape is judged as it is drawn.
MANY_VERTICES = 1_000
# Metres tried in turn until the vertices are few enough. The last is a third of the effective
# radius of a good fix under open sky (5 m reported, 6 m effective).
BOUNDS_M = (0.25, 0.5, 1.0, 2.0)


class Simplified(msgspec.Struct, frozen=True):
    """The light shape, and the most that its edge is off, metres; 0: it is the shape itself."""

    shape: BaseGeometry
    bound_m: float


def simplified(shape: BaseGeometry) -> Simplified:
    """The shape within the smallest bound that makes it light, or else within the largest.

    A shape that would become invalid or lose a part is judged as it is drawn.
    """
    if shapely.get_num_coordinates(shape) <= MANY_VERTICES:
        return Simplified(shape, 0.0)
    west, south, east, north = shape.bounds
    plane = plane_at((west + east) / 2, (south + north) / 2)
    in_metres = shapely.transform(shape, plane.all_metres)
    best = Simplified(shape, 0.0)
    for bound_m in BOUNDS_M:
        light = shapely.simplify(in_metres, bound_m, preserve_topology=True)
        back = shapely.transform(light, plane.all_degrees)
        if not back.is_valid or back.is_empty:
            break
        best = Simplified(back, bound_m)
        if shapely.get_num_coordinates(back) <= MANY_VERTICES:
            break
    return best


def inner_radius_m(shape: BaseGeometry) -> float:
    """The radius of the largest circle that fits into a shape, to a percent of its width."""
    west, south, east, north = shape.bounds
    plane = plane_at((west + east) / 2, (south + north) / 2)
    widest = 0.0
    for part in shapely.get_parts(shapely.transform(shape, plane.all_metres)):
        assert isinstance(part, shapely.Polygon)
        radius = shapely.maximum_inscribed_circle(part)
        widest = max(widest, radius.length)
    return float(widest)
