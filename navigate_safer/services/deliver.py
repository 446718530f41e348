"""Send one due text: claim by lease, commit, call outside any transaction, record.

There is no idempotency key at the provider. So a call whose answer was lost is looked for before
anything is sent again, and a text that had to be sent again says so in its row.
"""

import uuid
from collections.abc import Callable
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
from alerts.lifecycle import AlertState
from alerts.policy import Channel
from navigate_safer.db import audit
from navigate_safer.db.alerting import AlertRow, TextAttemptRow, TextReceiptRow, TextRow
from navigate_safer.db.base import Sessions
from navigate_safer.db.people import StaffRow
from navigate_safer.people.account import Act
from navigate_safer.services import alerting, telling

# A sender that died holds its text for this long; Twilio itself may work on a call for 26 s.
LEASE = timedelta(seconds=30)
# A look-up that fails is itself tried again at this pace; nothing is sent meanwhile.
LOOK_AGAIN = timedelta(seconds=10)
# The provider's clock and ours may differ when we ask what it took since a time.
CLOCK_SLACK = timedelta(minutes=2)


class Claim(msgspec.Struct, frozen=True):
    """A text that this process alone may send until the lease ends."""

    text_id: int
    attempt_id: str
    outgoing: OutgoingText
    tries: int
    first_tried_at: datetime
    must_look_first: bool
    wanted: bool


class Delivered(msgspec.Struct, frozen=True):
    """What became of one claim."""

    text_id: int
    state: str
    fault: str | None = None


def deliver_next(
    sessions: Sessions,
    sender: Sender,
    clock: Callable[[], datetime],
    public_url: str,
    *,
    jitter: float,
) -> Delivered | None:
    """Send the text that has been due longest; None when nothing is due."""
    with sessions.begin() as session:
        claim = _claim(session, clock(), public_url)
    if claim is None:
        return None
    try:
        accepted = _look(sender, claim) if claim.must_look_first else None
    except SendError as error:
        return _record_unknown(sessions, claim, clock(), error)
    if accepted is None and not claim.wanted:
        return _record_cancelled(sessions, claim, clock())
    try:
        resent = claim.must_look_first and accepted is None
        accepted = accepted or sender.send(claim.outgoing)
    except SendError as error:
        return _record_error(sessions, claim, clock(), error, jitter)
    return _record_accepted(sessions, sender, claim, clock(), accepted, resent=resent)


