"""What follows from how a session went: the alerting hears of it, and an officer is asked.

Everything that another part of the service is told of a session is told here, in the transaction
that records the session.
"""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from alerts.compound import MissedSession
from navigate_safer.db.people import WearerRow
from navigate_safer.people.access import Scope
from navigate_safer.people.days import day_of, end_of
from navigate_safer.people.group_schedule import due_after_working_days
from navigate_safer.people.programme_rules import programme_rules
from navigate_safer.people.programmes import Sitting
from navigate_safer.people.records import Due, Record
from navigate_safer.people.session_outcomes import UNACCEPTABLE_ABSENCE, by_code
from navigate_safer.services import compound, failures
from navigate_safer.services.records import About
from navigate_safer.services.telling import Voice


def due_of(session: Session, wearer_id: int, made: Sitting, now: datetime) -> Due | None:
    """What is to be done about a session itself; None: nothing.

    A failure to comply is due under its own record, which :func:`tell` proposes.
    """
    rules = programme_rules()
    if made.outcome is None:
        last = made.on + timedelta(days=rules.register_within_days.value)
        return Due(end_of(last), f"Record how it went: {made.title}")
    if made.answer or not made.notify:
        return None
    who = session.get_one(WearerRow, wearer_id).offender_manager_id
    at = due_after_working_days(day_of(now), rules.tell_officer_within_working_days.value)
    said = f"{made.on.day} {made.on:%B}"
    return Due(at, f"Read what the facilitator says of {said}", who)


def tell(
    session: Session,
    scope: Scope,
    record: Record[Sitting],
    before: str | None,
    now: datetime,
    voice: Voice,
) -> None:
    """The session is recorded: its outcome was ``before``, and is now that of ``record``.

    A session that he stayed away from without an acceptable reason is missed, to the alerting; one
    that was put right is not. What was no compliance awaits an officer's decision.
    """
    if record.body.outcome == before:
        return
    _missed(session, record, before, now, voice)
    assert record.wearer_id is not None, "a session is about a person"
    of = About(record.area_id, record.wearer_id)
    if before is not None and not by_code()[before].complied:
        failures.withdraw(session, scope, of, record.ref, "the session is recorded otherwise", now)
    outcome = None if record.body.outcome is None else by_code()[record.body.outcome]
    if outcome is not None and not outcome.complied:
        body = record.body
        failures.propose(
            session, scope, of, f"{outcome.words}: {body.title}", body.starts_at, record.ref, now,
            requirement="Rehabilitation activity" if body.rar else "Programme",
            evidence=body.behaviour,
        )  # fmt: skip


def _missed(
    session: Session, record: Record[Sitting], before: str | None, now: datetime, voice: Voice
) -> None:
    assert record.wearer_ref is not None, "a session is about a person"
    if record.body.outcome == UNACCEPTABLE_ABSENCE:
        ends_at = record.body.starts_at + timedelta(minutes=record.body.minutes)
        missed = MissedSession(record.ref, record.body.starts_at, ends_at)
        compound.session_missed_in(session, record.wearer_ref, missed, now, voice)
    elif before == UNACCEPTABLE_ABSENCE:
        compound.session_not_missed_in(session, record.wearer_ref, record.ref, now, voice)
