"""A zone and what is allowed in it, from the properties and the geometry of a GeoJSON feature."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from itertools import combinations

import msgspec

from zones.authorised import Authorised, at_one_time
from zones.fault import ZoneFault
from zones.geojson import shape_from_geojson
from zones.schedule import DEFAULT_TIMEZONE, zone_info
from zones.schedule_entries import schedule_from_entries
from zones.timetable import Dates, Timetable, combined
from zones.zone import Zone, zone_from_feature

# What a feature may say of its zone, besides id, kind and name.
ZONE_PROPERTIES = (
    "buffer_m",
    "radius_m",
    "tolerance_m",
    "rings",
    "priority",
    "schedule",
    "timezone",
    "first_night",
    "from",
    "until",
)
# Those that a stored zone keeps together; the others have a column each.
MORE_PROPERTIES = (
    "radius_m",
    "tolerance_m",
    "rings",
    "priority",
    "first_night",
    "from",
    "until",
)
# No order is older or lasts longer, and the clocks of every time zone can be reckoned with.
_YEARS = range(1900, 2200)
_EXCEPTION_KEYS = ("from", "until", "reason", "schedule", "corridor", "corridor_m")


class ZoneFeature(msgspec.Struct, frozen=True):
    """A zone with what has been allowed."""

    zone: Zone
    permissions: tuple[Authorised, ...] = ()


def read_feature(
    zone_id: str, geometry: object, properties: Mapping[str, object], version: int = 1
) -> ZoneFeature:
    """The zone of a feature; raises :class:`ZoneFault` with the place of the fault.

    A property that is None is one that is not given: map editors write null for those.
    """
    given = {key: properties[key] for key in ZONE_PROPERTIES if properties.get(key) is not None}
    timezone = given.get("timezone", DEFAULT_TIMEZONE)
    if not isinstance(timezone, str):
        raise ZoneFault("timezone", f"{timezone!r} is not the name of a time zone")
    from_at = instant(given.pop("from", None), timezone, "from")
    until_at = instant(given.pop("until", None), timezone, "until", ends=True)
    zone = zone_from_feature(
        zone_id=zone_id,
        kind=properties["kind"],  # type: ignore[arg-type]  # checked there
        geometry=geometry,
        from_at=from_at,
        until_at=until_at,
        version=version,
        **given,  # type: ignore[arg-type]  # each is checked there
    )
    entries = properties.get("exceptions")
    return ZoneFeature(zone, permissions_from_entries(entries, timezone))


def instant(written: object, timezone: str, where: str, *, ends: bool = False) -> datetime | None:
    """A time with an offset, or a date: its first minute there, or after its last where it ends."""
    if written is None:
        return None
    text = written if isinstance(written, str) else ""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        what = f"{written!r} is not a date or a time such as 2026-11-21T22:40:00Z"
        raise ZoneFault(where, what) from None
    if at.year not in _YEARS:
        raise ZoneFault(where, f"{written!r} is not of this age; leave it out for no limit")
    if len(text) == len("2026-11-21"):
        on = date.fromisoformat(text) + timedelta(days=1 if ends else 0)
        return datetime.combine(on, time(), zone_info(timezone))
    if at.tzinfo is None:
        raise ZoneFault(where, f"{written!r} has no offset; add Z or +01:00")
    return at


def permissions_from_entries(entries: object, timezone: str) -> tuple[Authorised, ...]:
    """Read ``[{"from", "until", "reason", "schedule", "corridor", "corridor_m"}]``.

    ``from`` and ``until`` are needed, times or dates; a ``corridor`` is a GeoJSON geometry,
    ``corridor_m`` metres to each side of it.
    """
    if entries is None:
        return ()
    if not isinstance(entries, Sequence) or isinstance(entries, str | bytes):
        raise ZoneFault("exceptions", 'must be a list of {"from", "until", "reason"}')
    made = tuple(
        _permission(entry, timezone, number) for number, entry in enumerate(entries, start=1)
    )
    ways = [each for each in made if each.corridor is not None]
    for one, other in combinations(ways, 2):
        if at_one_time(one, other):
            # Along the second of them it would be judged by the first, and a breach.
            what = f"has a corridor while exception {one.ref} has one"
            raise ZoneFault(f"exception {other.ref}", f"{what}; give one with both ways")
    return made


def _permission(entry: object, timezone: str, number: int) -> Authorised:
    where = f"exception {number}"
    if not isinstance(entry, Mapping):
        raise ZoneFault(where, 'must be an object with "from" and "until"')
    unknown = sorted(str(key) for key in entry if key not in _EXCEPTION_KEYS)
    if unknown:
        known = ", ".join(_EXCEPTION_KEYS)
        raise ZoneFault(where, f"has an unknown key {unknown[0]!r}; known are {known}")
    from_at = instant(entry.get("from"), timezone, f"{where}, from")
    until_at = instant(entry.get("until"), timezone, f"{where}, until", ends=True)
    return permission(
        str(number),
        from_at,
        until_at,
        where,
        timezone=timezone,
        schedule=entry.get("schedule"),
        corridor=entry.get("corridor"),
        corridor_m=entry.get("corridor_m") or 0.0,
    )


def permission(
    ref: str,
    from_at: datetime | None,
    until_at: datetime | None,
    where: str,
    *,
    timezone: str = DEFAULT_TIMEZONE,
    schedule: object = None,
    corridor: object = None,
    corridor_m: object = 0.0,
) -> Authorised:
    """One permission from its parts, as decoded JSON; raises :class:`ZoneFault`."""
    if from_at is None or until_at is None:
        raise ZoneFault(where, "needs from and until: nothing is allowed without an end")
    try:
        dates = Dates(from_at, until_at)
    except ValueError:
        raise ZoneFault(where, "until is not after from") from None
    parts: list[Timetable] = [dates]
    if schedule is not None:
        parts.append(schedule_from_entries(schedule, timezone))
    times = combined(parts)
    assert times is not None
    shape = None
    if corridor is not None:
        try:
            shape = shape_from_geojson(corridor, buffer_m=corridor_m)  # type: ignore[arg-type]
        except ZoneFault as fault:
            raise ZoneFault(f"{where}, corridor, {fault.where}", fault.what) from None
    return Authorised(ref, times, shape)
