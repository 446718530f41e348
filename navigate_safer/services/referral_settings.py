"""What an area sets about its intake: sources, destinations, clocks, the serial rule; versioned."""

from datetime import datetime

import msgspec
from sqlalchemy.orm import Session

from navigate_safer.db import referrals as rows
from navigate_safer.db.base import Sessions
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.records import Record
from navigate_safer.people.referrals import SETTINGS, IntakeSettings, shipped_settings
from navigate_safer.services import records, slots
from navigate_safer.services.casework import NotFound
from navigate_safer.services.records import About


class Area(msgspec.Struct, frozen=True):
    """An area of the scope."""

    area_id: int
    ref: str
    name: str


class AreaSettings(msgspec.Struct, frozen=True):
    """What holds in one area; ``version`` 0 while it is what came with the service."""

    area: Area
    areas: list[Area]
    settings: IntakeSettings
    version: int
    versions: list[Record[IntakeSettings]]


def areas(session: Session, scope: Scope) -> list[Area]:
    """The scope's areas, by name."""
    return [Area(*each) for each in rows.areas(session, scope)]


def area_named(session: Session, scope: Scope, ref: str | None) -> Area:
    """An area of the scope, the first of them when none is named; raises NotFound."""
    found = areas(session, scope)
    chosen = [each for each in found if ref in (None, "", each.ref)]
    if not chosen:
        raise NotFound
    return chosen[0]


def in_force(session: Session, scope: Scope, area_id: int) -> IntakeSettings:
    """What holds in an area."""
    found = records.in_slot(session, scope, SETTINGS, _slot(area_id))
    return shipped_settings() if found is None else found.body


def see(sessions: Sessions, scope: Scope, ref: str | None) -> AreaSettings:
    """What holds in an area, with its history; raises Forbidden and NotFound."""
    scope.require(Permission.TRIAGE)
    with sessions.begin() as session:
        area = area_named(session, scope, ref)
        found = records.in_slot(session, scope, SETTINGS, _slot(area.area_id))
        return AreaSettings(
            area,
            areas(session, scope),
            shipped_settings() if found is None else found.body,
            0 if found is None else found.version,
            [] if found is None else records.versions(session, scope, SETTINGS, found.ref),
        )


def save(
    sessions: Sessions,
    scope: Scope,
    ref: str,
    settings: IntakeSettings,
    *,
    replaces: int,
    reason: str,
    now: datetime,
) -> None:
    """A new version for one area; raises Forbidden, NotFound, Stale."""
    with sessions.begin() as session:
        area = area_named(session, scope, ref)
        slots.keep(
            session, scope, SETTINGS, About(area.area_id), _slot(area.area_id), settings,
            replaces=replaces, now=now, state="in force", reason=reason,
        )  # fmt: skip


def _slot(area_id: int) -> str:
    return f"intake_settings:{area_id}"
