"""Claim one due text by lease: for this process alone, through the provider whose turn it is.

Whoever changes an alert locks the alert first and its texts afterwards; so does this, or an
acknowledgement and a sender would each wait for the row that the other holds.
"""

import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.delivery import Fault, OutgoingText, Sender
from alerts.lifecycle import AlertState
from alerts.policy import Channel
from navigate_safer.db import audit
from navigate_safer.db import bundles as bundle_rows
from navigate_safer.db.alerting import AlertRow, TextAttemptRow, TextRow
from navigate_safer.db.base import Sessions
from navigate_safer.db.people import StaffRow
from navigate_safer.people.account import Act
from navigate_safer.services import ack_links, alerting, bundles, provider_health

# A sender that died holds its text for this long; Twilio itself may work on a call for 26 s.
LEASE = timedelta(seconds=30)
LOOKED = "look-up: "

Ways = Mapping[Channel, Sequence[Sender]]
"""The senders of each channel; of texts there may be two."""

_WAITING = frozenset(fault.value for fault in Fault if fault.lies_with_provider)


class Claim(msgspec.Struct, frozen=True):
    """A text that this process alone may send until the lease ends.

    ``look_at`` are the providers that may have it already, ``rounds`` how often every provider of
    the channel has been tried, this time included; ``another_is_left`` if one has been less often.
    ``after_unknown`` says that some call before has no certain end: what is sent now may be a
    second text, even where the provider was asked, did not have it, and then refused it.
    """

    text_id: int
    alert_id: int
    attempt_id: str
    outgoing: OutgoingText
    sender: Sender
    look_at: tuple[Sender, ...]
    rounds: int
    another_is_left: bool
    first_tried_at: datetime
    must_look_first: bool
    after_unknown: bool
    wanted: bool


def claim_next(
    sessions: Sessions, ways: Ways, clock: Callable[[], datetime], public_url: str, *, draw: float
) -> Claim | None:
    """Claim the text that has been due longest; None when nothing is due.

    ``draw`` is random in [0, 1) and chooses between providers by their weights.
    """
    with sessions.begin() as session:
        return _claim(session, ways, clock(), public_url, draw)


def _claim(
    session: Session, ways: Ways, now: datetime, public_url: str, draw: float
) -> Claim | None:
    while (found := _next_due(session, now)) is not None:
        alert, text = found
        if text.due_at is None or text.due_at > now:
            continue  # another sender had it between our two looks
        # What may already have gone out is looked for even if nobody waits for it any more.
        if text.state == "pending" and alert.state != AlertState.OPEN.value:
            text.state, text.due_at = "cancelled", None
            session.flush()
            continue
        officer = session.get_one(StaffRow, text.staff_id)
        problem = _cannot(text, officer, ways, now)
        if problem is not None:
            _give_up(session, text, alert, now, problem)
            continue
        try:
            with session.begin_nested():
                return _lease(session, text, alert, officer, ways, now, public_url, draw)
        except ValueError:
            # One text that cannot be written out must not stand before all the others.
            _give_up(session, text, alert, now, "cannot_be_sent")
    return None


def _next_due(session: Session, now: datetime) -> tuple[AlertRow, TextRow] | None:
    """The due text that nobody else is at, nor at its alert, with both rows locked.

    Neither is waited for, so that nothing of somebody else's can hold up all the others.
    """
    found = session.execute(
        select(TextRow.id, TextRow.alert_id)
        .join(AlertRow, AlertRow.id == TextRow.alert_id)
        .where(TextRow.due_at <= now)
        .order_by(TextRow.due_at)
        .limit(1)
        .with_for_update(of=(AlertRow, TextRow), skip_locked=True)
    ).first()
    if found is None:
        return None
    alert = session.get_one(AlertRow, found.alert_id, populate_existing=True)
    return alert, session.get_one(TextRow, found.id, populate_existing=True)


def _cannot(text: TextRow, officer: StaffRow, ways: Ways, now: datetime) -> str | None:
    """Why the text goes nowhere: not one of its faults would pass."""
    channel = Channel(text.channel)
    if not ways.get(channel):
        return "no_channel"
    if not officer.active or _address(officer, channel) is None:
        return "no_number"
    waited = text.state == "pending" and text.fault in _WAITING and text.tries > 0
    if waited and now > text.created_at + timedelta(seconds=text.validity_s):
        # For a provider to come back; whoever is next was told when it was their turn.
        return text.fault
    return None


def _address(officer: StaffRow, channel: Channel) -> str | None:
    return officer.email if channel is Channel.EMAIL else officer.phone


