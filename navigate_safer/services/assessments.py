"""The common assessment of one person: see it whole, and keep each part of it.

Whatever can move the band is kept together with the band, in one transaction.
"""

from datetime import datetime

import msgspec
from sqlalchemy.orm import Session

from navigate_safer.db import referrals as rows
from navigate_safer.db.base import Sessions
from navigate_safer.db.people import WearerRow
from navigate_safer.people import assessments
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.assessment_forms import Answers, count, form
from navigate_safer.people.assessments import (
    BAND,
    CLOSED,
    DASH,
    JUDGEMENT,
    LIVE,
    NEEDS,
    PARTNER_RATING,
    RFGV,
    VICTIM_RATING,
    BandHeld,
    Basis,
    By,
    Dash,
    Judgement,
    Needs,
    NeverLower,
    PartnerRating,
    Rating,
)
from navigate_safer.people.days import end_of, start_of
from navigate_safer.people.records import Due, Record
from navigate_safer.people.referrals import Band
from navigate_safer.people.rfgv import RfgvScore
from navigate_safer.services import bands, records, slots
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


class DashWish(msgspec.Struct, frozen=True):
    """A Dash as an assessor gives it."""

    victim: str
    answers: Answers
    incidents_12m: int | None
    judged: Band | None
    judged_why: str
    by: By


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


def save_dash(
    sessions: Sessions,
    scope: Scope,
    ref: str,
    wish: DashWish,
    *,
    replaces: int,
    now: datetime,
) -> Record[Dash]:
    """Score and keep a Dash, and settle the band.

    Raises Incomplete, NeverLower, Stale, Forbidden and NotFound (also for a victim who is not
    registered as harmed by this person).
    """
    scored = assessments.score_dash(form("dash"), wish.answers, wish.judged, wish.incidents_12m)
    with sessions.begin() as session:
        of, wearer = records.about(session, scope, ref)
        known_victim(session, scope, of, wish.victim)
        bands.hold(session, wearer)
        body = Dash(
            victim=wish.victim,
            form_version=form("dash").version,
            answers=wish.answers,
            ticks=scored.ticks,
            incidents_12m=wish.incidents_12m,
            counted=scored.counted,
            judged=wish.judged,
            judged_why=wish.judged_why,
            band=scored.band,
            by=wish.by,
        )
        made = slots.keep(
            session, scope, DASH, of, dash_slot(of, wish.victim), body,
            replaces=replaces, now=now, at=start_of(wish.by.on), state=LIVE,
            due=Due(end_of(wish.by.review_on), "Review a victim's Dash"),
        )  # fmt: skip
        _settle(session, scope, of, wearer, now, "", assessments.ABOUT_A_VICTIM)
        return made


def close_dash(
    sessions: Sessions,
    scope: Scope,
    ref: str,
    victim: str,
    *,
    replaces: int,
    reason: str,
    now: datetime,
) -> None:
    """A Dash no longer counts, with a reason; it stays in the file.

    Raises Stale, Forbidden and NotFound.
    """
    with sessions.begin() as session:
        of, wearer = records.about(session, scope, ref)
        bands.hold(session, wearer)
        found = records.in_slot(session, scope, DASH, dash_slot(of, victim))
        if found is None:
            raise NotFound
        records.change(
            session, scope, DASH, found.ref, found.body,
            replaces=replaces, now=now, state=CLOSED, reason=reason,
        )  # fmt: skip
        said = f"{assessments.ABOUT_A_VICTIM} no longer counts"
        _settle(session, scope, of, wearer, now, "", said)


def save_needs(
    sessions: Sessions, scope: Scope, ref: str, body: Needs, *, replaces: int, now: datetime
) -> Record[Needs]:
    """Keep risk and need; raises Incomplete, Stale, Forbidden and NotFound."""
    count(form("needs"), body.answers)
    with sessions.begin() as session:
        of, _ = records.about(session, scope, ref)
        return slots.keep(
            session, scope, NEEDS, of, f"needs:{whose(of)}", body,
            replaces=replaces, now=now, at=start_of(body.by.on), state=LIVE,
            due=Due(end_of(body.by.review_on), "Review risk and need"), reason=body.summary,
        )  # fmt: skip


def save_rating(
    sessions: Sessions, scope: Scope, ref: str, body: PartnerRating, now: datetime
) -> None:
    """Keep a partner's rating in the place of the same tool's by the same agency; settle the band.

    Raises Stale, Forbidden and NotFound.
    """
    with sessions.begin() as session:
        of, wearer = records.about(session, scope, ref)
        if body.victim:
            known_victim(session, scope, of, body.victim)
        bands.hold(session, wearer)
        kind = VICTIM_RATING if body.victim else PARTNER_RATING
        slot = f"rating:{whose(of)}:{body.tool[:40]}:{body.agency[:25]}:{body.victim[:30]}"
        found = records.in_slot(session, scope, kind, slot)
        due = None
        if body.review_on is not None:
            due = Due(end_of(body.review_on), f"Ask {body.agency} for a new rating")
        slots.keep(
            session, scope, kind, of, slot, body,
            replaces=0 if found is None else found.version, now=now, at=start_of(body.on),
            state=LIVE, due=due,
        )  # fmt: skip
        if body.victim:
            _settle(session, scope, of, wearer, now, "", assessments.ABOUT_A_VICTIM)


def save_judgement(
    sessions: Sessions,
    scope: Scope,
    ref: str,
    band: Band,
    reason: str,
    by: By,
    *,
    replaces: int,
    now: datetime,
) -> Band:
    """Keep what somebody holds the band to be; the person's band after it.

    Raises NeverLower below what the victims' tools say, Stale, Forbidden and NotFound.
    """
    with sessions.begin() as session:
        of, wearer = records.about(session, scope, ref)
        bands.hold(session, wearer)
        ratings = bands.live(session, scope, whose(of))
        least = assessments.highest(each for each in ratings if each.tool)
        if least is not None and band.rank < least.rank:
            raise NeverLower(least)
        body = Judgement(band, reason, Basis.JUDGEMENT, least, by)
        slots.keep(
            session, scope, JUDGEMENT, of, bands.judgement_slot(whose(of)), body,
            replaces=replaces, now=now, at=start_of(by.on), state=LIVE,
            due=Due(end_of(by.review_on), "Review the judgement of risk"), reason=reason,
        )  # fmt: skip
        settled = _settle(session, scope, of, wearer, now, by.agency, reason)
        return band if settled is None else settled


def _settle(
    session: Session,
    scope: Scope,
    of: About,
    wearer: WearerRow,
    now: datetime,
    agency: str,
    reason: str,
) -> Band | None:
    return bands.settle(session, scope, of, wearer, now, agency=agency, reason=reason)


def known_victim(session: Session, scope: Scope, of: About, victim: str) -> None:
    """Raise NotFound unless she is registered as harmed by this person."""
    if victim not in rows.victim_refs(session, scope, whose(of)):
        raise NotFound


def dash_slot(of: About, victim: str) -> str:
    """There is one live Dash of a victim against a person."""
    return f"dash:{of.wearer_id}:{victim}"


def whose(of: About) -> int:
    """The id of the wearer that a record is about."""
    assert of.wearer_id is not None, "a wearer has an id"
    return of.wearer_id
