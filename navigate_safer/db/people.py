"""Tables of people, orders, zones and devices. Queries about cases are in ``caseload``."""

from datetime import date, datetime

from sqlalchemy import (
    JSON,
    Boolean,
    Date,
    Float,
    ForeignKey,
    Integer,
    String,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import Mapped, mapped_column

from navigate_safer.db.base import Base, BigId, UTCDateTime


class AreaRow(Base):
    """A locality."""

    __tablename__ = "areas"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(200))


class StaffRow(Base):
    """Somebody who signs in; never deleted, only made inactive.

    A telephone or e-mail address is used only once its owner has answered a code sent to it, or
    the case file has said that it is theirs. ``phone_stopped_at`` is when its owner sent STOP, by
    which no text reaches it until START; calls still do.
    """

    __tablename__ = "staff"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(40))
    phone: Mapped[str | None] = mapped_column(String(20), index=True)
    phone_verified_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    phone_stopped_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    email: Mapped[str | None] = mapped_column(String(254))
    email_verified_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    call_order: Mapped[int] = mapped_column(Integer, default=100)
    password_hash: Mapped[str | None] = mapped_column(String(300))
    active: Mapped[bool] = mapped_column(Boolean, default=True)


class StaffAreaRow(Base):
    """Which areas a member of staff works in."""

    __tablename__ = "staff_areas"

    staff_id: Mapped[int] = mapped_column(BigId, ForeignKey("staff.id"), primary_key=True)
    area_id: Mapped[int] = mapped_column(BigId, ForeignKey("areas.id"), primary_key=True)


class GatewayRow(Base):
    """A sender of telemetry and whether it says that it is online."""

    __tablename__ = "gateways"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    online: Mapped[bool | None] = mapped_column(Boolean)
    status_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class DeviceRow(Base):
    """A tag or alcohol monitor."""

    __tablename__ = "devices"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(64), unique=True)
    model: Mapped[str] = mapped_column(String(100))
    kind: Mapped[str] = mapped_column(String(40))
    gateway_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("gateways.id"))


class WearerRow(Base):
    """A perpetrator who is monitored."""

    __tablename__ = "wearers"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    born_on: Mapped[date] = mapped_column(Date)
    area_id: Mapped[int] = mapped_column(BigId, ForeignKey("areas.id"), index=True)
    locality: Mapped[str] = mapped_column(String(200))
    band: Mapped[str] = mapped_column(String(20))
    offender_manager_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("staff.id"))


class OrderRow(Base):
    """A court order or licence."""

    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(64), unique=True)
    wearer_id: Mapped[int] = mapped_column(BigId, ForeignKey("wearers.id"), index=True)
    kind: Mapped[str] = mapped_column(String(60))
    starts_on: Mapped[date] = mapped_column(Date)
    ends_on: Mapped[date | None] = mapped_column(Date)


class ZoneRow(Base):
    """One version of a zone; a changed zone is a new row."""

    __tablename__ = "zones"
    __table_args__ = (UniqueConstraint("ref", "version"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(64))
    version: Mapped[int] = mapped_column(Integer, default=1)
    name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(20))
    geometry: Mapped[dict[str, object]] = mapped_column(JSON)
    buffer_m: Mapped[float] = mapped_column(Float, default=0.0)
    schedule: Mapped[list[dict[str, object]] | None] = mapped_column(JSON(none_as_null=True))
    timezone: Mapped[str] = mapped_column(String(64), default="Europe/London")
    # The other properties of :data:`zones.feature.ZONE_PROPERTIES`, as in a zone file.
    properties: Mapped[dict[str, object] | None] = mapped_column(JSON(none_as_null=True))


class ConditionRow(Base):
    """One version of a monitored condition; a varied order is a new row, never an overwrite."""

    __tablename__ = "conditions"
    __table_args__ = (UniqueConstraint("ref", "version"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(64))
    version: Mapped[int] = mapped_column(Integer, default=1)
    order_id: Mapped[int] = mapped_column(BigId, ForeignKey("orders.id"), index=True)
    clause: Mapped[str] = mapped_column(String(100))
    kind: Mapped[str] = mapped_column(String(40))
    severity: Mapped[str] = mapped_column(String(20))
    zone_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("zones.id"))
    limits: Mapped[dict[str, object]] = mapped_column(JSON)
    from_at: Mapped[datetime] = mapped_column(UTCDateTime)
    until_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class FittingRow(Base):
    """Which device was on which wearer, and when: readings are attributed by this alone."""

    __tablename__ = "fittings"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    device_id: Mapped[int] = mapped_column(BigId, ForeignKey("devices.id"), index=True)
    wearer_id: Mapped[int] = mapped_column(BigId, ForeignKey("wearers.id"), index=True)
    fitted_at: Mapped[datetime] = mapped_column(UTCDateTime)
    removed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class VictimRow(Base):
    """Somebody to be protected. No query about a wearer reads this table."""

    __tablename__ = "victims"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    area_id: Mapped[int] = mapped_column(BigId, ForeignKey("areas.id"), index=True)
    address: Mapped[str | None] = mapped_column(String(300))
    phone: Mapped[str | None] = mapped_column(String(20))
    # The address of a refuge is never stored; that she is in one is.
    in_refuge: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())


class VictimWearerRow(Base):
    """From whom a victim is protected."""

    __tablename__ = "victim_wearers"

    victim_id: Mapped[int] = mapped_column(BigId, ForeignKey("victims.id"), primary_key=True)
    wearer_id: Mapped[int] = mapped_column(BigId, ForeignKey("wearers.id"), primary_key=True)


class ZoneVictimRow(Base):
    """Whom a zone protects: for the few who may see it, never for a map."""

    __tablename__ = "zone_victims"

    zone_id: Mapped[int] = mapped_column(BigId, ForeignKey("zones.id"), primary_key=True)
    victim_id: Mapped[int] = mapped_column(BigId, ForeignKey("victims.id"), primary_key=True)
