"""What a zone's form says, to a feature as a zone file has it, and back."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from zones.coordinates import geometry_from_table, table_of
from zones.fault import ZoneFault
from zones.schedule import Day

# Empty rows of hours that a form offers; a zone that has more keeps them all.
SPARE_WINDOWS = 4
_START = re.compile(r"start_([0-9]{1,3})")
MOST_RINGS = 3
# A longer table is not printed on the page; the file has it.
MOST_LISTED = 2_000
# What a premises point begins with: the indoor benchmark of the draft standard NIJ 1004.00.
SUGGESTED_TOLERANCE_M = 30


class FormFault(Exception):
    """A field that cannot be read: its name, and what to do."""

    def __init__(self, field: str, what: str) -> None:
        super().__init__(what)
        self.field = field
        self.what = what


def feature_of_form(form: Mapping[str, str], days: Mapping[int, list[str]]) -> dict[str, Any]:
    """A GeoJSON feature of the fields; ``days`` are those ticked in each window.

    Raises :class:`FormFault`.
    """
    try:
        geometry = geometry_from_table(form.get("shape", ""), form.get("coordinates", ""))
    except ZoneFault as fault:
        field = "shape" if fault.where == "shape" else "coordinates"
        raise FormFault(field, f"{fault.where.capitalize()} {fault.what}") from None
    kind = form.get("kind", "")
    if not kind:
        raise FormFault("kind", "Select what the zone is for")
    name = form.get("name", "").strip()
    if not name:
        raise FormFault("name", "Enter a name that says nothing of a victim")
    properties: dict[str, Any] = {"id": form.get("id", "").strip(), "name": name, "kind": kind}
    if not properties["id"]:
        raise FormFault("id", "Enter a reference, such as Z-CHESTER-1")
    for key in ("radius_m", "buffer_m", "tolerance_m"):
        properties[key] = _number(form, key)
    properties["priority"] = _whole(form, "priority") or None
    properties["rings"] = _rings(form) or None
    properties["schedule"] = weekly_hours(form, days) or None
    properties["timezone"] = form.get("timezone", "").strip() or None
    if form.get("holidays") == "none":
        if not properties["schedule"]:
            what = "Enter the hours of the other days: a zone without hours always counts"
            raise FormFault("holidays", what)
        properties["schedule"].append({"days": ["hol"], "hours": "none"})
    for key in ("from", "until"):
        properties[key] = form.get(key, "").strip() or None
    properties["first_night"] = _first_night(form)
    given = {key: value for key, value in properties.items() if value is not None}
    return {"type": "Feature", "properties": given, "geometry": geometry}


def collection_of(feature: Mapping[str, Any]) -> bytes:
    """A file of one feature."""
    return json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()


def form_of_zone(
    ref: str, name: str, properties: Mapping[str, Any], geometry: Mapping[str, Any]
) -> tuple[dict[str, str], dict[int, list[str]]]:
    """The fields of a zone that is to be changed, and the days of its windows."""
    shape, table = table_of(geometry)
    form = {"id": ref, "name": name, "shape": shape, "coordinates": table}
    form["kind"] = str(properties.get("kind", ""))
    for key in ("radius_m", "buffer_m", "tolerance_m", "priority"):
        if properties.get(key):
            form[key] = _written(properties[key])
    for number, ring in enumerate(properties.get("rings") or ()):
        form[f"ring_m_{number}"] = _written(ring["m"])
        form[f"ring_severity_{number}"] = str(ring["severity"])
    days: dict[int, list[str]] = {}
    for window in properties.get("schedule") or ():
        if "hours" in window:
            # Of any other day it says what is so without it.
            if "hol" in [str(each).lower() for each in window["days"]]:
                form["holidays"] = "none"
            continue
        number = len(days)
        days[number] = [str(each).lower() for each in window["days"]]
        form[f"start_{number}"], form[f"end_{number}"] = window["start"], window["end"]
    for key in ("from", "until", "timezone"):
        form[key] = str(properties.get(key) or "")
    night = msgspec.to_builtins(properties.get("first_night") or {})
    for field, key in (("first_date", "date"), ("first_start", "start"), ("first_end", "end")):
        form[field] = str(night.get(key, ""))
    return form, days


def _first_night(form: Mapping[str, str]) -> dict[str, str] | None:
    night = {key: form.get(f"first_{key}", "").strip() for key in ("date", "start", "end")}
    if not any(night.values()):
        return None
    for key, value in night.items():
        if not value:
            what = f"needs its {key} too; leave all of it empty for none"
            raise FormFault(f"first_{key}", f"The first night {what}")
    return night


def _number(form: Mapping[str, str], key: str) -> float | None:
    text = form.get(key, "").strip()
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise FormFault(key, f"{text[:20]!r} is not a number")
    return number


def _whole(form: Mapping[str, str], key: str) -> int:
    number = _number(form, key) or 0.0
    if not number.is_integer():
        raise FormFault(key, f"{form[key].strip()[:20]!r} is not a whole number")
    return int(number)


def _written(number: float) -> str:
    """Every digit, as a person writes it: 30 and not 30.0."""
    return str(int(number)) if float(number).is_integer() else repr(number)


def window_numbers(form: Mapping[str, str]) -> range:
    """The rows of hours that a form shows: all that it has, and the spare ones."""
    used = [int(found[1]) for key in form if (found := _START.fullmatch(key))]
    return range(max([SPARE_WINDOWS, *(number + 1 for number in used)]))


def _rings(form: Mapping[str, str]) -> list[dict[str, object]]:
    rings: list[dict[str, object]] = []
    for number in range(MOST_RINGS):
        metres = _number(form, f"ring_m_{number}")
        if metres is not None:
            rings.append({"m": metres, "severity": form.get(f"ring_severity_{number}", "")})
    return rings


def weekly_hours(form: Mapping[str, str], days: Mapping[int, list[str]]) -> list[dict[str, object]]:
    """The rows of hours that are filled in, as a schedule has them; raises :class:`FormFault`."""
    windows: list[dict[str, object]] = []
    for number in window_numbers(form):
        start = form.get(f"start_{number}", "").strip()
        end = form.get(f"end_{number}", "").strip()
        ticked = [day.value for day in Day if day.value in days.get(number, [])]
        if not start and not end and not ticked:
            continue
        if not (start and end and ticked):
            what = "needs days, a start and an end; leave all of it empty for none"
            raise FormFault(f"start_{number}", f"Hours {number + 1}: {what}")
        windows.append({"days": ticked, "start": start, "end": end})
    return windows
