"""Readings, fittings, conditions and zones, with every value filled in that a test need not name.

Minutes count from :data:`START`, a Friday noon in winter, when the wall in Chester shows UTC. The
zone is a square of a hundredth of a degree about :data:`INSIDE`; :data:`OUTSIDE` is two such
squares to the west, so a walk from one to the other crosses the edge three quarters of the way.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import shapely

from alerts.finding import Finding, FindingKind, Severity
from alerts.terms import Condition, ConditionKind, DeviceKind, Fitting, Limits
from devices.readings import (
    AlcoholSample,
    BatteryLevel,
    DeviceEvent,
    EventState,
    Fix,
    Reading,
    Stamp,
)
from zones.schedule_entries import schedule_from_entries
from zones.zone import Zone, ZoneKind

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LONG_AGO = START - timedelta(days=40)
TAG = "TAG-00017"

# Longitude, latitude.
INSIDE = (-2.89, 53.19)
OUTSIDE = (-2.91, 53.19)
SQUARE = shapely.box(-2.895, 53.185, -2.885, 53.195)

ZONE_KINDS = {
    ConditionKind.EXCLUSION_ZONE: ZoneKind.EXCLUSION,
    ConditionKind.CURFEW: ZoneKind.INCLUSION,
    ConditionKind.RESTRICTION_ZONE: ZoneKind.RESTRICTION,
}


def at(minute: float) -> datetime:
    """The time this many minutes after :data:`START`, to the millisecond."""
    return START + timedelta(milliseconds=round(minute * 60_000))


def stamp(minute: float, *, late: float = 0, device: str = TAG) -> Stamp:
    """Measured at ``minute`` and received ``late`` minutes after (a clock ahead: negative)."""
    return Stamp(device, at(minute), None, at(minute + late))


def fix(
    minute: float,
    place: tuple[float, float] = OUTSIDE,
    *,
    accuracy_m: float = 10.0,
    late: float = 0,
) -> Fix:
    return Fix(stamp(minute, late=late), place[1], place[0], accuracy_m)


def sample(minute: float, tac_g_dl: float, *, late: float = 0) -> AlcoholSample:
    return AlcoholSample(stamp(minute, late=late), tac_g_dl)


def event(
    minute: float,
    code: str = "strap_tamper",
    state: EventState = EventState.START,
    *,
    late: float = 0,
) -> DeviceEvent:
    return DeviceEvent(stamp(minute, late=late), code, state)


def battery(
    minute: float, percent: float, *, charging: bool | None = None, late: float = 0
) -> BatteryLevel:
    return BatteryLevel(stamp(minute, late=late), percent, charging)


def fixes(
    first: float, last: float, place: tuple[float, float] = OUTSIDE, *, every: float = 1
) -> list[Reading]:
    """Fixes at one place, both ends included."""
    count = int((last - first) / every)
    return [fix(first + n * every, place) for n in range(count + 1)]


def hours(days: str, start: str, end: str) -> list[dict[str, object]]:
    """A schedule of one window; ``days`` as "fri" or "fri sat"."""
    return [{"days": days.split(), "start": start, "end": end}]


def zone(
    kind: ZoneKind = ZoneKind.EXCLUSION,
    schedule: object = None,
    shape: shapely.Polygon = SQUARE,
    *,
    zone_id: str = "Z-1",
    version: int = 1,
) -> Zone:
    read = None if schedule is None else schedule_from_entries(schedule)
    return Zone(zone_id, kind, shape, read, version=version)


def condition(
    kind: ConditionKind,
    *,
    condition_id: int = 1,
    version: int = 1,
    clause: str = "4(b)",
    severity: Severity = Severity.CRITICAL,
    from_at: datetime = LONG_AGO,
    until_at: datetime | None = None,
    schedule: object = None,
    shape: shapely.Polygon = SQUARE,
    **limits: float,
) -> Condition:
    """A condition that began long ago and goes on, about :data:`SQUARE` where it needs a zone."""
    about = zone(ZONE_KINDS[kind], schedule, shape) if kind.needs_zone else None
    return Condition(
        condition_id, version, clause, kind, severity, from_at, until_at, Limits(**limits), about
    )


def fitting(
    *conditions: Condition,
    device_kind: DeviceKind = DeviceKind.LOCATION_TAG,
    fitted_at: datetime = START,
    removed_at: datetime | None = None,
) -> Fitting:
    return Fitting(7, device_kind, fitted_at, removed_at, conditions)


def minute(moment: datetime) -> float:
    """The reverse of :func:`at`."""
    return round((moment - START) / timedelta(minutes=1), 6)


def spans(found: Mapping[object, Finding], kind: FindingKind) -> list[tuple[float, float | None]]:
    """The findings of one kind as (minute begun, minute ended or None), in order of time."""
    of_kind = sorted(
        (each for each in found.values() if each.kind is kind), key=lambda each: each.started_at
    )
    return [
        (minute(each.started_at), None if each.ended_at is None else minute(each.ended_at))
        for each in of_kind
    ]
