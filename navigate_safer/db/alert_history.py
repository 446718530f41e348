"""What happened to one alert, and who was told of it.

For a caller that has found the alert within its scope: these ask no question about a case.
"""

from datetime import datetime

import msgspec
from sqlalchemy import select
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
    """Who was told, when, and whether it reached them."""

    step: int
    who: str
    created_at: datetime
    handed_at: datetime | None
    state: str
    delivery: str | None
    fault: str | None


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
        TextLine(row.step, name, row.created_at, row.handed_at, row.state, row.delivery, row.fault)
        for row, name in session.execute(query)
    ]