def _give_up(session: Session, text: TextRow, alert: AlertRow, now: datetime, fault: str) -> None:
    text.state, text.due_at, text.fault = "failed", None, fault
    unsure = bool(_unsure(_attempts(session, text)))
    bundles.release(session, text, now, after_unknown=unsure)
    if fault not in _WAITING:
        alerting.hurry(alert, now)
    session.flush()


def _lease(
    session: Session,
    text: TextRow,
    alert: AlertRow,
    officer: StaffRow,
    ways: Ways,
    now: datetime,
    public_url: str,
    draw: float,
) -> Claim:
    senders = {each.name: each for each in ways[Channel(text.channel)]}
    made = _attempts(session, text)
    failed = Counter(each.provider for each in made if each.outcome in _WAITING)
    fewest = min(failed[name] for name in senders)
    left = [name for name in senders if failed[name] == fewest]
    through = senders[provider_health.choose(session, left, draw)]
    must_look_first = text.state in ("sending", "unknown")
    if not must_look_first:
        bundles.gather(session, text, public_url)
    attempt = TextAttemptRow(
        id=uuid.uuid4().hex, text_id=text.id, claimed_at=now, provider=through.name
    )
    session.add(attempt)
    text.state, text.due_at = "sending", now + LEASE
    text.tries += 1
    _log_disclosure(session, text, alert, officer, attempt, now)
    return Claim(
        text_id=text.id,
        alert_id=alert.id,
        attempt_id=attempt.id,
        outgoing=_outgoing(session, text, alert, officer, attempt, public_url),
        sender=through,
        look_at=_may_have_it(made, senders) if must_look_first else (),
        rounds=fewest + 1 if len(senders) > 1 else text.tries,
        another_is_left=len(left) > 1,
        first_tried_at=made[0].claimed_at if made else now,
        must_look_first=must_look_first,
        wanted=alert.state == AlertState.OPEN.value or bundle_rows.any_open(session, text.id),
        after_unknown=bool(_unsure(made)),
    )


def _attempts(session: Session, text: TextRow) -> list[TextAttemptRow]:
    query = select(TextAttemptRow).where(TextAttemptRow.text_id == text.id)
    return list(session.scalars(query.order_by(TextAttemptRow.claimed_at)))


def _may_have_it(
    made: Sequence[TextAttemptRow], senders: Mapping[str, Sender]
) -> tuple[Sender, ...]:
    """Whoever was asked and did not say no; all where a release before did not write down who."""
    unsure = _unsure(made)
    if None in unsure:
        return tuple(senders.values())
    return tuple(sender for name, sender in senders.items() if name in unsure)


def _unsure(made: Sequence[TextAttemptRow]) -> list[str | None]:
    """The provider of each call that may have been taken and was never said to be."""
    return [each.provider for each in made if is_unsure(each.outcome)]


def is_unsure(outcome: str | None) -> bool:
    """Whether a call with this outcome may have been taken, and was never said to be."""
    return outcome is None or outcome == Fault.AMBIGUOUS.value or outcome.startswith(LOOKED)


def _outgoing(
    session: Session,
    text: TextRow,
    alert: AlertRow,
    officer: StaffRow,
    attempt: TextAttemptRow,
    public_url: str,
) -> OutgoingText:
    channel, attempt_id = Channel(text.channel), attempt.id
    to = _address(officer, channel)
    assert to is not None
    where = {
        Channel.SMS: f"{public_url}/twilio/status/{attempt_id}",
        Channel.VOICE: f"{public_url}/twilio/voice/status/{attempt_id}",
    }
    key = f"{public_url}/twilio/voice/key/{attempt_id}" if channel is Channel.VOICE else None
    return OutgoingText(
        attempt_id=attempt_id,
        to=to,
        body=text.bundle_body or ack_links.body(session, text, alert, attempt, public_url),
        reference=alert.reference,
        validity_period_s=text.validity_s,
        status_callback=None if text.without_callback else where.get(channel),
        channel=channel,
        answer_url=key,
    )


def _log_disclosure(
    session: Session,
    text: TextRow,
    alert: AlertRow,
    officer: StaffRow,
    attempt: TextAttemptRow,
    now: datetime,
) -> None:
    """In the transaction before the call: a text that went out is never missing from the log."""
    for each in bundles.with_it(session, text):
        about = alert if each is text else session.get_one(AlertRow, each.alert_id)
        audit.record(
            session,
            Act.DISCLOSURE,
            "breach text",
            at=now,
            actor="deliver",
            subject_kind="service" if about.wearer_id is None else "wearer",
            subject_id=about.wearer_id,
            recipient_id=officer.id,
            detail={"alert": about.id, "text": each.id, "attempt": attempt.id},
        )
