"""Which cases are closed, and what is still open about somebody."""

from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from alerts.lifecycle import AlertState
from navigate_safer.db.alerting import AlertRow
from navigate_safer.db.case_records import CaseRecordRow
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.closing import CASE, CLOSED


def ids() -> Select[int | None]:
    """Ids of the wearers whose case is closed: for other queries to leave out."""
    row = CaseRecordRow
    return select(row.wearer_id).where(
        row.kind == CASE.name,
        row.state == CLOSED,
        row.superseded_at.is_(None),
        row.wearer_id.is_not(None),
    )


def since(session: Session, scope: Scope) -> dict[int | None, datetime]:
    """When each closed case of the scope's areas was closed, by wearer."""
    scope.require(Permission.SEE_CASEWORK)
    row = CaseRecordRow
    query = ids().with_only_columns(row.wearer_id, row.made_at).where(row.area_id.in_(scope.areas))
    return dict(session.execute(query).all())


def open_alerts(session: Session, scope: Scope, wearer_id: int) -> list[str]:
    """References of the alerts about a wearer that nobody has resolved, the oldest first."""
    scope.require(Permission.SEE_BOARD)
    query = select(AlertRow.reference).where(
        AlertRow.wearer_id == wearer_id,
        AlertRow.area_id.in_(scope.areas),
        AlertRow.state != AlertState.RESOLVED.value,
    )
    return list(session.scalars(query.order_by(AlertRow.id)))
