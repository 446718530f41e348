"""A text that was sent and is not delivered: after a minute the next person or channel is due."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.delivery import CHASE_AFTER_S, DeliveryStatus
from alerts.lifecycle import AlertState
from alerts.policy import Channel
from navigate_safer.db.alerting import AlertRow, TextRow
from navigate_safer.db.base import Sessions
from navigate_safer.services import alerting, telling

# A mail server says nothing of delivery; whether an e-mail was read is seen by who acknowledges.
WITH_RECEIPTS = (Channel.SMS.value, Channel.VOICE.value)
REACHED = tuple(each.value for each in DeliveryStatus if each.reached_phone)
TERMINAL = tuple(each.value for each in DeliveryStatus if each.terminal)


def chase_next(sessions: Sessions, now: datetime) -> int | None:
    """Hurry the next step of one alert whose text is still on its way; the text's id, or None."""
    with sessions.begin() as session:
        found = session.execute(
            select(TextRow.id, TextRow.alert_id)
            .join(AlertRow, AlertRow.id == TextRow.alert_id)
            .where(
                TextRow.state == "accepted",
                TextRow.chased_at.is_(None),
                TextRow.channel.in_(WITH_RECEIPTS),
                TextRow.handed_at <= now - timedelta(seconds=CHASE_AFTER_S),
                TextRow.delivery.not_in(TERMINAL),
                AlertRow.state == AlertState.OPEN.value,
            )
            .order_by(TextRow.handed_at)
            .limit(1)
            .with_for_update(of=AlertRow, skip_locked=True)
        ).first()
        if found is None:
            return None
        alert = session.get_one(AlertRow, found.alert_id, populate_existing=True)
        text = session.get_one(TextRow, found.id, with_for_update=True, populate_existing=True)
        if text.chased_at is None and text.delivery not in TERMINAL:
            _chase(session, alert, text, now)
        return text.id


def _chase(session: Session, alert: AlertRow, text: TextRow, now: datetime) -> None:
    text.chased_at = now
    if _somebody_else_was_told(session, text):
        return
    reason = f"sent and not delivered within {CHASE_AFTER_S:.0f} s"
    telling.note(session, alert, now, "not_told", reason, staff_id=text.staff_id)
    alerting.hurry(alert, now)


def _somebody_else_was_told(session: Session, text: TextRow) -> bool:
    """A later step has begun, or another of the same step has it: nobody need be hurried."""
    others = select(TextRow).where(TextRow.alert_id == text.alert_id, TextRow.id != text.id)
    return any(
        each.created_at > text.created_at
        or (each.created_at == text.created_at and each.delivery in REACHED)
        for each in session.scalars(others)
    )
