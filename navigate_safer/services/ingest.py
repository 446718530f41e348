"""Store what has arrived: one transaction a batch, once and only once, nothing dropped.

The caller acknowledges the messages after :func:`store_batch` has returned, never before.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

import msgspec
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from devices.codec import Decoded, decode
from devices.quality import Doubt, QualityLimits, doubts
from devices.readings import BatteryLevel, Fix, Reading
from devices.rejection import Reason, Rejected
from navigate_safer.db import audit, readings
from navigate_safer.db.base import Sessions
from navigate_safer.db.people import DeviceRow, FittingRow, GatewayRow
from navigate_safer.db.telemetry import (
    DeviceLatestRow,
    IngestBatchRow,
    PendingRow,
    UnassignedRow,
)
from navigate_safer.people.account import Act
from navigate_safer.services.quarantine import Quarantine

# Two intake workers that meet on one reading: one of them does its batch again.
TRIES_ON_COLLISION = 4


class Message(msgspec.Struct, frozen=True):
    """One message as it came from the broker."""

    topic: str
    payload: bytes
    received_at: datetime


class BatchResult(msgspec.Struct, frozen=True):
    """What a batch came to."""

    batch_id: int
    stored: int
    repeated: int
    refused: int
    devices: int


_Registered = TypeVar("_Registered", DeviceRow, GatewayRow)
Decoder = Callable[[str, bytes, datetime, QualityLimits], Decoded]


def store_batch(
    sessions: Sessions,
    messages: Sequence[Message],
    now: datetime,
    limits: QualityLimits,
    *,
    decoder: Decoder = decode,
) -> BatchResult:
    """Store a batch and commit. Raises only when the database cannot be written."""
    decoded = [(message, _decode(message, limits, decoder)) for message in messages]
    for remaining in reversed(range(TRIES_ON_COLLISION)):
        try:
            with sessions.begin() as session:
                return _Batch(session, now, limits).store(decoded)
        except IntegrityError:
            if not remaining:
                raise
    raise AssertionError("unreachable")


def note_committed(sessions: Sessions, batch_id: int, committed_at: datetime) -> None:
    """Write down when a batch was safe; measured after its commit, so in another transaction."""
    with sessions.begin() as session:
        session.get_one(IngestBatchRow, batch_id).committed_at = committed_at


def _decode(message: Message, limits: QualityLimits, decoder: Decoder) -> Decoded:
    try:
        return decoder(message.topic, message.payload, message.received_at, limits)
    except Exception as fault:  # a fault of ours: the message is kept, its neighbours go on
        text = f"our own decoder failed ({type(fault).__name__}); the message is kept"
        return Decoded("", None, [], [Rejected(Reason.INTERNAL_FAULT, text)])


class _Batch:
    def __init__(self, session: Session, now: datetime, limits: QualityLimits) -> None:
        self.session = session
        self.now = now
        self.limits = limits
        self.quarantine = Quarantine()

    def store(self, decoded: Sequence[tuple[Message, Decoded]]) -> BatchResult:
        devices = self._by_ref(DeviceRow, {each.device for _, each in decoded if each.device})
        gateways = self._by_ref(GatewayRow, {each.gateway for _, each in decoded})
        wanted: list[tuple[int, Reading, Doubt]] = []
        for message, each in decoded:
            for rejected in each.rejected:
                self._quarantine(message, each, rejected)
            gateway = gateways.get(each.gateway)
            if each.online is not None:
                self._status(message, each, gateway)
            elif each.readings:
                device = devices.get(each.device or "")
                refusal = _not_registered(device, gateway)
                if refusal is not None:
                    self._quarantine(message, each, refusal)
                elif device is not None:
                    wanted += [(device.id, r, doubts(r, self.limits)) for r in each.readings]
        self.quarantine.write(self.session, self.now)
        stored = readings.store(self.session, wanted)
        touched = self._after_storing(stored.new)
        batch = IngestBatchRow(
            received_at=min(message.received_at for message, _ in decoded),
            messages=len(decoded),
            stored=len(stored.new),
            repeated=stored.repeated,
            refused=self.quarantine.count,
        )
        self.session.add(batch)
        self.session.flush()
        self._log_collection(batch, touched)
        return BatchResult(batch.id, batch.stored, batch.repeated, batch.refused, len(touched))

    def _by_ref(self, table: type[_Registered], refs: set[str]) -> dict[str, _Registered]:
        # Identifiers that no registered thing can have would only cost a look-up.
        known = [ref for ref in refs if 0 < len(ref) <= 64]
        rows = self.session.scalars(select(table).where(table.ref.in_(known)))
        return {row.ref: row for row in rows}

    def _status(self, message: Message, each: Decoded, gateway: GatewayRow | None) -> None:
        if gateway is None:
            text = "no gateway of this name is registered"
            self._quarantine(message, each, Rejected(Reason.UNKNOWN_GATEWAY, text))
            return
        gateway.online = each.online
        gateway.status_at = message.received_at

    def _quarantine(self, message: Message, each: Decoded, rejected: Rejected) -> None:
        self.quarantine.add(message.topic, message.payload, each.gateway, each.device, rejected)

    def _after_storing(self, new: Sequence[tuple[int, Reading]]) -> set[int]:
        """Mark what must be judged, keep the newest at hand, note what belongs to nobody."""
        by_device: dict[int, list[Reading]] = {}
        for device_id, reading in new:
            by_device.setdefault(device_id, []).append(reading)
        fittings: dict[int, list[FittingRow]] = {}
        query = select(FittingRow).where(FittingRow.device_id.in_(by_device))
        for fitting in self.session.scalars(query):
            fittings.setdefault(fitting.device_id, []).append(fitting)
        # In one order, so that two workers that meet on the same devices wait and do not deadlock.
        for device_id, taken in sorted(by_device.items()):
            earliest_at = min(reading.stamp.measured_at for reading in taken)
            self.session.add(PendingRow(device_id=device_id, earliest_at=earliest_at))
            self._latest(device_id, taken)
            self._unassigned(device_id, taken, fittings.get(device_id, []))
        return set(by_device)

    def _latest(self, device_id: int, taken: Sequence[Reading]) -> None:
        newest = max(_believed_at(reading) for reading in taken)
        received_at = max(reading.stamp.received_at for reading in taken)
        row = self.session.get(DeviceLatestRow, device_id, with_for_update=True)
        if row is None:
            row = DeviceLatestRow(device_id=device_id, measured_at=newest, received_at=received_at)
            self.session.add(row)
        row.measured_at = max(row.measured_at, newest)
        row.received_at = max(row.received_at, received_at)
        for reading in taken:
            at = _believed_at(reading)
            if isinstance(reading, Fix) and (row.fix_at is None or at > row.fix_at):
                row.fix_at = at
            if isinstance(reading, BatteryLevel) and (
                row.battery_at is None or at > row.battery_at
            ):
                row.battery_at, row.charging = at, reading.charging
                row.battery_percent = round(reading.percent)

    def _unassigned(
        self, device_id: int, taken: Sequence[Reading], fittings: Sequence[FittingRow]
    ) -> None:
        loose = [
            reading.stamp.measured_at
            for reading in taken
            if not any(_worn(fitting, reading.stamp.measured_at) for fitting in fittings)
        ]
        if not loose:
            return
        row = self.session.get(UnassignedRow, device_id, with_for_update=True)
        if row is None:
            row = UnassignedRow(
                device_id=device_id, first_at=min(loose), last_at=max(loose), readings=0
            )
            self.session.add(row)
        row.first_at, row.last_at = min(row.first_at, *loose), max(row.last_at, *loose)
        row.readings += len(loose)

    def _log_collection(self, batch: IngestBatchRow, devices: set[int]) -> None:
        if not devices:
            return
        audit.record(
            self.session,
            Act.COLLECTION,
            "telemetry stored",
            at=self.now,
            actor="ingest",
            subject_kind="ingest_batch",
            subject_id=batch.id,
            detail={"readings": batch.stored, "devices": sorted(devices)},
        )


def _believed_at(reading: Reading) -> datetime:
    """When it was measured, but not after we had it: a clock ahead is not the newest for a day."""
    return min(reading.stamp.measured_at, reading.stamp.received_at)


def _not_registered(device: DeviceRow | None, gateway: GatewayRow | None) -> Rejected | None:
    if gateway is None:
        return Rejected(Reason.UNKNOWN_GATEWAY, "no gateway of this name is registered")
    if device is None:
        return Rejected(Reason.UNKNOWN_DEVICE, "no device of this name is registered")
    if device.gateway_id is not None and device.gateway_id != gateway.id:
        text = "the device is registered to another gateway than the one that sent this"
        return Rejected(Reason.WRONG_GATEWAY, text)
    return None


def _worn(fitting: FittingRow, at: datetime) -> bool:
    return fitting.fitted_at <= at and (fitting.removed_at is None or at < fitting.removed_at)
