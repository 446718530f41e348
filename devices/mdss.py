"""The position and event records of the Ministry's tag supplier feed (MDSS).

Topic ``mdss/v1/<gateway>/<device>``. The payload is one record, or an object with lists of them
under ``positions`` and ``events``; field names are those of the feed's tables. Its times without
an offset are UTC, as those tables say. What the supplier concluded (zones, curfews, criticality)
is kept as an event of the device and never taken for a judgement: judging is ours, on the fixes.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from devices.mdss_codes import event_of
from devices.native import (
    MessageRefused,
    Wire,
    WireBattery,
    WireEvent,
    WireFix,
    load_leniently,
    refuse,
    say,
)
from devices.rejection import Reason, Rejected
from devices.vendor_time import LONGEST_DATE

MOST_RECORDS = 5_000
# The feed's numbers for how a position was found. Another number is a mechanism that the
# Ministry's own pages call unknown; it is taken as the least exact of the four.
_MECHANISMS = {1: "gps", 4: "rf", 5: "lbs", 6: "wifi"}
_UNKNOWN_MECHANISM = "lbs"
# A record without its precision says nothing of its error: the stand-in of this project, wide
# enough that no small zone is decided by it alone (as for a telephone without one).
UNKNOWN_PRECISION_M = 100.0
# What native.load_leniently makes of numbers that JSON does not have.
NOT_FINITE = ("<NaN>", "<Infinity>", "<-Infinity>")

_Time = Annotated[str, Meta(min_length=10, max_length=40)]
_Id = int | Annotated[str, Meta(min_length=1, max_length=64)]


class Position(msgspec.Struct, frozen=True):
    """One row of the feed's positions; metres, km/h, degrees."""

    position_gps_date: _Time
    position_latitude: Annotated[float, Meta(ge=-90, le=90)]
    position_longitude: Annotated[float, Meta(ge=-180, le=180)]
    device_id: _Id | None = None
    position_precision: Annotated[float, Meta(ge=0, le=200_000)] | None = None
    position_lbs: int | None = None
    position_speed: Annotated[float, Meta(ge=0, le=2_000)] | None = None
    position_direction: Annotated[float, Meta(ge=0, le=360)] | None = None
    position_satellite: Annotated[int, Meta(ge=0, le=200)] | None = None
    position_hdop: Annotated[float, Meta(ge=0, le=500)] | None = None
    position_uploaded_date: _Time | None = None


class Event(msgspec.Struct, frozen=True):
    """One row of the feed's events; what ``event_status_flags`` holds depends on the code."""

    event_start_date_utc: _Time
    device_id: _Id | None = None
    event_type_code: str | None = None
    event_type_name: str | None = None
    event_type_id: int | None = None
    event_end_date_utc: _Time | None = None
    event_status: str | None = None
    event_status_flags: int | None = None
    event_uploaded_date_utc: _Time | None = None


class Told(msgspec.Struct, frozen=True):
    """A reading, the place of its record in the message, and when the supplier sent it on."""

    index: int
    sent_at: datetime | None
    wire: Wire


class Unpacked(msgspec.Struct, frozen=True):
    """One message taken apart; a record that cannot be read is refused by itself."""

    readings: list[Told]
    rejected: list[Rejected]


def unpack(payload: bytes, device: str) -> Unpacked:
    """Readings of one message for the device that its topic names.

    Raises :class:`devices.native.MessageRefused` where nothing in it can be kept.
    """
    document = load_leniently(payload)
    if not isinstance(document, dict):
        refuse(Reason.MALFORMED, "the payload is JSON but not an object")
    unpacked = Unpacked([], [])
    for index, (kind, raw) in enumerate(_records(document)):
        try:
            unpacked.readings.extend(_readings(kind, raw, index, device))
        except MessageRefused as fault:
            text = f"record {index}: {fault.rejected.text}"
            unpacked.rejected.append(Rejected(fault.rejected.reason, text, index))
    return unpacked


