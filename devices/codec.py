"""Topic and bytes in, readings and refusals out: the one door for every message format.

Values are put on the grid that the database keeps (1e-7 degrees, a tenth of a metre, 1e-6 g/dl,
milliseconds), so that judging on arrival and judging again from the table see the same numbers.
"""

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from devices import mdss, native, owntracks
from devices.native import MessageRefused, Wire, refuse
from devices.quality import QualityLimits, position_fault, time_fault
from devices.readings import (
    AlcoholSample,
    BatteryLevel,
    DeviceEvent,
    EventState,
    Fix,
    FixSource,
    Reading,
    Stamp,
    accuracy_on_grid,
)
from devices.rejection import Reason, Rejected


class Decoded(msgspec.Struct, frozen=True):
    """What a message held. ``device`` is None when the message names none."""

    gateway: str
    device: str | None
    readings: list[Reading]
    rejected: list[Rejected]
    online: bool | None = None


TELEMETRY = "telemetry/v1"
STATUS = "status/v1"
OWNTRACKS = "owntracks"
MDSS = "mdss/v1"
SUBSCRIPTIONS = (f"{TELEMETRY}/+/+", f"{STATUS}/+", f"{OWNTRACKS}/+/+", f"{MDSS}/+/+")

_Decoder = Callable[[str, str, bytes, datetime, QualityLimits], Decoded]


def decode(topic: str, payload: bytes, received_at: datetime, limits: QualityLimits) -> Decoded:
    """Decode one message. Never raises for anything a sender can do: faults are in the result."""
    gateway, device = "", None
    try:
        parts = topic.split("/")
        if len(payload) > limits.max_payload_bytes:
            text = f"{len(payload):,} bytes; the limit is {limits.max_payload_bytes:,}"
            refuse(Reason.TOO_LARGE, text)
        if topic.startswith(STATUS + "/") and len(parts) == 3:
            return _status(parts[2], payload)
        for prefix, decoder in _DECODERS.items():
            depth = prefix.count("/") + 1
            if topic.startswith(prefix + "/") and len(parts) == depth + 2:
                gateway, device = parts[depth], parts[depth + 1]
                return decoder(gateway, device, payload, received_at, limits)
        refuse(Reason.UNKNOWN_TOPIC, "no message format belongs to this topic")
    except MessageRefused as fault:
        return Decoded(gateway, device, [], [fault.rejected])


def _status(gateway: str, payload: bytes) -> Decoded:
    word = payload[:16].strip().lower()
    if word not in (b"online", b"offline"):
        refuse(Reason.INVALID, "a gateway's status is the word online or offline")
    return Decoded(gateway, None, [], [], online=word == b"online")


def _native(
    gateway: str, device: str, payload: bytes, received_at: datetime, limits: QualityLimits
) -> Decoded:
    message = native.unpack(payload)
    if message.device != device:
        refuse(Reason.WRONG_TOPIC, "the message names another device than its topic")
    template = Stamp(device, received_at, _utc(message.sent_at), received_at, message.seq)
    decoded = Decoded(gateway, device, [], list(message.rejected))
    for index, wire in message.readings:
        _accept(decoded, wire, template, limits, index)
    return decoded


def _owntracks(
    gateway: str, device: str, payload: bytes, received_at: datetime, limits: QualityLimits
) -> Decoded:
    message = owntracks.unpack(payload)
    template = Stamp(device, received_at, _utc(message.sent_at), received_at)
    decoded = Decoded(gateway, device, [], list(message.rejected))
    for index, wire in enumerate(message.readings):
        _accept(decoded, wire, template, limits, index)
    return decoded


def _mdss(
    gateway: str, device: str, payload: bytes, received_at: datetime, limits: QualityLimits
) -> Decoded:
    message = mdss.unpack(payload, device)
    decoded = Decoded(gateway, device, [], list(message.rejected))
    for told in message.readings:
        template = Stamp(device, received_at, told.sent_at, received_at)
        _accept(decoded, told.wire, template, limits, told.index)
    return decoded


_DECODERS: dict[str, _Decoder] = {TELEMETRY: _native, OWNTRACKS: _owntracks, MDSS: _mdss}


def _accept(
    decoded: Decoded, wire: Wire, template: Stamp, limits: QualityLimits, index: int
) -> None:
    fault = time_fault(wire.at, template.received_at, limits, index)
    if fault is None and isinstance(wire, native.WireFix):
        fault = position_fault(wire.lat, wire.lon, limits, index)
    if fault is not None:
        decoded.rejected.append(fault)
    else:
        decoded.readings.append(_reading(wire, template))


def _reading(wire: Wire, template: Stamp) -> Reading:
    stamp = msgspec.structs.replace(template, measured_at=_to_millisecond(wire.at))
    match wire:
        case native.WireFix():
            return Fix(
                stamp,
                _on_grid(wire.lat, 1e7),
                _on_grid(wire.lon, 1e7),
                accuracy_on_grid(wire.accuracy_m),
                FixSource[wire.source.upper()],
                _tenth(wire.speed_kmh),
                _tenth(wire.heading_deg),
                wire.satellites,
                _tenth(wire.hdop),
            )
        case native.WireAlcohol():
            return AlcoholSample(
                stamp,
                round(wire.tac_g_dl, 6),
                None if wire.ir_v is None else round(wire.ir_v, 3),
                None if wire.skin_temp_c is None else round(wire.skin_temp_c, 2),
            )
        case native.WireEvent():
            return DeviceEvent(stamp, wire.code, EventState(wire.state))
        case native.WireBattery():
            return BatteryLevel(stamp, round(wire.percent, 1), wire.charging)


def _on_grid(value: float, steps: float) -> float:
    # By multiplication, as the columns of devices.columns and the rows do: `round` to decimals
    # takes another side of the middle now and then, and a repeat would look like news.
    return round(value * steps) / steps


def _tenth(value: float | None) -> float | None:
    return None if value is None else _on_grid(value, 10)


def _utc(at: datetime | None) -> datetime | None:
    try:
        return None if at is None else at.astimezone(UTC)
    except OverflowError:
        refuse(Reason.OUT_OF_RANGE, "sent_at: lies outside the years 1 to 9999 in UTC")


def _to_millisecond(at: datetime) -> datetime:
    at = at.astimezone(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)
