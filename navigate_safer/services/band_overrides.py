"""How bands of the last year came about: judgement above the tools by agency, and moves."""

from datetime import datetime, timedelta

import msgspec

from navigate_safer.db import referrals as rows
from navigate_safer.db.base import Sessions
from navigate_safer.people import assessments
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.assessments import (
    BAND,
    DASH,
    JUDGEMENT,
    LIVE,
    BandHeld,
    Dash,
    Judgement,
    Overrides,
)
from navigate_safer.people.referrals import BANDS, Band
from navigate_safer.services import records

SHOWN = timedelta(days=365)


class Bands(msgspec.Struct, frozen=True):
    """Overrides by agency; moves as the band before, the band after, and how often."""

    overrides: list[Overrides]
    moves: list[tuple[Band, Band, int]]


def see(sessions: Sessions, scope: Scope, now: datetime) -> Bands:
    """Of the last twelve months, every version counted; raises Forbidden."""
    scope.require(Permission.ASSESS)
    with sessions.begin() as session:
        since = now - SHOWN
        made: list[Dash | Judgement] = [
            msgspec.convert(body, Dash)
            for body in rows.bodies(session, scope, DASH.name, {LIVE}, since)
        ]
        made += [
            msgspec.convert(body, Judgement)
            for body in rows.bodies(session, scope, JUDGEMENT.name, {LIVE}, since)
        ]
        held = [
            msgspec.convert(body, BandHeld)
            for body in rows.bodies(session, scope, BAND.name, BANDS, since)
        ]
        detail: dict[str, object] = {"assessments": len(made), "bands": len(held)}
        records.consulted(session, scope, "bands", now, detail=detail)
        return Bands(assessments.overrides(made), assessments.moves(held))
