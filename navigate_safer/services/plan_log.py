"""Write what happens beside a plan: offers, contacts, triggers, the agreement, unmanaged risk."""

from datetime import datetime, timedelta

import msgspec

from navigate_safer.db.base import Sessions
from navigate_safer.people import plan_catalogue
from navigate_safer.people.access import Scope
from navigate_safer.people.days import day_of, end_of
from navigate_safer.people.plan_log import (
    AGREEMENT,
    CONTACT,
    OFFER,
    SCHEDULED,
    TRIGGERED,
    UNMANAGED,
    Agreement,
    Contact,
    Offer,
    OfferAnswer,
    Triggered,
    Unmanaged,
)
from navigate_safer.people.plans import Clock
from navigate_safer.people.records import Due, Record
from navigate_safer.services import one_record, records
from navigate_safer.services.casework import NotFound
from navigate_safer.services.leaving import ENDED, LIVE
from navigate_safer.services.one_record import Refused
from navigate_safer.services.plan_changes import keep_check

FUTURE = "Enter a day that is not in the future"


def add_offer(
    sessions: Sessions, scope: Scope, ref: str, body: Offer, now: datetime
) -> Record[Offer]:
    """Log an offer; until one is accepted the next is due. Raises Refused, Forbidden, NotFound."""
    scope.require(OFFER.write)
    with sessions.begin() as session:
        of, wearer = records.about(session, scope, ref)
        if body.on > day_of(now):
            raise Refused(on=FUTURE)
        if body.answer is OfferAnswer.ACCEPTED:
            body = msgspec.structs.replace(body, again_on=None)
        elif body.again_on is None:
            again = timedelta(days=plan_catalogue.shipped().offer_again_days)
            body = msgspec.structs.replace(body, again_on=body.on + again)
        elif body.again_on <= body.on:
            raise Refused(again_on="Enter a day after this offer")
        for each in records.listed(session, scope, OFFER, wearer_id=of.wearer_id, states=(LIVE,)):
            # The offer that was due has been made.
            records.change(
                session, scope, OFFER, each.ref, each.body, replaces=each.version, now=now,
                state="repeated",
            )  # fmt: skip
        due = None
        if body.again_on is not None:
            what = f"Offer again: {body.what}"
            due = Due(end_of(body.again_on), what, wearer.offender_manager_id)
        state = LIVE if due else body.answer.value
        return records.add(session, scope, OFFER, of, body, now=now, state=state, due=due)


def add_contact(
    sessions: Sessions, scope: Scope, ref: str, body: Contact, now: datetime
) -> Record[Contact]:
    """Log a contact or a check; a check that was made is due again as the plan says.

    Raises Refused, Forbidden and NotFound.
    """
    scope.require(CONTACT.write)
    with sessions.begin() as session:
        of, wearer = records.about(session, scope, ref)
        if body.on > day_of(now):
            raise Refused(on=FUTURE)
        live = records.listed(session, scope, SCHEDULED, wearer_id=of.wearer_id, states=(LIVE,))
        known = {each.body.what: each for each in live}
        if body.check and body.check not in known:
            raise Refused(check="Select a check of the plan")
        if body.check and body.made:
            old = known[body.check]
            last = max(body.on, old.body.last_on or body.on)
            done = msgspec.structs.replace(old.body, last_on=last)
            keep_check(session, scope, old, now, wearer.offender_manager_id, done)
        state = "concern" if body.concern else "made" if body.made else "not made"
        return records.add(session, scope, CONTACT, of, body, now=now, state=state)


def start_clock(
    sessions: Sessions, scope: Scope, ref: str, clock: Clock, seen_at: datetime, now: datetime
) -> Record[Triggered]:
    """A trigger of the plan has happened: somebody has to act by its time."""
    scope.require(TRIGGERED.write)
    with sessions.begin() as session:
        of, wearer = records.about(session, scope, ref)
        if seen_at > now:
            raise Refused(seen_at="Enter a time that is not in the future")
        act_by = seen_at + timedelta(hours=clock.act_within_hours)
        body = Triggered(clock.what, seen_at, act_by)
        due = Due(act_by, f"Act on: {clock.what}", wearer.offender_manager_id)
        return records.add(
            session, scope, TRIGGERED, of, body, now=now, at=seen_at, state=LIVE, due=due
        )


