"""A shape as a table of coordinates that a person can type: one "latitude, longitude" a line.

An empty line begins the next part; a line with the word ``hole`` says that what follows is a hole
in the polygon before it. Rings are closed by themselves. Latitude goes first, as maps print it.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from zones.fault import ZoneFault

KINDS = ("Polygon", "LineString", "Point")
_NUMBERS = re.compile(r"\s*([+-]?[0-9.]+)\s*[,;\s]\s*([+-]?[0-9.]+)\s*")
_HOLE = "hole"

Geometry = dict[str, Any]


def geometry_from_table(kind: str, table: str) -> Geometry:
    """GeoJSON of the table; raises :class:`ZoneFault` that names the line."""
    if kind not in KINDS:
        raise ZoneFault("shape", f"{kind!r} is not known; use {', '.join(KINDS)}")
    parts = _parts(table)
    if not parts:
        raise ZoneFault("coordinates", "are empty; give one latitude, longitude a line")
    if any(hole for hole, _ in parts) and kind != "Polygon":
        raise ZoneFault("coordinates", f"a {kind} has no hole")
    if kind == "Point":
        points = [position for _, positions in parts for position in positions]
        if len(points) == 1:
            return {"type": "Point", "coordinates": points[0]}
        return {"type": "MultiPoint", "coordinates": points}
    if kind == "LineString":
        lines = [positions for _, positions in parts]
        return _one_or_many("LineString", lines)
    polygons: list[list[Any]] = []
    for hole, positions in parts:
        ring = positions if positions[0] == positions[-1] else [*positions, positions[0]]
        if hole and not polygons:
            raise ZoneFault("coordinates", "begin with a hole; give the outline first")
        if hole:
            polygons[-1].append(ring)
        else:
            polygons.append([ring])
    return _one_or_many("Polygon", polygons)


def table_of(geometry: Mapping[str, Any]) -> tuple[str, str]:
    """The kind and the table of a geometry; a round trip gives the same shape."""
    kind, coordinates = str(geometry["type"]), geometry["coordinates"]
    single = kind.removeprefix("Multi")
    parts: Sequence[Any] = coordinates if kind.startswith("Multi") else [coordinates]
    if single == "Point":
        return single, _lines(parts)
    if single == "LineString":
        return single, "\n\n".join(_lines(part) for part in parts)
    blocks = []
    for polygon in parts:
        for number, ring in enumerate(polygon):
            head = f"{_HOLE}\n" if number else ""
            blocks.append(head + _lines(ring[:-1]))
    return single, "\n\n".join(blocks)


def _one_or_many(kind: str, parts: list[Any]) -> Geometry:
    if len(parts) == 1:
        return {"type": kind, "coordinates": parts[0]}
    return {"type": f"Multi{kind}", "coordinates": parts}


def _parts(table: str) -> list[tuple[bool, list[list[float]]]]:
    """The parts, each with whether it is a hole."""
    parts: list[tuple[bool, list[list[float]]]] = []
    fresh, hole = True, False
    for number, line in enumerate(table.splitlines(), start=1):
        text = line.strip()
        if not text:
            fresh = True
            continue
        if text.lower() == _HOLE:
            fresh = hole = True
            continue
        if fresh:
            parts.append((hole, []))
            fresh = hole = False
        parts[-1][1].append(_position(text, number))
    return parts


def _position(text: str, number: int) -> list[float]:
    match = _NUMBERS.fullmatch(text)
    try:
        lat, lon = (float(each) for each in match.groups()) if match else (None, None)
    except ValueError:
        lat = lon = None
    if lat is None or lon is None:
        what = f"{text[:40]!r} is not a latitude and a longitude such as 53.1905, -2.8918"
        raise ZoneFault(f"coordinates, line {number}", what)
    return [lon, lat]


def _lines(positions: Sequence[Sequence[float]]) -> str:
    return "\n".join(f"{_plain(lat)}, {_plain(lon)}" for lon, lat, *_ in positions)


def _plain(number: float) -> str:
    """Every digit and no exponent, which near Greenwich a longitude would have."""
    return format(Decimal(repr(number)), "f")
