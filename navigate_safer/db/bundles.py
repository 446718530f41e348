"""Texts that are told together: who waits for what, and what travels in whose text."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from alerts.bundling import Waiting
from alerts.lifecycle import AlertState
from navigate_safer.db.alerting import AlertRow, TextRow

BUNDLED = "bundled"
# Handed to a sender, or on its way inside another's text: being told at this moment.
_UNDER_WAY = ("sending", "unknown", BUNDLED)
# No interval is longer, so that older texts need not be looked at.
LOOKED_BACK = timedelta(days=1)


def waiting(session: Session, staff_id: int, now: datetime) -> Waiting:
    """When one person was last told of lower classes, and when they will be if any waits."""
    mine = (TextRow.staff_id == staff_id, TextRow.bundle_by > now - LOOKED_BACK)
    under_way = session.scalar(
        select(TextRow.id).where(*mine, TextRow.state.in_(_UNDER_WAY)).limit(1)
    )
    told_at = session.scalar(
        select(func.max(TextRow.handed_at)).where(*mine, TextRow.state == "accepted")
    )
    due_at = session.scalar(
        select(func.min(TextRow.due_at)).where(*mine, TextRow.state == "pending")
    )
    return Waiting(told_at=now if under_way is not None else told_at, due_at=due_at)


def could_join(session: Session, first: TextRow) -> Sequence[TextRow]:
    """Texts to the same person that wait, with their alerts open; locked, none waited for."""
    query = (
        select(TextRow)
        .join(AlertRow, AlertRow.id == TextRow.alert_id)
        .where(
            TextRow.staff_id == first.staff_id,
            TextRow.channel == first.channel,
            TextRow.bundle_by.is_not(None),
            TextRow.state == "pending",
            TextRow.id != first.id,
            AlertRow.state == AlertState.OPEN.value,
        )
        .order_by(TextRow.id)
        .with_for_update(of=(AlertRow, TextRow), skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return session.scalars(query).all()


def inside(session: Session, text_id: int) -> list[TextRow]:
    """The texts that travel, or travelled, in one text; without that text itself."""
    query = select(TextRow).where(TextRow.bundle_id == text_id).order_by(TextRow.id)
    return list(session.scalars(query))


def any_open(session: Session, text_id: int) -> bool:
    """Whether an alert that travels in a text still waits for an answer."""
    query = (
        select(AlertRow.id)
        .join(TextRow, TextRow.alert_id == AlertRow.id)
        .where(TextRow.bundle_id == text_id, AlertRow.state == AlertState.OPEN.value)
    )
    return session.scalar(query.limit(1)) is not None


def locked(session: Session, text_id: int) -> tuple[AlertRow, TextRow]:
    """A text with its alert, and the alerts and texts that travel in it, all locked.

    Alerts before texts, and each in order, as everybody takes them who changes an alert.
    """
    alert_id = session.get_one(TextRow, text_id).alert_id
    joined = select(TextRow.alert_id).where(TextRow.bundle_id == text_id)
    for each in sorted({alert_id, *session.scalars(joined)}):
        session.get_one(AlertRow, each, with_for_update=True)
    query = select(TextRow).where((TextRow.id == text_id) | (TextRow.bundle_id == text_id))
    query = query.order_by(TextRow.id).with_for_update()
    session.scalars(query.execution_options(populate_existing=True)).all()
    return session.get_one(AlertRow, alert_id), session.get_one(TextRow, text_id)
