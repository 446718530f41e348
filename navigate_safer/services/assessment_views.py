"""The common assessment of one person as its pages show it: whole, and each form."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy.orm import Session

from navigate_safer.db import referrals as rows
from navigate_safer.db.base import Sessions
from navigate_safer.db.people import WearerRow
from navigate_safer.people import assessments
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.assessments import (
    BAND,
    DASH,
    JUDGEMENT,
    NEEDS,
    PARTNER_RATING,
    RFGV,
    VICTIM_RATING,
    BandHeld,
    Dash,
    Judgement,
    Needs,
    PartnerRating,
    Rating,
)
from navigate_safer.people.records import BodyT, Record, RecordKind
from navigate_safer.people.rfgv import RfgvScore
from navigate_safer.services import bands, records
from navigate_safer.services.casework import NotFound
from navigate_safer.services.records import About


class Overview(msgspec.Struct, frozen=True):
    """A person's assessments. Dashes, victims' ratings and references are for assessors only.

    ``ratings`` are the live ones; ``band_history`` the newest first.
    """

    ref: str
    name: str
    band: str
    held: Record[BandHeld] | None
    band_history: list[Record[BandHeld]]
    ratings: list[Rating]
    judgement: Record[Judgement] | None
    needs: Record[Needs] | None
    partner_ratings: list[Record[PartnerRating]]
    rfgv: Record[RfgvScore] | None
    dashes: list[Record[Dash]]
    victims: list[str]

    @property
    def disagree(self) -> bool:
        """Whether those who rate the person say different things."""
        return assessments.disagree(self.ratings)


class Kept(msgspec.Struct, frozen=True):
    """What a form is filled from: the current version, and those before it, the newest first."""

    ref: str
    name: str
    current: Record[Any] | None
    versions: list[Record[Any]]


def see(sessions: Sessions, scope: Scope, ref: str, now: datetime) -> Overview:
    """Everything of one person that somebody may see; raises Forbidden and NotFound."""
    scope.require(Permission.SEE_CASEWORK)
    with sessions.begin() as session:
        of, wearer = records.about(session, scope, ref)
        wearer_id = whose(of)
        held = records.in_slot(session, scope, BAND, f"band:{wearer_id}")
        history = [] if held is None else records.versions(session, scope, BAND, held.ref)
        partners = records.listed(session, scope, PARTNER_RATING, wearer_id=wearer_id)
        assessor = scope.may(DASH.see)
        if assessor:
            partners += records.listed(session, scope, VICTIM_RATING, wearer_id=wearer_id)
        records.consulted(session, scope, "assessments", now, wearer_id=wearer_id)
        return Overview(
            ref=wearer.ref,
            name=wearer.name,
            band=wearer.band,
            held=held,
            band_history=history,
            ratings=bands.live(session, scope, wearer_id),
            judgement=bands.judgement(session, scope, wearer_id),
            needs=records.in_slot(session, scope, NEEDS, f"needs:{wearer_id}"),
            partner_ratings=sorted(partners, key=lambda each: each.at, reverse=True),
            rfgv=records.in_slot(session, scope, RFGV, f"rfgv:{wearer_id}"),
            dashes=_dashes(session, scope, wearer_id) if assessor else [],
            victims=rows.victim_refs(session, scope, wearer_id) if assessor else [],
        )


def _dashes(session: Session, scope: Scope, wearer_id: int) -> list[Record[Dash]]:
    return records.listed(session, scope, DASH, wearer_id=wearer_id)


def see_dash(sessions: Sessions, scope: Scope, ref: str, victim: str, now: datetime) -> Kept:
    """The Dash of one victim against one person; raises Forbidden and NotFound."""
    scope.require(DASH.see)
    with sessions.begin() as session:
        of, wearer = records.about(session, scope, ref)
        require_victim(session, scope, of, victim)
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


def require_victim(session: Session, scope: Scope, of: About, victim: str) -> None:
    """Raise NotFound for a reference of nobody whom the person has harmed."""
    if victim not in rows.victim_refs(session, scope, whose(of)):
        raise NotFound


def dash_slot(of: About, victim: str) -> str:
    """The one live Dash of a victim against a person."""
    return f"dash:{of.wearer_id}:{victim}"


def whose(of: About) -> int:
    """The id of the person."""
    assert of.wearer_id is not None, "a wearer has an id"
    return of.wearer_id