def act(
    sessions: Sessions,
    scope: Scope,
    ref: str,
    record_ref: str,
    action: str,
    acted_at: datetime,
    replaces: int,
    now: datetime,
) -> Record[Triggered]:
    """What was done about a trigger; raises Refused, Stale, Forbidden and NotFound."""
    scope.require(TRIGGERED.write)
    with sessions.begin() as session:
        of, _wearer = records.about(session, scope, ref)
        found = records.newest(session, scope, TRIGGERED, record_ref)
        if found.wearer_id != of.wearer_id:
            raise NotFound
        if not found.body.seen_at <= acted_at <= now:
            raise Refused(acted_at="Enter a time after the trigger and not in the future")
        body = msgspec.structs.replace(found.body, action=action, acted_at=acted_at)
        return records.change(
            session, scope, TRIGGERED, record_ref, body, replaces=replaces, now=now,
            state="acted" if body.in_time else "acted late",
        )  # fmt: skip


def set_agreement(
    sessions: Sessions,
    scope: Scope,
    ref: str,
    body: Agreement,
    reason: str,
    replaces: int,
    now: datetime,
) -> Record[Agreement]:
    """Keep the engagement agreement; raises Refused, Stale, Forbidden and NotFound."""
    scope.require(AGREEMENT.write)
    today = day_of(now)
    for field in ("signed_by_person_on", "signed_for_us_on"):
        signed = getattr(body, field)
        if signed is not None and signed > today:
            raise Refused(**{field: FUTURE})
    if body.signed_for_us_on is not None and not body.signed_for_us_by:
        raise Refused(signed_for_us_by="Enter who signed for the service")
    if body.breaches and not body.signed:
        raise Refused(breach="Nothing can be broken before both sides have signed")
    with sessions.begin() as session:
        of, wearer = records.about(session, scope, ref)
        days = timedelta(days=plan_catalogue.shipped().agreement_review_days)
        if body.review_on is None:
            body = msgspec.structs.replace(body, review_on=today + days)
        assert body.review_on is not None, "it was given one"
        what = "Review the agreement" if body.signed else "Have the agreement signed"
        return one_record.put(
            session, scope, AGREEMENT, of, body, replaces=replaces, now=now, reason=reason,
            state="signed" if body.signed else "unsigned",
            due=Due(end_of(body.review_on), what, wearer.offender_manager_id),
        )  # fmt: skip


def set_unmanaged(
    sessions: Sessions, scope: Scope, ref: str, body: Unmanaged, replaces: int, now: datetime
) -> Record[Unmanaged]:
    """Keep that a risk is not managed and who knows; raises Refused, Stale, Forbidden, NotFound."""
    scope.require(UNMANAGED.write)
    today = day_of(now)
    if body.since > today:
        raise Refused(since=FUTURE)
    if body.ended_on is not None and not body.since <= body.ended_on <= today:
        raise Refused(ended_on="Enter a day from its beginning until today")
    for number, each in enumerate(body.notices, start=1):
        if each.sent_on > today:
            raise Refused(**{f"sent_{number}": FUTURE})
        if each.acknowledged_on is not None and not each.sent_on <= each.acknowledged_on <= today:
            raise Refused(**{f"acknowledged_{number}": "Enter a day from the notice until today"})
    with sessions.begin() as session:
        of, wearer = records.about(session, scope, ref)
        on = body.due_on(plan_catalogue.shipped().notice_answer_days)
        waiting = ", ".join(each.agency for each in body.waiting)
        what = f"Not acknowledged: {waiting}" if waiting else "Tell the agencies of the risk"
        due = None if on is None else Due(end_of(on), what, wearer.offender_manager_id)
        ended = body.ended_on is not None
        return one_record.put(
            session, scope, UNMANAGED, of, body, replaces=replaces, now=now,
            state=ENDED if ended else LIVE, due=due, reason=body.why, ends=ended,
        )  # fmt: skip
