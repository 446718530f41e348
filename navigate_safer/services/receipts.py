"""What the provider says afterwards of a text that it took."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.delivery import DeliveryStatus, Fault, advance
from navigate_safer.db.alerting import AlertRow, TextAttemptRow, TextReceiptRow, TextRow
from navigate_safer.db.base import Sessions
from navigate_safer.services import alerting, telling


def take_receipt(
    sessions: Sessions,
    *,
    attempt_id: str,
    provider_id: str,
    status: DeliveryStatus | None,
    word: str,
    error_code: int | None,
    fault: Fault | None,
    now: datetime,
) -> bool:
    """Apply a status callback, forward only; False when it belongs to no text of ours.

    A callback for an attempt whose answer was lost proves that the provider took the text.
    """
    with sessions.begin() as session:
        attempt = session.get(TextAttemptRow, attempt_id)
        if attempt is None:
            return False
        _keep(session, attempt_id, provider_id, word, error_code, now)
        text = session.get_one(TextRow, attempt.text_id, with_for_update=True)
        if text.provider_id is None:
            text.provider_id, text.handed_at = provider_id, now
            text.state, text.due_at, text.provider = "accepted", None, "twilio"
        if text.provider_id == provider_id:
            _advance(session, text, status, fault, now)
        return True


def _keep(
    session: Session,
    attempt_id: str,
    provider_id: str,
    word: str,
    error_code: int | None,
    now: datetime,
) -> None:
    """Every receipt as it came; a repeated one once."""
    seen = select(TextReceiptRow).where(
        TextReceiptRow.provider_id == provider_id, TextReceiptRow.status == word[:24]
    )
    if session.scalar(seen) is not None:
        return
    session.add(
        TextReceiptRow(
            provider_id=provider_id,
            attempt_id=attempt_id,
            status=word[:24],
            error_code=error_code,
            received_at=now,
        )
    )


def _advance(
    session: Session,
    text: TextRow,
    status: DeliveryStatus | None,
    fault: Fault | None,
    now: datetime,
) -> None:
    before = DeliveryStatus(text.delivery) if text.delivery else None
    after = advance(before or DeliveryStatus.ACCEPTED, status)
    text.delivery = after.value
    if after.failed and not (before and before.failed):
        text.fault = fault.value if fault else after.value
        alert = session.get_one(AlertRow, text.alert_id)
        reason = f"the text was not delivered: {text.fault}"
        telling.note(session, alert, now, "not_told", reason, staff_id=text.staff_id)
        alerting.hurry(alert, now)
