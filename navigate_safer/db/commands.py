"""Tables of commands to devices, and the queries of whoever sends, hears and shows them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Float, ForeignKey, Index, Integer, String, Text, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from alerts.lifecycle import AlertState
from alerts.terms import DeviceKind
from devices.command import CommandState
from navigate_safer.db.alerting import AlertRow
from navigate_safer.db.base import Base, BigId, UTCDateTime
from navigate_safer.db.people import DeviceRow, FittingRow, GatewayRow, StaffRow, WearerRow
from navigate_safer.db.quarantine import IMPORT_TOPIC
from navigate_safer.db.telemetry import QuarantineRow
from navigate_safer.people.access import Permission, Scope

LIVE = tuple(state.value for state in CommandState if state.live)
_IS_LIVE = text("state in ('queued', 'sent', 'delivered')")
# How far back the panel looks for a device that another gateway speaks for.
ELSEWHERE_WITHIN = timedelta(hours=1)


class CommandRow(Base):
    """One command. ``due_at`` is when to try to send it; None once the broker has it.

    ``answer_at`` is when the fix that answers a locate was measured; the fix is with the others.
    """

    __tablename__ = "commands"
    __table_args__ = (
        Index("ix_commands_device_id_issued_at", "device_id", "issued_at"),
        Index(
            "ix_commands_expires_at",
            "expires_at",
            postgresql_where=_IS_LIVE,
            sqlite_where=_IS_LIVE,
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(32), unique=True)
    device_id: Mapped[int] = mapped_column(BigId, ForeignKey("devices.id"))
    wearer_id: Mapped[int] = mapped_column(BigId, ForeignKey("wearers.id"), index=True)
    staff_id: Mapped[int] = mapped_column(BigId, ForeignKey("staff.id"))
    alert_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("alerts.id"))
    kind: Mapped[str] = mapped_column(String(20))
    standing_text: Mapped[str | None] = mapped_column(String(40))
    reason: Mapped[str] = mapped_column(Text)
    issued_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    state: Mapped[str] = mapped_column(String(20))
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)
    tries: Mapped[int] = mapped_column(Integer, default=0)
    fault: Mapped[str | None] = mapped_column(String(40))
    answer_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    answer_accuracy_m: Mapped[float | None] = mapped_column(Float)


class CommandHistoryRow(Base):
    """What happened to a command, in order; the database refuses to change or delete a row."""

    __tablename__ = "command_history"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    command_id: Mapped[int] = mapped_column(BigId, ForeignKey("commands.id"), index=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    move: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(20))
    gateway: Mapped[str | None] = mapped_column(String(64))
    reason: Mapped[str | None] = mapped_column(String(100))


class CommandStep(msgspec.Struct, frozen=True):
    """One entry of a command's history."""

    at: datetime
    move: str
    gateway: str | None
    reason: str | None


class CommandLine(msgspec.Struct, frozen=True):
    """A command as the person page shows it."""

    command_id: int
    name: str
    device: str
    kind: str
    standing_text: str | None
    reason: str
    who: str
    issued_at: datetime
    expires_at: datetime
    state: str
    fault: str | None
    answer_at: datetime | None
    answer_accuracy_m: float | None
    steps: list[CommandStep]


class Way(msgspec.Struct, frozen=True):
    """How a device can be reached.

    ``locates`` whether it has positions; ``gateway`` is its own, None when any may speak for it;
    ``online`` what that gateway says of itself; ``elsewhere`` other gateways that were refused
    because they spoke for it.
    """

    device: str
    locates: bool
    gateway: str | None
    online: bool | None
    status_at: datetime | None
    elsewhere: list[str]


def fitted(session: Session, scope: Scope, wearer_ref: str) -> tuple[WearerRow, list[DeviceRow]]:
    """A wearer of the scope and the devices on him now; raises LookupError for anybody else."""
    scope.require(Permission.COMMAND_DEVICES)
    wearer = session.scalar(
        select(WearerRow).where(WearerRow.ref == wearer_ref, WearerRow.area_id.in_(scope.areas))
    )
    if wearer is None:
        raise LookupError("no such wearer in the scope")
    query = (
        select(DeviceRow)
        .join(FittingRow, FittingRow.device_id == DeviceRow.id)
        .where(FittingRow.wearer_id == wearer.id, FittingRow.removed_at.is_(None))
        .order_by(DeviceRow.ref)
    )
    return wearer, list(session.scalars(query))


def taken_off_at(session: Session, row: CommandRow) -> datetime | None:
    """When the device of a command came off the wearer it was asked for; None while it is on."""
    query = select(FittingRow.removed_at).where(
        FittingRow.device_id == row.device_id, FittingRow.wearer_id == row.wearer_id
    )
    ends = session.scalars(query).all()
    known = [each for each in ends if each is not None]
    return None if len(known) < len(ends) else max(known, default=row.issued_at)


def live_alert(session: Session, wearer_id: int) -> AlertRow | None:
    """The newest alert of a wearer that nobody has resolved."""
    query = select(AlertRow).where(
        AlertRow.wearer_id == wearer_id, AlertRow.state != AlertState.RESOLVED.value
    )
    return session.scalar(query.order_by(AlertRow.opened_at.desc()).limit(1))


def issued_since(session: Session, device_id: int, since: datetime) -> Sequence[CommandRow]:
    """Commands to a device since a time, oldest first."""
    query = select(CommandRow).where(
        CommandRow.device_id == device_id, CommandRow.issued_at >= since
    )
    return session.scalars(query.order_by(CommandRow.issued_at, CommandRow.id)).all()


