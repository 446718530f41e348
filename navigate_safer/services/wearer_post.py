"""Send texts to wearers: claimed by lease, committed, called outside any transaction, recorded.

The guarantees are those of officers' texts (``deliver``): a lost answer is looked for before
anything is sent again, and the log says before the call that something was told. They stand apart
from these in every table and figure, and never go before one.
"""

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.delivery import (
    Accepted,
    DeliveryStatus,
    Fault,
    OutgoingText,
    Sender,
    SendError,
    advance,
    next_try,
    reconcile_at,
)
from alerts.policy import Channel
from alerts.wearer_messages import Phone
from navigate_safer.db import audit, wearer_messages
from navigate_safer.db.alerting import TextReceiptRow
from navigate_safer.db.base import Sessions
from navigate_safer.db.reading import reading
from navigate_safer.db.wearer_messages import (
    WearerAttemptRow,
    WearerContactRow,
    WearerMessageRow,
)
from navigate_safer.people.account import Act
from navigate_safer.services import provider_health
from navigate_safer.services.claiming import LEASE, LOOKED, Ways, is_unsure

LOOK_WITHIN_S = 5.0
SHORTEST_VALIDITY_S = 60
LOOK_AGAIN = timedelta(seconds=10)
# The provider's clock and ours may differ when we ask what it took since a time.
CLOCK_SLACK = timedelta(minutes=2)


class WearerClaim(msgspec.Struct, frozen=True):
    """A text that this process alone may send until the lease ends.

    ``after_unknown``: some call before has no certain end, so that this may be a second text.
    """

    message_id: int
    attempt_id: str
    outgoing: OutgoingText
    sender: Sender
    look_at: tuple[Sender, ...]
    first_tried_at: datetime
    expires_at: datetime
    after_unknown: bool


def claim_next(
    sessions: Sessions, ways: Ways, clock: Callable[[], datetime], public_url: str, *, draw: float
) -> WearerClaim | None:
    """Claim the text to a wearer that has been due longest; None when none is due."""
    now = clock()
    with reading(sessions, within_s=LOOK_WITHIN_S) as session:
        if not wearer_messages.any_due(session, now):
            return None  # nothing to write: on SQLite each transaction takes the write lock
    with sessions.begin() as session:
        while (row := wearer_messages.next_due(session, now)) is not None:
            fault = _cannot(session, row, ways, now)
            if fault is None:
                try:
                    with session.begin_nested():
                        return _lease(session, row, ways[Channel.SMS], now, public_url, draw)
                except ValueError:
                    # One text that cannot be written out must not stand before all the others.
                    fault = "cannot_be_sent"
            row.state = "expired" if fault == "expired" else "failed"
            row.due_at, row.fault = None, fault
            session.flush()
    return None


def _cannot(session: Session, row: WearerMessageRow, ways: Ways, now: datetime) -> str | None:
    """Why a text goes nowhere: not one of these would pass."""
    contact = session.get(WearerContactRow, row.wearer_id)
    if not ways.get(Channel.SMS):
        return "no_channel"
    if contact is None or contact.known is not Phone.GOOD:
        # The number was changed, or STOP came, between the decision and now.
        return "no_number"
    return "expired" if row.state == "pending" and now >= row.expires_at else None


def _lease(
    session: Session,
    row: WearerMessageRow,
    senders: Sequence[Sender],
    now: datetime,
    public_url: str,
    draw: float,
) -> WearerClaim:
    made = _attempts(session, row)
    through = _through(session, made, senders, draw)
    look_at = tuple(senders) if row.state in ("sending", "unknown") else ()
    attempt = WearerAttemptRow(
        id=uuid.uuid4().hex, message_id=row.id, claimed_at=now, provider=through.name
    )
    session.add(attempt)
    row.state, row.due_at = "sending", now + LEASE
    row.tries += 1
    audit.record(
        session,
        Act.DISCLOSURE,
        "text to the wearer",
        at=now,
        actor="deliver",
        subject_kind="wearer",
        subject_id=row.wearer_id,
        detail={"message": row.id, "attempt": attempt.id, "occasion": row.occasion},
    )
    return WearerClaim(
        message_id=row.id,
        attempt_id=attempt.id,
        outgoing=_outgoing(session, row, attempt.id, now, public_url),
        sender=through,
        look_at=look_at,
        first_tried_at=made[0].claimed_at if made else now,
        expires_at=row.expires_at,
        after_unknown=any(is_unsure(each.outcome) for each in made),
    )


def _through(
    session: Session, made: Sequence[WearerAttemptRow], senders: Sequence[Sender], draw: float
) -> Sender:
    """The provider of this call; one that has just refused is not asked again before another."""
    by_name = {each.name: each for each in senders}
    last = made[-1].provider if made else None
    left = [name for name in by_name if name != last] or list(by_name)
    return by_name[provider_health.choose(session, left, draw)]


