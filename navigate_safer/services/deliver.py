"""Send one due text: claim by lease, commit, call outside any transaction, record.

There is no idempotency key at the provider. So a call whose answer was lost is looked for before
anything is sent again, and a text that had to be sent again says so in its row.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.delivery import (
    PROVIDER_DOWN_RETRY_S,
    Accepted,
    DeliveryStatus,
    Fault,
    Sender,
    SendError,
    advance,
    next_try,
    reconcile_at,
)
from alerts.policy import Channel
from navigate_safer.db.alerting import AlertRow, TextAttemptRow, TextReceiptRow, TextRow
from navigate_safer.db.base import Sessions
from navigate_safer.db.bundles import locked
from navigate_safer.db.reading import reading
from navigate_safer.services import alerting, bundles, receipts, stopped, telling
from navigate_safer.services.claiming import LEASE, LOOKED, Claim, Ways, claim_next
from navigate_safer.services.telling import Voice

# A look-up that fails is itself tried again at this pace; nothing is sent meanwhile.
LOOK_AGAIN = timedelta(seconds=10)
# The provider's clock and ours may differ when we ask what it took since a time.
CLOCK_SLACK = timedelta(minutes=2)
LOOK_WITHIN_S = 5.0


class Delivered(msgspec.Struct, frozen=True):
    """What became of one claim."""

    text_id: int
    state: str
    fault: str | None = None


def deliver_next(
    sessions: Sessions,
    ways: Ways,
    clock: Callable[[], datetime],
    public_url: str,
    *,
    jitter: float,
    draw: float = 0.0,
) -> Delivered | None:
    """Send the text that has been due longest; None when nothing is due."""
    claim = claim_next(sessions, ways, clock, public_url, draw=draw)
    if claim is None:
        return None
    return hand_over(sessions, claim, clock, Voice(public_url), jitter=jitter)


def hand_over(
    sessions: Sessions, claim: Claim, clock: Callable[[], datetime], voice: Voice, *, jitter: float
) -> Delivered:
    """Make the call of a claim and write down how it ended."""
    try:
        found = _look(sessions, claim)
    except SendError as error:
        return _record_unknown(sessions, claim, clock(), error)
    if found is not None:
        sender, accepted = found
        return _record_accepted(sessions, sender, claim, clock(), accepted, resent=False)
    if not claim.wanted and claim.must_look_first:
        return _record_cancelled(sessions, claim, clock())
    try:
        accepted = claim.sender.send(claim.outgoing)
    except SendError as error:
        done = _record_error(sessions, claim, clock(), error, jitter)
        if error.fault is Fault.RECIPIENT_STOPPED:
            stopped.tell(sessions, claim.outgoing.to, clock(), voice)
        return done
    resent = claim.after_unknown
    return _record_accepted(sessions, claim.sender, claim, clock(), accepted, resent=resent)


def _look(sessions: Sessions, claim: Claim) -> tuple[Sender, Accepted] | None:
    """Ask the providers that may have it.

    A text is known by its code. Of a call only the number and the time are known: without slack,
    and without those of other alerts, or one of these would be taken for it and it be lost.
    """
    out, since, taken = claim.outgoing, claim.first_tried_at - CLOCK_SLACK, frozenset[str]()
    if claim.look_at and out.channel is Channel.VOICE:
        since, taken = claim.first_tried_at, _other_calls(sessions, claim)
    for sender in claim.look_at:
        accepted = sender.find(to=out.to, reference=out.mark, since=since, taken=taken)
        if accepted is not None:
            return sender, accepted
    return None


def _other_calls(sessions: Sessions, claim: Claim) -> frozenset[str]:
    """The provider's ids of the calls that were lately made for other texts."""
    with reading(sessions, within_s=LOOK_WITHIN_S) as session:
        found = session.scalars(
            select(TextRow.provider_id).where(
                TextRow.channel == Channel.VOICE.value,
                TextRow.id != claim.text_id,
                TextRow.provider_id.is_not(None),
                TextRow.handed_at >= claim.first_tried_at - CLOCK_SLACK,
            )
        )
        return frozenset(each for each in found if each is not None)


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
        _, text = locked(session, claim.text_id)
        known = _known(text, accepted)
        text.state, text.due_at = "accepted", None
        text.handed_at, text.provider = now, sender.name
        text.provider_id = accepted.provider_id
        status = advance(known or accepted.status, _newest(session, accepted))
        text.delivery = status.value
        text.delivered_at = now if status.reached_phone else None
        text.resent_after_unknown = text.resent_after_unknown or resent
        if not status.failed:
            text.fault = None
        elif known is None or not known.failed:
            receipts.not_delivered(session, text, status.value, now)
        bundles.follow(session, text)
        _finish(session, claim, now, "accepted")
    return Delivered(claim.text_id, "accepted")


def _known(text: TextRow, accepted: Accepted) -> DeliveryStatus | None:
    """What a callback has said already: it can come before the answer of the call it is about."""
    same = text.provider_id == accepted.provider_id and text.delivery is not None
    return DeliveryStatus(text.delivery) if same else None


