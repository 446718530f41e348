"""What intake must know of each device that reports, and what it writes of each after a batch."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row, exists, func, select, update
from sqlalchemy.orm import Session

from devices.columns import Ints
from navigate_safer.db.people import DeviceRow, FittingRow, GatewayRow
from navigate_safer.db.telemetry import DeviceLatestRow, JudgementRow, PendingRow

# Names looked up in one statement.
_AT_ONCE = 1_000


class Latest(msgspec.Struct, frozen=True):
    """The newest of some devices, in columns, in the order of ``device_id``.

    Written where the stored turn is still ``turn`` and the last position is still that of
    ``seen_us``; ``step`` 1 writes in any case and makes the turn the next one. ``calm`` replaces
    what is stored where ``kept`` is False. Times are microseconds since 1970, UTC; ``accuracy``
    and ``fix_quality`` are packed as in ``fixes``.
    """

    device_id: Ints
    turn: Ints
    step: Ints
    seen_us: Ints
    believed_us: Ints
    received_us: Ints
    position_us: Ints
    lat_e7: Ints
    lon_e7: Ints
    accuracy: Ints
    fix_quality: Ints
    kept: list[bool]
    calm: list[str | None]


class Saved(msgspec.Struct, frozen=True):
    """A fitting's states after a batch, to be written over ``version``; ``states`` is JSON."""

    fitting_id: int
    version: int
    through_us: int
    states: str
    check_after: datetime | None
    quiet_s: int | None
    ends_at: datetime | None


class Marks(msgspec.Struct, frozen=True):
    """Pending marks to be left: devices, the earliest of their readings to be judged, and now."""

    device_id: Ints
    earliest_us: Ints
    marked_us: Ints


class Kept(msgspec.Struct, frozen=True):
    """A checkpoint: states as JSON, after the readings up to ``at``."""

    fitting_id: int
    at: datetime
    states: str


class Reporting(msgspec.Struct, frozen=True):
    """A registered device: its present fitting, its last position, how its judgement stands.

    ``fitting_id`` is None where it is on nobody, or where more than one fitting is open.
    ``settled`` says that every stored reading has been judged.
    """

    device_id: int
    device: str
    kind: str
    gateway_id: int | None
    fitting_id: int | None
    fitted_at: datetime | None
    settled: bool
    judged: bool
    latest: DeviceLatestRow | None


def gateways(session: Session) -> dict[str, int]:
    """Every registered gateway's id by its name."""
    return dict(session.execute(select(GatewayRow.ref, GatewayRow.id)).all())


def reporting(session: Session, devices: Collection[str]) -> dict[str, Reporting]:
    """Those of the devices that are registered, by name."""
    found: dict[str, Reporting] = {}
    ordered = sorted(devices)
    for begin in range(0, len(ordered), _AT_ONCE):
        for row in _rows(session, ordered[begin : begin + _AT_ONCE]):
            found[row.DeviceRow.ref] = _reporting(row, row.DeviceRow.ref in found)
    return found


def _rows(session: Session, devices: Sequence[str]) -> Sequence[Any]:
    pending = exists().where(PendingRow.device_id == DeviceRow.id)
    open_now = (FittingRow.device_id == DeviceRow.id) & FittingRow.removed_at.is_(None)
    query = (
        select(
            DeviceRow,
            FittingRow.id.label("fitting_id"),
            FittingRow.fitted_at,
            JudgementRow.through,
            DeviceLatestRow,
            pending.label("pending"),
        )
        .outerjoin(FittingRow, open_now)
        .outerjoin(JudgementRow, JudgementRow.fitting_id == FittingRow.id)
        .outerjoin(DeviceLatestRow, DeviceLatestRow.device_id == DeviceRow.id)
        .where(DeviceRow.ref.in_(devices))
        # What an earlier batch of this session loaded may have been written by raw statements.
        .execution_options(populate_existing=True)
    )
    return session.execute(query).all()


def _reporting(row: Row[Any], again: bool) -> Reporting:
    device: DeviceRow = row.DeviceRow
    return Reporting(
        device_id=device.id,
        device=device.ref,
        kind=device.kind,
        gateway_id=device.gateway_id,
        fitting_id=None if again else row.fitting_id,
        fitted_at=row.fitted_at,
        settled=not row.pending,
        judged=row.through is not None,
        latest=row.DeviceLatestRow,
    )


def judgements(session: Session, fitting_ids: Collection[int]) -> Sequence[JudgementRow]:
    """The stored states of fittings, as they are now."""
    query = select(JudgementRow).where(JudgementRow.fitting_id.in_(fitting_ids))
    return session.scalars(query.execution_options(populate_existing=True)).all()


def newest_turns(session: Session, device_ids: Collection[int]) -> dict[int, int]:
    """The turn of each device."""
    query = select(DeviceLatestRow.device_id, DeviceLatestRow.turn)
    rows = session.execute(query.where(DeviceLatestRow.device_id.in_(device_ids)))
    return dict(rows.all())


def say_calm(session: Session, device_id: int, turn: int, calm: str | None) -> None:
    """Store where a device is calm, unless its turn has gone on meanwhile."""
    session.execute(
        update(DeviceLatestRow)
        .where(DeviceLatestRow.device_id == device_id, DeviceLatestRow.turn == turn)
        .values(calm=calm)
    )


def turn_on(session: Session, device_id: int) -> datetime | None:
    """What intake has at hand about the device's judgement is no longer so.

    Gives back when the device was last heard, as it stands with this row held.
    """
    return session.scalar(
        update(DeviceLatestRow)
        .where(DeviceLatestRow.device_id == device_id)
        .values(calm=None, turn=DeviceLatestRow.turn + 1)
        .returning(DeviceLatestRow.measured_at)
    )


def devices_known(session: Session) -> int:
    """How many devices are registered."""
    return session.scalar(select(func.count()).select_from(DeviceRow)) or 0
