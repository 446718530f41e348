"""Tables of escalation policies, rotas and silences, and what of them is in force."""

from collections.abc import Iterable
from datetime import datetime

import msgspec
from sqlalchemy import (
    JSON,
    Boolean,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    select,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from alerts.finding import FindingKind
from alerts.policy import Channel, Person, Policy
from alerts.rota import Layer, Override, Rota, Swap
from alerts.silences import Matter, Reason, Silence, SilenceKind
from navigate_safer.db.alerting import EpisodeRow
from navigate_safer.db.base import Base, BigId, UTCDateTime
from navigate_safer.db.people import DeviceRow, FittingRow, GatewayRow, StaffAreaRow, StaffRow


class PolicyRow(Base):
    """One version of an escalation policy; a changed one is a new row, and one is active."""

    __tablename__ = "policies"
    __table_args__ = (UniqueConstraint("number", "version"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    number: Mapped[int] = mapped_column(Integer)
    version: Mapped[int] = mapped_column(Integer)
    body: Mapped[dict[str, object]] = mapped_column(JSON)
    active: Mapped[bool] = mapped_column(Boolean, default=True)
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    made_by: Mapped[int | None] = mapped_column(BigId, ForeignKey("staff.id"))
    reason: Mapped[str] = mapped_column(Text)


class RotaRow(Base):
    """A rota of an area; ``layers`` as :class:`alerts.rota.Layer`."""

    __tablename__ = "rotas"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    area_id: Mapped[int] = mapped_column(BigId, ForeignKey("areas.id"))
    timezone: Mapped[str] = mapped_column(String(64), default="Europe/London")
    layers: Mapped[list[dict[str, object]]] = mapped_column(JSON)
    version: Mapped[int] = mapped_column(Integer, default=1)
    active: Mapped[bool] = mapped_column(Boolean, default=True)


class RotaChangeRow(Base):
    """An override or a swap; a swap counts once the other person has agreed."""

    __tablename__ = "rota_changes"
    __table_args__ = (Index("ix_rota_changes_rota_id_until_at", "rota_id", "until_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    rota_id: Mapped[int] = mapped_column(BigId, ForeignKey("rotas.id"))
    kind: Mapped[str] = mapped_column(String(20))
    from_at: Mapped[datetime] = mapped_column(UTCDateTime)
    until_at: Mapped[datetime] = mapped_column(UTCDateTime)
    staff_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("staff.id"))
    taken_by: Mapped[int | None] = mapped_column(BigId, ForeignKey("staff.id"))
    reason: Mapped[str] = mapped_column(Text)
    made_by: Mapped[int | None] = mapped_column(BigId, ForeignKey("staff.id"))
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    agreed_by: Mapped[int | None] = mapped_column(BigId, ForeignKey("staff.id"))
    agreed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    cancelled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    source: Mapped[str | None] = mapped_column(String(300))


class SilenceRow(Base):
    """Something that is not told for a while; ended early by ``ended_at``, never deleted."""

    __tablename__ = "silences"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    from_at: Mapped[datetime] = mapped_column(UTCDateTime)
    until_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    author_id: Mapped[int] = mapped_column(BigId, ForeignKey("staff.id"))
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    reason: Mapped[str] = mapped_column(String(40))
    words: Mapped[str] = mapped_column(Text)
    kinds: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    area_id: Mapped[int] = mapped_column(BigId, ForeignKey("areas.id"))
    wearer_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("wearers.id"))
    device_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("devices.id"))
    gateway_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("gateways.id"))
    condition_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("conditions.id"))
    approved_by: Mapped[int | None] = mapped_column(BigId, ForeignKey("staff.id"))
    approved_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ended_by: Mapped[int | None] = mapped_column(BigId, ForeignKey("staff.id"))


def policies(session: Session) -> list[Policy]:
    """The policies in force."""
    query = select(PolicyRow).where(PolicyRow.active).order_by(PolicyRow.number)
    return [msgspec.convert(row.body, Policy) for row in session.scalars(query)]


def channels_to_rota(session: Session, rota_id: int) -> frozenset[Channel]:
    """The channels by which policies in force tell whoever is on duty on a rota."""
    steps = (step for each in policies(session) for step in each.steps)
    return frozenset(step.channel for step in steps if step.rota_id == rota_id)


