"""Alerts that are about no wearer: how they are read. Who may read which is said by each kind."""

from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session, aliased

from alerts.lifecycle import AlertState
from navigate_safer.db.alerting import AlertHistoryRow, AlertRow
from navigate_safer.db.people import StaffRow

MOST_ON_BOARD = 50


class Line(msgspec.Struct, frozen=True):
    """One alert; ``text`` is what was wrong when it opened. It names nobody."""

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


def live(session: Session, about: ColumnElement[bool]) -> list[Line]:
    """Those that nobody has resolved, the most urgent first."""
    query = (
        _lines(about)
        .where(AlertRow.state != AlertState.RESOLVED.value)
        .order_by(AlertRow.severity_rank, AlertRow.opened_at)
        .limit(MOST_ON_BOARD)
    )
    return [_line(*row) for row in session.execute(query)]


def one(
    session: Session, about: ColumnElement[bool], reference: str
) -> tuple[AlertRow, Line] | None:
    """The alert of a reference, or None where it is about something else."""
    query = _lines(about).where(AlertRow.reference == reference)
    found = session.execute(query).one_or_none()
    return None if found is None else (found.AlertRow, _line(*found))


def is_about(session: Session, about: ColumnElement[bool], reference: str) -> bool:
    """Whether a reference is of such an alert; says nothing of any case."""
    query = select(AlertRow.id).where(AlertRow.reference == reference, about)
    return session.scalar(query) is not None


def _lines(about: ColumnElement[bool]) -> Select[AlertRow, str, str]:
    officer, first = aliased(StaffRow), aliased(AlertHistoryRow)
    return (
        select(AlertRow, officer.name, first.reason)
        .outerjoin(officer, officer.id == AlertRow.acknowledged_by)
        .outerjoin(first, (first.alert_id == AlertRow.id) & (first.move == "opened"))
        .where(about)
    )


def _line(alert: AlertRow, officer: str | None, text: str | None) -> Line:
    return Line(
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
