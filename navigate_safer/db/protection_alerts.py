"""Alerts about a protected person's device, for those who may answer them, within their areas."""

from datetime import datetime

import msgspec
from sqlalchemy import Select, select
from sqlalchemy.orm import Session, aliased

from alerts.lifecycle import AlertState
from navigate_safer.db import protected
from navigate_safer.db.alert_history import HistoryLine, TextLine, history_lines, text_lines
from navigate_safer.db.alerting import AlertHistoryRow, AlertRow
from navigate_safer.db.people import StaffRow
from navigate_safer.db.service_alerts import PROTECTION_PARTS
from navigate_safer.people.access import Permission, Scope

MOST_ON_BOARD = 50


class ProtectionLine(msgspec.Struct, frozen=True):
    """One alert; ``text`` is what was wrong when it opened. It names nobody."""

    reference: str
    severity: str
    state: str
    opened_at: datetime
    text: str
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    next_step_at: datetime | None


class ProtectionDetail(msgspec.Struct, frozen=True):
    """What the page of one says.

    ``victim_ref`` is her case's reference, for those alone who may see who is protected;
    ``wearer_refs`` who must keep away from her. Nothing says where she is.
    """

    alert_id: int
    line: ProtectionLine
    victim_ref: str | None
    wearer_refs: list[str]
    history: list[HistoryLine]
    texts: list[TextLine]


def _lines(scope: Scope) -> Select[AlertRow, str, str]:
    scope.require(Permission.ANSWER_PROTECTION)
    officer, first = aliased(StaffRow), aliased(AlertHistoryRow)
    return (
        select(AlertRow, officer.name, first.reason)
        .outerjoin(officer, officer.id == AlertRow.acknowledged_by)
        .outerjoin(first, (first.alert_id == AlertRow.id) & (first.move == "opened"))
        .where(AlertRow.part.startswith(PROTECTION_PARTS), AlertRow.area_id.in_(scope.areas))
    )


def _line(alert: AlertRow, officer: str | None, text: str | None) -> ProtectionLine:
    return ProtectionLine(
        reference=alert.reference,
        severity=alert.severity,
        state=alert.state,
        opened_at=alert.opened_at,
        text=text or "",
        acknowledged_by=officer,
        acknowledged_at=alert.acknowledged_at,
        next_step_at=alert.next_step_at,
    )


def live(session: Session, scope: Scope) -> list[ProtectionLine]:
    """Those that nobody has resolved; none for who may not answer them."""
    if not scope.may(Permission.ANSWER_PROTECTION):
        return []
    query = (
        _lines(scope)
        .where(AlertRow.state != AlertState.RESOLVED.value)
        .order_by(AlertRow.severity_rank, AlertRow.opened_at)
        .limit(MOST_ON_BOARD)
    )
    return [_line(*row) for row in session.execute(query)]


def detail(
    session: Session, scope: Scope, reference: str, now: datetime
) -> ProtectionDetail | None:
    """One of them, or None."""
    found = session.execute(_lines(scope).where(AlertRow.reference == reference)).one_or_none()
    if found is None:
        return None
    alert = found.AlertRow
    fitting_id = int((alert.part or "").removeprefix(PROTECTION_PARTS))
    about = protected.about_fitting(session, fitting_id, now)
    may = scope.may(Permission.SEE_VICTIMS)
    return ProtectionDetail(
        alert_id=alert.id,
        line=_line(*found),
        victim_ref=about.victim_ref if about is not None and may else None,
        wearer_refs=[] if about is None else about.wearer_refs,
        history=history_lines(session, alert.id),
        texts=text_lines(session, alert.id),
    )


def is_about_protection(session: Session, reference: str) -> bool:
    """Whether a reference is of such an alert; says nothing of any case."""
    query = select(AlertRow.id).where(
        AlertRow.reference == reference, AlertRow.part.startswith(PROTECTION_PARTS)
    )
    return session.scalar(query) is not None
