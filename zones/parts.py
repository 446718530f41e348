"""A zone with its rings and with what has been allowed, taken apart into plain zones.

Each part is one shape with one timetable, so that one rule judges them all. The breach parts share
no minute: at every instant exactly one of them counts, or none. Of permissions that overlap in time
one without a corridor goes before one with, and an earlier one before a later.
"""

from collections.abc import Callable, Sequence
from enum import Enum
from functools import partial

import msgspec
import shapely
from shapely.geometry.base import BaseGeometry

from zones.authorised import Authorised, times_without_corridor
from zones.geometry import grown, shrunk
from zones.ring import Ring
from zones.timetable import Dates, Timetable, combined
from zones.zone import Zone, ZoneKind


class Role(Enum):
    """What a stay that a part forbids means."""

    BREACH = "breach"
    WARNING = "warning"
    EXCUSED = "excused"


class Part(msgspec.Struct, frozen=True):
    """A plain zone. ``name`` is unique among the parts of a zone; that of the main part is empty.

    ``number`` counts rings from the nearest, from 1; ``ring`` and ``authorised`` say of which the
    part is, and outside of ``dates`` it never counts.
    """

    role: Role
    name: str
    zone: Zone
    number: int = 0
    ring: Ring | None = None
    authorised: str | None = None
    dates: Dates = Dates()


def parts_of(zone: Zone, permissions: Sequence[Authorised] = ()) -> tuple[Part, ...]:
    """The parts, the main one first; shapes are made once and kept with the zone."""
    if not zone.rings and not permissions:
        return (Part(Role.BREACH, "", zone),)
    free = times_without_corridor(permissions)
    ways = [each for each in permissions if each.corridor is not None]
    own = () if zone.schedule is None else (zone.schedule,)
    elsewhere = combined(own, (*free, *(each.times for each in ways)))
    parts = [Part(Role.BREACH, "", zone.at_hours(elsewhere))]
    taken: list[Timetable] = list(free)
    for each in ways:
        times = combined((*own, each.times), taken)
        parts.extend(_beside_corridor(zone, each, times))
        taken.append(each.times)
    parts.extend(_rings(zone, elsewhere))
    earlier: list[Timetable] = []
    for each in permissions:
        if each.corridor is None:
            times = combined((*own, each.times), earlier)
            name = f"excused-{each.ref}"
            parts.append(_of(each, Role.EXCUSED, name, zone.at_hours(times)))
            earlier.append(each.times)
    return tuple(parts)


def ring_shape(zone: Zone, ring: Ring) -> BaseGeometry:
    """What is within the ring: larger than an exclusion zone, smaller than one to stay in."""
    if zone.kind.forbids_inside:
        return grown(zone.judged.shape, ring.metres)
    return shrunk(zone.judged.shape, ring.metres)


def _rings(zone: Zone, times: Timetable | None) -> list[Part]:
    parts = []
    for number, ring in enumerate(zone.rings, start=1):
        model = _kept(zone, f"ring {number}", zone.kind, partial(ring_shape, zone, ring))
        assert model is not None
        name = f"ring-{number}"
        parts.append(Part(Role.WARNING, name, model.at_hours(times), number, ring))
    return parts


def _beside_corridor(zone: Zone, way: Authorised, times: Timetable | None) -> list[Part]:
    """While a corridor is allowed: what is still forbidden, and what is excused."""
    corridor, ref = way.corridor, way.ref
    assert corridor is not None
    shape = zone.shape
    if zone.kind.forbids_inside:
        rest = _kept(zone, f"beside {ref}", zone.kind, lambda: shape.difference(corridor))
        allowed = _kept(zone, f"along {ref}", zone.kind, lambda: shape.intersection(corridor))
    else:
        rest = _kept(zone, f"beside {ref}", zone.kind, lambda: shape.union(corridor))
        # On the way outside of the zone is where the wearer is excused.
        kind = ZoneKind.EXCLUSION
        allowed = _kept(zone, f"along {ref}", kind, lambda: corridor.difference(shape))
    parts = []
    if rest is not None:
        parts.append(_of(way, Role.BREACH, f"beside-{ref}", rest.at_hours(times)))
    if allowed is not None:
        parts.append(_of(way, Role.EXCUSED, f"excused-{ref}", allowed.at_hours(times)))
    return parts


def _of(each: Authorised, role: Role, name: str, zone: Zone) -> Part:
    return Part(role, name, zone, authorised=each.ref, dates=each.dates)


def _kept(zone: Zone, key: str, kind: ZoneKind, make: Callable[[], BaseGeometry]) -> Zone | None:
    """A zone of a derived shape, made once; None where nothing of it has an area."""
    if key not in zone.derived:
        areas = [each for each in shapely.get_parts(make()) if each.area > 0]
        shape = areas[0] if len(areas) == 1 else shapely.MultiPolygon(areas)
        zone.derived[key] = (
            msgspec.structs.replace(zone, kind=kind, shape=shape, rings=()) if areas else None
        )
    return zone.derived[key]
