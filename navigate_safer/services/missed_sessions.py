"""What follows from how a session went: the alerting hears of it, and an officer is asked.

Everything that another part of the service is told of a session is told here, in the transaction
that records the session.
"""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from alerts.compound import MissedSession
from navigate_safer.db.people import WearerRow
from navigate_safer.people.days import day_of, end_of
from navigate_safer.people.group_schedule import due_after_working_days
from navigate_safer.people.programme_rules import programme_rules
from navigate_safer.people.programmes import Sitting
from navigate_safer.people.records import Due, Record
from navigate_safer.people.session_outcomes import UNACCEPTABLE_ABSENCE, by_code
from navigate_safer.services import compound
from navigate_safer.services.telling import Voice


def due_of(session: Session, wearer_id: int, made: Sitting, now: datetime) -> Due | None:
    """What the key worker, or whoever records it, has to do about a session; None: nothing."""
    rules = programme_rules()
    if made.outcome is None:
        last = made.on + timedelta(days=rules.register_within_days.value)
        return Due(end_of(last), f"Record how it went: {made.title}")
    if made.answer:
        return None
    who = session.get_one(WearerRow, wearer_id).offender_manager_id
    outcome, said = by_code()[made.outcome], f"{made.on.day} {made.on:%B}"
    if not outcome.complied:
        at = due_after_working_days(made.on, rules.absence_within_working_days.value)
        return Due(at, f"Decide on {outcome.words.lower()}, {said}", who)
    if made.notify:
        days = rules.tell_officer_within_working_days.value
        at = due_after_working_days(day_of(now), days)
        return Due(at, f"Read what the facilitator says of {said}", who)
    return None


def tell(
    session: Session,
    record: Record[Sitting],
    before: str | None,
    now: datetime,
    voice: Voice,
) -> None:
    """The session is recorded: its outcome was ``before``, and is now that of ``record``.

    A session that he stayed away from without an acceptable reason is missed, to the alerting; one
    that was put right is not.
    """
    assert record.wearer_ref is not None, "a session is about a person"
    was, is_ = before == UNACCEPTABLE_ABSENCE, record.body.outcome == UNACCEPTABLE_ABSENCE
    if is_ and not was:
        ends_at = record.body.starts_at + timedelta(minutes=record.body.minutes)
        missed = MissedSession(record.ref, record.body.starts_at, ends_at)
        compound.session_missed_in(session, record.wearer_ref, missed, now, voice)
    elif was and not is_:
        compound.session_not_missed_in(session, record.wearer_ref, record.ref, now, voice)
