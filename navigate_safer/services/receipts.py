"""What the provider says afterwards of a text that it took."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.delivery import DeliveryStatus, Fault, advance
from navigate_safer.db.alerting import AlertRow, TextAttemptRow, TextReceiptRow, TextRow
from navigate_safer.db.base import Sessions
from navigate_safer.db.bundles import locked
from navigate_safer.services import alerting, bundles, telling, wearer_receipts


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
    provider: str = "twilio",
) -> bool:
    """Apply a status callback, forward only; False when it belongs to no text of ours.

    A callback for an attempt whose answer was lost proves that the provider took the text.
    """
    with sessions.begin() as session:
        attempt = session.get(TextAttemptRow, attempt_id)
        if attempt is None:
            to_wearer = wearer_receipts.of_attempt(session, attempt_id)
            if to_wearer is None:
                return False
            _keep(session, attempt_id, provider_id, word, error_code, now)
            wearer_receipts.take_receipt(
                session, to_wearer, provider, provider_id, status, fault, now
            )
            return True
        _keep(session, attempt_id, provider_id, word, error_code, now)
        _apply(session, attempt.text_id, provider, provider_id, status, fault, now)
        return True


def take_receipt_by_mark(
    sessions: Sessions,
    *,
    mark: str,
    provider: str,
    provider_id: str,
    status: DeliveryStatus | None,
    word: str,
    fault: Fault | None,
    now: datetime,
) -> bool:
    """The same for a provider that calls one address for all texts, and names each by our mark.

    A mark finds a text whose answer was lost; one that was answered is found by the provider's id.
    """
    with sessions.begin() as session:
        found = _named(session, mark, provider, provider_id)
        if found is None:
            to_wearer = wearer_receipts.of_mark(session, mark, provider_id)
            if to_wearer is None:
                return False
            _keep(session, None, provider_id, word, None, now)
            wearer_receipts.take_receipt(
                session, to_wearer, provider, provider_id, status, fault, now
            )
            return True
        _keep(session, None, provider_id, word, None, now)
        _apply(session, found, provider, provider_id, status, fault, now)
        return True


def _named(session: Session, mark: str, provider: str, provider_id: str) -> int | None:
    """The text that a provider means, or the one that carries what it means."""
    by_id = select(TextRow.id).where(
        TextRow.provider_id == provider_id,
        TextRow.provider == provider,
        TextRow.bundle_id.is_(None),
    )
    found = session.scalar(by_id)
    if found is not None:
        return found
    lost = (
        select(TextRow.id)
        .join(TextAttemptRow, TextAttemptRow.text_id == TextRow.id)
        .where(
            TextRow.code == mark,
            TextRow.state.in_(["sending", "unknown"]),
            TextAttemptRow.provider == provider,
        )
        .distinct()
    )
    candidates = session.scalars(lost).all()
    # Two people may have the same code; a guess could call the wrong text delivered.
    return candidates[0] if len(candidates) == 1 else None


def _apply(
    session: Session,
    text_id: int,
    provider: str,
    provider_id: str,
    status: DeliveryStatus | None,
    fault: Fault | None,
    now: datetime,
) -> None:
    """With the alerts locked before their texts, as by everybody who changes an alert."""
    _, text = locked(session, text_id)
    if text.provider_id is None:
        text.provider_id, text.handed_at = provider_id, now
        text.state, text.due_at, text.provider = "accepted", None, provider
        bundles.follow(session, text)
    if text.provider_id == provider_id:
        _advance(session, text, status, fault, now)


def _keep(
    session: Session,
    attempt_id: str | None,
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
    if after.reached_phone and text.delivered_at is None:
        text.delivered_at = now
    if after.failed and not (before and before.failed):
        not_delivered(session, text, fault.value if fault else after.value, now)
    bundles.follow(session, text)


def not_delivered(session: Session, text: TextRow, fault: str, now: datetime) -> None:
    """A text that the provider took will not come: whoever is next is due, in each of its alerts.

    The caller holds the alerts and the texts.
    """
    text.fault = fault
    reason = f"the text was not delivered: {fault}"
    for each in bundles.with_it(session, text):
        alert = session.get_one(AlertRow, each.alert_id)
        telling.note(session, alert, now, "not_told", reason, staff_id=text.staff_id)
        alerting.hurry(alert, now)