def _attempts(session: Session, row: WearerMessageRow) -> list[WearerAttemptRow]:
    query = select(WearerAttemptRow).where(WearerAttemptRow.message_id == row.id)
    return list(session.scalars(query.order_by(WearerAttemptRow.claimed_at)))


def _outgoing(
    session: Session, row: WearerMessageRow, attempt_id: str, now: datetime, public_url: str
) -> OutgoingText:
    left_s = int((row.expires_at - now).total_seconds())
    assert row.body is not None
    return OutgoingText(
        attempt_id=attempt_id,
        to=session.get_one(WearerContactRow, row.wearer_id).phone,
        body=row.body,
        reference=row.reference,
        validity_period_s=max(left_s, SHORTEST_VALIDITY_S),
        status_callback=None
        if row.without_callback
        else f"{public_url}/twilio/status/{attempt_id}",
    )


def hand_over(
    sessions: Sessions, claim: WearerClaim, clock: Callable[[], datetime], *, jitter: float
) -> str:
    """Make the call of a claim and write down how it ended; the state it left."""
    try:
        found = _look(claim)
    except SendError as error:
        return _unknown(sessions, claim, clock(), error)
    if found is not None:
        sender, accepted = found
        return _accepted(sessions, claim, sender, accepted, clock(), resent=False)
    if claim.look_at and clock() >= claim.expires_at:
        return _too_late(sessions, claim, clock())
    try:
        accepted = claim.sender.send(claim.outgoing)
    except SendError as error:
        return _failed(sessions, claim, clock(), error, jitter)
    resent = claim.after_unknown
    return _accepted(sessions, claim, claim.sender, accepted, clock(), resent=resent)


def _look(claim: WearerClaim) -> tuple[Sender, Accepted] | None:
    out, since = claim.outgoing, claim.first_tried_at - CLOCK_SLACK
    for sender in claim.look_at:
        accepted = sender.find(to=out.to, reference=out.mark, since=since)
        if accepted is not None:
            return sender, accepted
    return None


def _locked(session: Session, claim: WearerClaim, now: datetime, outcome: str) -> WearerMessageRow:
    attempt = session.get_one(WearerAttemptRow, claim.attempt_id)
    attempt.finished_at, attempt.outcome = now, outcome
    return session.get_one(WearerMessageRow, claim.message_id, with_for_update=True)


def _accepted(
    sessions: Sessions,
    claim: WearerClaim,
    sender: Sender,
    accepted: Accepted,
    now: datetime,
    *,
    resent: bool,
) -> str:
    with sessions.begin() as session:
        row = _locked(session, claim, now, "accepted")
        row.state, row.due_at, row.fault = "accepted", None, None
        row.handed_at, row.provider, row.provider_id = now, sender.name, accepted.provider_id
        status = accepted.status
        # A callback can come before the answer of the call that it is about.
        query = select(TextReceiptRow.status).where(
            TextReceiptRow.provider_id == accepted.provider_id
        )
        for word in session.scalars(query):
            status = advance(status, DeliveryStatus.from_word(word))
        row.delivery = status.value
        row.delivered_at = now if status.reached_phone else None
        row.resent_after_unknown = row.resent_after_unknown or resent
        return row.state


def _too_late(sessions: Sessions, claim: WearerClaim, now: datetime) -> str:
    """The provider never had it, and it would come too late now."""
    with sessions.begin() as session:
        row = _locked(session, claim, now, "expired")
        if row.provider_id is None:
            row.state, row.due_at = "expired", None
        return row.state


def _unknown(sessions: Sessions, claim: WearerClaim, now: datetime, error: SendError) -> str:
    """The provider cannot say whether it has the text: nothing is sent until it can."""
    with sessions.begin() as session:
        row = _locked(session, claim, now, f"{LOOKED}{error.fault.value}")
        if row.provider_id is None:
            row.state, row.due_at, row.fault = "unknown", now + LOOK_AGAIN, error.fault.value
        return row.state


def _failed(
    sessions: Sessions, claim: WearerClaim, now: datetime, error: SendError, jitter: float
) -> str:
    fault = error.fault
    with sessions.begin() as session:
        row = _locked(session, claim, now, fault.value)
        if row.provider_id is not None:
            return row.state  # a callback has overtaken the answer that was lost
        row.fault = fault.value
        if fault is Fault.RECIPIENT_STOPPED:
            for contact in wearer_messages.contacts_with(session, claim.outgoing.to):
                contact.stopped_at = contact.stopped_at or now
        if fault.ambiguous:
            row.state, row.due_at = "unknown", reconcile_at(now)
            return row.state
        row.without_callback = row.without_callback or fault is Fault.BAD_CALLBACK
        again = next_try(
            fault, tries=row.tries, first_tried_at=claim.first_tried_at, now=now, jitter=jitter
        )
        if again is None and fault.lies_with_provider and fault is not Fault.CONTENT_REFUSED:
            again = now + LOOK_AGAIN
        good = again is not None and again < row.expires_at
        row.state, row.due_at = ("pending", again) if good else ("failed", None)
        return row.state
