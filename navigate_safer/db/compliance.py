"""Days of compliance: what the readings of one local day say of one condition."""

from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Date, ForeignKey, Index, Integer, bindparam, delete, func, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from navigate_safer.db.among import Keyed
from navigate_safer.db.base import Base, BigId, UTCDateTime
from navigate_safer.db.people import FittingRow
from navigate_safer.db.telemetry import DeviceLatestRow, PendingRow


class ComplianceDayRow(Base):
    """One condition on one day of Europe/London; a row is there when the day has been worked out.

    Deleted when late data touches the day, and worked out again. ``absences`` as
    :func:`navigate_safer.services.compliance.absence_values` writes them.
    """

    __tablename__ = "compliance_days"
    __table_args__ = (Index("ix_compliance_days_wearer_id_day", "wearer_id", "day"),)

    condition_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("conditions.id"), primary_key=True, autoincrement=False
    )
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    wearer_id: Mapped[int] = mapped_column(BigId, ForeignKey("wearers.id"))
    worked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    scheduled_s: Mapped[int] = mapped_column(Integer)
    compliant_s: Mapped[int] = mapped_column(Integer)
    breach_s: Mapped[int] = mapped_column(Integer)
    unknown_s: Mapped[int] = mapped_column(Integer)
    review_s: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    absences: Mapped[list[dict[str, Any]]] = mapped_column(JSON)


def stored(
    session: Session, wearer_ids: Collection[int], first: date, last: date
) -> list[ComplianceDayRow]:
    """Days that have been worked out, both ends included, in order of condition and day."""
    row = ComplianceDayRow
    query = select(row).where(row.wearer_id.in_(wearer_ids), row.day.between(first, last))
    return list(session.scalars(query.order_by(row.condition_id, row.day)))


def of_condition(session: Session, condition_id: int, last: date) -> list[ComplianceDayRow]:
    """Every day of a condition that has been worked out, up to a day and with it."""
    row = ComplianceDayRow
    query = select(row).where(row.condition_id == condition_id, row.day <= last)
    return list(session.scalars(query.order_by(row.day)))


def keep(session: Session, rows: Iterable[ComplianceDayRow]) -> None:
    """Store days, in the place of what was stored of them before."""
    for row in rows:
        session.merge(row)


def forget_from(session: Session, wearer_ids: Collection[int], first: date) -> None:
    """Late data has come: these days are to be worked out again."""
    row = ComplianceDayRow
    session.execute(delete(row).where(row.wearer_id.in_(wearer_ids), row.day >= first))


_OF_DEVICES = Keyed(
    lambda among: delete(ComplianceDayRow).where(
        ComplianceDayRow.wearer_id.in_(
            select(FittingRow.wearer_id).where(among(FittingRow.device_id, "devices"))
        ),
        ComplianceDayRow.day >= bindparam("first"),
    )
)


def forget_devices_from(session: Session, device_ids: Collection[int], first: date) -> None:
    """The same by device, put together once: after midnight intake asks it with each batch."""
    _OF_DEVICES.ask(session.connection(), devices=list(device_ids), first=first)


def sums(
    session: Session, wearer_ids: Collection[int], first: date, last: date
) -> dict[int, tuple[int, int, int, int, int]]:
    """Seconds scheduled, compliant, in breach, unknown and for review of each wearer."""
    row = ComplianceDayRow
    found = session.execute(
        select(
            row.wearer_id,
            func.sum(row.scheduled_s),
            func.sum(row.compliant_s),
            func.sum(row.breach_s),
            func.sum(row.unknown_s),
            func.sum(row.review_s),
        )
        .where(row.wearer_id.in_(wearer_ids), row.day.between(first, last))
        .group_by(row.wearer_id)
    )
    return {wearer: (int(a), int(b), int(c), int(d), int(e)) for wearer, a, b, c, d, e in found}


def heard_so_far(
    session: Session, wearer_id: int, now: datetime, *, hold: bool = False
) -> list[tuple[Any, ...]] | None:
    """What has come of a wearer's devices, to be compared later; None: some waits to be judged.

    With ``hold`` nothing more is stored of them until the end of the transaction. A device of which
    something is being stored at this moment is left out, and not waited for: intake holds several.
    """
    latest, mark = DeviceLatestRow, PendingRow
    worn = select(FittingRow.device_id).where(FittingRow.wearer_id == wearer_id)
    query = select(latest.device_id, latest.turn, latest.position_at)
    query = query.where(latest.device_id.in_(worn)).order_by(latest.device_id)
    if hold:
        query = query.with_for_update(read=True, skip_locked=True)
    found = session.execute(query).all()
    # What cannot be judged may wait for days, and the days cannot.
    waits = select(mark.id).where(
        mark.device_id.in_(worn),
        mark.failures == 0,
        or_(mark.not_before.is_(None), mark.not_before <= now),
    )
    if session.scalar(waits.limit(1)) is not None:
        return None
    return [tuple(row) for row in found]