def next_due(session: Session, now: datetime) -> CommandRow | None:
    """The command that has waited longest to be sent, locked; those that others hold are left."""
    return session.scalar(
        select(CommandRow)
        .where(CommandRow.due_at <= now, CommandRow.expires_at > now)
        .order_by(CommandRow.due_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


def targets(session: Session, device: DeviceRow) -> list[str]:
    """The gateways a command goes to.

    A device with a gateway is reached through that one alone. Any gateway may speak for another
    device, so that the command goes to each that is online, and to all when none says so; but not
    to gateways that are known to serve other areas only.
    """
    query = select(GatewayRow).order_by(GatewayRow.ref)
    if device.gateway_id is not None:
        query = query.where(GatewayRow.id == device.gateway_id)
    gateways = list(session.scalars(query))
    if device.gateway_id is None:
        elsewhere = _of_other_areas(session, device)
        gateways = [each for each in gateways if each.id not in elsewhere]
    online = [each.ref for each in gateways if each.online]
    return online or [each.ref for each in gateways]


def _of_other_areas(session: Session, device: DeviceRow) -> set[int]:
    """Gateways whose own devices are all on wearers of other areas than this device's.

    A gateway has no area of its own, and one without such devices may be anywhere.
    """
    worn = select(WearerRow.area_id).join(FittingRow, FittingRow.wearer_id == WearerRow.id)
    worn = worn.where(FittingRow.removed_at.is_(None))
    own = set(session.scalars(worn.where(FittingRow.device_id == device.id)))
    served: dict[int, set[int]] = {}
    query = worn.join(DeviceRow, DeviceRow.id == FittingRow.device_id).add_columns(
        DeviceRow.gateway_id
    )
    for area, gateway in session.execute(query.where(DeviceRow.gateway_id.is_not(None)).distinct()):
        served.setdefault(gateway, set()).add(area)
    return {gateway for gateway, areas in served.items() if own and not areas & own}


def live(session: Session, kind: str | None = None) -> list[CommandRow]:
    """Commands for which something is still waited, oldest first."""
    query = select(CommandRow).where(CommandRow.state.in_(LIVE))
    if kind is not None:
        query = query.where(CommandRow.kind == kind)
    return list(session.scalars(query.order_by(CommandRow.expires_at)))


def by_name(session: Session, name: str) -> CommandRow | None:
    """The command a device speaks of, locked."""
    return session.scalar(select(CommandRow).where(CommandRow.name == name).with_for_update())


def lines(session: Session, wearer_id: int, most: int) -> list[CommandLine]:
    """The newest commands to the devices of a wearer, newest first."""
    query = (
        select(CommandRow, DeviceRow.ref, StaffRow.name)
        .join(DeviceRow, DeviceRow.id == CommandRow.device_id)
        .join(StaffRow, StaffRow.id == CommandRow.staff_id)
        .where(CommandRow.wearer_id == wearer_id)
        .order_by(CommandRow.id.desc())
        .limit(most)
    )
    found = list(session.execute(query))
    steps = _steps(session, [row.id for row, _, _ in found])
    return [
        CommandLine(
            command_id=row.id,
            name=row.name,
            device=device,
            kind=row.kind,
            standing_text=row.standing_text,
            reason=row.reason,
            who=who,
            issued_at=row.issued_at,
            expires_at=row.expires_at,
            state=row.state,
            fault=row.fault,
            answer_at=row.answer_at,
            answer_accuracy_m=row.answer_accuracy_m,
            steps=steps.get(row.id, []),
        )
        for row, device, who in found
    ]


def _steps(session: Session, ids: Sequence[int]) -> dict[int, list[CommandStep]]:
    steps: dict[int, list[CommandStep]] = {}
    query = select(CommandHistoryRow).where(CommandHistoryRow.command_id.in_(ids))
    for row in session.scalars(query.order_by(CommandHistoryRow.id)):
        step = CommandStep(row.at, row.move, row.gateway, row.reason)
        steps.setdefault(row.command_id, []).append(step)
    return steps


def ways(session: Session, devices: Sequence[DeviceRow], now: datetime) -> list[Way]:
    """How each device can be reached."""
    gateways = {row.id: row for row in session.scalars(select(GatewayRow))}
    found = []
    for device in devices:
        gateway = None if device.gateway_id is None else gateways[device.gateway_id]
        found.append(
            Way(
                device.ref,
                device.kind == DeviceKind.LOCATION_TAG.value,
                None if gateway is None else gateway.ref,
                None if gateway is None else gateway.online,
                None if gateway is None else gateway.status_at,
                _elsewhere(session, device.ref, now - ELSEWHERE_WITHIN),
            )
        )
    return found


def _elsewhere(session: Session, device: str, since: datetime) -> list[str]:
    query = (
        select(QuarantineRow.gateway, func.max(QuarantineRow.last_at))
        .where(
            QuarantineRow.reason == "wrong_gateway",
            QuarantineRow.device == device,
            QuarantineRow.last_at >= since,
            # Whoever imports a file speaks for nobody on the air.
            ~QuarantineRow.topic.startswith(IMPORT_TOPIC),
        )
        .group_by(QuarantineRow.gateway)
    )
    return sorted(gateway for gateway, _ in session.execute(query))
