"""A zone: a shape on the map, what it is for, and when it counts."""

from enum import Enum
from functools import cached_property

import msgspec
from shapely.geometry.base import BaseGeometry

from zones.chance import Chance
from zones.fault import ZoneFault
from zones.geojson import shape_from_geojson
from zones.geometry import GREAT_BRITAIN, ServiceArea
from zones.hours import Hours, hours_of
from zones.interval import Interval, Intervals, intersection, subtraction
from zones.path import Outline
from zones.quiet import Quiet
from zones.schedule import DEFAULT_TIMEZONE, Schedule, schedule_from_entries


class ZoneKind(Enum):
    """Exclusion: must stay out. Inclusion (curfew address) and restriction: must stay in."""

    EXCLUSION = "exclusion"
    INCLUSION = "inclusion"
    RESTRICTION = "restriction"

    @property
    def forbids_inside(self) -> bool:
        """True where being inside is the breach."""
        return self is ZoneKind.EXCLUSION


class Zone(msgspec.Struct, frozen=True, dict=True):
    """A validated zone.

    ``shape`` is EPSG:4326, x = longitude, already grown by ``buffer_m``; ``schedule`` None means
    always. ``zone_id`` and ``version`` name it in findings; a zone never changes, it gets a new
    version.
    """

    zone_id: str
    kind: ZoneKind
    shape: BaseGeometry
    schedule: Schedule | None = None
    buffer_m: float = 0.0
    version: int = 1

    @cached_property
    def outline(self) -> Outline:
        """The shape made ready for legs; computed once and kept with the zone."""
        return Outline(self.shape)

    @cached_property
    def hours(self) -> Hours:
        """When the zone counts, made ready for many instants."""
        return hours_of(self.schedule)

    @cached_property
    def chance(self) -> Chance:
        """The shape made ready for probabilities, with its plane of metres."""
        return Chance(self.shape)

    @cached_property
    def quiet(self) -> Quiet:
        """The boxes in which nobody doubts that the wearer keeps to the zone."""
        return Quiet(self.shape, self.chance.plane, inside=not self.kind.forbids_inside)

    def windows(self, span: Interval) -> Intervals:
        """When the zone counts within ``span``."""
        if self.schedule is None:
            return (span,)
        return self.schedule.intervals(span.start, span.end)

    def forbidden(self, stays: Intervals, span: Interval) -> Intervals:
        """What the zone forbids within ``span``, given the stays inside (merged and sorted).

        Exclusion: the stays during a window. Inclusion and restriction: the windows less the
        stays; take out what is unknown before calling it a breach.
        """
        if self.kind.forbids_inside:
            return intersection(stays, self.windows(span))
        return subtraction(self.windows(span), stays)


def zone_from_feature(
    *,
    zone_id: str,
    kind: str | ZoneKind,
    geometry: object,
    buffer_m: float = 0.0,
    radius_m: float = 0.0,
    schedule: object = None,
    timezone: str = DEFAULT_TIMEZONE,
    version: int = 1,
    service_area: ServiceArea | None = GREAT_BRITAIN,
) -> Zone:
    """A zone from the parts of a GeoJSON feature; see :mod:`zones.geojson` and ``schedule``.

    ``geometry`` is the GeoJSON object and ``schedule`` its list of ``{"days", "start", "end"}``,
    both as decoded JSON; None means always. Raises :class:`ZoneFault` with the place of the fault.
    """
    try:
        zone_kind = ZoneKind(kind)
    except ValueError:
        known = ", ".join(each.value for each in ZoneKind)
        raise ZoneFault("kind", f"{kind!r} is not a kind of zone; use {known}") from None
    if not isinstance(timezone, str):
        raise ZoneFault("timezone", f"{timezone!r} is not the name of a time zone")
    # A zone without hours still names its time zone, and a wrong name is a slip worth telling.
    hours = Schedule((), timezone)
    if schedule is not None:
        hours = schedule_from_entries(schedule, timezone)
    shape = shape_from_geojson(
        geometry, buffer_m=buffer_m, radius_m=radius_m, service_area=service_area
    )
    return Zone(
        zone_id=zone_id,
        kind=zone_kind,
        shape=shape,
        schedule=None if schedule is None else hours,
        buffer_m=float(buffer_m),
        version=version,
    )