def people(session: Session, area_id: int | None) -> list[Person]:
    """Active staff of an area, or of all areas, with the channels that reach them."""
    query = select(StaffRow).where(StaffRow.active).order_by(StaffRow.call_order, StaffRow.id)
    if area_id is not None:
        here = select(StaffAreaRow.staff_id).where(StaffAreaRow.area_id == area_id)
        query = query.where(StaffRow.id.in_(here))
    return [person(row) for row in session.scalars(query)]


def person(row: StaffRow) -> Person:
    """A member of staff as the policies see one."""
    found: set[Channel] = set()
    if row.phone is not None and row.phone_verified_at is not None:
        found.add(Channel.VOICE)
        if row.phone_stopped_at is None:
            found.add(Channel.SMS)
    if row.email is not None and row.email_verified_at is not None:
        found.add(Channel.EMAIL)
    return Person(
        staff_id=row.id, role=row.role, call_order=row.call_order, channels=frozenset(found)
    )


def rota(session: Session, row: RotaRow, from_at: datetime, until_at: datetime) -> Rota:
    """A rota with the changes that touch a stretch."""
    query = (
        select(RotaChangeRow)
        .where(
            RotaChangeRow.rota_id == row.id,
            RotaChangeRow.until_at > from_at,
            RotaChangeRow.from_at < until_at,
            RotaChangeRow.cancelled_at.is_(None),
        )
        .order_by(RotaChangeRow.id)
    )
    changes = session.scalars(query).all()
    return Rota(
        layers=tuple(msgspec.convert(row.layers, list[Layer])),
        timezone=row.timezone,
        swaps=tuple(_swap(each) for each in changes if each.kind == "swap" and each.agreed_at),
        overrides=tuple(_override(each) for each in changes if each.kind == "override"),
    )


def _swap(row: RotaChangeRow) -> Swap:
    assert row.staff_id is not None
    assert row.taken_by is not None
    return Swap(
        from_at=row.from_at, until_at=row.until_at, staff_id=row.staff_id, taken_by=row.taken_by
    )


def _override(row: RotaChangeRow) -> Override:
    return Override(
        from_at=row.from_at, until_at=row.until_at, staff_id=row.staff_id, reason=row.reason
    )


def active_rotas(session: Session, ids: Iterable[int] | None = None) -> list[RotaRow]:
    """Rotas in use: those named, or all."""
    query = select(RotaRow).where(RotaRow.active).order_by(RotaRow.id)
    if ids is not None:
        query = query.where(RotaRow.id.in_(list(ids)))
    return list(session.scalars(query))


def silences(session: Session, at: datetime) -> list[Silence]:
    """The silences that count at an instant."""
    query = select(SilenceRow).where(
        SilenceRow.from_at <= at, SilenceRow.until_at > at, SilenceRow.ended_at.is_(None)
    )
    return [silence(row) for row in session.scalars(query)]


def silence(row: SilenceRow) -> Silence:
    """A row as the rules see it."""
    kinds = None if row.kinds is None else frozenset(FindingKind(each) for each in row.kinds)
    return Silence(
        number=row.id,
        kind=SilenceKind(row.kind),
        from_at=row.from_at,
        until_at=row.until_at,
        author_id=row.author_id,
        reason=Reason(row.reason),
        words=row.words,
        kinds=kinds,
        wearer_id=row.wearer_id,
        device_id=row.device_id,
        gateway_id=row.gateway_id,
        condition_id=row.condition_id,
        approved_by=row.approved_by,
    )


def matter(session: Session, episode: EpisodeRow) -> Matter:
    """What an episode is about, for the silences."""
    query = (
        select(DeviceRow.id, DeviceRow.gateway_id)
        .join(FittingRow, FittingRow.device_id == DeviceRow.id)
        .where(FittingRow.id == episode.fitting_id)
    )
    device_id, gateway_id = session.execute(query).one()
    return Matter(
        wearer_id=episode.wearer_id,
        device_id=device_id,
        gateway_id=gateway_id,
        condition_id=episode.condition_id,
        kind=FindingKind(episode.kind),
    )


def gateway_is_down(session: Session, gateway_id: int | None) -> bool:
    """Whether a gateway's last will says that it is away; one that says nothing is not."""
    if gateway_id is None:
        return False
    row = session.get(GatewayRow, gateway_id)
    return row is not None and row.online is False
