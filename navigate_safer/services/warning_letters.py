"""Warning letters: the words before they are sent, and the letter as it was sent."""

from datetime import date, datetime

import msgspec
from sqlalchemy.orm import Session

from navigate_safer.db.base import Sessions
from navigate_safer.db.people import WearerRow
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.days import day_of
from navigate_safer.people.failures import FAILURE, Failure, Warned
from navigate_safer.people.order_rules import OnFailure, OrderRules
from navigate_safer.people.warning_words import paragraphs, reply_by
from navigate_safer.services import enforcement_papers, failures, records
from navigate_safer.services.casework import NotFound
from navigate_safer.services.enforcement_papers import Letter
from navigate_safer.services.failures import FailureRecord
from navigate_safer.services.order_terms import Faulty


def send(
    sessions: Sessions, scope: Scope, ref: str, sent_on: date, *, replaces: int, now: datetime
) -> FailureRecord:
    """Keep that the letter went out, and its words; raises Faulty, Stale, NotFound, Forbidden."""
    scope.require(Permission.MANAGE_CASES)
    with sessions.begin() as session:
        old = records.newest(session, scope, FAILURE, ref)
        happened, decided = day_of(old.at), _decided(old.body)
        if not max(happened, decided) <= sent_on <= day_of(now):
            what = "Enter the day on which it was sent: from the day of the decision to today"
            raise Faulty({"sent_on": what})
        letter = _letter(session, scope, old, sent_on)
        warned = Warned(sent_on, letter.reply_by, letter.by, letter.text)
        body = msgspec.structs.replace(old.body, warned=warned)
        return failures.keep(
            session, scope, old, body, replaces=replaces, now=now, reason="Warning letter sent"
        )


def pdf(sessions: Sessions, scope: Scope, ref: str, now: datetime) -> bytes:
    """The letter as it was sent, or as it would be sent today; raises NotFound, Forbidden."""
    scope.require(Permission.MANAGE_CASES)
    with sessions.begin() as session:
        old = records.newest(session, scope, FAILURE, ref)
        if old.body.warned is None:
            try:
                letter = _letter(session, scope, old, day_of(now))
            except Faulty:
                raise NotFound from None
        else:
            sent = old.body.warned
            to = _wearer(session, old).name
            letter = Letter(to, ref, sent.sent_on, sent.reply_by, sent.text, sent.by, sent=True)
        records.consulted(session, scope, "warning letter", now, wearer_id=old.wearer_id)
    return enforcement_papers.letter(letter)


def _letter(session: Session, scope: Scope, record: FailureRecord, sent_on: date) -> Letter:
    rules, happened = _rules(record.body), day_of(record.at)
    return Letter(
        to=_wearer(session, record).name,
        ref=record.ref,
        sent_on=sent_on,
        reply_by=reply_by(rules, happened, sent_on),
        text=paragraphs(record.body, rules, happened, sent_on),
        by=failures.staff_name(session, scope),
        sent=False,
    )


def _rules(body: Failure) -> OrderRules:
    """Of a failure that a letter may follow; raises Faulty."""
    rules = body.rules
    if rules is None or body.decision is None or body.decision.acceptable:
        raise Faulty({"sent_on": "Decide first that it was unacceptable"})
    if rules.on_failure is OnFailure.POLICE:
        raise Faulty({"sent_on": f"A {rules.label.lower()} has no warning: refer it"})
    return rules


def _decided(body: Failure) -> date:
    return date.min if body.decision is None else day_of(body.decision.at)


def _wearer(session: Session, record: FailureRecord) -> WearerRow:
    assert record.wearer_id is not None, "a failure is somebody's"
    return session.get_one(WearerRow, record.wearer_id)
