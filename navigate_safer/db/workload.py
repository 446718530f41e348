"""Who works with how many, and what waits for an answer: counts, no names."""

from datetime import datetime, timedelta

from sqlalchemy import case, distinct, exists, func, select
from sqlalchemy.orm import Session

from alerts.lifecycle import Move
from navigate_safer.db.alerting import AlertHistoryRow, AlertRow
from navigate_safer.db.people import AreaRow, WearerRow
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.outcome_packs import LATE_ALERT_HOURS, AreaLoad, Waiting

# After one of these nobody waits for an answer any more.
ANSWERS = (Move.ACKNOWLEDGE.value, Move.RESOLVE.value, "withdraw")


def loads(session: Session, scope: Scope) -> list[AreaLoad]:
    """People and their offender managers in each area of the scope, at present.

    Raises Forbidden.
    """
    scope.require(Permission.SEE_OUTCOME_FIGURES)
    row = WearerRow
    query = (
        select(AreaRow.name, func.count(row.id), func.count(distinct(row.offender_manager_id)))
        .join(row, row.area_id == AreaRow.id)
        .where(AreaRow.id.in_(scope.areas))
        .group_by(AreaRow.name)
        .order_by(AreaRow.name)
    )
    return [AreaLoad(area, people, workers) for area, people, workers in session.execute(query)]


def waiting(session: Session, scope: Scope, known: datetime) -> Waiting:
    """Alerts about people of the scope that nobody had answered at a moment; raises Forbidden.

    Asked of their history, which is never changed: the same moment gives the same counts.
    """
    scope.require(Permission.SEE_OUTCOME_FIGURES)
    move = AlertHistoryRow
    answered = exists().where(
        move.alert_id == AlertRow.id, move.at <= known, move.move.in_(ANSWERS)
    )
    late_since = known - timedelta(hours=LATE_ALERT_HOURS)
    late = func.sum(case((AlertRow.opened_at <= late_since, 1), else_=0))
    query = (
        select(func.count(AlertRow.id), late)
        .join(WearerRow, WearerRow.id == AlertRow.wearer_id)
        .where(WearerRow.area_id.in_(scope.areas), AlertRow.opened_at <= known, ~answered)
    )
    found, of_these = session.execute(query).one()
    return Waiting(late=int(of_these or 0), open=int(found))
