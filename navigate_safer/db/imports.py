"""The table of imported files: how far each has come, so that a killed import goes on."""

from datetime import date, datetime

from sqlalchemy import JSON, BigInteger, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from navigate_safer.db.base import Base, BigId, UTCDateTime
from navigate_safer.db.days import DayState
from navigate_safer.db.people import DeviceRow, GatewayRow
from navigate_safer.db.reading_rows import ReadingDayRow


class ImportRow(Base):
    """One file under one mapping. ``offset_bytes`` is the end of the last line that is settled.

    ``fingerprint`` is a hash of the file's content, the mapping and the gateway; ``refused`` counts
    lines by reason. Of a batch that was stored just before a kill the counts know nothing.
    """

    __tablename__ = "imports"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64), unique=True)
    started_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    offset_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    lines: Mapped[int] = mapped_column(BigInteger, default=0)
    stored: Mapped[int] = mapped_column(BigInteger, default=0)
    repeated: Mapped[int] = mapped_column(BigInteger, default=0)
    refused: Mapped[dict[str, int]] = mapped_column(JSON)


def of_fingerprint(session: Session, fingerprint: str) -> ImportRow | None:
    """The import of a file that has been begun."""
    return session.scalar(select(ImportRow).where(ImportRow.fingerprint == fingerprint))


def gateways_of_devices(session: Session) -> dict[str, str | None]:
    """Every registered device with the one gateway that may speak for it, None for any."""
    query = select(DeviceRow.ref, GatewayRow.ref).outerjoin(
        GatewayRow, GatewayRow.id == DeviceRow.gateway_id
    )
    return {row[0]: row[1] for row in session.execute(query)}


def is_gateway(session: Session, ref: str) -> bool:
    """Whether a gateway of this name is registered."""
    return session.scalar(select(GatewayRow.id).where(GatewayRow.ref == ref)) is not None


def days_put_away(session: Session) -> set[date]:
    """UTC days that are archived or erased: no reading can be added to them."""
    away = (DayState.ARCHIVED.value, DayState.ERASED.value)
    return set(session.scalars(select(ReadingDayRow.day).where(ReadingDayRow.state.in_(away))))