def _claim(session: Session, now: datetime, public_url: str) -> Claim | None:
    while True:
        text = session.scalar(
            select(TextRow)
            .where(TextRow.due_at <= now)
            .order_by(TextRow.due_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if text is None:
            return None
        alert = session.get_one(AlertRow, text.alert_id)
        # What may already have gone out is looked for even if nobody waits for it any more.
        if text.state == "pending" and alert.state != AlertState.OPEN.value:
            text.state, text.due_at = "cancelled", None
            session.flush()
            continue
        if text.channel != Channel.SMS.value:
            _give_up(session, text, alert, now, "no_channel")
            continue
        officer = session.get_one(StaffRow, text.staff_id)
        if officer.phone is None or not officer.active:
            _give_up(session, text, alert, now, "no_number")
            continue
        try:
            with session.begin_nested():
                return _lease(session, text, alert, officer, now, public_url)
        except ValueError:
            # One text that cannot be written out must not stand before all the others.
            _give_up(session, text, alert, now, "cannot_be_sent")


def _give_up(session: Session, text: TextRow, alert: AlertRow, now: datetime, fault: str) -> None:
    text.state, text.due_at, text.fault = "failed", None, fault
    alerting.hurry(alert, now)
    session.flush()


def _lease(
    session: Session,
    text: TextRow,
    alert: AlertRow,
    officer: StaffRow,
    now: datetime,
    public_url: str,
) -> Claim:
    first = session.scalar(
        select(TextAttemptRow.claimed_at)
        .where(TextAttemptRow.text_id == text.id)
        .order_by(TextAttemptRow.claimed_at)
        .limit(1)
    )
    must_look_first = text.state in ("sending", "unknown")
    attempt = TextAttemptRow(id=uuid.uuid4().hex, text_id=text.id, claimed_at=now)
    session.add(attempt)
    text.state, text.due_at = "sending", now + LEASE
    text.tries += 1
    _log_disclosure(session, text, alert, officer, attempt.id, now)
    assert officer.phone is not None
    callback = None if text.without_callback else f"{public_url}/twilio/status/{attempt.id}"
    outgoing = OutgoingText(
        attempt_id=attempt.id,
        to=officer.phone,
        body=text.body,
        reference=alert.reference,
        validity_period_s=text.validity_s,
        status_callback=callback,
    )
    return Claim(
        text_id=text.id,
        attempt_id=attempt.id,
        outgoing=outgoing,
        tries=text.tries,
        first_tried_at=first or now,
        must_look_first=must_look_first,
        wanted=alert.state == AlertState.OPEN.value,
    )


def _log_disclosure(
    session: Session,
    text: TextRow,
    alert: AlertRow,
    officer: StaffRow,
    attempt_id: str,
    now: datetime,
) -> None:
    """In the transaction before the call: a text that went out is never missing from the log."""
    audit.record(
        session,
        Act.DISCLOSURE,
        "breach text",
        at=now,
        actor="deliver",
        subject_kind="service" if alert.wearer_id is None else "wearer",
        subject_id=alert.wearer_id,
        recipient_id=officer.id,
        detail={"alert": alert.id, "text": text.id, "attempt": attempt_id},
    )


def _look(sender: Sender, claim: Claim) -> Accepted | None:
    out, since = claim.outgoing, claim.first_tried_at - CLOCK_SLACK
    return sender.find(to=out.to, reference=_mark(out), since=since)


def _mark(out: OutgoingText) -> str:
    """What tells this text from an earlier step's to the same person: its code, not only its
    alert's reference.
    """
    return next((word for word in out.body.split() if word.isdigit()), out.reference)


def _record_accepted(
    sessions: Sessions,
    sender: Sender,
    claim: Claim,
    now: datetime,
    accepted: Accepted,
    *,
    resent: bool,
) -> Delivered:
    with sessions.begin() as session:
        text = session.get_one(TextRow, claim.text_id, with_for_update=True)
        text.state, text.due_at, text.fault = "accepted", None, None
        text.handed_at, text.provider = now, sender.name
        text.provider_id = accepted.provider_id
        # A callback can come before the answer of the call that it is about.
        text.delivery = _newest(session, accepted).value
        text.resent_after_unknown = text.resent_after_unknown or resent
        _finish(session, claim, now, "accepted")
    return Delivered(claim.text_id, "accepted")


def _newest(session: Session, accepted: Accepted) -> DeliveryStatus:
    status = accepted.status
    query = select(TextReceiptRow.status).where(TextReceiptRow.provider_id == accepted.provider_id)
    for word in session.scalars(query):
        status = advance(status, DeliveryStatus.from_word(word))
    return status


def _record_cancelled(sessions: Sessions, claim: Claim, now: datetime) -> Delivered:
    """The provider never had it, and somebody has answered meanwhile: nobody waits for it."""
    with sessions.begin() as session:
        text = session.get_one(TextRow, claim.text_id, with_for_update=True)
        if text.provider_id is not None:
            return _proved(session, claim, now)
        text.state, text.due_at = "cancelled", None
        _finish(session, claim, now, "cancelled")
    return Delivered(claim.text_id, "cancelled")


def _record_unknown(sessions: Sessions, claim: Claim, now: datetime, error: SendError) -> Delivered:
    """The provider cannot say whether it has the text: nothing is sent until it can."""
    with sessions.begin() as session:
        text = session.get_one(TextRow, claim.text_id, with_for_update=True)
        if text.provider_id is not None:
            return _proved(session, claim, now)
        text.state, text.due_at, text.fault = "unknown", now + LOOK_AGAIN, error.fault.value
        alerting.hurry(session.get_one(AlertRow, text.alert_id), now)
        _finish(session, claim, now, f"look-up: {error.fault.value}")
    return Delivered(claim.text_id, "unknown", error.fault.value)


def _record_error(
    sessions: Sessions, claim: Claim, now: datetime, error: SendError, jitter: float
) -> Delivered:
    fault = error.fault
    with sessions.begin() as session:
        text = session.get_one(TextRow, claim.text_id, with_for_update=True)
        if text.provider_id is not None:
            return _proved(session, claim, now)
        alert = session.get_one(AlertRow, text.alert_id)
        text.fault = fault.value
        if fault.ambiguous:
            text.state, text.due_at = "unknown", min(reconcile_at(now), now + LEASE)
        else:
            again = next_try(
                fault,
                tries=claim.tries,
                first_tried_at=claim.first_tried_at,
                now=now,
                jitter=jitter,
            )
            text.without_callback = text.without_callback or fault is Fault.BAD_CALLBACK
            text.state, text.due_at = ("failed", None) if again is None else ("pending", again)
            if again is None or fault.try_next_contact_now:
                alerting.hurry(alert, now)
            if again is None:
                reason = f"the text could not be sent: {fault.value}"
                telling.note(session, alert, now, "not_told", reason, staff_id=text.staff_id)
        _finish(session, claim, now, fault.value)
        return Delivered(claim.text_id, text.state, fault.value)


def _proved(session: Session, claim: Claim, now: datetime) -> Delivered:
    """A callback has overtaken the answer that was lost: the provider has the text."""
    _finish(session, claim, now, "accepted")
    return Delivered(claim.text_id, "accepted")


def _finish(session: Session, claim: Claim, now: datetime, outcome: str) -> None:
    attempt = session.get_one(TextAttemptRow, claim.attempt_id)
    attempt.finished_at, attempt.outcome = now, outcome