def _records(document: dict[str, Any]) -> Iterator[tuple[type[Position] | type[Event], Any]]:
    if "position_gps_date" in document:
        return iter([(Position, document)])
    if "event_start_date_utc" in document:
        return iter([(Event, document)])
    positions, events = document.get("positions", []), document.get("events", [])
    if not isinstance(positions, list) or not isinstance(events, list):
        refuse(Reason.INVALID, "positions and events: expected lists of records")
    if not 0 < len(positions) + len(events) <= MOST_RECORDS:
        text = f"expected a position, an event, or 1 to {MOST_RECORDS:,} of them in lists"
        refuse(Reason.INVALID, text)
    return iter([(Position, each) for each in positions] + [(Event, each) for each in events])


def _readings(
    kind: type[Position] | type[Event], raw: object, index: int, device: str
) -> list[Told]:
    record = _convert(kind, raw)
    if record.device_id is not None and str(record.device_id) != device:
        refuse(Reason.WRONG_TOPIC, "the record names another device than its topic")
    if isinstance(record, Position):
        sent_at = _utc(record.position_uploaded_date, "position_uploaded_date")
        return [Told(index, sent_at, _fix(record))]
    sent_at = _utc(record.event_uploaded_date_utc, "event_uploaded_date_utc")
    return [Told(index, sent_at, wire) for wire in _event(record)]


def _convert(kind: type[Position] | type[Event], raw: object) -> Position | Event:
    for name, value in raw.items() if isinstance(raw, dict) else ():
        if name in kind.__struct_fields__ and value in NOT_FINITE:
            refuse(Reason.NOT_FINITE, f"{name} is not a finite number")
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as fault:
        out_of_range = ">=" in str(fault) or "<=" in str(fault)
        refuse(Reason.OUT_OF_RANGE if out_of_range else Reason.INVALID, say(str(fault)))
    except UnicodeEncodeError:
        refuse(Reason.MALFORMED, "a text in it holds half a character")


def _fix(record: Position) -> WireFix:
    precision = record.position_precision
    mechanism = 1 if record.position_lbs is None else record.position_lbs
    source = _MECHANISMS.get(mechanism, _UNKNOWN_MECHANISM)
    return msgspec.convert(
        {
            "kind": "fix",
            "at": _utc(record.position_gps_date, "position_gps_date"),
            "lat": record.position_latitude,
            "lon": record.position_longitude,
            "accuracy_m": UNKNOWN_PRECISION_M if precision is None else precision,
            "source": source,
            "speed_kmh": record.position_speed,
            "heading_deg": record.position_direction,
            "satellites": record.position_satellite,
            "hdop": record.position_hdop,
        },
        WireFix,
    )


def _event(record: Event) -> Iterator[WireEvent | WireBattery]:
    at = _utc(record.event_start_date_utc, "event_start_date_utc")
    assert at is not None
    meaning = event_of(_code(record))
    yield WireEvent(at=at, code=meaning.code, state=meaning.state)
    percent = meaning.percent if not meaning.flags_are_percent else record.event_status_flags
    if percent is not None:
        if not 0 <= percent <= 100:
            refuse(Reason.OUT_OF_RANGE, "event_status_flags: expected a percentage, 0 to 100")
        yield WireBattery(at=at, percent=float(percent))
    # A finished record carries its own end; the end event that follows it, if any, repeats it.
    ended_at = _utc(record.event_end_date_utc, "event_end_date_utc")
    if meaning.state == "start" and record.event_status == "F" and ended_at and ended_at > at:
        yield WireEvent(at=ended_at, code=meaning.code, state="end")


def _code(record: Event) -> str:
    """The code by whichever field has it; a bare number is kept as a code of its own."""
    for text in (record.event_type_code, record.event_type_name):
        if text and text.startswith("EV_"):
            return text
    if record.event_type_id is None:
        refuse(Reason.INVALID, "event_type_code: missing, and there is no event_type_id either")
    return f"EV_TYPE_{record.event_type_id}"


def _utc(text: str | None, name: str) -> datetime | None:
    if text is None:
        return None
    try:
        # A day alone would be taken for its midnight.
        at = datetime.fromisoformat(text if len(text) > LONGEST_DATE else "")
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        refuse(Reason.INVALID, f"{name}: expected a time such as 2026-11-21 22:40:00.000")
