"""An officer who sent STOP has muted every breach text: the contact says so, a supervisor hears it.

The same of one whose number or mailbox a provider refuses for good, until another is verified.

A wearer who sends STOP is texted no more; the page of the person says so to the offender manager.

The contact is marked in the transaction that learns of it. The alert is opened after that; the
watch over the service opens it too, should we end in between, and resolves it after START.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from alerts.finding import Severity
from alerts.policy import Channel
from navigate_safer.db import wearer_messages
from navigate_safer.db.base import Sessions
from navigate_safer.db.people import StaffRow
from navigate_safer.db.service_alerts import CONTACT_PARTS
from navigate_safer.services import alerting
from navigate_safer.services.telling import Voice

SEVERITY = Severity.HIGH


def part(staff_id: int) -> str:
    """The name of an officer's contact among the parts of the service."""
    return f"{CONTACT_PARTS}{staff_id}"


def sentence(ref: str) -> str:
    """What is wrong, for the board: the account, and neither a name nor a number."""
    return (
        f"{ref} has replied STOP: no breach text reaches this telephone until START is sent "
        "from it. Have the officer do so, or give them another number."
    )


def refused(ref: str, channel: Channel) -> str:
    """What is wrong with a number or a mailbox that cannot be reached: the account alone."""
    what = "mailbox" if channel is Channel.EMAIL else "telephone number"
    return (
        f"The provider refuses the {what} of {ref} for good: no breach is told there. Have the "
        "officer verify another one on their account page."
    )


def mark(session: Session, phone: str, now: datetime) -> None:
    """No more texts to this number."""
    for row in _owners(session, phone):
        row.phone_stopped_at = row.phone_stopped_at or now
    for contact in wearer_messages.contacts_with(session, phone):
        contact.stopped_at = contact.stopped_at or now


def unmark(sessions: Sessions, phone: str) -> None:
    """START came from the number: texts reach it again."""
    with sessions.begin() as session:
        for row in _owners(session, phone):
            row.phone_stopped_at = None
        for contact in wearer_messages.contacts_with(session, phone):
            contact.stopped_at = None


def tell(sessions: Sessions, phone: str, now: datetime, voice: Voice) -> None:
    """Mark the contact, and open an alert about it unless there is a live one."""
    with sessions.begin() as session:
        mark(session, phone, now)
        owners = [(row.id, row.ref) for row in _owners(session, phone)]
    for staff_id, ref in owners:
        try:
            with sessions.begin() as session:
                alerting.open_service_alert(
                    session, part(staff_id), SEVERITY, now, voice, sentence(ref)
                )
        except IntegrityError:  # another process was first
            continue


def _owners(session: Session, phone: str) -> list[StaffRow]:
    query = select(StaffRow).where(StaffRow.phone == phone, StaffRow.active)
    return list(session.scalars(query.order_by(StaffRow.id).with_for_update()))
