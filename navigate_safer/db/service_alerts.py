"""Alerts about the service itself: no wearer, no area, no case data."""

from datetime import datetime

import msgspec
from sqlalchemy import Select, select
from sqlalchemy.orm import Session, aliased

from alerts.lifecycle import AlertState
from navigate_safer.db.alert_history import HistoryLine, TextLine, history_lines, text_lines
from navigate_safer.db.alerting import AlertHistoryRow, AlertRow
from navigate_safer.db.people import StaffRow
from navigate_safer.people.access import Permission, Scope

MOST_ON_BOARD = 50
# What is about a protected person's device is in :mod:`navigate_safer.db.protection_alerts`.
PROTECTION_PARTS = "protected:"
# A rota with a gap ahead, and a telephone that takes no more texts: what people mend, no machine.
ROTA_PARTS, CONTACT_PARTS = "rota:", "contact:"
ABOUT_SERVICE = AlertRow.part.is_not(None) & AlertRow.part.not_like(f"{PROTECTION_PARTS}%")


class ServiceAlertLine(msgspec.Struct, frozen=True):
    """One alert about a part of the service; ``text`` is what was wrong when it opened."""

    reference: str
    part: str
    severity: str
    state: str
    opened_at: datetime
    text: str
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    next_step_at: datetime | None
    outcome: str | None


class ServiceAlertDetail(msgspec.Struct, frozen=True):
    """What the page of one says."""

    line: ServiceAlertLine
    history: list[HistoryLine]
    texts: list[TextLine]


def _lines(scope: Scope) -> Select[AlertRow, str, str]:
    scope.require(Permission.MEND_SERVICE)
    officer, first = aliased(StaffRow), aliased(AlertHistoryRow)
    return (
        select(AlertRow, officer.name, first.reason)
        .outerjoin(officer, officer.id == AlertRow.acknowledged_by)
        .outerjoin(first, (first.alert_id == AlertRow.id) & (first.move == "opened"))
        .where(ABOUT_SERVICE)
    )


def _line(alert: AlertRow, officer: str | None, text: str | None) -> ServiceAlertLine:
    return ServiceAlertLine(
        reference=alert.reference,
        part=alert.part or "",
        severity=alert.severity,
        state=alert.state,
        opened_at=alert.opened_at,
        text=text or "",
        acknowledged_by=officer,
        acknowledged_at=alert.acknowledged_at,
        next_step_at=alert.next_step_at,
        outcome=alert.outcome,
    )


def live(session: Session, scope: Scope) -> list[ServiceAlertLine]:
    """Those that nobody has resolved, most urgent first; none for who may not mend it."""
    if not scope.may(Permission.MEND_SERVICE):
        return []
    query = (
        _lines(scope)
        .where(AlertRow.state != AlertState.RESOLVED.value)
        .order_by(AlertRow.severity_rank, AlertRow.opened_at)
        .limit(MOST_ON_BOARD)
    )
    return [_line(*row) for row in session.execute(query)]


def detail(session: Session, scope: Scope, reference: str) -> ServiceAlertDetail | None:
    """One of them, or None."""
    found = session.execute(_lines(scope).where(AlertRow.reference == reference)).one_or_none()
    if found is None:
        return None
    alert_id = found.AlertRow.id
    return ServiceAlertDetail(
        _line(*found), history_lines(session, alert_id), text_lines(session, alert_id)
    )


def is_about_service(session: Session, reference: str) -> bool:
    """Whether a reference is of an alert about the service; says nothing of any case."""
    query = select(AlertRow.id).where(AlertRow.reference == reference, ABOUT_SERVICE)
    return session.scalar(query) is not None
