"""What happened to one alert, and who was told of it.

For a caller that has found the alert within its scope: these ask no question about a case.
"""

from datetime import datetime

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from navigate_safer.db.alerting import AlertHistoryRow, TextRow
from navigate_safer.db.people import StaffRow


class HistoryLine(msgspec.Struct, frozen=True):
    """One move of an alert."""

    at: datetime
    move: str
    who: str | None
    channel: str
    reason: str


class TextLine(msgspec.Struct, frozen=True):
    """Who was told, when, and whether it reached them.

    ``waits_until`` is set while it waits to be told with others; ``together`` is how many alerts
    shared the text.
    """

    step: int
    who: str
    created_at: datetime
    handed_at: datetime | None
    state: str
    delivery: str | None
    fault: str | None
    waits_until: datetime | None = None
    together: int = 1


def history_lines(session: Session, alert_id: int) -> list[HistoryLine]:
    """Every move of an alert, oldest first."""
    query = (
        select(AlertHistoryRow, StaffRow.name)
        .outerjoin(StaffRow, StaffRow.id == AlertHistoryRow.staff_id)
        .where(AlertHistoryRow.alert_id == alert_id)
        .order_by(AlertHistoryRow.id)
    )
    return [
        HistoryLine(row.at, row.move, name, row.channel, row.reason)
        for row, name in session.execute(query)
    ]


def text_lines(session: Session, alert_id: int) -> list[TextLine]:
    """Who was told of an alert, in order."""
    query = (
        select(TextRow, StaffRow.name)
        .join(StaffRow, StaffRow.id == TextRow.staff_id)
        .where(TextRow.alert_id == alert_id)
        .order_by(TextRow.step)
    )
    return [
        TextLine(
            step=row.step,
            who=name,
            created_at=row.created_at,
            handed_at=row.handed_at,
            state=row.state,
            delivery=row.delivery,
            fault=row.fault,
            waits_until=row.due_at if _waits(row) else None,
            together=1 + (_others(session, row) if row.bundle_by is not None else 0),
        )
        for row, name in session.execute(query)
    ]


def _waits(row: TextRow) -> bool:
    return row.bundle_by is not None and row.state == "pending" and row.tries == 0


def _others(session: Session, row: TextRow) -> int:
    """How many other alerts the same text tells of."""
    carrier = row.bundle_id or row.id
    query = select(func.count()).where(TextRow.bundle_id == carrier)
    return session.scalar(query) or 0
