"""Officers' telephones and mailboxes that a provider says cannot be reached at all."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.delivery import DeliveryStatus, Fault
from alerts.policy import Channel
from navigate_safer.db.alerting import TextAttemptRow, TextRow
from navigate_safer.db.people import StaffRow

BAD = tuple(fault.value for fault in Fault if fault.number_is_bad)
REACHED = tuple(status.value for status in DeliveryStatus if status.reached_phone)


def bad_contacts(session: Session, since: datetime) -> dict[tuple[int, str], Channel]:
    """By id and account of each officer who has one: a channel that uses it.

    Found in the calls since an instant. One that was verified after it was refused, or has been
    reached since, is not among them.
    """
    query = (
        select(StaffRow, TextRow.channel, TextAttemptRow.finished_at)
        .join(TextRow, TextRow.staff_id == StaffRow.id)
        .join(TextAttemptRow, TextAttemptRow.text_id == TextRow.id)
        .where(TextAttemptRow.finished_at >= since, TextRow.fault.in_(BAD), StaffRow.active)
        .order_by(TextAttemptRow.finished_at)
    )
    return {
        (staff.id, staff.ref): Channel(channel)
        for staff, channel, refused_at in session.execute(query)
        if refused_at is not None
        and _is_used(staff, Channel(channel), refused_at)
        and not _reached_since(session, staff.id, channel, refused_at)
    }


def _is_used(staff: StaffRow, channel: Channel, refused_at: datetime) -> bool:
    """Whether what was refused is what would be used now."""
    verified_at = staff.email_verified_at if channel is Channel.EMAIL else staff.phone_verified_at
    return verified_at is not None and verified_at <= refused_at


def _reached_since(session: Session, staff_id: int, channel: str, at: datetime) -> bool:
    query = (
        select(TextRow.id)
        .join(TextAttemptRow, TextAttemptRow.text_id == TextRow.id)
        .where(
            TextAttemptRow.finished_at > at,
            TextRow.staff_id == staff_id,
            TextRow.channel == channel,
            TextRow.delivery.in_(REACHED),
        )
    )
    return session.scalar(query.limit(1)) is not None
