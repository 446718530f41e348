"""Tables of intake, of what was refused, and of how far judgement has come."""

from datetime import datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Float,
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


class DeviceLatestRow(Base):
    """The newest of everything, so that a board of a thousand devices is one small query.

    ``fix_at`` is never after its receipt; ``position_at`` is the measured time, to the
    millisecond, of the newest position, with the packed columns of ``fixes``. ``turn`` goes up
    whenever what intake may have at hand about the device's judgement is no longer so: a pending
    mark, other terms, another fitting. ``calm`` is where its fixes may lie with nothing to find
    (:mod:`navigate_safer.services.fleet`), None when that is not known.
    """

    __tablename__ = "device_latest"

    device_id: Mapped[int] = mapped_column(BigId, ForeignKey("devices.id"), primary_key=True)
    measured_at: Mapped[datetime] = mapped_column(UTCDateTime)
    received_at: Mapped[datetime] = mapped_column(UTCDateTime)
    fix_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    battery_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    battery_percent: Mapped[int | None] = mapped_column(SmallInteger)
    charging: Mapped[bool | None] = mapped_column(Boolean)
    position_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    lat_e7: Mapped[int | None] = mapped_column(Integer)
    lon_e7: Mapped[int | None] = mapped_column(Integer)
    accuracy: Mapped[int | None] = mapped_column(SmallInteger)
    fix_quality: Mapped[int | None] = mapped_column(Integer)
    turn: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    calm: Mapped[str | None] = mapped_column(Text)


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
    """What could not be accepted; the same refusal of the same bytes again only counts up.

    ``message_hash`` is of topic and payload: of several refused readings of one message the first
    keeps the payload and the others keep none. ``state`` is a value of
    :class:`navigate_safer.db.quarantine.Handling`.
    """

    __tablename__ = "quarantine"
    __table_args__ = (Index("ix_quarantine_state_reason_id", "state", "reason", "id"),)

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
    message_hash: Mapped[str | None] = mapped_column(String(64), index=True)
    received_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    state: Mapped[str] = mapped_column(String(16), default="waiting", server_default="waiting")
    tried_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class UnassignedRow(Base):
    """A reading that was stored while its device was on nobody."""

    __tablename__ = "unassigned_readings"

    device_id: Mapped[int] = mapped_column(BigId, ForeignKey("devices.id"), primary_key=True)
    first_at: Mapped[datetime] = mapped_column(UTCDateTime)
    last_at: Mapped[datetime] = mapped_column(UTCDateTime)
    readings: Mapped[int] = mapped_column(BigInteger)


# The cause of a mark that a change of an order, clause, fitting or device left; else readings did.
TERMS = "terms"


class PendingRow(Base):
    """Readings that are stored and not yet judged: written by intake, deleted by the judge.

    One row per device and intake transaction; a crash between the two leaves the row, and the
    judge finds it again. ``cause`` is :data:`TERMS` where the database's own triggers left it for
    readings that were judged under other terms (migration 0006).
    """

    __tablename__ = "pending_judgements"
    __table_args__ = (Index("ix_pending_judgements_device_id_id", "device_id", "id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    device_id: Mapped[int] = mapped_column(BigId, ForeignKey("devices.id"))
    earliest_at: Mapped[datetime] = mapped_column(UTCDateTime)
    marked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    failures: Mapped[int] = mapped_column(Integer, default=0)
    not_before: Mapped[datetime | None] = mapped_column(UTCDateTime)
    fault: Mapped[str | None] = mapped_column(Text)
    cause: Mapped[str | None] = mapped_column(String(20))


class JudgementRow(Base):
    """The rules' states of one fitting after the readings up to ``through``.

    ``check_after`` is when silence must be looked for, or sooner: without a reading for
    ``quiet_s`` seconds, and at ``ends_at`` in any case. Readings later than ``through`` that have
    no pending mark were judged on arrival, found nothing, and follow from these states.
    """

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
    quiet_s: Mapped[int | None] = mapped_column(Integer)
    ends_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    # Compare-and-set: of two judges of one fitting the second fails and judges again.
    __mapper_args__ = {"version_id_col": version}


class CheckpointRow(Base):
    """The states as they stood at ``at``, from which late readings are judged again."""

    __tablename__ = "judgement_checkpoints"

    fitting_id: Mapped[int] = mapped_column(BigId, ForeignKey("fittings.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime, primary_key=True)
    states: Mapped[dict[str, object]] = mapped_column(JSON)


class HeartbeatRow(Base):
    """A worker's sign of life; ``connected_since`` for the one that listens to the broker.

    ``caught_up_since``: since when nothing has waited for it at the broker, None while something
    does; before that the absence of a device's readings means nothing.
    ``waiting`` messages are received and not yet acknowledged, the oldest for
    ``oldest_waiting_s`` seconds; ``note`` says in plain words what slows the worker down.
    ``instance`` tells processes of one worker apart where there may be several. The row of
    :data:`navigate_safer.db.operations.STORAGE` is of no process.
    """

    __tablename__ = "heartbeats"

    worker: Mapped[str] = mapped_column(String(40), primary_key=True)
    instance: Mapped[str] = mapped_column(
        String(64), primary_key=True, default="", server_default=""
    )
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    connected_since: Mapped[datetime | None] = mapped_column(UTCDateTime)
    caught_up_since: Mapped[datetime | None] = mapped_column(UTCDateTime)
    fault: Mapped[str | None] = mapped_column(String(200))
    waiting: Mapped[int | None] = mapped_column(Integer)
    oldest_waiting_s: Mapped[float | None] = mapped_column(Float)
    note: Mapped[str | None] = mapped_column(String(200))
