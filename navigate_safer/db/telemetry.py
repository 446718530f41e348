"""Tables of what devices measured, what was refused, and how far judgement has come."""

from datetime import datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from navigate_safer.db.base import Base, BigId, UTCDateTime


class Measured:
    """Columns of every reading.

    The key is device, measured time and ``variant``: 0 for the first content received for that
    time, 1 and up for each other content, so that a contradiction is kept and seen, and a repeat
    cannot be stored twice.
    """

    device_id: Mapped[int] = mapped_column(BigId, ForeignKey("devices.id"), primary_key=True)
    measured_at: Mapped[datetime] = mapped_column(UTCDateTime, primary_key=True)
    variant: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    sent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    received_at: Mapped[datetime] = mapped_column(UTCDateTime)
    seq: Mapped[int | None] = mapped_column(BigInteger)
    doubts: Mapped[int] = mapped_column(SmallInteger, default=0)


class FixRow(Measured, Base):
    """A position: degrees in 1e-7, metres, km/h and degrees of heading in tenths."""

    __tablename__ = "fixes"

    lat_e7: Mapped[int] = mapped_column(Integer)
    lon_e7: Mapped[int] = mapped_column(Integer)
    accuracy_dm: Mapped[int] = mapped_column(Integer)
    source: Mapped[int] = mapped_column(SmallInteger)
    speed_dkmh: Mapped[int | None] = mapped_column(SmallInteger)
    heading_ddeg: Mapped[int | None] = mapped_column(SmallInteger)
    satellites: Mapped[int | None] = mapped_column(SmallInteger)
    hdop_tenths: Mapped[int | None] = mapped_column(SmallInteger)


class AlcoholRow(Measured, Base):
    """Transdermal alcohol in 1e-6 g/dl, infrared in mV, skin temperature in 0.01 °C."""

    __tablename__ = "alcohol_samples"

    tac_ug_dl: Mapped[int] = mapped_column(Integer)
    ir_mv: Mapped[int | None] = mapped_column(Integer)
    skin_temp_centi_c: Mapped[int | None] = mapped_column(SmallInteger)


class DeviceEventRow(Measured, Base):
    """Something the device noticed."""

    __tablename__ = "device_events"

    code: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(8))


class BatteryRow(Measured, Base):
    """Charge in tenths of a percent."""

    __tablename__ = "battery_levels"

    permille: Mapped[int] = mapped_column(SmallInteger)
    charging: Mapped[bool | None] = mapped_column(Boolean)


class DeviceLatestRow(Base):
    """The newest of everything, so that a board of a thousand devices is one small query."""

    __tablename__ = "device_latest"

    device_id: Mapped[int] = mapped_column(BigId, ForeignKey("devices.id"), primary_key=True)
    measured_at: Mapped[datetime] = mapped_column(UTCDateTime)
    received_at: Mapped[datetime] = mapped_column(UTCDateTime)
    fix_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    battery_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    battery_percent: Mapped[int | None] = mapped_column(SmallInteger)
    charging: Mapped[bool | None] = mapped_column(Boolean)


class IngestBatchRow(Base):
    """One transaction of intake: what arrived, and when it was safe."""

    __tablename__ = "ingest_batches"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    received_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    committed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    messages: Mapped[int] = mapped_column(Integer)
    stored: Mapped[int] = mapped_column(Integer)
    repeated: Mapped[int] = mapped_column(Integer)
    refused: Mapped[int] = mapped_column(Integer)


class QuarantineRow(Base):
    """What could not be accepted; the same refusal of the same bytes again only counts up."""

    __tablename__ = "quarantine"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64), unique=True)
    first_at: Mapped[datetime] = mapped_column(UTCDateTime)
    last_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    times: Mapped[int] = mapped_column(BigInteger, default=1)
    reason: Mapped[str] = mapped_column(String(40), index=True)
    explanation: Mapped[str] = mapped_column(Text)
    topic: Mapped[str] = mapped_column(String(300))
    gateway: Mapped[str] = mapped_column(String(200))
    device: Mapped[str | None] = mapped_column(String(200))
    reading_index: Mapped[int | None] = mapped_column(Integer)
    payload: Mapped[bytes] = mapped_column(LargeBinary)
    payload_bytes: Mapped[int] = mapped_column(Integer)


class UnassignedRow(Base):
    """A reading that was stored while its device was on nobody."""

    __tablename__ = "unassigned_readings"

    device_id: Mapped[int] = mapped_column(BigId, ForeignKey("devices.id"), primary_key=True)
    first_at: Mapped[datetime] = mapped_column(UTCDateTime)
    last_at: Mapped[datetime] = mapped_column(UTCDateTime)
    readings: Mapped[int] = mapped_column(BigInteger)


class PendingRow(Base):
    """Readings that are stored and not yet judged: written by intake, deleted by the judge.

    One row per device and intake transaction; a crash between the two leaves the row, and the
    judge finds it again.
    """

    __tablename__ = "pending_judgements"
    __table_args__ = (Index("ix_pending_judgements_device_id_id", "device_id", "id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    device_id: Mapped[int] = mapped_column(BigId, ForeignKey("devices.id"))
    earliest_at: Mapped[datetime] = mapped_column(UTCDateTime)
    failures: Mapped[int] = mapped_column(Integer, default=0)
    not_before: Mapped[datetime | None] = mapped_column(UTCDateTime)
    fault: Mapped[str | None] = mapped_column(Text)


class JudgementRow(Base):
    """The rules' states of one fitting. ``check_after`` is when silence must be looked for."""

    __tablename__ = "judgements"
    __table_args__ = (
        Index(
            "ix_judgements_check_after",
            "check_after",
            postgresql_where=text("check_after is not null"),
            sqlite_where=text("check_after is not null"),
        ),
    )

    fitting_id: Mapped[int] = mapped_column(BigId, ForeignKey("fittings.id"), primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger, default=0)
    through: Mapped[datetime | None] = mapped_column(UTCDateTime)
    states: Mapped[dict[str, object]] = mapped_column(JSON)
    check_after: Mapped[datetime | None] = mapped_column(UTCDateTime)

    # Compare-and-set: of two judges of one fitting the second fails and judges again.
    __mapper_args__ = {"version_id_col": version}


class CheckpointRow(Base):
    """The states as they stood at ``at``, from which late readings are judged again."""

    __tablename__ = "judgement_checkpoints"

    fitting_id: Mapped[int] = mapped_column(BigId, ForeignKey("fittings.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime, primary_key=True)
    states: Mapped[dict[str, object]] = mapped_column(JSON)


class HeartbeatRow(Base):
    """A worker's sign of life; ``connected_since`` for the one that listens to the broker."""

    __tablename__ = "heartbeats"

    worker: Mapped[str] = mapped_column(String(40), primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    connected_since: Mapped[datetime | None] = mapped_column(UTCDateTime)
    fault: Mapped[str | None] = mapped_column(String(200))
