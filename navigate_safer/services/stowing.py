"""Store messages of any kind: read by their codec, stored by content, marked to be judged.

The general form of intake, for whatever the columns of :mod:`navigate_safer.services.arrivals`
do not take: other kinds of reading, late data, repeats, devices on nobody, and refusals.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from devices.codec import Decoded
from devices.columns import Arrived
from devices.quality import Doubt, QualityLimits, doubts
from devices.readings import BatteryLevel, Fix, Reading
from devices.rejection import Reason, Rejected
from navigate_safer.db import readings
from navigate_safer.db.packed import Quality, micros_of, pack_accuracy, pack_quality
from navigate_safer.db.people import DeviceRow, FittingRow, GatewayRow
from navigate_safer.db.readings import Stored
from navigate_safer.db.telemetry import DeviceLatestRow, PendingRow, UnassignedRow
from navigate_safer.services import meeting_marks
from navigate_safer.services.arrival_groups import AHEAD
from navigate_safer.services.quarantine import Quarantine


class Message(msgspec.Struct, frozen=True):
    """One message as it came from the broker."""

    topic: str
    payload: bytes
    received_at: datetime


class Brought(msgspec.Struct, frozen=True, gc=False):
    """What a message brought: the registered gateway it came from, and readings that were read.

    ``sent_at`` is when it was sent, None where it does not say.
    """

    gateway: str | None
    readings: int
    sent_at: datetime | None


_Registered = TypeVar("_Registered", DeviceRow, GatewayRow)
Decoder = Callable[[str, bytes, datetime, QualityLimits], Decoded]


def _decode(message: Arrived, limits: QualityLimits, decoder: Decoder) -> Decoded:
    try:
        return decoder(message.topic, message.payload, message.received_at, limits)
    except Exception as fault:  # a fault of ours: the message is kept, its neighbours go on
        text = f"our own decoder failed ({type(fault).__name__}); the message is kept"
        return Decoded("", None, [], [Rejected(Reason.INTERNAL_FAULT, text)])


class Stowed:
    """What a batch's messages came to: see :meth:`store`."""

    def __init__(
        self,
        session: Session,
        now: datetime,
        limits: QualityLimits,
        decoder: Decoder,
        kept_bytes: int,
    ) -> None:
        self.session = session
        self.now = now
        self.limits = limits
        self.decoder = decoder
        self.quarantine = Quarantine(kept_bytes)
        self.devices: set[str] = set()
        self.brought: list[Brought] = []

    def store(self, messages: Sequence[Arrived]) -> tuple[Stored, set[int]]:
        """Store the messages; what was new, and the ids of the devices that are marked."""
        if not messages:
            return Stored(), set()
        decoded = [(message, _decode(message, self.limits, self.decoder)) for message in messages]
        self.devices = {each.device for _, each in decoded if each.device}
        devices = self._by_ref(DeviceRow, self.devices)
        gateways = self._by_ref(GatewayRow, {each.gateway for _, each in decoded})
        self.brought = [_brought(each, gateways.get(each.gateway)) for _, each in decoded]
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
        stored = readings.store(self.session, wanted)
        touched = self._after_storing(stored.new)
        fixes = [reading.stamp.measured_at for _, reading in stored.new if isinstance(reading, Fix)]
        meeting_marks.note_late(self.session, map(micros_of, fixes), self.now)
        # Last, because its counts are rows that every intake worker waits for.
        self.quarantine.write(self.session, self.now)
        return stored, touched

    def _by_ref(self, table: type[_Registered], refs: set[str]) -> dict[str, _Registered]:
        # Identifiers that no registered thing can have would only cost a look-up.
        known = [ref for ref in refs if 0 < len(ref) <= 64]
        rows = self.session.scalars(select(table).where(table.ref.in_(known)))
        return {row.ref: row for row in rows}

    def _status(self, message: Arrived, each: Decoded, gateway: GatewayRow | None) -> None:
        if gateway is None:
            text = "no gateway of this name is registered"
            self._quarantine(message, each, Rejected(Reason.UNKNOWN_GATEWAY, text))
            return
        # One that is repeated, or kept by the broker, changes nothing: since when is what counts.
        if gateway.online is not each.online or gateway.status_at is None:
            gateway.online, gateway.status_at = each.online, message.received_at

    def refuse(self, message: Arrived, rejected: Rejected) -> None:
        """Put a message into quarantine for a fault of ours."""
        self._quarantine(message, Decoded("", None, [], []), rejected)
        self.quarantine.write(self.session, self.now)

    def _quarantine(self, message: Arrived, each: Decoded, rejected: Rejected) -> None:
        self.quarantine.add(
            message.topic,
            message.payload,
            each.gateway,
            each.device,
            rejected,
            message.received_at,
        )

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
            mark = PendingRow(device_id=device_id, earliest_at=earliest_at, marked_at=self.now)
            self.session.add(mark)
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
        row.turn = (row.turn or 0) + 1
        row.calm = None
        fixes = [each for each in taken if isinstance(each, Fix)]
        if fixes:
            at = max(_believed_at(fix) for fix in fixes)
            row.fix_at = at if row.fix_at is None else max(at, row.fix_at)
            self._position(row, fixes)
        batteries = [each for each in taken if isinstance(each, BatteryLevel)]
        if batteries:
            last = max(batteries, key=_believed_at)
            at = _believed_at(last)
            if row.battery_at is None or at > row.battery_at:
                row.battery_at, row.charging = at, last.charging
                row.battery_percent = round(last.percent)

    def _position(self, row: DeviceLatestRow, fixes: Sequence[Fix]) -> None:
        # The position of a clock far ahead would make everything that follows look late.
        in_time = [fix for fix in fixes if fix.stamp.measured_at <= fix.stamp.received_at + AHEAD]
        fix = max(in_time, key=lambda each: each.stamp.measured_at, default=None)
        if fix is None:
            return
        at = fix.stamp.measured_at
        if row.position_at is None or at > row.position_at:
            quality = Quality(fix.source, doubts(fix, self.limits), fix.satellites, fix.hdop)
            row.position_at = at
            row.lat_e7, row.lon_e7 = round(fix.lat * 1e7), round(fix.lon * 1e7)
            row.accuracy = pack_accuracy(fix.accuracy_m)
            row.fix_quality = pack_quality(quality)

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


def _brought(each: Decoded, gateway: GatewayRow | None) -> Brought:
    sent_at = each.readings[0].stamp.sent_at if each.readings else None
    return Brought(None if gateway is None else gateway.ref, len(each.readings), sent_at)


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
