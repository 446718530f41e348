"""How often each agency's assessors put their judgement above the tool, for a later look."""

from datetime import datetime, timedelta

import msgspec

from navigate_safer.db import referrals as rows
from navigate_safer.db.base import Sessions
from navigate_safer.people import assessments
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.assessments import DASH, JUDGEMENT, LIVE, Dash, Judgement, Overrides
from navigate_safer.services import records

SHOWN = timedelta(days=365)


def see(sessions: Sessions, scope: Scope, now: datetime) -> list[Overrides]:
    """Of the last twelve months, by agency, every version counted; raises Forbidden."""
    scope.require(Permission.ASSESS)
    with sessions.begin() as session:
        since = now - SHOWN
        dashes = [
            msgspec.convert(body, Dash)
            for body in rows.bodies(session, scope, DASH.name, LIVE, since)
        ]
        judgements = [
            msgspec.convert(body, Judgement)
            for body in rows.bodies(session, scope, JUDGEMENT.name, LIVE, since)
        ]
        made: list[Dash | Judgement] = [*dashes, *judgements]
        records.consulted(session, scope, "overrides", now, detail={"assessments": len(made)})
        return assessments.overrides(made)
