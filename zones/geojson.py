"""GeoJSON geometry to a valid shape, or the place where it is at fault.

Coordinates are degrees EPSG:4326, longitude first; a third number (altitude) is not used. Edges
are straight in longitude and latitude, as RFC 7946 has them.
"""

import math
import re
from collections.abc import Mapping, Sequence

import shapely
from shapely.geometry.base import BaseGeometry

from zones.fault import ZoneFault
from zones.geometry import GREAT_BRITAIN, ServiceArea, checked_metres, grown

Position = tuple[float, float]

# GEOS's reasons for an invalid polygon, in the words of somebody who draws.
_REASONS = {
    "Self-intersection": "crosses itself; draw its line so that it does not",
    "Ring Self-intersection": "touches itself; draw it as two shapes, or with a hole",
    "Hole lies outside shell": "has a hole outside its outer ring",
    "Holes are nested": "has a hole inside another hole",
    "Interior is disconnected": "is cut in two by its holes; draw it as two shapes",
    "Duplicate Rings": "has the same ring twice",
}
# Ends of a ring nearer than this, a tenth of a millimetre, differ by rounding alone.
_CLOSED_DEGREES = 1e-9
# A ring narrower than this, about a tenth of a micrometre, is a line but for rounding.
_NO_WIDTH_DEGREES = 1e-12
_PLACED_REASON = re.compile(r"(?P<reason>.*)\[(?P<lon>\S+) (?P<lat>\S+)\]")


def shape_from_geojson(
    geometry: object,
    *,
    buffer_m: float = 0.0,
    radius_m: float = 0.0,
    service_area: ServiceArea | None = GREAT_BRITAIN,
) -> BaseGeometry:
    """The valid shape of a Polygon, MultiPolygon, Point or LineString, grown by ``buffer_m``.

    A Point becomes a circle of ``radius_m`` (then grown by ``buffer_m``) and a LineString a strip
    of ``buffer_m`` to each side; both need a length above 0. The polygons of a MultiPolygon may
    overlap or share an edge; the zone is all of them together. Coordinates that would lie in
    ``service_area`` with longitude and latitude exchanged, and do not as they are, are taken to be
    swapped. Raises :class:`ZoneFault` with the place of the fault.
    """
    if not isinstance(geometry, Mapping):
        raise ZoneFault("geometry", "is missing; give a GeoJSON Polygon or MultiPolygon")
    kind = geometry.get("type")
    growth_m = checked_metres(buffer_m, "buffer_m")
    if checked_metres(radius_m, "radius_m") > 0:
        if kind != "Point":
            raise ZoneFault("radius_m", f"is for a Point; give a {kind} a buffer_m")
        growth_m += radius_m
    shape = _drawn(kind, geometry.get("coordinates"), service_area)
    if shape.area == 0 and growth_m == 0:
        needed = "radius_m" if kind == "Point" else "buffer_m"
        raise ZoneFault("geometry", f"a {kind} has no area; give it a {needed} above 0")
    return grown(shape, growth_m)


def _drawn(kind: object, coordinates: object, area: ServiceArea | None) -> BaseGeometry:
    match kind:
        case "Polygon":
            return _polygon(coordinates, "", area)
        case "MultiPolygon":
            return _multipolygon(coordinates, area)
        case "Point":
            position = _position(coordinates, "point")
            _refuse_swapped([position], area)
            return shapely.Point(position)
        case "LineString":
            return _line(coordinates, area)
        case _:
            known = "Polygon, MultiPolygon, Point with radius_m or LineString with buffer_m"
            raise ZoneFault("geometry", f"type {kind!r} cannot be a zone; use {known}")


def _polygon(rings: object, part: str, area: ServiceArea | None) -> shapely.Polygon:
    listed = _list(rings, f"geometry{part}", "a list of rings")
    if not listed:
        raise ZoneFault(f"geometry{part}", "has no ring, so no area; draw its outline")
    checked = [_ring(ring, f"ring {number}{part}") for number, ring in enumerate(listed, start=1)]
    _refuse_swapped([position for ring in checked for position in ring], area)
    for number, ring in enumerate(checked, start=1):
        _refuse_invalid(shapely.Polygon(ring), f"ring {number}{part}")
    shape = shapely.Polygon(checked[0], checked[1:])
    _refuse_invalid(shape, f"polygon{part}")
    if shape.area <= 0:
        raise ZoneFault(f"polygon{part}", "has no area once its holes are cut out")
    return shape


