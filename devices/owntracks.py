"""The OwnTracks location message, so that a telephone can stand in for a tag.

Topic ``owntracks/<gateway>/<device>``. OwnTracks' ``acc`` is taken as a radius that holds the
truth 68 % of the time (the meaning Android gives it) and turned into our 95 % radius.
"""

import math
from datetime import UTC, datetime
from typing import Any

import msgspec

from devices.native import MessageRefused, WireBattery, WireFix, load_leniently, refuse
from devices.rejection import Reason, Rejected

# For a circular normal error r95 = 2.4477 sigma and r68 = 1.5096 sigma.
R95_PER_R68 = math.sqrt(-2 * math.log(0.05)) / math.sqrt(-2 * math.log(0.32))
# A location without acc, or with 0, says nothing of its error: Android's "unknown". 100 m is
# this project's stand-in, wide enough that no small zone is decided by it alone.
UNKNOWN_ACCURACY_M = 100.0
# Messages OwnTracks sends besides locations; they carry no reading, so none is lost.
NO_READING = frozenset(
    {"lwt", "status", "transition", "waypoint", "waypoints", "card", "cmd", "steps", "dump",
     "configuration", "beacon", "request"}
)  # fmt: skip
_CHARGING = {1: False, 2: True, 3: True}


class Unpacked(msgspec.Struct, frozen=True):
    """One message taken apart; ``rejected`` are extras that could not be read, each by itself."""

    sent_at: datetime | None
    readings: list[WireFix | WireBattery]
    rejected: list[Rejected]


def unpack(payload: bytes) -> Unpacked:
    """Sent-at and readings of one OwnTracks message; no readings for one that is no location.

    Raises :class:`devices.native.MessageRefused` for anything else.
    """
    document = load_leniently(payload)
    if not isinstance(document, dict):
        refuse(Reason.MALFORMED, "the payload is JSON but not an object")
    kind = document.get("_type")
    if isinstance(kind, str) and kind in NO_READING:
        return Unpacked(None, [], [])
    if kind == "encrypted":
        refuse(Reason.UNSUPPORTED, "the OwnTracks payload is encrypted; switch encryption off")
    if kind != "location":
        refuse(Reason.UNSUPPORTED, "the OwnTracks message is not of _type location")
    at, rejected = _time(document, "tst"), list[Rejected]()
    fix = WireFix(
        at=at,
        lat=_number(document, "lat", -90, 90),
        lon=_number(document, "lon", -180, 180),
        accuracy_m=_accuracy_m(document),
        speed_kmh=_extra(document, "vel", 0, 2_000, rejected),
        heading_deg=_extra(document, "cog", 0, 360, rejected),
    )
    readings: list[WireFix | WireBattery] = [fix]
    percent = _extra(document, "batt", 0, 100, rejected)
    if percent is not None:
        status = document.get("bs")
        charging = _CHARGING.get(status) if isinstance(status, int) else None
        readings.append(WireBattery(at=at, percent=percent, charging=charging))
    sent_at = _time(document, "created_at") if "created_at" in document else None
    return Unpacked(sent_at, readings, rejected)


def _accuracy_m(document: dict[str, Any]) -> float:
    radius_68_m = _optional(document, "acc", 0, 120_000)
    return radius_68_m * R95_PER_R68 if radius_68_m else UNKNOWN_ACCURACY_M


def _time(document: dict[str, Any], name: str) -> datetime:
    seconds = _number(document, name, 0, 32_503_680_000)
    return datetime.fromtimestamp(seconds, UTC)


def _optional(document: dict[str, Any], name: str, low: float, high: float) -> float | None:
    return None if document.get(name) is None else _number(document, name, low, high)


def _extra(
    document: dict[str, Any], name: str, low: float, high: float, rejected: list[Rejected]
) -> float | None:
    """A value that the position does without: a bad one is refused by itself."""
    try:
        return _optional(document, name, low, high)
    except MessageRefused as fault:
        rejected.append(fault.rejected)
        return None


def _number(document: dict[str, Any], name: str, low: float, high: float) -> float:
    if name not in document:
        refuse(Reason.INVALID, f"{name}: missing")
    value = document[name]
    if value in ("<NaN>", "<Infinity>", "<-Infinity>"):
        refuse(Reason.NOT_FINITE, f"{name} is {value.strip('<>')}, not a finite number")
    if isinstance(value, bool) or not isinstance(value, int | float):
        refuse(Reason.INVALID, f"{name}: expected a number")
    # Only a float can be infinite, and a long integer does not fit the float that isfinite makes.
    if isinstance(value, float) and not math.isfinite(value):
        refuse(Reason.NOT_FINITE, f"{name} is not a finite number")
    if not low <= value <= high:
        refuse(Reason.OUT_OF_RANGE, f"{name}: expected a number from {low:g} to {high:g}")
    return float(value)
