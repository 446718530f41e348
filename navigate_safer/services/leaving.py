"""What is no longer due when somebody leaves the cohort, or when a plan ends.

Without it a review would stay overdue for ever that nobody can hold. Within the caller's
transaction; what was written stays in the history.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from navigate_safer.people.access import Scope
from navigate_safer.people.cohort import LEFT, RAG
from navigate_safer.people.plan_log import AGREEMENT, OFFER
from navigate_safer.services import one_record, records
from navigate_safer.services.records import About

LIVE, ENDED = "live", "ended"


def leave_cohort(session: Session, scope: Scope, of: About, why: str, now: datetime) -> None:
    """End the colour and the open offers, and ask no more for a review of the agreement."""
    colour = one_record.live(session, scope, RAG, of)
    if colour is not None:
        one_record.put(
            session, scope, RAG, of, colour.body, replaces=colour.version, now=now, state=LEFT,
            reason=why, ends=True,
        )  # fmt: skip
    for each in records.listed(session, scope, OFFER, wearer_id=of.wearer_id, states=(LIVE,)):
        records.change(
            session, scope, OFFER, each.ref, each.body, replaces=each.version, now=now,
            state=ENDED, reason=why,
        )  # fmt: skip
    end_agreement(session, scope, of, why, now)


def end_agreement(session: Session, scope: Scope, of: About, why: str, now: datetime) -> None:
    """Ask no more for a review of the agreement, nor for a signature; it stays as it was."""
    found = one_record.live(session, scope, AGREEMENT, of)
    if found is not None and found.due is not None:
        one_record.put(
            session, scope, AGREEMENT, of, found.body, replaces=found.version, now=now,
            state=found.state, reason=why,
        )  # fmt: skip
