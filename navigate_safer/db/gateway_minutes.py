"""What each gateway brought in each minute of the last hours, and how late it came."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import BigInteger, Float, String, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from navigate_safer.db.base import Base, UTCDateTime


class GatewayMinuteRow(Base):
    """One minute of one gateway, as one process of intake saw it. Delays are sent to received.

    Minutes are of receipt; a row is written again, whole, while its minute goes on.
    """

    __tablename__ = "gateway_minutes"

    gateway: Mapped[str] = mapped_column(String(64), primary_key=True)
    minute_at: Mapped[datetime] = mapped_column(UTCDateTime, primary_key=True, index=True)
    instance: Mapped[str] = mapped_column(String(64), primary_key=True)
    messages: Mapped[int] = mapped_column(BigInteger)
    readings: Mapped[int] = mapped_column(BigInteger)
    delay_median_s: Mapped[float | None] = mapped_column(Float)
    delay_worst_s: Mapped[float | None] = mapped_column(Float)


class Minute(msgspec.Struct, frozen=True):
    """One minute of one gateway, of all processes of intake together."""

    gateway: str
    minute_at: datetime
    messages: int
    readings: int
    delay_median_s: float | None
    delay_worst_s: float | None


def write(session: Session, instance: str, minutes: Sequence[Minute]) -> None:
    """Write minutes of one process, over what it wrote of them before."""
    if not minutes:
        return
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    insert = (postgresql if is_postgresql else sqlite).insert(GatewayMinuteRow)
    rows = [{**msgspec.structs.asdict(each), "instance": instance} for each in minutes]
    changed = ("messages", "readings", "delay_median_s", "delay_worst_s")
    statement = insert.on_conflict_do_update(
        index_elements=["gateway", "minute_at", "instance"],
        set_={name: insert.excluded[name] for name in changed},
    )
    session.execute(statement, rows)


def since(session: Session, from_at: datetime) -> list[Minute]:
    """Every minute from an instant on, by gateway and time; of several processes the sums."""
    row = GatewayMinuteRow
    query = (
        select(
            row.gateway,
            row.minute_at,
            func.sum(row.messages),
            func.sum(row.readings),
            func.max(row.delay_median_s),
            func.max(row.delay_worst_s),
        )
        .where(row.minute_at >= from_at)
        .group_by(row.gateway, row.minute_at)
        .order_by(row.gateway, row.minute_at)
    )
    return [
        Minute(gateway, at, int(messages), int(readings), median, worst)
        for gateway, at, messages, readings, median, worst in session.execute(query)
    ]
