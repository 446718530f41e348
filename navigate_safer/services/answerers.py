"""Whose code, key or link still answers an alert: who may, and for which telling of it."""

from datetime import datetime

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from alerts.lifecycle import AlertState, Move
from navigate_safer.db.alerting import AlertHistoryRow, AlertRow, TextRow
from navigate_safer.db.people import StaffAreaRow, StaffRow
from navigate_safer.people.access import GRANTS, Permission, Role
from navigate_safer.services.casework import to_answer

# A judge's word that an episode goes on is noted under the service's name and moves no alert that
# is open; whoever reopens one, a judge or a person, leaves a name of their own.
_TOLD_ANEW = or_(
    AlertHistoryRow.move == Move.EXPIRE.value,
    and_(AlertHistoryRow.move == Move.REOPEN.value, AlertHistoryRow.channel != "service"),
)


def may_answer(session: Session, staff: StaffRow, alert: AlertRow) -> bool:
    """Whether who was told then may still answer this alert: roles and areas change."""
    needed = to_answer(alert)
    if not staff.active or needed not in GRANTS[Role(staff.role)]:
        return False
    if needed is Permission.MEND_SERVICE:
        return True
    return session.get(StaffAreaRow, (staff.id, alert.area_id)) is not None


def is_stale(session: Session, alert: AlertRow, sent_at: datetime) -> bool:
    """Whether what was sent then is about an earlier telling of an alert that is open again.

    An acknowledgement that expired, a new breach and a reopening begin anew: whoever answers must
    have been told since. A step that was repeated does not, so the first text still counts.
    """
    if alert.state != AlertState.OPEN.value:
        return False
    query = select(func.max(AlertHistoryRow.at))
    anew_at = session.scalar(query.where(AlertHistoryRow.alert_id == alert.id, _TOLD_ANEW))
    return anew_at is not None and sent_at < anew_at


def sent_at(text: TextRow) -> datetime:
    """When a text went out, as far as is known: one may be sent long after it was written."""
    return text.handed_at or text.created_at
