"""Tables of what devices measured, and of how far each of their days has come."""

from datetime import date, datetime

from sqlalchemy import BigInteger, Boolean, Date, Integer, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from devices.quality import Doubt
from navigate_safer.db import packed
from navigate_safer.db.base import Base, BigId, Instant, UTCDateTime


class Measured:
    """What every reading's row has: key, times and doubts.

    ``measured_at`` holds two things: the measured time to the millisecond, and in the microseconds
    below it the *variant*: 0 for the first content received for that time, 1 and up for each
    other, so that a contradiction is kept and seen and a repeat cannot be stored twice.
    :attr:`taken_at` is the measured time alone. The rest is packed as
    :mod:`navigate_safer.db.packed` says.

    ``device_id`` is no foreign key: each insert would lock the device's row, half a million times
    a minute in a region, for what intake has looked up already. Devices are never deleted.

    On PostgreSQL these tables are partitioned by UTC day of ``measured_at``, and only the
    partitions of days still being written have the key as an index: see
    :mod:`navigate_safer.db.partitions`.
    """

    __table_args__ = {"sqlite_with_rowid": False}

    device_id: Mapped[int] = mapped_column(
        BigId, primary_key=True, autoincrement=False, sort_order=-9
    )
    measured_at: Mapped[datetime] = mapped_column(Instant, primary_key=True, sort_order=-8)
    received_cs: Mapped[int] = mapped_column(Integer)
    sent_s: Mapped[int] = mapped_column(SmallInteger)

    @property
    def taken_at(self) -> datetime:
        """When it was measured, without the variant."""
        return packed.on_millisecond(self.measured_at)

    @property
    def variant(self) -> int:
        """Which content for its measured time this is; 0 for the first received."""
        return packed.variant_of(self.measured_at)

    @property
    def received_at(self) -> datetime:
        """When we had it, to the centisecond."""
        return packed.unpack_received(self.measured_at, self.received_cs)

    @property
    def sent_at(self) -> datetime | None:
        """When the gateway sent it, to the second where that is within 4.6 hours."""
        return packed.unpack_sent(self.received_at, self.sent_s)


class FixRow(Measured, Base):
    """A position: degrees in 1e-7, km/h and degrees of heading in tenths, -1 for none.

    No column is ever null: a null costs eight bytes a row on PostgreSQL.
    """

    __tablename__ = "fixes"

    lat_e7: Mapped[int] = mapped_column(Integer, sort_order=-7)
    lon_e7: Mapped[int] = mapped_column(Integer, sort_order=-6)
    received_cs: Mapped[int] = mapped_column(Integer, sort_order=-5)
    quality: Mapped[int] = mapped_column(Integer, sort_order=-4)
    accuracy: Mapped[int] = mapped_column(SmallInteger, sort_order=-3)
    speed_dkmh: Mapped[int] = mapped_column(SmallInteger, sort_order=-2)
    heading_ddeg: Mapped[int] = mapped_column(SmallInteger, sort_order=-1)

    @property
    def doubts(self) -> Doubt:
        """Doubts about the position."""
        return packed.unpack_quality(self.quality).doubts

    @property
    def accuracy_m(self) -> float:
        """The radius that holds the truth 95 % of the time."""
        return packed.unpack_accuracy(self.accuracy)


class Doubted(Measured):
    """A reading whose doubts have a column of their own."""

    received_cs: Mapped[int] = mapped_column(Integer, sort_order=-7)
    sent_s: Mapped[int] = mapped_column(SmallInteger, sort_order=-6)
    doubts: Mapped[int] = mapped_column(SmallInteger, sort_order=-5)


class AlcoholRow(Doubted, Base):
    """Transdermal alcohol in 1e-6 g/dl, infrared in mV, skin temperature in 0.01 °C."""

    __tablename__ = "alcohol_samples"

    tac_ug_dl: Mapped[int] = mapped_column(Integer)
    ir_mv: Mapped[int | None] = mapped_column(Integer)
    skin_temp_centi_c: Mapped[int | None] = mapped_column(SmallInteger)


class DeviceEventRow(Doubted, Base):
    """Something the device noticed."""

    __tablename__ = "device_events"

    code: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(8))


class BatteryRow(Doubted, Base):
    """Charge in tenths of a percent."""

    __tablename__ = "battery_levels"

    permille: Mapped[int] = mapped_column(SmallInteger)
    charging: Mapped[bool | None] = mapped_column(Boolean)


ReadingTable = type[FixRow] | type[AlcoholRow] | type[DeviceEventRow] | type[BatteryRow]
READING_TABLES: tuple[ReadingTable, ...] = (FixRow, AlcoholRow, DeviceEventRow, BatteryRow)


class ReadingDayRow(Base):
    """How far a day of one reading table has come: closing, closed, archived, erased.

    A day without a row is hot. ``kind`` is the table's name; ``late_rows`` counts what came after
    the day was sorted; ``path`` is relative to the archive's folder.
    """

    __tablename__ = "reading_days"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    state: Mapped[str] = mapped_column(String(10))
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    late_rows: Mapped[int] = mapped_column(BigInteger, default=0)
    rows: Mapped[int | None] = mapped_column(BigInteger)
    checksum: Mapped[str | None] = mapped_column(String(40))
    bytes: Mapped[int | None] = mapped_column(BigInteger)
    sha256: Mapped[str | None] = mapped_column(String(64))
    path: Mapped[str | None] = mapped_column(String(300))