def _newest(session: Session, accepted: Accepted) -> DeliveryStatus:
    status = accepted.status
    query = select(TextReceiptRow.status).where(TextReceiptRow.provider_id == accepted.provider_id)
    for word in session.scalars(query):
        status = advance(status, DeliveryStatus.from_word(word))
    return status


def _record_cancelled(sessions: Sessions, claim: Claim, now: datetime) -> Delivered:
    """The provider never had it, and somebody has answered meanwhile: nobody waits for it."""
    with sessions.begin() as session:
        _, text = locked(session, claim.text_id)
        if text.provider_id is not None:
            return _proved(session, claim, now)
        text.state, text.due_at = "cancelled", None
        bundles.release(session, text, now, after_unknown=claim.after_unknown)
        _finish(session, claim, now, "cancelled")
    return Delivered(claim.text_id, "cancelled")


def _record_unknown(sessions: Sessions, claim: Claim, now: datetime, error: SendError) -> Delivered:
    """The provider cannot say whether it has the text: nothing is sent until it can."""
    with sessions.begin() as session:
        _, text = locked(session, claim.text_id)
        if text.provider_id is not None:
            return _proved(session, claim, now)
        text.state, text.due_at, text.fault = "unknown", now + LOOK_AGAIN, error.fault.value
        for each in bundles.with_it(session, text):
            if each.chased_at is None:
                each.chased_at = now
                alerting.hurry(session.get_one(AlertRow, each.alert_id), now)
        _finish(session, claim, now, f"{LOOKED}{error.fault.value}")
    return Delivered(claim.text_id, "unknown", error.fault.value)


def _record_error(
    sessions: Sessions, claim: Claim, now: datetime, error: SendError, jitter: float
) -> Delivered:
    fault = error.fault
    with sessions.begin() as session:
        _, text = locked(session, claim.text_id)
        if text.provider_id is not None:
            return _proved(session, claim, now)
        text.fault = fault.value
        _finish(session, claim, now, fault.value)
        if fault is Fault.RECIPIENT_STOPPED:
            stopped.mark(session, claim.outgoing.to, now)
        if fault.ambiguous:
            text.state, text.due_at = "unknown", min(reconcile_at(now), now + LEASE)
            return Delivered(claim.text_id, text.state, fault.value)
        text.without_callback = text.without_callback or fault is Fault.BAD_CALLBACK
        again = _again(claim, fault, now, jitter)
        text.state, text.due_at = ("failed", None) if again is None else ("pending", again)
        together = bundles.with_it(session, text)
        if again is None:
            bundles.follow(session, text)
        else:
            bundles.release(session, text, again, after_unknown=claim.after_unknown)
        for each in together:
            _go_on(session, session.get_one(AlertRow, each.alert_id), each, fault, now)
        return Delivered(claim.text_id, text.state, fault.value)


def _again(claim: Claim, fault: Fault, now: datetime, jitter: float) -> datetime | None:
    """When this text is tried again: at once where another provider has not refused it yet."""
    if fault.lies_with_provider and claim.another_is_left:
        return now
    due = next_try(
        fault, tries=claim.rounds, first_tried_at=claim.first_tried_at, now=now, jitter=jitter
    )
    if due is None and fault.lies_with_provider and fault is not Fault.CONTENT_REFUSED:
        # Nobody else could be told by this channel either. The text waits for its provider.
        return now + timedelta(seconds=PROVIDER_DOWN_RETRY_S)
    return due


def _go_on(session: Session, alert: AlertRow, text: TextRow, fault: Fault, now: datetime) -> None:
    """Whom the fault makes due now: the next person, or only one who is told another way."""
    if text.state == "failed":
        reason = f"the text could not be sent: {fault.value}"
        telling.note(session, alert, now, "not_told", reason, staff_id=text.staff_id)
    waits_for_provider = text.state == "pending" and fault.lies_with_provider
    if text.state == "failed" or (fault.try_next_contact_now and not waits_for_provider):
        alerting.hurry(alert, now)
        return
    stuck = waits_for_provider and text.due_at is not None and text.due_at > now
    first = stuck and text.chased_at is None
    if first and alerting.hurry_another_way(alert, text.channel, now):
        text.chased_at = now
        reason = f"its provider is down ({fault.value}): it waits, and the next way is taken"
        telling.note(session, alert, now, "not_told", reason, staff_id=text.staff_id)


def _proved(session: Session, claim: Claim, now: datetime) -> Delivered:
    """A callback has overtaken the answer that was lost: the provider has the text."""
    _finish(session, claim, now, "accepted")
    return Delivered(claim.text_id, "accepted")


def _finish(session: Session, claim: Claim, now: datetime, outcome: str) -> None:
    attempt = session.get_one(TextAttemptRow, claim.attempt_id)
    attempt.finished_at, attempt.outcome = now, outcome
