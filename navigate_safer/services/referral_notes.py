"""What a decision on a referral leaves with a person: how he came in, his names, and who is told.

Everything is kept in the caller's transaction. Of somebody known, whoever has the case reads the
new referral, a case that was closed is opened again, and a new incident moves up at once.
"""

from datetime import datetime

import msgspec
from sqlalchemy.orm import Session

from navigate_safer.db.base import Sessions
from navigate_safer.db.people import WearerRow
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.cohort import MEMBERSHIP, UPWARD, UpwardEvent
from navigate_safer.people.days import day_of, end_of
from navigate_safer.people.rag import TriggerKind
from navigate_safer.people.records import Due, Record
from navigate_safer.people.referrals import (
    CAME_IN,
    KNOWN_AS,
    CameIn,
    History,
    KnownAs,
    Outcome,
    Referral,
)
from navigate_safer.services import case_state, one_record, records, slots
from navigate_safer.services.casework import NotFound
from navigate_safer.services.records import About
from navigate_safer.services.referrals import known_as_slot

READ_IT = "Read the new referral"


class Noted(msgspec.Struct, frozen=True):
    """A referral that was decided: the outcome, where it goes, and the person's history.

    ``of_somebody_known``: whether the person had a record before.
    """

    record: Record[Referral]
    outcome: Outcome
    destination: str
    known: History
    of_somebody_known: bool


def note(
    session: Session, scope: Scope, news: Noted, of: About, wearer: WearerRow, now: datetime
) -> None:
    """What those who work with the person may know, and what the referral adds to who it is.

    Of somebody known it is due today to be read by the key worker.
    """
    record, known = news.record, news.known
    facts = record.body.facts
    came_in = CameIn(
        referral=record.ref,
        source=record.body.source,
        outcome=news.outcome,
        received_at=record.at,
        decided_at=now,
        destination=news.destination if news.outcome.goes_elsewhere else "",
        repeat=known.repeat,
        serial=known.serial,
        why=known.why,
        alcohol=facts.alcohol,
        drugs=facts.drugs,
        children=facts.children,
        same_sex=facts.same_sex,
    )
    due = None
    if news.of_somebody_known:
        due = Due(end_of(day_of(now)), READ_IT, wearer.offender_manager_id)
    records.add(
        session, scope, CAME_IN, of, came_in,
        now=now, at=record.at, state=news.outcome.value, due=due,
    )  # fmt: skip
    _know_as(session, scope, record, of, wearer, now)
    if news.of_somebody_known:
        _wake(session, scope, news, of, now)


def _wake(session: Session, scope: Scope, news: Noted, of: About, now: datetime) -> None:
    if news.outcome.makes_case:
        case_state.open_again(session, scope, of, f"Referral {news.record.ref}", now)
    incident_on = news.record.body.facts.incident_on
    membership = one_record.live(session, scope, MEMBERSHIP, of)
    if incident_on is None or membership is None or not membership.body.selected:
        return
    event = UpwardEvent(TriggerKind.INCIDENT, incident_on, news.record.body.source)
    records.add(session, scope, UPWARD, of, event, now=now, state=event.kind.value)


def _know_as(
    session: Session,
    scope: Scope,
    record: Record[Referral],
    of: About,
    wearer: WearerRow,
    now: datetime,
) -> None:
    assert of.wearer_id is not None, "a wearer has an id"
    slot = known_as_slot(of.wearer_id)
    held = records.in_slot(session, scope, KNOWN_AS, slot)
    before = KnownAs() if held is None else held.body
    joined = before.joined(record.body.person, wearer.name)
    if joined != before:
        slots.keep(
            session, scope, KNOWN_AS, of, slot, joined,
            replaces=0 if held is None else held.version, now=now, reason=f"referral {record.ref}",
        )  # fmt: skip


def read(sessions: Sessions, scope: Scope, ref: str, came_in_ref: str, now: datetime) -> None:
    """Whoever has the case has read a new referral, which is then no longer due.

    Raises Forbidden and NotFound; that it was read already is no fault.
    """
    scope.require(Permission.MANAGE_CASES)
    with sessions.begin() as session:
        of, _wearer = records.about(session, scope, ref)
        found = records.newest(session, scope, CAME_IN, came_in_ref)
        if found.wearer_id != of.wearer_id:
            raise NotFound
        if found.due is not None:
            records.change(
                session, scope, CAME_IN, came_in_ref, found.body,
                replaces=found.version, now=now, reason="Read",
            )  # fmt: skip
