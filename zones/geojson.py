"""GeoJSON geometry to a valid shape, or the place where it is at fault.

Coordinates are degrees EPSG:4326, longitude first; a third number (altitude) is not used. Edges
are straight in longitude and latitude, as RFC 7946 has them.
"""

import math
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

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
# Degrees from the equator beyond which no zone may lie: the local plane's metres are no more the
# ground's. All of the settled world is nearer.
MOST_LATITUDE = 85.0
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
    of ``buffer_m`` to each side; both need a length above 0. A MultiPoint or MultiLineString is
    all of its parts together: several addresses, several roads. A shape may neither cross the
    antimeridian (cut it in two there, as RFC 7946 has it) nor come near a pole. The polygons of a
    MultiPolygon may overlap or share an edge; the zone is all of them together. Coordinates that
    would lie in ``service_area`` with longitude and latitude exchanged, and do not as they are, are
    taken to be swapped. Raises :class:`ZoneFault` with the place of the fault.
    """
    if not isinstance(geometry, Mapping):
        raise ZoneFault("geometry", "is missing; give a GeoJSON Polygon or MultiPolygon")
    kind = geometry.get("type")
    growth_m = checked_metres(buffer_m, "buffer_m")
    if checked_metres(radius_m, "radius_m") > 0:
        if kind not in ("Point", "MultiPoint"):
            raise ZoneFault("radius_m", f"is for a Point; give a {kind} a buffer_m")
        growth_m += radius_m
    shape = _drawn(kind, geometry.get("coordinates"), service_area)
    if shape.area == 0 and growth_m == 0:
        needed = "radius_m" if kind in ("Point", "MultiPoint") else "buffer_m"
        raise ZoneFault("geometry", f"a {kind} has no area; give it a {needed} above 0")
    _, south, _, north = shape.bounds
    if south < -MOST_LATITUDE or north > MOST_LATITUDE:
        what = f"comes nearer to a pole than latitude {MOST_LATITUDE:g}, where no metre is a metre"
        raise ZoneFault("geometry", f"{what}; draw it further away")
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
        case "MultiPoint":
            return _multipoint(coordinates, area)
        case "LineString":
            return _line(coordinates, "", area)
        case "MultiLineString":
            return _multiline(coordinates, area)
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


def _line(positions: object, part: str, area: ServiceArea | None) -> shapely.LineString:
    where = f"line{part}"
    listed = _list(positions, where, "a list of positions")
    line = [_position(entry, f"{where}, vertex {n}") for n, entry in enumerate(listed, start=1)]
    if len(set(line)) < 2:
        raise ZoneFault(where, "needs at least 2 different points")
    _refuse_swapped(line, area)
    _refuse_antimeridian(line, where)
    return shapely.LineString(line)


def _multiline(lines: object, area: ServiceArea | None) -> BaseGeometry:
    listed = _list(lines, "geometry", "a list of lines")
    if not listed:
        raise ZoneFault("geometry", "has no line; draw at least one")
    parts = [_line(line, f" {number}", area) for number, line in enumerate(listed, start=1)]
    return shapely.MultiLineString(parts)


def _multipoint(positions: object, area: ServiceArea | None) -> BaseGeometry:
    listed = _list(positions, "geometry", "a list of positions")
    if not listed:
        raise ZoneFault("geometry", "has no point; give at least one")
    points = [_position(entry, f"point {n}") for n, entry in enumerate(listed, start=1)]
    _refuse_swapped(points, area)
    return shapely.MultiPoint(points)


def _refuse_antimeridian(positions: Sequence[Position], where: str) -> None:
    """An edge of more than half the world is one that goes the other way round, or about a pole."""
    for number, ((lon0, _), (lon1, _)) in enumerate(pairwise(positions), start=1):
        if abs(lon1 - lon0) > 180:
            what = "crosses the antimeridian or goes round a pole"
            then = "cut it at longitude 180 into the parts of a Multi shape (RFC 7946, 3.1.9)"
            raise ZoneFault(f"{where}, vertex {number + 1}", f"{what}; {then}")


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
    _refuse_antimeridian(ring, where)
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
