"""Start the clock of a protection notice, see to its alarms, and record what the court did."""

from datetime import datetime, timedelta

import msgspec

from navigate_safer.db.base import Sessions
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.notices import NOTICE, Notice, alarm_now, due_of
from navigate_safer.people.records import Record
from navigate_safer.services import records
from navigate_safer.services.order_terms import Faulty

NoticeRecord = Record[Notice]
RUNNING, HEARD = "clock_running", "heard"


# Its hours leave out a few days at most, at Christmas: an older one is a slip of the keyboard.
LONGEST_AGO = timedelta(days=7)


def start(
    sessions: Sessions, scope: Scope, wearer_ref: str, notice: Notice, now: datetime
) -> NoticeRecord:
    """Start its clock; raises Faulty, NotFound, Forbidden."""
    scope.require(Permission.MANAGE_CASES)
    if notice.given_at > now:
        raise Faulty({"given_at": "Enter when it was given: that is in the past"})
    if now - notice.given_at > LONGEST_AGO:
        raise Faulty({"given_at": "That is more than a week ago: its clock has long run out"})
    with sessions.begin() as session:
        of, wearer = records.about(session, scope, wearer_ref)
        running = records.listed(session, scope, NOTICE, wearer_id=of.wearer_id, states=[RUNNING])
        if any(each.body.kind == notice.kind for each in running):
            raise Faulty({"notice": "The clock of such a notice is running already"})
        due = due_of(notice, wearer.offender_manager_id)
        return records.add(
            session, scope, NOTICE, of, notice, now=now, at=notice.given_at, state=RUNNING, due=due
        )


def see_to(
    sessions: Sessions, scope: Scope, ref: str, replaces: int, now: datetime
) -> NoticeRecord:
    """Somebody has seen to the alarm that waits; raises Stale, NotFound, Forbidden."""
    with sessions.begin() as session:
        old = records.newest(session, scope, NOTICE, ref)
        hours = alarm_now(old.body)
        seen = old.body.seen_hours if hours is None else (*old.body.seen_hours, hours)
        body = msgspec.structs.replace(old.body, seen_hours=seen)
        if hours is not None and hours >= body.clock.hours:
            # The end itself is not seen to by looking: the court hears it, or it has lapsed.
            raise Faulty({"heard_at": "Enter what the court did, or that the notice has lapsed"})
        who = None if old.due is None else old.due.who
        return records.change(
            session, scope, NOTICE, ref, body,
            replaces=replaces, now=now, due=due_of(body, who), reason="Seen to",
        )  # fmt: skip


def heard(
    sessions: Sessions,
    scope: Scope,
    ref: str,
    heard_at: datetime,
    outcome: str,
    replaces: int,
    now: datetime,
) -> NoticeRecord:
    """Record what the court did, by which the clock stops; raises Faulty, Stale, NotFound."""
    with sessions.begin() as session:
        old = records.newest(session, scope, NOTICE, ref)
        if not old.body.given_at <= heard_at <= now:
            raise Faulty({"heard_at": "Enter a time after the notice was given, and not to come"})
        body = msgspec.structs.replace(old.body, heard_at=heard_at, outcome=outcome)
        return records.change(
            session, scope, NOTICE, ref, body,
            replaces=replaces, now=now, state=HEARD, reason=outcome,
        )  # fmt: skip


def person_of(sessions: Sessions, scope: Scope, ref: str) -> str:
    """The reference of whom a notice was given to; raises NotFound, Forbidden."""
    with sessions.begin() as session:
        found = records.newest(session, scope, NOTICE, ref).wearer_ref
        assert found is not None, "a notice is somebody's"
        return found
