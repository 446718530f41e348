"""What staff do with an alert: acknowledge, note, resolve, reopen; each one guarded transaction."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from alerts.lifecycle import Move, Outcome
from navigate_safer.db.alerting import AlertRow
from navigate_safer.db.base import Sessions
from navigate_safer.db.service_alerts import PROTECTION_PARTS
from navigate_safer.people.access import Permission, Scope
from navigate_safer.services import alerting, stays

LONGEST_NOTE = 4_000


class NotFound(Exception):
    """There is no such record, or none that this person may know of: the two look alike."""


class NoReason(Exception):
    """An alert is reopened for a reason only; the message says what to do."""


def acknowledge(sessions: Sessions, scope: Scope, reference: str, now: datetime) -> bool:
    """Acknowledge; False, changing nothing, when the alert is no longer open."""
    return _move(sessions, scope, reference, Move.ACKNOWLEDGE, now, "acknowledged on the page")


def add_note(sessions: Sessions, scope: Scope, reference: str, text: str, now: datetime) -> bool:
    """Add a note to the alert's history; an acknowledgement then no longer expires."""
    return _move(sessions, scope, reference, Move.NOTE, now, text.strip()[:LONGEST_NOTE])


def resolve(
    sessions: Sessions,
    scope: Scope,
    reference: str,
    outcome: Outcome,
    text: str,
    now: datetime,
) -> bool:
    """Close the alert with an outcome; False when it is resolved already.

    What it spoke for besides, of zones that overlap, and what goes on is told by its own alert.
    """
    reason = ": ".join(part for part in (outcome.label, text.strip()[:LONGEST_NOTE]) if part)
    with sessions.begin() as session:
        alert = _find(session, scope, reference)
        if not _apply(session, scope, alert, Move.RESOLVE, now, reason):
            return False
        alert.outcome = outcome.value
        stays.spoken_for_no_more(session, alert, now, None)
        return True


def reopen(sessions: Sessions, scope: Scope, reference: str, reason: str, now: datetime) -> bool:
    """Open a resolved alert again; whoever is first in its plan is told at the next tick.

    False where it is not resolved, or where a newer alert about the same device is live. One about
    a part of the service is not reopened by hand: it opens by itself while the part fails. Raises
    :class:`NoReason`, :class:`NotFound`, Forbidden.
    """
    why = reason.strip()[:LONGEST_NOTE]
    try:
        with sessions.begin() as session:
            alert = _find(session, scope, reference)
            if to_answer(alert) is Permission.MEND_SERVICE:
                raise NotFound
            if not why:
                raise NoReason("Enter why the alert is opened again")
            return _apply(session, scope, alert, Move.REOPEN, now, why)
    except IntegrityError:  # one live alert a device
        return False


def _move(
    sessions: Sessions, scope: Scope, reference: str, move: Move, now: datetime, reason: str
) -> bool:
    with sessions.begin() as session:
        alert = _find(session, scope, reference)
        return _apply(session, scope, alert, move, now, reason)


def _apply(
    session: Session, scope: Scope, alert: AlertRow, move: Move, now: datetime, reason: str
) -> bool:
    return alerting.move(
        session, alert, move, now, staff_id=scope.staff_id, channel="page", reason=reason
    )


def _find(session: Session, scope: Scope, reference: str) -> AlertRow:
    """The alert, locked: of a case in this person's areas, or about the service itself.

    One about a protected person's device is of her area.
    """
    cases = scope.may(Permission.ACT_ON_ALERTS)
    others = (Permission.MEND_SERVICE, Permission.ANSWER_PROTECTION)
    if not cases and not any(scope.may(each) for each in others):
        scope.require(Permission.ACT_ON_ALERTS)
    query = select(AlertRow).where(AlertRow.reference == reference)
    alert = session.scalar(query.with_for_update())
    if alert is None:
        raise NotFound
    needed = to_answer(alert)
    if needed is not Permission.ACT_ON_ALERTS:
        scope.require(needed)
    elif not cases:
        raise NotFound
    if needed is not Permission.MEND_SERVICE and alert.area_id not in scope.areas:
        raise NotFound
    return alert


def to_answer(alert: AlertRow) -> Permission:
    """What whoever answers an alert needs: a case's, a protected person's, or the service's."""
    if alert.part is None:
        return Permission.ACT_ON_ALERTS
    if alert.part.startswith(PROTECTION_PARTS):
        return Permission.ANSWER_PROTECTION
    return Permission.MEND_SERVICE
