"""Look at zones, and take them out as files: logged, and only for those who may see places."""

from datetime import datetime
from typing import Any

import msgspec
import shapely
from shapely.geometry import mapping
from sqlalchemy.orm import Session

from navigate_safer.db import audit, terms, zones
from navigate_safer.db.base import Sessions
from navigate_safer.db.people import ZoneRow
from navigate_safer.db.zones import UserLine, VersionLine, ZoneLine
from navigate_safer.people.access import Scope
from navigate_safer.people.account import Act
from navigate_safer.services.casework import NotFound
from navigate_safer.services.zones import may_see
from zones.parts import Role, parts_of

Feature = dict[str, Any]


class ZonePage(msgspec.Struct, frozen=True):
    """One version of a zone: as it is written, who made it, and whom it is about."""

    ref: str
    name: str
    kind: str
    version: int
    newest: int
    properties: dict[str, object]
    geometry: dict[str, Any]
    vertices: int
    simplified_m: float
    area_m2: float
    versions: list[VersionLine]
    users: list[UserLine]
    others: bool


class Drawing(msgspec.Struct, frozen=True):
    """A shape to draw: GeoJSON in EPSG:4326; ``kind`` is that of the zone, or ``warning``."""

    name: str
    kind: str
    geometry: dict[str, Any]


def see_zones(sessions: Sessions, scope: Scope, now: datetime) -> list[ZoneLine]:
    """The zones that the scope may know of, by name."""
    with sessions.begin() as session:
        rows = zones.newest(session, scope)
        used = zones.counts(session, now)
        audit.looked(session, scope, "zones", "zones", None, now, {"shown": len(rows)})
        return [
            ZoneLine(row.ref, row.name, row.kind, row.version, used.get(row.ref, 0)) for row in rows
        ]


def see_zone(
    sessions: Sessions, scope: Scope, ref: str, now: datetime, version: int | None = None
) -> ZonePage:
    """A zone, in its newest version unless told; raises :class:`NotFound`."""
    with sessions.begin() as session:
        row, newest = _version(session, scope, ref, version)
        audit.looked(session, scope, "zone", "zone", row.id, now)
        users, others = zones.users(session, scope, ref, now)
        zone = terms.zone_of(row)
        return ZonePage(
            ref=row.ref,
            name=row.name,
            kind=row.kind,
            version=row.version,
            newest=newest,
            properties=terms.properties_of(row),
            geometry=row.geometry,
            vertices=int(shapely.get_num_coordinates(zone.shape)),
            simplified_m=zone.judged.bound_m,
            area_m2=zone.area_m2,
            versions=zones.version_lines(session, ref),
            users=users,
            others=others,
        )


def see_drawing(
    sessions: Sessions, scope: Scope, ref: str, now: datetime, version: int | None = None
) -> list[Drawing]:
    """The shapes of a zone and of its rings; raises :class:`NotFound`."""
    with sessions.begin() as session:
        row, _ = _version(session, scope, ref, version)
        audit.looked(session, scope, "zone map", "zone", row.id, now)
        return drawings(row)


def drawings(row: ZoneRow) -> list[Drawing]:
    """The shape of a zone, after those of its rings."""
    zone = terms.zone_of(row)
    rings = [
        Drawing(f"{part.ring.metres:g} m", "warning", dict(mapping(part.zone.judged.shape)))
        for part in reversed(parts_of(zone))
        if part.role is Role.WARNING and part.ring is not None
    ]
    return [*rings, Drawing(row.name, row.kind, dict(mapping(zone.judged.shape)))]


def features(sessions: Sessions, scope: Scope | None, now: datetime) -> list[Feature]:
    """The newest versions as GeoJSON features; ``scope`` None is the command line, and sees all."""
    with sessions.begin() as session:
        rows = zones.newest(session, scope)
        ids: list[object] = [row.id for row in rows]
        audit.record(
            session,
            Act.DISCLOSURE,
            "zones exported",
            at=now,
            actor="command line" if scope is None else "staff",
            staff_id=None if scope is None else scope.staff_id,
            subject_kind="zones",
            detail={"zones": ids},
        )
        return [feature_of(row) for row in rows]


def feature_of(row: ZoneRow) -> Feature:
    """A version of a zone as a GeoJSON feature, as it was written."""
    properties = {"id": row.ref, "name": row.name, **terms.properties_of(row)}
    return {"type": "Feature", "properties": properties, "geometry": row.geometry}


def _version(session: Session, scope: Scope, ref: str, version: int | None) -> tuple[ZoneRow, int]:
    may_see(session, scope, ref)
    rows = zones.versions(session, ref)
    newest = rows[0].version
    for row in rows:
        if row.version == (newest if version is None else version):
            return row, newest
    raise NotFound
