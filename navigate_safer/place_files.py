"""``judge place`` on files: a track (CSV) against zones (GeoJSON, KML), to one JSON-able document.

The formats are those of the command line's manual. Times in the document are ISO 8601 in UTC with
``Z``; a fraction of a second is written, to six digits, only where it is not zero. Zones keep the
order of their file; within a zone, stretches are sorted by start, then device. Each device of the
track is judged by itself against every zone, and the minutes are the sums over the devices:
``breach`` is the time in violation, ``unknown`` that of legs longer than the largest gap (and,
by the probability rule, of legs that nobody can vouch for), and ``compliant`` the rest of the span
from a device's first fix to its last. What the probability rule saw at one fix alone, with nothing
known before or after it, starts and ends at that fix.
"""

import math
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from devices.readings import Fix, FixSource, Stamp
from navigate_safer import csv_input
from navigate_safer.csv_input import BadInput as BadPlaceInput
from navigate_safer.place_documents import document, probable_document
from navigate_safer.place_probability import judge_probably
from navigate_safer.place_straight import judge_straight
from navigate_safer.zone_files import zones_in_file
from zones.presence import TrackPoint
from zones.track import Track

RULES = ("probability", "geometric")
DEFAULT_RULE = "probability"
# A longer leg is unknown: the project's geometric baseline, as in alerts.terms.Limits.
DEFAULT_MAX_GAP_S = 600.0

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
    areas = [each.feature for each in zones_in_file(zones, zones_name)]
    fixes = track_from_csv(track, track_name)
    devices = sorted(fixes)
    if rule == "probability":
        return {
            "zones": {
                each.zone.zone_id: probable_document(
                    {name: judge_probably(fixes[name], each, max_gap) for name in devices}, each
                )
                for each in areas
            }
        }
    tracks = {name: Track(map(_track_point, fixes[name]), max_gap) for name in devices}
    return {
        "zones": {
            each.zone.zone_id: document(
                {name: judge_straight(track, each) for name, track in tracks.items()}, each
            )
            for each in areas
        }
    }


def _track_point(fix: Fix) -> TrackPoint:
    return TrackPoint(fix.stamp.measured_at, fix.lat, fix.lon, fix.accuracy_m)


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


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as fault:
        raise BadPlaceInput(f"{path}: cannot be read: {fault.strerror}") from None


def _point(fields: Mapping[str, str], where: str) -> Fix:
    source = fields.get("source", "").lower()
    if source and source not in _SOURCES:
        known = ", ".join(_SOURCES)
        raise BadPlaceInput(f"{where}: source {source!r} is not known; use {known}")
    if not fields["accuracy_m"]:
        raise BadPlaceInput(f"{where}: accuracy_m '' is not a number; write 0 for not stated")
    at = csv_input.time(fields, where)
    return Fix(
        Stamp(fields["device"], at, None, at),
        csv_input.number(fields, "lat", -90, 90, where),
        csv_input.number(fields, "lon", -180, 180, where),
        csv_input.number(fields, "accuracy_m", 0, math.inf, where),
        FixSource[source.upper()] if source else FixSource.GPS,
    )
