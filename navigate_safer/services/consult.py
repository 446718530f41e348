"""Look at case data: the query and the entry in the log are one transaction.

A view that is not logged did not happen lawfully, so that no page may read a case in any other
way than through here.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from navigate_safer.db import audit, board, caseload, tracks, wearer_messages
from navigate_safer.db.audit import WebSessionRow
from navigate_safer.db.base import Sessions
from navigate_safer.db.board import AlertDetail, Board, BoardLine
from navigate_safer.db.caseload import CaseLine, Person
from navigate_safer.db.people import ZoneRow
from navigate_safer.db.tracks import Point
from navigate_safer.db.wearer_messages import WearerLine
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.closing import CASE, CaseState
from navigate_safer.people.records import Record
from navigate_safer.services import one_record, records, zone_views
from navigate_safer.services.alcohol_picture import Picture, picture
from navigate_safer.services.case_state import is_closed
from navigate_safer.services.casework import NotFound

# What an alert's map shows before the breach and after it.
BEFORE_BREACH, AFTER_BREACH = timedelta(minutes=30), timedelta(minutes=15)
LONGEST_TRAIL = timedelta(hours=24)
MOST_POINTS = 1_500
ALERTS_ON_PERSON = 25
TOLD_ON_PERSON = 5
ALCOHOL_SPAN = timedelta(days=7)
# Alcohol rises for hours before it is above a threshold.
BEFORE_ALCOHOL = timedelta(hours=12)


class ZoneShape(msgspec.Struct, frozen=True):
    """A zone to draw: GeoJSON in EPSG:4326, grown by its buffer."""

    name: str
    kind: str
    geometry: dict[str, object]


class MapData(msgspec.Struct, frozen=True):
    """Points and zones of one map; ``highlight`` is the stretch in breach."""

    points: list[Point]
    zones: list[ZoneShape]
    highlight: tuple[datetime, datetime] | None


class PersonPage(msgspec.Struct, frozen=True):
    """A wearer with the newest alerts and messages, as far as the role may see them.

    ``closed`` is the record of the case while it is closed, None of an open one.
    """

    person: Person
    alerts: list[BoardLine]
    told: list[WearerLine]
    closed: Record[CaseState] | None


def see_board(sessions: Sessions, scope: Scope, token_hash: str, now: datetime) -> Board:
    """The duty board. A refresh that shows the same alerts again is the same consultation."""
    with sessions.begin() as session:
        shown = board.board(session, scope)
        digest = hashlib.sha256(repr([each.alert_id for each in shown.lines]).encode()).hexdigest()
        row = session.get(WebSessionRow, token_hash)
        if row is not None and row.board_digest != digest:
            row.board_digest = digest
            ids: list[object] = [each.alert_id for each in shown.lines]
            audit.looked(session, scope, "duty board", "alerts", None, now, {"alerts": ids})
        return shown


def see_alert(
    sessions: Sessions, scope: Scope, reference: str, now: datetime
) -> tuple[AlertDetail, Picture | None, list[Point]]:
    """One alert with the readings around it; raises :class:`NotFound`.

    Without a picture of the alcohol for those who may not see it.
    """
    with sessions.begin() as session:
        detail = alert_of(session, scope, reference)
        audit.looked(session, scope, "alert", "alert", detail.line.alert_id, now)
        from_at, to_at = span_of(detail, now)
        taken: Picture | None = None
        if scope.may(Permission.SEE_ALCOHOL):
            taken = picture(session, scope, detail.wearer_id, from_at - BEFORE_ALCOHOL, to_at)
        points: list[Point] = []
        if scope.may(Permission.SEE_PLACES):
            points = _alert_trail(session, scope, detail, from_at, to_at)
        return detail, taken, points


def see_alert_map(sessions: Sessions, scope: Scope, reference: str, now: datetime) -> MapData:
    """The map of one alert: the trail about it, and its zone."""
    scope.require(Permission.SEE_PLACES)
    with sessions.begin() as session:
        detail = alert_of(session, scope, reference)
        audit.looked(session, scope, "alert map", "alert", detail.line.alert_id, now)
        from_at, to_at = span_of(detail, now)
        points = _alert_trail(session, scope, detail, from_at, to_at)
        zones = _shapes(session, [] if detail.zone_id is None else [detail.zone_id])
        line = detail.line
        return MapData(points, zones, (line.started_at, line.ended_at or to_at))


def see_caseload(
    sessions: Sessions, scope: Scope, search: str, now: datetime, *, closed: bool = False
) -> list[CaseLine]:
    """The caseload, with ``closed`` the closed cases too.

    A search is logged by what it found, never by its words.
    """
    with sessions.begin() as session:
        lines = caseload.caseload(session, scope, search, closed=closed)
        found: list[object] = [line.wearer_id for line in lines] if search.strip() else []
        detail: dict[str, object] = {"shown": len(lines), "found": found}
        audit.looked(session, scope, "caseload", "wearers", None, now, detail)
        return lines


def see_person(sessions: Sessions, scope: Scope, ref: str, now: datetime) -> PersonPage:
    """One wearer; raises :class:`NotFound`."""
    with sessions.begin() as session:
        person = _person(session, scope, ref)
        audit.looked(session, scope, "person", "wearer", person.wearer_id, now)
        alerts: list[BoardLine] = []
        told: list[WearerLine] = []
        if scope.may(Permission.SEE_BOARD):
            alerts = board.of_wearer(session, scope, person.wearer_id, ALERTS_ON_PERSON)
            told = wearer_messages.of_wearer(session, person.wearer_id, TOLD_ON_PERSON)
        return PersonPage(person, alerts, told, _closed(session, scope, ref))


def _closed(session: Session, scope: Scope, ref: str) -> Record[CaseState] | None:
    if not scope.may(CASE.see):
        return None
    of, _wearer = records.about(session, scope, ref)
    found = one_record.live(session, scope, CASE, of)
    return found if is_closed(found) else None


def see_person_map(sessions: Sessions, scope: Scope, ref: str, now: datetime) -> MapData:
    """The last day of one wearer, with the zones in force."""
    scope.require(Permission.SEE_PLACES)
    with sessions.begin() as session:
        person = _person(session, scope, ref)
        audit.looked(session, scope, "person map", "wearer", person.wearer_id, now)
        begins = now - LONGEST_TRAIL
        points = tracks.trail(session, scope, person.wearer_id, begins, now, MOST_POINTS)
        zone_ids = [
            each.zone_id
            for each in person.conditions
            if each.zone_id is not None and (each.until_at is None or each.until_at > now)
        ]
        return MapData(points, _shapes(session, zone_ids), None)


def see_person_alcohol(
    sessions: Sessions, scope: Scope, ref: str, now: datetime
) -> tuple[Person, Picture]:
    """The alcohol readings of the last week."""
    scope.require(Permission.SEE_ALCOHOL)
    with sessions.begin() as session:
        person = _person(session, scope, ref)
        audit.looked(session, scope, "alcohol readings", "wearer", person.wearer_id, now)
        begins = now - ALCOHOL_SPAN
        return person, picture(session, scope, person.wearer_id, begins, now)


def alert_of(session: Session, scope: Scope, reference: str) -> AlertDetail:
    """One alert of the scope; raises :class:`NotFound`. Whoever shows it writes the log."""
    detail = board.alert(session, scope, reference)
    if detail is None:
        raise NotFound
    return detail


def _person(session: Session, scope: Scope, ref: str) -> Person:
    person = caseload.person(session, scope, ref)
    if person is None:
        raise NotFound
    return person


def span_of(detail: AlertDetail, now: datetime) -> tuple[datetime, datetime]:
    """The time about an alert that its map and its chart show."""
    line = detail.line
    to_at = min(line.ended_at or now, now) + AFTER_BREACH
    return line.started_at - BEFORE_BREACH, min(to_at, line.started_at + LONGEST_TRAIL)


def _alert_trail(
    session: Session, scope: Scope, detail: AlertDetail, from_at: datetime, to_at: datetime
) -> list[Point]:
    return tracks.trail(
        session,
        scope,
        detail.wearer_id,
        from_at,
        to_at,
        MOST_POINTS,
        device_id=detail.device_id,
    )


def _shapes(session: Session, zone_ids: Sequence[int]) -> list[ZoneShape]:
    rows = session.scalars(select(ZoneRow).where(ZoneRow.id.in_(zone_ids)))
    return [
        ZoneShape(each.name, each.kind, each.geometry)
        for row in rows
        for each in zone_views.drawings(row)
    ]
