"""Early-warning rings about a zone: how far before its edge somebody is told, and how urgently."""

from collections.abc import Mapping, Sequence

import msgspec

from zones.fault import ZoneFault
from zones.geometry import checked_metres

MOST_RINGS = 3
# The words of alerts.finding.Severity, which this package may not import; a test compares them.
SEVERITIES = ("critical", "high", "medium", "low")


class Ring(msgspec.Struct, frozen=True):
    """A line ``metres`` from the zone's edge, on the side on which the condition is kept."""

    metres: float
    severity: str


def rings_from_entries(entries: object) -> tuple[Ring, ...]:
    """Read ``[{"m": 300, "severity": "low"}]``: at most three, the nearest first.

    Raises :class:`ZoneFault` that names the entry, counted from 1.
    """
    if not isinstance(entries, Sequence) or isinstance(entries, str | bytes):
        raise ZoneFault("rings", 'must be a list of {"m", "severity"}')
    if len(entries) > MOST_RINGS:
        raise ZoneFault(
            "rings", f"has {len(entries)} rings; at most {MOST_RINGS} can be told apart"
        )
    rings = [_ring(entry, f"ring entry {number}") for number, entry in enumerate(entries, start=1)]
    rings.sort(key=lambda ring: ring.metres)
    if len({ring.metres for ring in rings}) < len(rings):
        raise ZoneFault("rings", "has two rings at one distance; give each its own")
    return tuple(rings)


def _ring(entry: object, where: str) -> Ring:
    if not isinstance(entry, Mapping):
        raise ZoneFault(where, 'must be an object with "m" and "severity"')
    unknown = sorted(str(key) for key in entry if key not in ("m", "severity"))
    if unknown:
        raise ZoneFault(where, f"has an unknown key {unknown[0]!r}; m and severity are known")
    metres = checked_metres(entry.get("m"), f"{where}, m")
    if metres == 0:
        raise ZoneFault(f"{where}, m", "a ring at the edge itself warns of nothing; give metres")
    severity = entry.get("severity")
    if severity not in SEVERITIES:
        known = ", ".join(SEVERITIES)
        raise ZoneFault(f"{where}, severity", f"{severity!r} is not known; use {known}")
    return Ring(metres, str(severity))
