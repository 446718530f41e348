"""Apply decisions with what follows from them beyond their own fitting.

What else may be behind a monitor that is silent or covered, noted on its alert. A case alert where
alcohol comes together with something else, and days of compliance that are to be
worked out anew because what is told of an evening before has changed.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from alerts.abstinence import BLINDING
from alerts.compound import PART_OF, PartKind
from alerts.decide import Decision
from alerts.finding import FindingKind
from navigate_safer.db.terms import FittingOf
from navigate_safer.services import compliance, compound, device_faults, episodes, obstructed
from navigate_safer.services.telling import Voice

# The verdict on an evening may come with the readings of the morning after.
_OF_ALCOHOL = BLINDING | {kind for kind, part in PART_OF.items() if part is PartKind.ALCOHOL}


def apply(
    session: Session, of: FittingOf, decisions: Iterable[Decision], now: datetime, voice: Voice
) -> int:
    """Write what was decided and what follows; alerts opened. The caller commits."""
    decisions = list(decisions)
    opened = episodes.apply(session, of, decisions, now, voice)
    device_faults.consider(session, of, decisions, now)
    amended_at = obstructed.amend(session, of.wearer_id, decisions, now)
    amended = [] if amended_at is None else [amended_at]
    for at in (*_starts(decisions, _OF_ALCOHOL), *amended):
        compliance.note_late(session, of.wearer_id, at, now)
    touched_at = compound.touched_at(decisions)
    earliest_at = min([*amended, *([] if touched_at is None else [touched_at])], default=None)
    if earliest_at is None:
        return opened
    if amended or not compound.makes_no_case(session, of.wearer_id, decisions, earliest_at):
        session.flush()
        opened += compound.settle(session, of.wearer_id, earliest_at, now, voice)
    return opened


def _starts(decisions: Iterable[Decision], kinds: frozenset[FindingKind]) -> list[datetime]:
    """The earliest start of episodes of these kinds, in a list; empty without any."""
    about = (each.known or each.finding for each in decisions)
    times = [each.started_at for each in about if each is not None and each.kind in kinds]
    return [min(times)] if times else []
