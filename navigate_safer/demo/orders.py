"""Orders, numbered clauses, monitored conditions and zones of the invented wearers.

What the order forbids (its clause) and what the tag checks (the condition) are separate, as in
the Ministry's records; the clause's words follow its licence taxonomy: tag 14A, abstinence 14D.
"""

from datetime import datetime, timedelta
from random import Random
from typing import TypeAlias

import msgspec

from alerts.finding import Severity
from alerts.terms import ConditionKind, Limits
from navigate_safer.demo.places import TOWN_CENTRES, geojson, town_centre
from navigate_safer.demo.wearers import WITHIN_M, Area, Sketch
from navigate_safer.people.casefile import ConditionEntry, OrderEntry, Window, ZoneEntry

WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
CURFEW = [Window(WEEK, "19:00", "07:00")]
CURFEW_BUFFER_M = 100.0
EVENINGS = [Window(["thu", "fri", "sat"], "18:00", "03:00")]

# Tags report each minute; 900 s is the Ministry's "data out of sync" age. Monitors of the
# demonstration upload each hour, so that four missed uploads are silence.
DEVICE_LIMITS = Limits(silence_s=900, alcohol_silence_s=4 * 3600)

_TITLES = {
    "licence": "Licence",
    "community_order": "Requirement",
    "suspended_sentence": "Requirement",
    "dapo": "DAPO clause",
    "bail": "Bail condition",
}
_LICENCE_CLAUSES = {ConditionKind.TAG_CARE: "14A", ConditionKind.ALCOHOL_ABSTINENCE: "14D"}


_Draft: TypeAlias = tuple[ConditionKind, Severity, str | None]
# Of wearers with a zone of their own to keep out of, every so-manieth has a line before its edge
# that shows on the board; nearer than any home or ordinary way.
RING_EVERY = 10
RING = {"m": 100, "severity": "low"}


class Paper(msgspec.Struct, frozen=True):
    """What is written about one wearer: the order, and the zones that are his alone."""

    order: OrderEntry
    zones: list[ZoneEntry]


def town_ref(name: str) -> str:
    """Reference of a shared town-centre zone."""
    return f"Z-TOWN-{list(TOWN_CENTRES).index(name) + 1}"


def town_zone(name: str, protects: list[str]) -> ZoneEntry:
    """A town centre that several wearers must stay out of in the evening."""
    return ZoneEntry(
        ref=town_ref(name),
        name=name,
        kind="exclusion",
        geometry=geojson(town_centre(name)),
        schedule=EVENINGS,
        protects=protects,
    )


def paper(
    sketch: Sketch, start: datetime, protects: list[str], keep_away: str | None, *, seed: int
) -> Paper:
    """The order of one wearer; its conditions are in force from a day before ``start``.

    ``keep_away`` is the victim from whom a condition of distance keeps him.
    """
    rng = Random(f"order|{seed}|{sketch.ref}")
    zones: list[ZoneEntry] = []
    drafts: list[_Draft] = [(ConditionKind.TAG_CARE, Severity.HIGH, None)]
    for kind, severity, zone in _own_zones(sketch, protects):
        zones.append(zone)
        drafts.append((kind, severity, zone.ref))
    if sketch.town is not None:
        drafts.append((ConditionKind.EXCLUSION_ZONE, Severity.HIGH, town_ref(sketch.town)))
    if sketch.alcohol:
        drafts.append((ConditionKind.ALCOHOL_ABSTINENCE, Severity.MEDIUM, None))
    if keep_away is not None:
        drafts.append((ConditionKind.DISTANCE, Severity.CRITICAL, None))
    starts_on = start.date() - timedelta(days=rng.randint(10, 80))
    conditions = [
        _condition(sketch, number, draft, start, keep_away)
        for number, draft in enumerate(drafts, start=1)
    ]
    order = OrderEntry(
        ref=f"{sketch.ref}-O1",
        kind=sketch.order,
        starts_on=starts_on,
        ends_on=start.date() + timedelta(days=rng.randint(40, 300)),
        conditions=conditions,
    )
    return Paper(order, zones)


def _condition(
    sketch: Sketch, number: int, draft: _Draft, start: datetime, keep_away: str | None
) -> ConditionEntry:
    kind, severity, zone_ref = draft
    away = kind is ConditionKind.DISTANCE
    return ConditionEntry(
        ref=f"{sketch.ref}-C{number}",
        clause=_clause(sketch.order, kind, number),
        kind=kind,
        severity=severity,
        from_at=start - timedelta(hours=24),
        zone=zone_ref,
        limits=DEVICE_LIMITS,
        keep_away=keep_away if away else None,
        within_m=WITHIN_M if away else None,
    )


def _own_zones(
    sketch: Sketch, protects: list[str]
) -> list[tuple[ConditionKind, Severity, ZoneEntry]]:
    found: list[tuple[ConditionKind, Severity, ZoneEntry]] = []
    if sketch.exclusion is not None:
        zone = _area_zone(f"Z-{sketch.number:04d}-X", "exclusion", sketch.exclusion, protects)
        if sketch.number % RING_EVERY == 0:
            zone = msgspec.structs.replace(zone, properties={"rings": [RING]})
        found.append((ConditionKind.EXCLUSION_ZONE, Severity.CRITICAL, zone))
    if sketch.restriction is not None:
        zone = _area_zone(f"Z-{sketch.number:04d}-R", "restriction", sketch.restriction, [])
        found.append((ConditionKind.RESTRICTION_ZONE, Severity.HIGH, zone))
    if sketch.curfew != "none":
        found.append((ConditionKind.CURFEW, Severity.MEDIUM, _curfew_zone(sketch)))
    return found


def _area_zone(ref: str, kind: str, area: Area, protects: list[str]) -> ZoneEntry:
    return ZoneEntry(
        ref=ref, name=area.name, kind=kind, geometry=geojson(area.shape), protects=protects
    )


def _curfew_zone(sketch: Sketch) -> ZoneEntry:
    return ZoneEntry(
        ref=f"Z-{sketch.number:04d}-H",
        name="Curfew address",
        kind="inclusion",
        geometry={"type": "Point", "coordinates": list(sketch.home)},
        buffer_m=CURFEW_BUFFER_M,
        schedule=None if sketch.curfew == "always" else CURFEW,
    )


def _clause(order: str, kind: ConditionKind, number: int) -> str:
    if order == "licence":
        return f"Licence {_LICENCE_CLAUSES.get(kind, f'additional {number}')}"
    return f"{_TITLES[order]} {number}"
