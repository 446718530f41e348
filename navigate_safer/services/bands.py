"""A person's band: the highest of what is live, written with its history in one transaction."""

from datetime import datetime

from sqlalchemy.orm import Session

from navigate_safer.db.people import WearerRow
from navigate_safer.people import assessments
from navigate_safer.people.access import Scope
from navigate_safer.people.assessments import (
    BAND,
    DASH,
    JUDGEMENT,
    LIVE,
    PARTNER_RATING,
    VICTIM_RATING,
    BandHeld,
    Basis,
    By,
    Judgement,
    Rating,
)
from navigate_safer.people.days import day_of
from navigate_safer.people.records import Record
from navigate_safer.people.referrals import BANDS, Band
from navigate_safer.services import records, slots
from navigate_safer.services.records import About


def hold(session: Session, wearer: WearerRow) -> None:
    """Let whoever assesses the same person wait: each band is reckoned from all that is live."""
    session.refresh(wearer, with_for_update=True)


def live(session: Session, scope: Scope, wearer_id: int) -> list[Rating]:
    """The live ratings of a person that somebody may see."""
    found: list[Rating] = []
    if scope.may(DASH.see):
        for dash in records.listed(session, scope, DASH, wearer_id=wearer_id, states={LIVE}):
            by = dash.body.by
            found.append(Rating("A victim's Dash", dash.body.band, by.agency, by.on, True))
    for kind in (VICTIM_RATING, PARTNER_RATING):
        if not scope.may(kind.see):
            continue
        for each in records.listed(session, scope, kind, wearer_id=wearer_id, states={LIVE}):
            body = each.body
            sets_band = kind is VICTIM_RATING
            what = f"A victim's {body.tool}" if sets_band else body.tool
            found.append(Rating(what, body.band, body.agency, body.on, sets_band))
    judged = judgement(session, scope, wearer_id)
    if judged is not None:
        found.append(_of_judgement(judged.body))
    return found


def _of_judgement(body: Judgement) -> Rating:
    what = {
        Basis.JUDGEMENT: "Judgement",
        Basis.TRIAGE: "Judgement at triage",
        Basis.REGISTERED: "Band as registered",
    }[body.basis]
    return Rating(what, body.band, body.by.agency, body.by.on, True, tool=False)


def judgement(session: Session, scope: Scope, wearer_id: int) -> Record[Judgement] | None:
    """The live judgement of a person."""
    return records.in_slot(session, scope, JUDGEMENT, judgement_slot(wearer_id))


def judgement_slot(wearer_id: int) -> str:
    """A person has one live judgement."""
    return f"judgement:{wearer_id}"


def settle(
    session: Session,
    scope: Scope,
    of: About,
    wearer: WearerRow,
    now: datetime,
    *,
    agency: str = "",
    reason: str = "",
) -> Band | None:
    """Reckon the band anew from all that is live, and write it and its history where it changed.

    The band that somebody was registered with counts as a judgement until a person ends it: no
    tool lowers it by itself. The caller holds the wearer.
    """
    assert of.wearer_id is not None, "a band is somebody's"
    slot = f"band:{of.wearer_id}"
    held = records.in_slot(session, scope, BAND, slot)
    if held is None and judgement(session, scope, of.wearer_id) is None:
        _keep_registered(session, scope, of, wearer, now)
    ratings = live(session, scope, of.wearer_id)
    top = assessments.highest(ratings)
    if top is None:
        return None
    by_tools = assessments.highest(each for each in ratings if each.tool)
    moved = wearer.band in BANDS and wearer.band != top.value
    body = BandHeld(
        band=top,
        before=Band(wearer.band) if moved else None,
        why=assessments.resting_on(ratings, top),
        overridden=by_tools is not None and top.rank > by_tools.rank,
        agency=agency,
    )
    if held is None or (held.body.band, held.body.why) != (top, body.why):
        slots.keep(
            session, scope, BAND, of, slot, body, replaces=0 if held is None else held.version,
            now=now, at=now, state=top.value, reason=reason,
        )  # fmt: skip
    wearer.band = top.value
    return top


def _keep_registered(
    session: Session, scope: Scope, of: About, wearer: WearerRow, now: datetime
) -> None:
    if wearer.band not in BANDS or of.wearer_id is None:
        return
    today = day_of(now)
    body = Judgement(
        Band(wearer.band),
        "The band the person was registered with, kept until somebody judges anew.",
        Basis.REGISTERED,
        None,
        By("", "", today, today),
    )
    slot = judgement_slot(of.wearer_id)
    records.add(session, scope, JUDGEMENT, of, body, now=now, state=LIVE, slot=slot)
