"""What the rows say of breaches, alerts and texts, for a proof that nothing was lost or doubled.

Read at the end of a fault run, beside what the provider's stand-in says it was given.
"""

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from alerts.lifecycle import AlertState
from alerts.policy import Plan
from navigate_safer.db import invariants
from navigate_safer.db.alerting import (
    AlertRow,
    EpisodeRow,
    TextAttemptRow,
    TextReceiptRow,
    TextRow,
)
from navigate_safer.db.audit import AuditRow
from navigate_safer.db.people import AreaRow, StaffRow
from navigate_safer.db.reading_rows import FixRow
from navigate_safer.people.account import Act

# While one of these holds, something is still to be done about a text.
UNSETTLED = ("pending", "sending", "unknown")


class TextLine(msgspec.Struct, frozen=True, kw_only=True):
    """One text of the outbox with every call that was made for it.

    ``attempts`` has the outcome of each by its id, None where it was never written down.
    """

    text_id: int
    reference: str
    about_breach: bool
    staff: str
    phone: str
    body: str
    state: str
    resent: bool
    provider_id: str | None
    delivery: str | None
    created_at: datetime
    attempts: dict[str, str | None]


class AlertLine(msgspec.Struct, frozen=True, kw_only=True):
    """One alert about a breach; ``waits`` is how long each step of its plan has, the last again."""

    reference: str
    state: str
    acknowledged_by: str | None
    told_at: tuple[datetime, ...]
    waits: tuple[timedelta, ...]


class DeliveryRows(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the rows say. ``broken`` counts what breaks an invariant of the service."""

    readings: int
    episodes: int
    alerts: list[AlertLine]
    texts: list[TextLine]
    receipts: set[tuple[str, str]]
    disclosed: set[str]
    overdue: int
    broken: dict[str, int]


def read(session: Session, now: datetime, overdue_after: timedelta) -> DeliveryRows:
    """Read all of it; a step counts as overdue when it is later than ``overdue_after``."""
    staff = {row.id: row for row in session.scalars(select(StaffRow))}
    open_ = AlertRow.state == AlertState.OPEN.value
    late = select(func.count()).where(open_, AlertRow.next_step_at < now - overdue_after)
    said = session.execute(select(TextReceiptRow.provider_id, TextReceiptRow.status)).all()
    return DeliveryRows(
        readings=session.scalar(select(func.count()).select_from(FixRow)) or 0,
        episodes=session.scalar(
            select(func.count()).select_from(EpisodeRow).where(EpisodeRow.withdrawn.is_(False))
        )
        or 0,
        alerts=_alerts(session, staff),
        texts=_texts(session, staff),
        receipts={(provider_id, word) for provider_id, word in said},
        disclosed=_disclosed(session),
        overdue=session.scalar(late) or 0,
        broken=invariants.broken(session, now, overdue_after),
    )


def answered(session: Session) -> int:
    """How many alerts about breaches nobody need be told of any more."""
    query = select(func.count()).where(
        AlertRow.episode_id.is_not(None), AlertRow.state != AlertState.OPEN.value
    )
    return session.scalar(query) or 0


def unsettled(session: Session) -> int:
    """How many texts are still to be sent, looked for or written down."""
    return session.scalar(select(func.count()).where(TextRow.state.in_(UNSETTLED))) or 0


def staff_ids(session: Session) -> dict[str, int]:
    """The id of every account."""
    return dict(session.execute(select(StaffRow.ref, StaffRow.id)).all())


def area_ids(session: Session) -> list[int]:
    """The id of every area."""
    return list(session.scalars(select(AreaRow.id).order_by(AreaRow.id)))


def _alerts(session: Session, staff: dict[int, StaffRow]) -> list[AlertLine]:
    told: dict[int, set[datetime]] = {}
    for alert_id, at in session.execute(select(TextRow.alert_id, TextRow.created_at)):
        told.setdefault(alert_id, set()).add(at)
    rows = session.scalars(select(AlertRow).where(AlertRow.episode_id.is_not(None)))
    return [
        AlertLine(
            reference=row.reference,
            state=row.state,
            acknowledged_by=(
                staff[row.acknowledged_by].ref if row.acknowledged_by is not None else None
            ),
            told_at=tuple(sorted(told.get(row.id, ()))),
            waits=tuple(
                timedelta(seconds=step.answer_within_s)
                for step in msgspec.convert(row.plan, Plan).steps
            ),
        )
        for row in rows
    ]


def _texts(session: Session, staff: dict[int, StaffRow]) -> list[TextLine]:
    calls: dict[int, dict[str, str | None]] = {}
    for each in session.scalars(select(TextAttemptRow).order_by(TextAttemptRow.claimed_at)):
        calls.setdefault(each.text_id, {})[each.id] = each.outcome
    query = (
        select(TextRow, AlertRow.reference, AlertRow.episode_id)
        .join(AlertRow, AlertRow.id == TextRow.alert_id)
        .order_by(TextRow.id)
    )
    return [
        TextLine(
            text_id=row.id,
            reference=reference,
            about_breach=episode_id is not None,
            staff=staff[row.staff_id].ref,
            phone=staff[row.staff_id].phone or "",
            body=row.body,
            state=row.state,
            resent=row.resent_after_unknown,
            provider_id=row.provider_id,
            delivery=row.delivery,
            created_at=row.created_at,
            attempts=calls.get(row.id, {}),
        )
        for row, reference, episode_id in session.execute(query)
    ]


def _disclosed(session: Session) -> set[str]:
    """The calls that the log of the Data Protection Act 2018 s.62 has a disclosure for."""
    query = select(AuditRow.detail).where(AuditRow.act == Act.DISCLOSURE.value)
    return {str(detail["attempt"]) for detail in session.scalars(query) if "attempt" in detail}
