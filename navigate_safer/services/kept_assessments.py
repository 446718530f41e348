"""What the forms of assessment are filled from: the last of each, with those before it."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy.orm import Session

from navigate_safer.db.base import Sessions
from navigate_safer.db.people import WearerRow
from navigate_safer.people.access import Scope
from navigate_safer.people.assessments import DASH, JUDGEMENT, NEEDS
from navigate_safer.people.records import BodyT, Record, RecordKind
from navigate_safer.services import bands, records
from navigate_safer.services.assessments import dash_slot, known_victim, whose


class Kept(msgspec.Struct, frozen=True):
    """What a form is filled from: the current version, and those before it, the newest first."""

    ref: str
    name: str
    current: Record[Any] | None
    versions: list[Record[Any]]


def see_dash(sessions: Sessions, scope: Scope, ref: str, victim: str, now: datetime) -> Kept:
    """The Dash of one victim against one person; raises Forbidden and NotFound."""
    scope.require(DASH.see)
    with sessions.begin() as session:
        of, wearer = records.about(session, scope, ref)
        known_victim(session, scope, of, victim)
        found = records.in_slot(session, scope, DASH, dash_slot(of, victim))
        kept = _kept(session, scope, wearer, DASH, found)
        detail: dict[str, object] = {"record": "" if found is None else found.ref}
        records.consulted(session, scope, "dash", now, wearer_id=of.wearer_id, detail=detail)
        return kept


def see_needs(sessions: Sessions, scope: Scope, ref: str) -> Kept:
    """Risk and need of one person, to be assessed anew; raises Forbidden and NotFound."""
    scope.require(NEEDS.write)
    with sessions.begin() as session:
        of, wearer = records.about(session, scope, ref)
        found = records.in_slot(session, scope, NEEDS, f"needs:{whose(of)}")
        return _kept(session, scope, wearer, NEEDS, found)


def see_judgement(sessions: Sessions, scope: Scope, ref: str) -> Kept:
    """The live judgement of one person; raises Forbidden and NotFound."""
    scope.require(JUDGEMENT.write)
    with sessions.begin() as session:
        of, wearer = records.about(session, scope, ref)
        found = bands.judgement(session, scope, whose(of))
        return _kept(session, scope, wearer, JUDGEMENT, found)


def _kept(
    session: Session,
    scope: Scope,
    wearer: WearerRow,
    kind: RecordKind[BodyT],
    found: Record[BodyT] | None,
) -> Kept:
    versions = [] if found is None else records.versions(session, scope, kind, found.ref)
    return Kept(wearer.ref, wearer.name, found, list(versions))
