"""``judge place`` on files: a track (CSV) against zones (GeoJSON), to one JSON-able document.

The formats are those of the command line's manual. Times in the document are ISO 8601 in UTC with
``Z``; a fraction of a second is written, to six digits, only where it is not zero. Zones keep the
order of their file; within a zone, stretches are sorted by start, then device. Each device of the
track is judged by itself against every zone, and the minutes are the sums over the devices:
``breach`` is the time in violation, ``unknown`` that of legs longer than the largest gap (and,
by the probability rule, of legs that nobody can vouch for), and ``compliant`` the rest of the span
from a device's first fix to its last.
"""

import json
import math
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

from devices.readings import Fix, FixSource, Stamp
from navigate_safer import csv_input
from navigate_safer.csv_input import BadInput as BadPlaceInput
from navigate_safer.place_documents import document, probable_document
from navigate_safer.place_probability import judge_probably
from zones.fault import ZoneFault
from zones.presence import TrackPoint
from zones.track import Track
from zones.zone import Zone, zone_from_feature

RULES = ("probability", "geometric")
DEFAULT_RULE = "probability"
# A longer leg is unknown: the project's geometric baseline, as in alerts.terms.Limits.
DEFAULT_MAX_GAP_S = 600.0

_OPTIONAL = ("buffer_m", "radius_m", "schedule", "timezone")
REQUIRED_COLUMNS = ("device", "at", "lat", "lon", "accuracy_m")
_SOURCES = tuple(source.name.lower() for source in FixSource)


def judge_place_files(
    zones_path: Path, track_path: Path, *, rule: str, max_gap_s: float = DEFAULT_MAX_GAP_S
) -> dict[str, object]:
    """Read both files and judge; raises :class:`BadPlaceInput` for anything wrong with them."""
    _check_rule(rule)
    zones, track = csv_input.read(zones_path), csv_input.read(track_path)
    return judge_place(
        zones,
        track,
        rule=rule,
        max_gap_s=max_gap_s,
        zones_name=zones_path.name,
        track_name=track_path.name,
    )


def judge_place(
    zones: bytes,
    track: bytes,
    *,
    rule: str,
    max_gap_s: float = DEFAULT_MAX_GAP_S,
    zones_name: str = "zones",
    track_name: str = "track",
) -> dict[str, object]:
    """Judge the contents of a GeoJSON file and of a CSV file; the names are for messages."""
    _check_rule(rule)
    max_gap = _max_gap(max_gap_s)
    areas = zones_from_geojson(zones, zones_name)
    fixes = track_from_csv(track, track_name)
    devices = sorted(fixes)
    if rule == "probability":
        return {
            "zones": {
                zone.zone_id: probable_document(
                    {name: judge_probably(fixes[name], zone, max_gap) for name in devices}
                )
                for zone in areas
            }
        }
    tracks = {name: Track(map(_track_point, fixes[name]), max_gap) for name in devices}
    return {
        "zones": {
            zone.zone_id: document({name: each.judge(zone) for name, each in tracks.items()})
            for zone in areas
        }
    }


def _track_point(fix: Fix) -> TrackPoint:
    return TrackPoint(fix.stamp.measured_at, fix.lat, fix.lon, fix.accuracy_m)


def zones_from_geojson(content: bytes, name: str = "zones") -> tuple[Zone, ...]:
    """The zones of a GeoJSON FeatureCollection, in the order of the file."""
    try:
        document = json.loads(csv_input.text(content, name), parse_constant=_refuse_constant)
    except json.JSONDecodeError as fault:
        raise BadPlaceInput(f"{name}, line {fault.lineno}: not JSON: {fault.msg}") from None
    except (ValueError, RecursionError) as fault:
        raise BadPlaceInput(f"{name}: not JSON that can be read: {fault}") from None
    if not isinstance(document, dict) or document.get("type") != "FeatureCollection":
        raise BadPlaceInput(f"{name}: not a GeoJSON FeatureCollection")
    _check_reference_system(document.get("crs"), name)
    features = document.get("features")
    if not isinstance(features, list) or not features:
        raise BadPlaceInput(f"{name}: has no features, so no zone to judge against")
    zones: dict[str, Zone] = {}
    for number, feature in enumerate(features, start=1):
        zone = _zone(feature, f"{name}, feature {number}")
        if zone.zone_id in zones:
            raise BadPlaceInput(
                f"{name}, feature {number}: id {zone.zone_id!r} is used twice; give each its own"
            )
        zones[zone.zone_id] = zone
    return tuple(zones.values())


def track_from_csv(content: bytes, name: str = "track") -> dict[str, list[Fix]]:
    """The fixes of each device, in the order of the file's rows."""
    tracks: dict[str, list[Fix]] = {}
    for where, fields in csv_input.rows(content, name, REQUIRED_COLUMNS, ("source",)):
        tracks.setdefault(fields["device"], []).append(_point(fields, where))
    if not tracks:
        raise BadPlaceInput(f"{name}: has no fixes")
    return tracks


def _check_rule(rule: str) -> None:
    if rule not in RULES:
        raise BadPlaceInput(f"rule {rule!r} is not known; use one of {', '.join(RULES)}")


def _max_gap(seconds: float) -> timedelta:
    try:
        gap = timedelta(seconds=seconds)
    except (OverflowError, ValueError):
        gap = timedelta()
    if gap <= timedelta():
        raise BadPlaceInput(f"max-gap {seconds:g} must be a number of seconds above 0")
    return gap


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number in JSON")


def _check_reference_system(crs: object, name: str) -> None:
    """GeoJSON of before 2016 may say in which system it is; only degrees WGS 84 will do."""
    if crs is None:
        return
    stated = json.dumps(crs)
    if "CRS84" not in stated and "EPSG::4326" not in stated and "EPSG:4326" not in stated:
        raise BadPlaceInput(f"{name}: crs is not EPSG:4326; export it as WGS 84 degrees")


def _zone(feature: object, where: str) -> Zone:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        raise BadPlaceInput(f"{where}: not a GeoJSON Feature")
    properties = feature.get("properties")
    if not isinstance(properties, dict):
        raise BadPlaceInput(f"{where}: has no properties; id and kind are needed")
    zone_id = properties.get("id")
    if isinstance(zone_id, bool) or not isinstance(zone_id, str | int) or zone_id == "":
        raise BadPlaceInput(f"{where}: has no id; give it the property id, a text or whole number")
    if "kind" not in properties:
        raise BadPlaceInput(f"{where}, id {zone_id!r}: has no kind")
    # Map editors write null for what is not given.
    given = {key: properties[key] for key in _OPTIONAL if properties.get(key) is not None}
    try:
        return zone_from_feature(
            zone_id=str(zone_id),
            kind=properties["kind"],
            geometry=feature.get("geometry"),
            **given,
        )
    except ZoneFault as fault:
        raise BadPlaceInput(f"{where}, id {zone_id!r}: {fault}") from None


def _point(fields: Mapping[str, str], where: str) -> Fix:
    source = fields.get("source", "").lower()
    if source and source not in _SOURCES:
        known = ", ".join(_SOURCES)
        raise BadPlaceInput(f"{where}: source {source!r} is not known; use {known}")
    at = csv_input.time(fields, where)
    return Fix(
        Stamp(fields["device"], at, None, at),
        csv_input.number(fields, "lat", -90, 90, where),
        csv_input.number(fields, "lon", -180, 180, where),
        csv_input.number(fields, "accuracy_m", 0, math.inf, where),
        FixSource[source.upper()] if source else FixSource.GPS,
    )
