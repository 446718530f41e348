"""Stored readings of any age given out again, as messages or judged anew; nothing is changed."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts import judge as judging
from alerts.finding import Finding
from alerts.judge import States
from alerts.terms import DeviceKind
from devices import native
from devices.readings import AlcoholSample, BatteryLevel, DeviceEvent, Fix, Reading, order_key
from navigate_safer.db import audit, readings, terms
from navigate_safer.db.base import Sessions
from navigate_safer.db.people import DeviceRow
from navigate_safer.db.terms import FittingOf
from navigate_safer.people.account import Act

# So much is read and given out at once.
STEP = timedelta(days=1)


class UnknownDevice(Exception):
    """No device of this name is registered."""


class Judged(msgspec.Struct, frozen=True):
    """A finding of one fitting, as its rule gives it."""

    fitting_id: int
    finding: Finding


def begin(
    sessions: Sessions, device: str, from_at: datetime, to_at: datetime, now: datetime
) -> int:
    """Log that a device's readings are looked at; its id. Raises UnknownDevice."""
    with sessions.begin() as session:
        # Where a protected person is, nobody reads out: her device is like none.
        known = select(DeviceRow.id).where(
            DeviceRow.ref == device, DeviceRow.kind != DeviceKind.PROTECTED_PERSON.value
        )
        device_id = session.scalar(known)
        if device_id is None:
            raise UnknownDevice(device)
        audit.record(
            session,
            Act.CONSULTATION,
            "readings replayed",
            at=now,
            actor="command line",
            subject_kind="device",
            subject_id=device_id,
            detail={"from": from_at.isoformat(), "to": to_at.isoformat()},
        )
        return device_id


def steps(from_at: datetime, to_at: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The span in shares of a day, each from its begin to before its end."""
    while from_at < to_at:
        ends = min(from_at + STEP, to_at)
        yield from_at, ends
        from_at = ends


def stored(
    sessions: Sessions, device_id: int, device: str, from_at: datetime, to_at: datetime
) -> list[Reading]:
    """Readings with ``from_at <= measured_at < to_at`` in the order of judgement.

    Raises ArchiveUnreadable where an archived day among them cannot be read.
    """
    with sessions() as session:
        found = readings.between(session, device_id, device, None, to_at, from_at=from_at)
    return sorted(found, key=order_key)


def message_of(reading: Reading) -> bytes:
    """The reading as a message of one reading that intake would store as this reading."""
    stamp = reading.stamp
    envelope = native.Envelope(1, stamp.device, [_wire(reading)], stamp.seq, stamp.sent_at)
    return msgspec.json.encode(envelope)


def _wire(reading: Reading) -> native.Wire:
    at = reading.stamp.measured_at
    match reading:
        case Fix():
            return native.WireFix(
                at,
                reading.lat,
                reading.lon,
                reading.accuracy_m,
                _SOURCES[reading.source.name],
                reading.speed_kmh,
                reading.heading_deg,
                reading.satellites,
                reading.hdop,
            )
        case AlcoholSample():
            return native.WireAlcohol(at, reading.tac_g_dl, reading.ir_v, reading.skin_temp_c)
        case DeviceEvent():
            return native.WireEvent(at, reading.code, reading.state.value)
        case BatteryLevel():
            return native.WireBattery(at, reading.percent, reading.charging)


_Source = Literal["gps", "rf", "wifi", "lbs"]
_SOURCES: dict[str, _Source] = {"GPS": "gps", "RF": "rf", "LBS": "lbs", "WIFI": "wifi"}


class Judgement:
    """Judges readings anew, share by share, with the stored terms of each fitting.

    Begins as if nothing were known before the first of them.
    """

    def __init__(self, session: Session, device_id: int) -> None:
        self._fittings = terms.fittings_of_device(session, device_id)
        self._states = {each.fitting.fitting_id: States() for each in self._fittings}
        self._found: dict[tuple[int, tuple[int, str, datetime]], Judged] = {}

    def take(self, ordered: Sequence[Reading]) -> None:
        """Judge the next readings."""
        for of in self._fittings:
            worn = [each for each in ordered if of.fitting.worn_at(each.stamp.measured_at)]
            if worn:
                self._judge(of, worn)

    def _judge(self, of: FittingOf, worn: Sequence[Reading]) -> None:
        fitting_id = of.fitting.fitting_id
        outcome = judging.judge(of.fitting, self._states[fitting_id], worn)
        self._states[fitting_id] = outcome.states
        for key, finding in outcome.findings.items():
            self._found[(fitting_id, key)] = Judged(fitting_id, finding)

    def findings(self) -> list[Judged]:
        """Everything found so far, each as it was last found, in the order of its begin."""
        return sorted(self._found.values(), key=lambda each: each.finding.started_at)


def judgement(sessions: Sessions, device_id: int) -> Judgement:
    """A judgement of a device's readings from nothing."""
    with sessions() as session:
        return Judgement(session, device_id)
