"""An officer's text back: the code stops the escalation and does nothing else.

A sender's number can be forged. So a reply counts only from the number of somebody who was told
of this alert and may still answer it, with an unexpired code of its latest telling, while the alert
is open; it discloses nothing.
"""

from datetime import datetime
from enum import Enum

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.lifecycle import Move
from alerts.messages import ACKNOWLEDGE_KEY, parse_reply
from alerts.policy import Channel
from navigate_safer.db import audit
from navigate_safer.db.alerting import AlertRow, TextAttemptRow, TextReplyRow, TextRow
from navigate_safer.db.base import Sessions
from navigate_safer.db.people import StaffRow
from navigate_safer.people.account import Act
from navigate_safer.services import alerting, answerers


class ReplyResult(Enum):
    """What a reply did."""

    ACKNOWLEDGED = "acknowledged"
    ALREADY = "already_acknowledged"
    REPEATED = "repeated"
    UNKNOWN_NUMBER = "unknown_number"
    NO_CODE = "no_code"
    WRONG_CODE = "wrong_code"
    EXPIRED = "expired"
    STALE = "stale"
    NOT_YOURS = "not_yours"
    OTHER_KEY = "other_key"

    @property
    def needs_an_answer(self) -> bool:
        """Whether an officer now believes to have acknowledged, with a code that was theirs."""
        return self in (ReplyResult.EXPIRED, ReplyResult.STALE, ReplyResult.NOT_YOURS)


def take_reply(
    sessions: Sessions, *, provider_id: str, sender: str, body: str, now: datetime
) -> ReplyResult:
    """Take one reply and commit what it did; a repeated delivery of it does nothing."""
    with sessions.begin() as session:
        known = select(TextReplyRow.id).where(TextReplyRow.provider_id == provider_id)
        if session.scalar(known) is not None:
            return ReplyResult.REPEATED
        query = select(StaffRow).where(StaffRow.phone == sender, StaffRow.active)
        officers = session.scalars(query).all()
        result, text = _judge(session, [each.id for each in officers], body, now)
        alert_id = None if text is None else text.alert_id
        staff_id = text.staff_id if text else (officers[0].id if officers else None)
        session.add(
            TextReplyRow(
                provider_id=provider_id,
                received_at=now,
                staff_id=staff_id,
                alert_id=alert_id,
                result=result.value,
            )
        )
        audit.record(
            session,
            Act.COLLECTION,
            "reply by text",
            at=now,
            actor="staff" if officers else "unknown number",
            staff_id=staff_id,
            subject_kind="alert",
            subject_id=alert_id,
            detail={"result": result.value},
        )
        return result


def _judge(
    session: Session, officers: list[int], body: str, now: datetime
) -> tuple[ReplyResult, TextRow | None]:
    if not officers:
        return ReplyResult.UNKNOWN_NUMBER, None
    code = parse_reply(body)
    if code is None:
        return ReplyResult.NO_CODE, None
    query = select(TextRow).where(TextRow.staff_id.in_(officers), TextRow.code == code)
    texts = session.scalars(query.order_by(TextRow.created_at.desc())).all()
    if not texts:
        return ReplyResult.WRONG_CODE, None
    text = texts[0]
    return _acknowledge(session, text, now, "sms", "reply with the code"), text


def _acknowledge(
    session: Session, text: TextRow, now: datetime, channel: str, reason: str
) -> ReplyResult:
    """Acknowledge by a text or a call that was for this alert, if it still is."""
    if text.code_expires_at <= now:
        return ReplyResult.EXPIRED
    alert = session.get_one(AlertRow, text.alert_id, with_for_update=True)
    if not answerers.may_answer(session, session.get_one(StaffRow, text.staff_id), alert):
        return ReplyResult.NOT_YOURS
    if answerers.is_stale(session, alert, answerers.sent_at(text)):
        return ReplyResult.STALE
    moved = alerting.move(
        session,
        alert,
        Move.ACKNOWLEDGE,
        now,
        staff_id=text.staff_id,
        channel=channel,
        reason=reason,
    )
    return ReplyResult.ACKNOWLEDGED if moved else ReplyResult.ALREADY


def take_key(
    sessions: Sessions, *, provider_id: str, attempt_id: str, key: str, now: datetime
) -> ReplyResult:
    """A key that was pressed in a call of ours; acknowledges as a reply with the code does.

    The attempt's id is in the signed address alone, so it stands for the code. Whoever holds the
    telephone can press a key, so it too stops the escalation and does nothing else.
    """
    unique = f"{provider_id}-{key}"[:64]
    with sessions.begin() as session:
        known = select(TextReplyRow.id).where(TextReplyRow.provider_id == unique)
        if session.scalar(known) is not None:
            return ReplyResult.REPEATED
        attempt = session.get(TextAttemptRow, attempt_id)
        text = None if attempt is None else session.get(TextRow, attempt.text_id)
        result = _judge_key(session, text, key, now)
        session.add(
            TextReplyRow(
                provider_id=unique,
                received_at=now,
                staff_id=text.staff_id if text else None,
                alert_id=text.alert_id if text else None,
                result=result.value,
            )
        )
        return result


def _judge_key(session: Session, text: TextRow | None, key: str, now: datetime) -> ReplyResult:
    if text is None or text.channel != Channel.VOICE.value:
        return ReplyResult.WRONG_CODE
    if key != ACKNOWLEDGE_KEY:
        return ReplyResult.OTHER_KEY
    return _acknowledge(session, text, now, Channel.VOICE.value, "key 1 in the call")
