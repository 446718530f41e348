"""Draw, change, import and export zones. A changed zone is a new version, with its reason.

What was stored before a change is judged by the version of its time: each condition about the zone
ends with the old version and goes on, as a new version of itself, with the new one.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from navigate_safer.db import arrivals, audit, zones
from navigate_safer.db.base import Sessions
from navigate_safer.db.people import AreaRow, ConditionRow, ZoneRow
from navigate_safer.db.telemetry import JudgementRow
from navigate_safer.db.zones import ZoneRecordRow
from navigate_safer.people import private_text, private_words
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.account import Act
from navigate_safer.services.casework import NotFound
from navigate_safer.zone_files import Drawn
from zones.feature import MORE_PROPERTIES
from zones.simplified import inner_radius_m

LONGEST_NAME, LONGEST_REASON = 200, 1_000
# What can stand in an address, and is not one of the pages about zones.
_REF = re.compile(r"\w[\w .-]{0,63}")
_TAKEN = frozenset({"draw", "download.geojson", "download.kml"})
# A shape in which no circle of this radius fits is too narrow for any fix to be told to be in it:
# the best report 5 m. The project's own.
LEAST_RADIUS_M = 5.0


class CannotSave(Exception):
    """A zone that is not taken in; the message names it and says what to do."""


class By(msgspec.Struct, frozen=True):
    """Who changes zones and why: a member of staff within a scope, or the command line.

    ``seen``: the version that a form was filled from, so that nobody undoes what he never saw.
    """

    reason: str
    scope: Scope | None = None
    area_id: int | None = None
    seen: int | None = None

    @property
    def staff_id(self) -> int | None:
        """The member of staff, if any."""
        return None if self.scope is None else self.scope.staff_id


class Saved(msgspec.Struct, frozen=True):
    """What became of the zones of a file: references."""

    added: list[str]
    changed: list[str]
    unchanged: list[str]


def save(sessions: Sessions, drawn: Sequence[Drawn], by: By, now: datetime) -> Saved:
    """Take in zones, all or none; raises :class:`CannotSave`, Forbidden."""
    if by.scope is not None:
        by.scope.require(Permission.EDIT_ZONES)
    if not by.reason.strip():
        raise CannotSave("a zone is saved with a reason; say why")
    saved = Saved([], [], [])
    try:
        with sessions.begin() as session:
            for each in drawn:
                _refuse_useless(each)
                _save(session, each, by, now, saved)
    except IntegrityError:
        # Both had read the same newest version; the database takes one of the next.
        what = "somebody else changed these zones at the same moment"
        raise CannotSave(f"{what}; look at them, and try again") from None
    return saved


def area_named(sessions: Sessions, ref: str) -> int | None:
    """The id of an area."""
    with sessions.begin() as session:
        return session.scalar(select(AreaRow.id).where(AreaRow.ref == ref))


def _save(session: Session, drawn: Drawn, by: By, now: datetime, saved: Saved) -> None:
    known = zones.versions(session, drawn.zone_id)
    row = _row(drawn, known[0].version + 1 if known else 1)
    if not known:
        _refuse_private(drawn, drawn.zone_id, "id")
        _refuse_private(drawn, row.name, "name")
        _add(session, row, by, now)
        saved.added.append(drawn.zone_id)
        return
    old = known[0]
    if by.scope is not None and not zones.may_know_of(session, by.scope, drawn.zone_id):
        # Whether it is somebody else's must not be told by the answer.
        raise CannotSave(f"{drawn.where}: the id {drawn.zone_id!r} cannot be used; give another")
    if _content(row) == _content(old):
        saved.unchanged.append(drawn.zone_id)
        return
    if by.seen is not None and by.seen != old.version:
        what = f"was changed meanwhile and is now in version {old.version}"
        then = "open it again, and make your change to that"
        raise CannotSave(f"{drawn.where}: zone {drawn.zone_id!r} {what}; {then}")
    if row.kind != old.kind:
        what = f"is of kind {old.kind}, which cannot change; draw a new zone"
        raise CannotSave(f"{drawn.where}: zone {drawn.zone_id!r} {what}")
    if row.name != old.name:
        _refuse_private(drawn, row.name, "name")
    if by.scope is not None and zones.users(session, by.scope, old.ref, now)[1]:
        what = "is also about somebody of another area; ask somebody who works in both"
        raise CannotSave(f"{drawn.where}: zone {drawn.zone_id!r} {what}")
    _add(session, row, by, now)
    _go_on_with(session, row, now)
    saved.changed.append(drawn.zone_id)


def _row(drawn: Drawn, version: int) -> ZoneRow:
    given = {key: value for key, value in drawn.properties.items() if value is not None}
    more = {key: given[key] for key in MORE_PROPERTIES if given.get(key)}
    return ZoneRow(
        ref=drawn.zone_id,
        version=version,
        name=str(given.get("name") or drawn.zone_id),
        kind=str(given["kind"]),
        geometry=drawn.geometry,
        buffer_m=float(given.get("buffer_m", 0.0)),
        schedule=given.get("schedule"),
        timezone=given.get("timezone", "Europe/London"),
        properties=more or None,
    )


def _content(row: ZoneRow) -> tuple[Any, ...]:
    more = row.properties or None
    return row.name, row.kind, row.geometry, row.buffer_m, row.schedule, row.timezone, more


def _add(session: Session, row: ZoneRow, by: By, now: datetime) -> None:
    session.add(row)
    session.flush()
    session.add(
        ZoneRecordRow(
            zone_id=row.id,
            area_id=by.area_id,
            staff_id=by.staff_id,
            actor="staff" if by.staff_id is not None else "command line",
            made_at=now,
            reason=by.reason.strip()[:LONGEST_REASON],
        )
    )
    audit.record(
        session,
        Act.COLLECTION if row.version == 1 else Act.ALTERATION,
        "zone drawn" if row.version == 1 else "zone changed",
        at=now,
        actor="staff" if by.staff_id is not None else "command line",
        staff_id=by.staff_id,
        subject_kind="zone",
        subject_id=row.id,
        detail={"version": row.version},
    )


def _go_on_with(session: Session, zone: ZoneRow, now: datetime) -> None:
    """Let every condition about the zone go on with its new version from now on."""
    conditions = zones.conditions_at(session, zone.ref, now)
    for old in conditions:
        if old.from_at > now:
            old.zone_id = zone.id  # nothing has been judged under it yet
            continue
        newest = select(func.max(ConditionRow.version)).where(ConditionRow.ref == old.ref)
        session.add(
            ConditionRow(
                ref=old.ref,
                version=(session.scalar(newest) or 0) + 1,
                order_id=old.order_id,
                clause=old.clause,
                kind=old.kind,
                severity=old.severity,
                zone_id=zone.id,
                limits=old.limits,
                from_at=now,
                until_at=old.until_at,
            )
        )
        old.until_at = now
    session.flush()
    judge_anew(session, [row.order_id for row in conditions], now)


def judge_anew(session: Session, order_ids: list[int], now: datetime) -> None:
    """The terms of these orders have changed: nothing that is at hand of their devices holds.

    Waits for a batch of intake that is being written: an officer's change is not refused for it.
    """
    fittings = zones.fitted_devices(session, order_ids)
    for device_id in sorted({fitting.device_id for fitting in fittings}):
        arrivals.turn_on(session, device_id, wait=True)
    for fitting in fittings:
        judgement = session.get(JudgementRow, fitting.id, with_for_update=True)
        if judgement is not None:
            judgement.check_after = now


def _refuse_useless(drawn: Drawn) -> None:
    """What can be judged in a file and would never find anything in the service, or not be kept."""
    where, name = drawn.where, drawn.properties.get("name")
    if not _REF.fullmatch(drawn.zone_id) or drawn.zone_id in _TAKEN:
        what = "use letters, digits, spaces, dots, dashes and underscores, at most 64"
        raise CannotSave(f"{where}: the id {drawn.zone_id[:20]!r} cannot be used; {what}")
    if name is not None and (not isinstance(name, str) or len(name) > LONGEST_NAME):
        raise CannotSave(f"{where}: the name is not a text of at most {LONGEST_NAME} characters")
    if isinstance(name, str) and any(_unkept(each) for each in name):
        raise CannotSave(f"{where}: the name has a character that cannot be kept; write it anew")
    if drawn.feature.permissions:
        what = "exceptions are allowed to a person, on their page; take them out of the file"
        raise CannotSave(f"{where}: {what}")
    if inner_radius_m(drawn.feature.zone.judged.shape) < LEAST_RADIUS_M:
        what = f"is nowhere wider than {2 * LEAST_RADIUS_M:g} m, so that no position could tell"
        raise CannotSave(f"{where}: zone {drawn.zone_id!r} {what}; draw it wider or add a buffer")


def _refuse_private(drawn: Drawn, text: str, what: str) -> None:
    """Refuse a text that says where somebody lives. An id stands in the addresses of pages.

    The wearer's own may stand in the name of where he must be; that of a zone to keep out of would
    say whose home it is drawn about.
    """
    own = what == "name" and not drawn.feature.zone.kind.forbids_inside
    fault = (private_words if own else private_text).fault(text)
    if fault is not None:
        raise CannotSave(f"{drawn.where}: its {what}: {fault[0].lower()}{fault[1:]}")


def _unkept(character: str) -> bool:
    """Neither database keeps half of a surrogate pair, and PostgreSQL no zero."""
    return character == "\0" or "\ud800" <= character <= "\udfff"


def may_see(session: Session, scope: Scope, ref: str) -> None:
    """Raise :class:`NotFound` where there is no such zone, or none that this person may know of."""
    if not zones.may_know_of(session, scope, ref):
        raise NotFound
