"""KML (OGC 07-147r2) to GeoJSON features and back: Placemarks with their shape and their data.

Read are Point, LineString, Polygon and MultiGeometry, in Folders or not; styles, links and overlays
are not. A property is a ``Data`` of the Placemark's ``ExtendedData``; one that is not a text is
written as JSON. Without an ``id`` there, the Placemark's own id or else its name is the id.
"""

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from zones.fault import ZoneFault

NAMESPACE = "http://www.opengis.net/kml/2.2"
# Properties that stay texts, so that an id of digits does not become a number.
_TEXTS = ("id", "kind", "name", "timezone", "from", "until")
# What XML 1.0 cannot hold in any way: one of them in one name, and no program reads the file.
_NO_CHARACTER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MULTI = {"Point": "MultiPoint", "LineString": "MultiLineString", "Polygon": "MultiPolygon"}

Feature = dict[str, Any]


def features_from_kml(content: bytes) -> list[Feature]:
    """The Placemarks as GeoJSON features, in order; raises :class:`ZoneFault`."""
    # An entity can make gigabytes of a few bytes, and KML needs none.
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise ZoneFault("KML", "has a document type; save it without one")
    try:
        root = ET.fromstring(content)  # noqa: S314 - entities are refused above
    except (ET.ParseError, ValueError, LookupError) as fault:
        raise ZoneFault("KML", f"is not XML that can be read: {fault}") from None
    if _local(root) != "kml":
        raise ZoneFault("KML", f"begins with {_local(root)!r}, not with kml")
    marks = [each for each in root.iter() if _local(each) == "Placemark"]
    if not marks:
        raise ZoneFault("KML", "has no Placemark, so no zone")
    return [_feature(mark, number) for number, mark in enumerate(marks, start=1)]


def kml_of(features: Iterable[Mapping[str, Any]]) -> bytes:
    """A KML document of GeoJSON features, UTF-8."""
    ET.register_namespace("", NAMESPACE)
    root = ET.Element(f"{{{NAMESPACE}}}kml")
    document = _under(root, "Document")
    for feature in features:
        properties = feature["properties"]
        mark = _under(document, "Placemark")
        _under(mark, "name", str(properties.get("name") or properties["id"]))
        data = _under(mark, "ExtendedData")
        for key, value in properties.items():
            if value is not None:
                item = _under(data, "Data")
                item.set("name", key)
                _under(item, "value", value if isinstance(value, str) else json.dumps(value))
        _write(mark, feature["geometry"])
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _local(element: ET.Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _children(element: ET.Element, name: str) -> Iterator[ET.Element]:
    return (each for each in element if _local(each) == name)


def _text(element: ET.Element, name: str) -> str:
    found = next(_children(element, name), None)
    return "" if found is None else (found.text or "").strip()


def _feature(mark: ET.Element, number: int) -> Feature:
    where = f"Placemark {number}"
    properties: Feature = {}
    name = _text(mark, "name")
    if name:
        properties["name"] = name
    for data in (each for each in mark.iter() if _local(each) in ("Data", "SimpleData")):
        key = data.get("name") or ""
        raw = (data.text or "").strip() if _local(data) == "SimpleData" else _text(data, "value")
        if key and raw:
            properties[key] = raw if key in _TEXTS else _value(raw)
    properties.setdefault("id", mark.get("id") or name or str(number))
    shapes = [each for each in mark if _local(each) in (*_MULTI, "MultiGeometry")]
    if len(shapes) != 1:
        raise ZoneFault(where, "needs one Polygon, LineString, Point or MultiGeometry")
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": _geometry(shapes[0], where),
    }


def _value(raw: str) -> Any:  # noqa: ANN401 - whatever JSON the data holds
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        # Lists in lists by the ten thousand are no property of a zone either.
        return raw


def _geometry(element: ET.Element, where: str) -> Feature:
    kind = _local(element)
    if kind != "MultiGeometry":
        return {"type": kind, "coordinates": _coordinates(element, where)}
    parts = [each for each in element.iter() if _local(each) in _MULTI]
    kinds = {_local(each) for each in parts}
    if len(kinds) != 1:
        raise ZoneFault(where, "a MultiGeometry must be all polygons, all lines or all points")
    coordinates = [_coordinates(each, f"{where}, part {n}") for n, each in enumerate(parts, 1)]
    return {"type": _MULTI[kinds.pop()], "coordinates": coordinates}


def _coordinates(element: ET.Element, where: str) -> list[Any]:
    if _local(element) == "Polygon":
        outer, inner = (
            [
                _positions(_text(ring, "coordinates"), where)
                for boundary in _children(element, border)
                for ring in _children(boundary, "LinearRing")
            ]
            for border in ("outerBoundaryIs", "innerBoundaryIs")
        )
        if len(outer) != 1:
            # The first ring is the outline: a hole, or a second outline, would be taken for one.
            what = f"a Polygon has {len(outer)} outer boundaries; give it one"
            raise ZoneFault(where, f"{what}, and a MultiGeometry for several polygons")
        return [*outer, *inner]
    positions = _positions(_text(element, "coordinates"), where)
    if _local(element) == "Point":
        if len(positions) != 1:
            raise ZoneFault(where, f"a Point has {len(positions)} positions; give one")
        return positions[0]
    return positions


def _positions(text: str, where: str) -> list[list[float]]:
    """``lon,lat[,altitude]`` with spaces between; the altitude is not used."""
    found = []
    for number, entry in enumerate(text.split(), start=1):
        try:
            lon, lat = (float(part) for part in entry.split(",")[:2])
        except ValueError:
            what = f"{entry[:40]!r} is not a position such as -2.8918,53.1905"
            raise ZoneFault(f"{where}, position {number}", what) from None
        found.append([lon, lat])
    return found


def _under(parent: ET.Element, name: str, text: str | None = None) -> ET.Element:
    made = ET.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    made.text = None if text is None else _NO_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", text)
    return made


def _write(parent: ET.Element, geometry: Mapping[str, Any]) -> None:
    kind, coordinates = geometry["type"], geometry["coordinates"]
    if kind.startswith("Multi"):
        whole = _under(parent, "MultiGeometry")
        for part in coordinates:
            _write(whole, {"type": kind.removeprefix("Multi"), "coordinates": part})
        return
    made = _under(parent, kind)
    if kind != "Polygon":
        _under(made, "coordinates", _written([coordinates] if kind == "Point" else coordinates))
        return
    for number, ring in enumerate(coordinates):
        boundary = _under(made, "innerBoundaryIs" if number else "outerBoundaryIs")
        _under(_under(boundary, "LinearRing"), "coordinates", _written(ring))


def _written(positions: Sequence[Sequence[float]]) -> str:
    return " ".join(f"{position[0]!r},{position[1]!r}" for position in positions)
