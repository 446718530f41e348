"""The link of a text that acknowledges once, without signing in: made, shown, and taken.

A token is made for one call to the provider, is in that text and nowhere else, and stands for one
alert, one member of staff and that call. Looking at its page changes nothing, because telephones,
mail filters and previews open links by themselves; sending the page's form acknowledges.

Whoever holds the telephone can use the link, as they could answer with the code: so it too stops
the escalation, shows nothing of the case, and does nothing else.
"""

import secrets
import uuid
from datetime import datetime
from enum import Enum

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from alerts import messages
from alerts.finding import Severity
from alerts.lifecycle import AlertState, Move
from alerts.messages import MessageError
from alerts.policy import Channel
from navigate_safer.db import audit
from navigate_safer.db.alerting import AlertRow, TextAttemptRow, TextReplyRow, TextRow
from navigate_safer.db.answering import AckLinkRow
from navigate_safer.db.base import Sessions
from navigate_safer.db.people import StaffRow
from navigate_safer.db.reading import reading
from navigate_safer.people.account import Act
from navigate_safer.services import alerting, answerers
from navigate_safer.services.accounts import FAILURE_WINDOW, FAILURES_ALLOWED, hash_token

LOOK_WITHIN_S = 5.0
_random = secrets.SystemRandom()


class LinkResult(Enum):
    """What a link did, or why it did nothing."""

    READY = "link_ready"
    ACKNOWLEDGED = "link_acknowledged"
    ALREADY = "link_already"
    USED = "link_used"
    EXPIRED = "link_expired"
    STALE = "link_stale"
    FOREIGN = "link_foreign"
    FORGED = "link_forged"
    TOO_MANY = "link_too_many"


_REFUSED = (LinkResult.USED, LinkResult.EXPIRED, LinkResult.STALE, LinkResult.FOREIGN)


class Link(msgspec.Struct, frozen=True):
    """What a link may show: no more than the text that carried it says."""

    result: LinkResult
    reference: str | None = None
    severity: str | None = None


def body(
    session: Session, text: TextRow, alert: AlertRow, attempt: TextAttemptRow, public_url: str
) -> str:
    """What a text says in this call: with a link that acknowledges, if it may and there is room.

    Without https anybody on the way could read the token; then, and where the address of the pages
    is too long, the link of the stored text stays, which asks to sign in.
    """
    if text.channel != Channel.SMS.value or not public_url.startswith("https://"):
        return text.body
    token = messages.link_token(_random)
    try:
        said = messages.breach_text(
            reference=alert.reference,
            word=Severity(alert.severity).word,
            code=text.code,
            link=f"{public_url}/k/{token}",
        )
    except MessageError:
        return text.body
    # The attempt's row must be there before the one that names it.
    session.flush()
    session.add(
        AckLinkRow(
            token_hash=hash_token(token),
            text_id=text.id,
            alert_id=alert.id,
            staff_id=text.staff_id,
            attempt_id=attempt.id,
            made_at=attempt.claimed_at,
            expires_at=text.code_expires_at,
        )
    )
    return said


def see(sessions: Sessions, token: str, visitor: int | None, now: datetime) -> Link:
    """What the page of a link says; changes nothing.

    ``visitor`` is the id of whoever is signed in in this browser, if anybody.
    """
    with reading(sessions, within_s=LOOK_WITHIN_S) as session:
        row = _find(session, token)
        if row is None:
            return Link(LinkResult.FORGED)
        alert = session.get_one(AlertRow, row.alert_id)
        result = _refusal(session, row, alert, visitor, now)
        if result is None:
            answered = alert.state != AlertState.OPEN.value
            result = LinkResult.ALREADY if answered else LinkResult.READY
        return _shown(result, alert)


def take(sessions: Sessions, token: str, visitor: int | None, now: datetime) -> Link:
    """Acknowledge as the member of staff to whom the text went; once, and recorded either way."""
    with sessions.begin() as session:
        row = _find(session, token)
        if row is None:
            return _refuse_forged(session, now)
        # The alert before its link, so that whoever changes alerts waits in one order.
        alert = session.get_one(AlertRow, row.alert_id, with_for_update=True)
        session.refresh(row, with_for_update=True)
        result = _refusal(session, row, alert, visitor, now)
        if result is None:
            row.used_at = now
            result = _acknowledge(session, row, alert, now)
        elif _tried(session, row, now) >= FAILURES_ALLOWED:
            return Link(LinkResult.TOO_MANY)
        _record(session, result, row, now)
        return _shown(result, alert)


def _find(session: Session, token: str) -> AckLinkRow | None:
    if not messages.is_link_token(token):
        return None
    return session.get(AckLinkRow, hash_token(token))


def _refusal(
    session: Session, row: AckLinkRow, alert: AlertRow, visitor: int | None, now: datetime
) -> LinkResult | None:
    staff = session.get_one(StaffRow, row.staff_id)
    may = answerers.may_answer(session, staff, alert)
    if (visitor is not None and visitor != row.staff_id) or not may:
        return LinkResult.FOREIGN
    if row.used_at is not None:
        return LinkResult.USED
    if row.expires_at <= now:
        return LinkResult.EXPIRED
    return LinkResult.STALE if answerers.is_stale(session, alert, row.made_at) else None


def _acknowledge(session: Session, row: AckLinkRow, alert: AlertRow, now: datetime) -> LinkResult:
    moved = alerting.move(
        session,
        alert,
        Move.ACKNOWLEDGE,
        now,
        staff_id=row.staff_id,
        channel="link",
        reason="the link of the text, confirmed",
    )
    return LinkResult.ACKNOWLEDGED if moved else LinkResult.ALREADY


def _shown(result: LinkResult, alert: AlertRow) -> Link:
    if result is LinkResult.FOREIGN:
        return Link(result)
    return Link(result, alert.reference, Severity(alert.severity).value)


def _tried(session: Session, row: AckLinkRow, now: datetime) -> int:
    refused = [each.value for each in _REFUSED]
    query = select(func.count()).where(
        TextReplyRow.received_at > now - FAILURE_WINDOW,
        TextReplyRow.alert_id == row.alert_id,
        TextReplyRow.staff_id == row.staff_id,
        TextReplyRow.result.in_(refused),
    )
    return session.scalar(query) or 0


def _refuse_forged(session: Session, now: datetime) -> Link:
    """Guesses are counted together; past the limit they are refused without a record.

    A link that was sent works whatever others guess: nobody can lock an officer out.
    """
    query = select(func.count()).where(
        TextReplyRow.received_at > now - FAILURE_WINDOW,
        TextReplyRow.result == LinkResult.FORGED.value,
    )
    if (session.scalar(query) or 0) >= FAILURES_ALLOWED:
        return Link(LinkResult.TOO_MANY)
    _record(session, LinkResult.FORGED, None, now)
    return Link(LinkResult.FORGED)


def _record(session: Session, result: LinkResult, row: AckLinkRow | None, now: datetime) -> None:
    """As a reply by text is recorded, and in the log."""
    staff_id = None if row is None else row.staff_id
    alert_id = None if row is None else row.alert_id
    session.add(
        TextReplyRow(
            provider_id=f"link-{uuid.uuid4().hex}",
            received_at=now,
            staff_id=staff_id,
            alert_id=alert_id,
            result=result.value,
        )
    )
    audit.record(
        session,
        Act.COLLECTION,
        "link of a text",
        at=now,
        actor="unknown link" if row is None else "staff",
        staff_id=staff_id,
        subject_kind="alert",
        subject_id=alert_id,
        detail={"result": result.value},
    )
