"""Many messages of fixes at once, in columns: the fast way in for what tags send most.

Takes the messages of :mod:`devices.native` that hold fixes, nothing else, and nothing to object
to. Every other message is left to :mod:`devices.codec`, which says the same of the same bytes;
a test compares the two.
"""

from collections.abc import Sequence
from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta
from typing import Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from devices import native
from devices.native import Envelope, WireFix
from devices.quality import Doubt, QualityLimits
from devices.readings import FixSource

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

# Stands for a time that the sender did not give, and for a number that the tag did not.
NO_TIME_US = -(2**63)
NONE = -1
FINEST_ACCURACY_DM = 32_767

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_MICROSECOND = timedelta(microseconds=1)
_SOURCES = {each.name.lower(): int(each) for each in FixSource}
_FAULTS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError)


class Arrived(Protocol):
    """A message as intake holds it."""

    @property
    def topic(self) -> str: ...  # noqa: D102
    @property
    def payload(self) -> bytes: ...  # noqa: D102
    @property
    def received_at(self) -> datetime: ...  # noqa: D102


class FixColumns(msgspec.Struct, frozen=True):
    """Fixes in columns of one length, in the order of the messages; all on the codec's grid.

    ``message`` is the place in the sequence that was given. Times are microseconds since 1970,
    UTC; ``sent_us`` may be NO_TIME_US. Degrees in 1e-7; ``accuracy_m`` metres; tenths of km/h,
    of degrees of heading and of HDOP, and satellites, each NONE where the tag gave none.
    """

    message: Ints
    measured_us: Ints
    received_us: Ints
    sent_us: Ints
    lat_e7: Ints
    lon_e7: Ints
    accuracy_m: Floats
    source: Ints
    speed_dkmh: Ints
    heading_ddeg: Ints
    satellites: Ints
    hdop_tenths: Ints
    doubts: Ints

    def __len__(self) -> int:
        """How many fixes."""
        return len(self.message)

    def take(self, which: Flags | Ints) -> "FixColumns":
        """Some of the rows, by a mask or by their places."""
        return FixColumns(*(column[which] for column in msgspec.structs.astuple(self)))


class Split(msgspec.Struct, frozen=True):
    """The fixes that could be taken, and the places of the messages that are left to the codec."""

    fixes: FixColumns
    left: list[int]


def split(messages: Sequence[Arrived], limits: QualityLimits) -> Split:
    """Take what is simple. Never raises for anything a sender can do."""
    kept: list[int] = []
    envelopes: list[Envelope] = []
    left: list[int] = []
    for place, message in enumerate(messages):
        envelope = _simple(message, limits)
        if envelope is None:
            left.append(place)
        else:
            kept.append(place)
            envelopes.append(envelope)
    try:
        fixes = _columns(messages, kept, envelopes, limits)
    except OverflowError:  # a time so far off that UTC has no year for it: the codec names it
        return Split(_columns(messages, [], [], limits), list(range(len(messages))))
    objected = _objections(fixes, limits)
    if objected.any():
        at_fault = set(fixes.message[objected].tolist())
        left = sorted({*left, *at_fault})
        fixes = fixes.take(~np.isin(fixes.message, list(at_fault)))
    return Split(fixes, left)


def _simple(message: Arrived, limits: QualityLimits) -> Envelope | None:
    payload, topic = message.payload, message.topic
    if len(payload) > limits.max_payload_bytes or not topic.startswith("telemetry/v1/"):
        return None
    try:
        envelope = native.decode_strictly(payload)
    except _FAULTS:
        return None
    if topic.count("/") != 3 or not topic.endswith("/" + envelope.device):
        return None
    sent_at = envelope.sent_at
    if sent_at is not None and not MINYEAR < sent_at.year < MAXYEAR:
        return None  # UTC may have no year for it: the codec looks
    if any(type(each) is not WireFix for each in envelope.readings):
        return None
    return envelope