def _multipolygon(polygons: object, area: ServiceArea | None) -> BaseGeometry:
    listed = _list(polygons, "geometry", "a list of polygons")
    if not listed:
        raise ZoneFault("geometry", "has no polygon, so no area; draw at least one")
    parts = [
        _polygon(rings, f" of polygon {number}", area)
        for number, rings in enumerate(listed, start=1)
    ]
    shape: BaseGeometry = shapely.MultiPolygon(parts)
    # Wards that share a boundary are drawn so, though the simple-features rules forbid it.
    return shape if shape.is_valid else shapely.union_all(parts)


def _line(positions: object, area: ServiceArea | None) -> BaseGeometry:
    listed = _list(positions, "line", "a list of positions")
    line = [_position(entry, f"line, vertex {n}") for n, entry in enumerate(listed, start=1)]
    if len(set(line)) < 2:
        raise ZoneFault("line", "needs at least 2 different points")
    _refuse_swapped(line, area)
    return shapely.LineString(line)


def _ring(positions: object, where: str) -> list[Position]:
    listed = _list(positions, where, "a list of positions")
    ring = [_position(entry, f"{where}, vertex {n}") for n, entry in enumerate(listed, start=1)]
    if not ring:
        raise ZoneFault(where, "is empty")
    if math.dist(ring[0], ring[-1]) <= _CLOSED_DEGREES:
        ring[-1] = ring[0]
    else:
        what = f"is not closed: vertex 1 is at {_place(ring[0])}, the last at {_place(ring[-1])}"
        raise ZoneFault(where, f"{what}; repeat the first position at the end")
    if len(ring) < 4:
        raise ZoneFault(where, f"has {len(ring)} positions; a closed ring needs at least 4")
    hull = shapely.LineString(ring).convex_hull
    if hull.area <= _NO_WIDTH_DEGREES * hull.length:
        raise ZoneFault(where, f"has no area: all its points lie on a line by {_place(ring[0])}")
    return ring


def _position(entry: object, where: str) -> Position:
    numbers = _list(entry, where, "a position, [longitude, latitude]")
    if not 2 <= len(numbers) <= 3:
        raise ZoneFault(where, f"has {len(numbers)} numbers; give longitude and latitude")
    lon, lat = (_degrees(number, where) for number in numbers[:2])
    if not -180 <= lon <= 180:
        raise ZoneFault(where, f"longitude {lon:g} is not between -180 and 180")
    if not -90 <= lat <= 90:
        raise ZoneFault(where, f"latitude {lat:g} is not between -90 and 90; longitude goes first")
    return lon, lat


def _degrees(number: object, where: str) -> float:
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise ZoneFault(where, f"{number!r} is not a number of degrees")
    # Compared before it is converted, because a long integer does not fit a float.
    if not math.isfinite(number) if isinstance(number, float) else abs(number) > 360:
        raise ZoneFault(where, f"{str(number)[:20]} is not a number of degrees on the earth")
    return float(number)


def _list(value: object, where: str, wanted: str) -> Sequence[object]:
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        raise ZoneFault(where, f"must be {wanted}")
    return value


def _refuse_invalid(shape: BaseGeometry, where: str) -> None:
    if shape.is_valid:
        return
    text = str(shapely.is_valid_reason(shape))
    match = _PLACED_REASON.fullmatch(text)
    reason = match["reason"] if match else text
    at = f" at {_place((float(match['lon']), float(match['lat'])))}" if match else ""
    raise ZoneFault(f"{where}{at}", _REASONS.get(reason, f"is not a valid shape ({reason})"))


def _place(position: Position) -> str:
    return f"lon {position[0]:.6f}, lat {position[1]:.6f}"


def _refuse_swapped(positions: Sequence[Position], area: ServiceArea | None) -> None:
    if area is None or any(area.holds(x, y) for x, y in positions):
        return
    if all(area.holds(y, x) for x, y in positions):
        what = f"would lie in {area.name} with latitude and longitude exchanged"
        raise ZoneFault("geometry", f"{what}; GeoJSON puts longitude first")
