"""What the provider says afterwards of a text to a wearer. Runs in the caller's transaction."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.delivery import DeliveryStatus, Fault, advance
from navigate_safer.db.wearer_messages import WearerAttemptRow, WearerMessageRow


def take_receipt(
    session: Session,
    row: WearerMessageRow,
    provider: str,
    provider_id: str,
    status: DeliveryStatus | None,
    fault: Fault | None,
    now: datetime,
) -> None:
    """Apply it, forward only."""
    session.refresh(row, with_for_update=True)
    if row.provider_id is None:
        row.provider_id, row.provider, row.handed_at = provider_id, provider, now
        row.state, row.due_at = "accepted", None
    if row.provider_id != provider_id:
        return
    before = DeliveryStatus(row.delivery) if row.delivery else DeliveryStatus.ACCEPTED
    after = advance(before, status)
    row.delivery = after.value
    if after.reached_phone and row.delivered_at is None:
        row.delivered_at = now
    if after.failed:
        row.fault = fault.value if fault else after.value


def of_attempt(session: Session, attempt_id: str) -> WearerMessageRow | None:
    """The message of one call; None where the call was for an officer, or for nobody."""
    attempt = session.get(WearerAttemptRow, attempt_id)
    return None if attempt is None else session.get(WearerMessageRow, attempt.message_id)


def of_mark(session: Session, mark: str, provider_id: str) -> WearerMessageRow | None:
    """The message that a provider names by our reference, or by its own id."""
    query = select(WearerMessageRow).where(
        (WearerMessageRow.reference == mark) | (WearerMessageRow.provider_id == provider_id)
    )
    return session.scalars(query.limit(1)).first()