def _columns(
    messages: Sequence[Arrived],
    kept: Sequence[int],
    envelopes: Sequence[Envelope],
    limits: QualityLimits,
) -> FixColumns:
    wires: list[WireFix] = []
    for envelope in envelopes:
        wires.extend(envelope.readings)  # type: ignore[arg-type]  # _simple has seen to it
    counts = [len(envelope.readings) for envelope in envelopes]
    received = [(messages[place].received_at - _EPOCH) // _MICROSECOND for place in kept]
    sent = [
        NO_TIME_US if each.sent_at is None else (each.sent_at - _EPOCH) // _MICROSECOND
        for each in envelopes
    ]
    columns = FixColumns(
        message=np.repeat(_ints(kept), counts),
        measured_us=_ints([(each.at - _EPOCH) // _MILLISECOND for each in wires]) * 1000,
        received_us=np.repeat(_ints(received), counts),
        sent_us=np.repeat(_ints(sent), counts),
        lat_e7=_scaled([each.lat for each in wires], 1e7),
        lon_e7=_scaled([each.lon for each in wires], 1e7),
        accuracy_m=_accuracy([each.accuracy_m for each in wires]),
        source=_ints([_SOURCES[each.source] for each in wires]),
        speed_dkmh=_scaled([each.speed_kmh for each in wires], 10),
        heading_ddeg=_scaled([each.heading_deg for each in wires], 10),
        satellites=_scaled([each.satellites for each in wires], 1),
        hdop_tenths=_scaled([each.hdop for each in wires], 10),
        doubts=np.zeros(len(wires), dtype=np.int64),
    )
    return msgspec.structs.replace(columns, doubts=_doubts(columns, limits))


def _ints(values: Sequence[int]) -> Ints:
    return np.array(values, dtype=np.int64)


def _scaled(values: Sequence[float | None], factor: float) -> Ints:
    """To whole steps of the grid, half to even as the codec rounds; NONE for what is absent."""
    floats = np.array(values, dtype=np.float64)
    steps = np.rint(floats * factor)
    steps[np.isnan(floats)] = NONE
    return steps.astype(np.int64)


def _accuracy(values: Sequence[float]) -> Floats:
    """The grid of :func:`devices.readings.accuracy_on_grid`."""
    tenths = np.rint(np.array(values, dtype=np.float64) * 10)
    return np.where(tenths <= FINEST_ACCURACY_DM, tenths / 10, np.rint(tenths / 100) * 10)


def _doubts(fixes: FixColumns, limits: QualityLimits) -> Ints:
    """As :func:`devices.quality.doubts`."""
    delay_us = fixes.received_us - fixes.measured_us
    found = np.zeros(len(fixes), dtype=np.int64)
    found[delay_us < -limits.skew_s * 1_000_000] |= int(Doubt.CLOCK_AHEAD)
    found[delay_us > limits.late_s * 1_000_000] |= int(Doubt.LATE)
    found[fixes.accuracy_m > limits.inaccurate_m] |= int(Doubt.INACCURATE)
    found[~_within(fixes.lon_e7, fixes.lat_e7, limits)] |= int(Doubt.OUTSIDE_SERVICE_AREA)
    return found


def _objections(fixes: FixColumns, limits: QualityLimits) -> Flags:
    """As :func:`devices.quality.time_fault` and ``position_fault``, or a little more often."""
    ahead_us = fixes.measured_us - fixes.received_us
    swapped = ~_within(fixes.lon_e7, fixes.lat_e7, limits) & _within(
        fixes.lat_e7, fixes.lon_e7, limits
    )
    return (
        swapped
        | (ahead_us >= limits.future_s * 1_000_000)
        | (-ahead_us >= limits.past_days * 86_400_000_000)
    )


def _within(lon_e7: Ints, lat_e7: Ints, limits: QualityLimits) -> Flags:
    lon, lat, area = lon_e7 / 1e7, lat_e7 / 1e7, limits.area
    return (area.west <= lon) & (lon <= area.east) & (area.south <= lat) & (lat <= area.north)
