"""A zone: a shape on the map, what it is for, and when it counts."""

from datetime import datetime
from enum import Enum
from functools import cached_property

import msgspec
from shapely.geometry.base import BaseGeometry

from zones.chance import Chance
from zones.fault import ZoneFault
from zones.geojson import shape_from_geojson
from zones.geometry import (
    GREAT_BRITAIN,
    ServiceArea,
    area_m2,
    checked_metres,
    grown,
    shrunk,
)
from zones.hours import Hours, hours_of
from zones.interval import Interval, Intervals, intersection, subtraction
from zones.path import Outline
from zones.quiet import Quiet
from zones.ring import Ring, rings_from_entries
from zones.schedule import DEFAULT_TIMEZONE, Schedule
from zones.schedule_entries import first_night_from_entry, schedule_from_entries
from zones.simplified import Simplified, simplified
from zones.timetable import Dates, Timetable, always, combined
from zones.worth import Worth

MOST_PRIORITY = 100


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

    ``shape`` is EPSG:4326, x = longitude, already grown by ``buffer_m`` and, where the wearer must
    stay, by ``tolerance_m`` for the garden and for indoor drift; ``schedule`` None means always.
    ``zone_id`` and ``version`` name it in findings; a zone never changes, it gets a new version.
    Where zones overlap the one of the higher ``priority`` is told. ``like`` is a zone of the same
    shape whose prepared forms serve this one.
    """

    zone_id: str
    kind: ZoneKind
    shape: BaseGeometry
    schedule: Timetable | None = None
    buffer_m: float = 0.0
    version: int = 1
    tolerance_m: float = 0.0
    rings: tuple[Ring, ...] = ()
    priority: int = 0
    like: "Zone | None" = None

    @cached_property
    def judged(self) -> Simplified:
        """The shape that fixes are compared with: its own, or a lighter one with its bound."""
        return simplified(self.shape) if self.like is None else self.like.judged

    @cached_property
    def outline(self) -> Outline:
        """The shape made ready for legs; computed once and kept with the zone."""
        return Outline(self.shape) if self.like is None else self.like.outline

    @cached_property
    def hours(self) -> Hours:
        """When the zone counts, made ready for many instants."""
        return hours_of(self.schedule)

    @cached_property
    def chance(self) -> Chance:
        """The shape made ready for probabilities, with its plane of metres."""
        return Chance(self.judged.shape) if self.like is None else self.like.chance

    @cached_property
    def quiet(self) -> Quiet:
        """The boxes in which nobody doubts that the wearer keeps to the zone."""
        if self.like is not None and self.like.kind.forbids_inside == self.kind.forbids_inside:
            return self.like.quiet
        inside = not self.kind.forbids_inside
        return Quiet(self.judged.shape, self.chance.plane, inside=inside)

    @cached_property
    def worth(self) -> Worth:
        """How vague a fix may be and still show that its wearer is inside."""
        return Worth(self.chance) if self.like is None else self.like.worth

    @cached_property
    def area_m2(self) -> float:
        """Ground in square metres: of zones that overlap the smallest is the tightest."""
        return area_m2(self.shape) if self.like is None else self.like.area_m2

    @cached_property
    def derived(self) -> "dict[str, Zone | None]":
        """Zones of other shapes made from this one (:mod:`zones.parts`); only ever added to."""
        return {}

    def at_hours(self, schedule: Timetable | None) -> "Zone":
        """The same zone at other times, sharing what was made ready."""
        return msgspec.structs.replace(self, schedule=schedule, like=self.like or self)

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


class ZoneTimes(msgspec.Struct, frozen=True):
    """When a zone counts, as written: weekly entries, the first night, and its own dates (aware).

    ``schedule`` and ``first_night`` are decoded JSON; see :mod:`zones.schedule_entries`.
    """

    schedule: object = None
    timezone: str = DEFAULT_TIMEZONE
    first_night: object = None
    from_at: datetime | None = None
    until_at: datetime | None = None

    def timetable(self) -> Timetable | None:
        """What it comes to; None means always. Raises :class:`ZoneFault`."""
        if not isinstance(self.timezone, str):
            raise ZoneFault("timezone", f"{self.timezone!r} is not the name of a time zone")
        # A zone without hours still names its time zone, and a wrong name is a slip worth telling.
        weekly: Schedule | None = always(self.timezone)
        if self.schedule is not None:
            weekly = schedule_from_entries(self.schedule, self.timezone)
        if self.first_night is not None:
            assert weekly is not None
            night = first_night_from_entry(self.first_night)
            weekly = msgspec.structs.replace(weekly, first_night=night)
        elif self.schedule is None:
            weekly = None
        try:
            dates = Dates(self.from_at, self.until_at)
        except ValueError:
            raise ZoneFault("until", "is not after from; a zone must last some time") from None
        parts = [each for each in (weekly, dates) if each is not None and each != Dates()]
        return combined(parts)


def zone_from_feature(
    *,
    zone_id: str,
    kind: str | ZoneKind,
    geometry: object,
    buffer_m: float = 0.0,
    radius_m: float = 0.0,
    tolerance_m: float = 0.0,
    rings: object = None,
    priority: int = 0,
    schedule: object = None,
    timezone: str = DEFAULT_TIMEZONE,
    first_night: object = None,
    from_at: datetime | None = None,
    until_at: datetime | None = None,
    version: int = 1,
    service_area: ServiceArea | None = GREAT_BRITAIN,
) -> Zone:
    """A zone from the parts of a GeoJSON feature; see :mod:`zones.geojson` and ``schedule``.

    ``geometry`` is the GeoJSON object, ``schedule`` its list of ``{"days", "start", "end"}``, all
    as decoded JSON; None means always. Raises :class:`ZoneFault` with the place of the fault.
    """
    zone_kind = _kind(kind)
    times = ZoneTimes(schedule, timezone, first_night, from_at, until_at)
    shape = shape_from_geojson(
        geometry, buffer_m=buffer_m, radius_m=radius_m, service_area=service_area
    )
    zone = Zone(
        zone_id=zone_id,
        kind=zone_kind,
        shape=grown(shape, _tolerance_m(tolerance_m, zone_kind)),
        schedule=times.timetable(),
        buffer_m=float(buffer_m),
        version=version,
        tolerance_m=float(tolerance_m),
        rings=() if rings is None else _rings(rings, zone_kind),
        priority=_priority(priority),
    )
    return _with_room_for_rings(zone)


def _tolerance_m(tolerance_m: object, kind: ZoneKind) -> float:
    metres = checked_metres(tolerance_m, "tolerance_m")
    if metres and kind.forbids_inside:
        what = "is for a place to stay in; an exclusion zone is drawn larger with buffer_m"
        raise ZoneFault("tolerance_m", what)
    return metres


def _rings(entries: object, kind: ZoneKind) -> tuple[Ring, ...]:
    rings = rings_from_entries(entries)
    if rings and kind is ZoneKind.INCLUSION:
        raise ZoneFault("rings", "are for exclusion and restriction; an address has none")
    return rings


def _with_room_for_rings(zone: Zone) -> Zone:
    for ring in zone.rings:
        if not zone.kind.forbids_inside and shrunk(zone.judged.shape, ring.metres).is_empty:
            what = f"nothing of the zone is further than {ring.metres:g} m from its edge"
            raise ZoneFault("rings", f"{what}; warn later")
    return zone


def _kind(kind: str | ZoneKind) -> ZoneKind:
    try:
        return ZoneKind(kind)
    except ValueError:
        known = ", ".join(each.value for each in ZoneKind)
        raise ZoneFault("kind", f"{kind!r} is not a kind of zone; use {known}") from None


def _priority(priority: object) -> int:
    whole = isinstance(priority, int) and not isinstance(priority, bool)
    if not whole or not 0 <= int(str(priority)) <= MOST_PRIORITY:
        raise ZoneFault("priority", f"{priority!r} is not a whole number from 0 to {MOST_PRIORITY}")
    return int(str(priority))
