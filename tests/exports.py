"""Exports of a vendor, as files: a header and rows of a tag's minutes, with a mapping."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from case_files import Place

HEADER = "Tag,When,Latitude,Longitude,Radius,Event"
MAPPING = b"""
[columns]
device = "Tag"
at = "When"
lat = "Latitude"
lon = "Longitude"
accuracy_m = "Radius"
event = "Event"

[time]
format = "%d/%m/%Y %H:%M:%S"
timezone = "Europe/London"
"""
LONDON = ZoneInfo("Europe/London")


def row(device: str, at: datetime, place: Place, event: str = "") -> str:
    """One line of the export, in London's time."""
    when = at.astimezone(LONDON).strftime("%d/%m/%Y %H:%M:%S")
    return f"{device},{when},{place.lat},{place.lon},8,{event}"


def export(path: Path, rows: Iterable[str], header: str = HEADER) -> Path:
    """Write an export."""
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def minutes(device: str, start: datetime, step, places: Sequence[Place]) -> list[str]:
    """A row each step, at the next place."""
    return [row(device, start + step * number, place) for number, place in enumerate(places)]
