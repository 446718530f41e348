"""Zones in files: GeoJSON or KML in, features out; what is wrong is said with its place."""

import json
from collections.abc import Mapping
from typing import Any, NoReturn

import msgspec

from navigate_safer.csv_input import BadInput as BadPlaceInput
from navigate_safer.csv_input import text as text_of
from zones.fault import ZoneFault
from zones.feature import ZoneFeature, read_feature
from zones.kml import features_from_kml
from zones.zone import ZoneKind

KINDS = ", ".join(kind.value for kind in ZoneKind)


class Drawn(msgspec.Struct, frozen=True):
    """One feature of a file, checked; ``properties`` and ``geometry`` as they were written."""

    zone_id: str
    where: str
    properties: dict[str, Any]
    geometry: dict[str, Any]
    feature: ZoneFeature


def zones_in_file(content: bytes, name: str = "zones") -> tuple[Drawn, ...]:
    """The zones of a GeoJSON FeatureCollection or a KML document, in the order of the file."""
    if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        try:
            features: list[Any] = features_from_kml(content)
        except ZoneFault as fault:
            raise BadPlaceInput(f"{name}, {fault}") from None
    else:
        features = _features(content, name)
    drawn: dict[str, Drawn] = {}
    for number, feature in enumerate(features, start=1):
        one = _drawn(feature, f"{name}, feature {number}")
        if one.zone_id in drawn:
            raise BadPlaceInput(
                f"{name}, feature {number}: id {one.zone_id!r} is used twice; give each its own"
            )
        drawn[one.zone_id] = one
    return tuple(drawn.values())


def _features(content: bytes, name: str) -> list[Any]:
    try:
        document = json.loads(text_of(content, name), parse_constant=_refuse_constant)
    except json.JSONDecodeError as fault:
        raise BadPlaceInput(f"{name}, line {fault.lineno}: not JSON: {fault.msg}") from None
    except BadPlaceInput:
        raise
    except (ValueError, RecursionError) as fault:
        raise BadPlaceInput(f"{name}: not JSON that can be read: {fault}") from None
    if not isinstance(document, dict) or document.get("type") != "FeatureCollection":
        raise BadPlaceInput(f"{name}: not a GeoJSON FeatureCollection")
    _check_reference_system(document.get("crs"), name)
    features = document.get("features")
    if not isinstance(features, list) or not features:
        raise BadPlaceInput(f"{name}: has no features, so no zone to judge against")
    return features


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number in JSON")


def _check_reference_system(crs: object, name: str) -> None:
    """GeoJSON of before 2016 may say in which system it is; only degrees WGS 84 will do."""
    if crs is None:
        return
    stated = json.dumps(crs)
    if "CRS84" not in stated and "EPSG::4326" not in stated and "EPSG:4326" not in stated:
        raise BadPlaceInput(f"{name}: crs is not EPSG:4326; export it as WGS 84 degrees")


def _drawn(feature: object, where: str) -> Drawn:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        raise BadPlaceInput(f"{where}: not a GeoJSON Feature")
    properties = feature.get("properties")
    if not isinstance(properties, dict):
        raise BadPlaceInput(f"{where}: has no properties; id and kind are needed")
    zone_id = _zone_id(properties, where)
    if "kind" not in properties:
        raise BadPlaceInput(f"{where}, id {zone_id!r}: has no kind; use {KINDS}")
    geometry = feature.get("geometry")
    try:
        read = read_feature(str(zone_id), geometry, properties)
    except ZoneFault as fault:
        raise BadPlaceInput(f"{where}, id {zone_id!r}: {fault}") from None
    assert isinstance(geometry, dict)
    return Drawn(str(zone_id), where, properties, geometry, read)


def _zone_id(properties: Mapping[str, object], where: str) -> str | int:
    zone_id = properties.get("id")
    if isinstance(zone_id, bool) or not isinstance(zone_id, str | int) or zone_id == "":
        raise BadPlaceInput(f"{where}: has no id; give it the property id, a text or whole number")
    return zone_id
